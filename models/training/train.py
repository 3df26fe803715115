"""Train the bundled weights on every source for every head, then write the bundle.

Run as `python -m models.training.train [--export-only]` after `.crossvalidate` and `.teach` (see `train.sh`).
`--export-only` takes the float weights that are there; the head of grave matters is fitted anew in either case.
Refuses to start when a tweet to train on stands in the development rows.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from models.training.crossvalidate import read_folds
from models.training.data import Row, data_directory, read_rows, refuse_overlap
from models.training.examples import Example
from models.training.export import export
from models.training.fit import Recipe, fit, load_tokenizer
from models.training.grave import refit
from models.training.held import load
from models.training.mixture import kept_back, moods, others
from models.training.teach import TAUGHT
from models.training.weights import WORK, base_weights

STATE = WORK / "final.safetensors"
RECIPE = Recipe(epochs=2, likeness=0.5)


def taught(rows: int) -> list[Sequence[float] | None]:
    """Return for each tweet the probabilities of the fold that had not seen it; None where no fold judged it."""
    folds = read_folds()
    powers = np.exp(folds.logits - folds.logits.max(axis=1, keepdims=True))
    said: list[Sequence[float] | None] = [None] * rows
    for row, probabilities in zip(folds.rows, powers / powers.sum(axis=1, keepdims=True), strict=True):
        said[int(row)] = probabilities.tolist()
    return said


def examples(data: Path, rows: Sequence[Row]) -> list[Example]:
    """Return everything that is trained on."""
    said = taught(len(rows))
    kept = [at for at, is_kept_back in enumerate(kept_back(rows)) if not is_kept_back]
    unlabelled = json.loads(TAUGHT.read_text(encoding="utf-8"))
    return [*moods([rows[at] for at in kept], [said[at] for at in kept]), *others(data, unlabelled)]


def train() -> None:
    """Train, and keep the float weights in `.train/final.safetensors`."""
    data = data_directory()
    rows = read_rows(data / "semeval" / "train.jsonl")
    refuse_overlap(rows, read_rows(data / "semeval" / "dev.jsonl"))
    chosen = examples(data, rows)
    print(dict(Counter(each.source for each in chosen)), flush=True)
    started = time.monotonic()
    fit(
        chosen,
        base_weights(),
        RECIPE,
        lambda line: print(line, flush=True),
        lambda network: save_file(network.state_dict(), STATE),
    )
    print(f"{len(chosen)} texts in {time.monotonic() - started:.0f} s -> {STATE}")


def main() -> int:
    """Train unless told to export only, then write the bundle."""
    if "--export-only" not in sys.argv[1:]:
        train()
    data, tokenizer = data_directory(), load_tokenizer(base_weights() / "tokenizer.json", RECIPE.longest)
    refit(STATE, load(STATE), tokenizer, data, read_rows(data / "semeval" / "train.jsonl"))
    print(f"bundle revision {export(STATE, base_weights() / 'tokenizer.json')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
