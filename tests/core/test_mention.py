"""The freshness rule, line by line: what is news and may alert, what is history and is only counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from listener.core.mention import FACTS, NUMERIC_FACTS, Author, Engagement, Seen, arrival, facts
from listener.core.query import Place
from listener.core.sentiment import Label
from listener.core.work import held_back
from listener.testing import START, make_post
from tests.kit import HORIZON, SHOP, make_mention, mood, sighting

REPLAY = Place(name="replay", source="replay", history="live")
KNOWN = Seen(post_id=1, fingerprint="f", rating=None, changes=0)
OLD = START - HORIZON - timedelta(seconds=1)
MS = timedelta(milliseconds=1)


def decided(
    published: datetime | None, place: Place = SHOP, seen: Seen | None = None, **circumstances: Any
) -> tuple[str, str]:
    """The arrival of a post published then."""
    return arrival(make_post("1", published_at=published), place, sighting(**circumstances), seen)


def test_what_is_new_is_live() -> None:
    assert decided(START - HORIZON) == ("live", "new")


def test_what_is_new_is_live_on_a_first_poll_too() -> None:
    assert decided(START, first_poll=True) == ("live", "new")


def test_what_says_it_comes_from_tomorrow_is_live() -> None:
    assert decided(START + timedelta(days=1)) == ("live", "new")


def test_what_was_imported_is_history() -> None:
    assert decided(START, imported=True) == ("backfill", "imported")


def test_an_import_of_a_known_post_is_history_even_if_it_was_edited() -> None:
    assert decided(START, seen=KNOWN, imported=True) == ("backfill", "imported")


def test_what_is_older_than_the_alert_horizon_is_history() -> None:
    assert decided(START - HORIZON - MS) == ("backfill", "published more than 2 days, 0:00:00 before it was seen")


def test_what_is_undated_on_a_places_first_poll_is_history() -> None:
    assert decided(None, first_poll=True) == ("backfill", "undated and met on the place's first poll")


def test_what_is_undated_later_is_live() -> None:
    assert decided(None) == ("live", "undated, new at a place polled before")


@pytest.mark.parametrize("published", [OLD, None, START])
def test_a_place_that_plays_history_as_live_makes_everything_live(published: datetime | None) -> None:
    assert decided(published, REPLAY, first_poll=True) == ("live", "the place plays history as live")


@pytest.mark.parametrize("published", [OLD, None, START])
def test_an_import_with_alert_makes_everything_live(published: datetime | None) -> None:
    assert decided(published, imported=True, first_poll=True, alert=True) == ("live", "imported with --alert")


@pytest.mark.parametrize(
    ("place", "alert", "why"),
    [
        (SHOP, False, "edited after it was first seen"),
        (REPLAY, False, "the place plays history as live"),
        (SHOP, True, "imported with --alert"),
    ],
)
@pytest.mark.parametrize("published", [OLD, None, START])
def test_an_edit_is_a_revision_however_old_the_post(
    published: datetime | None, place: Place, alert: bool, why: str
) -> None:
    assert decided(published, place, KNOWN, first_poll=True, alert=alert) == ("revision", why)


def test_history_is_never_routed() -> None:
    mention = make_mention(arrival="backfill", arrival_reason="imported")
    assert held_back(mention, mood("negative")) == "history, counted but not routed: imported"


def test_news_is_routed() -> None:
    assert held_back(make_mention(), mood("positive")) is None


@pytest.mark.parametrize(
    ("before", "now", "fell", "routed"),
    [
        ("positive", "negative", False, True),
        ("positive", "neutral", False, True),
        ("neutral", "negative", False, True),
        ("negative", "negative", False, False),
        ("neutral", "neutral", False, False),
        ("negative", "positive", False, False),
        ("positive", "positive", True, True),
        ("negative", "negative", True, True),
        ("negative", "positive", True, True),
        (None, "positive", False, True),
    ],
)
def test_a_revision_is_routed_only_if_the_verdict_turned_worse_or_the_stars_fell(
    before: Label | None, now: Label, fell: bool, routed: bool
) -> None:
    mention = make_mention(arrival="revision", previous=before, fell=fell)
    assert (held_back(mention, mood(now)) is None) == routed


def test_a_held_back_revision_says_why() -> None:
    mention = make_mention(arrival="revision", previous="negative")
    assert held_back(mention, mood("neutral")) == "the edit made nothing worse: negative before, neutral now"


def test_facts_hold_what_is_known() -> None:
    post = make_post(
        "1", "text", title="title", kind="review", rating=0.25, author=Author(handle="ann", followers=100),
        engagement=Engagement(likes=3, replies=4, shares=5),
    )  # fmt: skip
    known = facts(make_mention(post, label="negative"))
    assert set(known) == set(FACTS)
    assert known["reach"] == 108.0
    assert known["query"] == ("acme",)
    assert {name for name, value in known.items() if isinstance(value, float)} == NUMERIC_FACTS


def test_unknown_facts_are_absent() -> None:
    known = facts(make_mention())
    missing = {"rating", "followers", "sentiment", "certainty", "score", "confidence"}
    assert set(FACTS) - set(known) == missing
    assert known["reach"] == 0.0


def test_a_sentiment_of_this_moment_stands_in_for_the_kept_one() -> None:
    mention = replace(make_mention(), sentiment=mood("positive"))
    assert facts(mention)["sentiment"] == "positive"
    assert facts(mention, mood("negative"))["sentiment"] == "negative"
