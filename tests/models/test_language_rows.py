"""Our own rows in eight languages: complete, numerous, and honestly split into those fitted on and blind ones."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models._heads import EMOTION, INTENT, SEVERITY

# They read the source tree, which the run against the wheel does not have.
pytestmark = pytest.mark.sources

FILE = Path(__file__).resolve().parents[2] / "models" / "training" / "rows" / "languages.jsonl"
EIGHT = {"ar", "de", "en", "es", "fr", "hi", "it", "pt"}

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """All of them."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def test_every_row_is_complete(rows: Rows) -> None:
    for number, row in enumerate(rows, start=1):
        assert row["text"].strip() == row["text"] != "", number
        assert row["language"] in EIGHT, number
        assert row["half"] in {"fit", "blind"}, number
        assert row["writer"] == f"{row['language']}-{row['half']}", number
        assert set(row["labels"]) <= set(SEVERITY.labels), number
        if not row["labels"]:
            assert set(row["intent"]) <= set(INTENT.labels), number
            assert row["emotion"] in EMOTION.labels, number
            assert isinstance(row["offensive"], bool), number


def test_every_language_has_grave_and_ordinary_rows_in_both_halves(rows: Rows) -> None:
    counts = Counter((row["language"], row["half"], bool(row["labels"])) for row in rows)
    for language in EIGHT:
        assert counts[language, "fit", True] + counts[language, "blind", True] >= 12
        assert counts[language, "fit", False] + counts[language, "blind", False] >= 30
        assert min(counts[language, half, grave] for half in ("fit", "blind") for grave in (True, False)) >= 6


def test_every_half_of_every_language_has_each_grave_kind(rows: Rows) -> None:
    found = {(row["language"], row["half"], label) for row in rows for label in row["labels"]}
    assert len(found) == len(EIGHT) * 2 * len(SEVERITY.labels)


def test_no_text_stands_there_twice(rows: Rows) -> None:
    texts = [" ".join(re.findall(r"\w+", row["text"].lower())) for row in rows]
    assert [text for text, count in Counter(texts).items() if count > 1] == []
