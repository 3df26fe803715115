"""What the page of one case shows, put together from the store; `inbox.py` renders it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from listener.core.call import CAPABILITIES, SOURCE
from listener.core.case import Case
from listener.core.colleague import Colleague, Right
from listener.core.delivery import Delivery
from listener.core.errors import SettingsError
from listener.core.event import Actor
from listener.core.note import Note
from listener.core.protocols import Capabilities
from listener.core.trail import Trail
from listener.registry import adapter
from listener.web.clocks import Chip, Dial, chip, dials
from listener.web.composer import Answered, answered
from listener.web.desk import Desk
from listener.web.history import Line, history

SHOWN = 50
"""Mentions of one case on its page; the rest is a number."""

OPEN = 4
"""So many newest mentions stand open; earlier ones unfold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One case as it is shown.

    Args:
        case: the case.
        holder: who has it; None for nobody.
        chip: what breaks next; None when nothing does.
        dials: every promise and how it stands.
        trails: its mentions in the order of the conversation, the newest last.
        answers: ids of mentions that answer another one of the case.
        deliveries: who was told, oldest first.
        notes: oldest first.
        lines: its history, oldest first.
        places: what each kind of place can and cannot do, by name; None for one that is not installed any more.
        others: names of those who look at it too.
        akin: unresolved cases of the same author.
        rights: what the reader may do here.
        mine: whether the reader's claim is in force.
        held: whether anybody's claim is in force.
        ours: our answers that stand, by the id of the mention after which they come.
    """

    case: Case
    holder: Colleague | None
    chip: Chip | None
    dials: tuple[Dial, ...]
    trails: tuple[Trail, ...]
    answers: frozenset[int]
    deliveries: tuple[Delivery, ...]
    notes: tuple[Note, ...]
    lines: tuple[Line, ...]
    places: Mapping[str, Capabilities | None]
    others: tuple[str, ...]
    akin: tuple[Case, ...]
    rights: Mapping[str, bool]
    mine: bool
    held: bool
    ours: Mapping[int, tuple[Answered, ...]]


def case_page(desk: Desk, case: Case, by: Actor, others: tuple[str, ...] = ()) -> CasePage:
    """Put a case's page together.

    Raises:
        StoreError: the database cannot be read.
    """
    store, now, me = desk.store, desk.clock(), by.colleague
    trails = in_order(store.trails.of_case(case.id, SHOWN))
    deliveries = store.outbox.of_case(case.id)
    held = case.held(now)
    return CasePage(
        case=case,
        holder=next((each for each in store.colleagues.all() if each.id == case.assignee), None),
        chip=chip(case, now),
        dials=dials(case, now),
        trails=trails,
        answers=answers(trails),
        deliveries=deliveries,
        notes=store.notes.of_case(case.id),
        lines=history(case, tuple(reversed(trails)), deliveries, store.events.of_case(case.id), me, now),
        places={name: capabilities(name) for name in sorted({trail.mention.post.source for trail in trails})},
        others=others,
        akin=akin(desk, case),
        rights=rights(me),
        mine=held and me is not None and case.assignee == me.id,
        held=held,
        ours=answered(desk, case, trails),
    )


def in_order(trails: Sequence[Trail]) -> tuple[Trail, ...]:
    """Mentions as the conversation went: by when they were written, else heard."""
    return tuple(
        sorted(trails, key=lambda trail: (trail.mention.post.published_at or trail.mention.seen_at, trail.mention.id))
    )


def answers(trails: Sequence[Trail]) -> frozenset[int]:
    """Ids of the mentions that answer another one of these."""
    known = {trail.mention.post.external_id for trail in trails}
    return frozenset(trail.mention.id for trail in trails if trail.mention.post.in_reply_to in known)


def akin(desk: Desk, case: Case) -> tuple[Case, ...]:
    """Other unresolved cases of the same brand by the same author: what could be merged first of all."""
    voice = desk.store.cases.voice(case.id)
    found = desk.store.cases.of_voices([voice]) if voice else ()
    return tuple(
        other for other in found if other.id != case.id and other.brand == case.brand and other.status != "resolved"
    )


def rights(me: Colleague | None) -> Mapping[str, bool]:
    """What somebody may do with a case."""
    asked: tuple[Right, ...] = ("note", "work", "assign", "correct", "link")
    return {right: me is not None and me.may(right) for right in asked}


@lru_cache(maxsize=64)
def capabilities(source: str) -> Capabilities | None:
    """What a kind of place can and cannot do; None for one that is not installed any more."""
    if source == SOURCE:
        return CAPABILITIES
    try:
        found: Capabilities = adapter("source", source).capabilities
    except SettingsError:
        return None
    return found
