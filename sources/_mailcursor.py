"""How far a mailbox was read: the cursor of `imap.py`, written and read back, and what to ask for next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from listener.core.query import Cursor

WINDOW = 20_000
"""UIDs asked for at once: a server lists what it finds in one line, which must not grow without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The place reached in a folder.

    Args:
        validity: UIDVALIDITY that the UIDs belong to; 0 before the first poll.
        uid: the last one that was read or passed over.
        at: when this was written: a folder made anew is read from a day before.
        since: while a folder made anew is read again: the day from which on.
        tries: how often the mail after `uid` could not be fetched.
    """

    validity: int = 0
    uid: int = 0
    at: datetime | None = None
    since: date | None = None
    tries: int = 0

    def cursor(self) -> Cursor:
        """As text."""
        kept: dict[str, object] = {"v": 1, "validity": self.validity, "uid": self.uid}
        if self.at is not None:
            kept["at"] = self.at.isoformat(timespec="seconds")
        if self.since is not None:
            kept["since"] = self.since.isoformat()
        if self.tries:
            kept["tries"] = self.tries
        return Cursor(json.dumps(kept))


def unpack(cursor: Cursor | None) -> Reached:
    """What a cursor says; nothing when there is none, or none that is understood."""
    try:
        kept: dict[str, Any] = json.loads(cursor or "{}")
        if kept.get("v") != 1:
            return Reached()
        at, since = kept.get("at"), kept.get("since")
        return Reached(
            validity=int(kept["validity"]),
            uid=int(kept["uid"]),
            at=datetime.fromisoformat(at).astimezone(UTC) if at else None,
            since=date.fromisoformat(since) if since else None,
            tries=int(kept.get("tries", 0)),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Reached()


def anew(reached: Reached, validity: int, now: datetime) -> Reached:
    """Where to begin in a folder that was made anew: the day before the last poll."""
    since = ((reached.at or now) - timedelta(days=1)).date()
    return Reached(validity=validity, since=since)


def after(client: Any, reached: Reached, upto: int | None) -> tuple[list[int], bool]:
    """The UIDs after the place reached, ascending, some at least when there are any; and whether these are all.

    Args:
        client: has the folder open.
        reached: the place.
        upto: the last UID there can be; None where the server does not say.
    """
    found: list[int] = []
    low, window = reached.uid + 1, WINDOW
    while not found and (upto is None or low <= upto):
        high = "*" if upto is None else str(min(upto, low + window - 1))
        asked: list[object] = ["UID", f"{low}:{high}"]
        if reached.since is not None:
            asked += ["SINCE", reached.since]
        # `n:*` holds the last mail even where its UID is below n (RFC 3501, 6.4.8).
        found = sorted(uid for uid in client.search(asked) if uid > reached.uid)
        if upto is None:
            return found, True
        low, window = low + window, window * 2
    return found, upto is None or low > upto


def newest(client: Any, exist: int, most: int) -> list[int]:
    """The UIDs of the newest mails, ascending.

    Args:
        client: has the folder open.
        exist: how many mails are there.
        most: how many are wanted.
    """
    # A bare number in a search is a position, not a UID.
    return sorted(client.search(f"{max(1, exist - most + 1)}:*")) if exist else []
