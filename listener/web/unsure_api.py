"""The lane of unsure mentions for programs, and for the script of its page: list, settle, take back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Query
from starlette.exceptions import HTTPException

from listener.casework import Decided
from listener.core.trail import Trail
from listener.web.api_cases import MentionJson, mention_json
from listener.web.auth import MayCorrect, MayRead
from listener.web.desk import Desk
from listener.web.unsure import MANY, Before, Choice, RowId, label_of

BASE = "/api/v1/unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsureJson:
    """An unsure mention.

    `state` names what its author wrote as it stands now: send it along with the label, and a text that was edited
    meanwhile is not settled by what you read. `case` is the id of its case, null without one.
    """

    mention: MentionJson
    brand: str
    state: str
    case: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneJson:
    """Unsure mentions, newest first; `left` is how many there are in all, counted up to 1,000."""

    mentions: list[UnsureJson]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceJson:
    """What the mention is; `state` as it was read, empty to settle whatever stands there now."""

    label: Choice
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedJson:
    """What settling came to; `event` takes it back for ten minutes, `left` counts what is unsure
    still, of the brand that was asked for or of all."""

    mention: int
    label: Choice
    event: int
    case: str | None
    left: int


def add_unsure_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/unsure` and what is below it."""

    @web.get(BASE)
    def list_unsure(
        by: MayRead, brand: str = "", before: Before = None, limit: Annotated[int, Query(ge=1, le=100)] = 25
    ) -> LaneJson:
        found = desk.store.trails.unsure(brand=brand or None, before=before, limit=limit)
        return LaneJson(mentions=[_unsure(trail) for trail in found], left=desk.store.lane.count(brand or None, MANY))

    @web.post(BASE + "/{mention}")
    def settle(by: MayCorrect, mention: RowId, body: ChoiceJson, brand: str = "") -> DecidedJson:
        if desk.store.trails.of_mention(mention) is None:
            raise HTTPException(404)
        return _decided(desk, desk.settling.settle(mention, label_of(body.label), by, body.state), brand)

    @web.post(BASE + "/undo/{event}")
    def undo_settling(by: MayCorrect, event: RowId, brand: str = "") -> DecidedJson:
        return _decided(desk, desk.settling.undo(event, by), brand)


def _unsure(trail: Trail) -> UnsureJson:
    mention = trail.mention
    return UnsureJson(mention=mention_json(trail), brand=mention.brand, state=mention.fingerprint, case=trail.case)


def _decided(desk: Desk, found: Decided, brand: str) -> DecidedJson:
    return DecidedJson(
        mention=found.mention.id,
        label=found.label or "not us",
        event=found.event,
        case=found.case.public_id if found.case else None,
        left=desk.store.lane.count(brand or None, MANY),
    )
