"""Answers that do not end: what `Http.lines` promises of them, below the client. Called by `client.py`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx2

from listener.core.errors import Rejected, Unavailable
from listener.core.protocols import Stop
from listener.http.network import deadline_at

CONNECT = 10.0
"""Seconds to connect to a stream; what comes then may take its time."""


def pieces(response: httpx2.Response, end: float, stop: Stop, max_bytes: int) -> Iterator[bytes]:
    """The body as it comes, until its end or the limit; the deadline holds for reading alone, not for the reader."""
    chunks, read = response.iter_raw(), 0
    while read < max_bytes:
        with deadline_at(end, stop):
            piece = next(chunks, None)
        if piece is None:
            return
        read += len(piece)
        yield piece


def split(chunks: Iterable[bytes], name: str, max_line: int) -> Iterator[bytes]:
    """The lines without their ends; raises Unavailable where one is too long to be an event."""
    rest = bytearray()
    for chunk in chunks:
        *ends, last = chunk.split(b"\n")
        for end in ends:
            yield bytes(rest + end).removesuffix(b"\r")
            rest.clear()
        rest += last  # what came before is never looked at again: it may come byte by byte
        if len(rest) > max_line:
            raise Unavailable(f"{name} sent a line of more than {max_line:,} bytes")


def check(response: httpx2.Response, name: str) -> None:
    """Refuse what is no event stream, or one that is packed: it could outgrow every limit."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream" or response.headers.get("content-encoding", "identity") != "identity":
        raise Rejected(f"{name} is no event stream")


@contextmanager
def until(end: float, stop: Stop, name: str, silence: float) -> Iterator[None]:
    """End quietly where that was planned, and else say that the other side fell silent."""
    try:
        yield
    except httpx2.ReadTimeout:
        if not stop.is_set() and time.monotonic() < end:
            raise Unavailable(f"{name} said nothing for {silence:g} s") from None
