"""Tweets in eight languages (XLM-T): reading, cleaning, and which of them are trained on, chosen by and judged.

Called by `models.training.multi_train` and `.multi_quality`.  Test splits are not read anywhere.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models._heads import SENTIMENT
from models._text import plain
from models.training.data import LABELS, Row, deal, read_rows
from models.training.examples import ROWS, Example, comments, own, smooth, some
from models.training.mixture import SMOOTHING, kept_back, moods, others
from models.training.teach import TAUGHT
from models.training.train import taught

LANGUAGES = {
    "ar": "arabic", "de": "german", "en": "english", "es": "spanish",
    "fr": "french", "hi": "hindi", "it": "italian", "pt": "portuguese",
}  # fmt: skip
HINDI_FROM = 930
"""The labels of the Hindi rows before this one, and of all Hindi validation rows, have nothing to do with their texts:
an English model's mood of the English ones among them agrees with the labels from here on (correlation 0.35 to 0.45 in
windows of 115 rows) and not at all before (-0.14 to 0.09; validation: 0.01)."""
FOLDS = 12
"""One row of so many is kept from training, to choose by and to calibrate."""
REPEATS = 4
"""How often the rows of other languages than English stand among the others."""
TWEETS, OTHERS = 17_000, 12_000
"""How many English tweets with a sentiment, and how many rows for the other heads, stand among them."""
COUNTS = 3
"""How often a piece of a tweet in another language than English counts when the vocabulary is cut."""
SHINGLE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One language's rows.

    Attributes:
        train: to be trained on.
        held: kept from training, to choose and to calibrate by.
    """

    train: tuple[Row, ...]
    held: tuple[Row, ...]


def read(data: Path, code: str, split: str) -> tuple[Row, ...]:
    """Read the rows of a language, `train` or `val`; Hindi ones only where labels and texts belong together."""
    if split not in {"train", "val"}:
        raise ValueError(f"{split}: only the training and validation splits may be read")
    folder = data / "xlmt" / LANGUAGES[code]
    texts = (folder / f"{split}_text.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    labels = (folder / f"{split}_labels.txt").read_text(encoding="utf-8").split()
    rows = [Row(text=plain(text), label=int(label)) for text, label in zip(texts, labels, strict=True)]
    if code == "hi":
        rows = rows[HINDI_FROM:] if split == "train" else []
    return tuple(rows)


def splits(data: Path) -> Mapping[str, Split]:
    """Return each language's training rows in two; those that touch a validation row of any language are left out."""
    judged = [row.text for code in LANGUAGES for row in read(data, code, "val")]
    judged += [row.text for row in read_rows(data / "semeval" / "dev.jsonl")]
    found = {}
    for code in LANGUAGES:
        rows = read(data, code, "train")
        clean = [row for row, bad in zip(rows, touches([row.text for row in rows], judged), strict=True) if not bad]
        folds = deal(clean, FOLDS)
        found[code] = Split(
            train=tuple(row for row, fold in zip(clean, folds, strict=True) if fold),
            held=tuple(row for row, fold in zip(clean, folds, strict=True) if not fold),
        )
    return found


def touches(texts: Sequence[str], judged: Iterable[str]) -> list[bool]:
    """Tell for each text whether it is one of the judged ones or holds the first or last eight words of one.

    As `models.training.data.overlaps`, but in every script.
    """
    whole, ends = set(), set()
    for text in judged:
        words = _words(text)
        whole.add(words)
        if len(words) >= SHINGLE:
            ends |= {words[:SHINGLE], words[-SHINGLE:]}
    found = []
    for text in texts:
        words = _words(text)
        parts = (words[at : at + SHINGLE] for at in range(len(words) - SHINGLE + 1))
        found.append(words in whole or any(part in ends for part in parts))
    return found


def _words(text: str) -> tuple[str, ...]:
    text = re.sub(r"@\w+|https?\S*|\b(?:rt|user)\b", " ", html.unescape(text).lower())
    return tuple(re.findall(r"\w+", text)) or (text.strip(),)


def tweets(rows: Iterable[Row], source: str) -> Iterator[Example]:
    """Yield rows as examples of the sentiment head; the classes are of even size, so all count the same."""
    for row in rows:
        wanted = smooth([float(label == row.label) for label in range(len(LABELS))], SMOOTHING)
        yield Example(text=row.text, targets={SENTIMENT.name: wanted}, weight={}, source=source)


def english(data: Path) -> list[Example]:
    """Return English tweets with a sentiment, as the English bundle is taught them; rows kept back there stay back."""
    rows = read_rows(data / "semeval" / "train.jsonl")
    said = taught(len(rows))
    kept = [at for at, is_kept_back in enumerate(kept_back(rows)) if not is_kept_back]
    return moods([rows[at] for at in kept], [said[at] for at in kept])


def mixture(data: Path) -> list[Example]:
    """Return everything that is trained on."""
    found = []
    for code, split in splits(data).items():
        # The few English rows left are nearly all negative, and English has enough others.
        found += [] if code == "en" else list(tweets(split.train, code)) * REPEATS
    found += some(iter(english(data)), TWEETS)
    return found + some(iter(others(data, json.loads(TAUGHT.read_text(encoding="utf-8")))), OTHERS)


def all_texts(data: Path) -> Iterator[str]:
    """Yield the training texts that decide which pieces of words are kept; other languages count as much as English."""
    for folder in LANGUAGES.values():
        for text in (data / "xlmt" / folder / "train_text.txt").read_text(encoding="utf-8").split("\n"):
            yield from [plain(text)] * COUNTS
    yield from (row.text for row in some(iter(read_rows(data / "semeval" / "train.jsonl")), TWEETS))  # type: ignore[type-var]
    yield from (each.text for each in some(comments(data / "goemotions" / "train.tsv"), TWEETS // 2))
    yield from (each.text for path in sorted(ROWS.glob("*-train.jsonl")) for each in own(path))
