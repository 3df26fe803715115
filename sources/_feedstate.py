"""What a feed place remembers between two polls (its cursor), and how long it should pause.

Pure; `sources.feed` calls it. The validators of an answer are kept together, since half of a pair from another
answer makes servers say "not modified" of what we never saw.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta

from listener.core.query import Cursor, Query
from listener.core.tools import Answer
from listener.http import LONGEST_WAIT, http_date, retry_after

VERSION = 1
WHOLE_EVERY = 86_400.0
MOVES = 3
MOVE_TIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The cursor of a feed place, unpacked.

    Args:
        feed: the configured address; another one makes the rest worthless.
        needs: digest of the queries that listened; a new query must see what the feed still shows.
        etag: validator of the last whole answer.
        modified: the other validator of the same answer.
        body: digest of that answer's body; some servers never change their validators, some always do.
        ttl: minutes that the feed asked not to be read again, as written.
        whole: when that answer came, seconds since 1970.
        taken: entries of that body that were handed over; 0 when all were.
        moved_to: where permanent redirects lead.
        moved_since: when they were first seen to lead there, ISO 8601.
        moves: how many polls in a row they led there.
        address: where we ask after permanent redirects held for a day; empty: the configured address.
    """

    feed: str
    needs: str
    etag: str = ""
    modified: str = ""
    body: str = ""
    ttl: str = ""
    whole: float = 0.0
    taken: int = 0
    moved_to: str = ""
    moved_since: str = ""
    moves: int = 0
    address: str = ""

    def cursor(self) -> Cursor:
        """Pack."""
        told = {name: value for name, value in asdict(self).items() if value}
        return Cursor(json.dumps({"v": VERSION, **told}, sort_keys=True))

    def validators(self, now: datetime) -> dict[str, str]:
        """The headers of a conditional request; none while part of a body is still to be handed over.

        Once a day the whole feed is asked for: servers whose validators count in seconds (WordPress) say "not
        modified" when a second post appears within the second of the first.
        """
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        if self.taken or now.timestamp() - self.whole >= WHOLE_EVERY:
            return {}
        return {name: value for name, value in told.items() if value}

    def merged(self, headers: Mapping[str, str]) -> State:
        """After 304: whatever validator the server sent anew."""
        return replace(
            self,
            etag=headers.get("etag", self.etag),
            modified=headers.get("last-modified", self.modified),
        )

    def read(self, headers: Mapping[str, str], now: datetime, taken: int = 0) -> State:
        """After a whole answer: its validators, both or neither."""
        etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
        return replace(self, etag=etag, modified=modified, whole=now.timestamp(), taken=taken)

    def followed(self, moved_to: str | None, now: datetime) -> State:
        """Count a permanent redirect; after three over a day its target is asked directly.

        A redirect that is undone earlier, as after a mistake at the server, changes nothing for good.
        """
        if moved_to is None:
            return replace(self, moved_to="", moved_since="", moves=0)
        if moved_to != self.moved_to:
            return replace(self, moved_to=moved_to, moved_since=now.isoformat(), moves=1)
        moves = self.moves + 1
        if moves >= MOVES and now - datetime.fromisoformat(self.moved_since) >= MOVE_TIME:
            return replace(self, address=moved_to, moved_to="", moved_since="", moves=0)
        return replace(self, moves=moves)


def unpack(cursor: Cursor | None, feed: str, needs: Sequence[Query]) -> State:
    """The state in a cursor; a fresh one for none, for another feed's, or for one we cannot read."""
    fresh = State(feed=feed, needs=digest(repr(sorted((q.name, q.terms, q.exclude) for q in needs)).encode()))
    try:
        told = json.loads(cursor or "null")
        if not isinstance(told, dict) or told.get("v") != VERSION or told.get("feed") != feed:
            return fresh
        known = {field.name: told[field.name] for field in fields(State) if field.name in told}
        state = State(**{"needs": "", **known})
        _ = state.whole + state.taken + state.moves
        if state.moved_since:
            datetime.fromisoformat(state.moved_since)
    except (ValueError, TypeError):
        return fresh
    if state.needs == fresh.needs:
        return state
    return replace(state, needs=fresh.needs, etag="", modified="", body="", taken=0)


def digest(data: bytes) -> str:
    """A short name for bytes."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def pause(answer: Answer, ttl: str, now: datetime) -> timedelta | None:
    """The longest pause that the feed or its server asks for, at most a day; None when neither asks.

    Args:
        answer: whose headers are read: Cache-Control, Expires, Retry-After.
        ttl: the feed's own wish in minutes, as written.
        now: our moment, used when the server sends no date.
    """
    headers = answer.headers
    control = headers.get("cache-control", "").lower()
    seconds = [retry_after(headers, now) or 0.0]
    if re.fullmatch(r"\d{1,6}", ttl):
        seconds.append(int(ttl) * 60.0)
    age = re.search(r"max-age\s*=\s*\"?(\d{1,9})", control)
    expires = http_date(headers.get("expires", ""))
    if "no-cache" in control or "no-store" in control:
        pass
    elif age:
        seconds.append(float(age[1]))
    elif expires:
        seconds.append((expires - (http_date(headers.get("date", "")) or now)).total_seconds())
    longest = min(max(seconds), LONGEST_WAIT)
    return timedelta(seconds=longest) if longest > 0 else None
