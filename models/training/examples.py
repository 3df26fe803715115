"""Labelled texts for all heads: each source's own labels as targets of the heads that they speak of.

Called by `models.training.train`.  A source answers only its own questions; a head learns nothing from a text that
has no target for it.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models._heads import EMOTION, HEADS, INTENT, SENTIMENT, SEVERITY, Head
from models._text import mask
from models.training.data import LABELS

_FELT = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
    "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
    "remorse sadness surprise neutral"
)
FEELINGS = Head(name="feelings", labels=tuple(_FELT.split()), kind="many")
STARS = Head(name="stars", labels=("1", "2", "3", "4", "5"), kind="one")
IRONY = Head(name="irony", labels=("irony",), kind="many")
ALL = (*HEADS, FEELINGS, STARS, IRONY)
"""The heads that are trained: the shipped ones, then three that only teach the encoder."""

GROUPS = {
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
    "neutral": "neutral",
}
"""Which feelings make which emotion, as in the paper of GoEmotions (Demszky et al., 2020)."""

_MOODS = {"negative": ("anger", "disgust", "fear", "sadness"), "positive": ("joy",), "neutral": ("neutral",)}
_TWEETED = ("anger", "joy", "joy", "sadness")
ROWS = Path(__file__).with_name("rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text and what is known of it.

    Attributes:
        text: the post, masked.
        targets: by head, what its outputs should say, each 0..1.
        weight: by head, how much this text counts there; 1 where nothing is said.
        source: which set it is from.
        writer: who wrote it, where that is known.
    """

    text: str
    targets: Mapping[str, tuple[float, ...]]
    weight: Mapping[str, float]
    source: str
    writer: str = ""

    @property
    def mood(self) -> int | None:
        """The likeliest sentiment as an index into `LABELS`; None where none is known."""
        found = self.targets.get(SENTIMENT.name)
        return None if found is None else max(range(len(found)), key=found.__getitem__)


def marks(head: Head, named: Sequence[str]) -> tuple[float, ...]:
    """Return a head's targets with the named labels at 1.

    Raises:
        ValueError: a name that the head does not know.
    """
    if unknown := set(named) - set(head.labels):
        raise ValueError(f"{head.name} has no label {sorted(unknown)}; it has {', '.join(head.labels)}")
    return tuple(float(label in named) for label in head.labels)


def smooth(targets: Sequence[float], share: float) -> tuple[float, ...]:
    """Move a share of the targets' certainty evenly to all labels."""
    return tuple((1 - share) * target + share / len(targets) for target in targets)


def comments(path: Path) -> Iterator[Example]:
    """Yield the Reddit comments of a GoEmotions file, with feelings, emotion and, where it is plain, sentiment."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text, numbers, _ = line.split("\t")
        felt = [FEELINGS.labels[int(number)] for number in numbers.split(",")]
        groups = [name for name, members in GROUPS.items() if set(felt) & set(members.split())]
        targets = {FEELINGS.name: marks(FEELINGS, felt), EMOTION.name: marks(EMOTION, groups)}
        moods = {mood for mood, members in _MOODS.items() if set(groups) & set(members)}
        # Surprise has no side, and of two sides at once nothing follows for the three classes.
        if len(moods) == 1 and "surprise" not in groups:
            targets[SENTIMENT.name] = marks(SENTIMENT, sorted(moods))
        yield Example(text=mask(text.replace("[NAME]", "@user")), targets=targets, weight={}, source="goemotions")


def tweets(directory: Path, split: str) -> Iterator[Example]:
    """Yield the rows of one of TweetEval's sets: `emotion`, `irony` or `offensive`."""
    texts = (directory / f"{split}_text.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    labels = (directory / f"{split}_labels.txt").read_text(encoding="utf-8").split()
    for text, label in zip(texts, labels, strict=True):
        targets: dict[str, tuple[float, ...]]
        if directory.name == "emotion":
            targets = {EMOTION.name: marks(EMOTION, [_TWEETED[int(label)]])}
        else:
            targets = {directory.name: (float(label),)}
        yield Example(text=mask(text), targets=targets, weight={}, source=directory.name)


def reviews(path: Path) -> Iterator[Example]:
    """Yield film review sentences with their five stars and the three classes these stand for."""
    for line in path.read_text(encoding="utf-8").splitlines():
        label, text = line.split(" ", 1)
        stars = int(label)
        mood = LABELS[(stars > 1) + (stars > 2)]
        targets = {STARS.name: marks(STARS, [str(stars + 1)]), SENTIMENT.name: marks(SENTIMENT, [mood])}
        yield Example(text=mask(text), targets=targets, weight={}, source="sst")


def own(path: Path) -> Iterator[Example]:
    """Yield our own rows; `labels` are intents or kinds of severity, by the file's name.

    Raises:
        ValueError: a line that is no such row, with its number.
    """
    head = {"severity": SEVERITY, "intent": INTENT}.get(path.name.split("-")[0])
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            text = mask(row["text"])
            targets = {} if head is None else {head.name: marks(head, row["labels"])}
            if row.get("sentiment"):
                targets[SENTIMENT.name] = marks(SENTIMENT, [row["sentiment"]])
            if head is INTENT:
                # Writers of these rows were asked for intents alone, and none of them is grave.
                targets[SEVERITY.name] = marks(SEVERITY, row.get("severity", []))
            elif intent := row.get("intent"):
                targets[INTENT.name] = marks(INTENT, [intent] if isinstance(intent, str) else intent)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}:{number}: not a labelled row ({error})") from error
        if targets:
            yield Example(
                text=text,
                targets=targets,
                weight={},
                source=path.stem.split("-")[0],
                writer=row.get("writer", ""),
            )


def some(examples: Iterator[Example], count: int, seed: int = 5) -> list[Example]:
    """Return so many examples, drawn by a seed; all where there are fewer."""
    found = list(examples)
    random.Random(seed).shuffle(found)
    return found[:count]


def weigh(examples: Sequence[Example], head: Head, by: float) -> list[Example]:
    """Return the examples with another weight in one head."""
    return [replace(example, weight={**example.weight, head.name: by}) for example in examples]
