"""From trained float weights to the bundle: int8 per output channel with float scales, in safetensors.

Called by `models.training.train`; `models._graph` reads what is written here.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from models._heads import HEADS as QUESTIONS
from models._heads import width
from models.training.data import LABELS
from models.training.network import EPSILON, HEADS, WIDTH

BUNDLE = Path(__file__).resolve().parents[1] / "bundled"
LONGEST = 80


def squeeze(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int8 values and float32 scales (rows,) with `values * scales[:, None]` nearest to the matrix."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / 127
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def bundle_tensors(state: Mapping[str, np.ndarray], longest: int = LONGEST) -> dict[str, np.ndarray]:
    """Return the bundle's tensors: query, key and value in one matrix, the query already scaled.

    Args:
        state: float weights, of as many layers as there are.
        longest: tokens in a part; positions beyond it are left out.
    """
    tensors: dict[str, np.ndarray] = {}

    def keep(name: str, weight: np.ndarray, bias: np.ndarray) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.scale"] = squeeze(weight)
        tensors[f"{name}.bias"] = bias

    tensors["words.weight"], tensors["words.scale"] = squeeze(state["words.weight"])
    tensors["positions"] = state["positions.weight"][:longest] + state["kinds.weight"][:1]
    tensors["norm.weight"], tensors["norm.bias"] = state["norm.weight"], state["norm.bias"]
    shrink = {"query": (WIDTH // HEADS) ** -0.5, "key": 1.0, "value": 1.0}
    for layer in range(sum(name.endswith("query.bias") for name in state)):
        at = f"layers.{layer}"
        weight, bias = (
            np.concatenate([state[f"{at}.{part}.{kind}"] * by for part, by in shrink.items()]).astype(np.float32)
            for kind in ("weight", "bias")
        )
        keep(f"{at}.attend", weight, bias)
        for part in ("attended", "widen", "narrow"):
            keep(f"{at}.{part}", state[f"{at}.{part}.weight"], state[f"{at}.{part}.bias"])
        for norm in ("norm1", "norm2"):
            for kind in ("weight", "bias"):
                tensors[f"{at}.{norm}.{kind}"] = state[f"{at}.{norm}.{kind}"]
    shipped = width(QUESTIONS)
    tensors["head.weight"], tensors["head.bias"] = state["head.weight"][:shipped], state["head.bias"][:shipped]
    tensors["meaning.weight"], tensors["meaning.scale"] = squeeze(state["meaning.weight"])
    return tensors


def export(trained: Path, tokenizer: Path) -> str:
    """Write weights, tokenizer and configuration; `models.training.calibrate` sets what turns logits into answers.

    Args:
        trained: float weights as `models.training.train` saves them.
        tokenizer: the base's `tokenizer.json`.

    Returns:
        The revision: the first twelve hexadecimal digits of the weights' SHA-256.
    """
    return write_bundle(BUNDLE, bundle_tensors(load_file(trained)), tokenizer, {"language": "en", "longest": LONGEST})


def write_bundle(
    bundle: Path, tensors: Mapping[str, np.ndarray], tokenizer: Path, special: Mapping[str, object]
) -> str:
    """Write a bundle's files.

    Args:
        bundle: its directory.
        tensors: as from `bundle_tensors`.
        tokenizer: a `tokenizer.json`.
        special: what its configuration has beside the shape; see `models._bundle.Config`.

    Returns:
        The revision.
    """
    bundle.mkdir(exist_ok=True)
    before = read_config(bundle) if (bundle / "config.json").is_file() else {}
    target = bundle / "weights.safetensors"
    # Whoever runs has the old file mapped; written in place it would change under them.
    fresh = target.with_suffix(".new")
    save_file(dict(tensors), fresh)
    fresh.chmod(0o644)
    fresh.replace(target)
    shutil.copyfile(tokenizer, bundle / "tokenizer.json")
    revision = _digest(target)[:12]
    write_config(
        {
            "revision": revision,
            "labels": list(LABELS),
            "width": WIDTH,
            "heads": HEADS,
            "layers": sum(name.endswith("attend.bias") for name in tensors),
            "epsilon": EPSILON,
            "outputs": {head.name: list(head.labels) for head in QUESTIONS},
            "temperature": 1.0,
            "bias": [0.0] * len(LABELS),
            "thresholds": dict.fromkeys(LABELS, 0.8),
            "marks": {head.name: dict.fromkeys(head.labels, 0.5) for head in QUESTIONS if head.kind == "many"},
            "files": {path.name: _digest(path) for path in (target, bundle / "tokenizer.json")},
            **({"near": before["near"]} if "near" in before else {}),
            **special,
        },
        bundle,
    )
    return revision


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_config(bundle: Path = BUNDLE) -> dict[str, object]:
    """Return a bundle's configuration."""
    found: dict[str, object] = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    return found


def write_config(config: dict[str, object], bundle: Path = BUNDLE) -> None:
    """Write a bundle's configuration."""
    (bundle / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
