"""Why a text was judged as it was: the words that carried the verdict, worked out when somebody asks, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from listener.core.errors import AdapterError, Refused
from listener.core.mention import Mention
from listener.core.occlusion import Weighing, weigh
from listener.core.protocols import Scorer
from listener.core.trail import Trail
from listener.pipeline.border import border
from listener.pipeline.parts import words_of
from listener.store import Store


class Why:
    """Answers which words carried a verdict.

    Args:
        store: keeps what was found.
        scorer: gives the scorer; it is asked beside the judge step, so it must be safe to ask from two threads.
    """

    def __init__(self, store: Store, scorer: Callable[[], Scorer]) -> None:
        """Keep both."""
        self._store = store
        self._scorer = scorer

    def of_mention(self, mention_id: int) -> Trail | None:
        """A mention with the words that carried its verdict; None when there is none, or it was not judged yet.

        Raises:
            Refused: the scorer cannot be asked now; says why.
        """
        trail = self._store.trails.of_mention(mention_id)
        if trail is None or trail.verdict is None:
            return trail
        try:
            scorer = self._scorer()
            with border("scorer"):
                name = scorer.name
            if trail.weighing is not None and trail.weighing.scorer == name:
                return trail
            found = weighed(scorer, trail.mention)
        except AdapterError as problem:
            raise Refused(f"the model cannot be asked now: {problem.message}", resource="scorer") from problem
        self._store.weights.keep(trail.mention, found)
        return replace(trail, weighing=found)


def weighed(scorer: Scorer, mention: Mention) -> Weighing:
    """Ask a scorer which words of a mention's post carry its verdict.

    Raises:
        AdapterError: the scorer cannot be asked.
    """
    with border("scorer"):
        return weigh(words_of(mention.post), scorer.name, scorer.read)
