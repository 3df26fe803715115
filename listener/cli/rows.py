"""`listener import`: rows of a file become mentions, in portions, going on where a broken import stopped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from listener.cli.options import Config, Json, answer, examples, load, say, screen, writing
from listener.core.mention import Post, normalise

if TYPE_CHECKING:
    from listener.control import Hand
    from listener.settings import Settings

_ROWS = 250
_BYTES = 4 * 2**20
_SHOWN = 20
_ESCAPED = 12
"""Bytes of JSON that one character takes at most."""


def add_to(cli: typer.Typer) -> None:
    """Add the command of this module."""
    cli.command(
        "import",
        epilog=examples(
            "listener import reviews.csv --place shop --brand Brackholm",
            "listener import tweets.ndjson --place archive --brand Brackholm --map text=Body --map author=user.name",
            "listener import today.csv --place 'app reviews' --alert",
        ),
    )(import_rows)


class _Read(Protocol):
    """A row as the file source reads it: a post, or the reason why it is none."""

    @property
    def number(self) -> int:
        """As a spreadsheet counts."""
        ...

    @property
    def offset(self) -> int:
        """Byte offset just after it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _From:
    """Where reading goes on: just after this row."""

    offset: int
    number: int


@dataclass(slots=True, kw_only=True)
class _Portion:
    """Rows that go to the database together."""

    posts: list[Post] = field(default_factory=list)
    weight: int = 0
    offset: int = 0
    number: int = 0

    @property
    def full(self) -> bool:
        """Whether it should be sent."""
        return len(self.posts) >= _ROWS or self.weight >= _BYTES

    def add(self, post: Post) -> None:
        """Take a post in."""
        self.posts.append(post)
        self.weight += 2000 + _ESCAPED * (len(post.text) + len(post.title))


@dataclass(slots=True, kw_only=True)
class _Report:
    """What an import brought."""

    resumed: int = 0
    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[int, str]] = field(default_factory=list)
    bad_rows: int = 0

    def refuse(self, number: int, reason: str) -> None:
        """Note a row that cannot be read; the first ones are kept."""
        self.bad_rows += 1
        if len(self.bad) < _SHOWN:
            self.bad.append((number, reason))


def import_rows(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV with a header, or NDJSON.")
    ],
    place: Annotated[str, typer.Option(help="Where the rows are from: a configured place, or any name with --brand.")],
    brand: Annotated[
        str | None, typer.Option(help="The brand that every row is about; without it places and words decide.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Which column holds a field, as in text=Body; usual names are known."
        ),
    ] = None,
    date_format: Annotated[str, typer.Option(help="How dates are written, as in %d/%m/%Y.")] = "",
    alert: Annotated[
        bool, typer.Option("--alert", help="Let the rows open cases and page staff, as news does.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take the rows of a file in; without --alert they are judged and counted, but page nobody.

    An import that was broken off goes on where it stopped when the same command is given again. Rows that cannot be
    read are listed with their numbers, and the rest is taken in. A running daemon judges the rows at once; otherwise
    the next `listener run` or `listener once` does.
    """
    settings = load(config, secrets=False)
    written = _options(settings, place, file, mapping or [], date_format)
    digest = _digest(file, written)
    with writing(config) as hand:
        report = _taken_in(hand, settings, file, written, place=place, brand=brand, alert=alert, digest=digest)
    if as_json:
        answer(_words(report, file, place))
    else:
        _show(report, file, brand)


def _options(settings: Settings, place: str, file: Path, mapping: Sequence[str], date_format: str) -> dict[str, object]:
    """The file source's options: what the place has, and over it what the command says."""
    configured = next((known for known in settings.places if known.name == place and known.source == "file"), None)
    written: dict[str, object] = dict(configured.params) if configured else {}
    columns = dict(_pair(text) for text in mapping)
    if columns:
        before = written.get("mapping")
        written["mapping"] = {**(before if isinstance(before, Mapping) else {}), **columns}
    if date_format:
        written["date_format"] = date_format
    return {**written, "path": str(file.absolute())}


def _pair(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not (name and equals and column):
        raise typer.BadParameter(f"{text!r} is not FIELD=COLUMN, as in text=Body", param_hint="--map")
    return name.strip(), column.strip()


def _digest(file: Path, written: Mapping[str, object]) -> str:
    """Name a file's content and how it is read, whatever the file is called."""
    how = json.dumps({key: value for key, value in written.items() if key != "path"}, sort_keys=True, default=str)
    with file.open("rb") as content:
        found = hashlib.file_digest(content, lambda: hashlib.blake2b(how.encode(), digest_size=16))
    return found.hexdigest()


def _taken_in(
    hand: Hand, settings: Settings, file: Path, written: Mapping[str, object], *, place: str, brand: str | None,
    alert: bool, digest: str,
) -> _Report:  # fmt: skip
    """Send the rows of a file portion by portion."""
    from listener.errands import as_words

    where = {"place": place, "brand": brand, "digest": digest}
    begun = hand.ask("begun", **where)
    start = _From(offset=int(str(begun["offset"])), number=int(str(begun["rows"])))
    report = _Report(resumed=start.number, rows=start.number)

    def send(portion: _Portion) -> None:
        told = hand.ask(
            "import", **where, alert=alert, offset=portion.offset, rows=portion.number, posts=as_words(portion.posts)
        )
        outcomes = told["outcomes"]
        assert isinstance(outcomes, dict)
        report.outcomes.update(outcomes)
        report.rows = portion.number

    with _progress(file) as moved:
        portion = _Portion()
        for row in _rows(settings, file, written, start):
            portion.offset, portion.number = row.offset, row.number
            _take(row, portion, report)
            if portion.full:
                send(portion)
                moved(portion.offset)
                portion = _Portion()
        if portion.number:
            send(portion)
            moved(portion.offset)
    return report


def _take(row: _Read, portion: _Portion, report: _Report) -> None:
    """Add a row to the portion, or note why it cannot be."""
    post: Post | None = getattr(row, "post", None)
    if post is None:
        report.refuse(row.number, str(getattr(row, "reason", "it cannot be read")))
        return
    try:
        portion.add(normalise(post))
    except ValueError as problem:
        report.refuse(row.number, str(problem))


def _rows(settings: Settings, file: Path, written: Mapping[str, object], start: _From) -> Iterator[_Read]:
    """The rows as the file source reads them; it is found by entry point, as any adapter."""
    from listener.registry import adapter
    from listener.settings import Problems, fill, refuse

    source: Any = adapter("source", "file")
    problems = Problems(settings.written)
    options = fill(source.Options, written, ("import",), problems, folder=settings.folder)
    refuse(problems.found(), settings.file)
    assert options is not None, "no options without a problem"
    rows: Iterator[_Read] = source.read_rows(file, options.shape, start)
    return rows


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; gives what is told the byte reached."""
    console = screen(stderr=True)
    if not console.is_terminal:
        yield lambda _offset: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console
    ) as bar:
        task = bar.add_task("importing", total=file.stat().st_size)
        yield lambda offset: bar.update(task, completed=offset)


def _words(report: _Report, file: Path, place: str) -> dict[str, object]:
    return {
        "file": str(file),
        "place": place,
        "resumed_after_row": report.resumed,
        "last_row": report.rows,
        "outcomes": dict(report.outcomes),
        "bad_rows": report.bad_rows,
        "bad": [{"row": number, "reason": reason} for number, reason in report.bad],
    }


def _show(report: _Report, file: Path, brand: str | None) -> None:
    if report.resumed:
        say(f"went on after row {report.resumed}, where the last import of this file ended")
    for number, reason in report.bad:
        say(f"row {number}: {reason}")
    if report.bad_rows > len(report.bad):
        say(f"... and {report.bad_rows - len(report.bad)} more rows that cannot be read")
    if not report.outcomes and not report.bad_rows:
        say(f"{file}: nothing new, it was imported before" if report.resumed else f"{file}: no rows")
        return
    counts = ", ".join(f"{n} {outcome}" for outcome, n in report.outcomes.items() if n) or "no posts"
    say(f"{file}: {counts}; {report.bad_rows} rows could not be read")
    if report.outcomes["unmatched"] and brand is None:
        say("unmatched rows name no brand: say with --brand which one they are about")
