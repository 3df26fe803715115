"""`requests` under the same guard, for libraries that bring it: tweepy, praw, Apprise.

Given to adapters as `Tools.session`, and used around Apprise by `notifier/_private.py`. Imports `requests`, so it is
imported only where a session is made.
"""

from __future__ import annotations

from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util import connection

from listener.core.tools import Guard
from listener.http.client import MAX_REDIRECTS, USER_AGENT

_PATIENCE = (10.0, 30.0)
"""Seconds to connect and to wait for the next bytes, where the caller sets none: `requests` would wait for ever."""


def guarded_session(guard: Guard) -> requests.Session:
    """A session that dials only what the guard lets through, redirects included; mount nothing on it.

    It takes nothing from the environment: no proxy, no .netrc, no other list of authorities. It has no limit on
    bytes; read large answers with `stream=True`.

    Args:
        guard: is asked before each connection.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = MAX_REDIRECTS
    session.headers["User-Agent"] = USER_AGENT
    session.mount("https://", _Adapter(guard))
    session.mount("http://", _Adapter(guard))
    return session


class _Adapter(HTTPAdapter):
    """requests' adapter with connections of our own."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._guard)

    def proxy_manager_for(self, *_args: Any, **_kwargs: Any) -> Any:
        # A proxy would look the name up itself, after us and perhaps differently.
        raise requests.exceptions.ProxyError("connections go out without a proxy: give none")

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if not args and kwargs.get("timeout") is None:
            kwargs["timeout"] = _PATIENCE
        return super().send(request, *args, **kwargs)


class _Dialling(HTTPConnection):
    """A connection to one of the addresses that the guard gave; host and TLS name stay the name's."""

    guard: ClassVar[Guard]

    def _new_conn(self) -> Any:
        try:
            found = self.guard.addresses(self._dns_host, self.port)
        except OSError as why:
            raise NewConnectionError(self, str(why)) from None
        problem: OSError | None = None
        for address in found:
            try:
                return connection.create_connection(
                    (address, self.port), self.timeout, self.source_address, self.socket_options
                )
            except OSError as why:
                problem = why
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, f"connecting timed out after {self.timeout} s") from None
        raise NewConnectionError(self, str(self.guard.failed(self.host, self.port, str(problem)))) from None


def _pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    """Classes of their own for each guard, since urllib3 passes no object down to a connection."""
    plain = type("Plain", (_Dialling,), {"guard": guard})
    secure = type("Secure", (_Dialling, HTTPSConnection), {"guard": guard})
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
