"""Rows of the outbox as nouns: what is claimed, what people read, what was given up. Used by `outbox.py`."""

from __future__ import annotations

from collections.abc import Sequence

from listener.core.delivery import Delivery, Try
from listener.core.notification import Notification
from listener.core.work import DeadRow
from listener.store.engine import Row, from_ms, moment


def notification_of(row: Row, route: str) -> Notification:
    """The notification in a row of the table, with the name of its bundle's route."""
    return Notification(
        id=row["id"],
        bundle=row["bundle_id"],
        route=route,
        channel=row["channel"],
        reason=row["reason"],
        status=row["status"],
        key=row["key"],
        created_at=moment(row["created_at"]),
        attempts=row["attempts"],
    )


def delivery_of(row: Row, tries: Sequence[Row]) -> Delivery:
    """A notification as people read it: its row with the route's name, and its tries."""
    return Delivery(
        id=row["id"],
        channel=row["channel"],
        route=row["route"],
        reason=row["reason"],
        status=row["status"],
        why=row["why"],
        key=row["key"],
        created_at=moment(row["created_at"]),
        due_at=moment(row["due_at"]),
        finished_at=from_ms(row["finished_at"]),
        attempts=row["attempts"],
        last_error=row["last_error"],
        tries=tuple(
            Try(tried_at=moment(t["tried_at"]), took_ms=t["took_ms"], outcome=t["outcome"], error=t["error"])
            for t in tries
        ),
    )


def dead_of(row: Row) -> DeadRow:
    """A notification that was given up, as `listener dead` shows it."""
    return DeadRow(
        kind="notification",
        id=row["id"],
        about=f"{row['reason']} to {row['channel']}",
        error=row["last_error"] or "",
        attempts=row["attempts"],
    )
