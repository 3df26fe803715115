"""The pages' twins as JSON, for programs: reading. What they may do is in `api_acts.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from listener.core.place import PlaceHealth
from listener.web.api_cases import (
    CasesJson,
    CaseWholeJson,
    case_json,
    delivery_json,
    event_json,
    mention_json,
    note_json,
)
from listener.web.auth import MayRead
from listener.web.desk import Desk
from listener.web.inbox import Asked

ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesJson:
    """Every place, by name."""

    places: list[PlaceHealth]


def handles(desk: Desk) -> Mapping[int, str]:
    """Colleagues' handles by row id."""
    return {each.id: each.handle for each in desk.store.colleagues.all()}


def add_api(web: FastAPI, desk: Desk) -> None:
    """Serve what programs read below `/api/v1/`."""

    @web.get("/api/v1/cases")
    def list_cases(by: MayRead, asked: Asked) -> CasesJson:
        wanted = asked.wanted(by.colleague, desk.store.colleagues.all())
        found = desk.store.cases.page(wanted, limit=ROWS + 1, offset=(asked.page - 1) * ROWS)
        following = asked.to("/api/v1/cases", page=asked.page + 1)
        names = handles(desk)
        return CasesJson(
            cases=[case_json(case, names) for case in found[:ROWS]], next=following if len(found) > ROWS else None
        )

    @web.get("/api/v1/cases/{public_id}")
    def show_case(by: MayRead, public_id: str) -> CaseWholeJson:
        found = desk.store.cases.find(public_id)
        if found is None:
            raise HTTPException(404)
        into = None if found.merged_into is None else desk.store.cases.get(found.merged_into).public_id
        return CaseWholeJson(
            case=case_json(found, handles(desk)),
            merged_into=into,
            mentions=[mention_json(trail) for trail in desk.store.trails.of_case(found.id)],
            deliveries=[delivery_json(delivery) for delivery in desk.store.outbox.of_case(found.id)],
            notes=[note_json(note) for note in desk.store.notes.of_case(found.id)],
            events=[event_json(event) for event in desk.store.events.of_case(found.id)],
        )

    @web.get("/api/v1/places")
    def list_places(by: MayRead) -> PlacesJson:
        return PlacesJson(places=list(desk.store.places.health()))
