"""Which topics a mention touches: meanings compared with the operator's phrases. Called by `judge.py`.

The scorer that judges posts also says what phrases mean, once for each configuration and each space of meaning that
posts turn up in. A post's meaning leans towards its mood, so plain likeness would match every complaint with every
complaint. A ridge regression from meanings to topics, with sentences about nothing of the kind as counter-examples,
finds what sets a topic apart.
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from listener.core.meaning import Means, Space
from listener.core.protocols import Scorer
from listener.core.sentiment import Sentiment, Verdict
from listener.core.topic import THRESHOLD, Topic, Touched, mood_of, words_in, words_of_their_own
from listener.pipeline.backdrop import GENERAL, SUBJECTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RIDGE = 0.3
"""How much the regression distrusts single phrases; chosen with the threshold."""
WORD, WORDS = 0.2, 2
"""What a word that only this topic has adds to the nearness, and how many of them count."""
PERHAPS = 0.7
"""A post as a whole that comes so near, as a share of the threshold, is looked at part by part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compass:
    """What finds topics by meaning in one space.

    Args:
        centre, weights: the regression, (384,) and (384, topics).
        base: what it says of a text about nothing, (topics,).
        meanings: of each topic's sentences, (sentences, 384) of length one; none where they are in a language that is
            not read in this space.
        stretch: what nearness is multiplied by, so that topics are touched from the same one on in every space.
    """

    centre: Floats
    weights: Floats
    base: Floats
    meanings: tuple[Floats, ...]
    stretch: float


class Book:
    """Topics with what is needed to find them.

    Args:
        topics: in the order of the configuration.
        scorer: says what their sentences mean.
    """

    def __init__(self, topics: tuple[Topic, ...], scorer: Scorer) -> None:
        """Read the sentences, unless the scorer has spaces of which only some may be needed.

        Raises:
            AdapterError: the scorer cannot be used.
        """
        self.topics = topics
        self.phrases = tuple(topic.sentences for topic in topics)
        self.own = words_of_their_own(topics, GENERAL)
        self._scorer = scorer
        self._lock = threading.Lock()
        self._means = scorer if isinstance(scorer, Means) else None
        self._spaces = {space.name: space for space in self._means.spaces} if self._means else {}
        self._found: dict[str, Compass | None] = self._read() if topics and not self._spaces else {}

    def compass(self, space: str) -> Compass | None:
        """What finds topics in a space; None where nothing is known of their sentences there.

        Raises:
            AdapterError: the scorer cannot be used.
        """
        with self._lock:
            if space not in self._found and space in self._spaces:
                self._found[space] = self._asked(self._spaces[space])
            return self._found.get(space)

    def _sentences(self) -> tuple[str, ...]:
        return (*itertools.chain.from_iterable(self.phrases), *GENERAL, *SUBJECTS)

    def _read(self) -> dict[str, Compass | None]:
        """Compasses of a scorer that does not tell its spaces: one for each that its verdicts name."""
        verdicts = self._scorer.read(self._sentences())
        names = {verdict.space for verdict in verdicts if verdict.embedding is not None and verdict.space is not None}
        return {
            name: self._fitted(
                [verdict.embedding if verdict.space == name else None for verdict in verdicts], THRESHOLD
            )
            for name in names
        }

    def _asked(self, space: Space) -> Compass | None:
        """The compass of one space; topics in languages that are not read there are left out."""
        if self._means is None:
            return None
        told = [verdict.language for verdict in self._scorer.read([" ".join(each) for each in self.phrases])]
        strange = [bool(space.languages) and language not in (None, "unknown", *space.languages) for language in told]
        skipped = [of for of, each in zip(strange, self.phrases, strict=True) for _ in each]
        skipped += [False] * (len(GENERAL) + len(SUBJECTS))
        vectors = self._means.meanings(self._sentences(), space.name)
        return self._fitted([None if skip else v for skip, v in zip(skipped, vectors, strict=True)], space.near)

    def _fitted(self, vectors: Sequence[bytes | None], near: float) -> Compass | None:
        """Fit the regression from meanings to topics; the backdrop belongs to none."""
        import numpy as np

        owners = [number for number, each in enumerate(self.phrases) for _ in each]
        owners += [-1] * (len(vectors) - len(owners))
        owned = [(owner, vector) for owner, vector in zip(owners, vectors, strict=True) if vector is not None]
        if not any(owner >= 0 for owner, _ in owned):
            return None
        owner = np.array([owner for owner, _ in owned])
        stack = unit([vector for _, vector in owned])
        centre = stack.mean(axis=0)
        wanted = (owner[:, None] == np.arange(len(self.topics))).astype(np.float32)
        base = wanted.mean(axis=0)
        apart = stack - centre
        kernel = apart @ apart.T + RIDGE * np.eye(len(apart), dtype=np.float32)
        return Compass(
            centre=centre, weights=apart.T @ np.linalg.solve(kernel, wanted - base), base=base,
            meanings=tuple(stack[owner == number] for number in range(len(self.topics))), stretch=THRESHOLD / near,
        )  # fmt: skip


class Topics:
    """Finds topics; remembers what phrases mean until they change.

    Args:
        scorer: says what texts mean.
    """

    def __init__(self, scorer: Scorer) -> None:
        """Keep the scorer; read nothing yet."""
        self._scorer = scorer
        self._lock = threading.Lock()
        self._kept: tuple[tuple[Topic, ...], str, Book] | None = None

    def book(self, topics: tuple[Topic, ...]) -> Book:
        """The topics ready to be found; phrases are read anew after they or the scorer changed.

        Raises:
            AdapterError: the scorer cannot be used.
        """
        with self._lock:
            name = self._scorer.name
            if self._kept is None or self._kept[:2] != (topics, name):
                self._kept = (topics, name, Book(topics, self._scorer))
            return self._kept[2]


def unit(vectors: Sequence[bytes]) -> Floats:
    """Meanings as directions of length one, (vectors, 384)."""
    import numpy as np

    stack = np.stack([np.frombuffer(vector, np.int8) for vector in vectors]).astype(np.float32)
    lengths: Floats = stack / np.maximum(np.linalg.norm(stack, axis=1, keepdims=True), 1e-9)
    return lengths


def nearness(book: Book, brand: str, texts: Sequence[str], verdicts: Sequence[Verdict]) -> list[dict[int, float]]:
    """For each text how near it comes to the topics of a brand, by the topic's number.

    Raises:
        AdapterError: the scorer cannot be used.
    """
    chosen = [n for n, topic in enumerate(book.topics) if not topic.brands or brand in topic.brands]
    near = [dict.fromkeys(chosen, 0.0) for _ in texts]
    for space, rows in _by_space(verdicts).items():
        compass = book.compass(space) if chosen else None
        if compass is not None:
            stack = unit([verdicts[n].embedding or b"" for n in rows])
            scores = ((stack - compass.centre) @ compass.weights + compass.base) * compass.stretch
            for row, n in enumerate(rows):
                near[n] = {number: float(scores[row, number]) for number in chosen}
    for n, text in enumerate(texts):
        words = words_in(text)
        for number in chosen:
            near[n][number] += WORD * min(WORDS, len(words & book.own[number]))
            if any(_stands_in(phrase, text) for phrase in book.topics[number].phrases):
                near[n][number] = max(1.0, near[n][number])
    return near


def _by_space(verdicts: Sequence[Verdict]) -> Mapping[str, list[int]]:
    """Which verdicts have a meaning in which space."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, verdict in enumerate(verdicts):
        if verdict.embedding is not None and verdict.space is not None:
            found[verdict.space].append(number)
    return found


def _stands_in(phrase: str, text: str) -> bool:
    """Whether a phrase stands in a text as it is, between other words."""
    at = text.casefold().find(phrase.casefold()) if phrase else -1
    if at < 0:
        return False
    before, after = text[at - 1 : at], text[at + len(phrase) : at + len(phrase) + 1]
    return not before.isalnum() and not after.isalnum()


def perhaps(book: Book, brand: str, text: str, verdict: Verdict) -> bool:
    """Whether it is worth while to look for topics in the parts of a text: as a whole it comes near one."""
    [near] = nearness(book, brand, [text], [verdict])
    return any(value >= PERHAPS * _threshold(book.topics[number]) for number, value in near.items())


def touched(book: Book, brand: str, parts: Mapping[str, Verdict], sentiment: Sentiment) -> tuple[Touched, ...]:
    """The topics that a mention touches, the nearest first.

    Args:
        book: the topics.
        brand: of the mention.
        parts: its parts with what was read in them, or all of it as one.
        sentiment: the mention's own, which a topic has that nothing parts from the rest.
    """
    if not book.topics:
        return ()
    texts = list(parts)
    near = nearness(book, brand, texts, [parts[text] for text in texts])
    found = []
    for number, topic in enumerate(book.topics):
        touching = {t: parts[t] for t, of in zip(texts, near, strict=True) if of.get(number, 0.0) >= _threshold(topic)}
        if not touching:
            continue
        best = max(touching, key=lambda text: near[texts.index(text)][number])
        own = 0 < len(touching) < len(texts)
        label, certainty = mood_of(touching) if own else (sentiment.label, sentiment.certainty)
        found.append(
            Touched(
                topic=topic.name, label=label, certainty=certainty, own=own,
                nearness=min(1.0, round(near[texts.index(best)][number], 3)),
                phrase=_nearest_phrase(book, number, best, parts[best]),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda each: -each.nearness))


def _threshold(topic: Topic) -> float:
    return THRESHOLD if topic.threshold is None else topic.threshold


def _nearest_phrase(book: Book, number: int, text: str, verdict: Verdict) -> str:
    """The phrase that stands in the text, else the one nearest in meaning, else the one with most words of it."""
    phrases = book.phrases[number]
    standing = next((phrase for phrase in book.topics[number].phrases if _stands_in(phrase, text)), None)
    if standing is not None:
        return standing
    compass = book.compass(verdict.space) if verdict.space is not None else None
    if compass is not None and len(compass.meanings[number]) == len(phrases) and verdict.embedding is not None:
        return phrases[int((compass.meanings[number] @ unit([verdict.embedding])[0]).argmax())]
    words = words_in(text)
    return max(phrases, key=lambda phrase: len(words & words_in(phrase)))
