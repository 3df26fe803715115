"""Cases as programs read them: the shapes of the JSON, and how they are made. Row ids of cases stay inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from listener.core.case import Case, Clock
from listener.core.delivery import Delivery, Try
from listener.core.event import Event
from listener.core.note import Note
from listener.core.sentiment import Probabilities, Sentiment
from listener.core.trail import Revision, Trail
from listener.web.words import link


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineJson:
    """What breaks next, or when a snooze ends (`return`)."""

    clock: Clock
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJson:
    """A case. `assignee` is a colleague's handle; `version` grows with each change."""

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
    version: int
    assignee: str | None
    claimed_until: datetime | None
    snoozed_until: datetime | None
    outcome: str | None
    deadline: DeadlineJson | None
    acknowledge_by: datetime | None
    reply_by: datetime | None
    resolve_by: datetime | None
    acknowledged_at: datetime | None
    replied_at: datetime | None


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
    """A mention with what was decided about it; probabilities are those of the text alone, before stars.

    What is private is never quoted in public.
    """

    id: int
    source: str
    place: str
    kind: str
    private: bool
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
class NoteJson:
    """A note, never public."""

    id: int
    who: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventJson:
    """One thing that was done with a case."""

    id: int
    at: datetime
    who: str
    via: str
    act: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWholeJson:
    """A case with its mentions, newest first, and who was told, what was noted and done, oldest first.

    `merged_into` is the case that took it in; null for most.
    """

    case: CaseJson
    merged_into: str | None
    mentions: list[MentionJson]
    deliveries: list[DeliveryJson]
    notes: list[NoteJson]
    events: list[EventJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneJson:
    """What an act came to: the case as it is now, and the event by which it can be taken back for ten minutes."""

    case: CaseJson
    event: int


def case_json(case: Case, handles: Mapping[int, str]) -> CaseJson:
    """A case as programs read it.

    Args:
        case: the case.
        handles: of colleagues, by row id.
    """
    deadline = case.deadline
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
        version=case.version,
        assignee=None if case.assignee is None else handles.get(case.assignee),
        claimed_until=case.claimed_until,
        snoozed_until=case.snoozed_until,
        outcome=case.outcome,
        deadline=DeadlineJson(clock=deadline.clock, since=deadline.since, until=deadline.until) if deadline else None,
        acknowledge_by=case.acknowledge_by,
        reply_by=case.reply_by,
        resolve_by=case.resolve_by,
        acknowledged_at=case.acknowledged_at,
        replied_at=case.replied_at,
    )


def mention_json(trail: Trail) -> MentionJson:
    """A mention as programs read it."""
    mention, post = trail.mention, trail.mention.post
    return MentionJson(
        id=mention.id,
        source=post.source,
        place=mention.place,
        kind=post.kind,
        private=post.private,
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


def delivery_json(delivery: Delivery) -> DeliveryJson:
    """A notification as programs read it."""
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


def note_json(note: Note) -> NoteJson:
    """A note as programs read it."""
    return NoteJson(id=note.id, who=note.who, at=note.at, text=note.text)


def event_json(event: Event) -> EventJson:
    """An event as programs read it."""
    return EventJson(id=event.id, at=event.at, who=event.who, via=event.via, act=event.act, detail=event.detail)
