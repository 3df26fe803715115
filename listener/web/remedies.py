"""Remedies: the forms on a case, the page `/remedies` with its figures and what waits, and the admins' terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import FastAPI, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from listener.casework import Done, Wished
from listener.casework.remedy_terms import Change
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.remedy_figures import Month
from listener.core.remedy_terms import LIMITED, cents_of, rows_of
from listener.core.route import SEVERITIES
from listener.web.auth import MayApprove, MayManage, MayRead, MayWork
from listener.web.case_acts import Back, after, done
from listener.web.customers import public
from listener.web.filters import read
from listener.web.inbox import Inbox
from listener.web.pages import Pages
from listener.web.remedy_panel import Typed, remedy_panel

ROWS = 50
Text = Annotated[str, Form()]
Decision = Literal["approve", "decline"]
KindPath = Annotated[int, Path(ge=0, le=2**53)]


class _Overview:
    """Makes `/remedies` and `/remedies/terms`, each also with why something was refused."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._remedies = pages.desk.remedies

    def show(
        self, by: Actor, month: Month | None = None, page: int = 1, problem: Refused | None = None
    ) -> HTMLResponse:
        present = Month.of(self._pages.desk.clock())
        month = month or present
        found = self._remedies.page(month, ROWS + 1, (page - 1) * ROWS)
        terms = self._remedies.allowances()
        context = {
            "month": month, "present": present, "figures": self._remedies.figures(month), "page": page,
            "entries": found[:ROWS], "more": len(found) > ROWS, "waiting": self._remedies.waiting(by),
            "names": self._remedies.names(), "terms": terms, "allowances": rows_of(terms), "any": self._remedies.any(),
        }  # fmt: skip
        if problem is not None:
            return self._pages.again("remedies.html", problem, by=by, **context)
        return self._pages.show("remedies.html", by=by, error="", **context)

    def terms(self, by: Actor, problem: Refused | None = None) -> HTMLResponse:
        terms = self._remedies.terms.allowances()
        context = {
            "terms": terms, "allowances": rows_of(terms), "kinds": self._remedies.terms.kinds(),
            "any": self._remedies.any(), "events": self._remedies.terms.history(),
        }  # fmt: skip
        if problem is not None:
            return self._pages.again("remedy-terms.html", problem, by=by, **context)
        return self._pages.show("remedy-terms.html", by=by, error="", **context)


def add_remedies(web: FastAPI, inbox: Inbox, pages: Pages) -> None:
    """Serve `/remedies`, what is below it, and `/cases/{id}/remedies`."""
    overview = _Overview(pages)
    _add_reading(web, overview)
    _add_giving(web, inbox, pages)
    _add_acts(web, inbox, pages, overview)
    _add_terms(web, pages, overview)


def month_of(text: str) -> Month | None:
    """The month that an address asks for; None for the present one.

    Raises:
        HTTPException: 400, it is no month.
    """
    try:
        return Month.parse(text) if text else None
    except Refused as problem:
        raise HTTPException(400) from problem


def _add_reading(web: FastAPI, overview: _Overview) -> None:
    @web.get("/remedies", include_in_schema=False)
    def remedies(by: MayRead, month: str = "", page: int = 1) -> HTMLResponse:
        return overview.show(by, month_of(month), max(1, min(page, 10_000)))

    @web.get("/remedies/terms", include_in_schema=False)
    def terms(by: MayManage) -> HTMLResponse:
        return overview.terms(by)


def _add_giving(web: FastAPI, inbox: Inbox, pages: Pages) -> None:
    desk = pages.desk

    @web.post("/cases/{public_id}/remedies", include_in_schema=False)
    def give(
        by: MayWork, public_id: str, kind: Text = "", amount: Text = "", what: Text = "", key: Text = "",
        back: Back = "",
    ) -> Response:  # fmt: skip
        case = desk.store.cases.find(public_id)
        if case is None:
            raise HTTPException(404)
        try:
            cents = cents_of(amount) if amount.strip() else None
            given = desk.remedies.give(public_id, Wished(key=key, kind=kind, cents=cents, what=what), by)
        except Refused as refusal:
            panel = remedy_panel(desk, case, by, Typed(kind=kind, amount=amount, what=what))
            return inbox.show(
                by, read(back), case, refusal=refusal.message, status=409, instead={"remedies": panel}
            )  # fmt: skip
        return RedirectResponse(after(read(back), given.case.public_id, given.event), 303)


def _add_acts(web: FastAPI, inbox: Inbox, pages: Pages, overview: _Overview) -> None:
    desk = pages.desk

    def did(by: Actor, public_id: str, case: str, back: str, act: Callable[[], Done]) -> Response:
        """Do something, and lead back to where the form stood: the case, or `/remedies`."""
        if desk.remedies.find(public_id) is None:
            raise HTTPException(404)
        if public(case):
            return done(inbox, desk, by, case, back, act)
        try:
            act()
        except Refused as refusal:
            return overview.show(by, problem=refusal)
        return RedirectResponse("/remedies", 303)

    @web.post("/remedies/{public_id}/decide", include_in_schema=False)
    def decide(
        by: MayApprove, public_id: str, decision: Annotated[Decision, Form()] = "approve", why: Text = "",
        case: Text = "", back: Back = "",
    ) -> Response:  # fmt: skip
        act = desk.remedies.approve if decision == "approve" else desk.remedies.decline
        return did(by, public_id, case, back, lambda: act(public_id, by, why))

    @web.post("/remedies/{public_id}/withdraw", include_in_schema=False)
    def withdraw(by: MayWork, public_id: str, case: Text = "", back: Back = "") -> Response:
        return did(by, public_id, case, back, lambda: desk.remedies.withdraw(public_id, by))

    @web.post("/remedies/{public_id}/finish", include_in_schema=False)
    def finish(by: MayWork, public_id: str, outcome: Text = "", case: Text = "", back: Back = "") -> Response:
        return did(by, public_id, case, back, lambda: desk.remedies.finish(public_id, by, outcome))


def _add_terms(web: FastAPI, pages: Pages, overview: _Overview) -> None:
    terms = pages.desk.remedies.terms

    def changed(by: Actor, act: Callable[[], object]) -> Response:
        try:
            act()
        except Refused as refusal:
            return overview.terms(by, refusal)
        return RedirectResponse("/remedies/terms", 303)

    @web.post("/remedies/terms/allowances", include_in_schema=False)
    def allow(
        by: MayManage,
        cents: Annotated[list[str] | None, Form()] = None,
        was: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        return changed(by, lambda: terms.allow(allowances_typed(cents or [], was or []), by))

    @web.post("/remedies/terms/kinds", include_in_schema=False)
    def add_kind(by: MayManage, name: Text = "", usual: Text = "") -> Response:
        return changed(by, lambda: terms.add_kind(name, usual_of(usual), by))

    @web.post("/remedies/terms/kinds/{kind_id}", include_in_schema=False)
    def change_kind(by: MayManage, kind_id: KindPath, name: Text = "", usual: Text = "", active: Text = "") -> Response:
        return changed(
            by, lambda: terms.change_kind(kind_id, by, name=name, usual=usual_of(usual), active=bool(active))
        )

    @web.post("/remedies/terms/currency", include_in_schema=False)
    def set_currency(by: MayManage, code: Text = "") -> Response:
        return changed(by, lambda: terms.set_currency(code, by))


def usual_of(text: str) -> int | None:
    """What somebody typed as a usual cost; None for nothing.

    Raises:
        Refused: it is no amount.
    """
    return cents_of(text) if text.strip() else None


def allowances_typed(typed: list[str], was: list[str]) -> tuple[Change, ...]:
    """The table as it was typed, cell by cell in the order in which the page shows it.

    Raises:
        Refused: a cell is missing or is no amount.
    """
    cells = [(role, severity) for role in LIMITED for severity in reversed(SEVERITIES)]
    if len(typed) != len(cells) or len(was) != len(cells):
        raise Refused("the form was not sent as a whole; open the page again")
    return tuple(
        Change(role=role, severity=severity, cents=cents_of(amount), was=cents_of(before))
        for (role, severity), amount, before in zip(cells, typed, was, strict=True)
    )
