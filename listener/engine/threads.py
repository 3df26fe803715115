"""One process: a thread or several a step, woken by the step before it, resting when nothing is due.

The rows are the truth: a lost wake-up costs one idle pause, nothing else. Each thread notes its progress, and the
watchdog is fed only while all of them do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from listener.core.errors import AdapterError, StoreError, StoreFull
from listener.core.protocols import Stop
from listener.telemetry import get_logger

LONGEST_REST = 60.0
FULL_REST = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of work.

    Args:
        name: as in "judge".
        run: does one unit and says how many rows it handled; 0 when nothing is due.
        wakes: names of the steps that may have work once this one handled something.
        idle: seconds between two looks when nothing wakes it.
        patience: seconds one unit may take before the step counts as stalled.
        threads: how many run side by side.
        pause: seconds to wait after a unit, for channels that must not be hurried.
    """

    name: str
    run: Callable[[], int]
    wakes: tuple[str, ...] = ()
    idle: float = 1.0
    patience: float = 120.0
    threads: int = 1
    pause: float = 0.0


class Ear(Protocol):
    """Holds a connection on which others tell of news; see `listener.pipeline.listen`."""

    name: str

    def hold(self, stop: Stop, wake: Callable[[str], None]) -> float:
        """Hold it until it ends, or `stop` is set; gives the seconds to rest before the next try."""
        ...


@dataclass(slots=True)
class _Lane:
    """A thread of a step, its bell, and when it last made progress."""

    step: Step
    bell: threading.Event = field(default_factory=threading.Event)
    beat: float = field(default_factory=time.monotonic)
    failures: int = 0
    trouble: str = ""
    thread: threading.Thread | None = None


class Engine:
    """Runs steps until it is stopped.

    Args:
        steps: what to run.
        on_full: called once when the disk fills up, and once when it takes writes again (with False).
        ears: a thread each; no watchdog waits for them, since the work goes on without.
    """

    def __init__(
        self, steps: Sequence[Step], on_full: Callable[[bool], None] = lambda _: None, ears: Sequence[Ear] = ()
    ) -> None:
        """Prepare a lane for each thread; nothing runs yet."""
        self._lanes = [_Lane(step) for step in steps for _ in range(step.threads)]
        self._ears = [threading.Thread(target=self._listen, args=(ear,), name=ear.name, daemon=True) for ear in ears]
        self._stop = threading.Event()
        self._on_full = on_full
        self._starved: set[str] = set()
        self._starved_lock = threading.Lock()

    def start(self) -> None:
        """Start every thread."""
        for number, lane in enumerate(self._lanes):
            lane.beat = time.monotonic()
            lane.thread = threading.Thread(
                target=self._loop, args=(lane,), name=f"{lane.step.name}-{number}", daemon=True
            )
            lane.thread.start()
        for ear in self._ears:
            ear.start()

    def stop(self, within: float = 8.0) -> tuple[str, ...]:
        """Ask every thread to end after its present unit.

        Args:
            within: seconds to wait for all of them together.

        Returns:
            Names of the threads that did not end in time; they die with the process.
        """
        self._stop.set()
        for lane in self._lanes:
            lane.bell.set()
        until = time.monotonic() + within
        threads = [*(lane.thread for lane in self._lanes if lane.thread is not None), *self._ears]
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return tuple(thread.name for thread in threads if thread.is_alive())

    def wake(self, *names: str) -> None:
        """Let steps look at once; those named "dispatch" also by their full names."""
        for lane in self._lanes:
            if lane.step.name in names or lane.step.name.partition(":")[0] in names:
                lane.bell.set()

    def stalled(self) -> tuple[str, ...]:
        """Names of the steps that made no progress for longer than their patience."""
        now = time.monotonic()
        return tuple({lane.step.name: None for lane in self._lanes if now - lane.beat > lane.step.patience})

    def troubles(self) -> dict[str, str]:
        """Why steps fail at present, by name."""
        return {lane.step.name: lane.trouble for lane in self._lanes if lane.trouble}

    @property
    def full(self) -> bool:
        """Whether the disk is full."""
        return bool(self._starved)

    def _loop(self, lane: _Lane) -> None:
        while not self._stop.is_set():
            lane.bell.clear()
            rest = self._unit(lane)
            lane.beat = time.monotonic()
            self._rest(lane, rest)

    def _listen(self, ear: Ear) -> None:
        rest = 0.0
        while not self._stop.wait(rest):
            try:
                rest = ear.hold(self._stop, self.wake)
            except StoreError as problem:
                get_logger().error("step_failed", step=ear.name, error=str(problem))
                rest = LONGEST_REST

    def _unit(self, lane: _Lane) -> float:
        """Do one unit; gives the seconds to rest. This is the step loop, where every exception ends."""
        try:
            handled = lane.step.run()
        except StoreFull as problem:
            self._note_full(lane.step.name, True)
            return self._failed(lane, problem, FULL_REST)
        except (AdapterError, StoreError) as problem:
            return self._failed(lane, problem)
        except Exception as problem:  # noqa: BLE001 - a defect in one step must not end the others
            get_logger().exception("step_failed", step=lane.step.name)
            return self._failed(lane, problem)
        lane.failures, lane.trouble = 0, ""
        if not handled:
            return lane.step.idle
        self._note_full(lane.step.name, False)
        self.wake(*lane.step.wakes)
        return -lane.step.pause

    def _failed(self, lane: _Lane, problem: Exception, rest: float | None = None) -> float:
        lane.failures += 1
        if str(problem) != lane.trouble and not isinstance(problem, StoreFull):
            get_logger().error("step_failed", step=lane.step.name, error=str(problem))
        lane.trouble = str(problem) or type(problem).__name__
        return rest or min(LONGEST_REST, 0.5 * 2 ** min(lane.failures, 10))

    def _rest(self, lane: _Lane, seconds: float) -> None:
        """Rest: a positive time ends early when the bell rings, a negative one is a pause that must be kept."""
        if seconds < 0:
            self._stop.wait(-seconds)
        until = time.monotonic() + seconds
        # A long rest is cut into short ones, so that a resting step still counts as alive.
        while seconds > 0 and not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            if lane.trouble:
                self._stop.wait(min(left, 10.0))  # a bell is no reason to fail sooner
            elif lane.bell.wait(min(left, 10.0)):
                return
            lane.beat = time.monotonic()

    def _note_full(self, step: str, full: bool) -> None:
        """Say once that the disk is full, and once that every step that met it can write again.

        A full disk still takes a small write now and then, so one step's success proves nothing for another.
        """
        if not full and step not in self._starved:
            return
        with self._starved_lock:
            before = bool(self._starved)
            self._starved = self._starved | {step} if full else self._starved - {step}
            changed = before != bool(self._starved)
        if changed:
            log = get_logger()
            log.critical("disk_full") if full else log.warning("disk_writable")
            self._on_full(full)
