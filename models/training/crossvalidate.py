"""Five-fold cross-validation of the sentiment on the training tweets; each fold is kept, so that a stop costs one fold.

Run as `python -m models.training.crossvalidate [FOLDS]`.  Writes `.train/fold-N.json` with the held-out rows' logits.
`models.training.train` teaches them to the network that is shipped; `.quality` reports them.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models._heads import SENTIMENT
from models.training.data import Row, data_directory, deal, read_rows, refuse_overlap
from models.training.fit import Recipe, fit, load_tokenizer, logits_of
from models.training.mixture import moods
from models.training.weights import WORK, base_weights

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """What the folds said of rows that they were not trained on.

    Attributes:
        logits: (rows, labels).
        labels: (rows,), the truth.
        folds: (rows,), who judged.
        rows: (rows,), which training row each is.
    """

    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    folds: NDArray[np.int64]
    rows: NDArray[np.int64]


def read_folds() -> Folds:
    """Read all folds that are done; end the program when none is."""
    found = [json.loads(path.read_text()) for path in sorted(WORK.glob("fold-*.json"))]
    if not found:
        raise SystemExit("no fold is done; run: python -m models.training.crossvalidate")
    return Folds(
        logits=np.concatenate([np.array(fold["logits"]) for fold in found]),
        labels=np.concatenate([np.array(fold["labels"]) for fold in found]),
        folds=np.concatenate([np.full(len(fold["labels"]), fold["fold"]) for fold in found]),
        rows=np.concatenate([np.array(fold["rows"]) for fold in found]),
    )


def run_fold(fold: int, rows: Sequence[Row], path: Path) -> None:
    """Train on the other folds, judge this one, write the logits with the rows' numbers."""
    folds = deal(rows, FOLDS)
    held = [number for number, its in enumerate(folds) if its == fold]
    kept = [row for row, its in zip(rows, folds, strict=True) if its != fold]
    base, recipe = base_weights(), Recipe()
    network = fit(moods(kept), base, recipe, lambda line: print(f"fold {fold}: {line}", flush=True))
    tokenizer = load_tokenizer(base / "tokenizer.json", recipe.longest)
    logits = logits_of(network, tokenizer, [rows[number].text for number in held])[SENTIMENT.name]
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
