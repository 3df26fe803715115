"""How well topics are found in posts, and with which mood, on rows written by hand.

    .venv/bin/python tests/bench/bench_topics.py [--wrong] [--sweep] [FILE.jsonl ...]

Rows: {"text", "topics": {name: label}}. Without files it reads those in tests/data/topics, with the topics in
`topics.toml` there: `dev` and `dev_indirect` served to choose threshold and ridge, `several` (seven more languages) the
threshold of the multilingual space; `blind` was written before and is only measured. `--wrong` lists what was got
wrong, and is for the others; `--sweep` shows other thresholds.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from listener.core.sentiment import Verdict, towards
from listener.core.tools import Tools
from listener.core.topic import Topic, Touched, parts_of
from listener.pipeline.topics import Book, Topics, perhaps, touched
from models.bundled import Bundled, BundledOptions

ROWS = Path(__file__).resolve().parents[1] / "data" / "topics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A post, what a person found in it, and what we found."""

    text: str
    truth: dict[str, str]
    found: dict[str, Touched]


def topics_of(path: Path) -> tuple[Topic, ...]:
    """The topics in a file."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["topic"]
    return tuple(Topic(**{**table, "phrases": tuple(table["phrases"])}) for table in tables)


def find(book: Book, scorer: Bundled, texts: Sequence[str]) -> tuple[list[dict[str, Touched]], float]:
    """Find topics in each text as `judge` does; also gives the share of texts whose parts were read."""
    whole = dict(zip(texts, scorer.read(texts), strict=True))
    parts = {text: parts_of(text) for text in texts}
    looked = [text for text in texts if len(parts[text]) > 1 and perhaps(book, "x", text, whole[text])]
    apart = list(dict.fromkeys(part for text in looked for part in parts[text]))
    read: dict[str, Verdict] = dict(zip(apart, scorer.read(apart), strict=True))
    found = []
    for text in texts:
        pieces = {part: read[part] for part in parts[text]} if text in looked else {text: whole[text]}
        found.append({each.topic: each for each in touched(book, "x", pieces, towards(whole[text], None))})
    return found, len(looked) / len(texts)


def show(name: str, rows: Sequence[Row]) -> None:
    """Print precision, recall and moods."""
    truth = sum(len(row.truth) for row in rows)
    said = sum(len(row.found) for row in rows)
    right = [(row, topic) for row in rows for topic in row.truth if topic in row.found]
    mood = sum(row.found[topic].label == row.truth[topic] for row, topic in right)
    several = [(row, topic) for row, topic in right if len(row.truth) > 1]
    mood_several = sum(row.found[topic].label == row.truth[topic] for row, topic in several)
    sure = [(row, topic) for row, topic in right if row.found[topic].certainty == "confident"]
    mood_sure = sum(row.found[topic].label == row.truth[topic] for row, topic in sure)
    quiet = [row for row in rows if not row.truth]
    precision, recall = len(right) / max(1, said), len(right) / truth
    print(
        f"{name}: {len(rows)} posts, {truth} topics; precision {precision:.3f}, recall {recall:.3f}, "
        f"F1 {2 * precision * recall / max(1e-9, precision + recall):.3f}; mood {mood} of {len(right)}, "
        f"confident {mood_sure} of {len(sure)}, of several topics {mood_several} of {len(several)}; "
        f"of no topic {sum(not row.found for row in quiet)} of {len(quiet)} left alone"
    )


def main() -> None:
    """Read the files and print."""
    paths = [Path(name) for name in sys.argv[1:] if not name.startswith("-")]
    scorer = Bundled(BundledOptions(), Tools(http=None, clock=lambda: datetime.now(UTC)))
    for path in paths or [ROWS / f"{name}.jsonl" for name in ("dev", "dev_indirect", "several", "blind")]:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        rows = [row for row in rows if row.get("language") != "en"]
        for threshold in (0.2, 0.24, 0.28, 0.32, 0.37, 0.42, 0.48, 0.54) if "--sweep" in sys.argv else (None,):
            topics = tuple(replace(topic, threshold=threshold) for topic in topics_of(ROWS / "topics.toml"))
            for kept, chosen in (("all topics", topics), ("the first five", topics[:5])):
                names = {topic.name for topic in chosen}
                found, looked = find(Topics(scorer).book(chosen), scorer, [row["text"] for row in rows])
                done = [
                    Row(text=row["text"], truth={t: m for t, m in row["topics"].items() if t in names}, found=each)
                    for row, each in zip(rows, found, strict=True)
                ]
                show(f"{path.stem}, {kept}, {threshold or 'default'}, parts read of {looked:.0%}", done)
                if "--wrong" in sys.argv and chosen == topics:
                    for row in done:
                        if set(row.truth) != set(row.found):
                            said = [(each.topic, each.nearness, each.phrase) for each in row.found.values()]
                            print(f"  {row.truth} {said}: {row.text}")


if __name__ == "__main__":
    main()
