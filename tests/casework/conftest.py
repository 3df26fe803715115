"""A store with one case, four colleagues and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from listener.casework import Casework
from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.event import Actor
from listener.core.work import Routed
from listener.store import Store, open_store
from listener.testing import START, FakeClock
from tests.kit import add_posts, judge_as, make_post, open_case

LEASE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where colleagues work."""

    store: Store
    clock: FakeClock
    work: Casework

    def hire(self, name: str, role: Role = "agent") -> Actor:
        """A colleague at a page."""
        colleague = self.store.colleagues.add(name.lower(), name, role, self.clock())
        return Actor(colleague=colleague, via="page")

    def case(self, external_id: str = "1", author: str = "") -> Case:
        """A judged and counted mention in the case of its author, by default one that nobody else is."""
        return self.heard(external_id, author or f"author-{external_id}")[0]

    def heard(self, external_id: str, author: str) -> tuple[Case, bool]:
        """An author says something: the case it joins, and whether that opened."""
        add_posts(self.store, make_post(external_id, author=author))
        judge_as(self.store, self.store.mentions.claim("judge", 1, self.clock()))
        [mention] = self.store.mentions.claim("route", 1, self.clock())
        found = open_case(self.store, mention, now=self.clock())
        with self.store.transaction():
            self.store.mentions.routed([Routed(mention=mention, routes=("complaints",), why="why")], "r1")
        return found

    def now(self, case: Case) -> Case:
        """The case as it is."""
        return self.store.cases.get(case.id)

    def acts(self, case: Case) -> list[str]:
        """What happened to the case."""
        return [event.act for event in self.store.events.of_case(case.id)]


@pytest.fixture
def office() -> Iterator[Office]:
    store = open_store(":memory:")
    clock = FakeClock(START)
    yield Office(store=store, clock=clock, work=Casework(store, clock, lambda: LEASE))
    store.close()


@pytest.fixture
def ann(office: Office) -> Actor:
    return office.hire("Ann")


@pytest.fixture
def bob(office: Office) -> Actor:
    return office.hire("Bob")


@pytest.fixture
def lead(office: Office) -> Actor:
    return office.hire("Lea", "lead")


@pytest.fixture
def case(office: Office) -> Case:
    return office.case()
