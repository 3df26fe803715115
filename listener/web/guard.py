"""The door of the pages: which names they may be asked for, which methods, and the headers on every answer.

A page on another site can make a browser call 127.0.0.1 under a name of its own (DNS rebinding); the Host check is
what stops it.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from listener.web.desk import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def names(settings: Settings) -> frozenset[str]:
    """The host names the pages may be asked for, in lower case."""
    public = urlsplit(settings.web.public_url).hostname or ""
    own = (settings.web.host, public, *settings.web.hosts)
    return LOOPBACK | {host_name(name) for name in own if name}


def host_name(header: str) -> str:
    """The name in a Host header: without port and brackets, in lower case; empty for one that is malformed."""
    if any(character in header for character in "/\\@?# \t"):
        return ""
    if header.count(":") > 1 and not header.startswith("["):
        return header.lower()
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Guard:
    """ASGI middleware: refuses foreign names and writing methods, answers HEAD, and adds the headers.

    Args:
        app: what is guarded.
        settings: gives the settings in force.
    """

    def __init__(self, app: ASGIApp, settings: Callable[[], Settings]) -> None:
        """Keep both."""
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bare = scope["method"] == "HEAD"

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", _keep(scope))
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        refusal = self._refusal(scope)
        inner = {**scope, "method": "GET"} if bare else scope
        await (refusal or self._app)(inner, receive, sealed)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """Why this request is not served, as an answer; None when it is."""
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or host_name(hosts[0]) not in names(self._settings()):
            return PlainTextResponse(
                "These pages do not answer to that host name. "
                'If it is theirs, add it to hosts in the [web] section of the configuration, e.g. hosts = ["name"].\n',
                400,
            )
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse(
                "These pages are for reading: only GET and HEAD are answered.\n", 405, {"allow": "GET, HEAD"}
            )
        return None


def _keep(scope: Scope) -> str:
    """How long a browser may keep an answer: files whose address carries their digest for ever, pages never."""
    if scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v="):
        return "public, max-age=31536000, immutable"
    return "no-store"
