"""One-time links by which somebody chooses a password. A link's secret is never kept, only its digest."""

from __future__ import annotations

from datetime import datetime

from listener.core.session import Invitation
from listener.store.engine import Connections, moment, to_ms


class Invitations:
    """Makes, finds and uses up links.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(self, digest: str, colleague_id: int | None, now: datetime, until: datetime) -> None:
        """Keep a new link in the place of those that the same account had; None is the first account's."""
        with self._db.transaction():
            self.void(colleague_id, now)
            self._db.write(
                "INSERT INTO invitations (digest, colleague_id, created_at, expires_at) VALUES (?,?,?,?)",
                (digest, colleague_id, to_ms(now), to_ms(until)),
            )

    def find(self, digest: str, now: datetime) -> Invitation | None:
        """What a link invites to; None when it is unknown, used or too old."""
        row = self._db.one(
            "SELECT * FROM invitations WHERE digest = ? AND used_at IS NULL AND expires_at > ?", (digest, to_ms(now))
        )
        return Invitation(colleague=row["colleague_id"], expires_at=moment(row["expires_at"])) if row else None

    def use(self, digest: str, now: datetime) -> bool:
        """Use a link up; False when somebody did already or it is too old."""
        return bool(
            self._db.write(
                "UPDATE invitations SET used_at = ? WHERE digest = ? AND used_at IS NULL AND expires_at > ? "
                "RETURNING digest",
                (to_ms(now), digest, to_ms(now)),
            )
        )

    def void(self, colleague_id: int | None, now: datetime) -> None:
        """Let an account's links lead nowhere."""
        self._db.write(
            "UPDATE invitations SET used_at = ? WHERE colleague_id IS ? AND used_at IS NULL",
            (to_ms(now), colleague_id),
        )

    def waiting(self, now: datetime) -> dict[int, datetime]:
        """Until when the links of accounts can be used, by the colleague's row id."""
        rows = self._db.read(
            "SELECT colleague_id, expires_at FROM invitations "
            "WHERE colleague_id IS NOT NULL AND used_at IS NULL AND expires_at > ?",
            (to_ms(now),),
        )
        return {row["colleague_id"]: moment(row["expires_at"]) for row in rows}
