"""A small web server on loopback for tests of sources: it says what it is told, and misbehaves when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

Fault = Literal["busy", "broken", "unauthorized", "missing", "gone", "page", "garbage", "slow", "loop", "huge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: path without query, query parameters, and headers with names in lower case."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


_FAULTS: Mapping[str, Told] = {
    "busy": Told(status=429, headers={"Retry-After": "7"}),
    "broken": Told(status=500, body=b"Traceback: it broke"),
    "unauthorized": Told(status=401),
    "missing": Told(status=404),
    "gone": Told(status=410),
    "page": Told(
        headers={"Content-Type": "text/html"},
        body=b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body>Back soon.</body></html>",
    ),
    "garbage": Told(headers={"Content-Type": "application/octet-stream"}, body=bytes(range(256)) * 20),
    "loop": Told(status=301, headers={"Location": "?again"}),
}


class Site:
    """The server; used as a context manager.

    Args:
        answer: says what is served; called in server threads.
    """

    def __init__(self, answer: Callable[[Asked], Told]) -> None:
        """Listen on a free port of 127.0.0.1; nothing is answered before `with`."""
        self.answer = answer
        self.fault: Fault | None = None
        self.asked: list[Asked] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; requests that were left hanging end."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(path=parts.path, params=dict(parse_qsl(parts.query)), headers=headers)
                site.asked.append(asked)
                try:
                    site._say(self, asked)
                except OSError:
                    self.close_connection = True  # the other side has had enough, which is what some tests want

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        return Handler

    def _say(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if self.fault == "slow":
            self._over.wait(30)
            return
        huge = self.fault == "huge"
        told = _FAULTS.get(self.fault or "") or self.answer(asked)
        handler.send_response(told.status)
        for name, value in told.headers.items():
            handler.send_header(name, value)
        if not huge:
            handler.send_header("Content-Length", str(len(told.body)))
        handler.end_headers()
        handler.wfile.write(told.body)
        while huge and not self._over.is_set():
            handler.wfile.write(b" " * 65_536)
