"""Who signs in: accounts, sessions, one-time links and tokens. Secrets are kept as digests only."""

from __future__ import annotations

from datetime import datetime

from listener.core.colleague import Colleague, Role
from listener.core.errors import Refused
from listener.store.engine import Connections, Row, from_ms, moment, to_ms


class Colleagues:
    """Adds and reads accounts.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(self, handle: str, name: str, role: Role, now: datetime) -> Colleague:
        """Make an account without a password.

        Raises:
            Refused: somebody has that handle.
        """
        rows = self._db.write(
            "INSERT INTO colleagues (handle, name, role, created_at) VALUES (?,?,?,?) "
            "ON CONFLICT DO NOTHING RETURNING *",
            (handle, name, role, to_ms(now)),
        )
        if not rows:
            raise Refused(f"somebody signs in as {handle} already", resource=handle)
        return colleague_of(rows[0])

    def get(self, colleague_id: int) -> Colleague:
        """The colleague of a row id that is known to be there."""
        return colleague_of(self._db.read("SELECT * FROM colleagues WHERE id = ?", (colleague_id,))[0])

    def find(self, handle: str) -> Colleague | None:
        """The colleague who signs in under a handle, whatever its case."""
        row = self._db.one("SELECT * FROM colleagues WHERE handle = ?", (handle,))
        return colleague_of(row) if row else None

    def all(self) -> tuple[Colleague, ...]:
        """Every account, closed ones too, by name."""
        return tuple(colleague_of(row) for row in self._db.read("SELECT * FROM colleagues ORDER BY name, id"))


def colleague_of(row: Row) -> Colleague:
    """The colleague in a row of the table."""
    return Colleague(
        id=row["id"],
        handle=row["handle"],
        name=row["name"],
        role=row["role"],
        on_duty=bool(row["on_duty"]),
        shortcuts=bool(row["shortcuts"]),
        created_at=moment(row["created_at"]),
        left_at=from_ms(row["left_at"]),
    )
