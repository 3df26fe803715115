"""An answer on Bluesky from the customer's post to theirs, on a whole network of its own: posted once, whatever breaks.

A process of its own posts, and is killed at every step around it; another one then goes on with the same database.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.core.tools import Tools
from listener.http import Client
from sources.bluesky import Bluesky
from tests.kit import resolve
from tests.office import SORRY, Office
from tests.servers.bluesky import SKY, Account, Network, eventually, sky_options
from tests.servers.bluesky_proxy import Mood, Proxy

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parents[1]
WRITE = "com.atproto.repo.createRecord"


class Sky(Office):
    """An office with an account on a Bluesky network, and a customer with another."""

    def __init__(self, database: Path, brand: Account, kim: Account, proxy: Proxy, http: Client) -> None:
        self.proxy, self.http = proxy, http
        self.brand, self.kim = brand, kim
        self.handle = kim.handle
        super().__init__(database, SKY)

    def made(self) -> Bluesky:
        """The network, through the proxy."""
        tools = Tools(http=self.http, clock=self.clock, secret=self.brand.app_password)
        return Bluesky(sky_options(self.proxy.url, self.brand.handle), tools)

    def complain(self) -> None:
        """Kim mentions us."""
        self.written = self.says("acme is broken")

    def says(
        self, text: str, under: dict[str, str] | None = None, root: dict[str, str] | None = None
    ) -> dict[str, str]:
        """The customer writes, and the network tells our account."""
        at = f"@{self.brand.handle} " if under is None else ""
        above: dict[str, Any] | None = under and {**under, "root": root or under}
        made = self.kim.post(at + text, under=above, about=None if under else self.brand)
        eventually(lambda: made["uri"] in self._told(), "the network never told our account")
        return made

    def _told(self) -> list[str]:
        listed = self.brand.ask("app.bsky.notification.listNotifications", limit="50")["notifications"]
        return [told["uri"] for told in listed]

    def standing(self) -> list[dict[str, Any]]:
        """Our answers under the post, in our own repository."""
        uri = self.written["uri"]
        return [
            each for each in self.brand.records() if each["value"].get("reply", {}).get("parent", {}).get("uri") == uri
        ]

    def seen(self) -> list[dict[str, Any]]:
        """The answers under the post as the network shows them to another client."""
        return eventually(lambda: self.kim.answers(self.written["uri"]), "another client never saw it")

    @contextmanager
    def killed(self, point: str) -> Iterator[subprocess.Popen[bytes]]:
        """Another process posts and is dead at the end of the block; then a new life begins."""
        self.store.close()
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(ROOT / "tests" / "poster_bluesky.py"), str(self.database), self.proxy.url]
        process = subprocess.Popen(
            [*command, self.brand.handle, self.brand.app_password, self.clock().isoformat(), point],
            env=environ,
            cwd=self.database.parent,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
            _, said = process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL, said.decode()
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
            self.start()


@pytest.fixture
def http() -> Iterator[Client]:
    with Client(longest=20, allow_private=True) as made:
        yield made


@pytest.fixture(scope="module")
def brand(bluesky: Network) -> Account:
    return bluesky.account("brand")


@pytest.fixture
def office(tmp_path: Path, bluesky: Network, brand: Account, http: Client) -> Iterator[Sky]:
    with Proxy(bluesky) as proxy:
        made = Sky(tmp_path / "listener.db", brand, bluesky.account("kim", app=False), proxy, http)
        yield made
        proxy.let_go.set()
        made.store.close()


def test_a_complaint_is_answered_once_and_the_customers_answer_joins_its_case(office: Sky) -> None:
    reply = office.approved()
    assert (reply.state, office.standing()) == ("approved", [])
    assert office.post() == 1
    posted = office.now()
    assert posted.posted is not None
    assert posted.state == "posted"
    (answer,) = office.seen()
    assert (answer["uri"], answer["record"]["text"]) == (posted.posted.external_id, SORRY)
    assert answer["author"]["handle"] == office.brand.handle
    assert (
        posted.posted.url == f"https://bsky.app/profile/{office.brand.handle}/post/{answer['uri'].rpartition('/')[2]}"
    )
    assert office.case().status == "waiting"

    office.hear()
    assert len(office.mentions()) == 1, "our own words are no mention"
    office.says("and when?", under={"uri": answer["uri"], "cid": answer["cid"]}, root=office.written)
    office.hear()
    assert office.mentions() == [f"@{office.brand.handle} acme is broken", "and when?"]
    assert office.case().status == "acknowledged", "it is Ann's again"
    assert (office.post(), len(office.standing()), office.proxy.calls[WRITE]) == (0, 1, 1)


def test_the_customers_answer_brings_a_resolved_case_back(office: Sky) -> None:
    office.approved()
    office.post_once()
    (answer,) = office.seen()
    resolve(office.store, office.case(), office.clock())
    office.says("and when?", under={"uri": answer["uri"], "cid": answer["cid"]}, root=office.written)
    office.hear()
    assert (office.case().status, len(office.mentions())) == ("open", 2)


KILLS: dict[str, tuple[Mood | None, str, int]] = {
    "before the intent": (None, "posted", 1),
    "after the intent": (None, "unknown", 0),
    "before the request": (None, "unknown", 0),
    "while the server holds it": ("kept", "unknown", 0),
    "while the server holds the answer": ("withheld", "posted", 1),
    "before the answer is stored": (None, "posted", 1),
    "while the answer is stored": (None, "posted", 1),
    "after the answer is stored": (None, "posted", 1),
}
"""Where the process is killed: how the network behaves, what becomes of the answer, and how often it stands."""


@pytest.mark.parametrize("point", KILLS)
def test_a_kill_at_any_step_posts_at_most_once_and_what_is_unknown_is_shown(office: Sky, point: str) -> None:
    mood, state, count = KILLS[point]
    reply = office.approved()
    office.proxy.moods = {WRITE: mood} if mood else {}
    with office.killed(point) as process:
        if mood:
            assert office.proxy.held.wait(60), "the request never came"
            process.kill()
    office.proxy.moods = {}
    office.post()
    now = office.now()
    assert (now.state, len(office.standing()), now.key) == (state, count, reply.key)
    assert office.proxy.calls[WRITE] <= 1
    if state == "unknown":
        assert now.due_at is None, "it waits for a colleague"
        assert "handed over" in now.why
        office.replies.again(now.public_id, office.lea)
        office.post()
        assert (office.now().state, len(office.standing())) == ("posted", 1)
    if mood == "kept":
        # What the network took in before the kill reaches it only now, under the same key.
        office.proxy.let_go.set()
        eventually(lambda: office.proxy.passed[WRITE] == 2, "the first request never went on")
        assert len(office.standing()) == 1


@pytest.mark.parametrize(
    ("mood", "state", "count"),
    [("cut", "posted", 1), ("broken", "posted", 1), ("page", "posted", 1), ("refused early", "unknown", 0)],
)
def test_a_network_that_leaves_us_in_doubt_is_looked_at_and_never_told_twice(
    office: Sky, mood: Mood, state: str, count: int
) -> None:
    office.approved()
    office.proxy.moods = {WRITE: mood}
    office.post_once()
    assert (office.now().state, office.proxy.calls[WRITE]) == ("unknown", 1)
    office.post()
    assert (office.now().state, len(office.standing()), office.proxy.calls[WRITE]) == (state, count, 1)


def test_an_unknown_answer_that_stands_is_not_doubled_by_a_colleague_who_did_not_see_it(office: Sky) -> None:
    office.approved()
    office.proxy.moods = {WRITE: "cut"}
    office.post_once()
    office.proxy.moods = {}
    assert office.now().state == "unknown"
    office.replies.again(office.now().public_id, office.lea)
    office.post()
    assert (office.now().state, len(office.standing())) == ("posted", 1)


def test_a_network_that_answers_too_late_is_looked_at(office: Sky) -> None:
    office.approved()
    office.proxy.moods = {WRITE: "withheld"}
    with Client(longest=4, allow_private=True) as hurried:
        office.http = hurried
        office.store.close()
        office.start()
        office.post_once()
        assert office.now().state == "unknown"
        office.post()
    assert (office.now().state, len(office.standing()), office.proxy.calls[WRITE]) == ("posted", 1, 1)


def test_a_network_that_limits_is_tried_again_when_it_says(office: Sky) -> None:
    office.approved()
    office.proxy.moods = {WRITE: "busy"}
    office.post_once()
    now = office.now()
    assert (now.state, office.standing()) == ("approved", [])
    assert now.due_at is not None
    assert now.due_at - office.clock() > timedelta(seconds=50)
    office.proxy.moods = {}
    assert office.post() == 1
    assert (office.now().state, len(office.standing()), office.proxy.calls[WRITE]) == ("posted", 1, 2)


def test_a_post_that_is_gone_fails_with_the_reason_and_nothing_is_written(office: Sky) -> None:
    office.approved()
    office.kim.delete(office.written["uri"])
    eventually(
        lambda: not office.brand.ask("app.bsky.feed.getPosts", uris=[office.written["uri"]])["posts"], "still there"
    )
    office.post_once()
    assert office.now().state == "failed"
    assert "gone" in office.now().why
    assert office.proxy.calls[WRITE] == 0
