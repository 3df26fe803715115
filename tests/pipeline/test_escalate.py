"""Routed mentions open or grow cases and put word in the outbox, all or nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listener.core.errors import StoreError, StoreFull
from listener.core.mention import Post
from listener.core.rules import Rules
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.store import Store
from listener.testing import FakeClock, FakeScorer, make_post
from tests.kit import COMPLAINTS, add_posts, edit_post, make_rules, resolve, route


def hear(store: Store, rules: Rules, clock: FakeClock, *posts: Post) -> None:
    """Posts come, are judged and routed."""
    add_posts(store, *posts, now=clock())
    while judge(store, FakeScorer(), rules, clock):
        pass
    while escalate(store, rules, clock):
        pass


def count(store: Store, table: str) -> int:
    """Rows of a table."""
    return int(store.db.read(f"SELECT count(*) FROM {table}")[0][0])


def test_a_complaint_opens_a_case_and_is_put_in_the_outbox(store: Store, rules: Rules, clock: FakeClock) -> None:
    hear(store, rules, clock, make_post("1", "acme is broken", author="kari"))
    [case] = store.cases.unresolved()
    assert (case.author, case.route, case.severity, case.brand) == ("kari", "complaints", "high", "Acme")
    assert store.outbox.waiting() == 1
    trail = store.trails.of_mention(1)
    assert trail is not None
    assert (trail.routes, trail.step, trail.case, trail.routed_with) == (("complaints",), None, case.public_id, "r1")


def test_a_second_complaint_joins_the_case(store: Store, rules: Rules, clock: FakeClock) -> None:
    hear(store, rules, clock, make_post("1", "acme is broken"))
    hear(store, rules, clock, make_post("2", "still waiting, acme"))
    [case] = store.cases.unresolved()
    assert case.mentions == 2


def test_an_edit_that_turned_worse_joins_the_existing_case(store: Store, rules: Rules, clock: FakeClock) -> None:
    post = make_post("1", "acme is broken")
    hear(store, rules, clock, post)
    post = edit_post(store, post, text="I love acme now")
    hear(store, rules, clock)
    resolve(store, store.cases.unresolved()[0], clock())
    clock.forward(timedelta(days=30))
    edit_post(store, post, text="acme is broken again", now=clock())
    hear(store, rules, clock)
    [case] = store.cases.unresolved()
    assert (case.id, case.mentions, case.headline) == (1, 1, "acme is broken again")
    assert count(store, "cases") == 1


def test_continue_gives_two_bundles_one_case(store: Store, clock: FakeClock) -> None:
    loud = route("watch", "sentiment = negative", continue_=True, channels=("lead",), severity="crisis")
    rules = make_rules(loud, COMPLAINTS)
    hear(store, rules, clock, make_post("1", "acme is broken"))
    [case] = store.cases.unresolved()
    assert (case.route, case.severity) == ("watch", "crisis")
    assert {row[0] for row in store.db.read("SELECT key FROM bundles")} == {"watch|brand=Acme", "complaints|brand=Acme"}
    assert {row[0] for row in store.db.read("SELECT channel FROM notifications")} == {"lead", "desk"}


def test_fifty_people_are_fifty_cases_in_one_message(store: Store, rules: Rules, clock: FakeClock) -> None:
    hear(store, rules, clock, *(make_post(str(n), "acme is broken", author=f"a{n}", root="t") for n in range(50)))
    assert count(store, "cases") == 50
    assert count(store, "notifications") == 1


def test_a_route_that_is_gone_takes_nothing(store: Store, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "acme is broken"))
    judge(store, FakeScorer(), rules, clock)
    assert escalate(store, make_rules(route("other", "sentiment = positive")), clock) == 1
    assert count(store, "cases") == 0
    trail = store.trails.of_mention(1)
    assert trail is not None
    assert (trail.routes, trail.routed_why) == ((), "no route takes it")


@pytest.mark.parametrize("where", ["put", "routed"])
def test_a_crash_on_the_way_leaves_nothing_behind(
    store: Store, rules: Rules, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    add_posts(store, *(make_post(str(n), "acme is broken", author=f"a{n}") for n in range(3)))
    judge(store, FakeScorer(), rules, clock)

    def crash(*_: object) -> None:
        raise StoreError("defect")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.outbox if where == "put" else store.mentions), where, crash)
        with pytest.raises(StoreError):
            escalate(store, rules, clock)
    assert [count(store, table) for table in ("cases", "case_mentions", "bundles", "notifications")] == [0, 0, 0, 0]
    store.release()
    while escalate(store, rules, clock):
        pass
    assert (count(store, "cases"), count(store, "case_mentions"), count(store, "notifications")) == (3, 3, 1)


def test_a_full_disk_costs_no_try(
    store: Store, rules: Rules, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_posts(store, make_post("1", "acme is broken"))
    judge(store, FakeScorer(), rules, clock)

    def full(*_: object) -> None:
        raise StoreFull

    with monkeypatch.context() as patch:
        patch.setattr(type(store.mentions), "routed", full)
        for _ in range(5):
            with pytest.raises(StoreFull):
                escalate(store, rules, clock)
    assert escalate(store, rules, clock) == 1
    assert count(store, "cases") == 1


def test_an_edit_between_judging_and_routing_waits_for_its_verdict(
    store: Store, rules: Rules, clock: FakeClock
) -> None:
    post = make_post("1", "acme is broken")
    add_posts(store, post)
    judge(store, FakeScorer(), rules, clock)
    claimed = store.mentions.claim("route", 10, clock())
    edit_post(store, post, text="acme is broken, twice")
    assert store.mentions.waiting("route", claimed) == ()
    hear(store, rules, clock)
    assert store.cases.unresolved()[0].headline == "acme is broken, twice"
