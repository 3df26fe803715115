"""What is wrong with a configuration: each problem with its place in the file, collected and raised as one error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from listener.core.errors import SettingsError
from listener.settings._lines import KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each setting was written.

    Args:
        file: the file's name as given; empty without a file.
        lines: line of each key path.
        variables: name of the environment variable that set a key path; it beats the line.
        named: key path of each named table, by section and name.
    """

    file: str = ""
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)
    variables: Mapping[KeyPath, str] = field(default_factory=dict)
    named: Mapping[tuple[str, str], KeyPath] = field(default_factory=dict, repr=False)

    def line(self, path: KeyPath) -> int:
        """The line of a key path, or of the nearest table above it; 0 when nothing of it is written."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0

    def path_of(self, section: str, name: str) -> KeyPath:
        """Where the table of this name is written; the section alone for one that is not in the file."""
        return self.named.get((section, name), (section,))

    def where(self, path: KeyPath) -> str:
        """FILE:LINE, or the environment variable, or "defaults" when nobody wrote it."""
        if path in self.variables:
            return self.variables[path]
        line = self.line(path)
        return f"{self.file}:{line}" if line else self.file or "defaults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: its key path, where that is written, the line, and what is wrong with its cure."""

    path: KeyPath
    where: str
    line: int
    text: str

    def __str__(self) -> str:
        """FILE:LINE: what is wrong."""
        return f"{self.where}: {self.text}"


class Problems:
    """Collects problems; only the first about each key path is kept, since the rest follow from it."""

    def __init__(self, places: Places) -> None:
        """Start without problems."""
        self.places = places
        self._found: dict[KeyPath, Problem] = {}

    def add(self, path: KeyPath, text: str) -> None:
        """Note a problem with the setting at this path."""
        self.take(Problem(path=path, where=self.places.where(path), line=self.places.line(path), text=text))

    def take(self, problem: Problem) -> None:
        """Note a problem that somebody else found."""
        self._found.setdefault(problem.path, problem)

    def found(self) -> tuple[Problem, ...]:
        """All problems, in the order of the file."""
        return tuple(sorted(self._found.values(), key=lambda problem: problem.line))

    def raise_any(self) -> None:
        """Raise them as one error, one a line, if there are any.

        Raises:
            SettingsError: names file, line, fault and cure of each problem.
        """
        refuse(self.found(), self.places.file)


def refuse(problems: Iterable[Problem], file: str) -> None:
    """Raise problems as one error.

    Raises:
        SettingsError: there is at least one problem.
    """
    lines = [str(problem) for problem in problems]
    if lines:
        count = "a problem" if len(lines) == 1 else f"{len(lines)} problems"
        raise SettingsError("\n".join((f"{count} in the configuration", *lines)), resource=file)


def suggest(word: str, known: Iterable[str]) -> str:
    """The second half of "unknown ...": the nearest known word, and the list of them."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word.casefold(), [name.casefold() for name in names], n=1, cutoff=0.6)
    meant = next((name for name in names if near and name.casefold() == near[0]), "")
    hint = f"did you mean `{meant}`? " if meant else ""
    return f"{hint}known: {', '.join(names)}" if names else f"{hint}none is configured"
