"""Long texts in parts: where to cut them, and what the parts say together.

Called by `models.bundled`.  Pure arithmetic on token numbers and probabilities.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NEUTRAL = 1
"""Index of "neutral" in a row of probabilities."""

_PLAIN = 0.25
_LAST = 1.25


def parts_of(tokens: Sequence[int], room: int, ends: frozenset[int]) -> Iterator[Sequence[int]]:
    """Cut token numbers into parts of at most `room`, after the end of a sentence where there is one.

    A part is cut after the last sentence end in its second half, or else where it is full, so that no text makes
    more than twice as many parts as needed.

    Args:
        tokens: of the whole text, without the two tokens that frame it.
        room: longest part.
        ends: token numbers that end a sentence.

    Yields:
        The parts in order; together they are the text.
    """
    start = 0
    while len(tokens) - start > room:
        stop = start + room
        for at in range(stop, start + room // 2, -1):
            if tokens[at - 1] in ends:
                stop = at
                break
        yield tokens[start:stop]
        start = stop
    yield tokens[start:]


def together(probabilities: Floats, lengths: Sequence[int]) -> Floats:
    """Combine what the parts of one text say.

    The result is a weighted mean of probabilities, not of labels: praise in one part and anger in another end as
    doubt between the two, not as neutral. A part weighs as much as it has tokens, times 0.25 plus its probability of
    not being neutral (one angry sentence in a long story counts more than the story), times 1.25 for the last part,
    where people sum up.

    Args:
        probabilities: (parts, labels).
        lengths: tokens in each part.

    Returns:
        (labels,), which adds up to 1.
    """
    weights = np.asarray(lengths, np.float32) * (_PLAIN + 1.0 - probabilities[:, NEUTRAL])
    weights[-1] *= _LAST
    mean: Floats = (weights[:, None] * probabilities).sum(axis=0) / weights.sum()
    return mean
