"""How far a walk through Hacker News' search has got: the cursor of `sources.hackernews`, unpacked. Pure.

Results come newest first; a walk goes back, term by term and page by page, to the floor that is surely known.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from listener.core.query import Cursor

VERSION = 1
OVERLAP = 10 * 60
SWEEP = 48 * 3600
SWEEP_EVERY = 24 * 3600
REACH = 1_000
"""The index shows no more results than this for one search; then the search is narrowed in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The cursor, unpacked; moments are seconds since 1970, as the index counts.

    Args:
        terms: what is searched for; other terms start anew, so that a new one sees its last 48 hours.
        newest: latest post seen by a finished walk; 0 before the first.
        swept: when the last sweep began.
        term: number of the term being walked; -1 when no walk is under way.
        floor: the walk goes back to here.
        count: results a request.
        page: page of results to ask for next.
        until: upper bound where the first 1,000 results were not all; 0: none.
        asked: requests for the present term so far.
        top: latest post seen by the walk under way.
    """

    terms: tuple[str, ...] = ()
    newest: int = 0
    swept: int = 0
    term: int = -1
    floor: int = 0
    count: int = 0
    page: int = 0
    until: int = 0
    asked: int = 0
    top: int = 0

    def cursor(self) -> Cursor:
        """Pack."""
        return Cursor(json.dumps({"v": VERSION, **asdict(self)}, sort_keys=True))

    def begun(self, terms: tuple[str, ...], now: int, count: int) -> Walk:
        """The walk to go on with, or a new one from the right floor, asking for `count` results at once."""
        if self.term >= 0 and self.terms == terms:
            return self
        fresh = Walk(terms=terms, newest=self.newest, swept=self.swept, term=0, count=count)
        if not self.newest or self.terms != terms:
            return replace(fresh, floor=now - SWEEP, swept=now)
        if now - self.swept >= SWEEP_EVERY:
            return replace(fresh, floor=min(self.newest, now) - SWEEP, swept=now)
        return replace(fresh, floor=self.newest - OVERLAP)

    def ended(self) -> Walk:
        """What to remember of a finished walk."""
        return Walk(terms=self.terms, newest=max(self.newest, self.top, self.floor), swept=self.swept)

    def next(self, moments: Sequence[int], got: int, pages: int, limit: int, now: int) -> tuple[Walk, str | None]:
        """The next step: an older page of this term, or the next term; and the gap, where results stay unread.

        Args:
            moments: when the results on this page were published.
            got: how many results were on it.
            pages: how many pages the index says there are; 0 when it does not.
            limit: most requests for a term.
            now: a date in the future would put the next floor there and hide everything until then.
        """
        walk = replace(self, top=min(max([self.top, *moments]), now), asked=self.asked + 1)
        next_term = replace(walk, term=walk.term + 1, page=0, until=0, asked=0)
        deep = (walk.page + 1) * walk.count >= REACH
        if got < walk.count or not moments or (pages and walk.page + 1 >= pages and not deep):
            return next_term, None
        stuck = deep and min(moments) == walk.until
        if stuck or walk.asked >= limit:
            oldest = datetime.fromtimestamp(min(moments), UTC).isoformat()
            return next_term, f"page limit reached for {walk.terms[walk.term]!r}: older than {oldest} was not read"
        if deep:
            return replace(walk, page=0, until=min(moments)), None
        return replace(walk, page=walk.page + 1), None


def unpack(cursor: Cursor | None) -> Walk:
    """The walk in a cursor; a fresh one for none or for one we cannot read."""
    try:
        told: Any = json.loads(cursor or "null")
        if told["v"] != VERSION:
            return Walk()
        numbers: dict[str, Any] = {f.name: int(told[f.name]) for f in fields(Walk) if f.name != "terms"}
        return Walk(**numbers, terms=tuple(map(str, told["terms"])))
    except (ValueError, TypeError, LookupError):
        return Walk()
