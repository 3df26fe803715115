"""Our own rows in eight languages, and what the multilingual bundle says of them.

    python -m models.training.multi_own [blind]

Prints a line for each language: grave rows found, ordinary ones called grave, insults, intents, emotions; with
LISTENER_DATA also how often the validation tweets of XLM-T are called grave or an insult.  Without a word it judges
the rows that the heads were fitted on, with `blind` the others, which decide nothing.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from listener.core.sentiment import Verdict
from models._bundle import Bundle
from models._text import plain
from models.training.examples import ROWS
from models.training.multi_rows import LANGUAGES
from models.training.multi_train import SEVERAL
from models.training.quality import table

FILE = ROWS / "languages.jsonl"
HEAD = (
    "language", "grave found", "ordinary called grave", "tweets called grave", "insults found",
    "civil called an insult", "tweets called an insult", "intent said", "intents right", "emotion right",
)  # fmt: skip
_BATCH = 256
Half = Literal["fit", "blind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One of our own rows.

    Attributes:
        text: as it was written.
        language: its code.
        half: fitted on, or blind.
        labels: kinds of grave matter; empty for an ordinary row.
        intent: what the author of an ordinary row wants; empty where nobody said.
        emotion: of an ordinary row.
        offensive: whether an ordinary row insults; None where nobody said.
        family: its line within its language and half: rows of one number tell the same in other languages.
    """

    text: str
    language: str
    half: Half
    labels: tuple[str, ...]
    intent: tuple[str, ...]
    emotion: str | None
    offensive: bool | None
    family: int


def labelled(half: Half) -> list[Labelled]:
    """Read one half of the rows."""
    found: list[Labelled] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["half"] == half:
            found.append(
                Labelled(
                    text=row["text"],
                    language=row["language"],
                    half=half,
                    labels=tuple(row["labels"]),
                    intent=tuple(row.get("intent", ())),
                    emotion=row.get("emotion"),
                    offensive=row.get("offensive"),
                    family=sum(each.language == row["language"] for each in found),
                )
            )
    return found


def tweets_of(data: Path, code: str) -> list[str]:
    """Return a language's validation tweets, whatever their labels: Hindi ones too, whose labels are useless."""
    path = data / "xlmt" / LANGUAGES[code] / "val_text.txt"
    return [plain(text) for text in path.read_text(encoding="utf-8").rstrip("\n").split("\n")]


def said(bundle: Bundle, texts: Sequence[str], code: str) -> list[Verdict]:
    """Return verdicts on texts whose language is known."""
    parts = (texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH))
    return [each for part in parts for each in bundle.read(part, [code] * len(part), bundle.name)]


def share(hits: Sequence[bool]) -> str:
    """Return hits of all, as in "7/8"; a dash where there is none to hit."""
    return f"{sum(hits)}/{len(hits)}" if hits else "–"


def cells(code: str, rows: Sequence[Labelled], verdicts: Sequence[Verdict], tweets: Sequence[Verdict]) -> list[str]:
    """Return a line of the table."""
    pairs = list(zip(rows, verdicts, strict=True))
    judged = [(row, verdict) for row, verdict in pairs if row.offensive is not None]
    spoken = [(row, verdict) for row, verdict in judged if verdict.intent]
    felt = [(row, verdict) for row, verdict in judged if verdict.emotion is not None]
    return [
        code,
        share([bool(verdict.severity) for row, verdict in pairs if row.labels]),
        share([bool(verdict.severity) for row, verdict in judged]),
        percent([bool(verdict.severity) for verdict in tweets]),
        share([bool(verdict.offensive) for row, verdict in judged if row.offensive]),
        share([bool(verdict.offensive) for row, verdict in judged if not row.offensive]),
        percent([bool(verdict.offensive) for verdict in tweets]),
        share([bool(verdict.intent) for _, verdict in judged]),
        share([(verdict.intent or ("",))[0] in row.intent for row, verdict in spoken]),
        share([verdict.emotion == row.emotion for row, verdict in felt]),
    ]


def percent(hits: Sequence[bool]) -> str:
    """Return the share of hits as in "4.1 %"; a dash without any."""
    return f"{sum(hits) / len(hits):.1%}" if hits else "–"


def measured(half: Half, data: Path | None, bundle: Path = SEVERAL) -> list[list[str]]:
    """Return the lines of the table for one half of the rows.

    Args:
        half: which rows.
        data: directory of the labelled sets; without it no tweets are judged.
        bundle: directory of the bundle.
    """
    reader, rows = Bundle(bundle, precision="auto", threads=1), labelled(half)
    lines = []
    for code in LANGUAGES:
        its = [row for row in rows if row.language == code]
        tweets = tweets_of(data, code) if data else []
        lines.append(cells(code, its, said(reader, [row.text for row in its], code), said(reader, tweets, code)))
    return lines


def main() -> int:
    """Print the table of one half."""
    data = os.environ.get("LISTENER_DATA")
    half: Half = "blind" if "blind" in sys.argv[1:] else "fit"
    print(table(HEAD, measured(half, Path(data) if data else None)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
