"""A server on loopback whose pages overlap, with items that appear as time goes by; for crash tests and benchmarks."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

OVERLAP = 60
PAGE = 250
COMPLAINTS = 20
"""One item in so many is a complaint."""


class PagingServer:
    """Serves `total` items, `rate` of which appear each second; every page repeats the end of the one before.

    Args:
        total: how many items there are in the end.
        rate: items a second; 0 shows all at once.
        deadly: ids of items whose text ends the process that judges it.
    """

    def __init__(self, total: int, rate: float = 0.0, deadly: tuple[int, ...] = ()) -> None:
        self.total, self.rate, self.deadly = total, rate, deadly
        self._began = time.monotonic()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/page"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def shown(self) -> int:
        """How many items can be seen by now."""
        return self.total if not self.rate else min(self.total, int((time.monotonic() - self._began) * self.rate))

    def complaints(self) -> set[str]:
        """Ids of the items that must open a case."""
        return {str(n) for n in range(self.total) if n % COMPLAINTS == 0 and n not in self.deadly}

    def item(self, n: int) -> dict[str, object]:
        """The n-th item; some have no date, many share one."""
        mood = "segfault" if n in self.deadly else "broken" if n % COMPLAINTS == 0 else "fine"
        return {
            "id": str(n),
            "author": f"user{n}",
            "text": f"Acme post {n} is {mood}, with some more words so that it is as long as a tweet usually is",
            "published": None if n % 50 == 7 else f"2026-11-14T09:{n // 600 % 60:02}:00+00:00",
        }

    def _handler(outer) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                after = int(parse_qs(urlsplit(self.path).query).get("after", ["0"])[0])
                shown = outer.shown
                until = min(shown, after + PAGE)
                items = [outer.item(n) for n in range(max(0, after - OVERLAP), until)]
                body = json.dumps({"items": items, "next": until, "more": until < shown}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        return Handler
