"""Train the bundled weights on every training row, then write the bundle.

Run as `python -m models.training.train [--export-only]` (see `train.sh`).  Refuses to start when a training row stands
in the development rows.
"""

import sys
import time

from safetensors.torch import save_file

from models.training.data import data_directory, read_rows, refuse_overlap
from models.training.export import export
from models.training.fit import Recipe, fit
from models.training.weights import WORK, base_weights

STATE = WORK / "final.safetensors"


def train() -> None:
    """Train, and keep the float weights in `.train/final.safetensors`."""
    data = data_directory()
    rows = read_rows(data / "semeval" / "train.jsonl")
    refuse_overlap(rows, read_rows(data / "semeval" / "dev.jsonl"))
    started = time.monotonic()
    network = fit(rows, base_weights(), Recipe(), lambda line: print(line, flush=True))
    save_file(network.state_dict(), STATE)
    print(f"{len(rows)} rows in {time.monotonic() - started:.0f} s -> {STATE}")


def main() -> int:
    """Train unless told to export only, then write the bundle."""
    if "--export-only" not in sys.argv[1:]:
        train()
    print(f"bundle revision {export(STATE, base_weights() / 'tokenizer.json')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
