"""What programs do with cases: the acts of the pages, as JSON. A refusal is a 409 with its reason in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from listener.casework import Done
from listener.core.sentiment import Label
from listener.web.api import handles
from listener.web.api_cases import DoneJson, case_json
from listener.web.auth import MayCorrect, MayNote, MayRead, MayWork
from listener.web.case_acts import Ending, RowId, colleague_of
from listener.web.desk import Desk
from listener.web.filters import read
from listener.web.snooze import in_utc

BASE = "/api/v1/cases/{public_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignJson:
    """To whom: a colleague's handle."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeJson:
    """Until when; a time without a zone is UTC."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveJson:
    """How it ended; `version` is the one that was looked at, so that a customer's newer words are not overlooked."""

    outcome: Ending
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsJson:
    """The text of a note."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeJson:
    """Into which case: its id."""

    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelJson:
    """What a mention's label is."""

    mention: int
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewJson:
    """A saved view: its name, and the filters as they stand in the address."""

    name: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsJson:
    """One's saved views."""

    views: list[ViewJson]


def add_api_acts(web: FastAPI, desk: Desk) -> None:
    """Serve what programs do below `/api/v1/cases/{id}/`, and their saved views."""

    def did(public_id: str, act: Callable[[], Done]) -> DoneJson:
        if desk.store.cases.find(public_id) is None:
            raise HTTPException(404)
        return told(act())

    def told(done: Done) -> DoneJson:
        return DoneJson(case=case_json(done.case, handles(desk)), event=done.event)

    _add_holding(web, desk, did)
    _add_ending(web, desk, did, told)
    _add_words(web, desk, did)
    _add_views(web, desk)


Did = Callable[[str, Callable[[], Done]], DoneJson]


def _add_holding(web: FastAPI, desk: Desk, did: Did) -> None:
    work = desk.casework

    @web.post(BASE + "/claim")
    def claim(by: MayWork, public_id: str) -> DoneJson:
        return did(public_id, lambda: work.claim(public_id, by))

    @web.post(BASE + "/release")
    def release(by: MayWork, public_id: str) -> DoneJson:
        return did(public_id, lambda: work.release(public_id, by))

    @web.post(BASE + "/assign")
    def assign(by: MayWork, public_id: str, body: AssignJson) -> DoneJson:
        return did(public_id, lambda: work.assign(public_id, by, colleague_of(desk, body.to)))

    @web.post(BASE + "/snooze")
    def snooze(by: MayWork, public_id: str, body: SnoozeJson) -> DoneJson:
        return did(public_id, lambda: work.snooze(public_id, by, in_utc(body.until)))


def _add_ending(web: FastAPI, desk: Desk, did: Did, told: Callable[[Done], DoneJson]) -> None:
    work = desk.casework

    @web.post(BASE + "/resolve")
    def resolve(by: MayWork, public_id: str, body: ResolveJson) -> DoneJson:
        return did(public_id, lambda: work.resolve(public_id, by, body.outcome, body.version))

    @web.post(BASE + "/reopen")
    def reopen(by: MayWork, public_id: str) -> DoneJson:
        return did(public_id, lambda: work.reopen(public_id, by))

    @web.post(BASE + "/merge")
    def merge(by: MayWork, public_id: str, body: MergeJson) -> DoneJson:
        return did(public_id, lambda: work.merge(public_id, by, body.into))

    @web.post(BASE + "/not-us")
    def not_us(by: MayCorrect, public_id: str) -> DoneJson:
        return did(public_id, lambda: work.not_us(public_id, by))

    @web.post("/api/v1/undo/{event}")
    def undo(by: MayNote, event: RowId) -> DoneJson:
        return told(work.undo(event, by))


def _add_words(web: FastAPI, desk: Desk, did: Did) -> None:
    work = desk.casework

    @web.post(BASE + "/note")
    def note(by: MayNote, public_id: str, body: WordsJson) -> DoneJson:
        return did(public_id, lambda: work.note(public_id, by, body.text))

    @web.post(BASE + "/label")
    def label(by: MayCorrect, public_id: str, body: LabelJson) -> DoneJson:
        mention = min(max(body.mention, 0), 2**53)
        return did(public_id, lambda: work.correct(public_id, by, mention, body.label))


def _add_views(web: FastAPI, desk: Desk) -> None:
    @web.get("/api/v1/views")
    def list_views(by: MayRead) -> ViewsJson:
        return ViewsJson(views=[ViewJson(name=view.name, query=view.query) for view in desk.views.of(by)])

    @web.post("/api/v1/views", status_code=201)
    def save_view(by: MayRead, view: ViewJson) -> ViewJson:
        kept = desk.views.save(by, view.name, read(view.query).saved)
        return ViewJson(name=kept.name, query=kept.query)

    @web.delete("/api/v1/views/{name}", status_code=204)
    def delete_view(by: MayRead, name: str) -> None:
        desk.views.delete(by, name)
