"""The engine in threads: steps wake each other, fail alone, rest when they fail, and end when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import pytest

from listener.core.errors import StoreError, StoreFull, Unavailable
from listener.core.protocols import Stop
from listener.engine import threads
from listener.engine.threads import Engine, Step

LONG = 10.0


@contextmanager
def running(
    *steps: Step, on_full: Callable[[bool], None] = lambda _: None, ears: Sequence[threads.Ear] = ()
) -> Iterator[Engine]:
    """An engine at work."""
    engine = Engine(steps, on_full, ears)
    engine.start()
    try:
        yield engine
    finally:
        assert engine.stop() == ()


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition; fail after a while."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def scripted(*answers: int | Exception) -> tuple[Callable[[], int], list[int]]:
    """A step that does as told, then has nothing to do; and its calls."""
    left, calls = list(answers), list[int]()

    def run() -> int:
        calls.append(len(calls))
        answer = left.pop(0) if left else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run, calls


def test_a_step_goes_on_while_it_has_work_and_wakes_the_next() -> None:
    order: list[str] = []
    work = [1, 1, 0]

    def judge() -> int:
        order.append("judge")
        return work.pop(0) if work else 0

    def route() -> int:
        order.append("route")
        return 0

    with running(Step(name="judge", run=judge, wakes=("route",), idle=60), Step(name="route", run=route, idle=60)):
        until(lambda: order.count("judge") == 3 and "route" in order[len(order) - order[::-1].index("judge") - 2 :])


def test_channels_are_woken_by_the_name_of_their_kind() -> None:
    run, calls = scripted()
    with running(Step(name="dispatch:desk", run=run, idle=60)) as engine:
        until(lambda: len(calls) == 1)
        engine.wake("dispatch")
        until(lambda: len(calls) == 2)


@pytest.mark.parametrize("problem", [RuntimeError("defect"), Unavailable("loading"), KeyError()])
def test_a_step_that_fails_leaves_the_others_alone_and_comes_back(problem: Exception) -> None:
    bad, _ = scripted(problem)
    good, calls = scripted(1, 1, 1)
    with running(Step(name="bad", run=bad, idle=60), Step(name="good", run=good, idle=60)) as engine:
        until(lambda: len(calls) == 4)
        until(lambda: engine.troubles() == {"bad": str(problem) or type(problem).__name__})
        until(lambda: engine.troubles() == {})


def test_a_step_that_fails_rests_even_when_it_is_rung_for() -> None:
    engine = Engine([Step(name="bad", run=lambda: 0)])
    [lane] = engine._lanes
    lane.trouble = "no route"
    lane.bell.set()
    worked = time.thread_time()
    began = time.monotonic()
    engine._rest(lane, 0.3)
    assert time.monotonic() - began >= 0.3
    assert time.thread_time() - worked < 0.15, "it rests, and does not spin"


def test_a_stop_ends_a_long_rest() -> None:
    bad, calls = scripted(*(Unavailable("loading") for _ in range(99)))
    with running(Step(name="bad", run=bad), Step(name="idle", run=lambda: 0, idle=600)) as engine:
        until(lambda: calls)
        began = time.monotonic()
        assert engine.stop() == ()
        assert time.monotonic() - began < 5


def test_a_thread_that_does_not_end_is_named() -> None:
    free, busy = threading.Event(), threading.Event()

    def stuck() -> int:
        busy.set()
        free.wait(LONG)
        return 0

    with running(Step(name="stuck", run=stuck, idle=60)) as engine:
        assert busy.wait(LONG)
        assert engine.stop(within=0.05) == ("stuck-0",)
        free.set()


def test_a_full_disk_is_told_once_and_so_is_its_end() -> None:
    told: list[bool] = []
    run, calls = scripted(StoreFull(), 1)
    engine = Engine([Step(name="poll", run=run)], told.append)
    [lane] = engine._lanes
    for expected in ([True], [True, False]):
        engine._unit(lane)
        assert told == expected
        assert engine.full == expected[-1]
    assert len(calls) == 2


def test_a_step_without_progress_counts_as_stalled() -> None:
    engine = Engine([Step(name="judge", run=lambda: 0, patience=0.0, threads=2), Step(name="route", run=lambda: 0)])
    until(engine.stalled)
    assert engine.stalled() == ("judge",)


def test_a_channel_that_must_not_be_hurried_is_not() -> None:
    moments: list[float] = []

    def send() -> int:
        moments.append(time.monotonic())
        return 1

    with running(Step(name="dispatch:desk", run=send, pause=0.1)) as engine:
        for _ in range(50):
            engine.wake("dispatch")
        until(lambda: len(moments) >= 3)
    assert _least_gap(moments) >= 0.09


class Ear:
    """Holds a stream until it is stopped, or as told.

    Args:
        does: what becomes of each hold: seconds to rest, or an error.
    """

    name = "listen:town"

    def __init__(self, *does: float | Exception) -> None:
        self._does = list(does)
        self.held = 0

    def hold(self, stop: Stop, wake: Callable[[str], None]) -> float:
        """Hold it."""
        self.held += 1
        wake("poll")
        if not self._does:
            stop.wait(LONG)
            return 0.0
        does = self._does.pop(0)
        if isinstance(does, Exception):
            raise does
        return does


def test_ears_wake_the_poll_and_are_held_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "LONGEST_REST", 0.01)
    ear, calls = Ear(0.0, 0.01, StoreError("no room"), StoreFull(), 0.0), list[int]()
    with running(Step(name="poll", run=lambda: calls.append(1) or 0, idle=600), ears=[ear]) as engine:
        until(lambda: ear.held == 6)
        until(lambda: len(calls) >= 2)
        assert (engine.stalled(), engine.troubles(), engine.full) == ((), {}, False), "the work goes on without them"


def test_ears_end_with_the_engine_while_they_hold_and_while_they_rest() -> None:
    holding, resting = Ear(), Ear(600.0)
    with running(ears=[holding, resting]) as engine:
        until(lambda: holding.held and resting.held)
        began = time.monotonic()
        assert engine.stop() == ()
        assert time.monotonic() - began < 2
    assert (holding.held, resting.held) == (1, 1)


def test_an_ear_that_does_not_end_is_named() -> None:
    free, ear = threading.Event(), Ear()
    ear.hold = lambda *_: free.wait(LONG) or 0.0  # type: ignore[assignment]
    with running(ears=[ear]) as engine:
        assert engine.stop(within=0.05) == ("listen:town",)
        free.set()


def _least_gap(moments: Sequence[float]) -> float:
    return min(later - earlier for earlier, later in pairwise(moments))
