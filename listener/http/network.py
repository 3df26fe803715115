"""The sockets under the HTTP client: dialled where the guard says, and ended at the request's deadline.

httpx2 has no public way to choose how to connect, so its transport gets a connection pool of ours. Used by
`client.py` alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from listener.core.protocols import Stop
from listener.http.guard import AddressGuard

STOP_WITHIN = 0.5
"""Seconds in which a read notices that it shall end: no thread can wake another one's read."""

_present = threading.local()


@contextmanager
def deadline_at(end: float, stop: Stop | None = None) -> Iterator[None]:
    """Say when this thread's request must be over, and what ends it sooner; read by the network streams below."""
    _present.end, _present.stop = end, stop
    try:
        yield
    finally:
        _present.end = _present.stop = None


def _left(timeout: float | None, error: Callable[[str], Exception]) -> float | None:
    """The seconds a single network call may take, so that a server cannot live on by sending a byte a second."""
    end = getattr(_present, "end", None)
    if end is None:
        return timeout
    left = float(end) - time.monotonic()
    if left <= 0:
        raise error("deadline")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    """A connection whose every call ends at the request's deadline."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(timeout, httpcore2.ReadTimeout)
        stop = getattr(_present, "stop", None)
        return self._stream.read(max_bytes, left) if stop is None else self._read(max_bytes, left or 0.0, stop)

    def _read(self, max_bytes: int, left: float, stop: Stop) -> bytes:
        until = time.monotonic() + left
        while True:
            try:
                return self._stream.read(max_bytes, min(STOP_WITHIN, max(until - time.monotonic(), 0.001)))
            except httpcore2.ReadTimeout:
                if stop.is_set() or time.monotonic() >= until:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.SyncBackend):
    """Opens connections to the addresses that the guard gives, each under the deadline."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **kwargs: Any) -> Any:
        try:
            found = self._guard.addresses(host, port)
        except OSError as why:
            raise httpcore2.ConnectError(str(why)) from None
        problem: Exception | None = None
        for number, address in enumerate(found):
            left = _left(timeout, httpcore2.ConnectTimeout)
            # An address that never answers must leave time for the next one.
            share = None if left is None else left / (len(found) - number)
            try:
                return _Stream(super().connect_tcp(address, port, share, *args, **kwargs))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as why:
                problem = why
        if isinstance(problem, httpcore2.ConnectTimeout):
            raise problem
        raise httpcore2.ConnectError(str(self._guard.failed(host, port, str(problem)))) from None


class Transport(httpx2.HTTPTransport):
    """httpx2's transport on our own connection pool."""

    def __init__(self, guard: AddressGuard, connections: int | None = 64) -> None:
        """Open nothing yet.

        Args:
            guard: is asked before each connection.
            connections: most at once; None: as many as are asked for.
        """
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=16,
            keepalive_expiry=30.0,
            network_backend=_Backend(guard),
        )
