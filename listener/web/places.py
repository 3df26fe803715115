"""Where we listen and how that goes: the operator's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from listener.core.place import PlaceHealth
from listener.web.auth import MayRead
from listener.web.pages import Pages

OUTCOMES: Mapping[str, str] = {
    "stored": "new",
    "edited": "edited",
    "duplicate": "known already",
    "unmatched": "about no brand",
    "rejected": "unreadable",
    "overflowed": "edited too often",
}
"""Outcomes of the ledger in words; together they are what was fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """A place with its ledger in words: what was fetched, and what became of it."""

    place: PlaceHealth
    fetched: int
    ledger: tuple[tuple[str, int], ...]

    @property
    def standing(self) -> str:
        """off, down, new (never answered yet) or up."""
        if not self.place.enabled:
            return "off"
        if self.place.down_since:
            return "down"
        return "up" if self.place.polled_at else "new"


def place_row(place: PlaceHealth) -> PlaceRow:
    """Put a place's ledger into words, in a fixed order; outcomes that never happened are left out."""
    known = [outcome for outcome in OUTCOMES if place.tallies.get(outcome)]
    other = sorted(outcome for outcome in place.tallies if outcome not in OUTCOMES)
    return PlaceRow(
        place=place,
        fetched=sum(place.tallies.values()),
        ledger=tuple((OUTCOMES.get(outcome, outcome), place.tallies[outcome]) for outcome in (*known, *other)),
    )


def add_places(web: FastAPI, pages: Pages) -> None:
    """Serve `/places`."""
    desk = pages.desk

    @web.get("/places", include_in_schema=False)
    def places(by: MayRead) -> HTMLResponse:
        found = [place_row(place) for place in desk.store.places.health()]
        # What needs a hand comes first; within that, by name.
        order = ("down", "new", "up", "off")
        return pages.show(
            "places.html",
            by=by,
            rows=sorted(found, key=lambda row: order.index(row.standing)),
            waiting=desk.store.mentions.counts(),
            oldest=desk.store.trails.oldest_waiting("judge"),
        )
