"""Browsers that are signed in. A cookie's secret is never kept, only its digest."""

from __future__ import annotations

from datetime import datetime

from listener.core.colleague import Colleague
from listener.core.session import Session
from listener.store.colleagues import colleague_of
from listener.store.engine import Connections, Row, moment, to_ms


class Sessions:
    """Opens, finds and ends sessions.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def open(self, digest: str, colleague_id: int, browser: str, now: datetime) -> None:
        """Keep a new session."""
        self._db.write(
            "INSERT INTO sessions (digest, colleague_id, browser, created_at, seen_at) VALUES (?,?,?,?,?)",
            (digest, colleague_id, browser, to_ms(now), to_ms(now)),
        )

    def find(self, digest: str) -> tuple[Session, Colleague] | None:
        """The session behind a cookie with whose it is; an outdated one too."""
        row = self._db.one("SELECT * FROM sessions WHERE digest = ?", (digest,))
        if row is None:
            return None
        owner = self._db.one("SELECT * FROM colleagues WHERE id = ?", (row["colleague_id"],))
        return (_session_of(row), colleague_of(owner)) if owner else None

    def of(self, colleague_id: int) -> tuple[Session, ...]:
        """A colleague's sessions, the one used last first; outdated ones too."""
        rows = self._db.read(
            "SELECT * FROM sessions WHERE colleague_id = ? ORDER BY seen_at DESC, digest", (colleague_id,)
        )
        return tuple(_session_of(row) for row in rows)

    def seen(self, digest: str, now: datetime) -> None:
        """Note that a session was used; a power failure may forget it."""
        with self._db.transaction(durable=False):
            self._db.write("UPDATE sessions SET seen_at = ? WHERE digest = ?", (to_ms(now), digest))

    def end(self, digest: str) -> None:
        """Forget a session; one that is gone already is no mistake."""
        self._db.write("DELETE FROM sessions WHERE digest = ?", (digest,))

    def end_all(self, colleague_id: int, but: str = "") -> int:
        """Forget a colleague's sessions, but perhaps one; gives how many there were."""
        gone = self._db.write(
            "DELETE FROM sessions WHERE colleague_id = ? AND digest <> ? RETURNING digest", (colleague_id, but)
        )
        return len(gone)

    def prune(self, opened_before: datetime, seen_before: datetime) -> None:
        """Forget what is too old to be of use."""
        self._db.write(
            "DELETE FROM sessions WHERE created_at <= ? OR seen_at <= ?", (to_ms(opened_before), to_ms(seen_before))
        )


def _session_of(row: Row) -> Session:
    return Session(
        digest=row["digest"],
        colleague=row["colleague_id"],
        browser=row["browser"],
        created_at=moment(row["created_at"]),
        seen_at=moment(row["seen_at"]),
    )
