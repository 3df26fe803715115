"""Messages are sent while they are worth it, tried again for a day under one key, and then given up."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import pytest

from listener.core.errors import RateLimited, Rejected, Unauthorized, Unavailable
from listener.core.notification import DELIVERY_BUDGET
from listener.core.rules import Rules
from listener.pipeline.dispatch import dispatch
from listener.store import Store
from listener.testing import FakeChannel, FakeClock, make_post
from tests.kit import COMPLAINTS, add_posts, make_rules, next_due, open_case, resolve, route

WAIT = COMPLAINTS.group_wait
Logged = list[MutableMapping[str, Any]]


@pytest.fixture
def told(store: Store, clock: FakeClock) -> Store:
    """A store with one case that the desk is to hear of now."""
    _tell(store, clock, "kari")
    clock.forward(WAIT)
    return store


def _tell(store: Store, clock: FakeClock, author: str) -> None:
    add_posts(store, make_post(author, "acme is broken", author=author))
    case, opened = open_case(store, store.mentions.claim("judge", 1, clock())[0], severity="high", now=clock())
    with store.transaction():
        store.outbox.put(COMPLAINTS, "complaints|brand=Acme", case.id, case.severity, opened, clock())


def send(store: Store, channel: FakeChannel, rules: Rules, clock: FakeClock) -> int:
    """One turn of the step."""
    return dispatch(store, "desk", channel, rules, clock)


def test_a_message_says_what_staff_need(told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock) -> None:
    assert send(told, channel, rules, clock) == 1
    [message] = channel.messages
    case = told.cases.unresolved()[0]
    assert (message.reason, message.route, message.severity, message.bundle, message.total) == (
        "opened", "complaints", "high", "brand=Acme", 1,
    )  # fmt: skip
    assert message.cases[0].url == f"https://desk.example/cases/{case.public_id}"
    assert message.cases[0].mention.post.text == "acme is broken"
    assert message.inbox_url == "https://desk.example/cases"
    assert not message.sample
    assert send(told, channel, rules, clock) == 0


def test_sample_data_says_so_and_has_no_links_without_pages(
    told: Store, channel: FakeChannel, clock: FakeClock
) -> None:
    send(told, channel, make_rules(sample=True, public_url=""), clock)
    assert channel.messages[0].sample
    assert (channel.messages[0].cases[0].url, channel.messages[0].inbox_url) == ("", "")


def test_nothing_is_sent_before_it_is_due(store: Store, channel: FakeChannel, rules: Rules, clock: FakeClock) -> None:
    _tell(store, clock, "kari")
    assert send(store, channel, rules, clock) == 0


def test_news_of_resolved_cases_is_dropped_with_the_reason(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock, logged: Logged
) -> None:
    resolve(told, told.cases.unresolved()[0])
    assert send(told, channel, rules, clock) == 1
    assert channel.tried == []
    assert told.outbox.counts() == {"dropped": 1}
    assert logged[-1]["why"] == "resolved before the message was due"


def test_a_repeat_is_sent_while_somebody_waits_and_dropped_after(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock
) -> None:
    send(told, channel, rules, clock)
    clock.forward(COMPLAINTS.repeat_interval)
    send(told, channel, rules, clock)
    assert [message.reason for message in channel.messages] == ["opened", "repeat"]
    told.db.write("UPDATE cases SET status = 'acknowledged'")
    clock.forward(2 * COMPLAINTS.repeat_interval)
    assert send(told, channel, rules, clock) == 1
    clock.forward(timedelta(days=9))
    assert send(told, channel, rules, clock) == 0
    assert len(channel.messages) == 2


def test_a_failed_message_is_tried_again_with_growing_pauses_under_one_key(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock
) -> None:
    channel.fail(*(Unavailable("busy") for _ in range(6)))
    pauses = []
    for _ in range(6):
        assert send(told, channel, rules, clock) == 1
        due = next_due(told)
        assert due is not None
        pauses.append(due - clock())
        assert send(told, channel, rules, clock) == 0
        clock.now = due
    assert pauses == sorted(pauses)
    assert pauses[0] >= timedelta(seconds=15)
    send(told, channel, rules, clock)
    assert len(channel.messages) == 1
    assert len(set(channel.tried)) == 1
    assert len(channel.tried) == 7


def test_the_wait_a_channel_asks_for_is_kept(told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock) -> None:
    channel.fail(RateLimited("slow down", retry_after=5_000))
    send(told, channel, rules, clock)
    assert next_due(told) == clock() + timedelta(seconds=5_000)


@pytest.mark.parametrize("asked", [1e300, float("inf"), float("nan")])
def test_a_wait_beyond_reason_does_not_outlive_the_message(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock, asked: float
) -> None:
    channel.fail(RateLimited("slow down", retry_after=asked))
    send(told, channel, rules, clock)
    due = next_due(told)
    assert due is not None
    assert due - clock() <= DELIVERY_BUDGET


def test_after_a_day_of_tries_a_message_is_dead_and_said_so(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock, logged: Logged
) -> None:
    began, tries = clock(), 0
    while (due := next_due(told)) is not None:
        clock.now = max(clock.now, due)
        channel.fail(Unavailable("busy"))
        send(told, channel, rules, clock)
        tries += 1
    assert timedelta(hours=24) <= clock() - began <= timedelta(hours=25, minutes=1)
    assert 24 <= tries <= 60
    [row] = told.outbox.dead()
    assert "busy" in row.error
    assert "1 day" in row.error
    assert [event["event"] for event in logged].count("message_dead") == 1


@pytest.mark.parametrize("problem", [Rejected("no such room"), Unauthorized()])
def test_a_refusal_is_final_at_once(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock, problem: Exception
) -> None:
    channel.fail(problem)
    send(told, channel, rules, clock)
    assert told.outbox.dead()[0].error == str(problem)
    assert next_due(told) is None


def test_a_dead_message_that_is_sent_again_has_a_fresh_day(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock
) -> None:
    channel.fail(Rejected("no such room"))
    send(told, channel, rules, clock)
    clock.forward(timedelta(days=3))
    told.outbox.requeue(told.outbox.dead()[0].id, clock())
    channel.fail(Unavailable("busy"))
    send(told, channel, rules, clock)
    assert told.outbox.counts() == {"pending": 1}


@pytest.mark.parametrize("problem", [RuntimeError("boom \ud83d"), KeyError("x")])
def test_whatever_a_channel_raises_is_tried_again(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock, problem: Exception
) -> None:
    channel.fail(problem)
    assert send(told, channel, rules, clock) == 1
    [delivery] = told.outbox.of_case(1)
    assert delivery.last_error is not None
    assert delivery.last_error.startswith(f"desk: {type(problem).__name__}")
    clock.forward(timedelta(minutes=1))
    send(told, channel, rules, clock)
    assert len(channel.messages) == 1


def test_a_crash_after_sending_repeats_the_message_with_the_same_key(
    told: Store, channel: FakeChannel, rules: Rules, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(type(told.outbox), "sent", crash)
        with pytest.raises(SystemExit):
            send(told, channel, rules, clock)
    told.release()
    send(told, channel, rules, clock)
    first, second = channel.messages
    assert first == second


def test_a_channel_that_is_down_holds_up_no_other(
    store: Store, channel: FakeChannel, rules: Rules, clock: FakeClock
) -> None:
    both = route("both", channels=("desk", "lead"), group_wait=timedelta())
    add_posts(store, make_post("1"))
    case, opened = open_case(store, store.mentions.claim("judge", 1, clock())[0])
    with store.transaction():
        store.outbox.put(both, "both|", case.id, case.severity, opened, clock())
    lead = FakeChannel()
    channel.fail(Unavailable("busy"))
    send(store, channel, rules, clock)
    dispatch(store, "lead", lead, rules, clock)
    assert len(lead.messages) == 1
    assert lead.messages[0].key not in channel.tried
