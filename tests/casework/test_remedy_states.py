"""A state machine over remedies: no path gives more than an allowance without somebody else's approval."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from listener.casework import Casework, Remedies, Wished
from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.remedy import Remedy
from listener.core.remedy_figures import Month
from listener.core.remedy_terms import DECIDES
from listener.store import open_store
from listener.testing import FakeClock
from tests.casework.conftest import LEASE, Office

STAFF: dict[str, Role] = {
    "Ann": "agent", "Bob": "agent", "Lea": "lead", "Lou": "lead", "Rosa": "admin", "Mia": "marketer"
}  # fmt: skip
PEOPLE = st.sampled_from(sorted(STAFF))
SUMS = st.sampled_from([0, 1, 1000, 2000, 4999, 5000, 5001, 10_000, 49_999, 50_000, 50_001, 200_000])
MOVES = st.sampled_from(["approve", "decline", "withdraw", "finish"])


class Giving(RuleBasedStateMachine):
    """Six colleagues, two cases, one clock."""

    @initialize()
    def open(self) -> None:
        store, clock = open_store(":memory:"), FakeClock()
        self.office = Office(store=store, clock=clock, work=Casework(store, clock, lambda: LEASE))
        self.remedies = Remedies(store, clock, self.office.work)
        self.people = {name: self.office.hire(name, role) for name, role in STAFF.items()}
        self.cases = [self.office.case("1"), self.office.case("2")]
        self.events: list[tuple[int, str]] = []
        self.keys = 0

    def teardown(self) -> None:
        if hasattr(self, "office"):
            self.office.store.close()

    def all(self) -> list[Remedy]:
        """Every remedy, oldest first."""
        return [remedy for case in self.cases for remedy in self.remedies.of_case(case)]

    def of(self, case: Case) -> list[Remedy]:
        """Those of a case."""
        return list(self.remedies.of_case(case))

    def limit(self, role: Role, case: Case) -> int | None:
        """The allowance on a case as it is now."""
        return self.remedies.allowances().of(role, self.office.now(case).severity)

    @rule(who=PEOPLE, n=st.integers(0, 1), cents=SUMS, again=st.booleans())
    def give(self, who: str, n: int, cents: int, again: bool) -> None:
        case, by, role = self.cases[n], self.people[who], STAFF[who]
        before = self.all()
        spent = sum(each.cents for each in self.of(case) if each.alone)
        self.keys += not again
        wished = Wished(key=f"{who} {self.keys}", kind="refund", cents=cents, what=f"{n}")
        try:
            given = self.remedies.give(case.public_id, wished, by)
        except Refused:
            assert role == "marketer" or self.keys_used(who, n, cents)
            assert self.all() == before
            return
        if not given.fresh:
            assert self.all() == before
            return
        limit = self.limit(role, case)
        assert given.remedy.stands == (limit is None or spent + cents <= limit)
        assert given.remedy.state in {"promised", "proposed"}
        self.events.append((given.event, who))

    def keys_used(self, who: str, n: int, cents: int) -> bool:
        """Whether the form was sent before with other entries."""
        me = self.people[who].colleague
        known = self.office.store.remedies.known(me.id if me else 0, f"{who} {self.keys}")
        return known is not None and (known.cents, known.what) != (cents, f"{n}")

    @precondition(lambda self: self.all())
    @rule(who=PEOPLE, n=st.integers(0, 30), move=MOVES, word=st.sampled_from(["", "so", "happy"]))
    def act(self, who: str, n: int, move: str, word: str) -> None:
        remedies = self.all()
        remedy, by = remedies[n % len(remedies)], self.people[who]
        case = next(case for case in self.cases if case.id == remedy.case)
        others = sum(each.cents for each in self.of(case) if each.stands)
        try:
            if move == "withdraw":
                done = self.remedies.withdraw(remedy.public_id, by)
            else:
                done = getattr(self.remedies, move)(remedy.public_id, by, word)
        except Refused:
            assert self.all() == remedies
            return
        after = done.remedy
        assert by.colleague
        assert move != "decline" or word
        if move in {"approve", "decline"}:
            limit = self.limit(STAFF[who], case)
            assert remedy.state == "proposed"
            assert by.colleague.id != remedy.given_by
            assert by.colleague.may(DECIDES)
            assert move == "decline" or limit is None or others + remedy.cents <= limit
        elif move == "withdraw":
            assert remedy.state in {"proposed", "promised"}
            assert by.colleague.id == remedy.given_by or by.colleague.may(DECIDES)
        else:
            assert remedy.stands
            assert after.state == "done"
        assert (after.cents, after.given_by, after.kind) == (remedy.cents, remedy.given_by, remedy.kind)
        self.events.append((done.event, who))

    @precondition(lambda self: self.events)
    @rule(last=st.booleans(), n=st.integers(0, 30), other=st.booleans())
    def undo(self, last: bool, n: int, other: bool) -> None:
        event, who = self.events[-1] if last else self.events[n % len(self.events)]
        by: Actor = self.people["Bob" if other else who]
        before = self.all()
        try:
            self.office.work.undo(event, by)
        except Refused:
            assert self.all() == before
        else:
            assert by == self.people[who]

    @rule(n=st.integers(0, 1))
    def it_grows_worse(self, n: int) -> None:
        with self.office.store.transaction():
            self.office.store.db.write("UPDATE cases SET severity = 'high' WHERE id = ?", (self.cases[n].id,))

    @rule(span=st.sampled_from([timedelta(seconds=1), timedelta(minutes=11)]))
    def time_passes(self, span: timedelta) -> None:
        self.office.clock.forward(span)

    @rule(who=PEOPLE, n=st.integers(0, 1))
    def claim(self, who: str, n: int) -> None:
        with suppress(Refused):
            self.office.work.claim(self.cases[n].public_id, self.people[who])
            self.office.work.release(self.cases[n].public_id, self.people[who])

    @invariant()
    def nothing_stands_beyond_an_allowance_but_what_somebody_else_approved(self) -> None:
        if not hasattr(self, "office"):
            return
        roles = {each.id: each for each in self.office.store.colleagues.all()}
        for case in self.cases:
            spent = 0
            for remedy in self.of(case):
                if remedy.stands and remedy.decided_by is not None:
                    assert remedy.decided_by != remedy.given_by
                    assert roles[remedy.decided_by].may(DECIDES)
                if remedy.alone:
                    spent += remedy.cents
                    limit = self.limit(remedy.role, case)
                    assert limit is None or spent <= limit, (remedy, spent, limit)

    @invariant()
    def the_figures_are_the_sum_of_what_stands(self) -> None:
        if not hasattr(self, "office"):
            return
        remedies = self.all()
        found = self.remedies.figures(Month.of(self.office.clock()))
        standing = [each for each in remedies if each.stands]
        assert (found.given.n, found.given.cents) == (len(standing), sum(each.cents for each in standing))
        assert sum(each.cents for each in found.kinds) == sum(each.cents for each in found.roles) == found.given.cents
        assert sum(each.n for each in found.states) == len(remedies)

    @invariant()
    def what_is_settled_is_whole(self) -> None:
        if not hasattr(self, "office"):
            return
        for remedy in self.all():
            assert (remedy.state == "done") == (remedy.done_at is not None)
            assert remedy.state != "proposed" or remedy.decided_by is None
            assert remedy.state != "declined" or (remedy.decided_by and remedy.why)
            assert (remedy.decided_by is None) == (remedy.decided_at is None)

    @invariant()
    def every_act_is_in_the_history(self) -> None:
        if not hasattr(self, "office"):
            return
        for case in self.cases:
            events = [each for each in self.office.store.events.of_case(case.id) if each.act != "opened"]
            assert not events or events[-1].version == self.office.now(case).version


Giving.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestGiving = Giving.TestCase
