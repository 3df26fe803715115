"""Customers: the panel beside a case, the page of one, and the search by which a colleague links two authors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from listener.casework import Panel, Settled
from listener.core.case import Case
from listener.core.customer import Customer, Said, voice_from
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.sentiment import Label
from listener.web.auth import MayLink, MayNote, MayRead
from listener.web.desk import Desk
from listener.web.pages import Pages

ROWS = 40
BARS = 24
HALF = 12
"""Half the height of the picture of a mood, in its own units."""

Text = Annotated[str, Form()]
EventPath = Annotated[int, Path(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One mention in the picture of a mood: upward is good, downward bad."""

    x: int
    y: float
    height: float
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPanel:
    """A customer as a page shows them.

    Args:
        panel: what is known.
        case: public id of the case it stands beside; empty on a page of its own.
        bars: the newest mentions, oldest first.
        undo: the event that the reader may still take back; 0 for none.
        may_link: whether the reader may link authors.
        may_note: whether the reader may write notes.
    """

    panel: Panel
    case: str
    bars: tuple[Bar, ...]
    undo: int
    may_link: bool
    may_note: bool


def customer_panel(desk: Desk, case: Case, by: Actor) -> CustomerPanel:
    """The customer of a case, for its page.

    Raises:
        StoreError: the database cannot be read.
    """
    return _shown(desk, desk.customers.of_case(case), case.public_id, by)


def _shown(desk: Desk, panel: Panel, case: str, by: Actor) -> CustomerPanel:
    newest = next(iter(panel.history), None)
    me = by.colleague
    return CustomerPanel(
        panel=panel,
        case=case,
        bars=bars(panel.said),
        undo=newest.id if newest and desk.customers.undoable(newest, by) else 0,
        may_link=me is not None and me.may("link"),
        may_note=me is not None and me.may("note"),
    )


def bars(said: tuple[Said, ...]) -> tuple[Bar, ...]:
    """The newest mentions as bars around a middle line."""
    found = []
    for n, one in enumerate(said[-BARS:]):
        height = round(max(2.0, abs(one.score) * HALF), 1)
        y = HALF - height if one.score > 0 else float(HALF) if one.score < 0 else HALF - height / 2
        found.append(Bar(x=5 * n, y=round(y, 1), height=height, label=one.label))
    return tuple(found)


def public(text: str) -> str:
    """A public id as it may stand in an address of ours; empty when the text is none."""
    known = text.replace("-", "").replace("_", "")
    return text if known.isascii() and known.isalnum() else ""


def _after(settled: Settled, case: str) -> RedirectResponse:
    """Back to the case, while there is a customer to be shown there; else to the customer's own page."""
    where = public(case) if settled.customer.ended_at is None else ""
    return RedirectResponse(f"/cases/{where}#customer" if where else f"/customers/{settled.customer.public_id}", 303)


def add_customers(web: FastAPI, pages: Pages) -> None:
    """Serve `/customers` and what is below it."""
    _add_reading(web, pages)
    _add_linking(web, pages.desk)
    _add_words(web, pages.desk)


def _add_reading(web: FastAPI, pages: Pages) -> None:
    desk = pages.desk

    @web.get("/customers", include_in_schema=False)
    def customers(
        by: MayRead, q: str = "", voice: Annotated[str, Query(alias="for")] = "", case: str = "", page: int = 1
    ) -> HTMLResponse:
        page = max(1, min(page, 10_000))
        found: tuple[Customer, ...] = desk.customers.page(q, ROWS + 1, (page - 1) * ROWS)
        try:
            wanted = voice_from(voice) if voice else None
        except Refused as problem:
            raise HTTPException(400) from problem
        return pages.show(
            "customers.html", by=by, q=q, page=page, customers=found[:ROWS], more=len(found) > ROWS,
            authors=desk.customers.authors(q), wanted=wanted, case=public(case),
            owner=desk.customers.owner(wanted) if wanted else "",
            may_link=by.colleague is not None and by.colleague.may("link"),
        )  # fmt: skip

    @web.get("/customers/{public_id}", include_in_schema=False)
    def customer(by: MayRead, public_id: str) -> HTMLResponse:
        panel = desk.customers.find(public_id)
        if panel is None:
            raise HTTPException(404)
        return pages.show("customer.html", by=by, customer=_shown(desk, panel, "", by))


def _add_linking(web: FastAPI, desk: Desk) -> None:
    @web.post("/customers/link", include_in_schema=False)
    def link(by: MayLink, one: Text = "", other: Text = "", case: Text = "") -> RedirectResponse:
        return _after(desk.customers.link(voice_from(one), voice_from(other), by), case)

    @web.post("/customers/{public_id}/unlink", include_in_schema=False)
    def unlink(by: MayLink, public_id: str, voice: Text = "", case: Text = "") -> RedirectResponse:
        return _after(desk.customers.unlink(public_id, voice_from(voice), by), case)

    @web.post("/customers/{public_id}/merge", include_in_schema=False)
    def merge(by: MayLink, public_id: str, into: Text = "", case: Text = "") -> RedirectResponse:
        return _after(desk.customers.merge(public_id, into, by), case)

    @web.post("/customers/undo/{event}", include_in_schema=False)
    def undo(by: MayNote, event: EventPath, case: Text = "") -> RedirectResponse:
        return _after(desk.customers.undo(event, by), case)


def _add_words(web: FastAPI, desk: Desk) -> None:
    @web.post("/customers/{public_id}/rename", include_in_schema=False)
    def rename(by: MayLink, public_id: str, name: Text = "", case: Text = "") -> RedirectResponse:
        return _after(desk.customers.rename(public_id, name, by), case)

    @web.post("/customers/{public_id}/note", include_in_schema=False)
    def note(by: MayNote, public_id: str, text: Text = "", case: Text = "") -> RedirectResponse:
        return _after(desk.customers.note(public_id, text, by), case)
