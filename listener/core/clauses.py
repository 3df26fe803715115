"""Which words of a post speak about which of its brands: sentences, clauses, and patterns of leaving and comparing.

Called by `listener.pipeline.judge` for posts that name several brands; a scorer reads what is found here. Pure, and
bounded for hostile text: a sentence too long to be one is never searched for patterns.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from listener.core.stances import MARKS, Stance, Told, denies_the_same, passing_in, stance_of, told_of

BRANDS = len(MARKS)
"""A post with more brands than these is a list; all of them get the mood of the whole."""
LONGEST = 600
"""Characters of a sentence that is still searched for patterns."""

_MARK = f"[{MARKS}]"
_FOREIGN = re.compile("[\ue000-\uf8ff]")
SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\s*\n+\s*|\s*;\s+")
STRONG = re.compile(
    r"\s*[,(–—-]*\s*\b(?=(?:but|however|whereas|while|whilst|although|though|yet|except|luckily|thankfully|"
    r"fortunately|unfortunately|sadly|shame|pity|meanwhile|because|since)\b)|\s+[–—-]+\s+|"
    r",\s+(?=(?:both|neither|all)\b)",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r",\s+(?:and\s+|then\s+|so\s+)?|\s+(?:and|so|then)\s+|:\s+|\s+(?=(?:that|which|what|where|when|who)\s)",
    re.IGNORECASE,
)
_LISTED = re.compile(rf"(?:then\s+|also\s+)?(?:at|in|with|by|from|for|to|of)\s+(?:the\s+|my\s+)?{_MARK}", re.IGNORECASE)
"""After "and" it goes on with a list, not with another clause."""
_COORDINATED = re.compile(
    rf"({_MARK})(?:['’]s)?(?:[^\w{MARKS}]|\b(?:and|or|nor|plus|vs|the|my|also|at|in|from)\b|\bthen(?:\s+with)?\b)*"
    rf"(?!\1){_MARK}",
    re.IGNORECASE,
)
"""Brands named side by side: what is said is said of both."""
_LEADING = re.compile(
    r"^[\s,;:–—-]*(?:but|whereas|while|whilst|although|though|yet|however|because|since|that|which|and|so)\s+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ALL = re.compile(
    r"\W*(?:(?:they(?:['’]re|\s+are)?|you(?:['’]re|\s+are)?)\s+)?(?:both|all|neither|the two)\b", re.IGNORECASE
)
_THIN = frozenset(
    [
        "a",
        "again",
        "also",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "her",
        "his",
        "i",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "now",
        "of",
        "on",
        "or",
        "our",
        "so",
        "that",
        "the",
        "their",
        "them",
        "then",
        "this",
        "to",
        "today",
        "too",
        "up",
        "us",
        "was",
        "we",
        "were",
        "with",
        "yesterday",
        "you",
        "your",
    ]
)
_LEAST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What to read for one brand of a post.

    Args:
        text: the clauses that speak about it; empty where a pattern alone says it, or for the whole post.
        stance: what a pattern says of the author's stance; None where the words alone decide.
        clear: False where several brands share the words and nothing tells whom the mood is meant for.
        why: the pattern or the way of cutting, in words, for people who ask.
    """

    text: str
    stance: Stance | None = None
    clear: bool = True
    why: str = "its own clauses"


UNCLEAR = Reading(text="", clear=False, why="nothing tells the brands apart")


@dataclass(slots=True)
class _Found:
    """What was collected for one brand so far."""

    own: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    stance: Stance | None = None
    why: str = ""


def readings(text: str, brands: Mapping[str, Sequence[str]]) -> Mapping[str, Reading]:
    """What to read for each brand of a post.

    Args:
        text: the post as the scorer reads it.
        brands: by brand the words that mean it in this post.

    Returns:
        By brand; a brand that is missing there gets the mood of the whole post: there is only one brand, the post
        names too many, the brand is nowhere named, or nothing parts it from the others.
    """
    if not 1 < len(brands) <= BRANDS:
        return {}
    names = dict(zip(MARKS, brands, strict=False))
    words = {mark: tuple(brands[name]) for mark, name in names.items()}
    marked = _marked(text, words)
    present = {character for character in marked if character in names}
    if len(present) < _LEAST:
        return {}
    surface = {mark: next(iter(words[mark]), names[mark]) for mark in present}
    found = _collected(marked, present)
    result = {}
    apart = any(each.own or each.stance for each in found.values())
    for mark in sorted(present):
        reading = _reading(found[mark], apart)
        if reading is not None:
            result[names[mark]] = _plain(reading, surface)
        elif not _COORDINATED.search(marked):
            result[names[mark]] = UNCLEAR
    return result


def _marked(text: str, words: Mapping[str, Sequence[str]]) -> str:
    """The text with each brand's words as its mark."""
    mark_of = {" ".join(word.split()).casefold(): mark for mark, all_ in words.items() for word in all_ if word.strip()}
    if not mark_of:
        return text
    choices = "|".join(
        r"\s+".join(re.escape(part) for part in word.split()) for word in sorted(mark_of, key=len, reverse=True)
    )
    pattern = re.compile(rf"[@#]?(?<![^\W_])(?:{choices})(?![^\W_])", re.IGNORECASE)
    return pattern.sub(
        lambda hit: mark_of.get(" ".join(hit[0].lstrip("@#").split()).casefold(), hit[0]), _FOREIGN.sub(" ", text)
    )


def _collected(marked: str, present: Iterable[str]) -> Mapping[str, _Found]:
    """Walk through the sentences and give each clause to the brands that it is about."""
    found: defaultdict[str, _Found] = defaultdict(_Found)
    everyone = frozenset(present)
    focus: frozenset[str] = frozenset()
    for sentence in filter(None, SENTENCE.split(marked)):
        told = told_of(sentence) if len(sentence) <= LONGEST else None
        if told is not None:
            focus = _tell(told, found)
            continue
        for clause, about in _clauses(sentence, focus):
            if _ALL.match(clause) and not _brands_in(clause):
                _say_to_all(clause, _brands_in(sentence) or everyone, found)
                continue
            focus = _give(clause, about or everyone, found, focus) if about or not focus else focus
    return found


def _say_to_all(clause: str, about: Iterable[str], found: Mapping[str, _Found]) -> None:
    """Keep a clause on all of them ("both are wonderful") for each."""
    about = tuple(about)
    apart = any(found[mark].own for mark in about)
    for mark in about:
        (found[mark].own if apart else found[mark].shared).append(clause)


def _give(clause: str, about: frozenset[str], found: Mapping[str, _Found], focus: frozenset[str]) -> frozenset[str]:
    """Keep a clause for the brands that it is about; whom the next one is about if it names nobody."""
    if len(about) == 1:
        (mark,) = about
        return _give_one(clause, mark, found, focus)
    passing = frozenset(passing_in(clause)) & about
    for mark in about:
        found[mark].shared.append(clause)
        if mark in passing and passing != about and found[mark].stance is None:
            found[mark].stance, found[mark].why = "passing", "named on the way only"
    return about - passing or about


def _give_one(clause: str, mark: str, found: Mapping[str, _Found], focus: frozenset[str]) -> frozenset[str]:
    before = next((found[other].own[-1] for other in focus if other != mark and found[other].own), None)
    if before is not None and denies_the_same(clause):
        found[mark].own.append(before)
        found[mark].stance, found[mark].why = "opposite", "what is said of the other cannot be said of it"
        return frozenset(mark)
    found[mark].own.append(clause)
    said = stance_of(clause)
    if said is not None and found[mark].stance is None:
        found[mark].stance, found[mark].why = said
    return frozenset(mark)


def _tell(told: Told, found: Mapping[str, _Found]) -> frozenset[str]:
    """Keep what a pattern says; whom the next sentences are about."""
    for mark, (stance, text) in told.of.items():
        found[mark].stance, found[mark].why = stance, told.why
        if text:
            found[mark].own.append(text)
    return frozenset(told.subject)


def _clauses(sentence: str, focus: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The clauses of a sentence, each with the marks of the brands that it is about."""
    if len(_brands_in(sentence)) < _LEAST or len(sentence) > LONGEST:
        yield sentence, _brands_in(sentence) or focus
        return
    pieces = [weak for strong in STRONG.split(sentence) for weak in _parted(strong)]
    merged = _merged(piece for piece in pieces if piece.strip(" ,"))
    for piece in merged:
        yield piece, _brands_in(piece)


def _parted(piece: str) -> Iterator[str]:
    """Cut where another brand's clause begins, if enough words stand on both sides."""
    marks = [at for at, character in enumerate(piece) if character in MARKS]
    start = 0
    for before, after in itertools.pairwise(marks):
        if piece[before] == piece[after]:
            continue
        for cut in reversed(list(_WEAK.finditer(piece, before + 1, after))):
            if _LISTED.match(piece, cut.end()):
                continue
            if _says(piece[start : cut.start()]) and _says(piece[cut.end() :]):
                yield piece[start : cut.start()]
                start = cut.end()
                break
    yield piece[start:]


def _merged(pieces: Iterable[str]) -> list[str]:
    """Join clauses that name no brand to the one before, or the first to the one after."""
    merged: list[str] = []
    for piece in pieces:
        if merged and not (_brands_in(piece) and _brands_in(merged[-1])) and not _ALL.match(piece):
            merged[-1] = f"{merged[-1]}, {piece.strip(' ,')}"
        else:
            merged.append(piece.strip(" ,"))
    return merged


def _brands_in(text: str) -> frozenset[str]:
    return frozenset(character for character in text if character in MARKS)


def _says(piece: str) -> bool:
    """Whether a clause says something beside names."""
    words = [word for word in _WORD.findall(re.sub(_MARK, " ", piece)) if word.casefold() not in _THIN]
    return bool(words)


def _reading(found: _Found, apart: bool) -> Reading | None:
    """What was collected, put together; None where it is the whole post after all."""
    own = [piece for piece in found.own if _says(piece)]
    if found.stance is not None:
        return Reading(text=_joined(own or found.shared), stance=found.stance, why=found.why)
    if own:
        asked = all(piece.rstrip().endswith("?") for piece in own)
        return Reading(text=_joined(own), stance="asked" if asked else None)
    if apart and found.shared:
        return Reading(text=_joined(found.shared), clear=False, why="the clauses that name it beside others")
    return None


def _joined(pieces: Sequence[str]) -> str:
    """Clauses as sentences, without the words that tied them to another."""
    cut = [_LEADING.sub("", piece).strip() for piece in pieces]
    return " ".join(piece if piece[-1:] in {".", "!", "?", "…", ""} else f"{piece}." for piece in cut)


def _plain(reading: Reading, surface: Mapping[str, str]) -> Reading:
    """The reading with the brands' names back in their places."""
    text = re.sub(_MARK, lambda mark: surface.get(mark[0], ""), reading.text)
    return replace(reading, text=text)
