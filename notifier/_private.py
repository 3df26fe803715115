"""Refuse to send to addresses inside one's own network; used by `notifier/apprise.py` around each send.

Apprise dials with `requests`, out of reach of our HTTP client, so the guard sits where urllib3 opens the connection:
the address really dialled is the one that was checked, whatever the name said before.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_public_only: ContextVar[bool] = ContextVar("public_only", default=False)


def is_public(text: str) -> bool:
    """Whether an IP address, in writing, is on the public internet; False for anything that is not one.

    IPv6 forms that carry an IPv4 address (mapped, 6to4, NAT64, Teredo) are not: they reach whatever they carry.
    """
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (found.ipv4_mapped or found.sixtofour or found.teredo):
        return False
    nat64 = found.version == 6 and found in ipaddress.ip_network("64:ff9b::/96")
    return found.is_global and not found.is_multicast and not nat64


def names_private(host: str) -> bool:
    """Whether a host says by itself, without asking anybody, that it is private."""
    host = host.strip("[]").rstrip(".").casefold()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not is_public(host)


@contextmanager
def public_only(strict: bool) -> Iterator[None]:
    """While this lasts, in this thread, connections to private addresses fail."""
    _install()
    token = _public_only.set(strict)
    try:
        yield
    finally:
        _public_only.reset(token)


def _install() -> None:
    from urllib3.util import connection

    if not getattr(connection.create_connection, "guarded", False):
        guarded = _guarding(connection.create_connection)
        guarded.guarded = True  # type: ignore[attr-defined]
        connection.create_connection = guarded


def _guarding(dial: Callable[..., socket.socket]) -> Callable[..., socket.socket]:
    def create_connection(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        if not _public_only.get():
            return dial(address, *args, **kwargs)
        host, port = address
        found = [str(info[4][0]) for info in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)]
        if not found or not all(is_public(ip) for ip in found):
            raise OSError("it has a private address; set allow_private = true if it is meant to")
        return dial((found[0], port), *args, **kwargs)

    return create_connection
