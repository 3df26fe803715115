"""Streams through the whole daemon, in a process of its own: heard at once, cut, absent, switched off, and let go."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.lives import Lives
from tests.servers.mastodon import Instance, Member
from tests.servers.streams import HEAD, StreamServer, event, status

CONFIG = """
[listener]
state_dir = "state"
allow_private_sources = true
source_ports = [{port}]

[web]
enabled = false

[scorer]
name = "table"

[[brand]]
name = "Acme"
terms = ["acme"]

[credentials]
town_file = "town"

[[channel]]
name = "console"
adapter = "console"
"""

PLACE = """
[[place]]
name = "{name}"
source = "mastodon"
credential = "town"
every = "1h"
instance = "{url}"
{listens}
"""
MENTIONS, TAG = "notifications = true", 'tags = ["{tag}"]'


@pytest.fixture
def brand(mastodon: Instance) -> Member:
    return mastodon.member()


@pytest.fixture
def kim(mastodon: Instance) -> Member:
    return mastodon.member()


@pytest.fixture
def server(mastodon: Instance) -> Iterator[StreamServer]:
    """A line to the Mastodon, whose streams can be cut."""
    with StreamServer(mastodon.url) as made:
        yield made


Start = Callable[..., Lives]


@pytest.fixture
def start(tmp_path: Path, server: StreamServer, brand: Member) -> Iterator[Start]:
    """Starts the daemon with places, and stops it in the end."""
    started: list[Lives] = []

    def begin(**places: str) -> Lives:
        (tmp_path / "town").write_text(brand.token)
        (tmp_path / "town").chmod(0o600)
        told = "".join(PLACE.format(name=name, url=server.url, listens=listens) for name, listens in places.items())
        lives = Lives(tmp_path, CONFIG.format(port=server.url.rpartition(":")[2]) + told)
        started.append(lives)
        lives.start()
        return lives

    yield begin
    for lives in started:
        if lives.alive():
            assert lives.stop() == 0, lives.tail()


def heard(lives: Lives) -> list[object]:
    """The texts of all posts."""
    return [text for (text,) in lives.ask("SELECT text FROM posts ORDER BY id")]


def places(lives: Lives, condition: str) -> int:
    """How many places are as asked for."""
    return lives.number(f"SELECT count(*) FROM places WHERE {condition}")


def test_posts_are_heard_within_seconds_and_once_though_the_next_poll_is_an_hour_off(
    start: Start, server: StreamServer, brand: Member, kim: Member
) -> None:
    tag = f"rings{brand.name}"
    lives = start(mentions=MENTIONS, tags=TAG.format(tag=tag))
    lives.until(lambda: places(lives, "listening_since IS NOT NULL") == 2, "both listen", 30)
    kim.post(f"@{brand.name} acme is broken")
    kim.post(f"Late again #{tag} acme")
    lives.until(lambda: len(heard(lives)) == 2, "the mention and the hashtag are heard", 30)
    kim.post(f"@{brand.name} acme #{tag}, at last")
    lives.until(
        lambda: lives.number("SELECT sum(n) FROM tallies WHERE outcome = 'duplicate'") > 0, "both bring the third", 10
    )
    lives.ahead(timedelta(hours=2))
    polls = server.timelines()
    lives.until(lambda: server.timelines() >= polls + 2, "the ordinary polls", 30)
    assert len(heard(lives)) == len(set(heard(lives))) == 3
    assert lives.number("SELECT count(*) FROM mentions") == 3
    assert lives.process is not None
    lives.process.send_signal(signal.SIGHUP)
    lives.until(lambda: len(server.streams) == 4, "a reload holds the streams anew", 30)
    lives.until(lambda: places(lives, "listening_since IS NOT NULL") == 2, "and says so", 30)
    began = time.monotonic()
    assert lives.stop() == 0
    assert time.monotonic() - began < 5, "streams do not hold the daemon"


def test_a_cut_stream_is_noticed_and_polls_bring_the_post_once(
    start: Start, server: StreamServer, brand: Member, kim: Member
) -> None:
    lives = start(mentions=MENTIONS)
    lives.until(lambda: places(lives, "listening_since IS NOT NULL") == 1, "it listens", 30)
    server.speak = status(503)
    server.cut()
    lives.until(lambda: places(lives, "not_listening LIKE '@: %' AND listening_since IS NULL") == 1, "it is said", 30)
    assert places(lives, "down_since IS NOT NULL") == 0, "the place itself answers"
    kim.post(f"@{brand.name} acme is broken")
    lives.ahead(timedelta(hours=2))
    lives.until(lambda: len(heard(lives)) == 1, "the poll brings it", 30)
    server.speak = None
    lives.until(lambda: places(lives, "listening_since IS NOT NULL") == 1, "it listens again", 30)
    kim.post(f"@{brand.name} acme, still")
    lives.until(lambda: len(heard(lives)) == 2, "and hears", 30)
    assert lives.number("SELECT count(*) FROM mentions") == 2


def test_where_there_are_no_streams_polls_go_on_and_the_place_says_why(
    start: Start, server: StreamServer, brand: Member, kim: Member
) -> None:
    server.speak = status(404)
    lives = start(none=MENTIONS, off=f"{TAG.format(tag='rest')}\nstream = false")
    lives.until(lambda: places(lives, "not_listening IS NOT NULL") == 1, "it is said", 30)
    (said,) = lives.ask("SELECT name, not_listening FROM places WHERE not_listening IS NOT NULL")
    assert said[0] == "none"
    assert "404" in str(said[1])
    kim.post(f"@{brand.name} acme #rest")
    lives.ahead(timedelta(hours=2))
    lives.until(lambda: places(lives, "nonempty_at IS NOT NULL") == 2, "both polls bring it", 30)
    assert len(heard(lives)) == 1
    assert [path for path, _ in server.streams] == ["/api/v1/streaming/user/notification"], "off asks for no stream"


def test_a_storm_of_rings_causes_a_poll_a_pause_and_harms_nothing(start: Start, server: StreamServer) -> None:
    mention = event("notification", {"type": "mention"}) * 50

    def storm(line: object) -> None:
        line.sendall(HEAD)  # type: ignore[attr-defined]
        while not server.over.wait(0.01):
            line.sendall(mention)  # type: ignore[attr-defined]

    server.speak = storm
    lives = start(mentions=MENTIONS)
    lives.until(lambda: server.timelines() >= 1, "the first poll", 30)
    began, polls = time.monotonic(), server.timelines()
    lives.until(lambda: server.timelines() >= polls + 2, "two more polls", 20)
    assert time.monotonic() - began > 2.5, "three seconds between two of them"
    assert server.timelines() <= polls + 3
    began = time.monotonic()
    assert lives.stop() == 0
    assert time.monotonic() - began < 5
