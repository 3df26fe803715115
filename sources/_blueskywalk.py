"""How far a walk through Bluesky's newest-first lists has got: the cursor of `sources.bluesky`, unpacked. Pure.

A track is one list: the account's notifications, or the search for one term. A walk goes back through each, page by
page by the server's own tokens, to the floor that is surely known; only a finished walk moves the floor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from listener.core.query import Cursor

VERSION = 1
OVERLAP = 10 * 60 * 1000
SWEEP = 48 * 3600 * 1000
SWEEP_EVERY = 24 * 3600 * 1000
MENTIONS = "notifications"
"""The track of who speaks to the account; every other track is a search."""
PAGES = 20
"""Requests for one track in one walk, of up to 100 posts each, before the rest is given up with a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The cursor, unpacked; moments are milliseconds since 1970, as the network counts.

    Args:
        tracks: what is walked through; others start anew, so that a new one sees its last 48 hours.
        newest: latest post seen by a finished walk; 0 before the first.
        swept: when the last sweep of 48 hours began.
        track: number of the track being walked; -1 when no walk is under way.
        floor: the walk goes back to here.
        token: what the server gave to go on with; empty at the top.
        asked: requests for the present track so far.
        top: latest post seen by the walk under way.
    """

    tracks: tuple[str, ...] = ()
    newest: int = 0
    swept: int = 0
    track: int = -1
    floor: int = 0
    token: str = ""
    asked: int = 0
    top: int = 0

    def cursor(self) -> Cursor:
        """Pack."""
        return Cursor(json.dumps({"v": VERSION, **asdict(self)}, sort_keys=True))

    def begun(self, tracks: tuple[str, ...], now: int) -> Walk:
        """The walk to go on with, or a new one from the right floor."""
        if self.track >= 0 and self.tracks == tracks:
            return self
        fresh = Walk(tracks=tracks, newest=self.newest, swept=self.swept, track=0)
        if not self.newest or self.tracks != tracks:
            return replace(fresh, floor=now - SWEEP, swept=now)
        if now - self.swept >= SWEEP_EVERY:
            return replace(fresh, floor=min(self.newest, now) - SWEEP, swept=now)
        return replace(fresh, floor=self.newest - OVERLAP)

    def question(self, count: int) -> tuple[str, dict[str, str | tuple[str, ...]], str]:
        """What to ask next for about `count` entries: the method, its parameters, and what the answer calls them."""
        track = self.tracks[self.track]
        params: dict[str, str | tuple[str, ...]] = {"limit": str(count)}
        if self.token:
            params["cursor"] = self.token
        if track == MENTIONS:
            # The account's own setting may hide strangers, and strangers complain.
            reasons = ("mention", "reply", "quote")
            return (
                "app.bsky.notification.listNotifications",
                params | {"reasons": reasons, "priority": "false"},
                MENTIONS,
            )
        since = datetime.fromtimestamp(self.floor / 1000, UTC).isoformat(timespec="milliseconds")
        params |= {"q": track.removeprefix("search "), "sort": "latest", "since": since.replace("+00:00", "Z")}
        return "app.bsky.feed.searchPosts", params, "posts"

    def afresh(self) -> Walk:
        """The same track from its top again: a token does not live for ever."""
        return replace(self, token="")

    def ended(self) -> Walk:
        """What to remember of a finished walk."""
        return Walk(tracks=self.tracks, newest=max(self.newest, self.top, self.floor), swept=self.swept)

    def next(self, moments: Sequence[int], token: str, now: int) -> tuple[Walk, str | None]:
        """The next step: an older page of this track, or the next track; and the gap, where posts stay unread.

        Args:
            moments: when the entries on this page became visible. All must be below the floor before the walk
                ends: the network sorts by the date an author claims where that is older.
            token: what the server gave for the next page; empty where there is none.
            now: a date in the future would put the next floor there and hide everything until then.
        """
        walk = replace(self, top=min(max([self.top, *moments]), now), asked=self.asked + 1)
        onward = replace(walk, track=walk.track + 1, token="", asked=0)
        if not token or token == self.token or (moments and max(moments) <= walk.floor):
            return onward, None
        reached = token_moment(token)
        if reached is not None and reached <= walk.floor:
            return onward, None
        if walk.asked >= PAGES:
            oldest = f": older than {datetime.fromtimestamp(min(moments) / 1000, UTC).isoformat()}" if moments else ""
            return onward, f"page limit reached for {walk.tracks[walk.track]}{oldest} was not read"
        return replace(walk, token=token), None


def named_tracks(mentions: bool, terms: Iterable[str]) -> tuple[str, ...]:
    """What to walk through: the notifications where they are wanted, and each term once, phrases in quotes."""
    words = {" ".join(term.replace('"', " ").split()) for term in terms} - {""}
    # Case stays as written, for servers that mind it; two writings of one word are asked for once.
    distinct = {word.casefold(): word for word in sorted(words, reverse=True)}
    quoted = [word if re.fullmatch(r"\w+", word) else f'"{word}"' for _, word in sorted(distinct.items())]
    return (*([MENTIONS] if mentions else []), *(f"search {word}" for word in quoted))


def token_moment(token: str) -> int | None:
    """The moment a notification token names; None for another token. It ends walks over pages without a mention."""
    try:
        return int(datetime.fromisoformat(token).timestamp() * 1000) if "T" in token else None
    except (ValueError, OverflowError):
        return None


def unpack(cursor: Cursor | None) -> Walk:
    """The walk in a cursor; a fresh one for none or for one we cannot read."""
    try:
        told: Any = json.loads(cursor or "null")
        if told["v"] != VERSION:
            return Walk()
        numbers: dict[str, Any] = {f.name: int(told[f.name]) for f in fields(Walk) if f.name not in ("tracks", "token")}
        return Walk(**numbers, tracks=tuple(map(str, told["tracks"])), token=str(told["token"]))
    except (ValueError, TypeError, LookupError):
        return Walk()
