"""What was done, append-only: case histories, the audit log, and what a colleague may still take back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from listener.core.case import Case
from listener.core.event import Actor, Event
from listener.store.engine import Connections, Row, moment, to_ms

Undo = Mapping[str, object]
"""By what an event can be taken back: plain JSON values, made and read by `listener/casework/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """An event that can be taken back while nothing happened to its case since."""

    event: Event
    undo: Undo


class Events:
    """Adds and reads events.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(
        self, actor: Actor, act: str, now: datetime, *, case: Case | None = None,
        subject: str = "", detail: str = "", undo: Undo | None = None, undoes: int | None = None,
    ) -> int:  # fmt: skip
        """Keep an event, in the transaction that does what it tells; gives its row id.

        Args:
            actor: who did it, and by which way.
            act: a verb in the past, see `listener.core.event`.
            now: the present.
            case: the case it is about, as it is after it.
            subject: what else it is about.
            detail: more in words, never a customer's.
            undo: by what it can be taken back.
            undoes: row id of the event that this one takes back.
        """
        colleague = actor.colleague.id if actor.colleague else None
        rows = self._db.write(
            "INSERT INTO events (at, who, colleague_id, via, act, case_id, subject, detail, undoes, undo, version) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
            (
                to_ms(now), actor.name, colleague, actor.via, act, case.id if case else None, subject, detail[:1000],
                undoes, json.dumps(undo) if undo is not None else None, case.version if case else None,
            ),
        )  # fmt: skip
        return int(rows[0]["id"])

    def of_case(self, case_id: int, limit: int = 500) -> tuple[Event, ...]:
        """The newest events of a case, oldest first."""
        rows = self._db.read("SELECT * FROM events WHERE case_id = ? ORDER BY id DESC LIMIT ?", (case_id, limit))
        return tuple(_event_of(row) for row in reversed(rows))

    def of_subject(self, subject: str, limit: int = 100) -> tuple[Event, ...]:
        """The newest events about a subject, newest first."""
        rows = self._db.read(
            "SELECT * FROM events WHERE subject = ? AND subject <> '' ORDER BY id DESC LIMIT ?", (subject, limit)
        )
        return tuple(_event_of(row) for row in rows)

    def page(
        self, *, who: str = "", act: str = "", before: int | None = None, limit: int = 100
    ) -> tuple[tuple[Event, str], ...]:
        """The audit log, newest first: what people and commands did, each with the public id of its case.

        Args:
            who: only what somebody of this name did; empty: everybody.
            act: only this; empty: everything.
            before: only what was done before this event.
            limit: how many at most.
        """
        rows = self._db.read(
            "SELECT e.*, c.public_id FROM events e LEFT JOIN cases c ON c.id = e.case_id WHERE e.via <> 'listener' "
            "AND (?1 = '' OR e.who = ?1) AND (?2 = '' OR e.act = ?2) AND (?3 IS NULL OR e.id < ?3) "
            "ORDER BY e.id DESC LIMIT ?4",
            (who, act, before, limit),
        )
        return tuple((_event_of(row), row["public_id"] or "") for row in rows)

    def since(self, event_id: int, limit: int = 200) -> tuple[tuple[Event, str], ...]:
        """Events after one, oldest first, each with the public id of its case (empty without one)."""
        rows = self._db.read(
            "SELECT e.*, c.public_id FROM events e LEFT JOIN cases c ON c.id = e.case_id "
            "WHERE e.id > ? ORDER BY e.id LIMIT ?",
            (event_id, limit),
        )
        return tuple((_event_of(row), row["public_id"] or "") for row in rows)

    def newest_id(self) -> int:
        """Row id of the newest event; 0 without any."""
        return int(self._db.read("SELECT coalesce(max(id), 0) FROM events")[0][0])

    def undoable(self, event_id: int) -> Undoable | None:
        """An event with what takes it back; None when there is none, it cannot be, or it was taken back before."""
        row = self._db.one(
            "SELECT * FROM events e WHERE id = ? AND undo IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.id)",
            (event_id,),
        )
        if row is None:
            return None
        return Undoable(event=_event_of(row), undo=json.loads(row["undo"]))


def _event_of(row: Row) -> Event:
    return Event(
        id=row["id"],
        at=moment(row["at"]),
        who=row["who"],
        colleague=row["colleague_id"],
        via=row["via"],
        act=row["act"],
        case=row["case_id"],
        subject=row["subject"],
        detail=row["detail"],
        undoes=row["undoes"],
        version=row["version"],
    )
