"""Train the multilingual weights and write their bundle.

Run as `python -m models.training.multi_train [SECONDS | --export-only]` after `.crossvalidate` and `.teach`, whose
judgements of English tweets are taught here too; then `.multi_quality` calibrates and measures.
"""

import hashlib
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models._heads import HEADS, width
from models.training.data import data_directory
from models.training.examples import ALL, Example
from models.training.export import BUNDLE, bundle_tensors, read_config, write_bundle, write_config
from models.training.fit import Recipe, encode, fit, judge, load_tokenizer
from models.training.multi_base import base_weights
from models.training.multi_rows import LANGUAGES, all_texts, mixture
from models.training.network import Network, from_base
from models.training.weights import WORK
from models.training.weights import base_weights as english_base

SEVERAL = BUNDLE.with_name("bundled_multi")
STATE = WORK / "multi" / "final.safetensors"
RECIPE = Recipe(longest=96, likeness=0.5)
HELD = 4
"""Layers, from the bottom, that keep their weights, like the vocabulary: that saves time, and words that the training
rows lack keep their place beside those that they hold."""
KEPT_EVERY = 500
"""Steps after which the weights are kept."""


def hold(network: Network) -> None:
    """Hold the vocabulary and the lowest layers still."""
    for part in (network.words, network.positions, network.kinds, network.norm, *list(network.layers)[:HELD]):
        part.requires_grad_(False)


def meanings(examples: Sequence[Example], alike: int) -> dict[int, Tensor]:
    """Return what the English base says that every so many-th English text means.

    So both bundles' vectors of meaning lie in one space: a topic written in English is found in Spanish posts.
    """
    base = english_base()
    chosen = [at for at, each in enumerate(examples) if each.source not in LANGUAGES][::alike]
    network = from_base(base, width(ALL)).eval()
    tokenizer = load_tokenizer(base / "tokenizer.json", Recipe().longest)
    _, found = judge(network, encode(tokenizer, [examples[at].text for at in chosen]))
    return dict(zip(chosen, torch.nn.functional.normalize(found, dim=-1), strict=True))


def train(seconds: float = math.inf) -> None:
    """Train for at most so many seconds; keep the float weights in `.train/multi/final.safetensors`, in between too."""
    data = data_directory()
    examples = mixture(data)
    print(dict(Counter(each.source for each in examples)), flush=True)
    started, held = time.monotonic(), list[Network]()

    def begin(network: Network) -> None:
        hold(network)
        held.append(network)

    def say(line: str) -> None:
        print(line, flush=True)
        if int(line.removeprefix("step ").partition("/")[0]) % KEPT_EVERY == 0:
            save_file(held[0].state_dict(), STATE)

    alike = meanings(examples, RECIPE.alike)
    found = fit(examples, base_weights(all_texts(data)), RECIPE, say, begin=begin, meanings=alike, seconds=seconds)
    save_file(found.state_dict(), STATE)
    print(f"{len(examples)} texts in {time.monotonic() - started:.0f} s -> {STATE}")


def load() -> Network:
    """Load the saved float weights."""
    state = load_file(STATE)
    layers = sum(name.endswith("query.bias") for name in state)
    network = Network(width(ALL), layers=layers, vocabulary=len(state["words.weight"]))
    network.load_state_dict(state)
    return network.eval()


def export() -> str:
    """Write the bundle and return its revision; the vocabulary is stored in the four bits that it came in."""
    base = base_weights(())
    tensors = bundle_tensors({name: found.numpy() for name, found in load_file(STATE).items()}, RECIPE.longest)
    words = load_file(base / "words.safetensors")
    tensors |= {f"words.{name}": found.numpy() for name, found in words.items()}
    special = {
        "language": "multi",
        "languages": sorted(LANGUAGES),
        "longest": RECIPE.longest,
        "frame": ["<s>", "</s>"],
        "silent": ["<unk>", "▁"],
        "spoken": False,
    }
    return write_bundle(SEVERAL, tensors, base / "tokenizer.json", special)


def renew_heads(network: Network) -> str:
    """Put a network's heads into the bundle and return its revision; all other weights stay as they are."""
    target, shipped = SEVERAL / "weights.safetensors", width(HEADS)
    tensors = load_file(target)
    tensors["head.weight"] = network.head.weight.data[:shipped].contiguous()
    tensors["head.bias"] = network.head.bias.data[:shipped].contiguous()
    # Renamed when whole: whoever reads the old file goes on reading it.
    fresh = target.with_suffix(".new")
    save_file(tensors, fresh)
    fresh.chmod(0o644)
    fresh.replace(target)
    config = read_config(SEVERAL)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    config["revision"] = digest[:12]
    config["files"] = {**config["files"], target.name: digest}  # type: ignore[dict-item]
    write_config(config, SEVERAL)
    return digest[:12]


def main() -> int:
    """Train unless told to export only, then write the bundle."""
    if "--export-only" not in sys.argv[1:]:
        train(*map(float, sys.argv[1:2]))
    print(f"bundle revision {export()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
