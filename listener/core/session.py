"""The ways in: a browser that is signed in, a one-time link, a program's token. None of them holds its secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from listener.core.colleague import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in.

    Args:
        digest: of the cookie's secret; the secret itself is kept nowhere.
        colleague: row id of who signed in.
        browser: what the browser called itself, cut to a line; anything may stand there.
        created_at: when they signed in.
        seen_at: when the browser last asked for something, to the minute.
    """

    digest: str
    colleague: int
    browser: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time link by which somebody chooses a password.

    Args:
        colleague: row id of the account; None: the first one is still to be made.
        expires_at: until when it can be used.
    """

    colleague: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a program shows to use the API.

    Args:
        id: row id.
        colleague: row id of whose name it works in.
        prefix: its first letters, by which people tell tokens apart.
        name: what it is for, in its owner's words.
        rights: what it may do, and never more than its owner.
        created_at: when it was made.
        expires_at: when it ends by itself.
        used_at: when it was last used, to the minute; None: never.
        revoked_at: when it was taken back; None: it was not.
    """

    id: int
    colleague: int
    prefix: str
    name: str
    rights: frozenset[Right]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return self.revoked_at is None and now < self.expires_at
