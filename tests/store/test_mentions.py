"""The queue of mentions: attempts are counted before the work, the guilty row alone dies, edits are never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from listener.core.mention import Mention
from listener.core.work import Routed
from listener.store import Store
from listener.store.mentions import LEASE, TRIES
from listener.testing import START
from tests.kit import add_posts, edit_post, judge_as, make_post

LATER = START + timedelta(seconds=5)


def ids(store: Store, limit: int = 10, now: timedelta = timedelta()) -> list[str]:
    """External ids of the next batch to judge."""
    return [m.post.external_id for m in store.mentions.claim("judge", limit, START + now)]


def waiting(store: Store) -> list[str]:
    """Everything in a step, whoever works on it."""
    return [row[0] for row in store.db.read("SELECT step FROM mentions ORDER BY id")]


@pytest.fixture
def three(store: Store) -> Store:
    """A store with three posts to judge."""
    add_posts(store, *(make_post(str(n)) for n in (1, 2, 3)))
    return store


def test_nobody_else_gets_what_was_claimed(three: Store) -> None:
    assert ids(three, 2) == ["3", "2"]
    assert ids(three) == ["1"]
    assert ids(three) == []


def test_the_attempt_is_counted_before_the_work(three: Store) -> None:
    assert [m.attempts for m in three.mentions.claim("judge", 2, START)] == [1, 1]
    assert three.db.read("SELECT sum(attempts) FROM mentions")[0][0] == 2


def test_low_stars_are_judged_first_then_live_revisions_and_history_newest_first(store: Store) -> None:
    add_posts(store, make_post("old1"), make_post("old2"), arrival="backfill")
    add_posts(store, make_post("edited"), arrival="revision")
    add_posts(store, make_post("new1"), make_post("new2"))
    add_posts(store, make_post("stars", rating=0.25), arrival="backfill")
    assert ids(store) == ["stars", "new2", "new1", "edited", "old2", "old1"]


def test_what_failed_is_tried_again_one_by_one_and_before_what_is_fresh(three: Store) -> None:
    three.mentions.unclaim(three.mentions.claim("judge", 2, START), LATER, "boom")
    assert ids(three) == ["1"], "not yet due"
    add_posts(three, make_post("4"))
    due = timedelta(seconds=5)
    assert [ids(three, now=due) for _ in range(4)] == [["2"], ["3"], ["4"], []]


def test_what_a_dead_process_held_is_tried_again_one_by_one(disk: Callable[[], Store]) -> None:
    first = disk()
    add_posts(first, make_post("1"), make_post("2"))
    assert ids(first) == ["2", "1"]
    again = disk()
    again.release()
    assert {*ids(again), *ids(again)} == {"1", "2"}
    assert ids(again) == []


def test_a_lease_that_ran_out_returns_its_mention(three: Store) -> None:
    ids(three)
    assert ids(three, now=LEASE - timedelta(milliseconds=1)) == []
    assert len(ids(three, now=LEASE)) == 1


def test_after_three_tries_a_mention_is_dead_and_the_others_are_not(store: Store) -> None:
    add_posts(store, make_post("guilty"))
    for _ in range(TRIES):
        store.mentions.unclaim(store.mentions.claim("judge", 10, START), START, "boom")
    add_posts(store, make_post("other"))
    assert ids(store) == ["other"]
    [row] = store.mentions.dead()
    assert (row.kind, row.about, row.attempts, row.error) == ("mention", "Acme at shop", 3, "judge: boom")


def test_a_mention_that_ends_the_process_dies_with_that_reason(store: Store) -> None:
    add_posts(store, make_post("guilty"))
    for _ in range(TRIES):
        assert ids(store) == ["guilty"]
        store.release()
    assert ids(store) == []
    assert store.mentions.dead()[0].error == "judge: the process ended while it was worked on"


def test_what_was_given_back_counts_as_untried(three: Store) -> None:
    three.mentions.give_back(three.mentions.claim("judge", 10, START))
    assert len(ids(three)) == 3, "a whole batch again"


def test_an_orderly_end_counts_no_attempt(three: Store) -> None:
    ids(three)
    three.release(counted=False)
    assert len(ids(three)) == 3


def test_a_released_lease_of_a_dead_process_stays_counted(three: Store) -> None:
    ids(three)
    three.release()
    assert len(ids(three)) == 1


def test_an_edit_while_judging_keeps_waiting(store: Store) -> None:
    post = make_post("1", "Acme is fine")
    add_posts(store, post)
    claimed = store.mentions.claim("judge", 10, START)
    edit_post(store, post, text="Acme broke it")
    judge_as(store, claimed)
    assert waiting(store) == ["judge"]
    [again] = store.mentions.claim("judge", 10, START)
    assert (again.post.text, again.attempts, again.arrival) == ("Acme broke it", 1, "revision")


def test_a_failed_batch_does_not_touch_what_was_edited_meanwhile(store: Store) -> None:
    post = make_post("1", "Acme is fine")
    add_posts(store, post)
    claimed = store.mentions.claim("judge", 10, START)
    edit_post(store, post, text="Acme broke it")
    store.mentions.unclaim(claimed, LATER, "boom")
    store.mentions.give_back(claimed)
    [again] = store.mentions.claim("judge", 10, START)
    assert again.attempts == 1


def test_a_complaint_that_is_edited_before_it_was_routed_is_still_routed(store: Store) -> None:
    post = make_post("1", "Acme broke it")
    add_posts(store, post)
    judge_as(store, store.mentions.claim("judge", 10, START))
    for text in ("Acme broke it.", "Acme broke it!"):
        post = edit_post(store, post, text=text)
    judge_as(store, store.mentions.claim("judge", 10, START))
    assert waiting(store) == ["route"]


def test_stars_that_fell_before_a_second_edit_still_count(store: Store) -> None:
    post = make_post("1", "Acme is fine", rating=1.0)
    add_posts(store, post)
    judge_as(store, store.mentions.claim("judge", 10, START), 0.01, 0.04, 0.95)
    with store.transaction():
        store.mentions.routed([Routed(mention=m, routes=(), why="no") for m in claim_routes(store)], "r1")
    post = edit_post(store, post, rating=0.75, fell=True)
    edit_post(store, post, text="Acme is fine, really")
    [mention] = store.mentions.claim("judge", 10, START)
    assert (mention.previous, mention.fell) == ("positive", True)
    judge_as(store, [mention], 0.01, 0.04, 0.95)
    assert waiting(store) == ["route"]


def claim_routes(store: Store) -> tuple[Mention, ...]:
    """Everything that waits for a route."""
    return store.mentions.claim("route", 100, START)


def test_what_was_routed_and_is_edited_to_the_same_mood_is_held_back(store: Store) -> None:
    post = make_post("1", "Acme broke it")
    add_posts(store, post)
    judge_as(store, store.mentions.claim("judge", 10, START))
    with store.transaction():
        store.mentions.routed([Routed(mention=m, routes=("c",), why="w") for m in claim_routes(store)], "r1")
    edit_post(store, post, text="Acme broke it again")
    [mention] = store.mentions.claim("judge", 10, START)
    assert (mention.previous, mention.fell) == ("negative", False)
    judge_as(store, [mention])
    assert waiting(store) == [None]


def test_history_that_is_edited_before_it_was_judged_stays_history(store: Store) -> None:
    post = make_post("1", "Acme broke it")
    add_posts(store, post, arrival="backfill")
    edit_post(store, post, text="Acme broke it (views: 2)")
    [mention] = store.mentions.claim("judge", 10, START)
    assert mention.arrival == "backfill"


def test_history_whose_stars_fell_before_it_was_judged_is_a_revision(store: Store) -> None:
    post = make_post("1", "Acme", rating=1.0)
    add_posts(store, post, arrival="backfill")
    edit_post(store, post, rating=0.0, fell=True)
    [mention] = store.mentions.claim("judge", 10, START)
    assert (mention.arrival, mention.fell) == ("revision", True)


def test_the_same_state_makes_nothing_wait(store: Store) -> None:
    post = make_post("1")
    add_posts(store, post)
    judge_as(store, store.mentions.claim("judge", 10, START))
    edit_post(store, post)
    assert waiting(store) == ["route"]


def test_the_same_verdict_is_not_asked_for_twice(store: Store) -> None:
    add_posts(store, make_post("1"), brands=("Acme", "Bolt"))
    first, second = store.mentions.claim("judge", 10, START)
    judge_as(store, [first])
    key = (second.post_id, second.fingerprint)
    assert store.mentions.verdicts([second], "table@1")[key].label == "negative"
    assert store.mentions.verdicts([second], "table@2") == {}
    assert store.mentions.verdicts([], "table@1") == {}


def test_a_dead_mention_can_be_sent_back_once(three: Store) -> None:
    three.mentions.bury([1], "judge", "boom")
    assert three.mentions.requeue(1)
    assert not three.mentions.requeue(1)
    assert not three.mentions.requeue(99)
    assert len(ids(three)) == 3


def test_counts_add_up(three: Store) -> None:
    three.mentions.bury([1], "judge", "boom")
    judge_as(three, three.mentions.claim("judge", 1, START))
    assert three.mentions.counts() == {"judge": 1, "route": 1, "dead": 1, "done": 0}


def test_phrases_come_back_whole(store: Store) -> None:
    add_posts(store, make_post("1"))
    mention = store.mentions.find(1)
    assert mention is not None
    assert (mention.queries, mention.words) == (("acme",), ("Acme",))
    assert store.mentions.find(2) is None
