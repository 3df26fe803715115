"""What the bundle's one pass tells of a text: its heads, their labels, and where each stands in the row of outputs.

Called by `models.bundled` and by the modules in `models.training`, so that both read a row of outputs alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["one", "many"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One question that the encoder answers.

    Attributes:
        name: of the question.
        labels: the possible answers, in the order of the outputs.
        kind: "one" answer of several (a softmax over the outputs) or "many" at once (a sigmoid for each).
    """

    name: str
    labels: tuple[str, ...]
    kind: Kind


SENTIMENT = Head(name="sentiment", labels=("negative", "neutral", "positive"), kind="one")
EMOTION = Head(
    name="emotion", labels=("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"), kind="many"
)
"""Ekman's six and neutral, as the paper of GoEmotions groups its 27; a text may carry two."""
OFFENSIVE = Head(name="offensive", labels=("offensive",), kind="many")
INTENT = Head(
    name="intent",
    labels=("complaint", "question", "praise", "idea", "buy", "leave", "person", "spam", "other"),
    kind="many",
)
"""What the author wants: among them to buy or a recommendation, to leave or to threaten it, a human being."""
SEVERITY = Head(name="severity", labels=("safety", "legal", "fraud", "breach", "discrimination", "health"), kind="many")
"""What somebody has to be told of at once; none of them is the usual case."""

HEADS = (SENTIMENT, EMOTION, OFFENSIVE, INTENT, SEVERITY)
"""The heads that are shipped, in the order of the outputs."""


def places(heads: tuple[Head, ...] = HEADS) -> Iterator[tuple[Head, slice]]:
    """Yield each head with its slice of a row of outputs."""
    start = 0
    for head in heads:
        yield head, slice(start, start + len(head.labels))
        start += len(head.labels)


def width(heads: tuple[Head, ...] = HEADS) -> int:
    """Return how many outputs the heads have together."""
    return sum(len(head.labels) for head in heads)
