"""Hears what is written to a file: CSV with a header, or NDJSON (one JSON object a line), also while it grows.

Credentials and limits: none. Cursor: byte offset and number of the last row read, and a digest of the file's
beginning, by which a rotated or rewritten file is known and read anew. The import command reads through
`File.read_rows`. Cannot: notice that a row already read was changed in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from listener.core.mention import Kind
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Tools
from sources import _lines
from sources._cells import Shape
from sources._rows import BadRow, Row, Start, read_rows

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """Which file, and how to understand it.

    Args:
        path: the file.
        mapping: field of a post -> name of its column (dots reach into nested objects); usual names are known.
        realm: name space of the rows' ids; files that share their ids share a realm; empty: the file's name.
        kind: what the rows are; None: reviews where they have a rating, else posts.
        rating_min: the worst rating.
        rating_max: the best rating; 1 for ratings that are written 0 to 1.
        date_format: `strptime` format for dates with two readings, such as 05/06/2026.
    """

    path: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    realm: str = ""
    kind: Kind | None = None
    rating_min: float = 1.0
    rating_max: float = 5.0
    date_format: str = ""

    @property
    def shape(self) -> Shape:
        """How a row becomes a post."""
        return Shape(
            columns=self.mapping,
            realm=self.realm or Path(self.path).name,
            kind=self.kind,
            rating_min=self.rating_min,
            rating_max=self.rating_max,
            date_format=self.date_format,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The cursor, unpacked: the last row read, the file's beginning then, and its size when a row was held back."""

    offset: int = 0
    number: int = 0
    head: str = ""
    held: int = 0


class File:
    """A file that is read as a place; a row counts as written once its line has ended or the file rests."""

    name: ClassVar[str] = "file"
    Options: ClassVar[type[Any]] = FileOptions
    capabilities: ClassVar[Capabilities] = Capabilities(window="the whole file", latency="one poll", engagement=True)
    read_rows = staticmethod(read_rows)

    def __init__(self, options: FileOptions, tools: Tools) -> None:
        """Keep the options; the file is not opened yet."""
        self._path = Path(options.path)
        self._shape = options.shape

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read the rows after the last one read; errors as `Source.poll`."""
        state = _unpack(cursor)
        with _lines.open_file(self._path) as file:
            rewritten = not _lines.same(file, state.offset, state.head)
        if rewritten:
            state = _State()
        rows: list[Row] = []
        bad: list[BadRow] = []
        offset, number, held, more = state.offset, state.number, 0, False
        ids: set[tuple[str, str, str]] = set()
        for row in read_rows(self._path, self._shape, Start(offset=offset, number=number)):
            if not row.ended and state.held != row.offset:
                held = row.offset  # its writer may not be done; the next poll takes it if nothing was added
                break
            identity = (row.post.source, row.post.realm, row.post.external_id) if isinstance(row, Row) else None
            if len(rows) + len(bad) >= budget.posts or identity in ids:
                more = True  # the same id again is an edit and goes to a page of its own
                break
            if isinstance(row, Row):
                rows.append(row)
                ids |= {identity} if identity else set()
            else:
                bad.append(row)
            offset, number = row.offset, row.number
        reached = _State(offset=offset, number=number, head=self._head(offset), held=held)
        return Page(
            posts=tuple(row.post for row in rows),
            cursor=_pack(reached),
            more=more,
            gap="the file was replaced or cut, so it was read anew" if rewritten else None,
            rejected=tuple(map(str, bad)),
        )

    def _head(self, offset: int) -> str:
        with _lines.open_file(self._path) as file:
            return _lines.head(file, offset)


def _pack(state: _State) -> Cursor:
    return Cursor(json.dumps({"v": VERSION, **asdict(state)}, sort_keys=True))


def _unpack(cursor: Cursor | None) -> _State:
    """The state in a cursor; a fresh one for none or for one we cannot read."""
    try:
        told = json.loads(cursor or "null")
        if told["v"] != VERSION:
            return _State()
        return _State(
            offset=int(told["offset"]), number=int(told["number"]), head=str(told["head"]), held=int(told["held"])
        )
    except (ValueError, TypeError, LookupError):
        return _State()
