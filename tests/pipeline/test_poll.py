"""Places are polled: the cursor only moves with stored posts, a failure is said once, nobody waits for another."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from listener.core.errors import (
    AdapterError,
    RateLimited,
    Rejected,
    SettingsError,
    StoreError,
    Unauthorized,
    Unavailable,
)
from listener.core.place import PlaceHealth
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place, Query
from listener.core.rules import Rules
from listener.pipeline.poll import PAGES_A_TURN, REJECTED_PAUSE, poll
from listener.store import Store
from listener.testing import START, FakeClock, FakeSource, make_post
from tests.kit import SHOP

Logged = list[MutableMapping[str, Any]]
MINUTE = timedelta(minutes=1)


class Scripted(FakeSource):
    """A source whose answers are made by a function of the cursor."""

    def __init__(self, answer: Callable[[Cursor | None], Page]) -> None:
        """Keep the function."""
        super().__init__()
        self._answer = answer

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Answer."""
        self.asked.append(cursor)
        return self._answer(cursor)


def health(store: Store) -> PlaceHealth:
    """How the shop fares."""
    return store.places.health()[0]


def turn(store: Store, source: FakeSource, rules: Rules, clock: FakeClock) -> int:
    """One turn of the step."""
    return poll(store, {"shop": source}, rules, clock)


def events(logged: Logged) -> list[str]:
    """What was logged, without progress."""
    return [event["event"] for event in logged if event["event"] != "page_stored"]


def test_a_poll_stores_posts_and_the_cursor(shop: Store, source: FakeSource, rules: Rules, clock: FakeClock) -> None:
    source.answer(make_post("1"), make_post("2", "of no interest"))
    assert turn(shop, source, rules, clock) == 1
    assert health(shop).tallies == {"stored": 1, "unmatched": 1}
    assert shop.places.turn("shop").cursor == "v1:1"
    assert turn(shop, source, rules, clock) == 0, "not due again"


def test_the_next_poll_goes_on_from_the_cursor(shop: Store, source: FakeSource, rules: Rules, clock: FakeClock) -> None:
    source.answer(make_post("1"))
    turn(shop, source, rules, clock)
    clock.forward(SHOP.every * 2)
    source.answer(make_post("1"), make_post("2"))
    turn(shop, source, rules, clock)
    assert source.asked == [None, "v1:1"]
    assert health(shop).tallies == {"stored": 2, "duplicate": 1}


def test_a_place_without_a_source_is_left_alone(shop: Store, rules: Rules, clock: FakeClock) -> None:
    assert poll(shop, {}, rules, clock) == 1


def test_cursor_stays_when_storing_fails(
    shop: Store, source: FakeSource, rules: Rules, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.answer(make_post("1"))
    with monkeypatch.context() as patch:
        patch.setattr(type(shop.posts), "add", _fails)
        with pytest.raises(StoreError):
            turn(shop, source, rules, clock)
    assert shop.places.turn("shop").cursor is None
    assert health(shop).tallies == {}
    clock.forward(timedelta(minutes=3))
    source.answer(make_post("1"))
    turn(shop, source, rules, clock)
    assert source.asked == [None, None]
    assert health(shop).tallies == {"stored": 1}


def _fails(*_: object) -> None:
    raise StoreError("no room")


@pytest.mark.parametrize(
    ("problem", "least"),
    [
        (Unavailable("no route"), SHOP.every / 2),
        (Unavailable("maintenance", retry_after=7200), timedelta(hours=2)),
        (RateLimited("slow down", retry_after=3600), timedelta(hours=1)),
        (RateLimited("slow down", retry_after=float("inf")), timedelta(hours=24)),
        (Rejected("no such feed"), REJECTED_PAUSE),
        (Unauthorized(), REJECTED_PAUSE),
    ],
)
def test_a_failed_poll_rests_as_long_as_it_should(
    shop: Store, source: FakeSource, rules: Rules, clock: FakeClock, problem: AdapterError, least: timedelta
) -> None:
    source.fail(problem)
    assert turn(shop, source, rules, clock) == 1
    found = health(shop)
    assert found.due_at is not None
    assert found.due_at - START >= least
    assert (found.failures, found.last_error, found.down_since) == (1, str(problem), START)


@pytest.mark.parametrize(
    "problem",
    [RuntimeError("boom"), KeyError("x"), SettingsError("late"), UnicodeError("half \ud83d"), StoreError("x")],
)
def test_whatever_a_source_raises_is_a_failed_poll(
    shop: Store, rules: Rules, clock: FakeClock, problem: Exception
) -> None:
    def answer(_: Cursor | None) -> Page:
        raise problem

    assert turn(shop, Scripted(answer), rules, clock) == 1
    assert (health(shop).last_error or "").startswith(f"shop: {type(problem).__name__}")
    assert health(shop).failures == 1


def test_a_cursor_that_cannot_be_kept_is_the_sources_fault(shop: Store, rules: Rules, clock: FakeClock) -> None:
    bad = Scripted(lambda _: Page(posts=(make_post("1"),), cursor=Cursor("v1:\ud800")))
    assert turn(shop, bad, rules, clock) == 1
    assert "Unicode" in (health(shop).last_error or "")


def test_down_is_said_once_and_up_is_said_once(
    shop: Store, source: FakeSource, rules: Rules, clock: FakeClock, logged: Logged
) -> None:
    for _ in range(3):
        source.fail(Unavailable("no route"))
    for _ in range(5):
        turn(shop, source, rules, clock)
        clock.forward(timedelta(days=1))
    assert events(logged) == ["place_down", "place_up"]


def test_pauses_grow_with_failures(shop: Store, source: FakeSource, rules: Rules, clock: FakeClock) -> None:
    pauses = []
    for _ in range(4):
        source.fail(Unavailable("no route"))
        turn(shop, source, rules, clock)
        due = health(shop).due_at
        assert due is not None
        pauses.append(due - clock())
        clock.now = due
    assert pauses[2] > pauses[0]
    assert pauses[3] > pauses[1]


def pages(count: int) -> Callable[[Cursor | None], Page]:
    """That many pages of one post each."""

    def answer(cursor: Cursor | None) -> Page:
        number = int(cursor or 0) + 1
        return Page(posts=(make_post(f"p{number}"),), cursor=Cursor(str(number)), more=number < count)

    return answer


def test_a_walk_goes_on_to_its_end_within_a_turn(shop: Store, rules: Rules, clock: FakeClock) -> None:
    source = Scripted(pages(5))
    turn(shop, source, rules, clock)
    assert source.asked == [None, "1", "2", "3", "4"]
    assert health(shop).tallies == {"stored": 5}
    assert not shop.places.turn("shop").first_poll


def test_a_long_walk_gives_way_and_is_due_at_once(shop: Store, rules: Rules, clock: FakeClock) -> None:
    source = Scripted(pages(PAGES_A_TURN + 2))
    turn(shop, source, rules, clock)
    assert shop.places.turn("shop").first_poll
    assert turn(shop, source, rules, clock) == 1
    assert health(shop).tallies == {"stored": PAGES_A_TURN + 2}


def test_nobody_else_polls_a_place_that_is_walked(shop: Store, rules: Rules, clock: FakeClock) -> None:
    others: list[int] = []

    def answer(cursor: Cursor | None) -> Page:
        clock.forward(MINUTE)
        others.append(len(shop.places.claim(1, clock())))
        return pages(5)(cursor)

    turn(shop, Scripted(answer), rules, clock)
    assert others == [0] * 5


def test_a_failure_on_the_way_keeps_what_was_stored_before(shop: Store, rules: Rules, clock: FakeClock) -> None:
    def answer(cursor: Cursor | None) -> Page:
        if cursor == "2":
            raise Unavailable("no route")
        return pages(9)(cursor)

    turn(shop, Scripted(answer), rules, clock)
    assert shop.places.turn("shop").cursor == "2"
    assert health(shop).failures == 1
    assert shop.places.turn("shop").first_poll


def test_history_of_a_whole_first_walk_pages_nobody(shop: Store, rules: Rules, clock: FakeClock) -> None:
    def answer(cursor: Cursor | None) -> Page:
        page = pages(3)(cursor)
        return Page(posts=(make_post(f"u{cursor}", published_at=None),), cursor=page.cursor, more=page.more)

    turn(shop, Scripted(answer), rules, clock)
    assert {row[0] for row in shop.db.read("SELECT arrival FROM mentions")} == {"backfill"}


def test_a_gap_is_kept_and_said(shop: Store, rules: Rules, clock: FakeClock, logged: Logged) -> None:
    turn(shop, Scripted(lambda _: Page(gap="page limit\ud800 reached", rejected=("bad row", "bad row"))), rules, clock)
    assert health(shop).gap == "page limit reached"
    assert health(shop).tallies == {"rejected": 2}
    assert events(logged) == ["place_gap"]


def test_the_wait_a_place_asks_for_is_kept(shop: Store, rules: Rules, clock: FakeClock) -> None:
    turn(shop, Scripted(lambda _: Page(wait=timedelta(hours=3))), rules, clock)
    assert health(shop).due_at == START + timedelta(hours=3)
