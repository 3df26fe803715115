"""Places: the cursor moves with the posts, leases are kept while walking, a new kind of source starts afresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from listener.core.place import PlaceTurn
from listener.core.query import Cursor
from listener.store import Store
from listener.store.places import LEASE
from listener.testing import START
from tests.kit import SHOP, add_posts, make_post

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def shop(store: Store) -> Store:
    """A store that knows one place."""
    store.places.sync([SHOP], START)
    return store


def polled(
    store: Store, cursor: str | None = "v1:1", *, more: bool = False, keep: bool = False, posts: int = 1,
    at: timedelta = timedelta(), gap: str | None = None,
) -> None:  # fmt: skip
    """An answer came; the next poll is due an hour later."""
    store.places.polled(
        "shop", cursor=Cursor(cursor) if cursor else None, more=more, keep=keep, due=START + HOUR, posts=posts, gap=gap,
        now=START + at,
    )  # fmt: skip


def claim(store: Store, at: timedelta = timedelta()) -> list[PlaceTurn]:
    """Places that are due then."""
    return list(store.places.claim(10, START + at))


def test_a_new_place_is_due_at_once_and_for_the_first_time(shop: Store) -> None:
    assert claim(shop) == [PlaceTurn(name="shop", cursor=None, first_poll=True, failures=0, down_since=None)]
    assert claim(shop) == [], "somebody polls it"


def test_a_lease_that_ran_out_returns_the_place(shop: Store) -> None:
    claim(shop)
    assert claim(shop, LEASE - SECOND) == []
    assert len(claim(shop, LEASE)) == 1


def test_cursor_and_posts_are_stored_together_or_not_at_all(shop: Store) -> None:
    with pytest.raises(RuntimeError, match="crash"), shop.transaction():  # noqa: PT012
        add_posts(shop, make_post("1"))
        polled(shop)
        raise RuntimeError("crash")
    assert shop.places.turn("shop").cursor is None
    assert shop.mentions.counts() == {"done": 0}


def test_an_answer_moves_the_cursor_and_plans_the_next_poll(shop: Store) -> None:
    claim(shop)
    polled(shop)
    assert claim(shop, HOUR - SECOND) == []
    [turn] = claim(shop, HOUR)
    assert (turn.cursor, turn.first_poll) == ("v1:1", False)
    assert shop.places.health()[0].due_at == START + HOUR


def test_an_answer_without_a_cursor_keeps_the_old_one(shop: Store) -> None:
    polled(shop)
    polled(shop, None)
    assert shop.places.turn("shop").cursor == "v1:1"


def test_the_first_poll_lasts_until_its_last_page(shop: Store) -> None:
    polled(shop, more=True)
    assert shop.places.turn("shop").first_poll
    polled(shop, more=False)
    assert not shop.places.turn("shop").first_poll
    polled(shop, more=True)
    assert not shop.places.turn("shop").first_poll


def test_the_lease_is_kept_while_walking(shop: Store) -> None:
    claim(shop)
    shop.places.polled(
        "shop", cursor=Cursor("v1:1"), more=True, keep=True, due=START, posts=1, gap=None, now=START + LEASE - SECOND
    )
    assert claim(shop, LEASE + SECOND) == []
    shop.release()
    assert len(claim(shop, LEASE + SECOND)) == 1


def test_failures_add_up_and_end_with_an_answer(shop: Store) -> None:
    shop.places.failed("shop", error="no route", due=START + SECOND, now=START)
    shop.places.failed("shop", error="no host", due=START + SECOND, now=START + SECOND)
    turn = shop.places.turn("shop")
    assert (turn.failures, turn.down_since) == (2, START)
    assert shop.places.standing() == (1, 1)
    [health] = shop.places.health()
    assert (health.last_error, health.down_since, health.polled_at) == ("no host", START, None)
    polled(shop)
    turn = shop.places.turn("shop")
    assert (turn.failures, turn.down_since) == (0, None)
    assert shop.places.standing() == (1, 0)


def test_health_tells_gaps_tallies_and_what_was_held_back(shop: Store) -> None:
    polled(shop, gap="page limit reached")
    polled(shop, posts=0, at=SECOND)
    shop.places.tally("shop", {"stored": 2, "duplicate": 0})
    shop.places.tally("shop", {"stored": 1, "rejected": 1})
    add_posts(shop, make_post("1"), make_post("2"), arrival="backfill")
    shop.db.write("UPDATE mentions SET label = 'negative' WHERE id = 1")
    [health] = shop.places.health()
    assert health.gap == "page limit reached"
    assert (health.nonempty_at, health.polled_at) == (START, START + SECOND)
    assert health.tallies == {"stored": 3, "rejected": 1}
    assert (health.held_back, health.held_back_complaints) == (2, 1)


def test_a_place_that_left_the_configuration_is_not_polled_but_remembered(shop: Store) -> None:
    polled(shop)
    shop.places.sync([], START)
    assert claim(shop, 2 * HOUR) == []
    assert not shop.places.health()[0].enabled
    shop.places.sync([SHOP], START)
    assert [turn.cursor for turn in claim(shop, 2 * HOUR)] == ["v1:1"]


def test_a_place_that_is_switched_off_is_not_polled(shop: Store) -> None:
    shop.places.sync([replace(SHOP, enabled=False)], START)
    assert claim(shop) == []
    assert not shop.places.health()[0].enabled


def test_another_kind_of_source_starts_afresh(shop: Store) -> None:
    polled(shop)
    shop.places.sync([replace(SHOP, source="other")], START)
    turn = shop.places.turn("shop")
    assert (turn.cursor, turn.first_poll) == (None, True), "its undated history must page nobody"


def test_the_longest_overdue_comes_first(store: Store) -> None:
    for number, name in enumerate(("b", "a", "c")):
        store.places.sync([replace(SHOP, name=n) for n in ("b", "a", "c")[: number + 1]], START + number * SECOND)
        assert name
    assert [t.name for _ in range(3) for t in store.places.claim(1, START + HOUR)] == ["b", "a", "c"]


def test_an_import_goes_on_where_it_was(store: Store) -> None:
    assert store.places.import_offset("d", "shop") == (0, 0)
    store.places.imported("d", "shop", 100, 5)
    store.places.imported("d", "shop", 200, 9)
    assert store.places.import_offset("d", "shop") == (200, 9)
    assert store.places.import_offset("d", "other") == (0, 0)
