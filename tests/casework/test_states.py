"""A state machine over what may happen to cases, in any order: colleagues, customers and clocks."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from listener.casework import Casework
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.pipeline.watch import watch
from listener.store import open_store
from listener.testing import FakeClock
from tests.casework.conftest import LEASE, Office
from tests.kit import make_rules

PEOPLE = st.sampled_from(["Ann", "Bob", "Lea"])
AUTHORS = st.sampled_from(["x", "y", "z"])
SPANS = st.sampled_from([timedelta(minutes=1), timedelta(minutes=30), LEASE, timedelta(days=1), timedelta(days=8)])
RULES = make_rules(claim_lease=LEASE)


class Desk(RuleBasedStateMachine):
    """Three colleagues, three customers, one clock."""

    @initialize()
    def open(self) -> None:
        store, clock = open_store(":memory:"), FakeClock()
        self.office = Office(store=store, clock=clock, work=Casework(store, clock, lambda: LEASE))
        self.people = {
            name: self.office.hire(name, role)
            for name, role in (("Ann", "agent"), ("Bob", "agent"), ("Lea", "lead"))  # type: ignore[arg-type]
        }
        self.said = 1
        self.office.heard("1", "x")
        self.events: list[tuple[int, str, Case, Case]] = []
        self.clock_before = clock()

    def teardown(self) -> None:
        if hasattr(self, "office"):
            self.office.store.close()

    def cases(self) -> list[Case]:
        """Every case, oldest first."""
        ids = self.office.store.db.read("SELECT id FROM cases ORDER BY id")
        return [self.office.store.cases.get(row["id"]) for row in ids]

    def pick(self, n: int) -> Case:
        """One of the cases."""
        cases = self.cases()
        return cases[n % len(cases)]

    @rule(author=AUTHORS)
    def customer_writes(self, author: str) -> None:
        self.said += 1
        before = {case.id: case for case in self.cases()}
        case, opened = self.office.heard(str(self.said), author)
        assert case.status != "resolved"
        if case.id in before and not opened:
            assert case.mentions == before[case.id].mentions + 1

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.office.clock.forward(span)
        while watch(self.office.store, RULES, self.office.clock):
            pass
        for case in self.cases():
            assert not (case.status == "acknowledged" and case.claimed_until <= self.office.clock())  # type: ignore[operator]
            assert not (case.status == "snoozed" and case.snoozed_until <= self.office.clock())  # type: ignore[operator]

    @rule(who=PEOPLE, n=st.integers(0, 5))
    def claim(self, who: str, n: int) -> None:
        case, by = self.pick(n), self.people[who]
        held_by_other = case.held(self.office.clock()) and case.assignee != self.id_of(who)
        try:
            self.keep(who, case, self.office.work.claim(case.public_id, by).event)
        except Refused:
            assert held_by_other or case.status == "resolved"
        else:
            assert not held_by_other
            assert self.office.now(case).assignee == self.id_of(who)

    @rule(who=PEOPLE, n=st.integers(0, 5), span=st.sampled_from([timedelta(minutes=1), timedelta(hours=20)]))
    def snooze(self, who: str, n: int, span: timedelta) -> None:
        self.attempt(
            who, n, lambda case, by: self.office.work.snooze(case.public_id, by, self.office.clock() + span).event
        )

    @rule(who=PEOPLE, n=st.integers(0, 5))
    def release(self, who: str, n: int) -> None:
        self.attempt(who, n, lambda case, by: self.office.work.release(case.public_id, by).event)

    @rule(who=PEOPLE, n=st.integers(0, 5))
    def resolve(self, who: str, n: int) -> None:
        self.attempt(who, n, lambda case, by: self.office.work.resolve(case.public_id, by, "answered").event)

    @rule(who=PEOPLE, n=st.integers(0, 5))
    def not_us(self, who: str, n: int) -> None:
        self.attempt(who, n, lambda case, by: self.office.work.not_us(case.public_id, by).event)

    @rule(who=PEOPLE, n=st.integers(0, 5))
    def reopen(self, who: str, n: int) -> None:
        self.attempt(who, n, lambda case, by: self.office.work.reopen(case.public_id, by).event)

    @rule(who=PEOPLE, n=st.integers(0, 5))
    def note(self, who: str, n: int) -> None:
        self.attempt(who, n, lambda case, by: self.office.work.note(case.public_id, by, "seen").event)

    @rule(who=PEOPLE, n=st.integers(0, 5), other=st.integers(0, 5))
    def merge(self, who: str, n: int, other: int) -> None:
        into = self.pick(other).public_id
        self.attempt(who, n, lambda case, by: self.office.work.merge(case.public_id, by, into).event)

    @rule(who=PEOPLE, n=st.integers(0, 5), label=st.sampled_from(["negative", "neutral", "positive"]))
    def correct(self, who: str, n: int, label: str) -> None:
        mentions = self.office.store.mentions.of_case(self.pick(n).id)
        if mentions:
            self.attempt(
                who,
                n,
                lambda case, by: self.office.work.correct(case.public_id, by, mentions[0].id, label).event,  # type: ignore[arg-type]
            )

    @precondition(lambda self: self.events)
    @rule(last=st.booleans(), n=st.integers(0, 20))
    def undo(self, last: bool, n: int) -> None:
        event, who, before, after = self.events[-1] if last else self.events[n % len(self.events)]
        now = self.office.now(before)
        with suppress(Refused):
            back = self.office.work.undo(event, self.people[who]).case
            assert now.version == after.version
            assert (back.status, back.assignee, back.outcome, back.mentions) == (
                before.status, before.assignee, before.outcome, before.mentions,
            )  # fmt: skip

    def attempt(self, who: str, n: int, act) -> None:  # type: ignore[no-untyped-def]
        """Try something; a refusal leaves everything as it was."""
        case, by = self.pick(n), self.people[who]
        before = self.cases()
        try:
            event = act(case, by)
        except Refused:
            assert self.cases() == before
        else:
            self.keep(who, case, event)

    def keep(self, who: str, before: Case, event: int) -> None:
        """Remember what could be taken back."""
        self.events.append((event, who, before, self.office.now(before)))

    def id_of(self, who: str) -> int:
        """Row id of a colleague."""
        by: Actor = self.people[who]
        assert by.colleague
        return by.colleague.id

    @invariant()
    def every_mention_is_in_one_case_and_every_case_knows_its_number(self) -> None:
        if not hasattr(self, "office"):
            return
        db = self.office.store.db
        assert db.read("SELECT count(*) FROM case_mentions")[0][0] == self.said
        for case in self.cases():
            joined = db.read("SELECT count(*) FROM case_mentions WHERE case_id = ?", (case.id,))[0][0]
            assert joined == case.mentions, case

    @invariant()
    def states_are_whole(self) -> None:
        if not hasattr(self, "office"):
            return
        for case in self.cases():
            assert (case.status == "resolved") == (case.resolved_at is not None) == (case.outcome is not None)
            assert (case.status == "snoozed") == (case.snoozed_until is not None)
            assert (case.status == "acknowledged") == (case.claimed_until is not None)
            assert case.status != "acknowledged" or case.assignee is not None
            assert case.merged_into is None or case.status == "resolved"

    @invariant()
    def one_unresolved_case_a_matter_and_the_figures_agree(self) -> None:
        if not hasattr(self, "office"):
            return
        open_keys = [case.key for case in self.cases() if case.status != "resolved"]
        assert len(open_keys) == len(set(open_keys))
        assert self.office.store.trends.totals() == self.office.store.trends.recount()

    @invariant()
    def every_change_has_its_event(self) -> None:
        if not hasattr(self, "office"):
            return
        for case in self.cases():
            versions = [event.version for event in self.office.store.events.of_case(case.id) if event.act != "overdue"]
            assert versions == sorted(versions)  # type: ignore[type-var]
            assert versions[-1] == case.version or case.mentions == 0, (case, versions)


Desk.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestDesk = Desk.TestCase
