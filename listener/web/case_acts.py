"""What colleagues do on the page of a case, by plain forms: each act answers with a page to go to (303)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import FastAPI, Form, Path
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from listener.casework import Done
from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.sentiment import Label
from listener.web.auth import MayCorrect, MayNote, MayWork
from listener.web.desk import Desk
from listener.web.filters import Filters, read
from listener.web.inbox import Inbox
from listener.web.snooze import Choice, snooze_end

Back = Annotated[str, Form()]
"""The list's filters as they stand in the address, so that one comes back to the same list."""

Then = Annotated[str, Form()]
"""Public id of the case that opens next, where the page knows one."""

RowId = Annotated[int, Path(ge=0, le=2**53)]

Ending = Literal["answered", "no answer needed"]


def add_acts(web: FastAPI, inbox: Inbox, desk: Desk) -> None:
    """Serve the forms of a case."""
    _add_holding(web, inbox, desk)
    _add_ending(web, inbox, desk)
    _add_words(web, inbox, desk)


def _add_holding(web: FastAPI, inbox: Inbox, desk: Desk) -> None:
    work = desk.casework

    @web.post("/cases/{public_id}/claim", include_in_schema=False)
    def claim(by: MayWork, public_id: str, back: Back = "") -> Response:
        return done(inbox, desk, by, public_id, back, lambda: work.claim(public_id, by))

    @web.post("/cases/{public_id}/release", include_in_schema=False)
    def release(by: MayWork, public_id: str, back: Back = "") -> Response:
        return done(inbox, desk, by, public_id, back, lambda: work.release(public_id, by))

    @web.post("/cases/{public_id}/assign", include_in_schema=False)
    def assign(
        by: MayWork, public_id: str, to: Annotated[str, Form()] = "", back: Back = "", then: Then = ""
    ) -> Response:
        return done(
            inbox, desk, by, public_id, back, lambda: work.assign(public_id, by, colleague_of(desk, to)), then=then
        )

    @web.post("/cases/{public_id}/snooze", include_in_schema=False)
    def snooze(
        by: MayWork, public_id: str, until: Annotated[Choice, Form()] = "custom", at: Annotated[str, Form()] = "",
        back: Back = "", then: Then = "",
    ) -> Response:  # fmt: skip
        return done(
            inbox, desk, by, public_id, back,
            lambda: work.snooze(public_id, by, snooze_end(until, at, desk.clock())), then=then, leaves=True,
        )  # fmt: skip


def _add_ending(web: FastAPI, inbox: Inbox, desk: Desk) -> None:
    work = desk.casework

    @web.post("/cases/{public_id}/resolve", include_in_schema=False)
    def resolve(
        by: MayWork, public_id: str, outcome: Annotated[Ending, Form()], seen: Annotated[int | None, Form()] = None,
        back: Back = "", then: Then = "",
    ) -> Response:  # fmt: skip
        return done(
            inbox, desk, by, public_id, back,
            lambda: work.resolve(public_id, by, outcome, seen), then=then, leaves=True,
        )  # fmt: skip

    @web.post("/cases/{public_id}/reopen", include_in_schema=False)
    def reopen(by: MayWork, public_id: str, back: Back = "") -> Response:
        return done(inbox, desk, by, public_id, back, lambda: work.reopen(public_id, by))

    @web.post("/cases/{public_id}/merge", include_in_schema=False)
    def merge(by: MayWork, public_id: str, into: Annotated[str, Form()] = "", back: Back = "") -> Response:
        return done(inbox, desk, by, public_id, back, lambda: work.merge(public_id, by, into), then=into, leaves=True)

    @web.post("/cases/{public_id}/not-us", include_in_schema=False)
    def not_us(by: MayCorrect, public_id: str, back: Back = "", then: Then = "") -> Response:
        return done(inbox, desk, by, public_id, back, lambda: work.not_us(public_id, by), then=then, leaves=True)

    @web.post("/cases/undo/{event}", include_in_schema=False)
    def undo(by: MayNote, event: RowId, back: Back = "") -> Response:
        found = work.undo(event, by)
        return RedirectResponse(after(read(back), found.case.public_id, found.event), 303)


def _add_words(web: FastAPI, inbox: Inbox, desk: Desk) -> None:
    work = desk.casework

    @web.post("/cases/{public_id}/note", include_in_schema=False)
    def note(by: MayNote, public_id: str, text: Annotated[str, Form()] = "", back: Back = "") -> Response:
        return done(inbox, desk, by, public_id, back, lambda: work.note(public_id, by, text))

    @web.post("/cases/{public_id}/label", include_in_schema=False)
    def label(
        by: MayCorrect, public_id: str, mention: Annotated[int, Form(ge=0, le=2**53)],
        label: Annotated[Label, Form()], back: Back = "",
    ) -> Response:  # fmt: skip
        return done(inbox, desk, by, public_id, back, lambda: work.correct(public_id, by, mention, label))


def done(
    inbox: Inbox, desk: Desk, by: Actor, public_id: str, back: str, act: Callable[[], Done], *, then: str = "",
    leaves: bool = False,
) -> Response:  # fmt: skip
    """Do something, and lead to what comes next; what is refused is said on the case's own page.

    Args:
        inbox: makes the page.
        desk: the application.
        by: who does it.
        public_id: of the case.
        back: the list's filters.
        act: does it.
        then: the case that opens next, if one is named.
        leaves: whether the case leaves the list by it: without a next one the list is shown.

    Raises:
        HTTPException: 404, there is no such case.
    """
    case = desk.store.cases.find(public_id)
    if case is None:
        raise HTTPException(404)
    asked = read(back)
    try:
        event = act().event
    except Refused as refusal:
        return inbox.show(by, asked, desk.store.cases.get(case.id), refusal=refusal.message, status=409)
    following = desk.store.cases.find(then) if then else None
    if following is not None:
        return RedirectResponse(after(asked, following.public_id, event), 303)
    return RedirectResponse(after(asked, "" if leaves else public_id, event), 303)


def after(asked: Filters, public_id: str, event: int = 0) -> str:
    """Where one goes after an act: a case or the list, with what was done if that is said on top."""
    address = asked.to(f"/cases/{public_id}" if public_id else "/cases", page=asked.page)
    if not event:
        return address
    return f"{address}{'&' if '?' in address else '?'}done={event}"


def colleague_of(desk: Desk, handle: str) -> Colleague:
    """The colleague of a handle.

    Raises:
        Refused: nobody signs in under it.
    """
    for each in desk.store.colleagues.all():
        if each.handle.casefold() == handle.strip().casefold():
            return each
    raise Refused("choose who is to have it")
