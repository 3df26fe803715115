"""How well posts that name two brands are judged for each of them, beside giving both the mood of the whole post.

    python -m models.training.towards [--wrong] [FILE.jsonl ...]

Rows: {"text", "towards": {brand: label}, "pattern"}. Without files it reads the rows in tests/data/towards: `dev`
served to find the rules; `blind` was written before them and chosen by never. `--wrong` lists what was got wrong, and
is for `dev`.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from listener.core.clauses import Reading, readings
from listener.core.sentiment import LABELS, Sentiment, towards
from listener.core.tools import Tools
from models.bundled import Bundled, BundledOptions

ROWS = Path(__file__).resolve().parents[2] / "tests" / "data" / "towards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One brand of one row.

    Args:
        text: of the row.
        brand: the brand.
        position: 0 for the brand that is named first.
        pattern: the family of the row.
        truth: the label that a person gave.
        ours: the sentiment towards the brand.
        whole: the sentiment of the whole post.
        reading: what was read for it; None for the whole post.
    """

    text: str
    brand: str
    position: int
    pattern: str
    truth: str
    ours: Sentiment
    whole: Sentiment
    reading: Reading | None


def words_of(brand: str) -> tuple[str, ...]:
    """The words that an operator would listen for."""
    return (brand, brand.replace(" ", ""), f"{brand}s")


def judge(path: Path, scorer: Bundled) -> list[Judged]:
    """Judge every brand of every row."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = [readings(row["text"], {brand: words_of(brand) for brand in row["towards"]}) for row in rows]
    texts = list(
        dict.fromkeys([row["text"] for row in rows] + [each.text for of in found for each in of.values() if each.text])
    )
    verdicts = dict(zip(texts, scorer.read(texts), strict=True))
    judged = []
    for row, of in zip(rows, found, strict=True):
        lowered = row["text"].casefold()
        places = {
            brand: min(at for word in words_of(brand) if (at := lowered.find(word.casefold())) >= 0)
            for brand in row["towards"]
        }
        order = sorted(places, key=places.__getitem__)
        whole = verdicts[row["text"]]
        for brand, truth in row["towards"].items():
            reading = of.get(brand)
            part = verdicts.get(reading.text) if reading else None
            judged.append(
                Judged(
                    text=row["text"], brand=brand, position=order.index(brand), pattern=row["pattern"], truth=truth,
                    ours=towards(whole, None, reading, part), whole=towards(whole, None), reading=reading,
                )
            )  # fmt: skip
    return judged


def share(hits: Iterable[bool]) -> str:
    """Return hits among tries, as "12 of 40 (30 %)"."""
    found = list(hits)
    return f"{sum(found):3} of {len(found):3} ({sum(found) / max(1, len(found)):6.1%})"


def macro_recall(judged: Sequence[Judged], whole: bool) -> float:
    """Return the mean recall of the labels."""
    hits, rows = Counter[str](), Counter[str]()
    for each in judged:
        rows[each.truth] += 1
        hits[each.truth] += (each.whole if whole else each.ours).label == each.truth
    return sum(hits[label] / rows[label] for label in LABELS if rows[label]) / sum(map(bool, rows.values()))


def show(name: str, judged: Sequence[Judged]) -> None:
    """Print the figures of one file."""
    texts = {each.text: set() for each in judged}
    for each in judged:
        texts[each.text].add(each.truth)
    parts = {
        "all": judged,
        "named first": [each for each in judged if each.position == 0],
        "named second": [each for each in judged if each.position == 1],
        "posts of one mood": [each for each in judged if len(texts[each.text]) == 1],
        "posts of two moods": [each for each in judged if len(texts[each.text]) > 1],
    }
    print(f"\n{name}: {len(texts)} posts, {len(judged)} mentions; ours, then the same sentiment for both")
    for part, rows in parts.items():
        ours, same = share(e.ours.label == e.truth for e in rows), share(e.whole.label == e.truth for e in rows)
        recalls = f"{macro_recall(rows, False):.3f}  {macro_recall(rows, True):.3f}"
        print(f"  {part:19} {ours}   {same}   macro recall {recalls}")
    for said, of in (("ours", "ours"), ("same", "whole")):
        sure = [e for e in judged if getattr(e, of).certainty == "confident"]
        right = share(getattr(e, of).label == e.truth for e in sure)
        print(f"  confident, {said}: {right}, {len(sure) / len(judged):.0%} of mentions")


def main() -> None:
    """Judge the files and print."""
    paths = [Path(name) for name in sys.argv[1:] if not name.startswith("-")] or [
        ROWS / "dev.jsonl",
        ROWS / "blind.jsonl",
    ]
    scorer = Bundled(BundledOptions(), Tools(http=None, clock=lambda: datetime.now(UTC)))
    for path in paths:
        judged = judge(path, scorer)
        show(path.stem, judged)
        if "--wrong" in sys.argv:
            for each in judged:
                if each.ours.label != each.truth:
                    said = f"{each.ours.label} ({each.ours.certainty})"
                    print(
                        f"{each.pattern}: {each.brand} is {each.truth}, said {said}: {each.text!r}\n    {each.reading}"
                    )


if __name__ == "__main__":
    main()
