"""Until when a case is put aside: the choices of the menu. Pure. All times are UTC until colleagues have zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from listener.core.errors import Refused

Choice = Literal["1h", "3h", "tomorrow", "monday", "custom"]

CHOICES: tuple[tuple[Choice, str], ...] = (
    ("1h", "for 1 hour"),
    ("3h", "for 3 hours"),
    ("tomorrow", "until tomorrow, 9:00 UTC"),
    ("monday", "until next Monday, 9:00 UTC"),
)

MORNING = 9
MONDAY = 0


def snooze_end(choice: Choice, at: str, now: datetime) -> datetime:
    """The time at which a snooze ends.

    Args:
        choice: of the menu.
        at: for "custom": a date and time as in "2026-11-15T14:05", in UTC unless it says otherwise.
        now: the present.

    Raises:
        Refused: the custom time is none.
    """
    if choice == "1h":
        return now + timedelta(hours=1)
    if choice == "3h":
        return now + timedelta(hours=3)
    today = now.astimezone(UTC).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if choice == "tomorrow":
        return today + timedelta(days=1)
    if choice == "monday":
        return today + timedelta(days=(MONDAY - today.weekday() - 1) % 7 + 1)
    try:
        chosen = datetime.fromisoformat(at.strip())
    except ValueError:
        raise Refused("say when it is to come back, as a date and a time") from None
    return in_utc(chosen)


def in_utc(moment: datetime) -> datetime:
    """A time as it was said, in UTC unless it says otherwise.

    Raises:
        Refused: it lies before the year 1 or after 9999 there.
    """
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise Refused("no calendar has that time") from None
