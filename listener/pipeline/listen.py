"""Hold the streams of places: whatever comes rings, and the place is polled soon instead of at its time.

A stream is never the truth. What it brings is not stored; a stream that breaks off, or never stood, costs minutes.
`listener/engine/threads.py` gives each `Ear` a thread; `poll.py` hears the bells.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.mention import line
from listener.core.place import pause_after_failure
from listener.core.protocols import Listens, Source, Stop
from listener.core.store import Store
from listener.core.tools import Clock
from listener.pipeline.border import border
from listener.telemetry import get_logger

STOOD = timedelta(minutes=1)
"""A stream that stood so long and then ended is held again at once; one that ended sooner counts as failed."""

NO_STREAM_PAUSE = timedelta(hours=1)
"""An instance without streams, or one that refuses us, is still tried now and then: it may have been mended."""

_SHORTEST = timedelta(seconds=5)
_DOUBLINGS = 8
"""Eleven minutes at most between two tries: one costs a single request."""
_NOT_YET = ""


class Listening:
    """What the streams of one place share: the bell they ring, and how they fare.

    Args:
        store: keeps how they fare.
        source: holds them.
        place: the place.
        clock: says the present.
    """

    def __init__(self, store: Store, source: Listens, place: str, clock: Clock) -> None:
        """Nothing is held yet."""
        self._store = store
        self.source = source
        self.place = place
        self.clock = clock
        self.streams = tuple(source.streams())
        self._pause = source.pause
        self._lock = threading.Lock()
        self._rung = False
        self._heard_at: datetime | None = None
        self._why: dict[str, str | None] = dict.fromkeys(self.streams, _NOT_YET)

    def ring(self) -> bool:
        """Say that there may be news; False when that was said already and nobody has heard it yet."""
        with self._lock:
            before, self._rung = self._rung, True
        return not before

    def heard(self) -> bool:
        """Whether it rang and a poll may follow; if so the bell is silent again. Called by the poll step at each look.

        A ring that comes too soon after the last poll keeps ringing until the pause is over, so a storm of news
        causes one poll a pause, and the last post of it is read like the first.
        """
        now = self.clock()
        with self._lock:
            last = self._heard_at
            if not self._rung or (last is not None and last <= now < last + self._pause):
                return False
            self._rung, self._heard_at = False, now
        return True

    def note(self, stream: str, why: str | None) -> None:
        """Keep how a stream fares: None when it stands, else why not.

        Raises:
            StoreError: it cannot be kept.
        """
        with self._lock:
            changed = {**self._why, stream: why}
            before, now = _standing(self._why), _standing(changed)
            if now != before:
                self._store.places.listens(self.place, since=None if now is not None else self.clock(), why=now or None)
            self._why = changed
        log = get_logger().bind(place=self.place)
        if now is None and before is not None:
            log.info("stream_up")
        elif now and not before:
            log.warning("stream_down", error=now)


def _standing(streams: Mapping[str, str | None]) -> str | None:
    """None when all streams stand, else why one does not."""
    return max((f"{stream}: {why}" if why else why for stream, why in streams.items() if why is not None), default=None)


def listening_at(sources: Mapping[str, Source], store: Store, clock: Clock) -> tuple[Listening, ...]:
    """The bells of those places whose sources can listen."""
    return tuple(
        Listening(store, source, place, clock) for place, source in sources.items() if isinstance(source, Listens)
    )


def ears_of(listening: Sequence[Listening]) -> tuple[Ear, ...]:
    """What holds the streams, one for each, for the engine."""
    return tuple(Ear(place, stream) for place in listening for stream in place.streams)


class Ear:
    """Holds one stream, time and again.

    Args:
        listening: its place.
        stream: which one.
    """

    def __init__(self, listening: Listening, stream: str) -> None:
        """Nothing is held yet."""
        self.name = f"listen:{listening.place} {stream}"
        self._listening = listening
        self._stream = stream
        self._failures = 0

    def hold(self, stop: Stop, wake: Callable[[str], None]) -> float:
        """Hold the stream until it ends.

        Args:
            stop: once set, it ends within a second.
            wake: lets a step look at once.

        Returns:
            Seconds to rest before the next try.

        Raises:
            StoreError: how it fares cannot be kept; the stream is let go.
        """
        began: datetime | None = None
        problem: AdapterError | None = None
        try:
            for _ in self._rings(stop):
                if began is None:
                    began = self._listening.clock()
                    self._listening.note(self._stream, None)
                if self._listening.ring():
                    wake("poll")
        except AdapterError as caught:
            problem = caught
        return 0.0 if stop.is_set() else self._ended(began, problem).total_seconds()

    def _rings(self, stop: Stop) -> Iterator[None]:
        with border(self._listening.place):
            rings = iter(self._listening.source.listen(self._stream, stop))
        while not stop.is_set():
            with border(self._listening.place):
                if next(rings, "over") == "over":
                    return
            yield

    def _ended(self, began: datetime | None, problem: AdapterError | None) -> timedelta:
        """Note why, unless it ended in order, and say how long to rest."""
        in_order = began is not None and self._listening.clock() - began >= STOOD
        self._failures = 1 if in_order else min(self._failures + 1, _DOUBLINGS)
        if problem is not None or not in_order:
            self._listening.note(self._stream, line(str(problem or "it ended as soon as it had begun")))
        wait = problem.retry_after if isinstance(problem, Unavailable) else None
        pause = pause_after_failure(_SHORTEST, self._failures, wait, random.random())  # noqa: S311
        return max(pause, NO_STREAM_PAUSE) if isinstance(problem, Rejected) else pause
