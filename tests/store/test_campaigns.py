"""Campaigns are kept as they were written, with every version read by whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from listener.core.campaign import AFTER_EFFECTS, Brief, Campaign
from listener.core.event import LISTENER
from listener.store import Store
from tests.kit import START, add_posts, make_post

DAY = timedelta(days=1)
LATER = START + DAY
BRIEF = Brief(
    name="Free returns", brand="Acme", starts_at=START + DAY, ends_at=START + 3 * DAY, terms=("free returns", "gratis"),
    promises="Nothing to pay.\nUntil Sunday.", known_issues="Slow.", wording="We are sorry.",
)  # fmt: skip


def add(store: Store, **changes: Any) -> Campaign:
    return store.campaigns.add(replace(BRIEF, **changes), None, START)


def test_a_campaign_is_found_as_it_was_written(store: Store) -> None:
    made = add(store)
    assert made.brief == BRIEF
    assert (made.version, made.created_at, made.changed_at, made.announced_at) == (1, START, START, None)
    assert store.campaigns.find(made.public_id) == made
    assert store.campaigns.find("nobody") is None


def test_a_brief_without_terms_has_none(store: Store) -> None:
    assert add(store, terms=()).brief.terms == ()


def test_a_change_is_a_new_version(store: Store) -> None:
    made = add(store)
    changed = store.campaigns.change(made, replace(BRIEF, wording="New"), LATER)
    assert (changed.version, changed.brief.wording, changed.changed_at) == (2, "New", LATER)
    assert store.campaigns.find(made.public_id) == changed


def test_readings_count_for_the_version_that_was_read(store: Store) -> None:
    ann, made = store.colleagues.add("ann", "Ann", "agent", START), add(store)
    assert store.campaigns.read(made, ann.id, START)
    assert not store.campaigns.read(made, ann.id, LATER)
    assert store.campaigns.readers([made]) == {made.id: {ann.id: START}}
    changed = store.campaigns.change(made, replace(BRIEF, wording="New"), LATER)
    assert store.campaigns.readers([changed]) == {made.id: {}}
    assert store.campaigns.read(changed, ann.id, LATER)
    assert store.campaigns.readers([]) == {}


@pytest.mark.parametrize(
    ("now", "found"), [(START, True), (BRIEF.ends_at + AFTER_EFFECTS, True), (BRIEF.ends_at + AFTER_EFFECTS * 2, False)]
)
def test_a_brief_asks_to_be_read_as_long_as_it_is_carried(store: Store, now: datetime, found: bool) -> None:
    made = add(store)
    assert store.campaigns.asking(now) == ((made,) if found else ())
    store.campaigns.withdraw(made, START)
    assert store.campaigns.asking(now) == ()


def test_unannounced_are_those_that_start_soon_or_run(store: Store) -> None:
    made = add(store)
    add(store, starts_at=START - 3 * DAY, ends_at=START - DAY)
    assert store.campaigns.unannounced(START, START + DAY - timedelta(milliseconds=1)) == ()
    assert store.campaigns.unannounced(START, START + DAY) == (made,)
    store.campaigns.withdraw(made, START)
    assert store.campaigns.unannounced(START, LATER) == ()
    back = store.campaigns.withdraw(made, None)
    assert back == made
    store.campaigns.announced(made, LATER)
    assert store.campaigns.unannounced(START, LATER) == ()
    (known,) = store.campaigns.page(1)
    assert known.announced_at == LATER


def test_possible_ones_are_of_the_brand_and_the_time(store: Store) -> None:
    made = add(store)
    add(store, brand="Globex")
    assert store.campaigns.possible("Acme", START + DAY, START + DAY) == (made,)
    assert store.campaigns.possible("Acme", START, START) == ()
    end = BRIEF.ends_at + AFTER_EFFECTS
    assert store.campaigns.possible("Acme", end, end) == (made,)
    assert store.campaigns.possible("Acme", end + DAY, end + DAY) == ()


def test_a_sample_is_of_the_brand_the_newest_first_and_no_older_than_asked(store: Store) -> None:
    add_posts(store, make_post("old", "x", published_at=START - 40 * DAY), make_post("1"), make_post("2"))
    add_posts(store, make_post("3"), brands=("Globex",))
    add_posts(store, make_post("undated", "x", published_at=None))
    found = store.campaigns.sample("Acme", START - 30 * DAY, 10)
    assert [mention.post.external_id for mention in found] == ["undated", "2", "1"]
    assert len(store.campaigns.sample("Acme", START - 30 * DAY, 2)) == 2


def test_what_was_done_with_a_campaign_is_found_newest_first(store: Store) -> None:
    made = add(store)
    for act in ("one", "two"):
        store.events.add(LISTENER, act, START, subject=made.subject)
    store.events.add(LISTENER, "other", START, subject="campaign x")
    assert [event.act for event in store.events.of_subject(made.subject)] == ["two", "one"]
