"""The pages' twins as JSON, for programs. Ids are the opaque ones of links; row ids never leave the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from listener.core.case import Case, Wanted
from listener.core.delivery import Delivery, Try
from listener.core.place import PlaceHealth
from listener.core.sentiment import Probabilities, Sentiment
from listener.core.trail import Revision, Trail
from listener.web.auth import MayRead
from listener.web.desk import Desk
from listener.web.inbox import VIEWS, View
from listener.web.pages import address
from listener.web.words import link

ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJson:
    """A case."""

    id: str
    brand: str
    status: str
    severity: str
    headline: str
    author: str
    route: str
    reason: str
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None
    mentions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesJson:
    """A page of cases; `next` is the address of the next page, null on the last one."""

    cases: list[CaseJson]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionJson:
    """An earlier state of an edited post."""

    seen_at: datetime
    title: str
    text: str
    rating: float | None
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionJson:
    """A mention with what was decided about it; probabilities are those of the text alone, before stars."""

    source: str
    place: str
    kind: str
    url: str | None
    author: str
    author_name: str
    title: str
    text: str
    rating: float | None
    published_at: datetime | None
    seen_at: datetime
    arrival: str
    arrival_reason: str
    queries: list[str]
    words: list[str]
    sentiment: Sentiment | None
    probabilities: Probabilities | None
    routes: list[str]
    routed_why: str | None
    revisions: list[RevisionJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryJson:
    """A notification about the case, with its tries."""

    channel: str
    route: str
    reason: str
    status: str
    why: str | None
    key: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    tries: list[Try]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWholeJson:
    """A case with its mentions, newest first, and who was told, oldest first."""

    case: CaseJson
    mentions: list[MentionJson]
    deliveries: list[DeliveryJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesJson:
    """Every place, by name."""

    places: list[PlaceHealth]


def _case(case: Case) -> CaseJson:
    return CaseJson(
        id=case.public_id,
        brand=case.brand,
        status=case.status,
        severity=case.severity,
        headline=case.headline,
        author=case.author,
        route=case.route,
        reason=case.reason,
        opened_at=case.opened_at,
        changed_at=case.changed_at,
        resolved_at=case.resolved_at,
        mentions=case.mentions,
    )


def _mention(trail: Trail) -> MentionJson:
    mention, post = trail.mention, trail.mention.post
    return MentionJson(
        source=post.source,
        place=mention.place,
        kind=post.kind,
        url=link(post.url),
        author=post.author.handle,
        author_name=post.author.name,
        title=post.title,
        text=post.text,
        rating=post.rating,
        published_at=post.published_at,
        seen_at=mention.seen_at,
        arrival=mention.arrival,
        arrival_reason=mention.arrival_reason,
        queries=list(mention.queries),
        words=list(mention.words),
        sentiment=mention.sentiment,
        probabilities=trail.verdict.probabilities if trail.verdict else None,
        routes=list(trail.routes),
        routed_why=trail.routed_why,
        revisions=[_revision(revision) for revision in trail.revisions],
    )


def _revision(revision: Revision) -> RevisionJson:
    return RevisionJson(
        seen_at=revision.seen_at,
        title=revision.title,
        text=revision.text,
        rating=revision.rating,
        label=revision.verdict.label if revision.verdict else None,
    )


def _delivery(delivery: Delivery) -> DeliveryJson:
    return DeliveryJson(
        channel=delivery.channel,
        route=delivery.route,
        reason=delivery.reason,
        status=delivery.status,
        why=delivery.why,
        key=delivery.key,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
        finished_at=delivery.finished_at,
        tries=list(delivery.tries),
    )


def add_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/`."""

    @web.get("/api/v1/cases")
    def list_cases(by: MayRead, brand: str = "", status: View = "unresolved", page: int = 1) -> CasesJson:
        page = max(1, min(page, 10_000))
        found = desk.store.cases.page(
            Wanted(brand=brand or None, statuses=VIEWS[status]), limit=ROWS + 1, offset=(page - 1) * ROWS
        )
        following = address("/api/v1/cases", brand=brand, status=status, page=page + 1)
        return CasesJson(cases=[_case(case) for case in found[:ROWS]], next=following if len(found) > ROWS else None)

    @web.get("/api/v1/cases/{public_id}")
    def show_case(by: MayRead, public_id: str) -> CaseWholeJson:
        found = desk.store.cases.find(public_id)
        if found is None:
            raise HTTPException(404)
        return CaseWholeJson(
            case=_case(found),
            mentions=[_mention(trail) for trail in desk.store.trails.of_case(found.id)],
            deliveries=[_delivery(delivery) for delivery in desk.store.outbox.of_case(found.id)],
        )

    @web.get("/api/v1/places")
    def list_places(by: MayRead) -> PlacesJson:
        return PlacesJson(places=list(desk.store.places.health()))
