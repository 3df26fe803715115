"""The pages' server starts on any free port, says what to change when it cannot, and always ends in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import pytest

from listener.core.errors import SettingsError
from listener.web import Server, make_web, serve
from tests.web.stage import Stage


def test_port_0_takes_a_free_one_and_says_which(web: httpx2.Client, server: Server) -> None:
    assert server.port > 0
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert web.get("/healthz").text == "ok\n"


def test_a_taken_port_names_port_and_setting(server: Server, stage: Stage) -> None:
    with pytest.raises(SettingsError, match=rf"port {server.port} on 127\.0\.0\.1 is taken: set port in \[web\]"):
        serve(make_web(stage), "127.0.0.1", server.port)


def test_an_address_of_another_machine_names_the_setting(stage: Stage) -> None:
    with pytest.raises(SettingsError, match=r"host and port in \[web\]"):
        serve(make_web(stage), "192.0.2.1", 0)


def test_the_port_is_free_again_after_the_end(server: Server, stage: Stage) -> None:
    port = server.port
    httpx2.get(f"{server.url}/healthz", trust_env=False)
    server.stop()
    again = serve(make_web(stage), "127.0.0.1", port)
    again.start()
    assert httpx2.get(f"{again.url}/healthz", trust_env=False).status_code == 200
    again.stop()


def test_a_server_that_was_never_started_can_be_stopped(stage: Stage) -> None:
    server = serve(make_web(stage), "127.0.0.1", 0)
    server.stop()
    server.stop()


@pytest.fixture
def loiterers(server: Server) -> Iterator[list[socket.socket]]:
    """Connections that say nothing, half a request, and one that is kept alive."""
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(12)]
    for connection in connections[4:8]:
        connection.sendall(b"GET /cases HTTP/1.1\r\nHost: localhost\r\n")
    for connection in connections[8:]:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    yield connections
    for connection in connections:
        connection.close()


def test_open_connections_do_not_hold_the_end_up(server: Server, loiterers: list[socket.socket]) -> None:
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 2


def test_a_page_that_hangs_does_not_hold_the_end_up(
    server: Server, web: httpx2.Client, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, free = threading.Event(), threading.Event()

    def hang(_self: object) -> tuple[int, int]:
        inside.set()
        free.wait(30)
        return 0, 0

    monkeypatch.setattr(type(stage.store.places), "standing", hang)

    def ask() -> None:
        with suppress(httpx2.HTTPError):
            web.get("/cases")

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert inside.wait(5)
    began = time.monotonic()
    server.stop()
    took = time.monotonic() - began
    free.set()
    asking.join(5)
    assert took < 2


def test_threads_that_end_leave_no_connection_behind(stage: Stage) -> None:
    for _ in range(20):
        reader = threading.Thread(target=stage.store.cases.counts)
        reader.start()
        reader.join()
    assert len(stage.store.db._readers) <= 2
