"""From a text's raw outputs to answers: probabilities of its parts, put together, and what reaches its mark.

Called by `models.bundled`.  Pure arithmetic; the numbers come from the bundle's `config.json`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models._heads import EMOTION, INTENT, OFFENSIVE, SENTIMENT, SEVERITY, places
from models._parts import together

Floats = NDArray[np.float32]
Marks = Mapping[str, Mapping[str, float]]

_PLACES = {head.name: place for head, place in places()}
_OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the heads say of one text.

    Attributes:
        sentiment: (3,) probabilities, which add up to 1.
        emotion: the likeliest one.
        offensive: whether it reaches its mark.
        intent: all that reach their marks, the likeliest first; empty when none does.
        severity: likewise; empty for the usual text.
    """

    sentiment: Floats
    emotion: str
    offensive: bool
    intent: tuple[str, ...]
    severity: tuple[str, ...]


def softmax(logits: Floats) -> Floats:
    """Return probabilities over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scaled: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return scaled


def sigmoid(logits: Floats) -> Floats:
    """Return the probability of each output by itself."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def reaching(probabilities: Floats, labels: Sequence[str], marks: Mapping[str, float]) -> tuple[str, ...]:
    """Return the labels whose probability reaches their mark, the likeliest first."""
    order = np.argsort(-probabilities, kind="stable")
    return tuple(labels[at] for at in order if probabilities[at] >= marks[labels[at]])


def answers_of(logits: Floats, lengths: Sequence[int], *, temperature: float, bias: Floats, marks: Marks) -> Answers:
    """Put together what the heads say of a text's parts.

    The sentiment is combined as in `models._parts.together`; of the other heads the likeliest part counts, since one
    sentence is enough to threaten, to insult or to ask.

    Args:
        logits: (parts, outputs).
        lengths: tokens in each part.
        temperature, bias: make the sentiment's probabilities true: softmax(logits / temperature + bias).
        marks: by head and label, from which probability on it is said.

    Returns:
        The answers.
    """
    moods = softmax(logits[:, _PLACES[SENTIMENT.name]] / temperature + bias)
    chances = {
        head.name: sigmoid(logits[:, _PLACES[head.name]]).max(axis=0) for head in (EMOTION, OFFENSIVE, INTENT, SEVERITY)
    }
    intent = reaching(chances[INTENT.name], INTENT.labels, marks[INTENT.name])
    return Answers(
        sentiment=together(moods, lengths) if len(moods) > 1 else moods[0],
        emotion=EMOTION.labels[int(chances[EMOTION.name].argmax())],
        offensive=bool(chances[OFFENSIVE.name][0] >= marks[OFFENSIVE.name][OFFENSIVE.labels[0]]),
        intent=tuple(label for label in intent if label != _OTHER) or intent,
        severity=reaching(chances[SEVERITY.name], SEVERITY.labels, marks[SEVERITY.name]),
    )


def signed(vectors: Floats, lengths: Sequence[int]) -> bytes:
    """Return a text's meaning as signed bytes: the mean of its parts by their length, its largest number at 127."""
    mean = np.average(vectors, axis=0, weights=np.asarray(lengths, np.float32))
    largest = float(np.abs(mean).max()) or 1.0
    return bytes(np.rint(mean * (127 / largest)).astype(np.int8).tobytes())
