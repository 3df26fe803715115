"""A note: what a colleague tells the others about a case or a customer; never public."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from listener.core.errors import Refused

LONGEST_NOTE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note.

    Args:
        id: row id.
        who: the writer's name at that time.
        at: when.
        text: what it says, at most 5,000 characters.
    """

    id: int
    who: str
    at: datetime
    text: str


def note_text(text: str) -> str:
    """The text of a note, fit to be kept.

    Raises:
        Refused: it is empty or too long.
    """
    kept = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()
    if not kept:
        raise Refused("a note needs words")
    if len(kept) > LONGEST_NOTE:
        raise Refused(f"a note has at most {LONGEST_NOTE} characters; this one has {len(kept)}")
    return kept
