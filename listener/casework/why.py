"""Why a text was judged as it was: the words that carried the verdict, worked out when somebody asks, and kept.

Of a post that names several brands these are the words that were read for the mention's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from listener.core.errors import AdapterError, Refused
from listener.core.mention import Mention
from listener.core.occlusion import Weighing, placed, weigh
from listener.core.protocols import Scorer
from listener.core.rules import Rules
from listener.core.trail import Trail
from listener.pipeline.border import border
from listener.pipeline.parts import own_words, words_of
from listener.store import Store


class Why:
    """Answers which words carried a verdict.

    Args:
        store: keeps what was found.
        scorer: gives the scorer; it is asked beside the judge step, so it must be safe to ask from two threads.
        rules: gives the operator's rules, which say what brands a post names.
    """

    def __init__(self, store: Store, scorer: Callable[[], Scorer], rules: Callable[[], Rules]) -> None:
        """Keep them."""
        self._store = store
        self._scorer = scorer
        self._rules = rules

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
            found = weighed(scorer, trail.mention, self._rules())
        except AdapterError as problem:
            raise Refused(f"the model cannot be asked now: {problem.message}", resource="scorer") from problem
        self._store.weights.keep(trail.mention, found)
        return replace(trail, weighing=found)


def weighed(scorer: Scorer, mention: Mention, rules: Rules) -> Weighing:
    """Ask a scorer which words of a mention's post carry the verdict towards its brand.

    Raises:
        AdapterError: the scorer cannot be asked.
    """
    text, reading = words_of(mention.post), own_words([mention], rules).get(mention.id)
    with border("scorer"):
        if reading is None or not reading.text:
            return replace(weigh(text, scorer.name, scorer.read), why=reading.why if reading else "")
        return replace(placed(weigh(reading.text, scorer.name, scorer.read), reading.text, text), why=reading.why)
