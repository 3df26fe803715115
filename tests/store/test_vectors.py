"""What a text means is kept once for each post, in the transaction that judges it, and goes with the post."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from listener.core.errors import StoreError
from listener.core.mention import Mention
from listener.core.work import Judged
from listener.store import Store
from listener.store.vectors import STALE
from listener.testing import START, make_post, verdict
from tests.kit import add_posts, edit_post, mood


def towards(*numbers: int) -> bytes:
    """A vector of 384 bytes that begins with these."""
    return np.array([*numbers, *([0] * (384 - len(numbers)))], np.int8).tobytes()


def judged(
    mention: Mention, vector: bytes | None, *, scorer: str = "table@1", space: str | None = None, fresh: bool = True
) -> Judged:
    """A mention that was judged."""
    read = replace(verdict(0.9, 0.05, 0.05, scorer=scorer), embedding=vector, space=space)
    return Judged(mention=mention, verdict=read, fresh=fresh, sentiment=mood("negative"), next_step=None, why="done")


def judge_all(store: Store, *vectors: bytes | None, scorer: str = "table@1", space: str | None = None) -> list[Mention]:
    """Judge what waits, oldest first."""
    mentions = sorted(store.mentions.claim("judge", 99, START), key=lambda each: each.id)
    with store.transaction():
        pairs = zip(mentions, vectors, strict=True)
        store.mentions.judged([judged(each, vector, scorer=scorer, space=space) for each, vector in pairs], "r1", START)
    return mentions


def rows(store: Store) -> list[tuple[object, ...]]:
    """Every vector's post and first byte."""
    return [tuple(row) for row in store.db.read("SELECT post_id, hex(substr(vector, 1, 1)), scorer FROM vectors")]


def test_a_text_has_one_vector_whatever_it_mentions_and_says_next(store: Store) -> None:
    post = make_post("1")
    add_posts(store, post, brands=("Acme", "Bolt"))
    judge_all(store, towards(1), towards(1))
    assert rows(store) == [(1, "01", "table@1")]
    edit_post(store, post, text="Acme again")
    judge_all(store, towards(2), scorer="table@2")
    assert rows(store) == [(1, "02", "table@2")]


def test_a_kept_verdict_comes_with_its_vector(store: Store) -> None:
    add_posts(store, make_post("1"))
    [mention] = judge_all(store, towards(7))
    assert store.mentions.verdicts([mention], "table@1")[1, mention.fingerprint].embedding == towards(7)


def test_a_scorer_without_vectors_leaves_none(store: Store) -> None:
    add_posts(store, make_post("1"))
    [mention] = judge_all(store, None)
    assert rows(store) == []
    assert store.vectors.near(mention, START - timedelta(days=1)) == {}


def test_a_vector_is_written_with_the_verdict_or_not_at_all(store: Store) -> None:
    add_posts(store, make_post("1"))
    [mention] = store.mentions.claim("judge", 9, START)

    def judge_and_fail() -> None:
        with store.transaction():
            store.mentions.judged([judged(mention, towards(1))], "r1", START)
            raise StoreError("the power went")

    with pytest.raises(StoreError):
        judge_and_fail()
    assert rows(store) == []


def test_a_vector_goes_with_its_post(store: Store) -> None:
    add_posts(store, make_post("1"), make_post("2"))
    judge_all(store, towards(1), towards(2))
    for table in ("verdicts", "mentions"):
        store.db.write(f"DELETE FROM {table} WHERE post_id = 1")
    store.db.write("DELETE FROM posts WHERE id = 1")
    assert [row[0] for row in rows(store)] == [2]


def test_the_nearest_of_the_brand_come_first_and_strangers_never(store: Store) -> None:
    add_posts(store, *(make_post(str(number)) for number in range(4)))
    add_posts(store, make_post("rival"), brands=("Bolt",))
    add_posts(store, make_post("old"), now=START - timedelta(days=9))
    first, *_ = judge_all(store, towards(9, 1), towards(-9), towards(9, 9), towards(9, 0), towards(9, 1), towards(9, 1))
    near = store.vectors.near(first, START - timedelta(days=1), limit=2)
    assert list(near) == [4, 3]
    assert near[4] == pytest.approx(0.994, abs=0.001)
    assert store.vectors.near(replace(first, fingerprint="other"), START - timedelta(days=1)) == {}


def test_vectors_of_another_scorer_are_not_compared(store: Store) -> None:
    add_posts(store, make_post("1"))
    [first] = judge_all(store, towards(1))
    add_posts(store, make_post("2"))
    judge_all(store, towards(1), scorer="table@2")
    assert store.vectors.near(first, START - timedelta(days=1)) == {}


def test_vectors_of_one_scorer_are_compared_within_their_space_only(store: Store) -> None:
    add_posts(store, make_post("1"), make_post("2"))
    first, _ = judge_all(store, towards(1), towards(1), space="en@1")
    add_posts(store, make_post("3"))
    [other] = judge_all(store, towards(1), space="multi@1")
    assert list(store.vectors.near(first, START - timedelta(days=1))) == [2]
    assert store.vectors.near(other, START - timedelta(days=1)) == {}
    known = store.mentions.verdicts([first, other], "table@1")
    assert {verdict.space for verdict in known.values()} == {"en@1", "multi@1"}


def test_vectors_of_two_scorers_that_share_a_space_are_compared(store: Store) -> None:
    add_posts(store, make_post("1"))
    [first] = judge_all(store, towards(1), scorer="both@1", space="en@1")
    add_posts(store, make_post("2"))
    judge_all(store, towards(1), scorer="both@2", space="en@1")
    assert list(store.vectors.near(first, START - timedelta(days=1))) == [2]


def test_a_vector_without_a_space_is_like_none_and_is_read_anew(store: Store) -> None:
    add_posts(store, make_post("1"), make_post("2"))
    first, _ = judge_all(store, towards(1), towards(1))
    store.db.write("UPDATE vectors SET space = ?", (STALE,))
    assert store.vectors.near(first, START - timedelta(days=1)) == {}
    assert store.mentions.verdicts([first], "table@1") == {}
    store.db.write("UPDATE mentions SET step = 'judge'")
    judge_all(store, towards(2), towards(2), space="en@1")
    assert list(store.vectors.near(first, START - timedelta(days=1))) == [2]
    assert store.mentions.verdicts([first], "table@1")[1, first.fingerprint].embedding == towards(2)
