"""How far the reading of Mastodon's timelines has got: the cursor of `sources.mastodon`, unpacked. Pure.

Timelines are read forward with `min_id`, from the oldest unread post to the newest, so nothing in between is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from listener.core.query import Cursor

VERSION = 1
BEGINNING = "0"
"""Below every id: what a timeline without any post is read from."""
_FIRST, _LAST = 1_451_606_400_000, 4_102_444_800_000
"""Milliseconds: 2016 to 2100. Ids whose upper bits lie in between tell when their post was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where one timeline stands.

    Args:
        newest: the newest id that a finished walk saw; empty before the first.
        at: the id that the walk under way has reached; empty when none is.
    """

    newest: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The cursor, unpacked.

    Args:
        host: whose ids these are; those of another instance mean nothing here.
        stands: by the name of a timeline: a tag as "#tag", mentions of our account as "@".
        done: timelines that this round has read to their end.
    """

    host: str
    stands: Mapping[str, Stand] = field(default_factory=dict)
    done: tuple[str, ...] = ()

    def cursor(self) -> Cursor:
        """Pack."""
        stands = {name: [stand.newest, stand.at] for name, stand in self.stands.items()}
        return Cursor(json.dumps({"v": VERSION, "host": self.host, "stands": stands, "done": self.done}))

    def next(self, names: Sequence[str]) -> str | None:
        """The timeline to read from next; None at the end of the round."""
        return next((name for name in names if name not in self.done), None)

    def since(self, name: str, overlap: timedelta) -> str:
        """The id to read on from; empty at the first poll, which takes the newest page.

        A finished walk is begun again a little before its end: posts of other instances arrive late, and their ids
        tell when they were written, not when they came.
        """
        stand = self.stands.get(name, Stand())
        return stand.at or back(stand.newest, overlap)

    def went(self, name: str, since: str, ids: Sequence[str], *, more: bool) -> Walk:
        """The next step: the same timeline from the last of these ids on, or another one.

        Args:
            name: the timeline that was read.
            since: where it was read from.
            ids: what was taken, oldest first.
            more: whether there is more of it.
        """
        newest = self.stands.get(name, Stand()).newest
        at = ids[-1] if ids else since
        if more and ids and at != since:
            return replace(self, stands={**self.stands, name: Stand(newest=newest, at=at)})
        stand = Stand(newest=later(newest, at) or BEGINNING)
        return replace(self, stands={**self.stands, name: stand}, done=(*self.done, name))

    def rested(self, names: Sequence[str]) -> Walk:
        """What to remember of a finished round: the timelines that are still read."""
        stands = {name: stand for name, stand in self.stands.items() if name in names}
        return Walk(host=self.host, stands=stands)


def later(one: str, other: str) -> str:
    """The later of two ids: a longer number is larger."""
    return max(one, other, key=lambda id_: (len(id_), id_))


def back(newest: str, overlap: timedelta) -> str:
    """The id that a post written so much earlier would have; the same id where ids tell no time."""
    if not (newest.isascii() and newest.isdecimal()) or not _FIRST < int(newest) >> 16 < _LAST:
        return newest
    return str(int(newest) - (int(overlap.total_seconds() * 1000) << 16))


def unpack(cursor: Cursor | None, host: str) -> Walk:
    """The walk in a cursor; a fresh one for none, for another instance's, or for one we cannot read."""
    try:
        told: Any = json.loads(cursor or "null")
        if told["v"] != VERSION or told["host"] != host:
            return Walk(host=host)
        stands = {str(name): Stand(newest=str(pair[0]), at=str(pair[1])) for name, pair in told["stands"].items()}
        return Walk(host=host, stands=stands, done=tuple(map(str, told["done"])))
    except (ValueError, TypeError, LookupError, AttributeError):
        return Walk(host=host)
