"""Log a call in ten seconds: the form, what one logged lately, taking it back; and the same for programs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Form, Path, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from listener.core.call import WAYS, Call, Told, Way
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.sentiment import Label
from listener.web.auth import MayCall
from listener.web.desk import Desk
from listener.web.pages import Pages

Text = Annotated[str, Form()]
EventId = Annotated[int, Query(ge=0, le=2**53)]
EventPath = Annotated[int, Path(ge=0, le=2**53)]

MOODS: tuple[tuple[Label, str], ...] = (("negative", "bad"), ("neutral", "neutral"), ("positive", "good"))
"""The moods as the form asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallJson:
    """What a customer said. `id` is yours: the same call sent twice is logged once. `mood` is as you heard it."""

    id: str
    brand: str
    words: str
    mood: Label
    topic: str = ""
    way: Way = "phone"
    customer: str = ""
    call_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedJson:
    """A logged call: its mention, its case once it has one, and the event by which it can be taken back."""

    mention: int
    brand: str
    mood: Label | None
    at: datetime
    waiting: bool
    case: str | None
    event: int
    taken_back_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The form as it stands; the mood is chosen each time, so that none is logged by oversight."""

    key: str
    brand: str
    words: str = ""
    mood: Label | None = None
    topic: str = ""
    way: Way = "phone"
    customer: str = ""
    call_back: bool = False

    def whole(self) -> Told:
        """What the colleague says.

        Raises:
            Refused: no mood was chosen.
        """
        if self.mood is None:
            raise Refused("choose the mood that you heard")
        return Told(
            key=self.key, brand=self.brand, words=self.words, mood=self.mood, topic=self.topic, way=self.way,
            customer=self.customer, call_back=self.call_back,
        )  # fmt: skip


def _logged(call: Call) -> LoggedJson:
    return LoggedJson(
        mention=call.mention_id,
        brand=call.brand,
        mood=call.mood,
        at=call.at,
        waiting=call.waiting,
        case=call.case,
        event=call.event,
        taken_back_at=call.gone_at,
    )


def add_calls(web: FastAPI, pages: Pages) -> None:
    """Serve `/calls/new` and `/api/v1/calls`."""
    _add_form(web, pages)
    _add_api(web, pages.desk)


def typed(
    key: Text = "", brand: Text = "", words: Text = "", mood: Annotated[Label | None, Form()] = None, topic: Text = "",
    way: Annotated[Way, Form()] = "phone", customer: Text = "", call_back: Text = "",
) -> Typed:  # fmt: skip
    """The form as it was sent."""
    return Typed(
        key=key, brand=brand, words=words, mood=mood, topic=topic, way=way, customer=customer,
        call_back=bool(call_back),
    )  # fmt: skip


def _form(pages: Pages, by: Actor, told: Typed, done: int = 0, error: Refused | None = None) -> HTMLResponse:
    """The form, with what one logged lately below it."""
    calls = pages.desk.calls
    latest = [(call, calls.undoable(call, by)) for call in calls.latest(by)]
    context = {
        "told": told, "brands": calls.brands, "topics": calls.topics(), "ways": WAYS, "moods": MOODS,
        "latest": latest, "done": next((call for call, _ in latest if call.event == done), None),
    }  # fmt: skip
    if error is not None:
        return pages.again("call.html", error, by=by, **context)
    return pages.show("call.html", by=by, error="", **context)


def _add_form(web: FastAPI, pages: Pages) -> None:
    calls = pages.desk.calls

    @web.get("/calls/new", include_in_schema=False)
    def new_call(by: MayCall, done: EventId = 0) -> HTMLResponse:
        return _form(pages, by, Typed(key=secrets.token_urlsafe(9), brand=calls.usual_brand(by)), done)

    @web.post("/calls/new", include_in_schema=False)
    def log_call(by: MayCall, told: Annotated[Typed, Depends(typed)]) -> Response:
        try:
            logged = calls.log(told.whole(), by)
        except Refused as refused:
            return _form(pages, by, told, error=refused)
        return RedirectResponse(f"/calls/new?done={logged.call.event}", 303)

    @web.post("/calls/undo/{event}", include_in_schema=False)
    def take_back(by: MayCall, event: EventPath) -> RedirectResponse:
        return RedirectResponse(f"/calls/new?done={calls.take_back(event, by).event}", 303)


def _add_api(web: FastAPI, desk: Desk) -> None:
    @web.post("/api/v1/calls", status_code=201, responses={200: {"model": LoggedJson, "description": "Known already"}})
    def log_a_call(by: MayCall, body: CallJson, response: Response) -> LoggedJson:
        told = Told(
            key=body.id, brand=body.brand, words=body.words, mood=body.mood, topic=body.topic, way=body.way,
            customer=body.customer, call_back=body.call_back,
        )  # fmt: skip
        logged = desk.calls.log(told, by)
        response.status_code = 201 if logged.fresh else 200
        return _logged(logged.call)

    @web.get("/api/v1/calls")
    def list_calls(by: MayCall) -> list[LoggedJson]:
        return [_logged(call) for call in desk.calls.latest(by, 50)]

    @web.post("/api/v1/calls/undo/{event}")
    def take_a_call_back(by: MayCall, event: EventPath) -> LoggedJson:
        return _logged(desk.calls.take_back(event, by))
