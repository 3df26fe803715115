"""What machines say to answers of ours reaches the case they belong to: once, whatever breaks, and no other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from listener.casework import Replies
from listener.core.case import Joining
from listener.core.echo import Echo
from listener.core.event import Actor
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Reply, digest
from listener.core.rules import Rules
from listener.pipeline.dispatch import dispatch
from listener.pipeline.poll import poll
from listener.pipeline.post import post
from listener.store import Connections, Store, make_store
from listener.testing import FakeChannel, FakeClock, make_post
from tests.kit import COMPLAINTS, POSTING, SHOP, add_posts, make_rules
from tests.replier import FakeReplier
from tests.test_story import Crash, CrashingConnections

RULES = make_rules(COMPLAINTS, posting=POSTING)
HOUR = timedelta(hours=1)
JOINING = Joining(window=HOUR)
BACK = Echo(realm="fake.example", external_id="a1", kind="returned", why="there is no such mailbox (5.1.1)")


class Sayer(FakeReplier):
    """A place that answers, and says what the test says to the first answer, again at each poll."""

    echoes: tuple[Echo, ...] = ()

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        del place, needs, cursor, budget
        return Page(cursor=Cursor("v1:1"), echoes=self.echoes)


class Desk:
    """One life over a database: a case, its answer that stands, and a place that has something to say."""

    def __init__(self, store: Store, clock: FakeClock, source: Sayer, rules: Rules = RULES) -> None:
        self.store, self.clock, self.source, self.rules = store, clock, source, rules
        self.replies = Replies(store, clock, lambda: HOUR, lambda: POSTING, lambda: {"shop": source})
        found = store.colleagues.find("ann") or store.colleagues.add("ann", "Ann", "admin", clock())
        self.ann = Actor(colleague=found, via="page")

    def answer(self) -> Reply:
        """A customer complains, is answered, and has the word."""
        add_posts(self.store, make_post("1", "acme is broken", author="kim"))
        [mention] = self.store.mentions.claim("judge", 1, self.clock())
        with self.store.transaction():
            case, opened = self.store.cases.open_or_grow(
                mention, route="complaints", reason="why", severity="high", joining=JOINING, now=self.clock(),
                sla=COMPLAINTS.sla,
            )  # fmt: skip
            self.store.outbox.put(COMPLAINTS, "complaints|brand=Acme", case.id, case.severity, opened, self.clock())
        draft = self.replies.begin(case.public_id, self.ann)
        draft = self.replies.save(draft.public_id, self.ann, "Sorry.", version=draft.version)
        self.replies.approve(draft.public_id, self.ann, digest("Sorry."), heard=draft.heard)
        assert post(self.store, {"shop": self.source}, self.rules, self.clock) == 1
        return self.now()

    def now(self) -> Reply:
        (reply,) = self.store.replies.of_case(1)
        return reply

    def hear(self) -> None:
        """Poll once more."""
        self.store.places.sync([SHOP], self.clock())
        self.clock.forward(HOUR)
        assert poll(self.store, {"shop": self.source}, self.rules, self.clock) == 1

    def told(self, channel: FakeChannel) -> None:
        """Send what is due."""
        self.clock.forward(HOUR)
        while dispatch(self.store, "desk", channel, self.rules, self.clock):
            pass


@pytest.fixture
def desk(store: Store, clock: FakeClock) -> Desk:
    made = Desk(store, clock, Sayer())
    made.answer()
    return made


def test_an_answer_that_came_back_fails_and_its_case_waits_for_staff(desk: Desk) -> None:
    channel = FakeChannel()
    desk.told(channel)
    desk.source.echoes = (BACK, BACK)
    for _ in range(2):
        desk.hear()
        desk.told(channel)
    reply, case = desk.now(), desk.store.cases.get(1)
    assert (reply.state, reply.why) == ("failed", "it did not arrive: there is no such mailbox (5.1.1)")
    assert (case.status, case.replied_at) == ("acknowledged", None)
    assert [message.reason for message in channel.messages] == ["opened", "returned"]
    assert [event.act for event in desk.store.events.of_case(1)][-2:] == ["answered", "answer returned"]


@pytest.mark.parametrize(
    "echo",
    [replace(BACK, external_id="a2"), replace(BACK, external_id=""), replace(BACK, realm="other.example")],
    ids=["another id", "no id", "another realm"],
)
def test_an_echo_of_what_we_do_not_know_changes_nothing(desk: Desk, echo: Echo) -> None:
    desk.source.echoes = (echo,)
    desk.hear()
    assert (desk.now().state, desk.store.cases.get(1).status) == ("posted", "waiting")
    assert desk.store.cases.counts() == {"waiting": 1}


def test_a_route_that_is_gone_tells_nobody_and_the_case_comes_back_all_the_same(desk: Desk) -> None:
    desk.source.echoes, desk.rules = (BACK,), make_rules(replace(COMPLAINTS, name="other"), posting=POSTING)
    desk.hear()
    assert (desk.now().state, desk.store.cases.get(1).status) == ("failed", "acknowledged")


def test_beside_another_answer_under_way_it_is_told_once_and_stays_with_the_reason(desk: Desk) -> None:
    draft = desk.replies.begin(desk.store.cases.get(1).public_id, desk.ann)
    desk.source.echoes = (BACK,)
    for _ in range(2):
        desk.hear()
    first, second = desk.store.replies.of_case(1)
    assert (first.state, first.why, second) == ("posted", BACK.reason, draft)
    assert [event.act for event in desk.store.events.of_case(1)].count("answer returned") == 1


def test_the_clock_of_an_earlier_answer_stays_stopped(desk: Desk) -> None:
    case = desk.store.cases.get(1)
    earlier = case.replied_at and case.replied_at - HOUR
    with desk.store.transaction():
        desk.store.cases.change(replace(case, replied_at=earlier))
    desk.source.echoes = (BACK,)
    desk.hear()
    assert desk.store.cases.get(1).replied_at == earlier


def test_a_mailbox_that_answers_by_itself_is_told_once_and_stops_no_waiting(desk: Desk) -> None:
    desk.source.echoes = (replace(BACK, kind="away", why=""),) * 2
    for _ in range(2):
        desk.hear()
    assert (desk.now().state, desk.store.cases.get(1).status) == ("posted", "waiting")
    acts = [event.act for event in desk.store.events.of_case(1)]
    assert acts.count("automatic answer") == 1


def _life(db: Connections, clock: FakeClock, channel: FakeChannel, echo: Echo) -> Desk:
    store = make_store(db)
    store.release()
    desk = Desk(store, clock, Sayer())
    if not store.replies.of_case(1):
        desk.answer()
    if isinstance(db, CrashingConnections):
        db.count = 0  # What came before is another test's.
    desk.source.echoes = (echo,)
    desk.hear()
    desk.told(channel)
    return desk


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_it_is_told_once_though_the_process_ends_at_any_write(tmp_path: Path, after: bool) -> None:
    for fatal in itertools.count(1):
        path, clock, channel = tmp_path / f"{fatal}.db", FakeClock(), FakeChannel()
        first = CrashingConnections(path, 10**9, after)
        prepared = Desk(make_store(first), clock, Sayer())
        prepared.answer()
        prepared.told(channel)
        first.fatal, crashed = fatal, False
        try:
            _life(first, clock, channel, BACK)
        except Crash:
            crashed = True
        first.close()
        desk = _life(Connections(path), clock, channel, BACK)
        acts = [event.act for event in desk.store.events.of_case(1)]
        assert acts.count("answer returned") == 1, f"write {fatal}"
        assert (desk.now().state, desk.store.cases.get(1).status) == ("failed", "acknowledged"), f"write {fatal}"
        told = {message.key for message in channel.messages if message.reason == "returned"}
        assert len(told) == 1, f"write {fatal}"
        desk.store.close()
        if not crashed:
            break
    assert fatal > 10, "there are more writes than that; the crashes were not injected"
