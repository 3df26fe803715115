"""Make the probabilities true: a temperature and thresholds from the out-of-fold logits.

Run as `python -m models.training.calibrate` after `.crossvalidate`.  Writes them into `models/bundled/config.json`.
Development rows are never looked at here.
"""

import json
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.data import LABELS
from models.training.export import read_config, write_config
from models.training.weights import WORK

Floats = NDArray[np.float64]
RIGHT = {"negative": 0.75, "neutral": 0.90, "positive": 0.90}
"""How often a confident verdict of a label has to be right.

Negative ones less often: at 0.90 only one complaint in eight would be found, and a missed complaint costs more than a
false alarm. Nearly all false alarms are neutral texts, not praise."""
_FEWEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """What the folds said of rows that they were not trained on.

    Attributes:
        logits: (rows, labels).
        labels: (rows,), the truth.
        folds: (rows,), who judged.
    """

    logits: Floats
    labels: NDArray[np.int64]
    folds: NDArray[np.int64]


def read_folds() -> Folds:
    """Read all folds that are done; end the program when none is."""
    found = [json.loads(path.read_text()) for path in sorted(WORK.glob("fold-*.json"))]
    if not found:
        raise SystemExit("no fold is done; run: python -m models.training.crossvalidate")
    return Folds(
        logits=np.concatenate([np.array(fold["logits"]) for fold in found]),
        labels=np.concatenate([np.array(fold["labels"]) for fold in found]),
        folds=np.concatenate([np.full(len(fold["labels"]), fold["fold"]) for fold in found]),
    )


def softmax(logits: Floats, temperature: float) -> Floats:
    """Return probabilities (rows, labels) of logits divided by a temperature."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def loss(logits: Floats, labels: NDArray[np.int64], temperature: float) -> float:
    """Return the mean negative log-probability of the truth."""
    return float(-np.log(softmax(logits, temperature)[np.arange(len(labels)), labels]).mean())


def best_temperature(folds: Folds) -> float:
    """Return the temperature of least loss, to two digits."""
    tried = np.round(np.arange(0.40, 2.50, 0.01), 2)
    return float(min(tried, key=lambda temperature: loss(folds.logits, folds.labels, temperature)))


def threshold(probabilities: Floats, labels: NDArray[np.int64], label: int, share: float) -> float:
    """Return the lowest probability from which on verdicts of this label are right often enough.

    Args:
        probabilities: (rows, labels), true ones.
        labels: (rows,), the truth.
        label: whose threshold.
        share: of the verdicts from the threshold on that have to be right.

    Returns:
        To two digits; 0.99 where no threshold with at least 200 rows above it suffices.
    """
    said = probabilities.argmax(axis=1) == label
    sure, right = probabilities[said, label], labels[said] == label
    for candidate in np.round(np.arange(0.34, 0.99, 0.01), 2):
        above = sure >= candidate
        if above.sum() >= _FEWEST and right[above].mean() >= share:
            return float(candidate)
    return 0.99


def main() -> int:
    """Fit both, say what they are worth, write them."""
    folds = read_folds()
    temperature = best_temperature(folds)
    probabilities = softmax(folds.logits, temperature)
    thresholds = {label: threshold(probabilities, folds.labels, at, RIGHT[label]) for at, label in enumerate(LABELS)}
    said = probabilities.argmax(axis=1)
    for at, label in enumerate(LABELS):
        sure = (said == at) & (probabilities.max(axis=1) >= thresholds[label])
        print(
            f"{label}: from {thresholds[label]:.2f} on {(folds.labels[sure] == at).mean():.3f} right, "
            f"{sure.sum() / (said == at).sum():.3f} of those called so, "
            f"{(sure & (folds.labels == at)).sum() / (folds.labels == at).sum():.3f} of those that are"
        )
    print(f"temperature {temperature:.2f}, loss {loss(folds.logits, folds.labels, temperature):.4f}")
    write_config({**read_config(), "temperature": temperature, "thresholds": thresholds})
    return 0


if __name__ == "__main__":
    sys.exit(main())
