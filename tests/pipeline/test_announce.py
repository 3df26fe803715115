"""Teams are told of a campaign before it starts: once on each channel, whatever breaks, and only what is still true."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.casework import Campaigns
from listener.core.campaign import Brief, Campaign, Draft
from listener.core.errors import Unavailable
from listener.core.event import Actor
from listener.core.rules import Rules
from listener.pipeline.announce import announce
from listener.pipeline.dispatch import dispatch
from listener.store import Connections, Store, make_store
from listener.testing import START, FakeChannel, FakeClock
from tests.kit import make_rules
from tests.test_story import Crash, CrashingConnections

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RULES = make_rules(announce_channels=("desk", "leads"))
BRIEF = Brief(
    name="Free returns", brand="Acme", starts_at=START + 3 * DAY, ends_at=START + 5 * DAY, promises="Nothing to pay."
)  # fmt: skip


class Team:
    """Two channels, a marketer and a clock, over one database."""

    def __init__(self, store: Store, clock: FakeClock, rules: Rules = RULES) -> None:
        self.store, self.clock, self.rules = store, clock, rules
        self.channels = {name: FakeChannel() for name in ("desk", "leads")}
        self.campaigns = Campaigns(store, clock, lambda: ["Acme"])
        known = store.colleagues.find("mia") or store.colleagues.add("mia", "Mia", "marketer", clock())
        self.mia = Actor(colleague=known, via="page")

    def register(self, **changes: Any) -> Campaign:
        return self.campaigns.register(Draft.of(replace(BRIEF, **changes)), self.mia)

    def work(self) -> None:
        """Do what is due now."""
        while announce(self.store, self.rules, self.clock):
            pass
        for name, channel in self.channels.items():
            while dispatch(self.store, name, channel, self.rules, self.clock):
                pass

    def told(self) -> dict[str, list[str]]:
        """The names of the campaigns that each channel was told of."""
        return {
            name: [each.announcement.campaign.brief.name for each in channel.messages if each.announcement]
            for name, channel in self.channels.items()
        }


@pytest.fixture
def team(store: Store, clock: FakeClock) -> Team:
    return Team(store, clock)


BOTH = {"desk": ["Free returns"], "leads": ["Free returns"]}
NOBODY: dict[str, list[str]] = {"desk": [], "leads": []}


def test_each_channel_is_told_once_a_day_before_the_start(team: Team) -> None:
    made = team.register()
    team.clock.forward(2 * DAY - HOUR)
    team.work()
    assert team.told() == NOBODY
    team.clock.forward(HOUR)
    team.work()
    team.work()
    assert team.told() == BOTH
    (message,) = team.channels["desk"].messages
    assert (message.reason, message.severity, message.cases, message.total) == ("announced", "normal", (), 0)
    assert message.announcement
    assert message.announcement.url == f"https://desk.example/campaigns/{made.public_id}"
    team.clock.forward(9 * DAY)
    team.work()
    assert team.told() == BOTH
    found = team.store.campaigns.find(made.public_id)
    assert found
    assert found.announced_at == START + 2 * DAY
    assert [event.act for event in team.campaigns.history(found)] == ["campaign announced", "campaign registered"]


def test_one_that_is_registered_late_is_told_at_once(team: Team) -> None:
    team.register(starts_at=START + HOUR)
    team.work()
    assert team.told() == BOTH


def test_one_that_runs_already_is_told_at_once_and_one_that_is_over_never(team: Team) -> None:
    team.register(starts_at=START - DAY)
    team.register(starts_at=START - 3 * DAY, ends_at=START - DAY)
    team.work()
    assert team.told() == BOTH


def test_without_channels_nothing_is_told_until_there_is_one(team: Team) -> None:
    team.rules = make_rules(announce_channels=())
    team.register(starts_at=START)
    team.work()
    assert team.told() == NOBODY
    team.rules = RULES
    team.work()
    assert team.told() == BOTH


def test_a_withdrawn_campaign_is_not_told(team: Team) -> None:
    made = team.register()
    team.campaigns.withdraw(made.public_id, team.mia)
    team.clock.forward(3 * DAY)
    team.work()
    assert team.told() == NOBODY


def test_one_withdrawn_while_its_message_waits_is_dropped_with_the_reason_and_told_after_all(team: Team) -> None:
    for channel in team.channels.values():
        channel.fail(Unavailable("busy"))
    made = team.register(starts_at=START + HOUR)
    team.work()
    team.campaigns.withdraw(made.public_id, team.mia)
    team.clock.forward(HOUR)
    team.work()
    assert team.told() == NOBODY
    rows = team.store.db.read("SELECT status, why FROM notifications")
    assert [tuple(row) for row in rows] == [("dropped", "the campaign was withdrawn")] * 2
    team.campaigns.restore(made.public_id, team.mia)
    team.work()
    team.work()
    assert team.told() == BOTH


def test_what_was_told_is_not_told_again_after_a_withdrawal_was_taken_back(team: Team) -> None:
    made = team.register(starts_at=START + HOUR)
    team.work()
    team.campaigns.withdraw(made.public_id, team.mia)
    team.campaigns.restore(made.public_id, team.mia)
    team.work()
    assert team.told() == BOTH


def test_a_start_moved_before_the_message_was_put_moves_it(team: Team) -> None:
    made = team.register()
    team.campaigns.change(
        made.public_id, Draft.of(replace(BRIEF, starts_at=START + 4 * DAY)), team.mia, made.version
    )  # fmt: skip
    team.clock.forward(2 * DAY)
    team.work()
    assert team.told() == NOBODY
    team.clock.forward(DAY)
    team.work()
    assert team.told() == BOTH


def test_a_start_moved_while_the_message_waits_moves_it(team: Team) -> None:
    for channel in team.channels.values():
        channel.fail(Unavailable("busy"))
    made = team.register(starts_at=START + HOUR)
    team.work()
    moved = replace(BRIEF, starts_at=START + 2 * DAY)
    team.campaigns.change(made.public_id, Draft.of(moved), team.mia, made.version)
    team.clock.forward(12 * HOUR)
    team.work()
    assert team.told() == NOBODY
    assert {row["why"] for row in team.store.db.read("SELECT why FROM notifications")} == {
        "the campaign's start was moved"
    }
    team.clock.forward(12 * HOUR)
    team.work()
    assert team.told() == BOTH


def test_a_moved_message_is_tried_for_a_day_from_its_new_time_on(team: Team) -> None:
    team.channels["desk"].fail(Unavailable("busy"), Unavailable("busy"))
    made = team.register(starts_at=START + HOUR)
    team.work()
    moved = replace(BRIEF, starts_at=START + 4 * DAY)
    team.campaigns.change(made.public_id, Draft.of(moved), team.mia, made.version)
    team.clock.forward(HOUR)
    team.work()
    team.clock.forward(3 * DAY)
    team.work()
    team.clock.forward(HOUR)
    team.work()
    assert team.told()["desk"] == ["Free returns"]


def test_the_message_tells_the_brief_as_it_is_when_it_is_sent(team: Team) -> None:
    team.channels["desk"].fail(Unavailable("busy"))
    made = team.register(starts_at=START + HOUR)
    team.work()
    changed = replace(BRIEF, starts_at=START + HOUR, promises="Now with a limit.")
    team.campaigns.change(made.public_id, Draft.of(changed), team.mia, made.version)
    team.clock.forward(HOUR)
    team.work()
    (message,) = team.channels["desk"].messages
    assert message.announcement
    assert message.announcement.campaign.brief.promises == "Now with a limit."


def test_an_announcement_is_not_repeated_to_who_did_not_answer(team: Team) -> None:
    team.register(starts_at=START + HOUR)
    team.work()
    assert team.store.outbox.waiting() == 0
    assert team.store.outbox.counts() == {"sent": 2}


def test_the_outbox_takes_one_announcement_a_channel_however_often_it_is_asked(team: Team) -> None:
    made = team.register()
    for _ in range(2):
        with team.store.transaction():
            team.store.outbox.announce(made, ("desk",), START)
    assert team.store.outbox.waiting() == 1


def _life(db: Connections, clock: FakeClock, channels: dict[str, FakeChannel]) -> Store:
    store = make_store(db)
    store.release()
    team = Team(store, clock)
    team.channels = channels
    if not team.campaigns.page(team.mia):
        team.register(starts_at=START + HOUR)
    team.work()
    return store


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_each_channel_hears_of_it_once_though_the_process_ends_at_any_write(tmp_path: Path, after: bool) -> None:
    met = 0
    for fatal in itertools.count(1):
        path, clock = tmp_path / f"{fatal}.db", FakeClock()
        channels = {name: FakeChannel() for name in ("desk", "leads")}
        first, crashed = CrashingConnections(path, fatal, after), False
        try:
            _life(first, clock, channels)
        except Crash:
            crashed = True
        first.close()
        clock.forward(HOUR / 2)
        store = _life(Connections(path), clock, channels)
        for name, channel in channels.items():
            assert len(channel.keys) == 1, f"write {fatal}: {name}"
            assert len(channel.messages) <= 2, f"write {fatal}: a crash may repeat one message under the same key"
        assert sum(len(channel.messages) for channel in channels.values()) <= 3, f"write {fatal}"
        assert store.outbox.counts() == {"sent": 2}, f"write {fatal}"
        acts = [row["act"] for row in store.db.read("SELECT act FROM events WHERE act LIKE 'campaign%'")]
        assert acts == ["campaign registered", "campaign announced"], f"write {fatal}"
        store.close()
        if not crashed:
            break
        met += 1
    assert met > 10, "there are more writes than that; the crashes were not injected"
