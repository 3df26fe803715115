"""An answer on Mastodon from the customer's post to theirs, with a server that has state: posted once, whatever breaks.

A process of its own posts, and is killed at every step around it; another one then goes on with the same database.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.casework import Replies
from listener.core.case import Case
from listener.core.event import Actor
from listener.core.reply import Reply, digest
from listener.core.tools import Tools
from listener.http import Client
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.pipeline.poll import poll
from listener.pipeline.post import post
from listener.store import Store, open_store
from listener.testing import FakeClock, FakeScorer
from sources.mastodon import Mastodon, MastodonOptions
from tests.kit import make_rules, resolve
from tests.servers.mastodon import POSTING, TOWN, Instance, Line, Manner

ROOT = Path(__file__).resolve().parents[1]
RULES = make_rules(places=(TOWN,), posting=POSTING)


class Office:
    """One life of Listener over a database, with an agent, a lead, our account and a customer's.

    Its clock begins with the present and is moved by the test.
    """

    def __init__(self, database: Path, instance: Instance, line: Line, http: Client) -> None:
        self.database, self.line, self.http = database, line, http
        self.brand, self.kim = instance.member(), instance.member()
        self.clock = FakeClock(datetime.now(UTC))
        self.start()
        self.store.places.sync([TOWN], self.clock())
        self.ann, self.lea = (
            Actor(colleague=self.store.colleagues.add(name, name.title(), role, self.clock()), via="page")  # type: ignore[arg-type]
            for name, role in (("ann", "agent"), ("lea", "lead"))
        )

    def start(self) -> None:
        """Begin a life."""
        self.store: Store = open_store(str(self.database))
        self.store.release()
        tools = Tools(http=self.http, clock=self.clock, secret=self.brand.token)
        self.source = Mastodon(MastodonOptions(instance=self.line.url, notifications=True), tools)
        repliers = {TOWN.name: self.source}
        self.replies = Replies(self.store, self.clock, lambda: timedelta(hours=1), lambda: POSTING, lambda: repliers)

    def hear(self) -> None:
        """Poll, judge and route until nothing is left."""
        self.clock.forward(timedelta(minutes=5))
        while poll(self.store, {TOWN.name: self.source}, RULES, self.clock):
            pass
        while judge(self.store, FakeScorer(), RULES, self.clock) + escalate(self.store, RULES, self.clock):
            pass

    def post(self) -> int:
        """Post, and look for what is unknown, until nothing is due for a day."""
        count = 0
        for _ in range(40):
            count += post(self.store, {TOWN.name: self.source}, RULES, self.clock)
            self.clock.forward(timedelta(minutes=40))
        return count

    def post_once(self) -> None:
        """One turn."""
        assert post(self.store, {TOWN.name: self.source}, RULES, self.clock) == 1

    def case(self) -> Case:
        """The customer's case; there is one."""
        rows = self.store.db.read("SELECT id FROM cases")
        assert len(rows) == 1, "one customer, one case"
        return self.store.cases.get(rows[0]["id"])

    def approved(self, words: str = "we look at once.") -> Reply:
        """The customer complains, Ann writes, Lea reads and approves: the answer waits to be posted."""
        self.written = self.kim.post(f"@{self.brand.name} acme is broken")
        self.hear()
        draft = self.replies.begin(self.case().public_id, self.ann)
        draft = self.replies.save(draft.public_id, self.ann, draft.text + words, version=draft.version)
        sent = self.replies.submit(draft.public_id, self.ann, version=draft.version, heard=draft.heard)
        return self.replies.approve(sent.public_id, self.lea, digest(sent.text), heard=sent.heard)

    def now(self) -> Reply:
        """The answer as it is."""
        (reply,) = self.store.replies.of_case(self.case().id)
        return reply

    def standing(self) -> list[dict[str, Any]]:
        """Our answers under the post, as another client sees them."""
        told = self.kim.answers(self.written["id"])
        return [answer for answer in told if answer["account"]["username"] == self.brand.name]

    def mentions(self) -> list[str]:
        """What the case holds, oldest first."""
        return [mention.post.text for mention in reversed(self.store.mentions.of_case(self.case().id, 50))]

    @contextmanager
    def killed(self, point: str) -> Iterator[subprocess.Popen[bytes]]:
        """Another process posts and is dead at the end of the block; then a new life begins."""
        self.store.close()
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(ROOT / "tests" / "poster.py"), str(self.database), self.line.url]
        process = subprocess.Popen(
            [*command, self.brand.token, self.clock().isoformat(), point],
            env=environ,
            cwd=self.database.parent,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
            _, said = process.communicate(timeout=20)
            assert process.returncode == -signal.SIGKILL, said.decode()
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
            self.start()


@pytest.fixture
def http() -> Iterator[Client]:
    with Client(longest=10, allow_private=True) as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, mastodon: Instance, http: Client) -> Iterator[Office]:
    with Line(mastodon.url) as line:
        made = Office(tmp_path / "listener.db", mastodon, line, http)
        yield made
        made.store.close()


def test_a_complaint_is_answered_once_and_the_customers_answer_joins_its_case(office: Office) -> None:
    reply = office.approved()
    assert (reply.state, office.standing()) == ("approved", [])
    assert office.post() == 1
    (answer,) = office.standing()
    posted = office.now()
    assert posted.posted is not None
    assert (posted.state, posted.posted.external_id, posted.posted.url) == ("posted", answer["id"], answer["url"])
    assert answer["in_reply_to_id"] == office.written["id"]
    assert office.brand.ask(f"/api/v1/statuses/{answer['id']}/source")["text"] == reply.text
    assert office.case().status == "waiting"

    office.hear()
    assert len(office.mentions()) == 1, "our own words are no mention"
    office.kim.post(f"@{office.brand.name} and when?", in_reply_to_id=answer["id"])
    office.hear()
    assert office.mentions() == [f"@{office.brand.name} acme is broken", f"@{office.brand.name} and when?"]
    assert office.case().status == "acknowledged", "it is Ann's again"
    assert (office.post(), len(office.standing()), len(office.line.writes)) == (0, 1, 1)


def test_the_customers_answer_brings_a_resolved_case_back(office: Office) -> None:
    office.approved()
    office.post_once()
    (answer,) = office.standing()
    resolve(office.store, office.case(), office.clock())
    office.kim.post(f"@{office.brand.name} and when?", in_reply_to_id=answer["id"])
    office.hear()
    assert (office.case().status, len(office.mentions())) == ("open", 2)


KILLS: dict[str, tuple[Manner, str, int]] = {
    "before the intent": ("", "posted", 1),
    "after the intent": ("", "unknown", 0),
    "before the request": ("", "unknown", 0),
    "while the server holds it": ("keep", "unknown", 0),
    "while the server holds the answer": ("hold", "posted", 1),
    "before the answer is stored": ("", "posted", 1),
    "while the answer is stored": ("", "posted", 1),
    "after the answer is stored": ("", "posted", 1),
}
"""Where the process is killed: how the line behaves, what becomes of the answer, and how often it stands."""


@pytest.mark.parametrize("point", KILLS)
def test_a_kill_at_any_step_posts_at_most_once_and_what_is_unknown_is_shown(office: Office, point: str) -> None:
    manner, state, count = KILLS[point]
    reply = office.approved()
    office.line.manner = manner
    with office.killed(point) as process:
        if manner:
            assert office.line.taken.wait(20), "the request never came"
            process.kill()
    office.line.let_go.set()
    office.line.manner = ""
    office.post()
    now = office.now()
    assert (now.state, len(office.standing()), now.key) == (state, count, reply.key)
    assert len(office.line.writes) <= 1
    if state == "unknown":
        assert now.due_at is None, "it waits for a colleague"
        assert "handed over" in now.why
        office.replies.again(now.public_id, office.lea)
        office.post()
        assert (office.now().state, len(office.standing())) == ("posted", 1)
    assert set(office.line.keys) == {reply.key}


def test_an_unknown_answer_that_stands_is_not_doubled_by_a_colleague_who_did_not_see_it(office: Office) -> None:
    office.approved()
    office.line.manner = "after"
    office.post_once()
    office.line.manner = ""
    assert office.now().state == "unknown"
    office.replies.again(office.now().public_id, office.lea)
    office.post()
    assert (office.now().state, len(office.line.writes), len(office.standing())) == ("posted", 2, 1)
    assert len(set(office.line.keys)) == 1


@pytest.mark.parametrize(
    ("manner", "state", "count"),
    [("after", "posted", 1), ("break", "posted", 1), ("broken", "posted", 1), ("mute", "posted", 1),
     ("before", "unknown", 0)],
)  # fmt: skip
def test_a_server_that_leaves_us_in_doubt_is_looked_at_and_never_told_twice(
    office: Office, manner: Manner, state: str, count: int
) -> None:
    office.approved()
    office.line.manner = manner
    office.post_once()
    assert (office.now().state, len(office.line.writes)) == ("unknown", 1)
    office.post()
    assert (office.now().state, len(office.standing()), len(office.line.writes)) == (state, count, 1)


def test_a_server_that_answers_too_late_is_looked_at(office: Office, mastodon: Instance) -> None:
    office.approved()
    office.line.manner = "hold"
    with Client(longest=0.5, allow_private=True) as hurried:
        office.http = hurried
        office.store.close()
        office.start()
        started = time.monotonic()
        office.post_once()
        assert time.monotonic() - started < 5
        assert office.now().state == "unknown"
        office.post()
    assert (office.now().state, len(office.standing()), len(office.line.writes)) == ("posted", 1, 1)


def test_a_server_that_limits_is_tried_again_when_it_says(office: Office) -> None:
    office.approved()
    office.line.manner = "limit"
    office.line.until = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="milliseconds")
    office.post_once()
    now = office.now()
    assert (now.state, office.standing()) == ("approved", [])
    assert now.due_at is not None
    assert now.due_at - office.clock() > timedelta(minutes=110)
    office.line.manner = ""
    assert office.post() == 1
    assert (office.now().state, len(office.standing()), len(office.line.writes)) == ("posted", 1, 2)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda office: office.kim.delete(office.written["id"]), "not there any more"),
        (lambda office: setattr(office.line, "target", "127.0.0.1:9"), ""),
    ],
)
def test_a_post_that_is_gone_fails_with_the_reason_and_an_absent_server_is_tried_later(
    office: Office, spoil: Callable[[Office], object], why: str
) -> None:
    office.approved()
    spoil(office)
    office.post_once()
    now = office.now()
    assert now.state == ("failed" if why else "approved")
    assert why in now.why
    assert office.line.writes == []
