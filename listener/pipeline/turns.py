"""One reader at a time: a scorer is asked from one thread, and pages ask it beside the judge step. The App wraps it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from listener.core.meaning import Means, Space
from listener.core.protocols import Scorer
from listener.core.sentiment import Verdict

TEXTS = 256
CHARACTERS = 40_000
"""Most that is read in one turn, about half a second's work: who waits comes next, however much is left to judge."""


class Turns:
    """A scorer that several threads may ask: they take turns, and none is kept waiting by another's whole batch.

    Args:
        scorer: who reads.
    """

    Options: ClassVar[type[Any]] = object

    def __init__(self, scorer: Scorer) -> None:
        """Keep it."""
        self._scorer = scorer
        self._next = threading.Lock()
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        """Name and revision of the scorer."""
        return self._scorer.name

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts, a turn at a time; see `Scorer.read()`."""
        found: list[Verdict] = []
        for portion in _portions(texts):
            with self._taken():
                found += self._scorer.read(portion)
        return found

    @property
    def spaces(self) -> Sequence[Space]:
        """The spaces of the scorer's embeddings; none where it does not tell them."""
        return self._scorer.spaces if isinstance(self._scorer, Means) else ()

    def meanings(self, texts: Sequence[str], space: str) -> Sequence[bytes | None]:
        """Say what texts mean in a space, a turn at a time; see `Means.meanings()`."""
        assert isinstance(self._scorer, Means)
        found: list[bytes | None] = []
        for portion in _portions(texts):
            with self._taken():
                found += self._scorer.meanings(portion, space)
        return found

    @contextmanager
    def _taken(self) -> Iterator[None]:
        """Hold the turn. Who waits for it holds `next`, so that the one who had it cannot take it again at once."""
        with self._next:
            self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()


def _portions(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a batch into turns; an empty one is a turn too, as scorers are asked for nothing without harm."""
    start, length = 0, 0
    for at, text in enumerate(texts):
        if at > start and (at - start >= TEXTS or length + len(text) > CHARACTERS):
            yield texts[start:at]
            start, length = at, 0
        length += len(text)
    yield texts[start:]
