"""Who signs in: accounts and the digests of their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from listener.core.colleague import Colleague, Role
from listener.core.errors import Refused
from listener.store.engine import Connections, Row, from_ms, moment, to_ms


class Colleagues:
    """Adds, reads and changes accounts.

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

    def any(self) -> bool:
        """Whether there is an account at all."""
        return self._db.one("SELECT 1 FROM colleagues LIMIT 1") is not None

    def admins(self) -> int:
        """How many open accounts of admins have a password."""
        rows = self._db.read(
            "SELECT count(*) FROM colleagues WHERE role = 'admin' AND left_at IS NULL AND password IS NOT NULL"
        )
        return int(rows[0][0])

    def change(self, colleague: Colleague) -> Colleague:
        """Write an account as it is to be.

        Raises:
            Refused: somebody else has its handle.
        """
        other = self.find(colleague.handle)
        if other is not None and other.id != colleague.id:
            raise Refused(f"somebody signs in as {colleague.handle} already", resource=colleague.handle)
        self._db.write(
            "UPDATE colleagues SET handle = ?, name = ?, role = ?, on_duty = ?, shortcuts = ?, left_at = ? "
            "WHERE id = ?",
            (
                colleague.handle, colleague.name, colleague.role, colleague.on_duty, colleague.shortcuts,
                to_ms(colleague.left_at) if colleague.left_at else None, colleague.id,
            ),
        )  # fmt: skip
        return replace(colleague, only=None)

    def password(self, colleague_id: int) -> str | None:
        """The hash of a colleague's password in its written form; None until one was chosen."""
        row = self._db.one("SELECT password FROM colleagues WHERE id = ?", (colleague_id,))
        return str(row["password"]) if row and row["password"] else None

    def set_password(self, colleague_id: int, written: str | None) -> None:
        """Keep the hash of a password; None: until a new one is chosen, nobody signs in."""
        self._db.write("UPDATE colleagues SET password = ? WHERE id = ?", (written, colleague_id))

    def used(self) -> Mapping[int, datetime | None]:
        """When each colleague who chose a password was last seen here, by row id; None: not of late."""
        rows = self._db.read(
            "SELECT c.id, (SELECT max(seen_at) FROM sessions s WHERE s.colleague_id = c.id) AS seen "
            "FROM colleagues c WHERE c.password IS NOT NULL"
        )
        return {row["id"]: from_ms(row["seen"]) for row in rows}


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
