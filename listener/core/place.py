"""What is remembered of a place between two polls, and the pure rules of its schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from listener.core.query import Cursor

LONGEST_PAUSE = timedelta(hours=6)
"""The longest pause after failures: a place that came back is heard again within half a day at worst."""

LONGEST_WAIT = timedelta(hours=24)
"""The longest pause another side may ask of us, as in miniflux; a `Retry-After` of a year is a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTurn:
    """A claimed place: what the next poll needs to know.

    Args:
        name: the place.
        cursor: the place reached; None at the start.
        first_poll: whether it was never polled to the end before.
        failures: failed polls in a row.
        down_since: since when; None while it answers.
    """

    name: str
    cursor: Cursor | None
    first_poll: bool
    failures: int
    down_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHealth:
    """How a place fares, for its page, for metrics and for `/readyz`.

    Args:
        name: the place.
        source: its kind.
        enabled: whether it is polled at all.
        polled_at: last answer.
        nonempty_at: last answer with posts in it.
        due_at: next poll.
        failures: failed polls in a row.
        down_since: None while it answers.
        last_error: why it is down.
        gap: why posts may be missing, if they may.
        listening_since: since when its streams ring for what comes; None where one of them does not, or it has none.
        not_listening: why a stream that is wanted does not stand.
        tallies: the ledger: outcome to number of posts.
        held_back: mentions that were counted as history and alerted nobody.
        held_back_complaints: how many of them are negative.
    """

    name: str
    source: str
    enabled: bool
    polled_at: datetime | None
    nonempty_at: datetime | None
    due_at: datetime | None
    failures: int
    down_since: datetime | None
    last_error: str | None
    gap: str | None
    listening_since: datetime | None = None
    not_listening: str | None = None
    tallies: Mapping[str, int] = field(default_factory=dict)
    held_back: int = 0
    held_back_complaints: int = 0


def pause_after(every: timedelta, wait: timedelta | None, spread: float) -> timedelta:
    """The pause after an answer: the place's own or the longer one it asked for, capped, with a tenth of jitter.

    Args:
        every: the place's own pause.
        wait: what the other side asked for, or None.
        spread: a random number 0..1.
    """
    asked = min(LONGEST_WAIT, wait or timedelta())
    return max(every * (0.95 + 0.1 * spread), asked)


def pause_after_failure(every: timedelta, failures: int, retry_after: float | None, spread: float) -> timedelta:
    """The pause after a failed poll: doubling from the place's own pause, full jitter over its upper half.

    Args:
        every: the place's own pause.
        failures: failed polls in a row, this one included.
        retry_after: seconds the other side asked for, or None.
        spread: a random number 0..1.
    """
    doubled: timedelta = min(LONGEST_PAUSE, max(every, timedelta(seconds=5)) * int(2 ** min(failures - 1, 12)))
    return max(doubled * (0.5 + 0.5 * spread), asked_wait(retry_after))


def asked_wait(seconds: float | None) -> timedelta:
    """The wait another side asked for, within 0 and `LONGEST_WAIT`; nonsense counts as nothing."""
    if seconds is None or math.isnan(seconds):
        return timedelta()
    return timedelta(seconds=min(LONGEST_WAIT.total_seconds(), max(0.0, seconds)))
