"""What somebody changed in the words of an answer: the difference between two texts, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from listener.core.reply import Wording

Change = Literal["same", "added", "removed"]

SHOWN = 12
"""So many newest wordings of an answer are shown."""

MOST = 250_000
"""Pairs of words that are compared at most; longer texts are shown as replaced."""

_WORD = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of words that is the same in both texts, or only in one of them."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One colleague's words beside those before them.

    Args:
        wording: the words.
        pieces: how they differ from those before; of the first, one piece.
        first: whether nothing was there before.
    """

    wording: Wording
    pieces: tuple[Piece, ...]
    first: bool


def difference(before: str, after: str) -> tuple[Piece, ...]:
    """How a text became another one; what is added and the same makes the later text, what is removed and the same the
    earlier one."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    ends = len(_common(old, new))
    old, new, start = old[ends:], new[ends:], old[:ends]
    tail = len(_common(old[::-1], new[::-1]))
    end, old, new = old[len(old) - tail :], old[: len(old) - tail], new[: len(new) - tail]
    return _joined([("same", word) for word in start] + [*_between(old, new)] + [("same", word) for word in end])


def steps(wordings: Sequence[Wording]) -> tuple[Step, ...]:
    """The newest wordings of an answer, oldest first, each beside the one before."""
    found = []
    for n, wording in enumerate(wordings):
        before = wordings[n - 1].text if n else ""
        pieces = difference(before, wording.text) if n >= len(wordings) - SHOWN else ()
        found.append(Step(wording=wording, pieces=pieces, first=not n))
    return tuple(found[-SHOWN:])


def _common(one: Sequence[str], other: Sequence[str]) -> Sequence[str]:
    """What both begin with."""
    most = min(len(one), len(other))
    n = next((n for n in range(most) if one[n] != other[n]), most)
    return one[:n]


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Change, str]]:
    if len(old) * len(new) > MOST:
        yield from [("removed", word) for word in old]
        yield from [("added", word) for word in new]
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            yield from [("same", word) for word in old[i:j]]
        else:
            yield from [("removed", word) for word in old[i:j]]
            yield from [("added", word) for word in new[k:m]]


def _joined(words: Sequence[tuple[Change, str]]) -> tuple[Piece, ...]:
    """Words of one kind that follow each other as one piece."""
    return tuple(
        Piece(change=change, text="".join(word for _, word in run))
        for change, run in groupby(words, lambda each: each[0])
    )
