"""Which mentions carry a brief, where a campaign stands, and what is said of a form that does not fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.core.campaign import (
    AFTER_EFFECTS,
    MOST_TERMS,
    Brief,
    Campaign,
    Draft,
    Unfit,
    applies,
    changed_fields,
)
from listener.core.notification import decide_announcement
from tests.kit import START, make_mention, make_post

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ENDS = START + 5 * DAY

BRIEF = Brief(
    name="Free returns", brand="Acme", starts_at=START, ends_at=ENDS, terms=("free returns", "#acmereturns"),
    promises="Send it back for nothing until Sunday.",
)  # fmt: skip
CAMPAIGN = Campaign(id=1, public_id="c1", brief=BRIEF, owner=None, version=1, created_at=START, changed_at=START)

DRAFT = Draft(
    name=" Free  returns ", brand="Acme", starts_at="2026-11-21T09:00", ends_at="2026-11-23T18:00",
    terms="free returns\n\n  #AcmeReturns \nfree returns", promises="Nothing to pay.",
)  # fmt: skip


def said(text: str, at: datetime | None = START, title: str = "", **fields: Any) -> bool:
    """Whether what somebody published carries the brief."""
    return applies(CAMPAIGN, make_mention(make_post("1", text, published_at=at, title=title), **fields))


@pytest.mark.parametrize(
    ("at", "carried"),
    [
        (START - SECOND, False), (START, True), (ENDS, True), (ENDS + AFTER_EFFECTS, True),
        (ENDS + AFTER_EFFECTS + SECOND, False),
    ],
)  # fmt: skip
def test_a_brief_is_carried_from_the_start_until_two_weeks_after_the_end(at: datetime, carried: bool) -> None:
    assert said("your free returns, Acme", at) is carried


def test_what_has_no_date_counts_from_when_it_was_seen() -> None:
    assert said("free returns", None, seen_at=START)
    assert not said("free returns", None, seen_at=START - SECOND)


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("FREE   Returns are a joke", True), ("so #acmereturns", True), ("freereturns", False),
        ("free returnsx", False), ("returns are free", False), ("", False),
    ],
)  # fmt: skip
def test_terms_match_as_words_of_queries_do(text: str, carried: bool) -> None:
    assert said(text) is carried


def test_terms_are_looked_for_in_titles_too() -> None:
    assert said("no", title="Free returns?")


def test_without_terms_every_mention_of_the_brand_carries_it() -> None:
    brief = replace(BRIEF, terms=())
    assert brief.about(make_mention(make_post("1", "anything")))
    assert not brief.about(make_mention(make_post("1", "anything"), brand="Globex"))


def test_another_brand_never_carries_it() -> None:
    assert not said("free returns", brand="Globex")


def test_one_withdrawn_before_its_start_is_carried_by_nothing() -> None:
    early = replace(CAMPAIGN, withdrawn_at=START - DAY)
    assert not applies(early, make_mention(make_post("1", "free returns", published_at=START)))


def test_one_withdrawn_while_it_ran_is_carried_for_two_weeks_more_since_customers_saw_it() -> None:
    stopped = replace(CAMPAIGN, withdrawn_at=START + DAY)
    late, too_late = (
        make_mention(make_post("1", "free returns", published_at=START + DAY + AFTER_EFFECTS + more))
        for more in (timedelta(0), SECOND)
    )
    assert applies(stopped, late)
    assert not applies(stopped, too_late)


@pytest.mark.parametrize(
    ("now", "state", "asks"),
    [
        (START - SECOND, "announced", True), (START, "running", True), (ENDS, "running", True),
        (ENDS + SECOND, "over", True), (ENDS + AFTER_EFFECTS + SECOND, "over", False),
    ],
)  # fmt: skip
def test_a_campaign_comes_runs_and_is_over(now: datetime, state: str, asks: bool) -> None:
    assert (CAMPAIGN.state(now), CAMPAIGN.asks(now)) == (state, asks)


def test_a_withdrawn_one_asks_nobody() -> None:
    gone = replace(CAMPAIGN, withdrawn_at=START)
    assert (gone.state(START), gone.asks(START)) == ("withdrawn", False)


@pytest.mark.parametrize(
    ("now", "withdrawn", "action"),
    [
        (START - 2 * DAY, None, "hold"), (START - DAY, None, "send"), (START, None, "send"), (ENDS, None, "send"),
        (ENDS + SECOND, None, "drop"), (START - DAY, START - DAY, "drop"),
    ],
)  # fmt: skip
def test_an_announcement_is_decided_on_when_it_is_sent(now: datetime, withdrawn: datetime | None, action: str) -> None:
    decision = decide_announcement(replace(CAMPAIGN, withdrawn_at=withdrawn), now, DAY)
    assert decision.action == action
    assert decision.why
    assert decision.until == (START - DAY if action == "hold" else None)


def test_a_form_becomes_a_brief() -> None:
    brief = DRAFT.fit(["Acme"])
    assert (brief.name, brief.terms) == ("Free returns", ("free returns", "#AcmeReturns"))
    assert brief.starts_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert Draft.of(brief).fit(["Acme"]) == brief


def test_times_with_a_zone_become_utc_to_the_minute() -> None:
    brief = replace(DRAFT, starts_at="2026-11-21T09:00:59.5+02:00").fit(["Acme"])
    assert brief.starts_at == datetime(2026, 11, 21, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": " \u200b\x00 "}, "name", "give it a name"),
        ({"name": "x" * 101}, "name", "at most 100 characters"),
        ({"brand": "Globex"}, "brand", "choose one of the brands"),
        ({"brand": ""}, "brand", "choose one of the brands"),
        ({"starts_at": ""}, "starts_at", "write a date and a time"),
        ({"starts_at": "soon"}, "starts_at", "write a date and a time"),
        ({"starts_at": "0001-01-01T00:00+14:00"}, "starts_at", "write a date and a time"),
        ({"ends_at": "9999-12-31T00:00"}, "ends_at", "from 2000 to 2100"),
        ({"ends_at": "2026-11-21T09:00"}, "ends_at", "after it starts"),
        ({"terms": "x" * 101}, "terms", "one term a line"),
        ({"terms": "\n".join(map(str, range(MOST_TERMS + 1)))}, "terms", f"at most {MOST_TERMS} terms"),
        ({"promises": "x" * 5001}, "promises", "at most 5,000 characters; these are 5,001"),
        ({"promises": " "}, "promises", "at least one"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_at_its_field(change: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(Unfit) as refused:
        replace(DRAFT, **change).fit(["Acme"])
    assert list(refused.value.problems) == [field]
    assert words in refused.value.problems[field]


def test_terms_can_be_tried_before_the_rest_is_written() -> None:
    brief = Draft(brand="Acme", terms="gratis").trial(["Acme"], START)
    assert (brief.terms, brief.starts_at, brief.ends_at) == (("gratis",), START, START)
    with pytest.raises(Unfit) as refused:
        Draft(brand="x", terms="\n".join(map(str, range(MOST_TERMS + 1)))).trial(["Acme"], START)
    assert list(refused.value.problems) == ["brand", "terms"]


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(Unfit) as refused:
        Draft().fit(["Acme"])
    assert list(refused.value.problems) == ["name", "brand", "starts_at", "ends_at", "promises"]


@pytest.mark.parametrize("text", ["known_issues", "wording"])
def test_one_of_the_three_texts_is_enough(text: str) -> None:
    assert replace(DRAFT, promises="", **{text: "The checkout is slow."}).fit(["Acme"])


def test_changed_fields_are_named_in_the_order_of_the_form() -> None:
    assert changed_fields(BRIEF, replace(BRIEF, wording="New", name="Other")) == ("name", "wording")
    assert changed_fields(BRIEF, BRIEF) == ()
