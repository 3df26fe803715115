"""Who asks, and whether they may: every route names the right it takes with `needs()` or one of the short names.

A page's form or link comes with a session's cookie, a program with a Bearer token. The door of a route gives the
`Actor`, which everything that is done carries with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from listener.core.colleague import Right, lacking
from listener.core.event import Actor
from listener.web.desk import Desk, Settings

START: Final = "/cases"
"""Where one lands after signing in without having asked for anything."""


class Door:
    """Lets those in who have a right; FastAPI calls it before the route.

    Args:
        right: what the role must allow.
    """

    def __init__(self, right: Right) -> None:
        """Keep the right."""
        self.right: Right = right

    def __call__(self, request: Request) -> Actor:
        """Who asks.

        Raises:
            HTTPException: 401 for nobody we know, 403 for a role that does not allow it.
        """
        actor = actor_of(request)
        if actor is None or actor.colleague is None:
            raise HTTPException(401, "Sign in first", {"WWW-Authenticate": "Bearer"})
        request.state.actor = actor
        if not actor.colleague.may(self.right):
            raise HTTPException(403, lacking(actor.colleague.role, self.right))
        return actor


def needs(right: Right) -> Callable[[Request], Actor]:
    """What a route depends on, as in `by: Annotated[Actor, Depends(needs("work"))]`."""
    return Door(right)


MayRead = Annotated[Actor, Depends(needs("read"))]
MayNote = Annotated[Actor, Depends(needs("note"))]
MayWork = Annotated[Actor, Depends(needs("work"))]
MayAssign = Annotated[Actor, Depends(needs("assign"))]
MayCorrect = Annotated[Actor, Depends(needs("correct"))]
MayCall = Annotated[Actor, Depends(needs("call"))]
MayLink = Annotated[Actor, Depends(needs("link"))]
MayCampaign = Annotated[Actor, Depends(needs("campaign"))]
MayManage = Annotated[Actor, Depends(needs("manage"))]


def actor_of(request: Request) -> Actor | None:
    """Who asks; None for nobody we know."""
    desk: Desk = request.app.state.desk
    colleague = desk.sessions.find(request.cookies.get(cookie_name(desk.settings), ""))
    return Actor(colleague=colleague, via="page") if colleague else None


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
