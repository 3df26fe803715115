"""Reads a growing text file from a saved byte offset, and notices when it is no longer the same file.

Used by `sources.file` (through `sources._rows`) and `sources.replay`. Memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from listener.core.errors import AdapterError, Rejected, Unavailable

MAX_LINE = 1_000_000
HEAD = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line.

    Args:
        number: 1 for the file's first.
        data: its bytes without the line end; None when it is too long to read.
        end: byte offset just after it.
        ended: whether a line end follows; a last line without one may still be growing.
    """

    number: int
    data: bytes | None
    end: int
    ended: bool = True


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading, or say plainly why it cannot be: errors as `Source.poll`."""
    try:
        if path.is_dir():
            raise Rejected(f"{path} is a folder: name the file")
        file = path.open("rb")
    except OSError as exc:
        raise error(exc, path) from None
    if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        file.close()
        raise Rejected(f"{path} is in UTF-16: save it as UTF-8")
    file.seek(0)
    return file


def error(exc: OSError, path: Path) -> AdapterError:
    """What a failure to read means: files come and go, so it is worth another try."""
    return Unavailable(f"{path} cannot be read: {exc.strerror or type(exc).__name__}")


def lines(file: BinaryIO, offset: int, number: int) -> Iterator[Line]:
    """The lines from an offset on; `number` is that of the line before it."""
    file.seek(offset)
    while data := file.readline(MAX_LINE):
        offset += len(data)
        number += 1
        piece, whole = data, True
        while len(piece) == MAX_LINE and not piece.endswith(b"\n"):
            piece, whole = file.readline(MAX_LINE), False
            offset += len(piece)
        ended = piece.endswith(b"\n")
        yield Line(number=number, data=data.rstrip(b"\r\n") if whole else None, end=offset, ended=ended)


def text(data: bytes) -> str:
    """Bytes as text: UTF-8, or else Windows' western code page, as old spreadsheets write; NULs are dropped."""
    data = data.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def json_object(line: Line) -> dict[str, object]:
    """The JSON object on a line.

    Raises:
        ValueError: there is none; says why.
    """
    if line.data is None:
        raise ValueError(f"it is longer than {MAX_LINE:,} bytes")
    try:
        values = json.loads(text(line.data))
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"it is broken JSON ({exc})"[:200]) from None
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    return values


def head(file: BinaryIO, offset: int) -> str:
    """A digest of the file's beginning up to the offset, which stays the same while the file only grows."""
    file.seek(0)
    return hashlib.blake2b(file.read(min(HEAD, offset)), digest_size=12).hexdigest()


def same(file: BinaryIO, offset: int, digest: str) -> bool:
    """Whether the file still begins as when it was read up to the offset, and was not cut since."""
    return file.seek(0, 2) >= offset and (not offset or head(file, offset) == digest)
