"""Event streams through the polite client: their lines, their limits, and what refuses or ends them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable
from listener.http import Client
from tests.servers.streams import HEAD, StreamServer, status

CHUNKED = HEAD.replace(b"Connection: close", b"Transfer-Encoding: chunked")
PATH = "/api/v1/streaming/user"


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(allow_private=True) as made:
        yield made


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with StreamServer() as made:
        yield made


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def says(*pieces: bytes, head: bytes = HEAD) -> Callable[[socket.socket], None]:
    """A stream that says this and ends."""

    def speak(line: socket.socket) -> None:
        for piece in (head, *pieces):
            line.sendall(piece)

    return speak


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked answer."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_lines_come_as_they_were_sent_after_one_that_says_that_the_answer_began(
    client: Client, server: StreamServer, stop: threading.Event
) -> None:
    server.speak = says(b":)\nevent: upd", b"ate\r\ndata: {}\n\n\xff\xfe\x00\nno end")
    lines = list(
        client.lines(server.url + PATH, stop=stop, params={"tag": "a&b"}, headers={"Authorization": "Bearer x"})
    )
    assert lines == [b"", b":)", b"event: update", b"data: {}", b"", b"\xff\xfe\x00"]
    assert server.streams == [(f"{PATH}?tag=a%26b", "Bearer x")]


def test_a_line_comes_whole_however_it_is_cut(client: Client, server: StreamServer, stop: threading.Event) -> None:
    server.speak = says(*(chunk(bytes([byte])) for byte in b"ab\ncd\n"), b"0\r\n\r\n", head=CHUNKED)
    assert list(client.lines(server.url + PATH, stop=stop)) == [b"", b"ab", b"cd"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(401), Unauthorized),
        (status(403), Unauthorized),
        (status(404), Rejected),
        (status(410), Rejected),
        (status(204), Rejected),
        (status(301, "Location: /elsewhere"), Rejected),
        (status(500), Unavailable),
        (status(429, "Retry-After: 7"), RateLimited),
        (status(503, "Retry-After: 7"), RateLimited),
        (says(b"<p>Welcome", head=HEAD.replace(b"text/event-stream", b"text/html")), Rejected),
        (says(b"packed", head=HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")), Rejected),
        (says(head=b"\x00\xff no HTTP at all\r\n\r\n"), Unavailable),
        (says(b"a\n", b"zz\r\nnot a chunk", head=CHUNKED), Unavailable),
        (says(chunk(b"a\n"), head=CHUNKED), Unavailable),
        (says(head=b""), Unavailable),
    ],
)
def test_what_is_no_stream_becomes_the_error_that_the_protocol_names(
    client: Client, server: StreamServer, stop: threading.Event, answer: Callable[[socket.socket], None],
    kind: type[AdapterError],
) -> None:  # fmt: skip
    server.speak = answer
    with pytest.raises(AdapterError) as caught:
        list(client.lines(f"{server.url}{PATH}?token=s3cret", stop=stop))
    assert type(caught.value) is kind
    assert "s3cret" not in str(caught.value)
    assert getattr(caught.value, "retry_after", None) == (7 if kind is RateLimited else None)


def test_a_stream_on_a_private_address_is_not_dialled(server: StreamServer, stop: threading.Event) -> None:
    with Client() as guarded, pytest.raises(AdapterError):
        list(guarded.lines(server.url + PATH, stop=stop))
    assert server.streams == []


def endless(piece: bytes) -> Callable[[socket.socket], None]:
    """A stream that says the same for ever."""

    def speak(line: socket.socket) -> None:
        line.sendall(HEAD)
        while True:
            line.sendall(piece)

    return speak


def test_a_line_without_an_end_ends_the_connection(client: Client, server: StreamServer, stop: threading.Event) -> None:
    server.speak = endless(b"x" * 65_536)
    with pytest.raises(Unavailable, match="more than 1,000,000 bytes"):
        list(client.lines(server.url + PATH, stop=stop, longest=20))


def test_a_flood_ends_at_the_limit(client: Client, server: StreamServer, stop: threading.Event) -> None:
    server.speak = endless(b"data: again\n" * 5_000)
    read = sum(len(line) + 1 for line in client.lines(server.url + PATH, stop=stop, max_bytes=3_000_000, longest=20))
    assert 2_900_000 < read < 3_200_000


def test_silence_is_a_lost_connection(client: Client, server: StreamServer, stop: threading.Event) -> None:
    server.speak = lambda line: (line.sendall(HEAD + b":)\n"), server.over.wait(20))
    with pytest.raises(Unavailable, match=r"said nothing for 0\.3 s"):
        list(client.lines(server.url + PATH, stop=stop, silence=0.3))


def test_an_answer_that_never_begins_is_a_lost_connection(
    client: Client, server: StreamServer, stop: threading.Event
) -> None:
    server.speak = lambda _: server.over.wait(20)
    with pytest.raises(Unavailable, match=r"said nothing for 0\.3 s"):
        list(client.lines(server.url + PATH, stop=stop, silence=0.3))


def test_a_stream_ends_in_order_after_its_longest_time_however_it_drips(
    client: Client, server: StreamServer, stop: threading.Event
) -> None:
    def drip(line: socket.socket) -> None:
        line.sendall(HEAD)
        while not server.over.wait(0.02):
            line.sendall(b":thump\n")

    server.speak = drip
    began = time.monotonic()
    assert len(list(client.lines(server.url + PATH, stop=stop, longest=0.5))) > 3
    assert 0.4 < time.monotonic() - began < 5


@pytest.mark.parametrize("speaks", [True, False], ids=["in a stream", "before the answer begins"])
def test_a_stop_is_noticed_within_a_second(
    client: Client, server: StreamServer, stop: threading.Event, speaks: bool
) -> None:
    server.speak = lambda line: (speaks and line.sendall(HEAD), server.over.wait(20))
    lines = client.lines(server.url + PATH, stop=stop)
    if speaks:
        assert next(lines) == b""
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    began = time.monotonic()
    assert list(lines) == []
    assert time.monotonic() - began < 2


def test_a_stream_takes_no_turn_and_no_place_in_the_pool(
    client: Client, server: StreamServer, stop: threading.Event
) -> None:
    server.speak = lambda line: (line.sendall(HEAD), server.over.wait(20))
    held = [client.lines(server.url + PATH, stop=stop) for _ in range(70)]
    assert [next(lines) for lines in held] == [b""] * 70
    assert client.get(server.url + "/api/v2/instance", deadline=5).status == 200
    for lines in held:
        lines.close()  # type: ignore[attr-defined]
