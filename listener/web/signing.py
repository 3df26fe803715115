"""The way in and out: `/sign-in`, `/sign-out`, and `/welcome/{secret}`, where one-time links lead."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from listener.casework.sessions import LONGEST
from listener.core.errors import Refused
from listener.core.password import SHORTEST
from listener.web.auth import START, MayRead, actor_of, address_of, give_cookie, safe_next, session_of
from listener.web.desk import Desk
from listener.web.pages import Pages

Next = Annotated[str, Query(alias="next")]
Typed = Annotated[str, Form()]


def signed_in(desk: Desk, secret: str, onward: str) -> RedirectResponse:
    """On to a page, with the cookie of a new session."""
    response = RedirectResponse(onward, 303)
    give_cookie(response, desk.settings, secret, int(LONGEST.total_seconds()))
    return response


def add_signing(web: FastAPI, pages: Pages) -> None:
    """Serve the way in and out."""
    _add_sign_in(web, pages)
    _add_welcome(web, pages)
    desk = pages.desk

    @web.post("/sign-out", include_in_schema=False)
    def sign_out(by: MayRead, request: Request) -> RedirectResponse:
        desk.sessions.sign_out(session_of(request, desk.settings))
        return signed_in(desk, "", "/sign-in")


def _add_sign_in(web: FastAPI, pages: Pages) -> None:
    desk = pages.desk

    @web.get("/sign-in", include_in_schema=False)
    def sign_in_page(request: Request, wanted: Next = "", show: bool = False) -> Response:
        onward = safe_next(wanted)
        if actor_of(request) is not None:
            return RedirectResponse(onward, 303)
        return pages.outside(
            "sign-in.html", next=onward, show=show, handle="", error="", nobody=desk.accounts.empty()
        )  # fmt: skip

    @web.post("/sign-in", include_in_schema=False)
    def sign_in(
        request: Request, handle: Typed = "", password: Typed = "",
        onward: Annotated[str, Form(alias="next")] = "", show: Annotated[bool, Form()] = False,
    ) -> Response:  # fmt: skip
        settings = desk.settings
        try:
            secret = desk.sessions.sign_in(
                handle, password, address=address_of(request, settings), browser=request.headers.get("user-agent", "")
            )
        except Refused as problem:
            return pages.again(
                "sign-in.html", problem, next=safe_next(onward), show=show, handle=handle[:64], nobody=False
            )
        # Whatever session the browser had before is over, whoever gave it to it.
        desk.sessions.sign_out(session_of(request, settings))
        return signed_in(desk, secret, safe_next(onward))


def _add_welcome(web: FastAPI, pages: Pages) -> None:
    desk = pages.desk

    @web.get("/welcome/{secret}", include_in_schema=False)
    def welcome_page(request: Request, secret: str, show: bool = False) -> HTMLResponse:
        try:
            found = desk.accounts.invitation(secret, address=address_of(request, desk.settings))
        except Refused as problem:
            return pages.again("welcome.html", problem, invited=None)
        owner = found.colleague
        return pages.outside(
            "welcome.html", invited=found, shortest=SHORTEST, show=show, error="",
            handle=owner.handle if owner else "", called=owner.name if owner else "",
        )  # fmt: skip

    @web.post("/welcome/{secret}", include_in_schema=False)
    def welcome(
        request: Request, secret: str, handle: Typed = "", name: Typed = "", password: Typed = "",
        show: Annotated[bool, Form()] = False,
    ) -> Response:  # fmt: skip
        address, browser = address_of(request, desk.settings), request.headers.get("user-agent", "")
        try:
            opened = desk.accounts.welcome(
                secret, handle=handle, name=name, password=password, address=address, browser=browser
            )
        except Refused as problem:
            try:
                found = desk.accounts.invitation(secret, address=address)
            except Refused as gone:
                return pages.again("welcome.html", gone, invited=None)
            owner = found.colleague if not found.joining else None
            return pages.again(
                "welcome.html", problem, invited=found, shortest=SHORTEST, show=show,
                handle=owner.handle if owner else handle[:64], called=owner.name if owner else name[:80],
            )  # fmt: skip
        desk.sessions.sign_out(session_of(request, desk.settings))
        return signed_in(desk, opened, START)
