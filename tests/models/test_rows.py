"""The rows written by hand: readable, labelled, numerous, never twice, and honestly split."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

# They read the source tree, which the run against the wheel does not have.
pytestmark = pytest.mark.sources

ROWS = Path(__file__).resolve().parents[2] / "models" / "training" / "rows"
INTENTS = ("complaint", "question", "praise", "idea", "buy", "leave", "person", "spam", "other")
MOODS = ("negative", "neutral", "positive")
KINDS = {
    "polite": 120,
    "negation": 80,
    "sarcasm": 60,
    "emoji": 60,
    "mixed": 80,
    "long": 40,
    "very-long": 6,
    "neutral": 80,
    "two-brands": 80,
}
"""The fewest rows of each kind of hard case, both splits together."""
NAMES = ("intent-train", "intent-dev", "sentiment-train", "sentiment-dev")
ALIKE = 0.5
"""Two texts whose runs of five words agree by this much are the same text twice."""


@cache
def rows(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of a file."""
    with (ROWS / f"{name}.jsonl").open(encoding="utf-8") as file:
        return tuple(json.loads(line) for line in file)


def split(which: str) -> Iterator[dict[str, Any]]:
    """The rows of both files of a split."""
    yield from rows(f"intent-{which}")
    yield from rows(f"sentiment-{which}")


def words(text: str) -> list[str]:
    """The words of a text without case, marks and emoji; an emoji alone would be nothing."""
    return re.findall(r"\w+", text.lower()) or [text]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_complete(name: str) -> None:
    for number, row in enumerate(rows(name), start=1):
        where = f"{name}:{number}"
        assert row["text"], where
        assert row["text"].strip() == row["text"], where
        assert re.fullmatch(r"w\d\d", row["writer"]), where
        assert re.fullmatch(r"[a-z0-9-]+", row["family"]), where
        assert row["trade"].isalpha(), where


@pytest.mark.parametrize("name", ["intent-train", "intent-dev"])
def test_every_intent_row_has_known_labels_and_a_mood(name: str) -> None:
    for number, row in enumerate(rows(name), start=1):
        where = f"{name}:{number}"
        assert row["labels"], where
        assert set(row["labels"]) <= set(INTENTS), where
        assert len(set(row["labels"])) == len(row["labels"]), where
        assert row["labels"] == ["other"] or "other" not in row["labels"], f"{where}: other stands alone"
        assert row["sentiment"] in MOODS, where


@pytest.mark.parametrize("name", ["sentiment-train", "sentiment-dev"])
def test_every_hard_case_has_a_mood_or_says_towards_whom(name: str) -> None:
    for number, row in enumerate(rows(name), start=1):
        where = f"{name}:{number}"
        assert row["kind"] in KINDS, where
        if row["kind"] == "two-brands":
            assert len(row["towards"]) >= 2, where
            assert set(row["towards"].values()) <= set(MOODS), where
            assert all(brand.lower() in row["text"].lower() for brand in row["towards"]), where
        else:
            assert row["sentiment"] in MOODS, where
            assert row.get("mixed", row["kind"] == "mixed") == (row["kind"] == "mixed"), where


def counts(field: str, name: str) -> Counter[str]:
    """How often each value of a field stands in a file."""
    return Counter(
        value for row in rows(name) for value in ([row[field]] if isinstance(row[field], str) else row[field])
    )


def test_every_intent_has_enough_rows() -> None:
    train, dev = counts("labels", "intent-train"), counts("labels", "intent-dev")
    assert not {label: train[label] + dev[label] for label in INTENTS if train[label] + dev[label] < 170}
    assert not {label: dev[label] for label in INTENTS if dev[label] < 30}


def test_every_kind_of_hard_case_has_enough_rows_in_both_splits() -> None:
    train, dev = counts("kind", "sentiment-train"), counts("kind", "sentiment-dev")
    assert not {kind: train[kind] + dev[kind] for kind, least in KINDS.items() if train[kind] + dev[kind] < least}
    assert all(0.3 <= dev[kind] / (train[kind] + dev[kind]) <= 0.5 for kind in KINDS)


def test_long_texts_are_long() -> None:
    found = [row for which in ("train", "dev") for row in rows(f"sentiment-{which}")]
    lengths = [(row["kind"], len(row["text"].split())) for row in found]
    assert all(120 <= length <= 600 for kind, length in lengths if kind == "long")
    assert all(1000 <= length <= 2000 for kind, length in lengths if kind == "very-long")


def test_no_writer_and_no_family_is_in_both_splits() -> None:
    for field in ("writer", "family"):
        assert not {row[field] for row in split("train")} & {row[field] for row in split("dev")}


def test_no_text_is_there_twice() -> None:
    seen = Counter(" ".join(words(row["text"])) for which in ("train", "dev") for row in split(which))
    assert not [text for text, times in seen.items() if times > 1]


def test_no_two_texts_are_nearly_the_same() -> None:
    runs = [
        {tuple(found[at : at + 5]) for at in range(len(found) - 4)}
        for found in (words(row["text"]) for which in ("train", "dev") for row in split(which))
    ]
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, own in enumerate(runs):
        for run in own:
            holders.setdefault(run, []).append(number)
    shared = Counter(pair for numbers in holders.values() for pair in combinations(numbers, 2))
    assert not [pair for pair, times in shared.items() if times / min(len(runs[pair[0]]), len(runs[pair[1]])) > ALIKE]
