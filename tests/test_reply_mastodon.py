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

from listener.core.tools import Tools
from listener.http import Client
from sources.mastodon import Mastodon, MastodonOptions
from tests.kit import resolve
from tests.office import Office
from tests.servers.mastodon import TOWN, Instance, Line, Manner

ROOT = Path(__file__).resolve().parents[1]


class Town(Office):
    """An office with an account on a Mastodon instance, and a customer with another."""

    words = "we look at once."

    def __init__(self, database: Path, instance: Instance, line: Line, http: Client) -> None:
        self.line, self.http = line, http
        self.brand, self.kim = instance.member(), instance.member()
        super().__init__(database, TOWN)

    def made(self) -> Mastodon:
        """The instance, through the line."""
        tools = Tools(http=self.http, clock=self.clock, secret=self.brand.token)
        return Mastodon(MastodonOptions(instance=self.line.url, notifications=True), tools)

    def complain(self) -> None:
        """Kim mentions us."""
        self.written = self.kim.post(f"@{self.brand.name} acme is broken")

    def standing(self) -> list[dict[str, Any]]:
        """Our answers under the post, as another client sees them."""
        told = self.kim.answers(self.written["id"])
        return [answer for answer in told if answer["account"]["username"] == self.brand.name]

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
def office(tmp_path: Path, mastodon: Instance, http: Client) -> Iterator[Town]:
    with Line(mastodon.url) as line:
        made = Town(tmp_path / "listener.db", mastodon, line, http)
        yield made
        made.store.close()


def test_a_complaint_is_answered_once_and_the_customers_answer_joins_its_case(office: Town) -> None:
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


def test_the_customers_answer_brings_a_resolved_case_back(office: Town) -> None:
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
def test_a_kill_at_any_step_posts_at_most_once_and_what_is_unknown_is_shown(office: Town, point: str) -> None:
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


def test_an_unknown_answer_that_stands_is_not_doubled_by_a_colleague_who_did_not_see_it(office: Town) -> None:
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
    office: Town, manner: Manner, state: str, count: int
) -> None:
    office.approved()
    office.line.manner = manner
    office.post_once()
    assert (office.now().state, len(office.line.writes)) == ("unknown", 1)
    office.post()
    assert (office.now().state, len(office.standing()), len(office.line.writes)) == (state, count, 1)


def test_a_server_that_answers_too_late_is_looked_at(office: Town, mastodon: Instance) -> None:
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


def test_a_server_that_limits_is_tried_again_when_it_says(office: Town) -> None:
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
    office: Town, spoil: Callable[[Office], object], why: str
) -> None:
    office.approved()
    spoil(office)
    office.post_once()
    now = office.now()
    assert now.state == ("failed" if why else "approved")
    assert why in now.why
    assert office.line.writes == []
