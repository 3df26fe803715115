"""A saved view: filters of the inbox under a name, a colleague's own."""

from __future__ import annotations

from dataclasses import dataclass

from listener.core.errors import Refused

LONGEST_NAME = 40
MOST_VIEWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A saved view.

    Args:
        name: as its colleague calls it, unique among theirs.
        query: the filters as they stand in the address, as in "view=mine&brand=Acme".
    """

    name: str
    query: str


def view_name(name: str) -> str:
    """The name of a view, fit to be kept.

    Raises:
        Refused: it is empty or too long.
    """
    kept = " ".join(name.encode("utf-8", "replace").decode("utf-8").replace("\0", "").split())
    if not kept:
        raise Refused("a view needs a name")
    if len(kept) > LONGEST_NAME:
        raise Refused(f"a view's name has at most {LONGEST_NAME} characters; this one has {len(kept)}")
    return kept
