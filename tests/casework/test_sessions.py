"""Sessions and tokens while the database takes nothing in: everybody reads on, and nobody waits in line for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from listener.casework import Sessions, Tokens
from listener.core.errors import StoreError
from listener.core.event import Actor
from listener.store import sessions, tokens
from tests.casework.conftest import Office

LATER = timedelta(minutes=2)


class Locked(sessions.Sessions):
    """Another process holds the lock: each try waits, then fails."""

    tries = 0

    def __init__(self, office: Office, waits: Callable[[], object] = lambda: None) -> None:
        super().__init__(office.store.db)
        self.waits = waits

    def seen(self, digest: str, now: datetime) -> None:
        self.tries += 1
        self.waits()
        raise StoreError("locked")


def test_after_a_failure_nobody_tries_for_a_while(office: Office, ann: Actor, bob: Actor) -> None:
    locked = Locked(office)
    desk = Sessions(replace(office.store, sessions=locked), office.clock)
    secrets = [desk.open(by.colleague) for by in (ann, bob) if by.colleague]
    office.clock.forward(LATER)
    for _ in range(3):
        assert [desk.find(secret) for secret in secrets] == [ann.colleague, bob.colleague]
    assert locked.tries == 1
    office.clock.forward(LATER)
    assert desk.find(secrets[0])
    assert locked.tries == 2


def test_nobody_waits_behind_a_try(office: Office, ann: Actor, bob: Actor) -> None:
    waiting, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        assert go_on.wait(10)

    desk = Sessions(replace(office.store, sessions=Locked(office, wait)), office.clock)
    secrets = [desk.open(by.colleague) for by in (ann, bob) if by.colleague]
    office.clock.forward(LATER)
    first = threading.Thread(target=desk.find, args=(secrets[0],), daemon=True)
    first.start()
    assert waiting.wait(10)
    assert desk.find(secrets[1]) == bob.colleague
    go_on.set()
    first.join(10)


def test_a_token_is_taken_while_its_use_cannot_be_kept(office: Office, ann: Actor) -> None:
    class Full(tokens.Tokens):
        def used(self, token_id: int, now: datetime) -> None:
            raise StoreError("full")

    desk = Tokens(replace(office.store, tokens=Full(office.store.db)), office.clock)
    _, secret = desk.make(ann, "robot", {"read"}, timedelta(days=1))
    assert desk.find(secret)


@pytest.mark.parametrize("passed", [timedelta(seconds=59), timedelta(minutes=1)])
def test_the_last_use_is_kept_to_the_minute(office: Office, ann: Actor, passed: timedelta) -> None:
    assert ann.colleague
    desk = Sessions(office.store, office.clock)
    secret = desk.open(ann.colleague)
    opened = office.clock()
    office.clock.forward(passed)
    assert desk.find(secret)
    [session] = desk.of(ann.colleague)
    assert session.seen_at == (opened if passed < timedelta(minutes=1) else office.clock())
