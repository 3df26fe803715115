"""Promises in words: what a chip says, when it turns amber and red, and how each promise of a case stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listener.testing import START
from listener.web.clocks import brief_span, chip, dials
from tests.kit import make_case

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=9), "9 s"), (59 * MINUTE, "59 min"), (89 * MINUTE, "89 min"), (90 * MINUTE, "1 h"),
        (35 * HOUR, "35 h"), (36 * HOUR, "1 d"), (-3 * HOUR, "3 h"),
    ],
)  # fmt: skip
def test_a_span_is_one_figure_rounded_down(span: timedelta, words: str) -> None:
    assert brief_span(span) == words


@pytest.mark.parametrize(
    ("minutes", "words", "tone"),
    [
        (0, "claim within 20 min", "calm"),
        (14, "claim within 6 min", "calm"),
        (15, "claim within 5 min", "soon"),
        (20, "claim overdue", "late"),
        (20.9, "claim overdue", "late"),
        (25, "claim overdue by 5 min", "late"),
    ],
)
def test_a_chip_is_amber_from_three_quarters_and_red_when_overdue(minutes: float, words: str, tone: str) -> None:
    case = make_case(clocks_from=START, acknowledge_by=START + 20 * MINUTE, reply_by=START + 4 * HOUR)
    found = chip(case, START + minutes * MINUTE)
    assert found is not None
    assert (found.words, found.tone, found.until) == (words, tone, START + 20 * MINUTE)


def test_a_claimed_case_counts_to_its_answer_and_a_snoozed_one_to_its_return() -> None:
    claimed = make_case(
        status="acknowledged", clocks_from=START, acknowledge_by=START + HOUR, acknowledged_at=START,
        reply_by=START + 4 * HOUR,
    )  # fmt: skip
    found = chip(claimed, START + HOUR)
    assert found is not None
    assert found.words == "answer within 3 h"
    aside = make_case(status="snoozed", snoozed_until=START + 3 * HOUR, acknowledge_by=START)
    back = chip(aside, START + HOUR)
    assert back is not None
    assert (back.words, back.tone) == ("back in 2 h", "calm")
    gone = chip(aside, START + 3 * HOUR)
    assert gone is not None
    assert gone.words == "back now"


def test_nothing_breaks_on_a_resolved_case_or_without_promises() -> None:
    assert chip(make_case(status="resolved", acknowledge_by=START), START + HOUR) is None
    assert chip(make_case(), START) is None
    assert dials(make_case(), START) == ()


def test_each_promise_says_how_it_stands() -> None:
    case = make_case(
        status="acknowledged", clocks_from=START, acknowledge_by=START + HOUR, acknowledged_at=START + 3 * MINUTE,
        reply_by=START + 2 * HOUR, replied_at=START + 3 * HOUR, resolve_by=START + 48 * HOUR,
    )  # fmt: skip
    assert [(dial.noun, dial.words, dial.tone) for dial in dials(case, START + 4 * HOUR)] == [
        ("Claim", "after 3 min, in time", "kept"),
        ("Answer", "60 min late", "missed"),
        ("Resolve", "within 1 d", "calm"),
    ]
    ended = make_case(status="resolved", clocks_from=START, reply_by=START + HOUR)
    assert [(dial.words, dial.tone) for dial in dials(ended, START + 9 * HOUR)] == [("no longer due", "calm")]
