"""API tokens: made by a colleague for a program, with some of their own rights, for a year at most, shown once."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from listener.casework.sessions import Uses, about, digest_of
from listener.core.colleague import Colleague, Right, name_of
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.session import Token
from listener.core.tools import Clock
from listener.store import Store

BEGINS = "lst_"
"""By which a token that leaked is found, by people and by scanners of published code."""
SHOWN = len(BEGINS) + 4
LONGEST = timedelta(days=365)
MOST = 20
"""Tokens of one colleague that can be used at the same time."""


class Tokens:
    """Makes, finds and revokes tokens.

    Args:
        store: the database.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep both."""
        self._store = store
        self._clock = clock
        self._uses = Uses(clock)

    def make(self, by: Actor, name: str, rights: Collection[Right], lasts: timedelta) -> tuple[Token, str]:
        """Make a token; gives it with its secret, which is never shown again.

        Raises:
            Refused: it would allow nothing, more than its maker may, or for too long; or there are too many.
        """
        me, now = _maker(by), self._clock()
        allowed = frozenset(rights)
        if not allowed:
            raise Refused("choose at least one thing that the token may do")
        if not all(me.may(right) for right in allowed):
            raise Refused("a token may never do more than its maker")
        if not timedelta(0) < lasts <= LONGEST:
            raise Refused(f"a token lasts {LONGEST.days} days at most")
        if sum(token.stands(now) for token in self.of(me)) >= MOST:
            raise Refused(f"there are {MOST} tokens already; revoke one first")
        secret = BEGINS + secrets.token_urlsafe(32)
        with self._store.transaction():
            token = self._store.tokens.add(
                digest_of(secret), secret[:SHOWN], me.id, name_of(name), allowed, now, now + lasts
            )
            detail = f"{token.name} ({token.prefix}...) for {', '.join(sorted(allowed))}"
            self._store.events.add(by, "token made", now, subject=about(me), detail=detail)
        return token, secret

    def find(self, secret: str) -> Colleague | None:
        """In whose name a program works, with the token's rights alone; None when the token is worth nothing."""
        found = self._store.tokens.find(digest_of(secret)) if secret.startswith(BEGINS) else None
        if found is None or not found[0].stands(self._clock()) or found[1].left_at is not None:
            return None
        self._uses.keep(found[0].used_at, lambda now: self._store.tokens.used(found[0].id, now))
        return replace(found[1], only=found[0].rights)

    def of(self, colleague: Colleague) -> tuple[Token, ...]:
        """A colleague's tokens, the newest first; outdated and revoked ones too."""
        return self._store.tokens.of(colleague.id)

    def revoke(self, by: Actor, token_id: int) -> None:
        """Take back a token of one's own.

        Raises:
            Refused: there is no such token.
        """
        me, now = _maker(by), self._clock()
        token = next((token for token in self.of(me) if token.id == token_id and token.revoked_at is None), None)
        if token is None:
            raise Refused("there is no such token of yours")
        with self._store.transaction():
            self._store.tokens.revoke(token_id, now)
            detail = f"{token.name} ({token.prefix}...)"
            self._store.events.add(by, "token revoked", now, subject=about(me), detail=detail)


def _maker(by: Actor) -> Colleague:
    if by.colleague is None or by.colleague.only is not None:
        raise Refused("tokens are made and revoked by a colleague who is signed in")
    return by.colleague
