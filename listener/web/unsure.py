"""The lane of unsure mentions: a colleague says in one key what each is. Forms; `unsure.js` does them in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import FastAPI, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from listener.casework.undo import UNDO_FOR, own
from listener.core.errors import Refused
from listener.core.event import Actor, Event
from listener.core.sentiment import Label
from listener.web.auth import MayCorrect, MayRead
from listener.web.desk import Desk
from listener.web.pages import Pages, address, sentence

ROWS = 25
"""Mentions on a page; the script asks for the next page before these are through."""

TEXT = 2000
"""Most characters of a text that a page shows; the whole stands on a page of its own."""

MANY = 1000
"""The navigation counts no further."""

Choice = Literal["negative", "neutral", "positive", "not us"]

KEYS: tuple[tuple[Choice, str, str], ...] = (
    ("positive", "1", "▲"),
    ("neutral", "2", "●"),
    ("negative", "3", "▼"),
    ("not us", "0", "✕"),
)
"""What can be said of a mention, by which key (the same as on a case), with which mark."""

RowId = Annotated[int, Path(ge=0, le=2**53)]
Before = Annotated[int | None, Query(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the reader just settled, and the event by which it can be taken back; 0 when it cannot any more."""

    words: str
    undo: int


def label_of(choice: Choice) -> Label | None:
    """The label that a choice stands for; None: it is not about us."""
    return None if choice == "not us" else choice


def add_unsure(web: FastAPI, pages: Pages) -> None:
    """Serve `/unsure` and its forms."""
    desk = pages.desk

    @web.get("/unsure", include_in_schema=False)
    def lane(
        by: MayRead, brand: str = "", before: Before = None, done: Annotated[int, Query(ge=0, le=2**53)] = 0
    ) -> HTMLResponse:
        return _show(pages, by, brand, before, done=_done(desk, done, by))

    @web.post("/unsure/{mention}", include_in_schema=False, response_model=None)
    def settle(
        by: MayCorrect, mention: RowId, label: Annotated[Choice, Form()], state: Annotated[str, Form()] = "",
        brand: Annotated[str, Form()] = "", before: Annotated[str, Form()] = "", then: Annotated[str, Form()] = "",
    ) -> HTMLResponse | RedirectResponse:  # fmt: skip
        if desk.store.trails.of_mention(mention) is None:
            raise HTTPException(404)
        try:
            event = desk.settling.settle(mention, label_of(label), by, state).event
        except Refused as problem:
            return _show(pages, by, brand, _row(before), refusal=sentence(problem.message), status=409)
        return RedirectResponse(_back(brand, before, event, then), 303)

    @web.post("/unsure/undo/{event}", include_in_schema=False)
    def undo(
        by: MayCorrect, event: RowId, brand: Annotated[str, Form()] = "", before: Annotated[str, Form()] = ""
    ) -> RedirectResponse:
        found = desk.settling.undo(event, by)
        return RedirectResponse(_back(brand, before, found.event, str(found.mention.id)), 303)


def _row(said: str) -> int | None:
    """A row id as a form sends it; None for anything else."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 15 else None


def _back(brand: str, before: str, event: int, then: str) -> str:
    """The lane where it was left, at the mention that comes next."""
    where = address("/unsure", brand=brand, before=_row(before), done=event)
    return f"{where}#mention-{_row(then)}" if _row(then) is not None else where


def _show(
    pages: Pages, by: Actor, brand: str, before: int | None, *, done: Done | None = None, refusal: str = "",
    status: int = 200,
) -> HTMLResponse:  # fmt: skip
    desk = pages.desk
    found = desk.store.trails.unsure(brand=brand or None, before=before, limit=ROWS + 1)
    me = by.colleague
    page = pages.show(
        "unsure.html", by=by, trails=found[:ROWS], more=len(found) > ROWS, brand=brand, before=before, done=done,
        refusal=refusal, keys=KEYS, longest=TEXT, many=MANY,
        brands=sorted({name for name, _ in desk.store.trends.totals()}),
        left=desk.store.lane.count(brand or None, MANY), may=me is not None and me.may("correct"),
    )  # fmt: skip
    page.status_code = status
    return page


def _done(desk: Desk, event_id: int, by: Actor) -> Done | None:
    if event_id < 1:
        return None
    found = desk.store.events.since(event_id - 1, 1)
    event: Event | None = found[0][0] if found and found[0][0].id == event_id else None
    if event is None or not own(event, by) or event.act not in {"settled", "not us", "undone"}:
        return None
    if event.act == "undone":
        return Done(words="Taken back", undo=0)
    words = "Settled: not about us" if event.act == "not us" else f"Settled: {event.detail}"
    return Done(words=words, undo=event.id if desk.clock() - event.at <= UNDO_FOR else 0)
