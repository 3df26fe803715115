"""Spaces of meaning: embeddings can be compared within one, never across two.

A scorer that reads different texts with different weights names them; `listener.pipeline.topics` asks it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Embeddings that can be compared with each other.

    Args:
        name: as verdicts name it, weights and revision.
        languages: codes of those whose texts are read there; empty: all.
        near: from which nearness on a text touches a topic, unless the topic says otherwise; 0 to 1.
    """

    name: str
    languages: tuple[str, ...]
    near: float


@runtime_checkable
class Means(Protocol):
    """What a scorer offers beside `Scorer` where its embeddings lie in several spaces."""

    @property
    def spaces(self) -> Sequence[Space]:
        """All of them, whether a text was read there yet or not.

        Raises:
            Rejected: the scorer can never work as configured.
        """
        ...

    def meanings(self, texts: Sequence[str], space: str) -> Sequence[bytes | None]:
        """Say what texts mean in one space, whatever their language. Called by `pipeline/topics.py`.

        Args:
            texts: any strings whatever.
            space: the name of one.

        Returns:
            As many embeddings in the same order; None for a text that says nothing.

        Raises:
            Unavailable: try again later.
            Rejected: there is no such space, or the scorer can never work as configured.
        """
        ...
