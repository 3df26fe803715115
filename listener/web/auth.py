"""Who asks, and whether they may: every route names the right it takes with `needs()` or one of the short names.

A page's form or link comes with a session's cookie, a program with a Bearer token. The door of a route gives the
`Actor`, which everything that is done carries with it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.responses import Response

from listener.core.colleague import Colleague, Right, lacking
from listener.core.event import Actor
from listener.web.desk import Desk, Settings

START: Final = "/cases"
"""Where one lands after signing in without having asked for anything."""


BEARER = HTTPBearer(
    scheme_name="token", description="A token made on the page /account; it begins with lst_.", auto_error=False
)

Shown = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


class Door:
    """Lets those in who have a right; FastAPI calls it before the route.

    Args:
        right: what the role must allow.
    """

    def __init__(self, right: Right) -> None:
        """Keep the right."""
        self.right: Right = right

    def __call__(self, request: Request, shown: Shown) -> Actor:
        """Who asks; `shown` is the token that came along.

        Raises:
            HTTPException: 401 for nobody we know, 403 for a role that does not allow it.
        """
        actor = actor_of(request, shown.credentials if shown else "")
        if actor is None or actor.colleague is None:
            raise HTTPException(401, "Sign in first", {"WWW-Authenticate": "Bearer"})
        request.state.actor = actor
        if not actor.colleague.may(self.right):
            raise HTTPException(403, _why_not(actor.colleague, self.right))
        return actor


def needs(right: Right) -> Callable[..., Actor]:
    """What a route depends on, as in `by: Annotated[Actor, Depends(needs("work"))]`."""
    return Door(right)


def _why_not(colleague: Colleague, right: Right) -> str:
    """Why the right is lacking: because of the token, or of the role."""
    if colleague.only is not None and right not in colleague.only:
        return f"this token may not do that; it takes one with the right {right}"
    return lacking(colleague.role, right)


MayRead = Annotated[Actor, Depends(needs("read"))]
MayNote = Annotated[Actor, Depends(needs("note"))]
MayWork = Annotated[Actor, Depends(needs("work"))]
MayAssign = Annotated[Actor, Depends(needs("assign"))]
MayCorrect = Annotated[Actor, Depends(needs("correct"))]
MayCall = Annotated[Actor, Depends(needs("call"))]
MayLink = Annotated[Actor, Depends(needs("link"))]
MayCampaign = Annotated[Actor, Depends(needs("campaign"))]
MayReply = Annotated[Actor, Depends(needs("reply"))]
MayAdvise = Annotated[Actor, Depends(needs("advise"))]
MayApprove = Annotated[Actor, Depends(needs("approve"))]
MayManage = Annotated[Actor, Depends(needs("manage"))]


def actor_of(request: Request, token: str = "") -> Actor | None:
    """Who asks; None for nobody we know. Where a token is shown, only the token counts, and pages take none."""
    desk: Desk = request.app.state.desk
    if token:
        program = desk.tokens.find(token) if for_programs(request.url.path) else None
        return Actor(colleague=program, via="api") if program else None
    colleague = desk.sessions.find(session_of(request, desk.settings))
    return Actor(colleague=colleague, via="page") if colleague else None


def session_of(request: Request, settings: Settings) -> str:
    """The secret of the browser's session; empty without one."""
    return request.cookies.get(cookie_name(settings), "")


def address_of(request: Request, settings: Settings) -> str:
    """Where a request comes from, for counting tries: a network of 2^64 addresses counts as one.

    A proxy on this machine is believed what it adds to X-Forwarded-For, but only where `public_url` says that there
    is one.
    """
    peer = request.client.host if request.client else ""
    said = _without_port(request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip())
    try:
        found = ipaddress.ip_address(peer)
        if found.is_loopback and said and settings.web.public_url:
            found = ipaddress.ip_address(said)
    except ValueError:
        return "an unknown address"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)


def _without_port(said: str) -> str:
    """An address as a proxy writes it, without a port and brackets: "1.2.3.4:5678", "[2001:db8::1]:5678"."""
    if said.startswith("["):
        return said[1:].partition("]")[0]
    return said.partition(":")[0] if said.count(":") == 1 else said


def cookie_name(settings: Settings) -> str:
    """The session's cookie: bound to host and path by its name where staff come by HTTPS."""
    return "__Host-listener" if _by_https(settings) else "listener"


def give_cookie(response: Response, settings: Settings, secret: str, seconds: int) -> None:
    """Have the browser keep a session; an empty secret has it forget the one it keeps."""
    response.set_cookie(
        cookie_name(settings), secret, max_age=seconds if secret else 0, path="/",
        secure=_by_https(settings), httponly=True, samesite="lax",
    )  # fmt: skip


def _by_https(settings: Settings) -> bool:
    return settings.web.public_url.startswith("https://")


def for_programs(path: str) -> bool:
    """Whether answers there are read by programs: they are told in JSON, not led to a page."""
    return path.startswith("/api/") or path == "/metrics"


def for_streams(request: Request) -> bool:
    """Whether a browser asks for a stream of events, which it cannot be led to a page in the place of."""
    return request.headers.get("accept", "").startswith("text/event-stream")


def sign_in_address(request: Request) -> str:
    """Where somebody signs in to come back to what they asked for; after a form, to the page it stood on."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in {"GET", "HEAD"}:
        wanted = page_before(request)
    return f"/sign-in?next={quote(safe_next(wanted), safe='/')}"


def page_before(request: Request) -> str:
    """The page of ours that a form or link stood on; the first page when the browser does not say."""
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return START
    ours = came_from.netloc == request.headers.get("host")
    return safe_next(came_from.path + (f"?{came_from.query}" if came_from.query else "")) if ours else START


def safe_next(wanted: str) -> str:
    """An address on these pages to go on to: what was wanted if it is one, else the first page."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    if not plain or not wanted.startswith("/") or wanted.startswith(("//", "/sign-in", "/welcome")):
        return START
    return wanted
