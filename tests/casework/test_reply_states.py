"""A state machine over what may become of answers: colleagues, customers, clocks, and a place that does what it likes.

Whatever happens in whatever order, nothing is posted that was not approved word by word, nothing twice, and nothing
while posting is stopped or switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from listener.casework import Casework
from listener.core import replying
from listener.core.errors import Refused
from listener.core.mention import Post
from listener.core.reply import Approval, Posted, Reply, digest
from listener.pipeline.watch import watch
from listener.store import open_store
from listener.testing import FakeClock
from tests.casework.conftest import LEASE, Office
from tests.casework.test_replies import Bench
from tests.replier import Died, FakeReplier, How

PEOPLE = {"Ann": "agent", "Bob": "agent", "Mia": "marketer", "Lea": "lead", "Lars": "lead", "Vic": "viewer"}
WHO = st.sampled_from(sorted(PEOPLE))
WORDS = st.sampled_from(["Sorry.", "Sorry, Kim. Your money is back.", "x" * 501, "", "\n", "http://a.example"])
HOW: st.SearchStrategy[How] = st.sampled_from((*get_args(How), "takes", "takes in silence", "dies after"))
SPANS = st.sampled_from(
    [timedelta(), timedelta(seconds=11), timedelta(minutes=3), timedelta(hours=2), timedelta(days=8)]
)


class Place(FakeReplier):
    """Refuses to be called while nothing may be posted."""

    bench: Bench

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """Take it, if it may come at all."""
        assert self.bench.posting.on, "posted while it was switched off"
        assert self.bench.stops.stopped() is None, "posted while it was stopped"
        [row] = self.bench.store.db.read("SELECT id FROM replies WHERE key = ?", (key,))
        assert self.bench.store.replies.get(row["id"]).state == "posting", "the intent was not stored"
        return FakeReplier.reply(self, post, approved, key)


class Answers(RuleBasedStateMachine):
    """Six colleagues, two cases, one place."""

    @initialize()
    def open(self) -> None:
        store, clock = open_store(":memory:"), FakeClock()
        office = Office(store=store, clock=clock, work=Casework(store, clock, lambda: LEASE))
        self.bench = Bench(office)
        place = Place()
        place.bench = self.bench
        self.place = self.bench.place = self.bench.repliers["shop"] = place  # type: ignore[assignment]
        self.people = {name: office.hire(name, role) for name, role in PEOPLE.items()}  # type: ignore[arg-type]
        self.cases = [office.case("1", "kim"), office.case("2", "sam")]
        store.db.write("UPDATE cases SET severity = 'high' WHERE id = ?", (self.cases[1].id,))
        self.said = 2
        self.approvals: dict[str, tuple[str, str]] = {}
        self.cleared: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.store.close()

    def live(self, n: int) -> Reply | None:
        """The answer under way to one of the cases."""
        return self.bench.store.replies.live(self.cases[n].id)

    def attempt(self, n: int, act: Callable[[Reply], object]) -> None:
        """Do something with an answer; a refusal leaves it as it was."""
        reply = self.live(n)
        if reply is None:
            return
        try:
            act(reply)
        except Refused:
            assert self.bench.now(reply) == reply

    @rule(who=WHO, n=st.integers(0, 1))
    def begin(self, who: str, n: int) -> None:
        with suppress(Refused):
            self.bench.replies.begin(self.cases[n].public_id, self.people[who])

    @rule(who=WHO, n=st.integers(0, 1), text=WORDS, old=st.booleans())
    def write(self, who: str, n: int, text: str, old: bool) -> None:
        self.attempt(
            n,
            lambda reply: self.bench.replies.save(
                reply.public_id, self.people[who], text, version=reply.version - old, heard=self.bench.office.clock()
            ),
        )

    @rule(who=WHO, n=st.integers(0, 1), of=WHO)
    def ask(self, who: str, n: int, of: str) -> None:
        asked = self.people[of].colleague
        assert asked is not None
        self.attempt(n, lambda reply: self.bench.replies.ask(reply.public_id, self.people[who], asked, "?"))

    @rule(
        who=WHO, n=st.integers(0, 1),
        act=st.sampled_from(["hand_back", "recall", "withdraw", "discard", "submit", "send_back"]),
    )  # fmt: skip
    def do(self, who: str, n: int, act: str) -> None:
        by, replies = self.people[who], self.bench.replies
        more: dict[str, Callable[[Reply], Any]] = {
            "submit": lambda one: replies.submit(one.public_id, by, version=one.version, heard=one.heard),
            "send_back": lambda one: replies.send_back(one.public_id, by, "no"),
        }
        self.attempt(n, more.get(act) or (lambda one: getattr(replies, act)(one.public_id, by)))

    @rule(who=WHO, n=st.integers(0, 1))
    def by_hand(self, who: str, n: int) -> None:
        def act(reply: Reply) -> None:
            done = self.bench.replies.by_hand(reply.public_id, self.people[who], "")
            assert PEOPLE[who] in {"agent", "lead"}
            me = self.people[who].colleague
            assert me is not None
            alone = replying.alone(me, reply.severity, self.bench.posting)
            if reply.state == "cleared":
                assert done.text == self.cleared[reply.public_id], "other words than those that were approved"
            elif reply.state != "unknown":
                assert alone or (reply.state == "in review" and PEOPLE[who] == "lead" and reply.sent_by != me.id)

        self.attempt(n, act)

    @rule(who=WHO, n=st.integers(0, 1), read=st.booleans(), heard=st.booleans())
    def clear(self, who: str, n: int, read: bool, heard: bool) -> None:
        def act(reply: Reply) -> None:
            said = digest(reply.text if read else "other words")
            until = self.bench.office.clock() if heard else reply.heard
            done = self.bench.replies.clear(reply.public_id, self.people[who], said, heard=until)
            assert read, "words were approved that nobody read"
            assert self.bench.repliers == {} or self.place.refusal or not self.bench.posting.on
            self._by_another(reply, who)
            self.cleared[done.public_id] = done.text

        self.attempt(n, act)

    @rule(n=st.integers(0, 1), reviewer=WHO, giver=WHO, read=st.booleans(), heard=st.booleans())
    def the_way_by_hand(self, n: int, reviewer: str, giver: str, read: bool, heard: bool) -> None:
        """An agent writes where nothing can be posted, somebody approves it, somebody gives it."""
        ann, live = self.people["Ann"], self.live(n)
        self.bench.repliers.clear()
        if live is not None and live.state in {"asked", "in review", "cleared", "failed"}:
            with suppress(Refused):
                self.bench.replies.withdraw(live.public_id, ann)
            with suppress(Refused):
                self.bench.replies.discard(live.public_id, ann)
        with suppress(Refused):
            self.bench.replies.begin(self.cases[n].public_id, ann)
        self.write("Ann", n, "Sorry.", False)
        self.do("Ann", n, "submit")
        self.clear(reviewer, n, read, heard)
        self.by_hand(giver, n)

    def _by_another(self, reply: Reply, who: str) -> None:
        """What somebody approved, they may send alone, or another sent it to review."""
        me = self.people[who].colleague
        assert me is not None
        assert PEOPLE[who] in {"agent", "lead"}
        if not replying.alone(me, reply.severity, self.bench.posting):
            assert reply.state == "in review"
            assert PEOPLE[who] == "lead"
            assert reply.sent_by != me.id

    @rule(who=WHO, n=st.integers(0, 1), read=st.booleans(), heard=st.booleans())
    def approve(self, who: str, n: int, read: bool, heard: bool) -> None:
        self._approve(who, n, read, heard)

    def _approve(self, who: str, n: int, read: bool, heard: bool) -> None:
        by = self.people[who]

        def act(reply: Reply) -> None:
            said = digest(reply.text if read else "other words")
            until = self.bench.office.clock() if heard else reply.heard
            done = self.bench.replies.approve(reply.public_id, by, said, heard=until)
            assert read, "words were approved that nobody read"
            assert done.approval is not None
            assert done.key not in self.approvals, "a key names two answers"
            self._by_another(reply, who)
            self.approvals[done.key] = (done.text, reply.public_id)

        self.attempt(n, act)

    @rule(n=st.integers(0, 1), how=HOW, hidden=st.booleans(), fresh=st.booleans())
    def the_straight_way(self, n: int, how: How, hidden: bool, fresh: bool) -> None:
        """A lead writes and sends, and it is due: so that much is handed over."""
        lea, live = self.people["Lea"], self.live(n)
        if fresh:
            self.place.refusal, self.bench.repliers["shop"] = None, self.place
            self.bench.posting = replace(self.bench.posting, on=True)
            with suppress(Refused):
                self.bench.stops.go_on(lea)
        if fresh and live is not None and live.state in {"asked", "in review", "failed"}:
            self.bench.replies.discard(live.public_id, lea)
        case = self.bench.store.cases.get(self.cases[n].id)
        with suppress(Refused):
            self.bench.office.work.assign(case.public_id, lea, lea.colleague)  # type: ignore[arg-type]
        with suppress(Refused):
            self.bench.replies.begin(self.cases[n].public_id, lea)
        reply = self.live(n)
        if reply is not None:
            with suppress(Refused):
                self.bench.replies.save(
                    reply.public_id, lea, "Sorry.", version=reply.version, heard=self.bench.office.clock()
                )
            self._approve("Lea", n, True, True)
        self.time_passes(how, hidden, timedelta(seconds=11))

    @rule(who=WHO, n=st.integers(0, 1))
    def once_more(self, who: str, n: int) -> None:
        reply = self.live(n)
        if reply is None or reply.key in {each.key for each in self.place.stood}:
            return  # They looked, and there it stands.
        self.attempt(n, lambda one: self.bench.replies.again(one.public_id, self.people[who]))

    @rule(how=HOW, hidden=st.booleans(), span=SPANS)
    def wait(self, how: How, hidden: bool, span: timedelta) -> None:
        self.time_passes(how, hidden, span)

    def time_passes(self, how: How, hidden: bool, span: timedelta) -> None:
        """Let time pass, and the steps work."""
        self.place.how, self.place.hidden = how, hidden
        self.bench.office.clock.forward(span)
        for each in self.cases:
            case = self.bench.store.cases.get(each.id)
            if case.status == "resolved":
                self.bench.office.work.reopen(case.public_id, self.people["Lea"])
        watch(self.bench.store, self.bench.rules(), self.bench.office.clock)
        for _ in range(3):
            with suppress(Died):
                self.bench.post(timedelta())

    @rule(author=st.sampled_from(["kim", "sam"]))
    def customer_writes(self, author: str) -> None:
        self.said += 1
        self.bench.hear(str(self.said), author)

    @rule(who=WHO)
    def stop(self, who: str) -> None:
        with suppress(Refused):
            self.bench.stops.stop(self.people[who], "why")

    @precondition(lambda self: self.bench.stops.stopped() is not None)
    @rule(who=WHO)
    def go_on(self, who: str) -> None:
        with suppress(Refused):
            self.bench.stops.go_on(self.people[who])
            assert PEOPLE[who] == "lead"

    @rule(on=st.sampled_from([True, True, False]))
    def switch(self, on: bool) -> None:
        self.bench.posting = replace(self.bench.posting, on=on)

    @rule(refusal=st.sampled_from([None, None, None, "the thread was locked"]), gone=st.booleans())
    def place_changes(self, refusal: str | None, gone: bool) -> None:
        self.place.refusal = refusal
        if gone and refusal:
            self.bench.repliers.clear()
        else:
            self.bench.repliers["shop"] = self.place

    @invariant()
    def only_approved_words_stand(self) -> None:
        if not hasattr(self, "bench"):
            return
        for stood in self.place.stood:
            assert stood.text == self.approvals[stood.key][0]

    @invariant()
    def nothing_stands_twice(self) -> None:
        if not hasattr(self, "bench"):
            return
        assert max(Counter(each.key for each in self.place.stood).values(), default=1) == 1

    @invariant()
    def states_are_whole(self) -> None:
        if not hasattr(self, "bench"):
            return
        for case in self.cases:
            replies = self.bench.store.replies.of_case(case.id)
            assert sum(not each.ended for each in replies) <= 1
            for each in replies:
                approved = each.state in {"approved", "posting", "posted", "unknown"}
                assert not approved or (each.approval is not None and each.approval.digest == digest(each.text))
                assert not approved or each.key in self.approvals
                if each.state == "cleared":
                    assert each.approval is not None
                    assert (each.approval.digest, each.key, each.due_at) == (digest(each.text), "", None)
                    assert each.text == self.cleared[each.public_id]
                if each.state == "by hand" and each.approval is not None and not each.key:
                    assert each.text == self.cleared[each.public_id]
                assert (each.state in {"posted", "by hand"}) == (each.posted_at is not None)
                assert (each.state == "asked") == (each.asked_of is not None)
                if each.state == "posted":
                    assert each.posted is not None
                    assert each.posted.external_id in {stood.external_id for stood in self.place.stood}


Answers.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnswers = Answers.TestCase
