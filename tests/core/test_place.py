"""When a place is asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listener.core.place import pause_after, pause_after_failure

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("wait", "spread", "pause"),
    [
        (None, 0.0, HOUR * 0.95),
        (None, 1.0, HOUR * 1.05),
        (MINUTE, 0.5, HOUR),
        (2 * HOUR, 0.5, 2 * HOUR),
        (timedelta(days=365), 0.5, timedelta(hours=24)),
        (-HOUR, 0.5, HOUR),
    ],
)
def test_after_an_answer(wait: timedelta | None, spread: float, pause: timedelta) -> None:
    assert abs(pause_after(HOUR, wait, spread) - pause) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("every", "failures", "asked", "spread", "pause"),
    [
        (MINUTE, 1, None, 1.0, MINUTE),
        (MINUTE, 1, None, 0.0, MINUTE / 2),
        (MINUTE, 2, None, 1.0, 2 * MINUTE),
        (MINUTE, 5, None, 1.0, 16 * MINUTE),
        (MINUTE, 99, None, 1.0, 6 * HOUR),
        (MINUTE, 99, None, 0.0, 3 * HOUR),
        (timedelta(), 1, None, 1.0, timedelta(seconds=5)),
        (24 * HOUR, 1, None, 1.0, 6 * HOUR),
        (MINUTE, 1, 600.0, 1.0, 10 * MINUTE),
        (MINUTE, 1, 1.0, 1.0, MINUTE),
        (MINUTE, 1, 0.0, 1.0, MINUTE),
        (MINUTE, 1, -9.0, 1.0, MINUTE),
        (MINUTE, 1, 1e15, 1.0, 24 * HOUR),
        (MINUTE, 1, float("inf"), 1.0, 24 * HOUR),
        (MINUTE, 1, float("nan"), 1.0, MINUTE),
    ],
)
def test_after_a_failure(every: timedelta, failures: int, asked: float | None, spread: float, pause: timedelta) -> None:
    assert pause_after_failure(every, failures, asked, spread) == pause
