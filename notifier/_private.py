"""Whatever Apprise opens goes through our guard; used by `notifier/apprise.py` around each send.

Apprise takes no session and no socket from its caller: its plugins call `requests.post` and the like, mail calls
`smtplib`. So a send is held at two places, both without effect outside of it. `requests.api`, through which all those
calls go, makes its session here: no proxy, and only addresses that the guard gave are dialled. And the interpreter
itself reports each look-up and each connection (PEP 578): what goes past that session, mail and any library a later
Apprise may bring, is judged there and ends with an error.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from listener import Guard, Unavailable

_guard: ContextVar[Guard | None] = ContextVar("guard", default=None)
"""The guard of the send that runs in this context; Apprise hands contexts on to its own threads."""


def prepare() -> None:
    """Take both places, once in the life of the process.

    Raises:
        Unavailable: the interpreter reports nothing to us.
    """
    if _taken:
        return
    from requests import api

    sys.addaudithook(_heed)
    if not _heeded():
        raise Unavailable("another audit hook of this process keeps ours out, and nothing is sent unguarded")
    vars(api)["sessions"] = SimpleNamespace(Session=_session)
    _taken.append(True)


_taken: list[bool] = []


@contextmanager
def guarding(guard: Guard | None) -> Iterator[None]:
    """While this lasts, in this context, connections go only where the guard lets them.

    Args:
        guard: is asked before each; None asks nobody.
    """
    token = _guard.set(guard)
    try:
        yield
    finally:
        _guard.reset(token)


class _Unwatched:
    """A guard whose own look-ups are not reported to itself."""

    def __init__(self, guard: Guard) -> None:
        self.refusal, self.failed, self._guard = guard.refusal, guard.failed, guard

    def addresses(self, host: str, port: int) -> Sequence[str]:
        with guarding(None):
            return self._guard.addresses(host, port)


class _Closed:
    """A guard that lets nothing through, to see whether it is asked."""

    def refusal(self, _host: str, _port: int) -> str | None:
        return "closed"

    def addresses(self, _host: str, _port: int) -> Sequence[str]:
        raise OSError("closed")

    def failed(self, _host: str, _port: int, why: str) -> OSError:
        return OSError(why)


def _heed(
    event: str,
    args: tuple[Any, ...],
    # As defaults, since the interpreter reports to the very end, when the names of a module are gone.
    heeded: frozenset[str] = frozenset({"socket.getaddrinfo", "socket.connect", "socket.sendto", "socket.sendmsg"}),
    asked: Callable[[], Guard | None] = _guard.get,
) -> None:
    """Stop, by an OSError, what the interpreter is about to do and the guard does not let through."""
    if event not in heeded:
        return
    guard = asked()
    if guard is None or (event == "socket.sendmsg" and args[-1] is None):
        return
    _Unwatched(guard).addresses(*(_looked_up(*args[:2]) if event == "socket.getaddrinfo" else _dialled(args[-1])))


def _looked_up(host: object, port: object) -> tuple[str, int]:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    return name, port if isinstance(port, int) else 0


def _dialled(address: object) -> tuple[str, int]:
    """An address as the guard wants it; a name here would be looked up once more behind our back, so it is none."""
    if not isinstance(address, tuple):
        return "", 0
    try:
        return str(ipaddress.ip_address(address[0])), int(address[1])
    except ValueError:
        return "", 0


def _heeded() -> bool:
    with guarding(_Closed()):
        try:
            sys.audit("socket.connect", None, ("", 0))
        except OSError:
            return True
    return False


def _session() -> Any:
    import requests

    from listener.http.session import guarded_session

    guard = _guard.get()
    return requests.Session() if guard is None else guarded_session(_Unwatched(guard))
