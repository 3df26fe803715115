"""The recipe: one epoch of AdamW over length buckets, class weights, label smoothing, bfloat16 autocast.

Called by `models.training.train` (all rows) and `.crossvalidate` (four fifths of them).
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from models.training.data import LABELS, Row
from models.training.network import Network, from_base

Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the weights, beside the rows."""

    seed: int = 17
    epochs: int = 1
    batch: int = 32
    peak: float = 1e-4
    warm_up: float = 0.06
    decay: float = 0.01
    smoothing: float = 0.05
    longest: int = 80
    bucket: int = 50


def load_tokenizer(path: Path, longest: int) -> Tokenizer:
    """Load a tokenizer that cuts at `longest` tokens and never pads."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def encode(tokenizer: Tokenizer, rows: Sequence[Row]) -> list[list[int]]:
    """Return the token numbers of each row."""
    return [found.ids for found in tokenizer.encode_batch([row.text for row in rows])]


def stack(encoded: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Pad token numbers to one length; return them and their 0/1 mask, both (rows, length)."""
    length = max(map(len, encoded))
    tokens = torch.tensor([ids + [0] * (length - len(ids)) for ids in encoded])
    present = torch.tensor([[1] * len(ids) + [0] * (length - len(ids)) for ids in encoded])
    return tokens, present


def batches(encoded: list[list[int]], labels: list[int], recipe: Recipe, dice: random.Random) -> Iterator[Batch]:
    """Yield shuffled batches whose rows are of similar length."""
    order = list(range(len(encoded)))
    dice.shuffle(order)
    span = recipe.batch * recipe.bucket
    chosen = []
    for start in range(0, len(order), span):
        part = sorted(order[start : start + span], key=lambda row: len(encoded[row]))
        chosen += [part[at : at + recipe.batch] for at in range(0, len(part), recipe.batch)]
    dice.shuffle(chosen)
    for rows in chosen:
        tokens, present = stack([encoded[row] for row in rows])
        yield tokens, present, torch.tensor([labels[row] for row in rows])


def class_weights(labels: Sequence[int]) -> Tensor:
    """Return the square root of each class's inverse share, scaled to a mean of one over the rows."""
    counts = torch.bincount(torch.tensor(labels), minlength=len(LABELS)).float()
    weights = (counts.sum() / counts).sqrt()
    return weights * counts.sum() / (weights * counts).sum()


def pace(step: int, steps: int, recipe: Recipe) -> float:
    """Return the learning rate at a step: a linear rise, then a linear fall to zero."""
    rise = max(1, math.ceil(steps * recipe.warm_up))
    return recipe.peak * min((step + 1) / rise, (steps - step) / max(1, steps - rise))


def make_optimizer(network: Network, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW with weight decay on the matrices alone."""
    matrices = [value for value in network.parameters() if value.ndim > 1]
    vectors = [value for value in network.parameters() if value.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.peak, fused=True)


def fit(rows: Sequence[Row], base: Path, recipe: Recipe, say: Callable[[str], None]) -> Network:
    """Train a network on rows.

    Args:
        rows: labelled texts; all of them are trained on.
        base: directory with the base weights and tokenizer.
        recipe: everything else that decides the weights.
        say: told of the pace, once in 50 steps.

    Returns:
        The network, in evaluation mode.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    network = from_base(base).train()
    encoded = encode(load_tokenizer(base / "tokenizer.json", recipe.longest), rows)
    labels = [row.label for row in rows]
    weights = class_weights(labels)
    optimizer = make_optimizer(network, recipe)
    steps = math.ceil(len(rows) / recipe.batch) * recipe.epochs
    dice = random.Random(recipe.seed)
    started, step, total = time.monotonic(), 0, 0.0
    for _ in range(recipe.epochs):
        for batch in batches(encoded, labels, recipe, dice):
            for group in optimizer.param_groups:
                group["lr"] = pace(step, steps, recipe)
            total += _step(network, optimizer, batch, weights, recipe.smoothing)
            step += 1
            if step % 50 == 0:
                rate = step / (time.monotonic() - started)
                say(f"step {step}/{steps} loss {total / 50:.4f} {rate:.2f} steps/s, {(steps - step) / rate:.0f} s left")
                total = 0.0
    return network.eval()


def _step(network: Network, optimizer: torch.optim.AdamW, batch: Batch, weights: Tensor, smoothing: float) -> float:
    tokens, present, wanted = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(tokens, present)
    loss = functional.cross_entropy(logits, wanted, weight=weights, label_smoothing=smoothing)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.item())


@torch.inference_mode()
def logits_of(network: Network, tokenizer: Tokenizer, rows: Sequence[Row], size: int = 64) -> Tensor:
    """Return float32 logits (rows, labels) in the order of the rows."""
    encoded = encode(tokenizer, rows)
    order = sorted(range(len(rows)), key=lambda row: len(encoded[row]))
    result = torch.empty(len(rows), len(LABELS))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result[part] = network(*stack([encoded[row] for row in part]))
    return result
