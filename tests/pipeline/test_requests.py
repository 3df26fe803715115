"""What waits for a colleague reaches a channel: once, only while it waits, and without a word that is not for all."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from listener.casework import Casework, Remedies, Replies, Requests, Wished
from listener.core.case import Case
from listener.core.colleague import Colleague, Role
from listener.core.errors import StoreError, Unavailable
from listener.core.event import Actor
from listener.core.notification import Message, Told
from listener.core.remedy import Remedy
from listener.core.reply import Reply, digest
from listener.pipeline.dispatch import dispatch
from listener.pipeline.watch import watch
from listener.store import Connections, Store, make_store
from listener.testing import FakeChannel, FakeClock, make_post
from notifier.render import render
from tests.kit import POSTING, add_posts, make_rules, open_case
from tests.replier import FakeReplier
from tests.test_story import Crash, CrashingConnections

MINUTE = timedelta(minutes=1)
TOLD = Told(advice=("ads",), review=("leads", "desk"), remedy=("leads",))
CHANNELS = ("ads", "leads", "desk")
SAID, WORDS, QUESTION = "acme broke my hip, kim at 5 Elm Road", "Sorry, dear Kim.", "what of Kim's 5 Elm Road?"


class Team:
    """An agent, a lead and a marketer over a database, and the channels they read."""

    def __init__(self, store: Store, clock: FakeClock, told: Told = TOLD) -> None:
        self.store, self.clock, self.told = store, clock, told
        self.channels = {name: FakeChannel() for name in CHANNELS}
        self.rules = make_rules(posting=POSTING, told=told)
        work, requests = Casework(store, clock, lambda: timedelta(hours=1)), Requests(store, lambda: self.told)
        repliers = {"shop": FakeReplier()}
        self.replies = Replies(
            store, clock, lambda: timedelta(hours=1), lambda: POSTING, lambda: dict(repliers), requests
        )
        self.remedies = Remedies(store, clock, work, requests)
        self.ann, self.lea, self.mia = (
            self.actor("Ann", "agent"),
            self.actor("Lea", "lead"),
            self.actor("Mia", "marketer"),
        )

    def actor(self, name: str, role: Role) -> Actor:
        known = self.store.colleagues.find(name.lower())
        return Actor(
            colleague=known or self.store.colleagues.add(name.lower(), name, role, self.clock()), via="page"
        )  # fmt: skip

    @property
    def marketer(self) -> Colleague:
        assert self.mia.colleague is not None
        return self.mia.colleague

    def case(self) -> Case:
        """A customer's case."""
        add_posts(self.store, make_post("1", SAID, author="kim.larsen"))
        [mention] = self.store.mentions.claim("judge", 1, self.clock())
        return open_case(self.store, mention)[0]

    def draft(self) -> Reply:
        """Ann's words."""
        begun = self.replies.begin(self.case().public_id, self.ann)
        return self.replies.save(begun.public_id, self.ann, WORDS, version=begun.version)

    def submit(self, reply: Reply) -> Reply:
        now = self.store.replies.get(reply.id)
        return self.replies.submit(now.public_id, self.ann, version=now.version, heard=now.heard)

    def give(self, case: Case, cents: int, key: str = "k") -> Remedy:
        wished = Wished(key=key, kind="refund", cents=cents, what="a new hip for Kim")
        return self.remedies.give(case.public_id, wished, self.ann).remedy

    def work(self) -> None:
        """Send what is due."""
        for name, channel in self.channels.items():
            while dispatch(self.store, name, channel, self.rules, self.clock):
                pass

    def heard(self) -> dict[str, list[str]]:
        """What each channel hears from the beginning: the kinds of the requests."""
        self.work()
        return {
            name: [message.request.kind for message in channel.messages if message.request]
            for name, channel in self.channels.items()
        }

    def outcomes(self) -> list[tuple[str, str]]:
        """What became of each notification, and why."""
        rows = self.store.db.read("SELECT status, why FROM notifications ORDER BY id")
        return [(row["status"], row["why"]) for row in rows]


@pytest.fixture
def team(store: Store, clock: FakeClock) -> Team:
    return Team(store, clock)


NOBODY: dict[str, list[str]] = {name: [] for name in CHANNELS}
SETTLED = ("dropped", "it was settled before the message could be sent")


def the_only(team: Team, channel: str) -> Message:
    [message] = team.channels[channel].messages
    return message


def test_a_draft_with_marketing_is_told_with_its_clock_and_the_link(team: Team) -> None:
    draft = team.draft()
    team.replies.ask(draft.public_id, team.ann, team.marketer, QUESTION)
    assert team.heard() == {"ads": ["advice"], "leads": [], "desk": []}
    message = the_only(team, "ads")
    request, case = message.request, team.store.cases.get(draft.case)
    assert request is not None
    assert (message.reason, message.route, message.total, message.cases) == ("asked", "requests", 0, ())
    assert (request.asker, request.asked, request.until) == ("Ann", "Mia", team.clock() + POSTING.ask_within)
    assert request.url == f"https://desk.example/cases/{case.public_id}"
    team.clock.forward(timedelta(days=2))
    assert team.heard()["ads"] == ["advice"], "it is not repeated"


def test_an_answer_in_review_is_told_on_every_channel_for_it(team: Team) -> None:
    team.submit(team.draft())
    assert team.heard() == {"ads": [], "leads": ["review"], "desk": ["review"]}
    keys = {message.key for channel in team.channels.values() for message in channel.messages}
    assert len(keys) == 2


def test_a_remedy_above_the_allowance_is_told_and_one_within_it_is_not(team: Team) -> None:
    case = team.case()
    assert team.give(case, 1000, "a").state == "promised"
    assert team.heard()["leads"] == []
    assert team.give(case, 90_000, "b").state == "proposed"
    team.give(case, 90_000, "b")
    assert team.heard() == {"ads": [], "leads": ["remedy"], "desk": []}, "a form that is sent twice asks once"


@pytest.mark.parametrize("kind", ["advice", "review", "remedy"])
def test_no_message_holds_what_is_not_for_all(team: Team, kind: str) -> None:
    draft = team.draft()
    if kind == "advice":
        team.replies.ask(draft.public_id, team.ann, team.marketer, QUESTION)
    elif kind == "review":
        team.submit(draft)
    else:
        team.give(team.store.cases.get(draft.case), 90_000)
    team.work()
    messages = [message for channel in team.channels.values() for message in channel.messages]
    assert messages
    for message in messages:
        said = f"{message!r} {render(message)}".casefold()
        for private in ("hip", "kim", "elm", "sorry", "larsen", "900", "refund"):
            assert private not in said
        assert "https://desk.example/cases/" in said


def test_nobody_is_told_unless_the_operator_says_so(team: Team) -> None:
    team.told = Told()
    draft = team.draft()
    team.give(team.store.cases.get(draft.case), 90_000)
    team.replies.ask(draft.public_id, team.ann, team.marketer)
    team.replies.hand_back(draft.public_id, team.mia)
    team.submit(draft)
    assert team.heard() == NOBODY
    assert team.outcomes() == []


def test_what_was_settled_meanwhile_is_not_told(team: Team) -> None:
    draft = team.draft()
    team.replies.ask(draft.public_id, team.ann, team.marketer)
    team.replies.hand_back(draft.public_id, team.ann)
    team.submit(draft)
    team.replies.recall(draft.public_id, team.ann)
    remedy = team.give(team.store.cases.get(draft.case), 90_000)
    team.remedies.decline(remedy.public_id, team.lea, "too much")
    assert team.heard() == NOBODY
    assert team.outcomes() == [SETTLED] * 4


def test_an_approval_settles_it(team: Team) -> None:
    sent = team.submit(team.draft())
    team.replies.approve(sent.public_id, team.lea, digest(sent.text), heard=sent.heard)
    assert team.heard()["leads"] == []


def test_time_that_is_up_settles_it(team: Team) -> None:
    draft = team.draft()
    team.replies.ask(draft.public_id, team.ann, team.marketer)
    team.clock.forward(POSTING.ask_within)
    assert watch(team.store, team.rules, team.clock) == 1
    assert team.heard()["ads"] == []


def test_what_is_asked_again_is_told_again(team: Team) -> None:
    draft = team.draft()
    for _ in range(2):
        team.submit(draft)
        team.work()
        team.replies.send_back(draft.public_id, team.lea, "warmer")
    assert team.heard()["leads"] == ["review", "review"]


def test_what_is_asked_twice_while_a_channel_is_away_is_told_once(team: Team) -> None:
    team.channels["leads"].fail(Unavailable("busy"))
    draft = team.draft()
    team.submit(draft)
    team.work()
    team.replies.recall(draft.public_id, team.ann)
    team.submit(draft)
    team.clock.forward(timedelta(hours=1))
    assert team.heard() == {"ads": [], "leads": ["review"], "desk": ["review", "review"]}


def test_the_worst_case_is_told_first(team: Team) -> None:
    draft = team.draft()
    team.store.db.write("UPDATE cases SET severity = 'crisis'")
    team.submit(draft)
    team.work()
    assert the_only(team, "leads").severity == "crisis"
    assert {row["priority"] for row in team.store.db.read("SELECT priority FROM notifications")} == {0}


def test_the_case_shows_who_was_told(team: Team) -> None:
    sent = team.submit(team.draft())
    team.work()
    told = team.store.outbox.of_case(sent.case)
    assert [(each.channel, each.reason, each.status) for each in told] == [
        ("leads", "asked", "sent"), ("desk", "asked", "sent"),
    ]  # fmt: skip


def test_a_request_that_is_not_kept_is_not_told(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = team.draft()

    def broken(*_: object, **__: object) -> None:
        raise StoreError("no room")

    for part, method in ((team.store.requests, "put"), (team.store.events, "add")):
        with monkeypatch.context() as patched:
            patched.setattr(part, method, broken)
            with pytest.raises(StoreError):
                team.submit(draft)
        assert team.store.replies.get(draft.id).state == "draft", "nor is it kept where it cannot be told"
    assert team.heard() == NOBODY


def _life(db: Connections, clock: FakeClock, channels: dict[str, FakeChannel]) -> Store:
    store = make_store(db)
    store.release()
    team = Team(store, clock)
    team.channels = channels
    [reply] = store.replies.of_case(1) or [team.draft()]
    if not reply.text:
        reply = team.replies.save(reply.public_id, team.ann, WORDS, version=reply.version)
    if isinstance(db, CrashingConnections):
        db.count = 0  # What came before is another test's.
    if reply.state == "draft":
        team.submit(reply)
    team.work()
    return store


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_it_is_told_once_though_the_process_ends_at_any_write(tmp_path: Path, after: bool) -> None:
    for fatal in itertools.count(1):
        path, clock = tmp_path / f"{fatal}.db", FakeClock()
        channels = {name: FakeChannel() for name in CHANNELS}
        first = CrashingConnections(path, 10**9, after)
        Team(make_store(first), clock).draft()
        first.fatal, crashed = fatal, False
        try:
            _life(first, clock, channels)
        except Crash:
            crashed = True
        first.close()
        clock.forward(10 * MINUTE)
        store = _life(Connections(path), clock, channels)
        for name in ("leads", "desk"):
            assert len(channels[name].keys) == 1, f"write {fatal}: {name}"
            assert len(channels[name].messages) <= 2, f"write {fatal}: one may repeat, under the same key"
        assert channels["ads"].messages == [], f"write {fatal}"
        assert store.outbox.counts() == {"sent": 2}, f"write {fatal}"
        assert [event.act for event in store.events.of_case(1)].count("sent to review") == 1, f"write {fatal}"
        store.close()
        if not crashed:
            break
    assert fatal > 12, "there are more writes than that; the crashes were not injected"
