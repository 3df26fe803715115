"""A Mastodon on loopback (`mastodon_mock`, a server with state), started once a test session, and a bad line to it.

Each test takes accounts that nobody else uses. What the server shows is read back here by plain HTTP, not by the
source under test.
"""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

import pytest

from listener.core.query import Place

TOWN = Place(name="town", source="mastodon", every=timedelta(minutes=1))
"""A place on it."""
ACCOUNTS = 160
Status = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account of the instance, as another program would use it: plain HTTP with its token."""

    url: str
    name: str

    @property
    def token(self) -> str:
        """What it signs in with."""
        return f"token-{self.name}"

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
        """One request; the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.url}{path}", data=data, headers=headers, method=method or ("GET" if body is None else "POST")
        )
        with urllib.request.urlopen(request, timeout=20) as said:
            return json.loads(said.read())

    def post(self, text: str, **more: Any) -> Status:
        """Publish a status."""
        posted: Status = self.ask("/api/v1/statuses", {"status": text, **more})
        return posted

    def edit(self, id_: str, text: str) -> None:
        """Change a status."""
        self.ask(f"/api/v1/statuses/{id_}", {"status": text}, "PUT")

    def delete(self, id_: str) -> None:
        """Take a status back."""
        self.ask(f"/api/v1/statuses/{id_}", method="DELETE")

    def answers(self, id_: str) -> list[Status]:
        """What stands under a status."""
        told: list[Status] = self.ask(f"/api/v1/statuses/{id_}/context")["descendants"]
        return told


@dataclass(slots=True, kw_only=True)
class Instance:
    """The running instance."""

    url: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def host(self) -> str:
        """Its host with the port, as accounts' handles have it."""
        return self.url.removeprefix("http://")

    def member(self) -> Member:
        """An account that no other test uses."""
        number = next(self._numbers)
        assert number < ACCOUNTS, "raise ACCOUNTS"
        return Member(url=self.url, name=f"member{number}")


@pytest.fixture(scope="session")
def mastodon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance with members and nothing written yet, shared by the whole session."""
    folder = tmp_path_factory.mktemp("mastodon")
    members = [
        f'[[seed.accounts]]\nusername = "member{n}"\naccess_token = "token-member{n}"\n' for n in range(ACCOUNTS)
    ]
    config, log = folder / "instance.toml", folder / "log"
    config.write_text("\n".join(members))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mastodon_mock", "serve", "--in-memory", "--config", str(config), "--port", str(port),
        "--log-level", "warning",
    ]  # fmt: skip
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
        try:
            _wait(port, process, log)
            yield Instance(url=f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"mastodon_mock did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


Manner = Literal["", "before", "after", "hold", "keep", "break", "limit", "broken", "mute"]
"""How the line treats writes: "" passes them on; "before" takes one and hangs up without passing it on; "after" passes
it on and hangs up; "hold" passes it on and answers when let go; "keep" neither passes it on nor answers, and hangs up
when let go; "break" answers half; "limit" says 429 until a moment in ISO form; "broken" passes it on and says 502;
"mute" passes it on and answers with something that names no status."""


class Line:
    """A line to an instance, on a real socket, that misbehaves with writes as it is told; reads pass.

    Args:
        url: the instance.
    """

    def __init__(self, url: str) -> None:
        self.target = url.removeprefix("http://")
        self.manner: Manner = ""
        self.until = "2026-11-22T12:00:00.000Z"
        self.writes: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.taken, self.let_go = threading.Event(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; who still waits for an answer gets it."""
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _say(self, *_passed_on(self, line.target, b""))

            def do_POST(self) -> None:
                line.take(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Treat a write as told; called in server threads."""
        manner = self.manner
        self.writes.append(json.loads(body))
        self.keys.append(handler.headers.get("Idempotency-Key", ""))
        handler.close_connection = True
        if manner == "limit":
            _say(handler, 429, {"X-RateLimit-Reset": self.until}, b'{"error": "Too many requests"}')
            return
        told = None if manner in ("before", "keep") else _passed_on(handler, self.target, body)
        self.taken.set()
        if manner in ("hold", "keep"):
            self.let_go.wait(30)
        if manner == "broken":
            _say(handler, 502, {}, b"Bad gateway")
        elif manner == "mute":
            _say(handler, 200, {}, b'{"id": null}')
        elif told is not None and manner != "after":
            _say(handler, *told, half=manner == "break")


def _passed_on(handler: BaseHTTPRequestHandler, target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    far = http.client.HTTPConnection(target, timeout=20)
    try:
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
        far.request(handler.command, handler.path, body, headers)
        answer = far.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() in ("link", "date")}
        return answer.status, kept, answer.read()
    finally:
        far.close()


def _say(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, half: bool = False
) -> None:
    try:
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if half else body)
    except OSError:
        handler.close_connection = True  # whoever asked is gone, as in some tests it should be
