"""The recipe: AdamW over length buckets, all heads in one pass, bfloat16 autocast.

Called by `models.training.train` (every head) and `.crossvalidate` (sentiment alone, four fifths of the tweets).
"""

import copy
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models._heads import places, width
from models.training.examples import ALL, Example
from models.training.loss import Targets, loss_of, targets_of
from models.training.network import Network, from_base


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the weights, beside the rows.

    Attributes:
        seed: of the new heads, the shuffling and the dropout.
        epochs: how often each text is seen.
        batch: texts a step.
        peak: highest learning rate.
        warm_up: share of the steps until then.
        decay: of the matrices.
        longest: tokens of a text that are read.
        bucket: batches among which texts are sorted by length.
        likeness: how much the vectors of meaning count; 0 leaves them untrained.
        alike: every so many-th text has such a vector.
    """

    seed: int = 17
    epochs: int = 1
    batch: int = 32
    peak: float = 1e-4
    warm_up: float = 0.06
    decay: float = 0.01
    longest: int = 80
    bucket: int = 50
    likeness: float = 0.0
    alike: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Texts of like length: token numbers and their 0/1 mask, both (rows, length), and which rows they are."""

    tokens: Tensor
    present: Tensor
    rows: list[int]


def load_tokenizer(path: Path, longest: int) -> Tokenizer:
    """Load a tokenizer that cuts at `longest` tokens and never pads."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the token numbers of each text."""
    return [found.ids for found in tokenizer.encode_batch(list(texts))]


def stack(encoded: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Pad token numbers to one length; return them and their 0/1 mask, both (rows, length)."""
    length = max(map(len, encoded))
    tokens = torch.tensor([ids + [0] * (length - len(ids)) for ids in encoded])
    present = torch.tensor([[1] * len(ids) + [0] * (length - len(ids)) for ids in encoded])
    return tokens, present


def batches(encoded: list[list[int]], recipe: Recipe, dice: random.Random) -> Iterator[Batch]:
    """Yield shuffled batches whose rows are of similar length; tasks stand mixed in them."""
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
        yield Batch(tokens=tokens, present=present, rows=rows)


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


def fit(
    examples: Sequence[Example],
    base: Path,
    recipe: Recipe,
    say: Callable[[str], None],
    keep: Callable[[Network], None] = lambda network: None,
    begin: Callable[[Network], None] = lambda network: None,
    meanings: Mapping[int, Tensor] | None = None,
    seconds: float = math.inf,
) -> Network:
    """Train a network on examples.

    Args:
        examples: labelled texts; all of them are trained on.
        base: directory with the base weights and tokenizer.
        recipe: everything else that decides the weights.
        say: told of the pace, once in 50 steps.
        keep: given the network after each epoch, so that a stop does not cost everything.
        begin: given the network before the first step, to hold some of its weights.
        meanings: by the example's number, which vector of length one it should mean; else what the base says.
        seconds: after which it ends in any event, the learning rate fallen to zero as if all had been seen.

    Returns:
        The network, in evaluation mode.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    network = from_base(base, width(ALL))
    begin(network)
    encoded = encode(load_tokenizer(base / "tokenizer.json", recipe.longest), [each.text for each in examples])
    if meanings is None:
        meanings = _meanings(network, encoded, recipe) if recipe.likeness else {}
    targets = targets_of(examples, meanings, recipe.likeness)
    optimizer = make_optimizer(network.train(), recipe)
    steps = math.ceil(len(examples) / recipe.batch) * recipe.epochs
    dice = random.Random(recipe.seed)
    started, step, total = time.monotonic(), 0, 0.0
    for _ in range(recipe.epochs):
        for batch in batches(encoded, recipe, dice):
            at = max(step, math.floor(steps * (time.monotonic() - started) / seconds))
            for group in optimizer.param_groups:
                group["lr"] = pace(min(at, steps), steps, recipe)
            if at >= steps:
                break
            total += _step(network, optimizer, batch, targets)
            step += 1
            if step % 50 == 0:
                rate = step / (time.monotonic() - started)
                say(f"step {step}/{steps} loss {total / 50:.4f} {rate:.2f} steps/s, {(steps - step) / rate:.0f} s left")
                total = 0.0
        keep(network)
    return network.eval()


def _step(network: Network, optimizer: torch.optim.AdamW, batch: Batch, targets: Targets) -> float:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, meaning = network(batch.tokens, batch.present)
    loss = loss_of(logits, meaning, targets, batch.rows)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.item())


def _meanings(network: Network, encoded: list[list[int]], recipe: Recipe) -> dict[int, Tensor]:
    """Return what the base weights, not yet trained on, say that every so many-th text means."""
    chosen = range(0, len(encoded), recipe.alike)
    before = copy.deepcopy(network).eval()
    _, found = judge(before, [encoded[row] for row in chosen])
    return dict(zip(chosen, torch.nn.functional.normalize(found, dim=-1), strict=True))


@torch.inference_mode()
def judge(network: Network, encoded: Sequence[list[int]], size: int = 64) -> tuple[Tensor, Tensor]:
    """Return logits (texts, outputs) and vectors of meaning (texts, 384), both float32, in the order of the texts."""
    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    logits = torch.empty(len(encoded), network.head.out_features)
    meaning = torch.empty(len(encoded), network.head.in_features)
    for start in range(0, len(order), size):
        part = order[start : start + size]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits[part], meaning[part] = network(*stack([encoded[row] for row in part]))
    return logits, meaning


def logits_of(network: Network, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, Tensor]:
    """Return by head its float32 logits (texts, labels), in the order of the texts."""
    logits, _ = judge(network, encode(tokenizer, texts))
    return {head.name: logits[:, place] for head, place in places(ALL)}
