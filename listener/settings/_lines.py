"""Says on which line of a TOML text each key stands, since tomllib gives no positions.

The text was parsed by tomllib before, so the scanner may trust its syntax and only keeps count of where it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""Way to a value: table names, keys and positions in arrays, as in ("place", 0, "url")."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(
    r"""
    \"{3} (?: \\. | [^\\] )*? \"{3,5}   # multi-line
    | '{3} .*? '{3,5}                  # multi-line, literal
    | " (?: \\. | [^"\\\n] )* "
    | ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> Mapping[KeyPath, int]:
    """Map every key, table and array entry of a valid TOML text to its line, counted from 1."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """Walks the text once; `at` is the position reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._counted = 0
        self._line = 1
        self._last: dict[KeyPath, int] = {}  # newest position in each array of tables

    def document(self) -> None:
        """Read headers and statements to the end."""
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._statement(table)

    def _header(self, brackets: int) -> KeyPath:
        line = self._line_here()
        self.at += brackets
        *parents, name = self._key()
        self.at = self.text.index("]", self.at) + brackets
        path: KeyPath = ()
        for part in parents:
            self.lines.setdefault((*path, part), line)
            path = self._newest((*path, part))
        path = (*path, name)
        if brackets == 2:
            self.lines.setdefault(path, line)
            self._last[path] = self._last.get(path, -1) + 1
        path = self._newest(path)
        self.lines.setdefault(path, line)
        return path

    def _newest(self, path: KeyPath) -> KeyPath:
        return (*path, self._last[path]) if path in self._last else path

    def _statement(self, table: KeyPath) -> None:
        line = self._line_here()
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_INLINE_BLANK)
            quoted = _STRING.match(self.text, self.at)
            found = quoted or _BARE_KEY.match(self.text, self.at)
            assert found, "tomllib accepted the text"
            parts.append(str(tomllib.loads(f"k = {found.group()}")["k"]) if quoted else found.group())
            self.at = found.end()
            self._skip(_INLINE_BLANK)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        if self.text[self.at] == "[":
            self._array(path)
        elif self.text[self.at] == "{":
            self._inline_table(path)
        else:
            found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            assert found, "tomllib accepted the text"
            self.at = found.end()

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        for index in range(len(self.text)):
            self._skip(_BLANK)
            if self.text[self.at] != "]":
                self.lines[*path, index] = self._line_here()
                self._value((*path, index))
                self._skip(_BLANK)
            if self.text[self.at] == "]":
                break
            self.at += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "}":
                break
            self._statement(path)
            self._skip(_BLANK)
            if self.text[self.at] == "}":
                break
            self.at += 1
        self.at += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _line_here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line
