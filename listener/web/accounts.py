"""The way in and out: `/sign-in`, `/sign-out`."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse

from listener.web.auth import MayRead, give_cookie, safe_next
from listener.web.pages import Pages


def add_accounts(web: FastAPI, pages: Pages) -> None:
    """Serve the way in and out."""
    desk = pages.desk

    @web.get("/sign-in", include_in_schema=False)
    def sign_in(next: str = "") -> HTMLResponse:  # noqa: A002
        return pages.outside("sign-in.html", next=safe_next(next))

    @web.post("/sign-out", include_in_schema=False)
    def sign_out(by: MayRead) -> RedirectResponse:
        response = RedirectResponse("/sign-in", 303)
        give_cookie(response, desk.settings, "", 0)
        return response
