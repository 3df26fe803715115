"""The staff's pages: the list of cases, and one case with all that led to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from listener.core.case import Case, Status, Wanted
from listener.core.delivery import Delivery, Try
from listener.core.mention import Mention
from listener.core.trail import Trail
from listener.web.auth import MayRead
from listener.web.desk import Store
from listener.web.pages import Pages

ROWS = 40
SHOWN = 50
"""Mentions of one case on its page; the rest is a number."""

View = Literal["unresolved", "open", "acknowledged", "snoozed", "resolved"]

VIEWS: Mapping[View, tuple[Status, ...]] = {
    "unresolved": ("open", "acknowledged", "snoozed"),
    "open": ("open",),
    "acknowledged": ("acknowledged",),
    "snoozed": ("snoozed",),
    "resolved": ("resolved",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many cases there are, cut the ways the list offers."""

    brands: Mapping[str, int]
    views: Mapping[View, int]
    severities: Mapping[str, int]

    @property
    def any(self) -> bool:
        """Whether there ever was a case."""
        return bool(self.views["unresolved"] or self.views["resolved"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a case's history; `tone` is good, bad or empty."""

    at: datetime
    what: str
    detail: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """How things stand when no case is on the page."""

    judged: int
    waiting: int


def tally(counts: Mapping[tuple[str, str, str], int], brand: str, view: View) -> Tally:
    """Count cases by brand within the view, by view within the brand, and by severity within both."""
    brands: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for (of_brand, status, severity), n in counts.items():
        brands[of_brand] += n if status in VIEWS[view] else 0
        if not brand or brand == of_brand:
            statuses[status] += n
            severities[severity] += n if status in VIEWS[view] else 0
    return Tally(
        brands=dict(sorted(brands.items())),
        views={name: sum(statuses[status] for status in found) for name, found in VIEWS.items()},
        severities=severities,
    )


def timeline(case: Case, trails: Sequence[Trail], deliveries: Sequence[Delivery]) -> tuple[Event, ...]:
    """A case's history, oldest first: what was said, heard, decided and told."""
    events: list[Event] = []
    # The sort below is stable: at equal times what led to the case stands before it.
    for trail in reversed(trails):
        events += _heard(trail)
        if trail.joined_at and trail.joined_at != case.opened_at:
            events.append(Event(at=trail.joined_at, what=f"{trail.mention.post.kind.capitalize()} joined the case"))
    events.append(Event(at=case.opened_at, what="Case opened"))
    for delivery in deliveries:
        events += [_tried(delivery, one) for one in delivery.tries]
    if case.resolved_at:
        events.append(Event(at=case.resolved_at, what="Resolved", tone="good"))
    return tuple(sorted(events, key=lambda event: event.at))


def _heard(trail: Trail) -> Iterator[Event]:
    mention = trail.mention
    post = mention.post
    kind = post.kind.capitalize()
    first = trail.revisions[0].seen_at if trail.revisions else mention.seen_at
    if post.published_at and first - post.published_at > timedelta(minutes=2):
        yield Event(at=post.published_at, what=f"{kind} published", detail=f"on {post.source}")
    yield Event(at=first, what=f"{kind} heard", detail=f"at {mention.place}")
    if trail.revisions:
        yield Event(at=mention.seen_at, what=f"{kind} edited by its author")
    if trail.judged_at and mention.sentiment:
        mood = mention.sentiment
        sure = "" if mood.certainty == "confident" else ", unsure"
        yield Event(at=trail.judged_at, what=f"Judged {mood.label}{sure}", detail=f"by {mood.scorer}")


def _tried(delivery: Delivery, one: Try) -> Event:
    if one.outcome == "accepted":
        return Event(at=one.tried_at, what=f"{delivery.channel} told", detail=delivery.why or "", tone="good")
    if one.outcome == "dropped":
        return Event(at=one.tried_at, what=f"{delivery.channel} no longer told", detail=one.error or "")
    return Event(at=one.tried_at, what=f"{delivery.channel} could not be told", detail=one.error or "", tone="bad")


def rows(store: Store, cases: Sequence[Case]) -> tuple[tuple[Case, Mention | None], ...]:
    """Cases with their newest mention."""
    newest = store.trails.newest_of([case.id for case in cases])
    return tuple((case, newest.get(case.id)) for case in cases)


def _quiet(store: Store) -> Quiet:
    waiting = store.mentions.counts()
    return Quiet(judged=sum(store.trends.totals().values()), waiting=waiting.get("judge", 0) + waiting.get("route", 0))


def add_inbox(web: FastAPI, pages: Pages) -> None:
    """Serve `/cases` and `/cases/{id}`."""
    desk = pages.desk

    @web.get("/cases", include_in_schema=False)
    def cases(by: MayRead, brand: str = "", status: View = "unresolved", page: int = 1) -> HTMLResponse:
        page = max(1, min(page, 10_000))
        found = desk.store.cases.page(
            Wanted(brand=brand or None, statuses=VIEWS[status]), limit=ROWS + 1, offset=(page - 1) * ROWS
        )
        return pages.show(
            "cases.html",
            by=by,
            tally=tally(desk.store.cases.tallies(), brand, status),
            rows=rows(desk.store, found[:ROWS]),
            more=len(found) > ROWS,
            quiet=None if found else _quiet(desk.store),
            brand=brand,
            view=status,
            page=page,
        )

    @web.get("/cases/{public_id}", include_in_schema=False)
    def case(by: MayRead, public_id: str) -> HTMLResponse:
        found = desk.store.cases.find(public_id)
        if found is None:
            raise HTTPException(404)
        trails = desk.store.trails.of_case(found.id, SHOWN)
        deliveries = desk.store.outbox.of_case(found.id)
        return pages.show(
            "case.html",
            by=by,
            case=found,
            trails=trails,
            deliveries=deliveries,
            events=timeline(found, trails, deliveries),
        )
