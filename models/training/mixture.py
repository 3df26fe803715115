"""Which texts the network is trained on, how much each counts, and which are kept for judging.

Called by `models.training.train` and `.crossvalidate`; the choices were made by the experiments in `EXPERIMENTS.md`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models._heads import SENTIMENT, SEVERITY
from models.training.data import LABELS, Row, deal, overlaps, read_rows
from models.training.examples import ROWS, Example, comments, own, reviews, smooth, some, tweets, weigh

KEPT_BACK = 10
"""One tweet of so many is kept from training, to set temperature and thresholds by."""
SMOOTHING = 0.05
TAUGHT = 0.5
"""How much of a tweet's target is what cross-validation's networks said of it, who had not seen it."""
REPEATS = 3
"""How often our own few rows stand among the others."""
TWEETS = {"offensive": 5000, "emotion": 3300, "irony": 2000}
WORDS = 60
"""Our own longer rows are for judging alone: what decides them may stand after the last token that is read."""
COMMENTS, REVIEWS = 10000, 5000
"""How many rows of the other sets are taken: their heads need no more, and every row costs time."""


def class_weights(labels: Sequence[int]) -> list[float]:
    """Return the square root of each class's inverse share, scaled to a mean of one over the rows."""
    counts = Counter(labels)
    roots = [(len(labels) / max(1, counts[label])) ** 0.5 for label in range(len(LABELS))]
    mean = sum(roots[label] for label in labels) / len(labels)
    return [root / mean for root in roots]


def moods(rows: Sequence[Row], taught: Sequence[Sequence[float] | None] | None = None) -> list[Example]:
    """Return tweets as examples of the sentiment head.

    Args:
        rows: labelled tweets.
        taught: for each row the probabilities of a network that had not seen it, or None.

    Returns:
        As many examples; a target is the label, smoothed, mixed with what was taught.
    """
    weights = class_weights([row.label for row in rows])
    examples = []
    for at, row in enumerate(rows):
        wanted = smooth([float(label == row.label) for label in range(len(LABELS))], SMOOTHING)
        said = taught[at] if taught else None
        if said is not None:
            wanted = tuple((1 - TAUGHT) * mine + TAUGHT * its for mine, its in zip(wanted, said, strict=True))
        weight = {SENTIMENT.name: weights[row.label]}
        examples.append(Example(text=row.text, targets={SENTIMENT.name: wanted}, weight=weight, source="semeval"))
    return examples


def kept_back(rows: Sequence[Row]) -> list[bool]:
    """Tell for each tweet whether it is kept from training."""
    return [fold == 0 for fold in deal(rows, KEPT_BACK)]


def others(data: Path, said: Mapping[str, Sequence[float]]) -> list[Example]:
    """Return the examples of all sources but the tweets of known sentiment, none of which is judged by.

    Args:
        data: the directory with the sets.
        said: what a first network says of the sentiment of tweets that have no such label, by text.
    """
    found: list[Example] = []
    for kind, count in TWEETS.items():
        found += (_with(each, said) for each in some(tweets(data / "tweeteval" / kind, "train"), count))
    found += weigh(some(comments(data / "goemotions" / "train.tsv"), COMMENTS), SENTIMENT, 0.25)
    found += weigh(some(reviews(data / "sst5" / "train.txt"), REVIEWS), SENTIMENT, 0.4)
    for path in sorted(ROWS.glob("*-train.jsonl")):
        mine = [each for each in own(path) if len(each.text.split()) <= WORDS]
        # Who wrote the rows of intents was not asked for severity: that it is none is likely, not certain.
        found += (weigh(mine, SEVERITY, 0.3) if path.name.startswith("intent") else mine) * REPEATS
    spoilt = overlaps([each.text for each in found], list(judged_by(data)))
    return [each for each, is_spoilt in zip(found, spoilt, strict=True) if not is_spoilt]


def _with(example: Example, said: Mapping[str, Sequence[float]]) -> Example:
    if example.text not in said:
        return example
    targets = {**example.targets, SENTIMENT.name: tuple(said[example.text])}
    return replace(example, targets=targets, weight={**example.weight, SENTIMENT.name: 0.6})


def judged_by(data: Path) -> Iterator[str]:
    """Yield every text that something is judged by."""
    yield from (row.text for row in read_rows(data / "semeval" / "dev.jsonl"))
    for split in ("dev", "test"):
        yield from (each.text for each in comments(data / "goemotions" / f"{split}.tsv"))
        yield from (each.text for each in reviews(data / "sst5" / f"{split}.txt"))
    for kind in ("offensive", "emotion", "irony"):
        yield from (each.text for each in tweets(data / "tweeteval" / kind, "val"))
    for path in sorted(ROWS.glob("*-dev.jsonl")):
        yield from (each.text for each in own(path))
