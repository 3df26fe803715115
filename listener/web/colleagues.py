"""For admins: who has an account (`/colleagues`), and what everybody did (`/audit`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, get_args

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from listener.core.colleague import ROLE_MEANINGS, Colleague
from listener.core.errors import Refused
from listener.core.event import AccountAct, Actor, CaseAct
from listener.web.auth import MayManage
from listener.web.desk import Settings
from listener.web.pages import Pages

ROWS = 100
ACTS = (*get_args(AccountAct), *get_args(CaseAct))
FURTHEST = 2**62
"""Beyond any event's id."""

Typed = Annotated[str, Form()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A one-time link that was just made, to be shown this once."""

    colleague: Colleague
    url: str


def welcome_url(request: Request, settings: Settings, secret: str) -> str:
    """Where a one-time link leads, as somebody else has to ask for it."""
    asked = f"{request.url.scheme}://{request.headers['host']}"
    return f"{(settings.web.public_url or asked).rstrip('/')}/welcome/{secret}"


class Colleagues:
    """Shows who has an account.

    Args:
        pages: renders.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep the pages."""
        self._pages = pages
        self.desk = pages.desk

    def show(self, by: Actor, made: Made | None = None) -> HTMLResponse:
        """The page; `made` is a link to be shown this once."""
        return self._pages.show(
            "colleagues.html", by=by, error="", made=made, standings=self.desk.accounts.all(), roles=ROLE_MEANINGS,
            typed={"handle": "", "name": "", "role": "agent"},
        )  # fmt: skip

    def again(self, by: Actor, problem: Refused, **typed: str) -> HTMLResponse:
        """The page with why something was refused, and what was typed."""
        return self._pages.again(
            "colleagues.html", problem, by=by, made=None, standings=self.desk.accounts.all(), roles=ROLE_MEANINGS,
            typed={"handle": "", "name": "", "role": "agent", **typed},
        )  # fmt: skip

    def linked(
        self, by: Actor, request: Request, make: Callable[[], tuple[Colleague, str]], **typed: str
    ) -> HTMLResponse:  # fmt: skip
        """The page with a link that was just made, or why there is none."""
        try:
            colleague, secret = make()
        except Refused as problem:
            return self.again(by, problem, **typed)
        return self.show(by, Made(colleague=colleague, url=welcome_url(request, self.desk.settings, secret)))


def add_colleagues(web: FastAPI, pages: Pages) -> None:
    """Serve `/colleagues` and `/audit`."""
    page = Colleagues(pages)

    @web.get("/colleagues", include_in_schema=False)
    def colleagues(by: MayManage) -> HTMLResponse:
        return page.show(by)

    _add_links(web, page)
    _add_changes(web, page)
    _add_audit(web, pages)


def _add_links(web: FastAPI, page: Colleagues) -> None:
    accounts = page.desk.accounts

    @web.post("/colleagues", include_in_schema=False)
    def invite(
        by: MayManage, request: Request, handle: Typed = "", name: Typed = "", role: Typed = ""
    ) -> HTMLResponse:  # fmt: skip
        typed = {"handle": handle[:64], "name": name[:80], "role": role[:20]}
        return page.linked(by, request, lambda: accounts.invite(by, handle, name, role), **typed)

    @web.post("/colleagues/{handle}/link", include_in_schema=False)
    def link(by: MayManage, request: Request, handle: str) -> HTMLResponse:
        return page.linked(by, request, lambda: accounts.reset(by, handle))

    @web.post("/colleagues/{handle}/reopen", include_in_schema=False)
    def reopen(by: MayManage, request: Request, handle: str) -> HTMLResponse:
        return page.linked(by, request, lambda: accounts.reopen(by, handle))


def _add_changes(web: FastAPI, page: Colleagues) -> None:
    accounts = page.desk.accounts

    @web.post("/colleagues/{handle}/role", include_in_schema=False)
    def change_role(by: MayManage, handle: str, role: Typed = "") -> Response:
        try:
            accounts.change_role(by, handle, role)
        except Refused as problem:
            return page.again(by, problem)
        return RedirectResponse("/colleagues", 303)

    @web.post("/colleagues/{handle}/close", include_in_schema=False)
    def close(by: MayManage, handle: str) -> Response:
        try:
            accounts.close(by, handle)
        except Refused as problem:
            return page.again(by, problem)
        return RedirectResponse("/colleagues", 303)


def _add_audit(web: FastAPI, pages: Pages) -> None:
    events = pages.desk.store.events

    @web.get("/audit", include_in_schema=False)
    def audit(by: MayManage, who: str = "", act: str = "", before: int | None = None) -> HTMLResponse:
        earlier = None if before is None else max(0, min(before, FURTHEST))
        found = events.page(who=who, act=act, before=earlier, limit=ROWS + 1)
        return pages.show(
            "audit.html", by=by, rows=found[:ROWS], who=who, act=act, acts=ACTS, before=earlier,
            older=found[ROWS - 1][0].id if len(found) > ROWS else None,
            names=sorted({standing.colleague.name for standing in pages.desk.accounts.all()}),
        )  # fmt: skip
