"""Whether a message is still worth sending, and how long to wait after a failed try."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listener.core.case import Status
from listener.core.notification import Reason, decide, repeat_pause, retry_pause
from tests.kit import make_case


@pytest.mark.parametrize(
    ("reason", "statuses", "action", "why"),
    [
        ("opened", (), "drop", "nothing to tell: no case is left in it"),
        ("repeat", (), "drop", "nothing to tell: no case is left in it"),
        ("opened", ("open",), "send", "new case"),
        ("grown", ("acknowledged",), "send", "the matter grew"),
        ("overdue", ("open",), "send", "overdue"),
        ("opened", ("resolved",), "drop", "resolved before the message was due"),
        ("grown", ("resolved", "resolved"), "drop", "resolved before the message was due"),
        ("opened", ("resolved", "snoozed"), "send", "new case"),
        ("resolved", ("resolved",), "send", "resolved"),
        ("repeat", ("open", "resolved", "open"), "send", "2 still unclaimed after the repeat interval"),
        (
            "repeat",
            ("acknowledged", "snoozed", "resolved"),
            "drop",
            "nobody is waiting: all cases are claimed, snoozed or resolved",
        ),
    ],
)
def test_decision(reason: Reason, statuses: tuple[Status, ...], action: str, why: str) -> None:
    decision = decide(reason, [make_case(status=status) for status in statuses])
    assert (decision.action, decision.why) == (action, why)


@pytest.mark.parametrize(
    ("attempts", "least", "most"),
    [(1, 15, 30), (2, 30, 60), (3, 60, 120), (7, 960, 1920), (8, 1800, 3600), (50, 1800, 3600)],
)
def test_pauses_double_up_to_an_hour(attempts: int, least: int, most: int) -> None:
    assert retry_pause(attempts, 0.0) == timedelta(seconds=least)
    assert retry_pause(attempts, 1.0) == timedelta(seconds=most)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (None, 30),
        (0.0, 30),
        (-5.0, 30),
        (10.0, 30),
        (90.0, 90),
        (1e9, 24 * 3600),
        (float("inf"), 24 * 3600),
        (float("nan"), 30),
    ],
)
def test_the_wait_that_was_asked_for_is_kept_within_a_day(asked: float | None, seconds: int) -> None:
    assert retry_pause(1, 1.0, asked) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("pause", "then"),
    [
        (timedelta(hours=4), timedelta(hours=8)),
        (timedelta(hours=16), timedelta(days=1)),
        (timedelta(days=1), timedelta(days=1)),
        (timedelta(days=90), timedelta(days=90)),
        (timedelta(), timedelta()),
    ],
)
def test_repeats_grow_rarer_up_to_one_a_day(pause: timedelta, then: timedelta) -> None:
    assert repeat_pause(pause) == then
