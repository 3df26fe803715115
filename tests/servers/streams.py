"""An instance with streams, on a real socket, whose streams do as a test says; all else is passed on to a Mastodon.

Without a Mastodon behind it, it knows one account and empty timelines.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Speak = Callable[[socket.socket], object]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
KNOWN: dict[str, Any] = {
    "/api/v1/accounts/verify_credentials": {"id": "1", "acct": "brand"},
    "/api/v2/instance": {"configuration": {"statuses": {"max_characters": 500}}},
}


def status(code: int, *headers: str) -> Speak:
    """An answer that begins no stream."""
    told = "".join(f"{header}\r\n" for header in ("Content-Length: 0", "Connection: close", *headers))
    return lambda line: line.sendall(f"HTTP/1.1 {code} No\r\n{told}\r\n".encode())


def event(name: str, data: object = None) -> bytes:
    """An event as instances write it."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class StreamServer:
    """The server; used as a context manager.

    Args:
        target: the Mastodon behind it; empty without.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target.removeprefix("http://")
        self.speak: Speak | None = None
        """Speaks on a stream in place of the Mastodon; hangs up when it returns."""
        self.streams: list[tuple[str, str]] = []
        """The paths of streams that were asked for, with their credentials."""
        self.polls: list[str] = []
        """The paths of everything else."""
        self.over = threading.Event()
        self._held: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and hang up."""
        self.over.set()
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    @property
    def held(self) -> int:
        """How many streams are open."""
        return len(self._held)

    def timelines(self) -> int:
        """How often a timeline was asked for."""
        return sum("/timelines/" in path or "/notifications" in path for path in self.polls)

    def cut(self) -> None:
        """Break all streams off."""
        for line in tuple(self._held):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(OSError, http.client.HTTPException):
                    server._answer(self)

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        if not handler.path.startswith("/api/v1/streaming"):
            self.polls.append(handler.path)
            self._pass_on(handler)
            return
        self.streams.append((handler.path, handler.headers.get("Authorization", "")))
        self._held.add(handler.connection)
        try:
            if self.speak is not None:
                self.speak(handler.connection)
            else:
                self._pass_on(handler)
        finally:
            self._held.discard(handler.connection)

    def _pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer as the Mastodon does, byte by byte as it comes."""
        if not self.target:
            body = json.dumps(KNOWN.get(handler.path.partition("?")[0], [])).encode()
            head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            handler.connection.sendall(head.encode() + body)
            return
        with socket.create_connection(tuple(self.target.split(":")), timeout=60) as far:  # type: ignore[arg-type]
            # With our own host, so that the Mastodon names us as the address of its streams.
            kept = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
            head = "".join(f"{name}: {value}\r\n" for name, value in {**kept, "Connection": "close"}.items())
            far.sendall(f"GET {handler.path} HTTP/1.1\r\n{head}\r\n".encode())
            while piece := far.recv(65_536):
                handler.connection.sendall(piece)
