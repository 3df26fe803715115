"""Fit the map from the trained encoder's states to meanings: what the base says of the same texts.

Run as `python -m models.training.meaning` after `.train`.  Training for moods bends the encoder's last layer towards
them; the words alone and the third layer still hold what a text is about.  A ridge regression from the three together
to the base's vectors, on texts without their labels, leaves the encoder and all heads as they are.  Rewrites the map in
the bundle and nothing else; the same texts give the same map.
"""

import hashlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from models._heads import width
from models.training.data import data_directory, read_rows
from models.training.examples import ALL, ROWS, own
from models.training.export import BUNDLE, bundle_tensors, read_config, squeeze, write_config
from models.training.fit import Recipe, encode, load_tokenizer, stack
from models.training.held import load
from models.training.mixture import kept_back
from models.training.network import LAYERS, Network, from_base
from models.training.train import STATE
from models.training.weights import base_weights

BELOW = (0, 3)
"""Layers beside the last. With the last alone topics in posts are found with a tenth less of F1; with all of them, no
better (EXPERIMENTS.md, 18)."""
TWEETS = 4_000
"""Beside our own rows; three times as many texts find topics no better."""
STRENGTH = 1e-3
"""Of the penalty, beside the mean square of a state; a hundredth of it gives the same likenesses."""


def texts(data: Path) -> list[str]:
    """Return the texts to fit on, none of which anything is judged by: our own rows and tweets."""
    rows = read_rows(data / "semeval" / "train.jsonl")
    tweets = [row.text for row, kept in zip(rows, kept_back(rows), strict=True) if not kept]
    random.Random(5).shuffle(tweets)
    mine = [each.text for path in sorted(ROWS.glob("*-train.jsonl")) for each in own(path)]
    return list(dict.fromkeys([*mine, *tweets[:TWEETS]]))


@torch.inference_mode()
def states(network: Network, encoded: Sequence[list[int]], layers: Sequence[int], size: int = 64) -> np.ndarray:
    """Return each text's mean states after some layers side by side, float64 (texts, layers * 384)."""
    found = np.zeros((len(encoded), len(layers) * network.head.in_features))
    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            means = network.means(*stack([encoded[row] for row in part]), layers)
        found[part] = torch.cat([mean.float() for mean in means], dim=-1).double().numpy()
    return found


def fitted(seen: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the map, float32 (384, states): its products with states are nearest to directions of length one."""
    wanted = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
    product = seen.T @ seen
    product += STRENGTH * np.trace(product) / len(product) * np.eye(len(product))
    found: np.ndarray = np.linalg.solve(product, seen.T @ wanted).T.astype(np.float32)
    return found


def replaced(tensors: Mapping[str, np.ndarray], meaning: np.ndarray) -> dict[str, np.ndarray]:
    """Return a bundle's tensors with another map."""
    # An array that lies in memory by columns would be written as it lies.
    weight, scale = squeeze(np.ascontiguousarray(meaning))
    return {**tensors, "meaning.weight": weight, "meaning.scale": scale}


def rewrite(meaning: np.ndarray, below: Sequence[int], bundle: Path = BUNDLE) -> str:
    """Put another map into a bundle, so that whoever reads it finds the old files or the new ones; its revision."""
    weights = bundle / "weights.safetensors"
    with tempfile.TemporaryDirectory(dir=bundle.parent) as aside:
        made = Path(aside) / weights.name
        save_file(replaced(load_file(weights), meaning), made)
        made.chmod(weights.stat().st_mode)
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        config = read_config(bundle)
        config["files"] = {**config["files"], weights.name: digest}  # type: ignore[dict-item]
        write_config({**config, "revision": digest[:12], "meant": list(below)}, Path(aside))
        shutil.copymode(bundle / "config.json", Path(aside) / "config.json")
        os.replace(made, weights)  # noqa: PTH105 - both at once, as nearly as can be
        os.replace(Path(aside) / "config.json", bundle / "config.json")  # noqa: PTH105
    return digest[:12]


def main() -> int:
    """Fit the map and write it, if the float weights at hand are those of the bundle."""
    torch.set_num_threads(1)
    network = load(STATE)
    mine = bundle_tensors({name: found.numpy() for name, found in network.state_dict().items()})
    shipped = load_file(BUNDLE / "weights.safetensors")
    strange = [
        name for name in mine if not name.startswith("meaning.") and not np.array_equal(mine[name], shipped[name])
    ]
    if strange:
        raise SystemExit(f"{STATE} is not what the bundle was made of: {', '.join(strange[:3])}; run .train first")
    base = base_weights()
    encoded = encode(load_tokenizer(base / "tokenizer.json", Recipe().longest), texts(data_directory()))
    seen = states(network, encoded, (*BELOW, LAYERS))
    wanted = states(from_base(base, width(ALL)).eval(), encoded, (LAYERS,))
    print(f"{len(encoded)} texts; bundle revision {rewrite(fitted(seen, wanted), BELOW)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
