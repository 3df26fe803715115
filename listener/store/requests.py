"""What waits for a colleague, as the outbox tells it: put with the act that asks, read again when it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from listener.core.case import Case
from listener.core.notification import Request, RequestKind
from listener.core.route import SEVERITIES
from listener.store.engine import Connections, from_ms, to_ms

REQUESTS = "requests"
"""Stands where a route's name stands in what tells of a request."""
_MARK = "request|"


class Requests:
    """Puts notifications of requests.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def put(self, kind: RequestKind, subject: str, case: Case, channels: Sequence[str], now: datetime) -> None:
        """Let channels know of a request, once each while it is not told. Call it in the transaction that asks.

        Args:
            kind: what is asked.
            subject: public id of the answer or the remedy.
            case: to which it belongs.
            channels: their names.
            now: the present.
        """
        if not channels:
            return
        bundle = self._db.write(
            "INSERT INTO bundles (key, route, opened_at) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET route = excluded.route RETURNING id",
            (f"{_MARK}{kind}|{subject}", REQUESTS, to_ms(now)),
        )[0]["id"]
        for channel in dict.fromkeys(channels):
            # One that was not told yet tells the request as it is then; another beside it would say the same twice.
            rows = self._db.write(
                "INSERT INTO notifications (bundle_id, channel, reason, status, key, created_at, repeat_ms, step, "
                "due_at, priority) SELECT ?, ?, 'asked', 'pending', ?, ?, 0, 'send', ?, ? WHERE NOT EXISTS (SELECT 1 "
                "FROM notifications WHERE bundle_id = ? AND channel = ? AND step IS NOT NULL) RETURNING id",
                (
                    bundle, channel, secrets.token_hex(8), to_ms(now), to_ms(now), SEVERITIES.index(case.severity),
                    bundle, channel,
                ),
            )  # fmt: skip
            for row in rows:
                self._db.write("INSERT INTO notification_cases VALUES (?, ?)", (row["id"], case.id))


_WAITING = {
    "advice": "SELECT r.state = 'asked' AS waits, r.asked_until AS until, w.name AS asker, a.name AS asked "
    "FROM replies r JOIN colleagues w ON w.id = r.writer_id LEFT JOIN colleagues a ON a.id = r.asked_of "
    "WHERE r.public_id = ?",
    "review": "SELECT r.state = 'in review' AS waits, NULL AS until, s.name AS asker, NULL AS asked "
    "FROM replies r LEFT JOIN colleagues s ON s.id = r.sent_by WHERE r.public_id = ?",
    "remedy": "SELECT r.state = 'proposed' AS waits, NULL AS until, g.name AS asker, NULL AS asked "
    "FROM remedies r JOIN colleagues g ON g.id = r.given_by WHERE r.public_id = ?",
}


def request_of(db: Connections, bundle: str, cases: Sequence[Case]) -> Request | None:
    """The request that a bundle is about, as it is now; None for every other bundle.

    Args:
        db: the connections.
        bundle: its key.
        cases: those of the notification.
    """
    kind, _, subject = bundle.removeprefix(_MARK).partition("|")
    if not bundle.startswith(_MARK) or kind not in _WAITING or not cases:
        return None
    row = db.one(_WAITING[kind], (subject,))
    return Request(
        kind=kind,  # type: ignore[arg-type]
        brand=cases[0].brand,
        severity=cases[0].severity,
        asker=(row["asker"] or "") if row else "",
        asked=(row["asked"] or "") if row else "",
        until=from_ms(row["until"]) if row else None,
        waits=bool(row and row["waits"]),
        url="",
    )
