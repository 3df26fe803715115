"""A proxy before the Bluesky network, on a real socket: it passes everything on, and spoils what it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Literal

from listener.testing import Asked, Site, Told
from tests.servers.bluesky import Network

Mood = Literal["kept", "withheld", "cut", "broken", "page", "refused early", "busy"]
"""kept: not done before `let_go`, and no answer comes. withheld: done, and no answer comes. cut: done, and the line
goes dead. broken: done, and 500. page: done, and a page instead of data. refused early: 500, and nothing was done.
busy: 429 as Bluesky writes it, and nothing was done."""


class Proxy(Site):
    """The network with moods; `fault` works as in every Site."""

    def __init__(self, network: Network) -> None:
        """Pass everything on."""
        super().__init__(lambda _: Told())
        self.moods: dict[str, Mood] = {}
        """Method = what becomes of calls to it."""
        self.calls: Counter[str] = Counter()
        self.worn: dict[str, str] = {}
        """Method, or "*" = the token that the network sees in place of ours, until a session is renewed or begun."""
        self.after: dict[str, Callable[[], None]] = {}
        """Method = what happens once a call to it was passed on, the first time."""
        self.headers: dict[str, str] = {}
        """Headers to add to every answer."""
        self.held, self.let_go = threading.Event(), threading.Event()
        """Set once a request is being kept or an answer withheld; and by a test, so that it goes on."""
        self.passed: Counter[str] = Counter()
        """Calls that the network has answered."""
        self._network = network

    def expired(self, did: str) -> str:
        """A token that the network signed and that has run out."""
        now = int(time.time())
        claims = {
            "scope": "com.atproto.access",
            "sub": did,
            "aud": "did:web:localhost",
            "iat": now - 90,
            "exp": now - 60,
        }
        signed = ".".join(_packed(json.dumps(part).encode()) for part in ({"typ": "at+jwt", "alg": "HS256"}, claims))
        seal = hmac.digest(self._network.secret.encode(), signed.encode(), hashlib.sha256)
        return f"{signed}.{_packed(seal)}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(super()._handler()):  # type: ignore[misc]
            def do_POST(self) -> None:
                self.do_GET()

        return Handler

    def _say(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        method = asked.path.removeprefix("/xrpc/")
        self.calls[method] += 1
        if self.fault:
            super()._say(handler, asked)
            return
        mood = self.moods.get(method)
        reset = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(time.time()) + 60)}
        if mood == "kept":
            self.held.set()
            self.let_go.wait(60)
        told = {"busy": Told(status=429, headers=reset), "refused early": Told(status=500)}.get(mood or "")
        told = told or self._passed(handler, method, body)
        self.passed[method] += 1
        self.after.pop(method, lambda: None)()
        if mood == "withheld":
            self.held.set()
            self.let_go.wait(60)
        if mood in ("kept", "withheld", "cut"):
            handler.close_connection = True
            return
        told = {"broken": Told(status=500), "page": Told(body=b"<html>Back soon")}.get(mood or "", told)
        handler.send_response(told.status)
        for name, value in told.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(told.body)))
        handler.end_headers()
        handler.wfile.write(told.body)

    def _passed(self, handler: BaseHTTPRequestHandler, method: str, body: bytes) -> Told:
        wanted = ("Authorization", "Content-Type")
        sent = {name: handler.headers[name] for name in wanted if name in handler.headers}
        session = method in ("com.atproto.server.createSession", "com.atproto.server.refreshSession")
        if worn := self.worn.get(method, "" if session else self.worn.get("*", "")):
            sent["Authorization"] = f"Bearer {worn}"
        data = body if handler.command == "POST" else None
        request = urllib.request.Request(f"{self._network.pds}{handler.path}", data, sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as said:
                told = Told(status=said.status, body=said.read(), headers=self.headers)
        except urllib.error.HTTPError as refusal:
            return Told(status=refusal.code, body=refusal.read(), headers=self.headers)
        if session:
            self.worn.clear()
        return told


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
