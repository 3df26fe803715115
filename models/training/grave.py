"""Fit the head of grave matters anew on the trained encoder, with ordinary posts among the rows.

Called by `models.training.train`. In training that head sees our own rows only, messages to companies all of them, and
nothing tells it what the rest of the world looks like: a third of ordinary tweets got a grave matter at marks that
find 95 of 100 true ones. A linear map over the finished encoder, fitted on the same rows beside thousands of posts
that hardly ever are grave, finds as many with one false alarm in 25 tweets (EXPERIMENTS.md, 17).
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from models._heads import SEVERITY, places
from models._text import mask
from models.training.data import Row
from models.training.examples import ALL, ROWS, Example, comments, own, some
from models.training.fit import encode, stack
from models.training.network import Network

TWEETS, COMMENTS = 5_500, 1_800
"""Ordinary posts; the few grave ones among them are left in, since nobody has read them all."""
STRENGTH = 0.003
"""Inverse of the penalty; ten times as much gains no recall on writers not trained on and costs precision."""
WEIGHT = 12.0
"""A true row counts like so many others, so that marks lie where two digits tell them apart."""


def ordinary(data: Path, rows: Sequence[Row]) -> Iterator[str]:
    """Yield posts in which hardly ever anything is grave: tweets that may be trained on, and comments."""
    texts = [mask(row.text) for row in rows]
    random.Random(5).shuffle(texts)
    yield from texts[:TWEETS]
    yield from (each.text for each in some(comments(data / "goemotions" / "train.tsv"), COMMENTS))


def labelled() -> list[Example]:
    """Return our own rows that say whether something is grave."""
    found = [each for path in sorted(ROWS.glob("*-train.jsonl")) for each in own(path)]
    return [each for each in found if SEVERITY.name in each.targets]


def features(network: Network, tokenizer: Tokenizer, texts: Sequence[str], size: int = 64) -> np.ndarray:
    """Return what the heads look at: the mean state of each text, float32 (texts, 384)."""
    encoded = encode(tokenizer, texts)
    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    found = np.zeros((len(encoded), network.head.in_features), np.float32)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(order), size):
            part = order[start : start + size]
            found[part] = network.pooled(*stack([encoded[row] for row in part])).float().numpy()
    return found


def refit(state: Path, network: Network, tokenizer: Tokenizer, data: Path, rows: Sequence[Row]) -> None:
    """Put a new head of grave matters into saved weights; doing it twice changes nothing.

    Args:
        state: float weights as `models.training.train` saves them; rewritten.
        network: with those weights.
        tokenizer: of the base.
        data: directory of the labelled sets.
        rows: tweets that may be trained on.
    """
    grave, plain = labelled(), list(ordinary(data, rows))
    states = features(network, tokenizer, [each.text for each in grave] + plain)
    wanted = np.array([each.targets[SEVERITY.name] for each in grave]) > 0
    held = load_file(state)
    at = next(place for head, place in places(ALL) if head is SEVERITY)
    for number in range(len(SEVERITY.labels)):
        truth = np.concatenate([wanted[:, number], np.zeros(len(plain), bool)])
        fitted = LogisticRegression(C=STRENGTH, max_iter=500, class_weight={False: 1.0, True: WEIGHT})
        fitted.fit(states, truth)
        held["head.weight"][at.start + number] = torch.from_numpy(fitted.coef_[0]).to(held["head.weight"].dtype)
        held["head.bias"][at.start + number] = float(fitted.intercept_[0])
    save_file(held, state)
