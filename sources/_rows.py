"""Reads posts from CSV and NDJSON: `read_rows()` goes on from any row, and takes a broken one for what it is.

Called by `sources.file`, which serves places as well as the import command. A row that cannot be read is told with
its number, and the next one is read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from listener.core.errors import Rejected
from listener.core.mention import Post
from sources import _cells, _lines
from sources._cells import NAMES, Shape, plain_name

MAX_ROW_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where to go on: just after a row. `offset` is in bytes; `number` is that row's."""

    offset: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that is a post.

    Args:
        number: as a spreadsheet counts: the header of a CSV file is row 1.
        offset: byte offset just after the row.
        post: what it says.
        ended: whether a line end follows; a last row without one may still be growing.
    """

    number: int
    offset: int
    post: Post
    ended: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be read, and why; otherwise as `Row`."""

    number: int
    offset: int
    reason: str
    ended: bool = True

    def __str__(self) -> str:
        """Say which row and why."""
        return f"row {self.number}: {self.reason}"


def read_rows(path: Path, shape: Shape, start: Start | None = None) -> Iterator[Row | BadRow]:
    """Read a file row by row; CSV (with a header, any usual delimiter) and NDJSON are told apart by a look.

    Args:
        path: the file.
        shape: how its columns are to be understood.
        start: where to go on; None: at the beginning.

    Raises:
        Unavailable: the file cannot be read now.
        Rejected: it is no such file, or the mapping names columns that it does not have.
    """
    unknown = sorted(set(shape.columns) - set(NAMES))
    if unknown:
        raise Rejected(f"the mapping names {unknown[0]!r}, which no post has; there are: {', '.join(NAMES)}")
    with _lines.open_file(path) as file:
        try:
            raw = _json_rows if _is_json(file, path) else _csv_rows
            for row in raw(file, path, shape, start or Start()):
                yield row if isinstance(row, BadRow) else _row(*row, shape)
        except OSError as exc:
            raise _lines.error(exc, path) from None


Raw = tuple[int, int, bool, Mapping[str, object]]
"""Number, offset, whether a line end follows, and the values."""


def _row(number: int, offset: int, ended: bool, values: Mapping[str, object], shape: Shape) -> Row | BadRow:
    try:
        return Row(number=number, offset=offset, ended=ended, post=_cells.post(values, shape))
    except ValueError as exc:
        return BadRow(number=number, offset=offset, ended=ended, reason=str(exc))


def _is_json(file: BinaryIO, path: Path) -> bool:
    first = _lines.text(file.read(4_096)).lstrip()[:1]
    if first == "[":
        raise Rejected(f"{path} holds a JSON array: write one object a line instead")
    return first == "{"


def _json_rows(file: BinaryIO, path: Path, shape: Shape, start: Start) -> Iterator[Raw | BadRow]:
    for line in _lines.lines(file, start.offset, start.number):
        if line.data == b"":
            continue
        try:
            yield line.number, line.end, line.ended, _lines.json_object(line)
        except ValueError as exc:
            yield BadRow(number=line.number, offset=line.end, ended=line.ended, reason=str(exc))


def _csv_rows(file: BinaryIO, path: Path, shape: Shape, start: Start) -> Iterator[Raw | BadRow]:
    first = next((line for line in _lines.lines(file, 0, 0) if line.data), None)
    if first is None or first.data is None:
        return
    head = _lines.text(first.data)
    delimiter = max(",;\t|", key=head.count)
    header = [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]
    _check_header(path, header, shape)
    begin = start if start.offset else Start(offset=first.end, number=first.number)
    for row in _records(file, begin, delimiter, len(header)):
        yield row if isinstance(row, BadRow) else (*row[:3], dict(zip(header, row[3], strict=True)))


def _check_header(path: Path, header: list[str], shape: Shape) -> None:
    """Refuse a file whose columns cannot be what the configuration means."""
    known, there = {plain_name(name) for name in header}, ", ".join(header)[:300]
    for name, column in shape.columns.items():
        if plain_name(column) not in known:
            raise Rejected(f"{path} has no column {column!r} for {name}; its columns: {there}")
    if not {"text", "title", "rating"} & set(shape.columns) and not known & {*NAMES["text"], *NAMES["title"]}:
        raise Rejected(f"{path} has no column known to hold text: name it in the mapping; its columns: {there}")


class _Source:
    """Hands lines to the CSV reader and remembers where the present record began and ended."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._lines = _lines.lines(file, offset, 0)
        self.first: _lines.Line | None = None
        self.last: _lines.Line | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.last = line = next(self._lines)
        self.first = self.first or line
        if line.data is None:
            raise csv.Error(f"a line is longer than {_lines.MAX_LINE:,} bytes")
        if line.number - self.first.number > MAX_ROW_LINES:
            raise csv.Error("a quote is never closed")
        return _lines.text(line.data) + "\n"


def _records(
    file: BinaryIO, start: Start, delimiter: str, columns: int
) -> Iterator[tuple[int, int, bool, list[str]] | BadRow]:
    """The records of a CSV file; after a broken one reading goes on at the line after its first."""
    offset, number = start.offset, start.number
    while True:
        source = _Source(file, offset)
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        reason = ""
        try:
            for cells in reader:
                assert source.first is not None
                assert source.last is not None
                if cells and len(cells) != columns:
                    reason = f"it has {len(cells)} cells where the header has {columns}"
                    break
                number, offset = number + 1, source.last.end
                if cells:
                    yield number, offset, source.last.ended, cells
                source.first = None
        except csv.Error as exc:
            reason = f"it is broken CSV ({exc})"
        if not reason or source.first is None:
            return
        number, offset = number + 1, source.first.end
        yield BadRow(number=number, offset=offset, ended=source.first.ended, reason=reason)
