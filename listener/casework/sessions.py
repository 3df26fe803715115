"""Which browser belongs to whom: sessions of random secrets, kept as digests, that end by themselves.

The pages ask `find()` for every request; signing in by password is `listener.casework.accounts`.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from listener.core.colleague import Colleague
from listener.core.errors import StoreError
from listener.core.protocols import Clock
from listener.core.session import Session
from listener.store import Store

IDLE = timedelta(hours=12)
"""A session that nobody uses ends after this long."""
LONGEST = timedelta(days=7)
"""Every session ends after this long, however much it is used."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is kept: a page that looks again every few seconds must not write each time."""

BROWSER = 120
"""Characters kept of what a browser calls itself."""


def digest_of(secret: str) -> str:
    """How a secret is kept: SHA-256 in hex, for secrets are random and long enough not to be guessed from it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """Opens, finds and ends sessions.

    Args:
        store: the database.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep both."""
        self._store = store
        self._clock = clock

    def open(self, colleague: Colleague, browser: str = "") -> str:
        """Sign a browser in; gives the secret for its cookie, a new one every time."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        with self._store.transaction():
            self._store.sessions.prune(now - LONGEST, now - IDLE)
            self._store.sessions.open(digest_of(secret), colleague.id, " ".join(browser.split())[:BROWSER], now)
        return secret

    def find(self, secret: str) -> Colleague | None:
        """Whose browser it is; None when the session is unknown, over, or its account closed."""
        found = self._store.sessions.find(digest_of(secret)) if secret else None
        if found is None or not self._stands(found[0]) or found[1].left_at is not None:
            return None
        self._use(found[0])
        return found[1]

    def of(self, colleague: Colleague) -> tuple[Session, ...]:
        """A colleague's sessions that stand, the one used last first."""
        return tuple(session for session in self._store.sessions.of(colleague.id) if self._stands(session))

    def _stands(self, session: Session) -> bool:
        now = self._clock()
        return now - session.seen_at < IDLE and now - session.created_at < LONGEST

    def _use(self, session: Session) -> None:
        now = self._clock()
        if now - session.seen_at < SEEN_EVERY:
            return
        try:
            self._store.sessions.seen(session.digest, now)
        except StoreError:
            # A full disk must not take the pages away, which say that it is full.
            return
