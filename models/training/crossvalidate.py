"""Five-fold cross-validation of the recipe on the training rows; each fold is kept, so that a stop costs one fold.

Run as `python -m models.training.crossvalidate [FOLDS]`.  Writes `.train/fold-N.json` with the held-out rows' logits.
`models.training.calibrate` and `.quality` read them.
"""

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from models.training.data import Row, data_directory, read_rows, refuse_overlap
from models.training.fit import Recipe, fit, load_tokenizer, logits_of
from models.training.weights import WORK, base_weights

FOLDS = 5
_DEAL = 2017


def deal(rows: Sequence[Row]) -> list[int]:
    """Return the fold of each row: equal texts share a fold, folds are of like size and fixed by a seed."""
    dice = random.Random(_DEAL)
    texts = sorted({row.text for row in rows})
    dice.shuffle(texts)
    fold_of = {text: number % FOLDS for number, text in enumerate(texts)}
    return [fold_of[row.text] for row in rows]


def run_fold(fold: int, rows: Sequence[Row], path: Path) -> None:
    """Train on the other folds, judge this one, write the logits with the rows' numbers."""
    folds = deal(rows)
    held = [number for number, its in enumerate(folds) if its == fold]
    kept = [row for row, its in zip(rows, folds, strict=True) if its != fold]
    base, recipe = base_weights(), Recipe()
    network = fit(kept, base, recipe, lambda line: print(f"fold {fold}: {line}", flush=True))
    tokenizer = load_tokenizer(base / "tokenizer.json", recipe.longest)
    logits = logits_of(network, tokenizer, [rows[number] for number in held])
    found = {
        "fold": fold,
        "recipe": asdict(recipe),
        "of": len(rows),
        "rows": held,
        "labels": [rows[number].label for number in held],
        "logits": [[round(float(value), 4) for value in row] for row in logits],
    }
    path.with_suffix(".part").write_text(json.dumps(found))
    path.with_suffix(".part").rename(path)


def is_done(path: Path, rows: int) -> bool:
    """Whether a fold was judged with this very recipe, on as many rows."""
    if not path.is_file():
        return False
    found = json.loads(path.read_text())
    return found["recipe"] == asdict(Recipe()) and found.get("of", rows) == rows


def main() -> int:
    """Run the folds that are not done yet."""
    data = data_directory()
    rows = read_rows(data / "semeval" / "train.jsonl")
    refuse_overlap(rows, read_rows(data / "semeval" / "dev.jsonl"))
    for fold in range(int(sys.argv[1]) if len(sys.argv) > 1 else FOLDS):
        path = WORK / f"fold-{fold}.json"
        if not is_done(path, len(rows)):
            run_fold(fold, rows, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
