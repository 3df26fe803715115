"""Serves the pages in a thread of the daemon: `serve()` binds, `start()` answers, `stop()` ends in time."""

from __future__ import annotations

import errno
import socket
import threading

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from listener.core.errors import SettingsError
from listener.web.stream import ENDING

GRACE = 1
"""Seconds that running requests get at the end; open connections never hold the daemon up."""


class Server:
    """The pages on a bound socket.

    Args:
        app: the ASGI application.
        listening: the bound socket; closed by `stop()`. `port` says which one it is.
    """

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        """Prepare; nothing is answered yet."""
        self._socket = listening
        self._host, self.port = str(listening.getsockname()[0]), int(listening.getsockname()[1])
        self._app = app
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._told,
                interface="asgi3",
                http="h11",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        # A daemon thread: a request stuck in a disk that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def url(self) -> str:
        """Address of the pages on this machine."""
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        return f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"

    def start(self) -> None:
        """Begin to answer; connections made before wait in the socket's backlog."""
        self._thread.start()

    def stop(self) -> None:
        """End within two seconds, whatever connections are open. Doing it twice is harmless."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(GRACE + 0.5)
        self._socket.close()

    async def _told(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let streams see that the server is about to end, so that they end before they are cut off."""
        scope[ENDING] = lambda: self._server.should_exit
        await self._app(scope, receive, send)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def serve(app: ASGIApp, host: str, port: int) -> Server:
    """Bind the pages' address.

    Args:
        app: the ASGI application.
        host: `[web] host`: an address or a name of this machine.
        port: `[web] port`; 0 takes any free one.

    Returns:
        A server that is bound but not started.

    Raises:
        SettingsError: the address cannot be bound; names the setting to change.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise SettingsError(f"[web] host = {host!r} is no address of this machine", resource="web") from problem
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as problem:
        listening.close()
        raise SettingsError(_cure(problem, host, port), resource="web") from problem
    return Server(app, listening)


def _cure(problem: OSError, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: set port in [web] to another one, or to 0 for any free one"
    if problem.errno == errno.EACCES:
        return f"port {port} needs rights this process lacks: set port in [web] to one above 1023"
    return f"{host} port {port} cannot be bound: check host and port in [web]"
