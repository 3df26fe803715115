"""Mastodon's streams, against a server with state: what rings, what does not, where they are, who is asked at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from listener.core.errors import AdapterError, Unauthorized
from listener.core.protocols import Listens
from listener.core.tools import Tools
from listener.http import Client
from listener.testing import check_source
from sources._mastodonstream import address, rings
from sources.mastodon import STREAMS, Mastodon, MastodonOptions
from tests.servers.mastodon import Instance, Member
from tests.servers.streams import HEAD, KNOWN, StreamServer, event


@pytest.fixture
def http() -> Iterator[Client]:
    with Client(allow_private=True) as made:
        yield made


def source(http: Client, url: str, token: str | None = "t0ken", **options: Any) -> Mastodon:
    given = {"instance": url, "notifications": True, **options}
    return Mastodon(MastodonOptions(**given), Tools(http=http, clock=lambda: datetime.now(UTC), secret=token))


class Ringing:
    """A stream that is held in a thread, and how often it rang.

    Args:
        source: holds it.
        stream: which one.
    """

    def __init__(self, source: Mastodon, stream: str) -> None:
        self.rung = 0
        self.problem: AdapterError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(source, stream), daemon=True)

    def _hold(self, source: Mastodon, stream: str) -> None:
        try:
            for _ in source.listen(stream, self._stop):
                self.rung += 1
        except AdapterError as problem:
            self.problem = problem

    def __enter__(self) -> Ringing:
        """Hold it; returns once it stands."""
        self._thread.start()
        return self.until(1)

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        self._stop.set()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def until(self, rung: int) -> Ringing:
        """Wait until it rang so often."""
        end = time.monotonic() + 10
        while self.rung < rung:
            assert time.monotonic() < end, f"it rang {self.rung} times: {self.problem}"
            time.sleep(0.01)
        return self


@pytest.fixture
def brand(mastodon: Instance) -> Member:
    return mastodon.member()


@pytest.fixture
def kim(mastodon: Instance) -> Member:
    return mastodon.member()


def test_a_mention_rings_and_a_like_does_not(mastodon: Instance, http: Client, brand: Member, kim: Member) -> None:
    ours = brand.post("Good morning")
    with Ringing(source(http, mastodon.url, brand.token), "@") as heard:
        kim.ask(f"/api/v1/statuses/{ours['id']}/favourite", {})
        kim.post("nothing to do with anybody")
        kim.post(f"@{brand.name} where is my parcel?")
        heard.until(2)
        kim.post(f"@{brand.name} hello?")
        heard.until(3)
        assert heard.rung == 3


def test_a_hashtag_rings_however_it_is_written(mastodon: Instance, http: Client, brand: Member, kim: Member) -> None:
    tag = f"tåg{brand.name}"
    with Ringing(source(http, mastodon.url, brand.token, tags=(f"#{tag.title()}",)), f"#{tag}") as heard:
        kim.post("no tag")
        posted = kim.post(f"Late again #{tag.upper()}")
        heard.until(2)
        kim.delete(posted["id"])
        kim.post(f"Still late #{tag}")
        heard.until(3)
        assert heard.rung == 3


def test_a_source_listens_to_its_timelines_mentions_first_and_never_to_more_than_it_may(http: Client) -> None:
    tags = tuple(f"tag{number}" for number in range(9))
    listening = source(http, "https://town.example", tags=tags)
    assert isinstance(listening, Listens)
    assert listening.streams()[0] == "@"
    assert len(listening.streams()) == STREAMS
    assert source(http, "https://town.example", tags=("a",), notifications=False).streams() == ("#a",)
    assert source(http, "https://town.example", stream=False).streams() == ()


def test_polls_that_rings_cause_stay_within_a_third_of_what_an_instance_allows(http: Client) -> None:
    for count in range(1, 30):
        pause = source(http, "https://town.example", tags=tuple(map(str, range(count))), notifications=False).pause
        assert timedelta(minutes=5) / pause * count < 101


def test_the_contract_asks_for_a_pause_and_for_streams_that_differ() -> None:
    class Hasty(Mastodon):
        pause = timedelta()  # type: ignore[assignment]

    class Doubled(Mastodon):
        def streams(self) -> Sequence[str]:
            return "@@"

    for made, said in ((Hasty, "pause"), (Doubled, "once")):
        options = MastodonOptions(instance="https://town.example", notifications=True)
        with pytest.raises(AssertionError, match=said):
            check_source(partial(made, options))


def test_without_a_credential_nothing_is_asked(http: Client) -> None:
    with StreamServer() as server:
        with pytest.raises(Unauthorized, match="access token"):
            next(source(http, server.url, token=None, tags=("a",), notifications=False).listen("#a", threading.Event()))
        assert (server.streams, server.polls) == ([], [])


def test_the_token_is_shown_where_the_instance_says_that_its_streams_are(
    http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StreamServer() as elsewhere, StreamServer() as server:
        told = {"configuration": {"urls": {"streaming": elsewhere.url.replace("http://", "ws://") + "/"}}}
        monkeypatch.setitem(KNOWN, "/api/v2/instance", told)
        elsewhere.speak = lambda line: line.sendall(HEAD + event("notification", {"type": "mention"}))
        assert len(list(source(http, server.url).listen("@", threading.Event()))) == 2
        assert elsewhere.streams == [("/api/v1/streaming/user/notification", "Bearer t0ken")]
        assert server.streams == []


@pytest.mark.parametrize(
    ("streaming", "base", "used"),
    [
        ("wss://streaming.town.example", "https://town.example", "https://streaming.town.example"),
        ("wss://town.example:4000/s/", "https://town.example", "https://town.example:4000/s"),
        ("ws://127.0.0.1:4000", "http://127.0.0.1", "http://127.0.0.1:4000"),
        ("wss://safe.example", "http://town.example", "https://safe.example"),
        ("ws://town.example", "https://town.example", "https://town.example"),
        ("http://town.example", "https://town.example", "https://town.example"),
        ("ftp://town.example", "https://town.example", "https://town.example"),
        ("wss://[", "https://town.example", "https://town.example"),
        ("wss://", "https://town.example", "https://town.example"),
        ("", "https://town.example", "https://town.example"),
        (None, "https://town.example", "https://town.example"),
        (["wss://a.example"], "https://town.example", "https://town.example"),
    ],
)
def test_streams_are_where_the_instance_says_but_never_less_safe(streaming: object, base: str, used: str) -> None:
    assert address({"configuration": {"urls": {"streaming": streaming}}}, base) == used


@pytest.mark.parametrize("told", [None, [], "x", {"configuration": None}, {"configuration": {"urls": []}}])
def test_an_instance_that_says_nothing_of_streams_has_them_itself(told: object) -> None:
    assert address(told, "https://town.example") == "https://town.example"


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        ([], 0),
        ([b""], 1),
        ([b"", b":thump", b":thump", b""], 1),
        ([b"", b"event: update", b"data: {}", b""], 2),
        ([b"", b"event:update", b"data:{}", b""], 2),
        ([b"", b"event: status.update", b"data: {}"], 2),
        ([b"", b"event: delete", b"data: 7", b"", b"event: filters_changed", b"data: undefined"], 1),
        ([b"", b"event: notification", b'data: {"id": "1", "type": "mention"}'], 2),
        ([b"", b"event: notification", b'data: {"id": "1", "type": "follow"}'], 1),
        ([b"", b"data: {}", b"event", b"data", b"\xff\xfe\x00", b"event: \xff", b"data: \xff"], 1),
    ],
)
def test_only_what_may_be_a_post_rings(lines: list[bytes], times: int) -> None:
    assert len(list(rings(lines))) == times


def forever(piece: bytes) -> Callable[[socket.socket], None]:
    def speak(line: socket.socket) -> None:
        line.sendall(HEAD)
        while True:
            line.sendall(piece)

    return speak


@pytest.mark.parametrize(
    "piece",
    [
        b"x" * 65_536,
        b"event: update\ndata: " + b"[" * 65_536,
        event("update", "x" * 50_000) * 20,
        b"event: update\ndata: {}\n\n" * 3_000,
        b":thump\n" * 9_000,
        bytes(range(256)) * 256,
        b"\r" * 65_536,
    ],
    ids=["no newline", "endless event", "large events", "storm", "keep-alives", "garbage", "returns"],
)
def test_a_hostile_stream_costs_the_connection_and_nothing_else(http: Client, piece: bytes) -> None:
    with StreamServer() as server:
        server.speak = forever(piece)
        listening, began = source(http, server.url), time.monotonic()
        said = ""
        try:
            for _ in listening.listen("@", threading.Event()):
                if time.monotonic() > began + 20:
                    break
        except AdapterError as problem:
            said = str(problem)
        assert "t0ken" not in said
        assert time.monotonic() < began + 20
        assert json.loads(http.get(server.url + "/api/v1/notifications").body) == []
