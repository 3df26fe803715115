"""What the heads should say of each example, and how far off they are.

Called by `models.training.fit`.  A head learns only from the texts that have a target for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models._heads import Head, places, width
from models.training.examples import ALL, Example

COUNTS = {
    "sentiment": 1.0,
    "emotion": 0.12,
    "offensive": 0.3,
    "intent": 0.25,
    "severity": 0.3,
    "feelings": 0.06,
    "stars": 0.2,
    "irony": 0.2,
}
"""How much a head counts beside the sentiment; the loss of a head of many answers is a sum over its outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What is known of each example.

    Attributes:
        wanted: (examples, outputs), 0..1.
        weight: (examples, heads), 0 where nothing is known.
        meaning: (examples, 384) of length one; None where vectors of meaning are not trained.
        likeness: (examples,), how much these count.
    """

    wanted: Tensor
    weight: Tensor
    meaning: Tensor | None
    likeness: Tensor


def targets_of(examples: Sequence[Example], meanings: Mapping[int, Tensor], likeness: float) -> Targets:
    """Put the examples' targets side by side; `meanings` holds wanted vectors by the example's number."""
    wanted = torch.zeros(len(examples), width(ALL))
    weight = torch.zeros(len(examples), len(ALL))
    for row, example in enumerate(examples):
        for at, (head, place) in enumerate(places(ALL)):
            if head.name in example.targets:
                wanted[row, place] = torch.tensor(example.targets[head.name])
                weight[row, at] = COUNTS[head.name] * example.weight.get(head.name, 1.0)
    alike = torch.zeros(len(examples))
    alike[list(meanings)] = likeness
    vectors = torch.zeros(len(examples), len(next(iter(meanings.values())))) if meanings else None
    for row, vector in meanings.items():
        vectors[row] = vector  # type: ignore[index]
    return Targets(wanted=wanted, weight=weight, meaning=vectors, likeness=alike)


def head_loss(head: Head, logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the loss of each text (rows,): cross-entropy for one answer, its sum over the outputs for many."""
    if head.kind == "one":
        return -(wanted * functional.log_softmax(logits, dim=-1)).sum(dim=-1)
    return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(dim=-1)


def loss_of(logits: Tensor, meaning: Tensor, targets: Targets, rows: Sequence[int]) -> Tensor:
    """Return the mean over a batch of the heads' weighted losses.

    Args:
        logits: (rows, outputs).
        meaning: (rows, 384), of any length.
        targets: of all examples.
        rows: which examples stand in the batch.

    Returns:
        One number.
    """
    wanted, weight = targets.wanted[rows], targets.weight[rows]
    total = logits.new_zeros(len(rows))
    for at, (head, place) in enumerate(places(ALL)):
        if weight[:, at].any():
            total = total + weight[:, at] * head_loss(head, logits[:, place], wanted[:, place])
    if targets.meaning is not None:
        likeness = functional.cosine_similarity(meaning, targets.meaning[rows], dim=-1)
        total = total + targets.likeness[rows] * (1 - likeness)
    return total.mean()
