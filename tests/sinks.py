"""Where messages end in tests: a real SMTP server and a real HTTP receiver, both on loopback, both able to misbehave.

Import `HttpSink` and `SmtpSink` (or the fixtures of the same name) in a test. A sink that must outlive a killed
daemon is a child process: `python tests/sinks.py http --file got.ndjson --mode fifth`, which prints `ready PORT`.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HttpMode = Literal["ok", "503", "refuse", "hang", "drip", "429", "fifth", "third", "redirect", "401"]
SmtpMode = Literal["ok", "451", "550", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One thing that reached a sink, in the order of arrival; `accepted` is False where the sink said no."""

    key: str
    title: str
    text: str
    accepted: bool
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    raw: str = ""


def eventually(holds: Callable[[], object], what: str, deadline: float = 10.0) -> None:
    """Wait until a condition holds; fail with `what` after the deadline."""
    end = time.monotonic() + deadline
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"after {deadline} s still not: {what}")
        time.sleep(0.01)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The server would log every word of a call at DEBUG, secrets of the sending side included.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class _Ledger:
    """What arrived, in order; optionally one JSON line each in a file that survives the sink."""

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        self._arrivals: list[Arrival] = []
        self._file = file

    def add(self, arrival: Arrival) -> None:
        with self._lock:
            self._arrivals.append(arrival)
            if self._file:
                with self._file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(asdict(arrival)) + "\n")

    def all(self) -> list[Arrival]:
        with self._lock:
            return list(self._arrivals)


def read_ledger(file: Path) -> list[Arrival]:
    """Read what a sink in a child process wrote; a last line that is cut short is left out."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        with suppress(json.JSONDecodeError):
            found.append(Arrival(**json.loads(line)))
    return found


class _Sink:
    """What both sinks offer."""

    _ledger: _Ledger
    _mode: str

    @property
    def mode(self) -> str:
        """How it behaves; assign to change it."""
        return self._mode

    @mode.setter
    def mode(self, mode: HttpMode | SmtpMode) -> None:
        was, self._mode = self._mode, mode
        if mode == "refuse":
            self.close()
        elif was == "refuse":
            self.start()
        self._let_go()

    @property
    def arrivals(self) -> list[Arrival]:
        """Everything that came, refused ones included."""
        return self._ledger.all()

    @property
    def accepted(self) -> list[Arrival]:
        """What the sink said yes to; staff would have seen these."""
        return [arrival for arrival in self.arrivals if arrival.accepted]

    @property
    def keys(self) -> list[str]:
        """Keys of the accepted messages, in order; a repeat shows up twice."""
        return [arrival.key for arrival in self.accepted]

    def wait(self, count: int, deadline: float = 20.0) -> list[Arrival]:
        """Wait until at least `count` messages were accepted and return them."""
        eventually(lambda: len(self.accepted) >= count, f"{count} messages accepted ({len(self.accepted)})", deadline)
        return self.accepted

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None: ...
    def close(self) -> None: ...
    def _let_go(self) -> None: ...


class HttpSink(_Sink):
    """A real HTTP receiver.

    Modes: ok; 503; 401; 429 (with Retry-After: 7); refuse (the port is closed); hang (reads and never answers);
    drip (an answer of one byte every 0.1 s, for ever); fifth (one in five is 503, seeded); third (every third call
    is 503); redirect (307 to `/elsewhere`, which would accept).
    """

    def __init__(self, *, mode: HttpMode = "ok", seed: int = 0, port: int = 0, file: Path | None = None) -> None:
        self._ledger = _Ledger(file)
        self._random, self._calls, self._count = random.Random(seed), 0, threading.Lock()
        self._release = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._mode = mode
        self.port = port

    @property
    def host(self) -> str:
        """Host and port, to build an address of any scheme from."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address for the Apprise channel; it needs `allow_private_notifiers = true`."""
        return f"json://{self.host}/hook"

    def start(self) -> None:
        """Listen; the port stays the same over a pause in refuse mode."""
        if self._mode == "refuse":
            self.port = self.port or free_port()
            return
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sink._answer(self)

            def log_message(self, *args: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads, block_on_close, request_queue_size = True, False, 128

            # A caller that hangs up is what these tests are about.
            def handle_error(self, *_: Any) -> None: ...

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="http-sink", daemon=True).start()

    def _let_go(self) -> None:
        self._release.set()
        self._release = threading.Event()

    def close(self) -> None:
        self._let_go()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, call: BaseHTTPRequestHandler) -> None:
        length = int(call.headers.get("Content-Length") or 0)
        body = call.rfile.read(length)
        if len(body) < length:
            return  # The caller died while it spoke: no server takes half a call for a message.
        status = self._status(call.path)
        self._ledger.add(_http_arrival(body.decode("utf-8", "replace"), dict(call.headers.items()), status))
        if status == 0:
            self._stall(call)
            return
        answer = b"{}" if status == 200 else b'{"error": "the sink says no"}'
        call.send_response(status)
        if status == 429:
            call.send_header("Retry-After", "7")
        if status == 307:
            call.send_header("Location", "/elsewhere")
        call.send_header("Content-Type", "application/json")
        call.send_header("Content-Length", str(len(answer)))
        call.end_headers()
        call.wfile.write(answer)

    def _status(self, path: str) -> int:
        with self._count:
            self._calls += 1
            third, fifth = self._calls % 3 == 0, self._random.random() < 0.2
        if self._mode in {"hang", "drip"}:
            return 0
        if self._mode == "redirect":
            return 200 if path.startswith("/elsewhere") else 307
        if self._mode in {"503", "429", "401"}:
            return int(self._mode)
        failing = (self._mode == "third" and third) or (self._mode == "fifth" and fifth)
        return 503 if failing else 200

    def _stall(self, call: BaseHTTPRequestHandler) -> None:
        release, dripping = self._release, self._mode == "drip"
        call.close_connection = True
        with suppress(OSError):
            if dripping:
                call.send_response(200)
                call.send_header("Content-Length", "1000000")
                call.end_headers()
            while not release.wait(0.1):
                if dripping:
                    call.wfile.write(b" ")


def _http_arrival(raw: str, headers: dict[str, str], status: int) -> Arrival:
    body: Any = dict(parse_qsl(raw))
    with suppress(json.JSONDecodeError):
        body = json.loads(raw)
    fields = body if isinstance(body, dict) else {}
    title, text = str(fields.get("title") or ""), str(fields.get("message") or fields.get("text") or raw)
    key = next((value for name, value in headers.items() if name.lower() == "x-listener-key"), "") or _footer(text)
    return Arrival(key=key, title=title, text=text, accepted=status == 200, status=status, headers=headers, raw=raw)


def _footer(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("ref: ") if lines and lines[-1].startswith("ref: ") else ""


class SmtpSink(_Sink):
    """A real SMTP server. Modes: ok; 451 (try again later); 550 (refused); refuse (the port is closed)."""

    def __init__(self, *, mode: SmtpMode = "ok", port: int = 0, file: Path | None = None) -> None:
        self._ledger = _Ledger(file)
        self._controller: Controller | None = None
        self._mode = mode
        self.port = port or free_port()

    @property
    def url(self) -> str:
        """Its address for the Apprise channel; it needs `allow_private_notifiers = true`."""
        return f"mailto://127.0.0.1:{self.port}?from=listener@example.org&to=service@example.org&mode=insecure"

    def start(self) -> None:
        if self._mode != "refuse":
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def close(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for each mail."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self._ledger.add(_mail_arrival(content, self._mode))
        return {"451": "451 try again later", "550": "550 no such mailbox"}.get(self._mode, "250 accepted")


def _mail_arrival(content: bytes, mode: str) -> Arrival:
    mail = message_from_bytes(content, policy=policy.default)
    part = mail.get_body(("plain", "html"))
    text = part.get_content() if part else ""
    return Arrival(
        key=str(mail.get("X-Listener-Key") or "") or _footer(text),
        title=str(mail.get("Subject") or ""),
        text=text,
        accepted=mode == "ok",
        status=250 if mode == "ok" else int(mode),
        headers={name: str(value) for name, value in mail.items()},
        raw=content.decode("utf-8", "replace"),
    )


@pytest.fixture
def http_sink() -> Iterator[HttpSink]:
    """An HTTP receiver that says yes until told otherwise."""
    with HttpSink() as sink:
        yield sink


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A mail server that says yes until told otherwise."""
    with SmtpSink() as sink:
        yield sink


def main() -> None:
    """Run one sink until SIGTERM; the modes are those of the classes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("kind", choices=["http", "smtp"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    options: dict[str, Any] = {"mode": asked.mode, "port": asked.port, "file": asked.file}
    sink = HttpSink(seed=asked.seed, **options) if asked.kind == "http" else SmtpSink(**options)
    with sink:
        sys.stdout.write(f"ready {sink.port}\n")
        sys.stdout.flush()
        done.wait()


if __name__ == "__main__":
    main()
