"""One's own account: name, password, shortcuts, duty, the browsers one is signed in with, and tokens for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from listener.casework.sessions import digest_of
from listener.core.colleague import MEANINGS, Right, rights_of
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.password import SHORTEST
from listener.core.session import Token
from listener.web.auth import MayRead, MayWork, page_before, session_of
from listener.web.pages import Pages
from listener.web.signing import signed_in

Typed = Annotated[str, Form()]
Days = Annotated[Literal["7", "30", "90", "365"], Form()]
Saved = Literal["", "name", "password", "shortcuts", "token"]

SAVED = {
    "name": "Your name was changed.",
    "password": "Your password was changed, and every other browser was signed out.",
    "shortcuts": "The keyboard shortcuts were set.",
    "token": "The token was revoked.",
}


def may(by: Actor) -> tuple[tuple[Right, str], ...]:
    """What a colleague may do, with its meaning: what they may let a token do."""
    return tuple((right, words) for right, words in MEANINGS.items() if by.colleague and by.colleague.may(right))


class Account:
    """Shows somebody's own account.

    Args:
        pages: renders.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep the pages."""
        self.pages = pages
        self.desk = pages.desk

    def context(self, by: Actor, request: Request) -> dict[str, object]:
        """What the page shows."""
        assert by.colleague is not None
        return {
            "sessions": self.desk.sessions.of(by.colleague),
            "mine": digest_of(session_of(request, self.desk.settings)),
            "tokens": [token for token in self.desk.tokens.of(by.colleague) if token.revoked_at is None],
            "may": may(by),
            "shortest": SHORTEST,
            "show": request.query_params.get("show") == "1",
        }

    def show(
        self, by: Actor, request: Request, done: str = "", made: tuple[Token, str] | None = None
    ) -> HTMLResponse:  # fmt: skip
        """The page; `made` is a token to be shown this once."""
        return self.pages.show("account.html", by=by, error="", done=done, made=made, **self.context(by, request))

    def again(self, by: Actor, request: Request, problem: Refused) -> HTMLResponse:
        """The page with why something was refused."""
        return self.pages.again("account.html", problem, by=by, done="", made=None, **self.context(by, request))


def add_account(web: FastAPI, pages: Pages) -> None:
    """Serve `/account`."""
    account = Account(pages)

    @web.get("/account", include_in_schema=False)
    def own(by: MayRead, request: Request, saved: Saved = "") -> HTMLResponse:
        return account.show(by, request, SAVED.get(saved, ""))

    _add_self(web, account)
    _add_sessions(web, account)
    _add_tokens(web, account)


def _add_self(web: FastAPI, account: Account) -> None:
    accounts = account.desk.accounts

    @web.post("/account/name", include_in_schema=False)
    def rename(by: MayRead, request: Request, name: Typed = "") -> Response:
        try:
            accounts.rename(by, name)
        except Refused as problem:
            return account.again(by, request, problem)
        return RedirectResponse("/account?saved=name", 303)

    @web.post("/account/shortcuts", include_in_schema=False)
    def shortcuts(by: MayRead, on: Annotated[bool, Form()] = False) -> RedirectResponse:
        accounts.set_shortcuts(by, on)
        return RedirectResponse("/account?saved=shortcuts", 303)

    @web.post("/account/duty", include_in_schema=False)
    def duty(by: MayWork, request: Request, on: Annotated[bool, Form()] = False) -> RedirectResponse:
        accounts.set_duty(by, on)
        return RedirectResponse(page_before(request), 303)


def _add_sessions(web: FastAPI, account: Account) -> None:
    desk = account.desk

    @web.post("/account/password", include_in_schema=False)
    def password(by: MayRead, request: Request, old: Typed = "", new: Typed = "") -> Response:
        browser = request.headers.get("user-agent", "")
        try:
            secret = desk.accounts.change_password(by, old, new, browser=browser)
        except Refused as problem:
            return account.again(by, request, problem)
        return signed_in(desk, secret, "/account?saved=password")

    @web.post("/account/sessions/end", include_in_schema=False)
    def end_sessions(by: MayRead) -> RedirectResponse:
        assert by.colleague is not None
        desk.sessions.end_all(by.colleague)
        return signed_in(desk, "", "/sign-in")


def _add_tokens(web: FastAPI, account: Account) -> None:
    tokens = account.desk.tokens

    @web.post("/account/tokens", include_in_schema=False)
    def make_token(
        by: MayRead, request: Request, name: Typed = "", rights: Annotated[tuple[str, ...], Form()] = (),
        days: Days = "90",
    ) -> HTMLResponse:  # fmt: skip
        try:
            made = tokens.make(by, name, rights_of(rights), timedelta(days=int(days)))
        except Refused as problem:
            return account.again(by, request, problem)
        return account.show(by, request, made=made)

    @web.post("/account/tokens/{token_id}/revoke", include_in_schema=False)
    def revoke_token(by: MayRead, token_id: int) -> RedirectResponse:
        tokens.revoke(by, token_id)
        return RedirectResponse("/account?saved=token", 303)
