"""Topics: what the operator wants to know whether people speak of it, and what a mention touches of them.

Pure; `listener.pipeline.topics` compares meanings with the help of a scorer, the store keeps what it finds.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from listener.core.clauses import SENTENCE, STRONG
from listener.core.sentiment import Certainty, Label, Probabilities, Sentiment, Verdict

THRESHOLD = 0.37
"""From which nearness on a topic is touched: chosen on hand-written posts, see tests/data/README.md."""

PARTS = 12
"""Most parts of a post that are read apart; a longer one has longer parts."""

_COMMA = re.compile(r",\s+|\s+(?:and|&)\s+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}(?:['’][^\W\d_]+)?")
_ENDINGS = ("ing", "ed", "ies", "es", "s", "y", "e")
_LEAST = 3
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "about after all and any are but can did does for from get got had has have her his how its just more much not "
        "off our out people she than that the their them then there they thing things this too very was were what when "
        "where which while who why will with you your still",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that people speak of, as the operator describes it.

    Args:
        name: as staff call it, unique.
        description: what it is about, in a sentence.
        phrases: how customers say it, five or so; the more they differ, the more is found.
        brands: names of the brands it is looked for at; empty: all.
        threshold: from which nearness on, 0 to 1; absent: 0.37. Higher finds less and errs less.
    """

    name: str
    description: str
    phrases: tuple[str, ...]
    brands: tuple[str, ...] = ()
    threshold: float | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is compared with posts."""
        return (self.description, *self.phrases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A topic that a mention touches.

    Args:
        topic: its name.
        label: the mood of the parts that touch it.
        certainty: whether that is sure.
        nearness: of the nearest part, 1 being a phrase of the topic itself.
        phrase: the phrase that is nearest to it, or the description.
        own: whether the mood is that of parts; else it is the mention's own and changes with it.
    """

    topic: str
    label: Label
    certainty: Certainty
    nearness: float
    phrase: str
    own: bool = False


def parts_of(text: str) -> tuple[str, ...]:
    """A post's sentences and clauses, at most PARTS, in order; together they are the post."""
    found = [part for sentence in SENTENCE.split(text) if sentence.strip() for part in _clauses(sentence)]
    if len(found) <= PARTS:
        return tuple(found)
    edges = [len(found) * number // PARTS for number in range(PARTS + 1)]
    return tuple(" ".join(found[start:stop]) for start, stop in itertools.pairwise(edges))


def _clauses(sentence: str) -> Iterator[str]:
    """Cut a sentence at contrasts and at commas, where enough words stand on both sides."""
    strong: list[str] = []
    for piece in STRONG.split(sentence):
        if strong and not _says_enough(piece):
            strong[-1] = f"{strong[-1].strip()} {piece.strip()}"
        elif piece.strip():
            strong.append(piece)
    for piece in strong:
        start = 0
        for comma in _COMMA.finditer(piece):
            if _says_enough(piece[start : comma.start()]) and _says_enough(piece[comma.end() :]):
                yield piece[start : comma.start()]
                start = comma.end()
        yield piece[start:].strip()


def _says_enough(piece: str) -> bool:
    return len(piece.split()) >= _LEAST


def words_in(text: str) -> frozenset[str]:
    """The words of a text that say what it is about, without their endings."""
    return frozenset(_stem(word) for word in map(str.lower, _WORD.findall(text)) if word not in _COMMON)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            return word[: -len(ending)]
    return word


def words_of_their_own(topics: Sequence[Topic], elsewhere: Iterable[str]) -> tuple[frozenset[str], ...]:
    """For each topic, the words that only it has: neither another topic nor any of the sentences elsewhere."""
    words = [frozenset().union(*map(words_in, topic.sentences)) for topic in topics]
    times = Counter(word for each in words for word in each)
    common = frozenset().union(*map(words_in, elsewhere))
    return tuple(frozenset(word for word in each if times[word] == 1) - common for each in words)


def mood_of(touching: Mapping[str, Verdict]) -> tuple[Label, Certainty]:
    """The mood of the parts that touch a topic: the longer ones count more; sure where one is and none disagrees."""
    total = sum(map(len, touching)) or 1
    mean = Probabilities(
        negative=sum(len(part) * read.probabilities.negative for part, read in touching.items()) / total,
        neutral=sum(len(part) * read.probabilities.neutral for part, read in touching.items()) / total,
        positive=sum(len(part) * read.probabilities.positive for part, read in touching.items()) / total,
    )
    sure = any(read.certainty == "confident" for read in touching.values())
    agreed = all(read.label == mean.label for read in touching.values())
    return mean.label, "confident" if sure and agreed else "unsure"


def as_settled(touched: Sequence[Touched], sentiment: Sentiment) -> tuple[Touched, ...]:
    """The same topics after the mention's sentiment changed: those without parts of their own follow it."""
    return tuple(
        each
        if each.own
        else Touched(
            topic=each.topic, label=sentiment.label, certainty=sentiment.certainty, nearness=each.nearness,
            phrase=each.phrase,
        )
        for each in touched
    )  # fmt: skip
