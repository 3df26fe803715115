"""Claims run out, snoozes end, and a broken promise is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from listener.core.case import Case, Joining
from listener.core.errors import StoreError
from listener.core.route import SLA
from listener.pipeline.dispatch import dispatch
from listener.pipeline.watch import watch
from listener.store import Store
from listener.testing import FakeChannel, FakeClock, make_post
from tests.kit import COMPLAINTS, add_posts, make_rules

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PROMISE = SLA(acknowledge=30 * MINUTE, reply=4 * HOUR)
RULES = make_rules(replace(COMPLAINTS, group_interval=5 * MINUTE))


def complaint(store: Store, clock: FakeClock, author: str = "kari") -> Case:
    """A case with promises, of which the desk is told."""
    add_posts(store, make_post(author, "acme is broken", author=author))
    [mention] = store.mentions.claim("judge", 1, clock())
    with store.transaction():
        case, opened = store.cases.open_or_grow(
            mention,
            route="complaints",
            reason="why",
            severity="high",
            joining=Joining(window=HOUR),
            now=clock(),
            sla=PROMISE,
        )
        store.outbox.put(COMPLAINTS, "complaints|brand=Acme", case.id, case.severity, opened, clock())
    return case


def claimed(store: Store, case: Case, clock: FakeClock) -> Case:
    """The case in a colleague's hands for an hour."""
    colleague = store.colleagues.find("ann") or store.colleagues.add("ann", "Ann", "agent", clock())
    held = replace(
        store.cases.get(case.id), status="acknowledged", assignee=colleague.id, claimed_until=clock() + HOUR,
        acknowledged_at=clock(),
    )  # fmt: skip
    with store.transaction():
        return store.cases.change(held)


def told(store: Store, clock: FakeClock) -> list[str]:
    """Why the desk hears of something, message by message."""
    channel = FakeChannel()
    while dispatch(store, "desk", channel, RULES, clock):
        pass
    return [message.reason for message in channel.messages]


def acts(store: Store, case: Case) -> list[str]:
    """What happened to the case."""
    return [event.act for event in store.events.of_case(case.id)]


def test_nothing_due_is_nothing_done(store: Store, clock: FakeClock) -> None:
    case = complaint(store, clock)
    assert watch(store, RULES, clock) == 0
    assert acts(store, case) == ["opened"]


def test_a_broken_promise_is_told_once_to_who_heard_of_the_case(store: Store, clock: FakeClock) -> None:
    case = complaint(store, clock)
    clock.forward(MINUTE)
    assert told(store, clock) == ["opened"]
    clock.forward(30 * MINUTE)
    assert watch(store, RULES, clock) == 1
    assert watch(store, RULES, clock) == 0
    assert told(store, clock) == ["overdue"]
    assert acts(store, case) == ["opened", "overdue"]
    assert store.events.of_case(case.id)[-1].detail == "acknowledge"


def test_the_next_promise_is_told_as_well(store: Store, clock: FakeClock) -> None:
    case = complaint(store, clock)
    clock.forward(31 * MINUTE)
    watch(store, RULES, clock)
    claimed(store, case, clock)
    assert watch(store, RULES, clock) == 0
    clock.forward(4 * HOUR)
    assert watch(store, RULES, clock) == 2  # The claim ran out, and the reply is overdue.
    assert [event.detail for event in store.events.of_case(case.id) if event.act == "overdue"] == [
        "acknowledge",
        "reply",
    ]


def test_what_is_late_together_is_told_together_and_not_too_often(store: Store, clock: FakeClock) -> None:
    for author in ("a", "b", "c"):
        complaint(store, clock, author)
    clock.forward(MINUTE)
    told(store, clock)
    complaint(store, clock, "d")
    clock.forward(29 * MINUTE)
    watch(store, RULES, clock)
    assert told(store, clock) == ["opened"]  # The newest case and the three late ones are one message.
    clock.forward(MINUTE)
    assert watch(store, RULES, clock) == 1
    assert told(store, clock) == []
    clock.forward(5 * MINUTE)
    assert told(store, clock) == ["overdue"]


def test_a_forgotten_claim_goes_back_to_everybody(store: Store, clock: FakeClock) -> None:
    case = claimed(store, complaint(store, clock), clock)
    clock.forward(HOUR - MINUTE)
    assert watch(store, RULES, clock) == 0
    clock.forward(MINUTE)
    assert watch(store, RULES, clock) == 1
    now = store.cases.get(case.id)
    assert (now.status, now.assignee, now.claimed_until) == ("open", None, None)
    assert acts(store, case)[-1] == "lapsed"


def test_a_snooze_ends_with_who_put_it_aside(store: Store, clock: FakeClock) -> None:
    case = claimed(store, complaint(store, clock), clock)
    with store.transaction():
        store.cases.change(replace(case, status="snoozed", snoozed_until=clock() + 2 * HOUR, claimed_until=None))
    clock.forward(2 * HOUR)
    assert watch(store, RULES, clock) == 1
    now = store.cases.get(case.id)
    assert (now.status, now.assignee, now.claimed_until) == ("acknowledged", case.assignee, clock() + HOUR)
    assert acts(store, case)[-1] == "woke"


def test_a_snooze_of_nobody_ends_with_everybody(store: Store, clock: FakeClock) -> None:
    case = complaint(store, clock)
    with store.transaction():
        store.cases.change(replace(case, status="snoozed", snoozed_until=clock() + HOUR))
    clock.forward(HOUR)
    watch(store, RULES, clock)
    assert store.cases.get(case.id).status == "open"


def test_a_failed_write_leaves_the_clocks_due(store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    case = complaint(store, clock)
    clock.forward(HOUR)

    def broken(*_: object) -> None:
        raise StoreError("no")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.outbox), "news", broken)
        with pytest.raises(StoreError):
            watch(store, RULES, clock)
    assert acts(store, case) == ["opened"]
    assert watch(store, RULES, clock) == 1
