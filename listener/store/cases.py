"""Cases and the mentions that joined them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from listener.core.case import Case, Status, case_key, headline, joins
from listener.core.mention import Mention
from listener.core.route import SEVERITIES, Severity, worst
from listener.store.engine import Connections, Row, from_ms, marks, moment, to_ms


def case_of(row: Row) -> Case:
    """The case in a row of the table."""
    return Case(
        id=row["id"],
        public_id=row["public_id"],
        key=row["key"],
        brand=row["brand"],
        route=row["route"],
        reason=row["reason"],
        severity=row["severity"],
        status=row["status"],
        headline=row["headline"],
        author=row["author"],
        opened_at=moment(row["opened_at"]),
        changed_at=moment(row["changed_at"]),
        resolved_at=from_ms(row["resolved_at"]),
        mentions=row["mentions"],
    )


class Cases:
    """Opens, grows and reads cases.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def open_or_grow(
        self, mention: Mention, *, route: str, reason: str, severity: Severity, window: timedelta, now: datetime
    ) -> tuple[Case, bool]:
        """Give a mention its case: the one it is in, an unresolved or lately resolved one of its key, or a new one.

        Args:
            mention: a routed mention.
            route: name of the first route that took it.
            reason: why, in words.
            severity: of the routes that took it; a case is only ever raised.
            window: how long after resolving a new mention reopens the case.
            now: the present.

        Returns:
            The case, and True when it was opened or reopened rather than grown. Call it in a transaction.
        """
        known = self._of_mention(mention.id)
        case = known or self._of_key(case_key(mention))
        if case is None or (known is None and not joins(case, now, window)):
            return self._open(mention, route=route, reason=reason, severity=severity, now=now), True
        if known is None:
            self._join(mention.id, case.id, now)
        row = self._db.write(
            # What raises a case is also what it is shown under.
            "UPDATE cases SET route = CASE WHEN priority > ? THEN ? ELSE route END, "
            "reason = CASE WHEN priority > ? THEN ? ELSE reason END, "
            "status = CASE WHEN status = 'resolved' THEN 'open' ELSE status END, "
            "resolved_at = NULL, severity = ?, priority = ?, headline = ?, changed_at = ?, mentions = mentions + ? "
            "WHERE id = ? RETURNING *",
            (
                SEVERITIES.index(severity),
                route,
                SEVERITIES.index(severity),
                reason,
                *_severity(worst((case.severity, severity))),
                headline(mention),
                to_ms(now),
                int(known is None),
                case.id,
            ),
        )[0]
        return case_of(row), case.status == "resolved"

    def _open(self, mention: Mention, *, route: str, reason: str, severity: Severity, now: datetime) -> Case:
        row = self._db.write(
            "INSERT INTO cases (public_id, key, brand, route, reason, severity, priority, status, headline, author, "
            "opened_at, changed_at, mentions) VALUES (?,?,?,?,?,?,?,'open',?,?,?,?,1) RETURNING *",
            (
                secrets.token_urlsafe(9), case_key(mention), mention.brand, route, reason, *_severity(severity),
                headline(mention), mention.post.author.handle, to_ms(now), to_ms(now),
            ),
        )[0]  # fmt: skip
        self._join(mention.id, row["id"], now)
        return case_of(row)

    def _join(self, mention_id: int, case_id: int, now: datetime) -> None:
        self._db.write(
            "INSERT INTO case_mentions (mention_id, case_id, joined_at) VALUES (?, ?, ?)",
            (mention_id, case_id, to_ms(now)),
        )

    def _of_mention(self, mention_id: int) -> Case | None:
        row = self._db.one(
            "SELECT c.* FROM cases c JOIN case_mentions j ON j.case_id = c.id WHERE j.mention_id = ?", (mention_id,)
        )
        return case_of(row) if row else None

    def _of_key(self, key: str) -> Case | None:
        """The unresolved case of a key, else the one resolved last."""
        row = self._db.one(
            "SELECT * FROM cases WHERE key = ? ORDER BY resolved_at IS NOT NULL, resolved_at DESC LIMIT 1", (key,)
        )
        return case_of(row) if row else None

    def of_mention(self, mention_id: int) -> Case | None:
        """The case a mention belongs to, or None."""
        return self._of_mention(mention_id)

    def find(self, public_id: str) -> Case | None:
        """The case behind a link, or None."""
        row = self._db.one("SELECT * FROM cases WHERE public_id = ?", (public_id,))
        return case_of(row) if row else None

    def unresolved(self, limit: int = 100, offset: int = 0) -> tuple[Case, ...]:
        """Cases that want an answer: the most severe first, then the newest."""
        rows = self._db.read(
            "SELECT * FROM cases WHERE status <> 'resolved' ORDER BY priority, changed_at DESC, id DESC "
            "LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return tuple(case_of(row) for row in rows)

    def page(
        self, *, brand: str | None = None, statuses: Sequence[Status], limit: int = 50, offset: int = 0
    ) -> tuple[Case, ...]:
        """Cases of some statuses: the most severe first, then the newest; of one brand, or of all."""
        rows = self._db.read(
            f"SELECT * FROM cases WHERE status IN ({marks(len(statuses))}) AND (? IS NULL OR brand = ?) "
            "ORDER BY priority, changed_at DESC, id DESC LIMIT ? OFFSET ?",
            (*statuses, brand, brand, limit, offset),
        )
        return tuple(case_of(row) for row in rows)

    def tallies(self) -> dict[tuple[str, str, str], int]:
        """How many cases there are by brand, status and severity."""
        rows = self._db.read("SELECT brand, status, severity, count(*) AS n FROM cases GROUP BY 1, 2, 3")
        return {(row["brand"], row["status"], row["severity"]): row["n"] for row in rows}

    def counts(self) -> dict[str, int]:
        """How many cases are in each status."""
        return {
            row["status"]: row["n"] for row in self._db.read("SELECT status, count(*) AS n FROM cases GROUP BY status")
        }


def _severity(severity: Severity) -> tuple[Severity, int]:
    return severity, SEVERITIES.index(severity)
