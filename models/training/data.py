"""Labelled rows for training: reading, cleaning, and the refusal of leaks.

Called by every other module here.  The rows come from the directory named
by LISTENER_DATA and are never committed.
"""

import html
import json
import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models._text import mask

LABELS = ("negative", "neutral", "positive")
_DEAL = 2017


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled text.

    Attributes:
        text: the post, with user names and links masked.
        label: an index into `LABELS`.
    """

    text: str
    label: int


class Leak(Exception):
    """Development rows stand among the training rows; training is refused."""


def data_directory() -> Path:
    """Return the directory named by LISTENER_DATA, or end the program saying how to name it."""
    value = os.environ.get("LISTENER_DATA", "")
    directory = Path(value)
    if not value or not (directory / "semeval" / "train.jsonl").is_file():
        raise SystemExit(
            "LISTENER_DATA must name a directory with semeval/train.jsonl and semeval/dev.jsonl; "
            "run: make train LISTENER_DATA=DIR"
        )
    return directory


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read `{"text", "label"}` lines; a line that is not such a row raises ValueError with its number."""
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                rows.append(Row(text=mask(row["text"]), label=LABELS.index(row["label"])))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}:{number}: not a labelled row ({error})") from error
    return tuple(rows)


def normal(text: str) -> str:
    """Reduce a text to its letters and digits, without user names and links, to compare it with others."""
    text = html.unescape(text).lower()
    text = re.sub(r"@\w+|https?\S*|\bwww\.\S+|\b(?:rt|user)\b", " ", text)
    return " ".join(re.findall(r"[a-z0-9]+", text))


SHINGLE = 8


def overlapping(train: Iterable[str], dev: Iterable[str]) -> int:
    """Count training texts that are, or nearly are, development texts.

    Two texts overlap when they are equal after `normal`, or when the training text holds the first or
    the last eight words of the development text.

    Args:
        train: texts to train on.
        dev: texts to judge by.

    Returns:
        The number of training texts that overlap with any development text.
    """
    return sum(overlaps(train, dev))


def overlaps(train: Iterable[str], dev: Iterable[str]) -> Iterator[bool]:
    """Tell for each training text whether it overlaps with any development text, as in `overlapping`."""
    whole: set[str] = set()
    ends: set[str] = set()
    for text in dev:
        words = normal(text).split()
        whole.add(" ".join(words))
        if len(words) >= SHINGLE:
            ends.add(" ".join(words[:SHINGLE]))
            ends.add(" ".join(words[-SHINGLE:]))
    return (_touches(normal(text), whole, ends) for text in train)


def _touches(text: str, whole: set[str], ends: set[str]) -> bool:
    words = text.split()
    if text in whole:
        return True
    return any(" ".join(words[i : i + SHINGLE]) in ends for i in range(len(words) - SHINGLE + 1))


def refuse_overlap(train: Sequence[Row], dev: Sequence[Row]) -> None:
    """Raise Leak if any training row stands in the development rows."""
    count = overlapping((row.text for row in train), (row.text for row in dev))
    if count:
        raise Leak(
            f"{count} of {len(train)} training rows overlap with development rows; "
            "remove them from the training file, then train again"
        )


def deal(rows: Sequence[Row], folds: int) -> list[int]:
    """Return the fold of each row: equal texts share a fold, folds are of like size and fixed by a seed."""
    dice = random.Random(_DEAL)
    texts = sorted({row.text for row in rows})
    dice.shuffle(texts)
    fold_of = {text: number % folds for number, text in enumerate(texts)}
    return [fold_of[row.text] for row in rows]
