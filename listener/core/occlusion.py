"""Which words carried a verdict: leave out each, and see how far the label's probability falls. Called by `Why`.

Pure but for the reader that is handed in. Long texts are read piece by piece first, and only the words of the most
telling pieces are left out, so that a text of any length costs about as much as sixty tweets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from listener.core.sentiment import Label, Probabilities, Verdict

Read = Callable[[Sequence[str]], Sequence[Verdict]]

WORDS = 48
"""Most words that are left out one by one."""
PIECES = 48
"""Most pieces of a long text."""
LONGEST = 8_000
"""Most characters that are looked at, half of them from either end."""
NEEDED = 0.3
"""A word whose absence takes this much off the probability is needed for the verdict."""

SLIGHT = 0.1
"""Where no word weighs as much, whole runs of words are left out instead."""
RUN = 3

PLACED = 300, 1500
"""Most words of the clauses about a brand, and of their post, among which one looks for the other."""

_WORD = re.compile(r"\S+")
_EDGES = ".,;:!?()[]{}<>\"'“”‘’«»…*_"
_PIECE = re.compile(r"[^.!?…\n]+[.!?…\n]*|[.!?…\n]+")
_WINDOW = 24
"""Words of a piece at most; a sentence with more is cut."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWeight:
    """How much some words of a text speak for its label.

    Args:
        start: where they begin in the text, counted in characters.
        end: where they end.
        weight: how far the label's probability falls without them, -1..1; below zero they speak against it. Where
            several words each say it, how far the probability rises by this one alone.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What carried a verdict.

    Args:
        label: what the scorer reads in the text.
        probability: of that label, 0..1.
        scorer: who was asked.
        words: with their weights, in the order of the text; words that were not left out are not among them.
        why: where a post names several brands, what decided for this one beside the words, in words for people; empty
            where the whole post did.
        part: whether only the words that speak about the mention's brand were read.
    """

    label: Label
    probability: float
    scorer: str
    words: tuple[WordWeight, ...]
    why: str = ""
    part: bool = False

    @property
    def telling(self) -> tuple[WordWeight, ...]:
        """The words that speak for the label, the heaviest first."""
        return tuple(sorted((word for word in self.words if word.weight > 0), key=lambda word: -word.weight))


def weigh(text: str, scorer: str, read: Read) -> Weighing:
    """Weigh the words of a text.

    Args:
        text: any string whatever.
        scorer: the name of who reads.
        read: judges texts; asked once or twice, for about 150 texts in all, most of them short.

    Returns:
        The label that the scorer reads in the text, and what carried it.
    """
    words = [span for part in _looked_at(text) for span in _words(text, part)]
    if len(words) <= WORDS:
        whole, *answers = read([text, *_variants(text, words)])
        found = _weights(whole.label, whole, words, answers)
        if len(words) > RUN and max(word.weight for word in found) < SLIGHT:
            found = _together(text, whole, words, read)
    else:
        whole, found = _long(text, read)
    return Weighing(
        label=whole.label,
        probability=_chance(whole.probabilities, whole.label),
        scorer=scorer,
        words=tuple(sorted(found, key=lambda word: word.start)),
    )


def placed(weighing: Weighing, read: str, text: str) -> Weighing:
    """Find the words of the clauses about one brand in their post.

    Args:
        weighing: of the clauses.
        read: the clauses as they were read: put together, cut at their ends, with the brand's name spelt one way.
        text: the post.

    Returns:
        The same with places in the post; words that are not found there are left out.
    """
    of_read, of_text = _words(read, (0, len(read)))[: PLACED[0]], _words(text, (0, len(text)))[: PLACED[1]]
    spoken, written = (
        [whole[start:end].casefold() for start, end in spans] for whole, spans in ((read, of_read), (text, of_text))
    )
    found: dict[Span, Span] = {}
    for block in SequenceMatcher(None, spoken, written, autojunk=False).get_matching_blocks():
        for at in range(block.size):
            found[of_read[block.a + at]] = of_text[block.b + at]
    words = (
        replace(word, start=found[word.start, word.end][0], end=found[word.start, word.end][1])
        for word in weighing.words
        if (word.start, word.end) in found
    )
    return replace(weighing, words=tuple(words), part=True)


def _long(text: str, read: Read) -> tuple[Verdict, list[WordWeight]]:
    """Read the pieces of a long text alone, then weigh the words of those that speak most for the label."""
    pieces = list(_pieces(text))
    whole, *alone = read([text, *(text[start:end] for start, end in pieces)])
    ranked = sorted(zip(pieces, alone, strict=True), key=lambda pair: -_chance(pair[1].probabilities, whole.label))
    chosen: list[tuple[Span, Verdict, list[Span]]] = []
    room = WORDS
    for piece, verdict in ranked:
        words = _words(text, piece)[:room]
        chosen += [(piece, verdict, words)] if words else []
        room -= len(words)
        if room <= 0:
            break
    asked = [
        _variants(text[start:end], [(a - start, b - start) for a, b in words]) for (start, end), _, words in chosen
    ]
    answers = iter(read([variant for variants in asked for variant in variants]))
    found = []
    for _, verdict, words in chosen:
        # A piece that hardly speaks for the label lends its words little weight.
        share = _chance(verdict.probabilities, whole.label)
        weights = _weights(whole.label, verdict, words, [next(answers) for _ in range(2 * len(words))])
        found += [replace(word, weight=round(word.weight * share, 4)) for word in weights]
    return whole, found


def _together(text: str, whole: Verdict, words: Sequence[Span], read: Read) -> list[WordWeight]:
    """Leave out runs of words, where no word carries much by itself; each weighs what its runs do on average."""
    runs = [words[first : first + RUN] for first in range(len(words) - RUN + 1)]
    falls = _falls(whole, read([_without(text, (run[0][0], run[-1][1])) for run in runs]), whole.label)
    found = []
    for at, (start, end) in enumerate(words):
        around = falls[max(0, at - RUN + 1) : at + 1]
        found.append(WordWeight(start=start, end=end, weight=round(sum(around) / len(around), 4)))
    return found


def _falls(whole: Verdict, without: Sequence[Verdict], label: Label) -> list[float]:
    before = _chance(whole.probabilities, label)
    return [before - _chance(verdict.probabilities, label) for verdict in without]


def _variants(text: str, words: Sequence[Span]) -> list[str]:
    """The text without each of the words, then each word alone."""
    return [*(_without(text, span) for span in words), *(text[start:end] for start, end in words)]


def _weights(label: Label, whole: Verdict, words: Sequence[Span], answers: Sequence[Verdict]) -> list[WordWeight]:
    """What each word weighs.

    Where a text says the same thing twice, leaving out any one word changes nothing: the less the words are needed one
    by one, the more it counts how much they say alone. A neutral text is carried by nothing in particular then.
    """
    falls = _falls(whole, answers[: len(words)], label)
    alone = [max(0.0, _chance(verdict.probabilities, label) - 1 / 3) for verdict in answers[len(words) :]]
    needed = 1.0 if label == "neutral" else min(1.0, max(0.0, *falls, 0.0) / NEEDED)
    return [
        WordWeight(start=start, end=end, weight=round(needed * fall + (1 - needed) * said, 4))
        for (start, end), fall, said in zip(words, falls, alone, strict=True)
    ]


def _chance(probabilities: Probabilities, label: Label) -> float:
    chance: float = getattr(probabilities, label)
    return chance


def _looked_at(text: str) -> tuple[Span, ...]:
    """The parts of a text that are looked at: all of it, or both ends."""
    if len(text) <= LONGEST:
        return ((0, len(text)),)
    half = LONGEST // 2
    return ((0, half), (len(text) - half, len(text)))


def _words(text: str, within: Span) -> list[Span]:
    """Words without the marks at their edges; marks that stand alone, as smileys do, are words too."""
    found = []
    for match in _WORD.finditer(text, *within):
        start, end = match.span()
        bare = match[0].strip(_EDGES)
        if bare:
            start += match[0].index(bare)
            end = start + len(bare)
        found.append((start, end))
    return found


def _spans(pattern: re.Pattern[str], text: str) -> list[Span]:
    return [match.span() for part in _looked_at(text) for match in pattern.finditer(text, *part)]


def _pieces(text: str) -> Iterator[Span]:
    """Sentences, cut where they are long; so many in one that there are not too many."""
    cut: list[Span] = []
    for sentence in _spans(_PIECE, text):
        words = _words(text, sentence)
        cut += [
            (words[first][0], words[min(first + _WINDOW, len(words)) - 1][1]) for first in range(0, len(words), _WINDOW)
        ]
    together = -(-len(cut) // PIECES)
    for first in range(0, len(cut), together or 1):
        group = cut[first : first + together]
        yield group[0][0], group[-1][1]


def _without(text: str, span: Span) -> str:
    """The text without some words, and without the space that would be doubled."""
    before, after = text[: span[0]], text[span[1] :]
    return before + (after.lstrip(" ") if before.endswith(" ") or not before else after)
