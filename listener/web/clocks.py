"""A case's promises in words: the chip on a row of the list, and the three clocks on its page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from listener.core.case import Case, Clock

Tone = Literal["calm", "soon", "late", "kept", "missed"]

SOON = 0.75
"""A clock is amber once this part of its span is over."""

ASKS = {"acknowledge": "claim", "reply": "answer", "resolve": "resolve"}
NOUNS = {"acknowledge": "Claim", "reply": "Answer", "resolve": "Resolve"}

_UNITS = (
    (timedelta(minutes=1), timedelta(seconds=1), "s"),
    (timedelta(minutes=90), timedelta(minutes=1), "min"),
    (timedelta(hours=36), timedelta(hours=1), "h"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """What breaks next, in a few words.

    Args:
        words: as in "claim within 12 min" or "answer 5 min late".
        tone: calm, soon (amber) or late (red); never without the words.
        until: when it breaks or broke.
    """

    words: str
    tone: Tone
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One promise of a case and how it stands.

    Args:
        noun: what is promised: Claim, Answer or Resolve.
        words: how it stands, as in "within 12 min", "after 3 min, in time" or "5 min late".
        tone: calm, soon, late, kept or missed.
        until: when it is or was due.
    """

    noun: str
    words: str
    tone: Tone
    until: datetime


def brief_span(length: timedelta) -> str:
    """A length of time in one figure: "45 s", "12 min", "5 h", "3 d"; rounded down, so that nothing is promised."""
    length = abs(length)
    for below, unit, name in _UNITS:
        if length < below:
            return f"{length // unit} {name}"
    return f"{length.days} d"


def late(until: datetime, now: datetime) -> str:
    """How long something is overdue; in the first minute only that it is."""
    return "overdue" if now - until < timedelta(minutes=1) else f"overdue by {brief_span(now - until)}"


def tone_of(since: datetime, until: datetime, now: datetime) -> Tone:
    """How near the end of a span is."""
    if now >= until:
        return "late"
    return "soon" if now - since >= SOON * (until - since) else "calm"


def chip(case: Case, now: datetime) -> Chip | None:
    """What breaks next on a case; None when nothing does."""
    deadline = case.deadline
    if deadline is None:
        return None
    left = brief_span(deadline.until - now)
    if deadline.clock == "return":
        return Chip(words=f"back in {left}" if deadline.until > now else "back now", tone="calm", until=deadline.until)
    if deadline.clock == "silence":
        return Chip(words=f"ends in {left} unless they answer", tone="calm", until=deadline.until)
    tone = tone_of(deadline.since, deadline.until, now)
    ask = ASKS[deadline.clock]
    words = f"{ask} {late(deadline.until, now)}" if tone == "late" else f"{ask} within {left}"
    return Chip(words=words, tone=tone, until=deadline.until)


def dials(case: Case, now: datetime) -> tuple[Dial, ...]:
    """Every promise that was made about a case, and how each stands."""
    since = case.clocks_from or case.opened_at
    made: tuple[tuple[Clock, datetime | None, datetime | None], ...] = (
        ("acknowledge", case.acknowledge_by, case.acknowledged_at),
        ("reply", case.reply_by, case.replied_at),
        ("resolve", case.resolve_by, case.resolved_at),
    )
    return tuple(_dial(case, clock, since, by, at, now) for clock, by, at in made if by)


def _dial(case: Case, clock: Clock, since: datetime, by: datetime, at: datetime | None, now: datetime) -> Dial:
    noun = NOUNS[clock]
    if at is not None and at <= by:
        return Dial(noun=noun, words=f"after {brief_span(at - since)}, in time", tone="kept", until=by)
    if at is not None:
        return Dial(noun=noun, words=f"{brief_span(at - by)} late", tone="missed", until=by)
    if case.status == "resolved":
        # A case that ended without an answer owes none any more.
        return Dial(noun=noun, words="no longer due", tone="calm", until=by)
    tone = tone_of(since, by, now)
    words = late(by, now) if tone == "late" else f"within {brief_span(by - now)}"
    return Dial(noun=noun, words=words, tone=tone, until=by)
