"""What may be taken back: one's own act, while it is fresh, once. Cases, customers and calls ask here."""

from __future__ import annotations

from datetime import datetime, timedelta

from listener.core.errors import Refused
from listener.core.event import Actor, Event
from listener.store.events import Undoable

UNDO_FOR = timedelta(minutes=10)
"""A page offers to take an act back for seconds; who reads more slowly, or without scripts, has this long."""


def own(event: Event, by: Actor) -> bool:
    """Whether somebody did it themselves."""
    return by.colleague is not None and event.colleague == by.colleague.id


def taken_back(found: Undoable | None, by: Actor, now: datetime, *, part: str, instead: str) -> Undoable:
    """The event, if it may be taken back.

    Args:
        found: what the log knows of it; None when it cannot be taken back, or was.
        by: who wants to.
        now: the present.
        part: what its undo must speak of, as in "case".
        instead: what can be done once it is too late, in words.

    Raises:
        Refused: there is no such act of theirs, or it is too long ago.
    """
    if found is None or not own(found.event, by) or part not in found.undo:
        raise Refused("there is nothing of yours to take back there")
    if now - found.event.at > UNDO_FOR:
        raise Refused(f"that is too long ago to take back; {instead}")
    return found
