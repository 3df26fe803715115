"""What colleagues tell each other about a case or a customer; never public."""

from __future__ import annotations

from datetime import datetime

from listener.core.note import Note
from listener.store.engine import Connections, Row, moment, to_ms


class Notes:
    """Adds, takes back and reads notes.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(
        self, text: str, *, colleague: int | None, who: str, now: datetime, case: int | None = None,
        customer: int | None = None,
    ) -> int:  # fmt: skip
        """Keep a note on a case or on a customer; gives its row id."""
        rows = self._db.write(
            "INSERT INTO notes (case_id, customer_id, colleague_id, who, at, text) VALUES (?,?,?,?,?,?) RETURNING id",
            (case, customer, colleague, who, to_ms(now), text),
        )
        return int(rows[0]["id"])

    def take_back(self, note_id: int, now: datetime) -> None:
        """Show a note no longer."""
        self._db.write("UPDATE notes SET gone_at = ? WHERE id = ?", (to_ms(now), note_id))

    def of_case(self, case_id: int) -> tuple[Note, ...]:
        """The notes on a case, oldest first."""
        rows = self._db.read("SELECT * FROM notes WHERE case_id = ? AND gone_at IS NULL ORDER BY id", (case_id,))
        return tuple(_note_of(row) for row in rows)

    def of_customer(self, customer_id: int) -> tuple[Note, ...]:
        """The notes on a customer, oldest first."""
        rows = self._db.read(
            "SELECT * FROM notes WHERE customer_id = ? AND gone_at IS NULL ORDER BY id", (customer_id,)
        )
        return tuple(_note_of(row) for row in rows)


def _note_of(row: Row) -> Note:
    return Note(id=row["id"], who=row["who"], at=moment(row["at"]), text=row["text"])
