"""The polite HTTP client against real sockets on loopback: limits, deadlines, redirects, and what errors say."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.http import LONGEST_WAIT, USER_AGENT, Client, retry_after, shown
from listener.http.waits import until_reset

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(allow_private=True) as made:
        yield made


@contextmanager
def raw_server(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request head, then does as told; for what no HTTP library would send."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                speak(connection)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def test_an_answer_carries_status_lower_case_headers_body_and_address(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a", query_string="x=1&y=%26").respond_with_data("hi", headers={"ETag": '"1"'})
    answer = client.get(httpserver.url_for("/a?x=1"), params={"y": "&"}, headers={"Accept": "text/x"})
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"hi", '"1"')
    assert answer.url == httpserver.url_for("/a?x=1&y=%26")
    assert answer.moved_to is None
    request = httpserver.log[0][0]
    assert request.headers["User-Agent"] == USER_AGENT
    assert request.headers["Accept"] == "text/x"


@pytest.mark.parametrize("packed", ["gzip", "deflate", "raw deflate"])
def test_packed_answers_are_unpacked(client: Client, httpserver: HTTPServer, packed: str) -> None:
    body = {
        "gzip": gzip.compress(b"hello" * 100),
        "deflate": zlib.compress(b"hello" * 100),
        "raw deflate": zlib.compress(b"hello" * 100)[2:-4],
    }[packed]
    httpserver.expect_request("/").respond_with_data(body, headers={"Content-Encoding": packed.rsplit(maxsplit=1)[-1]})
    assert client.get(httpserver.url_for("/")).body == b"hello" * 100


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (429, {"Retry-After": "7"}, RateLimited, 7),
        (429, {}, RateLimited, None),
        (429, {"RateLimit-Reset": "9999999999"}, RateLimited, LONGEST_WAIT),
        (429, {"X-RateLimit-Reset": "37"}, RateLimited, None),
        (429, {"X-RateLimit-Reset": "9999-11-21T12:04:30Z"}, RateLimited, LONGEST_WAIT),
        (429, {"Retry-After": "7", "X-RateLimit-Reset": "2026-11-21T12:04:30Z"}, RateLimited, 7),
        (503, {"X-RateLimit-Reset": "2026-11-21T12:04:30Z"}, Unavailable, None),
        (503, {"Retry-After": "9999999"}, RateLimited, LONGEST_WAIT),
        (503, {}, Unavailable, None),
        (500, {}, Unavailable, None),
        (408, {}, Unavailable, None),
        (401, {}, Unauthorized, None),
        (403, {"cf-mitigated": "challenge"}, Unauthorized, None),
        (404, {}, Rejected, None),
        (300, {}, Rejected, None),
        (302, {}, Rejected, None),
    ],
)
def test_each_status_becomes_the_error_that_the_protocol_names(
    client: Client,
    httpserver: HTTPServer,
    status: int,
    headers: dict[str, str],
    kind: type[AdapterError],
    wait: float | None,
) -> None:
    httpserver.expect_request("/").respond_with_data("no", status=status, headers=headers)
    with pytest.raises(AdapterError) as caught:
        client.get(httpserver.url_for("/"))
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", None) == wait


@pytest.mark.parametrize("status", [204, 304, 410])
def test_no_content_not_modified_and_gone_are_answers(client: Client, httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/").respond_with_data("", status=status)
    assert client.get(httpserver.url_for("/")).status == status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": " 120 "}, 120),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:00 GMT"}, 60),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0),
        # Their clock is an hour ahead of ours: only the distance between their two dates counts.
        ({"retry-after": "Sat, 21 Nov 2026 13:01:00 GMT", "date": "Sat, 21 Nov 2026 13:00:00 GMT"}, 60),
        ({"retry-after": "Sat, 21 Nov 9999 13:01:00 GMT"}, LONGEST_WAIT),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2026-11-21T12:04:30.5Z", 270.5),
        ("2026-11-21T13:04:30+01:00", 270),
        ("1795262460", 60),
        ("2026-11-21T11:00:00Z", 0),
        ("2026-11-21T12:04:30", None),
        ("2026-11-21", None),
        ("37", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_moment_of_a_reset_is_read_as_iso_time_and_as_seconds(value: str, seconds: float | None) -> None:
    assert until_reset({"x-ratelimit-reset": value}, NOW) == seconds
    late = {"x-ratelimit-reset": value, "date": "Sat, 21 Nov 2026 13:00:00 GMT"}
    assert until_reset(late, NOW) in (seconds, 0), "their clock counts, not ours"


def _redirect(httpserver: HTTPServer, path: str, to: str, status: int) -> None:
    httpserver.expect_request(path).respond_with_data("", status=status, headers={"Location": to})


def test_an_unbroken_chain_of_permanent_redirects_names_the_new_address(client: Client, httpserver: HTTPServer) -> None:
    _redirect(httpserver, "/1", "/2", 301)
    _redirect(httpserver, "/2", "/3", 308)
    httpserver.expect_request("/3").respond_with_data("here")
    answer = client.get(httpserver.url_for("/1"))
    assert answer.body == b"here"
    assert answer.moved_to == answer.url == httpserver.url_for("/3")


def test_a_temporary_hop_means_that_nothing_moved(client: Client, httpserver: HTTPServer) -> None:
    _redirect(httpserver, "/1", "/2", 301)
    _redirect(httpserver, "/2", "/3", 302)
    httpserver.expect_request("/3").respond_with_data("here")
    answer = client.get(httpserver.url_for("/1"))
    assert (answer.moved_to, answer.url) == (None, httpserver.url_for("/3"))


def test_a_redirect_loop_ends_after_five_hops(client: Client, httpserver: HTTPServer) -> None:
    _redirect(httpserver, "/loop", "/loop", 301)
    with pytest.raises(Rejected, match="more than 5 times"):
        client.get(httpserver.url_for("/loop"))
    assert len(httpserver.log) == 6


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:alert(1)", "http://"])
def test_a_redirect_to_anything_but_the_web_is_refused(client: Client, httpserver: HTTPServer, to: str) -> None:
    _redirect(httpserver, "/", to, 302)
    with pytest.raises(Rejected):
        client.get(httpserver.url_for("/"))


def test_credentials_do_not_follow_a_redirect_to_another_host(client: Client, httpserver: HTTPServer) -> None:
    with HTTPServer(host="127.0.0.1") as other:
        other.expect_request("/").respond_with_data("ok")
        _redirect(httpserver, "/", other.url_for("/"), 302)
        client.get(httpserver.url_for("/"), headers={"Authorization": "Bearer s3cret", "If-None-Match": '"1"'})
        first, second = httpserver.log[0][0], other.log[0][0]
    assert first.headers["Authorization"] == "Bearer s3cret"
    assert "Authorization" not in second.headers
    assert second.headers["If-None-Match"] == '"1"'


def test_cookies_are_not_kept(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok", headers={"Set-Cookie": "who=me"})
    client.get(httpserver.url_for("/"))
    client.get(httpserver.url_for("/"))
    assert "Cookie" not in httpserver.log[1][0].headers


def test_a_body_over_the_limit_is_refused(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 1001)
    assert len(client.get(httpserver.url_for("/"), max_bytes=1001).body) == 1001
    with pytest.raises(Rejected, match="larger than 1,000 bytes"):
        client.get(httpserver.url_for("/"), max_bytes=1000)


def test_a_gzip_bomb_is_stopped_at_the_limit(client: Client, httpserver: HTTPServer) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    httpserver.expect_request("/").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(Rejected, match="larger"):
        client.get(httpserver.url_for("/"), max_bytes=1_000_000)


def test_a_doubly_packed_answer_is_refused_before_it_is_unpacked(client: Client, httpserver: HTTPServer) -> None:
    bomb = gzip.compress(gzip.compress(bytes(1_000_000)))
    httpserver.expect_request("/").respond_with_data(bomb, headers={"Content-Encoding": "gzip, gzip"})
    with pytest.raises(Rejected, match="did not ask for"):
        client.get(httpserver.url_for("/"))


def test_an_endless_stream_is_stopped_at_the_limit(client: Client) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(speak) as url, pytest.raises(Rejected, match="larger"):
        client.get(url, max_bytes=1_000_000)


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_server_that_drips_is_cut_off_at_the_deadline(client: Client, part: str) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: " if part == "head" else b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    started = time.monotonic()
    with raw_server(speak) as url, pytest.raises(Unavailable, match=r"took longer than 0\.5 s"):
        client.get(url, deadline=0.5)
    assert time.monotonic() - started < 3


def test_the_deadline_covers_all_redirects_together(client: Client) -> None:
    def speak(connection: socket.socket) -> None:
        time.sleep(0.3)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with raw_server(speak) as url, pytest.raises(Unavailable, match="took longer"):
        client.get(url, deadline=0.7)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnotgzip",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"cut" * 1000)[:-12],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    ],
)
def test_a_broken_answer_is_a_clear_error(client: Client, said: bytes) -> None:
    with raw_server(lambda connection: connection.sendall(said)) as url, pytest.raises(AdapterError):
        client.get(url)


def test_nobody_listening_is_unavailable(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "feed.xml",
        "file:///etc/passwd",
        "//host/x",
        "http://[::1",
        "http://a\x00b/",
        "http:///x",
        "http://[",
        "http://a b/",
    ],
)
def test_an_address_that_is_none_is_refused(client: Client, url: str) -> None:
    with pytest.raises(Rejected):
        client.get(url)


def test_a_host_is_asked_one_thing_at_a_time(client: Client, httpserver: HTTPServer) -> None:
    lock, present, most = threading.Lock(), 0, 0

    def answer(_: Request) -> Response:
        nonlocal present, most
        with lock:
            present += 1
            most = max(most, present)
        time.sleep(0.02)
        with lock:
            present -= 1
        return Response("ok")

    httpserver.expect_request("/").respond_with_handler(answer)
    workers = [threading.Thread(target=client.get, args=(httpserver.url_for("/"),)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (most, len(httpserver.log)) == (1, 8)


def test_no_message_holds_a_secret(client: Client, httpserver: HTTPServer) -> None:
    port = httpserver.port
    for url in (
        f"http://me:pa55word@127.0.0.1:{port}/feed/Zx81kfhsA72hfKAj28dk?key=s3cret#s3cret",
        "http://me:pa55word@127.0.0.1:1/?key=s3cret",
        "ftp://me:pa55word@127.0.0.1:1/?key=s3cret",
    ):
        with pytest.raises(AdapterError) as caught:
            client.get(url, headers={"Authorization": "s3cret"})
        told = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
        for secret in ("pa55word", "s3cret", "Zx81kf"):
            assert secret not in told


def test_the_shown_address_keeps_what_helps() -> None:
    assert shown("https://u:p@example.org:8443/blog/feed.xml?a=b#c") == "https://example.org:8443/blog/feed.xml"


def test_credentials_in_an_address_are_sent_and_then_forgotten(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    answer = client.get(f"http://me:word@127.0.0.1:{httpserver.port}/")
    assert httpserver.log[0][0].authorization is not None
    assert "word" not in answer.url


def test_a_date_far_away_is_capped() -> None:
    later = NOW + timedelta(days=40)
    assert retry_after({"retry-after": later.strftime("%a, %d %b %Y %H:%M:%S GMT")}, NOW) == LONGEST_WAIT


def test_a_write_carries_its_body_and_headers_and_gives_the_answer(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/w", method="POST", data='{"a": 1}', headers={"Idempotency-Key": "k"}).respond_with_data(
        "made", status=201
    )
    answer = client.post(httpserver.url_for("/w"), body=b'{"a": 1}', headers={"Idempotency-Key": "k"})
    assert (answer.status, answer.body) == (201, b"made")


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (429, {}, RateLimited), (503, {"Retry-After": "7"}, RateLimited), (401, {}, Unauthorized),
        (403, {}, Unauthorized), (422, {}, Rejected), (404, {}, Rejected), (302, {"Location": "/elsewhere"}, Rejected),
        (500, {}, Unclear), (502, {}, Unclear), (503, {}, Unclear), (408, {}, Unclear),
    ],
)  # fmt: skip
def test_a_write_is_sent_once_whatever_comes_back(
    client: Client, httpserver: HTTPServer, status: int, headers: dict[str, str], error: type[AdapterError]
) -> None:
    httpserver.expect_request("/w").respond_with_data("no", status=status, headers=headers)
    with pytest.raises(AdapterError) as caught:
        client.post(httpserver.url_for("/w"), body=b"x")
    assert type(caught.value) is error
    assert len(httpserver.log) == 1


def test_a_refused_write_says_what_the_other_side_said(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/w").respond_with_json({"error": "Text\n is too long"}, status=422)
    with pytest.raises(Rejected, match="422: Text is too long"):
        client.post(httpserver.url_for("/w"), body=b"x")


def test_a_write_without_a_connection_sent_nothing(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        client.post(f"http://127.0.0.1:{port}/", body=b"x")


def test_a_write_that_is_heard_and_not_answered_is_unclear(client: Client) -> None:
    with raw_server(lambda _: None) as url, pytest.raises(Unclear, match="broke off"):
        client.post(url, body=b"x")
    forever = threading.Event()
    with raw_server(lambda _: (forever.wait(20), None)[1]) as url, pytest.raises(Unclear, match="did not answer"):
        client.post(url, body=b"x", deadline=0.3)
    forever.set()
