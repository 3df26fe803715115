"""Temperature, thresholds and marks: pure arithmetic on what a network said of rows whose truth is known.

Called by `models.training.calibrate`, which chooses the rows, and by `.quality`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIX = (1 / 3, 1 / 3, 1 / 3)
"""The classes' shares for which probabilities are true. Nobody knows a stream before it is heard: the training tweets
have 16 % negatives, a service desk 60 %. Even shares are wrong by least at worst; macro recall is best with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A head's outputs for rows whose truth is known.

    Attributes:
        logits: (rows, labels).
        wanted: (rows, labels), 0 or 1.
        writers: (rows,), who wrote each; empty texts where that is unknown.
    """

    logits: Floats
    wanted: Floats
    writers: tuple[str, ...]

    @property
    def truth(self) -> NDArray[np.int64]:
        """The index of each row's label, for heads of one answer."""
        return self.wanted.argmax(axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Rows of all domains.

    Attributes:
        probabilities: (rows, labels).
        truth: (rows,).
        weight: (rows,), how much each counts.
    """

    probabilities: Floats
    truth: NDArray[np.int64]
    weight: Floats


def softmax(logits: Floats) -> Floats:
    """Return probabilities over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: Floats) -> Floats:
    """Return each output's probability by itself."""
    result: Floats = 1 / (1 + np.exp(-logits))
    return result


def weights(truth: NDArray[np.int64], mix: tuple[float, ...] = MIX) -> Floats:
    """Return a weight for each row with which the classes have the shares of the mix; together 1."""
    counts = np.bincount(truth, minlength=len(mix))
    return np.array([mix[label] / counts[label] for label in truth])


def loss(sets: Mapping[str, Judged], shares: Mapping[str, float], temperature: float, bias: Floats) -> float:
    """Return the mean negative log-probability of the truth, over domains by their shares and classes by `MIX`."""
    total = 0.0
    for name, found in sets.items():
        said = softmax(found.logits / temperature + bias)[np.arange(len(found.truth)), found.truth]
        total -= shares[name] * float((weights(found.truth) * np.log(said)).sum())
    return total


def best_temper(sets: Mapping[str, Judged], shares: Mapping[str, float]) -> tuple[float, Floats]:
    """Return the temperature and the bias (labels,) of least loss, to two digits, by a search of ever smaller steps."""
    best, least = (1.0, np.zeros(len(MIX))), float("inf")
    for step in (0.2, 0.05, 0.01):
        while True:
            found = [(loss(sets, shares, *pair), pair) for pair in (best, *_around(*best, step))]
            smallest, pair = min(found, key=lambda each: each[0])
            if smallest >= least - 1e-9:
                break
            best, least = pair, smallest
    return round(best[0], 2), best[1].round(2)


def _around(temperature: float, bias: Floats, step: float) -> list[tuple[float, Floats]]:
    moved = [(temperature + by, bias) for by in (-step, step) if temperature + by > 0.1]
    for label in (0, 2):
        moved += [(temperature, bias + by * np.eye(len(MIX))[label]) for by in (-step, step)]
    return moved


def pooled(sets: Mapping[str, Judged], shares: Mapping[str, float], temperature: float, bias: Floats) -> Pool:
    """Return the probabilities of all domains' rows, each domain counting by its share, its classes by `MIX`."""
    return Pool(
        probabilities=np.concatenate([softmax(found.logits / temperature + bias) for found in sets.values()]),
        truth=np.concatenate([found.truth for found in sets.values()]),
        weight=np.concatenate([shares[name] * weights(found.truth) for name, found in sets.items()]),
    )


def threshold(pool: Pool, label: int, share: float) -> float:
    """Return the lowest probability from which on verdicts of a label are right often enough.

    Args:
        pool: rows with true probabilities.
        label: whose threshold.
        share: of the verdicts from the threshold on that have to be right, by weight.

    Returns:
        To two digits; 0.99 where none suffices.
    """
    said = pool.probabilities.argmax(axis=1) == label
    sure, weight = pool.probabilities[said, label], pool.weight[said]
    right = weight * (pool.truth[said] == label)
    for candidate in np.round(np.arange(0.34, 0.99, 0.01), 2):
        above = sure >= candidate
        if above.any() and right[above].sum() >= share * weight[above].sum():
            return float(candidate)
    return 0.99


def mark_of_recall(found: Judged, label: int, recall: float) -> float:
    """Return the highest probability that so many of a label's rows reach, to two digits, at most 0.5."""
    probabilities = sigmoid(found.logits[:, label])[found.wanted[:, label] > 0]
    return float(np.clip(np.floor(np.quantile(probabilities, 1 - recall) * 100) / 100, 0.02, 0.5))


def mark_of_balance(found: Judged, label: int) -> float:
    """Return the probability from which on precision and recall together (F1) are best, to two digits."""
    probabilities, wanted = sigmoid(found.logits[:, label]), found.wanted[:, label] > 0

    def balance(mark: float) -> float:
        said = probabilities >= mark
        return float(2 * (said & wanted).sum() / max(1, said.sum() + wanted.sum()))

    return float(max(np.round(np.arange(0.10, 0.90, 0.01), 2), key=balance))
