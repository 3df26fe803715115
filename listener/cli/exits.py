"""Exit codes, the table of them that `listener --help` shows, and the words of an error."""

from __future__ import annotations

from enum import IntEnum

from listener.core.errors import ListenerError, SettingsError, StoreError


class Code(IntEnum):
    """How a command ends."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SETTINGS = 3
    STORE = 4
    UNREACHABLE = 5


MEANINGS = {
    0: "done",
    1: "what was asked for failed",
    2: "the command line is wrong",
    3: "the configuration is wrong",
    4: "the database cannot be used, or another Listener holds its lock",
    5: "the daemon does not answer",
    130: "ended with Ctrl-C",
    141: "whoever read the output closed it",
}
"""What each exit code says; the manual has the same table."""

TABLE = "\n\n".join(("Exit codes:", *(f"{code}: {meaning}" for code, meaning in MEANINGS.items())))


def code_of(problem: Exception) -> int:
    """The exit code of an error."""
    from listener.control import Unreachable

    kinds: tuple[tuple[type[Exception], Code], ...] = (
        (SettingsError, Code.SETTINGS),
        (StoreError, Code.STORE),
        (Unreachable, Code.UNREACHABLE),
    )
    return next((code for kind, code in kinds if isinstance(problem, kind)), Code.FAILED)


def words_of(problem: Exception) -> str:
    """An error as people read it; control characters of hostile text are left out."""
    if isinstance(problem, ListenerError):
        said = str(problem)
    elif isinstance(problem, OSError):
        said = f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem)
    else:
        said = str(problem)
    return printable(said)


def printable(text: str) -> str:
    """Text that cannot command a terminal: line ends and tabs stay, other controls go."""
    return "".join(ch for ch in text if ch.isprintable() or ch in "\n\t")
