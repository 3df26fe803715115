"""The door of the pages: which names they may be asked for, who may change something, and the headers on every answer.

A page on another site can make a browser call 127.0.0.1 under a name of its own (DNS rebinding); the Host check is
what stops it. It can also make a browser send a form with the colleague's cookie; the origin check stops that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from listener.web.auth import for_programs
from listener.web.desk import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # Not no-referrer: browsers then hide the origin of our own forms from us as well.
    "referrer-policy": "same-origin",
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


READING = frozenset({"GET", "HEAD"})
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LARGEST = 256 * 1024
"""Bytes that a request may bring."""


def foreign(headers: Headers, public_url: str) -> bool:
    """Whether a request that changes something was not made by one of our pages, nor by a program with a token.

    Browsers say where a request comes from in Sec-Fetch-Site (on trusted connections) or in Origin; a page of
    another site can make them leave out neither. A program says neither, and no page can have a browser send
    Authorization.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return not headers.get("authorization", "").lower().startswith("bearer ")
    public = urlsplit(public_url)
    ours = {f"http://{headers['host']}", f"https://{headers['host']}", f"{public.scheme}://{public.netloc}"}
    return origin.lower() not in {own.lower() for own in ours}


class Guard:
    """ASGI middleware: refuses foreign names and foreign forms, answers HEAD, and adds the headers.

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
                if self._settings().web.public_url.startswith("https://"):
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        refusal = self._refusal(scope)
        inner = {**scope, "method": "GET"} if bare else scope
        await (refusal or self._app)(inner, _bounded(receive), sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        """Why this request is not served, as an answer; None when it is."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or host_name(hosts[0]) not in names(self._settings()):
            return _refused(
                scope,
                400,
                "These pages do not answer to that host name. "
                'If it is theirs, add it to hosts in the [web] section of the configuration, e.g. hosts = ["name"].',
            )
        if scope["method"] in READING:
            return None
        if scope["method"] not in WRITING:
            return _refused(scope, 405, "No page knows that method.", {"allow": ", ".join(sorted(READING | WRITING))})
        if foreign(headers, self._settings().web.public_url):
            return _refused(
                scope,
                403,
                "This was not asked for by a page of ours, so nothing was changed. Open the page itself and try again; "
                "programs send a token as Authorization: Bearer.",
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST:
            return _refused(scope, 413, f"That is too much at once: at most {LARGEST // 1024} kB are taken.")
        return None


def _refused(scope: Scope, status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal in words, or in JSON where programs ask."""
    if for_programs(scope["path"]):
        return JSONResponse({"error": why}, status, headers)
    return PlainTextResponse(f"{why}\n", status, headers)


def _bounded(receive: Receive) -> Receive:
    """Hang up on a body that grows beyond what may come without having said its length."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > LARGEST else message

    return limited


def _keep(scope: Scope) -> str:
    """How long a browser may keep an answer: files whose address carries their digest for ever, pages never."""
    if scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v="):
        return "public, max-age=31536000, immutable"
    return "no-store"
