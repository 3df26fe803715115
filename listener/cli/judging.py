"""`listener score` and `listener evaluate`: the scorer alone, without places or a database."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.cli.options import Json, examples, say, screen

if TYPE_CHECKING:
    from listener.core.protocols import Scorer
    from listener.core.sentiment import Verdict
    from listener.evaluate import Report

_BATCH = 256
_CHUNK = 1 << 16
_LONGEST = 1 << 20

ScorerConfig = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", show_default=False, help="Use the scorer of this configuration."),
]


def add_to(cli: typer.Typer) -> None:
    """Add the commands of this module."""
    cli.command(
        epilog=examples('echo "The kettle leaks." | listener score', "listener score < reviews.txt > out.ndjson")
    )(score)
    cli.command(epilog=examples("listener evaluate labelled.jsonl", "listener evaluate labelled.jsonl --json"))(
        evaluate
    )


def score(
    config: ScorerConfig = None,
    text: Annotated[bool, typer.Option(help="Repeat each line as `text` in the answer.")] = True,
) -> None:
    """Judge the lines of standard input, one JSON object a line on standard output.

    Needs no configuration: the scorer is the one that comes along. Each answer has `label`, `confidence`, `certainty`
    ("unsure" asks for a person's eye), the three probabilities, the `language`, and the `scorer` with its revision.
    """
    scorer = scorer_of(config)
    for batch in _batches():
        found = _judged(scorer, batch)
        lines = (
            json.dumps(_words(verdict, line if text else None), ensure_ascii=False)
            for line, verdict in zip(batch, found, strict=True)
        )
        sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


def evaluate(
    file: Annotated[Path, typer.Argument(help='One {"text", "label"} a line; other keys are ignored.')],
    config: ScorerConfig = None,
    as_json: Json = False,
) -> None:
    """Say how good the scorer is on rows that people labelled negative, neutral or positive."""
    from listener.evaluate import evaluate as compare
    from listener.evaluate import read_rows
    from listener.pipeline.border import border

    rows = list(read_rows(file))
    scorer = scorer_of(config)
    with border("scorer"):
        report = compare(scorer, rows)
    if as_json:
        say(report.as_json())
    else:
        _show(report)


def scorer_of(config: Path | None) -> Scorer:
    """The scorer of a configuration, or the one that comes along."""
    from listener.core.tools import Tools
    from listener.registry import build_scorer
    from listener.settings import load

    settings = load(config, os.environ if config else {})
    return build_scorer(settings, Tools(http=None, clock=lambda: datetime.now(UTC)))


def _judged(scorer: Scorer, texts: Sequence[str]) -> Sequence[Verdict]:
    from listener.pipeline.border import border

    with border("scorer"):
        return scorer.read(texts)


def _words(verdict: Verdict, text: str | None) -> dict[str, object]:
    chances = verdict.probabilities
    return {
        **({} if text is None else {"text": text}),
        "label": verdict.label,
        "confidence": round(verdict.confidence, 4),
        "certainty": verdict.certainty,
        "negative": round(chances.negative, 4),
        "neutral": round(chances.neutral, 4),
        "positive": round(chances.positive, 4),
        "language": verdict.language,
        "scorer": verdict.scorer,
    }


def _batches() -> Iterator[list[str]]:
    """Lines in batches of what has arrived, so that a slow writer is answered at once and a fast one quickly."""
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), _CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:_LONGEST]  # a line without an end is judged by its beginning
        for start in range(0, len(lines), _BATCH):
            yield [_line(line) for line in lines[start : start + _BATCH]]
    if rest:
        yield [_line(rest)]


def _line(data: bytes) -> str:
    return data.removesuffix(b"\r").decode("utf-8", "replace")


def _show(report: Report) -> None:
    """Tell a person the figures."""
    from rich.table import Table

    figures = Table(box=None)
    figures.add_column("figure")
    figures.add_column("value", justify="right")
    for name in (
        "macro_recall", "macro_f1", "negative_recall", "negative_precision", "negative_recall_at_p90", "negative_auc",
        "ece",
    ):  # fmt: skip
        value = getattr(report, name)
        figures.add_row(name.replace("_", " "), "none" if value is None else f"{value:.4f}")
    figures.add_row("texts per second", f"{report.texts_per_second:.0f}")
    confusion = Table(box=None)
    confusion.add_column("")
    for label in report.confusion.labels:
        confusion.add_column(label, justify="right")
    for label, row in zip(report.confusion.labels, report.confusion.matrix, strict=True):
        confusion.add_row(label, *map(str, row))
    languages = Table("language", "rows", "macro f1", "confident", box=None)
    for each in report.languages:
        languages.add_row(each.language or "not told", str(each.rows), f"{each.macro_f1:.4f}", f"{each.confident:.0%}")
    console = screen()
    say(f"{report.scorer} on {report.rows} rows")
    console.print(figures)
    say("\nby the language that the scorer told")
    console.print(languages)
    say("\ntruth in rows, what the scorer said in columns")
    console.print(confusion)
