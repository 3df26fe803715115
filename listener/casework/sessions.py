"""Signing in and out: which browser belongs to whom. Secrets are random, kept as digests, and end by themselves.

The pages ask `find()` for every request; who may have an account at all is `listener.casework.accounts`.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from listener.casework.passwords import Passwords
from listener.core.colleague import Colleague
from listener.core.errors import Refused, StoreError, TooOften
from listener.core.event import Actor
from listener.core.session import Session
from listener.core.tools import Clock
from listener.store import Store

IDLE = timedelta(hours=12)
"""A session that nobody uses ends after this long."""
LONGEST = timedelta(days=7)
"""Every session ends after this long, however much it is used."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is kept: a page that looks again every few seconds must not write each time."""

PER_ADDRESS = 20
"""Failed sign-ins an hour from one address."""
PER_HANDLE = 10
"""Failed sign-ins an hour under one handle."""

BROWSER = 120
"""Characters kept of what a browser calls itself."""

WRONG = "that handle and that password do not belong together"


def digest_of(secret: str) -> str:
    """How a secret is kept: SHA-256 in hex, for secrets are random and too long to be guessed from it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def about(colleague: Colleague) -> str:
    """How the log names a colleague as what an event is about."""
    return f"colleague {colleague.handle}"


class Uses:
    """Keeps when a session or token was used last, now and then; pages are read whatever becomes of it.

    A full disk or a locked database must not take the pages away. A try waits seconds for the lock, so of many
    requests one tries, and after a failure none does for a while.

    Args:
        clock: says the present.
    """

    def __init__(self, clock: Clock) -> None:
        """Nothing failed yet."""
        self._clock = clock
        self._turn = threading.Lock()
        self._failed_at: datetime | None = None

    def keep(self, before: datetime | None, write: Callable[[datetime], None]) -> None:
        """Keep that something is used, unless that is known well enough.

        Args:
            before: the last use that is known.
            write: keeps the present one.
        """
        now = self._clock()
        lately = any(at is not None and now - at < SEEN_EVERY for at in (before, self._failed_at))
        if lately or not self._turn.acquire(blocking=False):
            return
        try:
            write(now)
        except StoreError:
            self._failed_at = now
        finally:
            self._turn.release()


class Sessions:
    """Opens, finds and ends sessions.

    Args:
        store: the database.
        clock: says the present.
        passwords: hashes.
    """

    def __init__(self, store: Store, clock: Clock, passwords: Passwords | None = None) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self.passwords = passwords or Passwords()
        self._uses = Uses(clock)

    def sign_in(self, handle: str, password: str, *, address: str, browser: str) -> str:
        """Sign somebody in; gives the secret for the browser's cookie.

        Unknown handles, closed accounts and wrong passwords take the same time and get the same words.

        Raises:
            TooOften: from that address or under that handle; nothing was compared.
            Refused: handle and password do not belong together.
        """
        wanted = handle.strip().lower()
        buckets = ((f"sign-in from {address}", PER_ADDRESS), (f"sign-in as {digest_of(wanted)}", PER_HANDLE))
        self.count(buckets)
        colleague = self._store.colleagues.find(wanted)
        if colleague is not None and colleague.left_at is not None:
            colleague = None
        written = self._store.colleagues.password(colleague.id) if colleague else None
        if not self.passwords.fits(password, written) or colleague is None or written is None:
            self._failed(colleague, address)
            raise Refused(WRONG)
        self.uncount(buckets)
        fresh = self.passwords.write(password) if self.passwords.outdated(written) else None
        with self._store.transaction():
            if self._store.colleagues.password(colleague.id) != written:
                raise Refused(WRONG)  # Changed, or the account closed, while it was compared.
            if fresh:
                self._store.colleagues.set_password(colleague.id, fresh)
            self._tell(colleague, "signed in", f"from {address}")
            return self.open(colleague, browser)

    def open(self, colleague: Colleague, browser: str = "") -> str:
        """Keep a browser signed in; gives the secret for its cookie, a new one every time."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        shown = "".join(character for character in browser if character.isprintable())[:BROWSER]
        with self._store.transaction():
            self._store.sessions.prune(now - LONGEST, now - IDLE)
            self._store.sessions.open(digest_of(secret), colleague.id, shown, now)
        return secret

    def find(self, secret: str) -> Colleague | None:
        """Whose browser it is; None when the session is unknown, over, or its account closed."""
        found = self._store.sessions.find(digest_of(secret)) if secret else None
        if found is None or not self._stands(found[0]) or found[1].left_at is not None:
            return None
        self._uses.keep(found[0].seen_at, lambda now: self._store.sessions.seen(found[0].digest, now))
        return found[1]

    def of(self, colleague: Colleague) -> tuple[Session, ...]:
        """A colleague's sessions that stand, the one used last first."""
        return tuple(session for session in self._store.sessions.of(colleague.id) if self._stands(session))

    def sign_out(self, secret: str) -> None:
        """End a session; one that is over already is no mistake."""
        found = self._store.sessions.find(digest_of(secret))
        if found is not None:
            with self._store.transaction():
                self._store.sessions.end(digest_of(secret))
                self._tell(found[1], "signed out")

    def end_all(self, colleague: Colleague) -> None:
        """End every session of one's own."""
        with self._store.transaction():
            n = self._store.sessions.end_all(colleague.id)
            self._tell(colleague, "sessions ended", f"{n} of them")

    def count(self, buckets: tuple[tuple[str, int], ...]) -> None:
        """Count a try in each bucket, of which each takes so many an hour.

        Raises:
            TooOften: one is full.
        """
        wait = max(self._store.limits.take(bucket, hourly, self._clock()) for bucket, hourly in buckets)
        if wait:
            minutes = -int(-wait // 60)
            raise TooOften(
                f"that was tried too often; try again in {minutes} minute{'' if minutes == 1 else 's'}", wait=wait
            )

    def uncount(self, buckets: tuple[tuple[str, int], ...]) -> None:
        """Take a try back that was no guess."""
        for bucket, hourly in buckets:
            self._store.limits.give_back(bucket, hourly, self._clock())

    def _failed(self, colleague: Colleague | None, address: str) -> None:
        """Keep that somebody failed; never what they typed, for people type passwords into the wrong field."""
        nobody = Actor(colleague=None, via="page")
        subject = about(colleague) if colleague else "an unknown handle"
        self._store.events.add(nobody, "sign-in failed", self._clock(), subject=subject, detail=f"from {address}")

    def _tell(self, colleague: Colleague, act: str, detail: str = "") -> None:
        by = Actor(colleague=colleague, via="page")
        self._store.events.add(by, act, self._clock(), subject=about(colleague), detail=detail)

    def _stands(self, session: Session) -> bool:
        now = self._clock()
        return now - session.seen_at < IDLE and now - session.created_at < LONGEST
