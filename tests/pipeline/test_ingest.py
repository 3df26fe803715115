"""Posts come in: every one is accounted for, known ones change nothing, edits walk the path again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.errors import StoreError
from listener.core.mention import MAX_CHANGES, Engagement, Post
from listener.core.query import Place
from listener.core.rules import Rules
from listener.pipeline.ingest import CHUNK, ingest
from listener.store import Store, open_store
from listener.testing import make_post
from tests.kit import ACME, BORED, SHOP, START, make_rules, sighting


def take(store: Store, rules: Rules, *posts: Post, place: Place = SHOP, **circumstances: Any) -> Counter[str]:
    """Ingest a page."""
    return ingest(store, rules, place, posts, sighting(**circumstances), lambda: None)


def texts(store: Store) -> list[str]:
    """What is stored, in order."""
    return [row[0] for row in store.db.read("SELECT text FROM posts ORDER BY id")]


def mentions(store: Store) -> list[tuple[str, str]]:
    """Brand and arrival of each mention."""
    return [tuple(row) for row in store.db.read("SELECT brand, arrival FROM mentions ORDER BY id")]


def test_a_new_post_is_stored_with_a_mention_for_each_brand(store: Store, rules: Rules) -> None:
    assert take(store, rules, make_post("1", "acme left me bored")) == {"stored": 1}
    assert mentions(store) == [("Acme", "live"), ("Boredom", "live")]


def test_what_no_query_finds_is_counted_and_forgotten(store: Store, rules: Rules) -> None:
    assert take(store, rules, make_post("1", "nothing of ours")) == {"unmatched": 1}
    assert texts(store) == []


def test_the_same_post_again_changes_nothing(store: Store, rules: Rules) -> None:
    take(store, rules, make_post("1"))
    before = store.db.read("SELECT * FROM mentions")[0]
    assert take(store, rules, make_post("1")) == {"duplicate": 1}
    assert tuple(store.db.read("SELECT * FROM mentions")[0]) == tuple(before)


def test_duplicates_within_a_page_are_one_post(store: Store, rules: Rules) -> None:
    pages = [make_post(n) for n in ("1", "2", "1", "2", "2", "1")]
    assert take(store, rules, *pages) == {"stored": 2, "duplicate": 4}
    assert len(texts(store)) == 2


def test_an_edit_within_a_page_is_an_edit(store: Store, rules: Rules) -> None:
    assert take(
        store, rules, make_post("1", "acme was fine"), make_post("2"), make_post("1", "acme broke it"), make_post("2")
    ) == {"stored": 2, "edited": 1, "duplicate": 1}
    assert texts(store)[0] == "acme broke it"
    assert store.posts.revisions(1)[0][2] == "acme was fine"
    assert mentions(store) == [("Acme", "revision"), ("Acme", "live")]


def test_the_same_id_in_two_realms_is_two_posts(store: Store, rules: Rules) -> None:
    assert take(store, rules, make_post("1", realm="a"), make_post("1", realm="b")) == {"stored": 2}


def test_an_edit_keeps_its_history(store: Store, rules: Rules) -> None:
    for minute, text in enumerate(("acme is fine", "acme is so-so", "acme broke it")):
        take(store, rules, make_post("1", text), now=START + timedelta(minutes=minute))
    assert texts(store) == ["acme broke it"]
    assert [text for _, _, text, _ in store.posts.revisions(1)] == ["acme is fine", "acme is so-so"]


def test_nobody_puts_other_words_into_the_mail_of_a_customer(store: Store, rules: Rules) -> None:
    take(store, rules, make_post("<1@kim>", "acme is broken", kind="mail", author="Kim@mail.example"))
    assert take(store, rules, make_post("<1@kim>", "acme is fine", kind="mail", author="eve@evil.example")) == {
        "rejected": 1
    }
    assert texts(store) == ["acme is broken"]
    again = make_post("<1@kim>", "acme is broken, still", kind="mail", author="kim@mail.example")
    assert take(store, rules, again) == {"edited": 1}


@pytest.mark.parametrize(
    ("before", "after", "fell"), [(1.0, 0.0, 1), (0.0, 1.0, 0), (None, 0.0, 0), (0.5, None, 0), (0.5, 0.5, 0)]
)
def test_fallen_stars_are_noticed(
    store: Store, rules: Rules, before: float | None, after: float | None, fell: int
) -> None:
    take(store, rules, make_post("1", rating=before))
    take(store, rules, make_post("1", "acme, edited", rating=after))
    assert store.db.read("SELECT fell FROM mentions")[0][0] == fell


def test_a_post_that_changes_for_ever_is_not_followed_for_ever(store: Store, rules: Rules) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(MAX_CHANGES + 3):
        outcomes += take(store, rules, make_post("1", f"acme, seen {number} times"))
    assert outcomes == {"stored": 1, "edited": MAX_CHANGES, "overflowed": 2}


@pytest.mark.parametrize("field", ["external_id", "author", "published_at", "rating"])
def test_a_post_that_is_none_is_rejected_and_the_others_are_kept(store: Store, rules: Rules, field: str) -> None:
    broken: Any = {"external_id": 7, "author": None, "published_at": "today", "rating": "five"}
    odd = replace(make_post("odd"), **{field: broken[field]})
    assert take(store, rules, make_post("1"), odd, make_post("2")) == {"stored": 2, "rejected": 1}


def test_a_post_without_an_id_is_rejected_and_counted(store: Store, rules: Rules) -> None:
    assert take(store, rules, make_post(" "), make_post("1")) == {"rejected": 1, "stored": 1}


def test_reactions_are_brought_up_to_date_without_a_revision(store: Store, rules: Rules) -> None:
    take(store, rules, make_post("1"))
    take(store, rules, make_post("1", engagement=Engagement(likes=9)))
    assert store.db.read("SELECT likes, changes FROM posts")[0][:] == (9, 0)


def test_a_brand_that_came_later_finds_its_mentions_in_known_posts(store: Store) -> None:
    post = make_post("1", "acme left me bored")
    take(store, make_rules(queries=[ACME]), post)
    assert take(store, make_rules(queries=[ACME, BORED]), post) == {"duplicate": 1}
    assert mentions(store) == [("Acme", "live"), ("Boredom", "live")]


def test_history_is_stored_as_history(store: Store, rules: Rules) -> None:
    take(store, rules, make_post("1", published_at=None), first_poll=True)
    take(store, rules, make_post("2"), imported=True)
    take(store, rules, make_post("3"), imported=True, alert=True)
    assert [arrival for _, arrival in mentions(store)] == ["backfill", "backfill", "live"]


def test_a_large_page_is_stored_in_pieces_and_finished_once(store: Store, rules: Rules) -> None:
    finished: list[int] = []
    posts = [make_post(str(n)) for n in range(2 * CHUNK + 1)]
    ingest(store, rules, SHOP, posts, sighting(), lambda: finished.append(len(texts(store))))
    assert finished == [2 * CHUNK + 1]


def test_an_empty_page_is_finished_too(store: Store, rules: Rules) -> None:
    finished: list[int] = []
    assert ingest(store, rules, SHOP, (), sighting(), lambda: finished.append(1)) == {}
    assert finished == [1]


def test_a_failure_at_the_end_of_a_page_keeps_its_last_piece_out(store: Store, rules: Rules) -> None:
    def finish() -> None:
        raise StoreError("no room")

    posts = [make_post(str(n)) for n in range(CHUNK + 5)]
    with pytest.raises(StoreError):
        ingest(store, rules, SHOP, posts, sighting(), finish)
    assert len(texts(store)) == CHUNK
    assert take(store, rules, *posts) == {"duplicate": CHUNK, "stored": 5}


@given(
    st.lists(
        st.lists(
            st.builds(
                make_post,
                st.sampled_from(["1", "2", "3", "4", " "]),
                st.sampled_from(["acme", "acme!", "acme bored", "nothing", "bored"]),
                realm=st.sampled_from(["a", "b"]),
                rating=st.sampled_from([None, 0.0, 1.0]),
            ),
            max_size=12,
        ),
        max_size=4,
    )
)
def test_fetched_is_the_sum_of_the_outcomes(pages: list[list[Post]]) -> None:
    store, rules = open_store(":memory:"), make_rules()
    store.places.sync([SHOP], START)
    total: Counter[str] = Counter()
    for page in pages:
        outcomes = take(store, rules, *page)
        assert outcomes.total() == len(page)
        total += outcomes
    assert store.places.health()[0].tallies == total
    assert total["stored"] == len(texts(store))
    identities = {(p.realm, p.external_id) for page in pages for p in page if p.external_id.strip()}
    assert len(texts(store)) <= len(identities)
    store.close()
