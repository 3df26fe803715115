"""Patterns by which people say whom they left, chose, advise and compare: what each says of the brands in it.

Called by `listener.core.clauses` with one sentence in which every brand is a single private character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Stance = Literal["left", "chosen", "advised", "shunned", "opposite", "asked", "passing", "excused"]
"""What a pattern says of the author's stance towards a brand. `opposite`: the contrary of what its words say;
`passing`: named on the way only, as in "bought at"; `excused`: it suffers from what another one did."""

MARKS = "\ue000\ue001\ue002\ue003\ue004\ue005"
"""Private characters that stand for the brands while a post is taken apart."""


Parts = Mapping[str, tuple[Stance | None, str]]
"""By mark, the stance (None where the words decide) and the words to be read for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a pattern says of the brands in a sentence.

    Args:
        of: by mark, the stance (None where the words decide) and the words to be read for it.
        subject: mark of the brand that the next sentences are about; empty where they are about all.
        why: the pattern in words.
    """

    of: Parts
    subject: str
    why: str


Maker = Callable[[re.Match[str]], Told | None]

_B = f"([{MARKS}])"
_D = r"(?:(?:the|my|our|your|an?|this|that|these|those|his|her|their|new|old|whole|of)\s+)*"
_LEAVING = (
    r"(?:left|leav(?:e|ing)|quit(?:ting)?|ditch(?:ed|ing)|dump(?:ed|ing)|dropp(?:ed|ing)|swapp(?:ed|ing)|"
    r"trad(?:ed|ing)\s+in|replac(?:ed|ing)|cancell?(?:ed|ing)|clos(?:ed|ing)|abandon(?:ed|ing)|exchang(?:ed|ing)|"
    r"(?:all\s+)?done\s+with|finished\s+with|goodbye(?:\s+to)?|bye(?:\s+bye)?|farewell(?:\s+to)?|so\s+long|"
    r"tired\s+of|fed\s+up\s+with|sick\s+of|giv(?:en|ing)\s+up\s+on|gave\s+up\s+on)"
)
_TAKING = (
    r"(?:for|hello|hi|joined|joining|got|opened\s+one\s+with|bought|mov(?:ed|ing)\s+(?:over\s+)?to|"
    r"(?:switch|chang|transferr)(?:ed|ing)\s+to|went\s+(?:back\s+)?to|signed\s+up\s+(?:with|to)|took|try|now)"
)
_GOING = r"(?:switch|mov|chang|migrat|transfer|port|convert|went|gone|going|jump|won|came|com)\w*"
_COMPARED = r"(?:\w{2,}er|more\s+\w+|less\s+\w+|worse)"
_EVEN = re.compile(r"\beven\s+(?:worse|\w+er|more)|\bno\s+(?:better|worse)|\bjust\s+as\b", re.IGNORECASE)
_DENIED = re.compile(r"\bnot\b|n['’]t\b|\bnever\b|\bnowhere\b", re.IGNORECASE)
_ASKED = re.compile(r"\?\W*$")


def _gap(most: int) -> str:
    """Up to so many characters without a brand, as few as will do."""
    return f"[^{MARKS}]{{0,{most}}}?"


def _trim(words: str) -> str:
    return words.strip(" ,;:.–—-")


def _after(found: re.Match[str]) -> str:
    return found.string[found.end() :]


def _switch(found: re.Match[str], gone: str, taken: str, why: str) -> Told:
    """Whom they left, and whom they chose with what they say after it."""
    rest = f"{taken}{_after(found)}"
    return Told(of={gone: ("left", ""), taken: ("chosen", rest)}, subject=taken, why=why)


def _left_for(found: re.Match[str]) -> Told:
    if re.search(r"\btry\s+\S*$", found[0], re.IGNORECASE):
        of: Parts = {found[1]: ("shunned", ""), found[2]: ("advised", _trim(_after(found)))}
        return Told(of=of, subject=found[2], why="one instead of the other")
    return _switch(found, found[1], found[2], "left one for the other")


def _moved_from(found: re.Match[str]) -> Told | None:
    if not re.search(rf"\b{_GOING}\b", found.string[: found.end()], re.IGNORECASE):
        return None
    return _switch(found, found[1], found[2], "moved from one to the other")


def _moved_to(found: re.Match[str]) -> Told:
    return _switch(found, found[2], found[1], "moved to one from the other")


def _won_from(found: re.Match[str]) -> Told:
    of: Parts = {found[1]: ("advised", _trim(found.string)), found[2]: ("left", "")}
    return Told(of=of, subject=found[1], why="one won them over from the other")


def _compared(found: re.Match[str]) -> Told:
    """The first brand gets its half and what follows; the other the opposite, or the same after "even"."""
    half, rest = _trim(found.string[: found.start("than")]), _trim(_after(found))
    stance: Stance | None = None if _EVEN.search(half) else "opposite"
    text = f"{half}. {rest}" if rest else half
    return Told(of={found[1]: (None, text), found[3]: (stance, half)}, subject=found[1], why="compared")


def _as_good(found: re.Match[str]) -> Told:
    half, rest = _trim(found.string[: found.start("than")]), _trim(_after(found))
    stance: Stance | None = "opposite" if _DENIED.search(half) else None
    text = f"{half}. {rest}" if rest else half
    return Told(of={found[1]: (None, text), found[3]: (stance, half)}, subject=found[1], why="compared")


def _beats(found: re.Match[str]) -> Told:
    better = f"{found[1]} is better. {_trim(_after(found))}"
    of: Parts = {found[1]: ("advised", better), found[2]: ("opposite", better)}
    return Told(of=of, subject=found[1], why="one beats the other")


def _unlike(found: re.Match[str]) -> Told | None:
    """What is said of the one is not so with the other."""
    other = found[1]
    text = _trim(f"{found.string[: found.start()]} {_after(found)}")
    subject = next((character for character in text if character in MARKS and character != other), None)
    if subject is None:
        return None
    return Told(of={subject: (None, text), other: ("opposite", text)}, subject=subject, why="one unlike the other")


def _preferred(found: re.Match[str]) -> Told:
    of: Parts = {found[1]: ("advised", f"{found[1]}{_after(found)}"), found[2]: ("shunned", "")}
    return Told(of=of, subject=found[1], why="one preferred to the other")


def _instead(found: re.Match[str]) -> Told:
    rest = _after(found)
    of_second = re.match(r"\W*(?:who|which|where|rubbish|garbage|nonsense)", rest)
    of: Parts = {
        found[1]: ("advised", "" if of_second else _trim(rest)),
        found[2]: ("shunned", _trim(rest) if of_second else ""),
    }
    return Told(of=of, subject=found[1], why="one instead of the other")


def _wish(found: re.Match[str]) -> Told:
    of: Parts = {found[1]: ("shunned", ""), found[2]: ("advised", _trim(found.string[found.start(2) :]))}
    return Told(of=of, subject=found[2], why="one held up to the other as an example")


def _excused(found: re.Match[str]) -> Told:
    """Something is wrong with the first because of the second."""
    half, rest = found.string[: found.start("why")], f"{found[3]}{_after(found)}"
    return Told(of={found[1]: ("excused", _trim(half)), found[3]: (None, rest)}, subject=found[3], why="blamed another")


_TWO: tuple[tuple[str, Maker], ...] = (
    (
        (
            rf"\b(?:why\s+(?:can['’]?t|doesn['’]?t|don['’]?t)|wish|if\s+only|if)\s+{_D}{_B}{_gap(60)}"
            rf"(?<!\bso)\s(?:like|that|as|which)\s+{_D}{_B}"
        ),
        _wish,
    ),
    (
        (
            rf"{_B}{_gap(20)}\b(?:should|could|needs?\s+to|ought\s+to|must|has\s+to)\b{_gap(20)}"
            rf"\b(?:learn|leaf|catch|copy|look|follow)\b{_gap(30)}{_B}"
        ),
        _wish,
    ),
    (rf"{_B}{_gap(20)}\bwon\b{_gap(20)}\bfrom\s+{_D}{_B}", _won_from),
    (rf"\b{_LEAVING}\s+{_gap(20)}{_B}{_gap(45)}\b{_TAKING}\s+{_gap(25)}{_B}", _left_for),
    (rf"\bfrom\s+{_D}{_B}{_gap(25)}\b(?:to|onto)\s+{_D}{_B}", _moved_from),
    (rf"\b(?:to|joined)\s+{_D}{_B}{_gap(20)}\bfrom\s+{_D}{_B}", _moved_to),
    (
        rf"\b(?:after|used|tried)\b{_gap(40)}{_B}{_gap(30)}\b(?:mov|switch|chang|went|join|now|back)\w*\b{_gap(40)}{_B}",
        _left_for,
    ),
    (
        rf"{_B}{_gap(40)}\b(?:instead\s+of|rather\s+than)\s+(?:(?:through|from|at|with|by)\s+)?{_D}{_B}",
        _instead,
    ),
    (
        rf"\b(?:prefer\w*|take|choose|chose|pick\w*|recommend)\s+{_D}{_B}{_gap(20)}\b(?:to|over)\s+{_D}{_B}",
        _preferred,
    ),
    (rf"{_B}{_gap(80)}\b{_COMPARED}\b{_gap(40)}(?P<than>\bthan)\b\s+{_gap(20)}{_B}", _compared),
    (rf"{_B}{_gap(40)}\b(?:as|so)\s+\w+\s+(?P<than>as)\s+{_D}{_B}", _as_good),
    (rf"{_B}{_gap(20)}(?:\b(?:beats?|trumps?|outclass\w*|outperforms?|crush\w*)\b|>+){_gap(20)}{_B}", _beats),
    (rf"{_B}{_gap(60)}(?P<why>\b(?:because|since)\s+(?:of\s+)?{_D}){_B}", _excused),
    (rf",?\s*\b(?:unlike|compared\s+(?:to|with))\s+{_D}{_B}(?:['’]s?)?,?\s*", _unlike),
)
"""Patterns of two brands, in the order in which they are tried."""

_ONE: tuple[tuple[str, Stance, str], ...] = (
    (
        (
            r"\b(?:avoid|skip|steer\s+clear\s+of|stay\s+away\s+from|boycott|stop\s+using|never\s+again(?:\s+with)?|"
            r"(?:do\s+not|don['’]?t|never)\s+(?:go\s+(?:with|to)|buy(?:\s+from)?|use|bother\s+with|fly|order\s+from|trust))"
            rf"\s+{_D}{_B}"
        ),
        "shunned",
        "they warn of it",
    ),
    (
        (
            rf"(?:^|[,.:]\s+|\b(?:then|and)\s+)(?:go\s+(?:with|for|to)|try|stay\s+(?:at|with)|stick\s+(?:to|with)|choose|"
            rf"ring|call|buy\s+from)\s+{_D}{_B}"
        ),
        "advised",
        "they advise it",
    ),
    (rf"{_B}{_gap(15)}\b(?:is|are)\s+the\s+(?:one|way)\s+to\s+go\b", "advised", "they advise it"),
    (rf"\b(?:recommend|(?:should|could)\s+have\s+stayed\s+(?:with|at))\s+{_D}{_B}", "advised", "they advise it"),
    (rf"\bback\s+(?:to|with|on|at)\s+{_D}{_B}", "chosen", "they chose it"),
    (rf"\b(?:{_LEAVING})\s+{_D}{_B}", "left", "they leave it"),
)
"""Patterns of one brand."""

_PASSING = re.compile(
    rf"\b(?:at|via|by|through|inside|in|near|outside)\s+{_D}{_B}(?!['’]?\w*,?\s+(?:who|which|where))", re.IGNORECASE
)
_SAME_OF = re.compile(r"\bcan(?:['’]?t|not)\s+(?:say|be\s+said)\b", re.IGNORECASE)

_TWO_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), make) for pattern, make in _TWO)
_ONE_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), stance, why) for pattern, stance, why in _ONE)


def told_of(sentence: str) -> Told | None:
    """What a pattern of two brands says in a sentence; None without one, and for a question but "why can't"."""
    asked = _ASKED.search(sentence)
    for pattern, make in _TWO_COMPILED:
        found = pattern.search(sentence)
        if found is None or (pattern.groups > 1 and found[1] == found[pattern.groups]):
            continue
        if asked and make is not _wish:
            continue
        told = make(found)
        if told is not None:
            return told
    return None


def stance_of(clause: str) -> tuple[Stance, str] | None:
    """What a pattern of one brand says in a clause that names one brand, with the pattern in words."""
    if _ASKED.search(clause):
        return None
    return next(((stance, why) for pattern, stance, why in _ONE_COMPILED if pattern.search(clause)), None)


def passing_in(clause: str) -> str:
    """The marks of brands that a clause about several names on the way only: bought at one, sent by another."""
    return "".join(dict.fromkeys(_PASSING.findall(clause)))


def denies_the_same(clause: str) -> bool:
    """Whether a clause says that what was said of one brand cannot be said of this one."""
    return bool(_SAME_OF.search(clause) and re.search(r"\bsame\b", clause, re.IGNORECASE))
