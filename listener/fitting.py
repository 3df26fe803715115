"""The numbers of a brand's head: fitted to corrections, applied to verdicts. Called by the judge step and `retrain`.

Multinomial logistic regression beside the scorer's own log-probabilities: with weights of zero it says what the scorer
says. Two pulls keep it there: towards small weights, and towards the scorer on texts that no correction speaks of.
Meanings of different spaces cannot be compared, so each space has weights of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from listener.core.head import BrandHead, Lesson, moved
from listener.core.sentiment import LABELS, Probabilities, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PULL_CHANCES, PULL_MEANING, PULL_BIAS = 20.0, 0.5, 5.0
"""How strongly each kind of weight is drawn to zero: those of log-probabilities (0 to -9), of a meaning of length one,
and of the constant."""
ROUNDS = 200
STILL = 1e-4
LEAST = 1e-4


def fit(lessons: Sequence[Lesson], usual: Sequence[Lesson], spaces: Sequence[str]) -> bytes:
    """Fit a head to lessons, whatever their order.

    Args:
        lessons: with embeddings of one length.
        usual: texts on which the head is to say what the scorer says, right or wrong.
        spaces: of the meanings that it learns from; texts in another space teach nothing.

    Returns:
        Weights, ((3 + spaces times length of a meaning + 1), 3), as little-endian float32.
    """
    import numpy as np

    ordered = [lesson for lesson in sorted(lessons, key=lambda each: each.key) if lesson.verdict.space in spaces]
    usual = [lesson for lesson in usual if lesson.verdict.space in spaces]
    own, seen = _features([lesson.verdict for lesson in (*ordered, *usual)], spaces)
    wanted = _shares(own)
    wanted[: len(ordered)] = [[lesson.label == label for label in LABELS] for lesson in ordered]
    pull = np.full((seen.shape[1], 1), PULL_MEANING)
    pull[:3], pull[-1:] = PULL_CHANCES, PULL_BIAS
    # The curvature of the likelihood is nowhere above this bound (Böhning 1992), so no step goes too far.
    bound = np.linalg.inv(0.5 * seen.T @ seen + np.diag(pull[:, 0]))
    weights = np.zeros((seen.shape[1], len(LABELS)))
    for _ in range(ROUNDS):
        step = bound @ (seen.T @ (wanted - _shares(own + seen @ weights)) - pull * weights)
        weights += step
        if np.abs(step).max() < STILL:
            break
    return weights.astype("<f4").tobytes()


def chances(weights: bytes, verdicts: Sequence[Verdict], spaces: Sequence[str]) -> list[Probabilities]:
    """What a head makes of verdicts that have embeddings in its spaces."""
    import numpy as np

    if not verdicts:
        return []
    own, seen = _features(verdicts, spaces)
    found = _shares(own + seen @ np.frombuffer(weights, "<f4").reshape(-1, len(LABELS)).astype(np.float64))
    return [Probabilities(**dict(zip(LABELS, map(float, row), strict=True))) for row in found]


def through(head: BrandHead | None, verdict: Verdict) -> Verdict:
    """A verdict as a brand's head has it; as it is without a head, or where it says nothing the head could move."""
    if head is None or not fits(head, verdict):
        return verdict
    return moved(verdict, chances(head.weights, [verdict], head.spaces)[0], head)


def fits(head: BrandHead, verdict: Verdict) -> bool:
    """Whether a head can move a verdict: it is of its scorer, and there is a meaning of a space and length it knows."""
    meaning = verdict.embedding
    if meaning is None or verdict.space not in head.spaces or head.scorer != verdict.scorer:
        return False
    known = len(head.weights) // (4 * len(LABELS)) - 4
    return len(meaning) * len(head.spaces) == known and verdict.confidence > 0


def _features(verdicts: Sequence[Verdict], spaces: Sequence[str]) -> tuple[Floats, Floats]:
    """What is known of verdicts.

    Returns:
        The log-probabilities, (rows, 3), and beside them meanings of length one, each in the columns of its space, and
        a constant, (rows, 3 + spaces * 384 + 1).
    """
    import numpy as np

    shares = np.array([[getattr(verdict.probabilities, label) for label in LABELS] for verdict in verdicts])
    own = np.log(np.maximum(shares, LEAST))
    stack = np.stack([np.frombuffer(verdict.embedding or b"", np.int8) for verdict in verdicts]).astype(np.float64)
    stack /= np.maximum(np.linalg.norm(stack, axis=1, keepdims=True), 1e-9)
    there = np.array([[verdict.space == space for space in spaces] for verdict in verdicts])
    placed = (there[:, :, None] * stack[:, None, :]).reshape(len(verdicts), -1)
    return own, np.hstack([own, placed, np.ones((len(verdicts), 1))])


def _shares(scores: Floats) -> Floats:
    import numpy as np

    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares
