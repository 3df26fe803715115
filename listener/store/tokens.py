"""What programs show to use the API. A token is never kept, only its digest and its first letters."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from listener.core.colleague import Colleague, Right, rights_of
from listener.core.session import Token
from listener.store.colleagues import colleague_of
from listener.store.engine import Connections, Row, from_ms, moment, to_ms


class Tokens:
    """Keeps, finds and revokes tokens.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(
        self, digest: str, prefix: str, colleague_id: int, name: str, rights: Collection[Right], now: datetime,
        until: datetime,
    ) -> Token:  # fmt: skip
        """Keep a new token."""
        rows = self._db.write(
            "INSERT INTO tokens (digest, prefix, colleague_id, name, rights, created_at, expires_at) "
            "VALUES (?,?,?,?,?,?,?) RETURNING *",
            (digest, prefix, colleague_id, name, "\n".join(sorted(rights)), to_ms(now), to_ms(until)),
        )
        return _token_of(rows[0])

    def find(self, digest: str) -> tuple[Token, Colleague] | None:
        """A token with whose it is; an outdated or revoked one too."""
        row = self._db.one("SELECT * FROM tokens WHERE digest = ?", (digest,))
        if row is None:
            return None
        owner = self._db.one("SELECT * FROM colleagues WHERE id = ?", (row["colleague_id"],))
        return (_token_of(row), colleague_of(owner)) if owner else None

    def of(self, colleague_id: int) -> tuple[Token, ...]:
        """A colleague's tokens, the newest first; outdated and revoked ones too."""
        rows = self._db.read("SELECT * FROM tokens WHERE colleague_id = ? ORDER BY id DESC", (colleague_id,))
        return tuple(_token_of(row) for row in rows)

    def used(self, token_id: int, now: datetime) -> None:
        """Note that a token was used; a power failure may forget it."""
        with self._db.transaction(durable=False):
            self._db.write("UPDATE tokens SET used_at = ? WHERE id = ?", (to_ms(now), token_id))

    def revoke(self, token_id: int, now: datetime) -> None:
        """Take a token back for good."""
        self._db.write("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (to_ms(now), token_id))


def _token_of(row: Row) -> Token:
    return Token(
        id=row["id"],
        colleague=row["colleague_id"],
        prefix=row["prefix"],
        name=row["name"],
        rights=rights_of(row["rights"].split()),
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        used_at=from_ms(row["used_at"]),
        revoked_at=from_ms(row["revoked_at"]),
    )
