"""Which topics a mention touches: meanings compared with the operator's phrases. Called by `judge.py`.

The scorer that judges posts also says what phrases mean, once for each configuration. A post's meaning leans towards
its mood, so plain likeness would match every complaint with every complaint. A ridge regression from meanings to
topics, with sentences about nothing of the kind as counter-examples, finds what sets a topic apart.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
class Book:
    """Topics with what is needed to find them.

    Args:
        topics: in the order of the configuration.
        own: for each topic the words that only it has.
        centre, weights: the regression, (384,) and (384, topics); None where the scorer gives no meanings.
        base: what it says of a text about nothing, (topics,).
        phrases, meanings: each topic's sentences, and what they mean, (sentences, 384) of length one.
    """

    topics: tuple[Topic, ...]
    own: tuple[frozenset[str], ...]
    centre: Floats | None
    weights: Floats | None
    base: Floats | None
    phrases: tuple[tuple[str, ...], ...]
    meanings: tuple[Floats | None, ...]


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
        """The topics ready to be found; phrases are read at the first call after they or the scorer changed.

        Raises:
            AdapterError: the scorer cannot be used.
        """
        with self._lock:
            name = self._scorer.name
            if self._kept is None or self._kept[:2] != (topics, name):
                self._kept = (topics, name, _make(topics, self._scorer))
            return self._kept[2]


def _make(topics: tuple[Topic, ...], scorer: Scorer) -> Book:
    if not topics:
        return Book(topics=(), own=(), centre=None, weights=None, base=None, phrases=(), meanings=())
    phrases = tuple(topic.sentences for topic in topics)
    texts = [sentence for each in phrases for sentence in each]
    verdicts = scorer.read([*texts, *GENERAL, *SUBJECTS])
    own = words_of_their_own(topics, GENERAL)
    vectors = [verdict.embedding for verdict in verdicts]
    if any(vector is None for vector in vectors):
        none = (None,) * len(topics)
        return Book(topics=topics, own=own, centre=None, weights=None, base=None, phrases=phrases, meanings=none)
    return _fitted(topics, own, phrases, [vector for vector in vectors if vector is not None])


def _fitted(
    topics: tuple[Topic, ...], own: tuple[frozenset[str], ...], phrases: tuple[tuple[str, ...], ...],
    vectors: Sequence[bytes],
) -> Book:  # fmt: skip
    """Fit the regression from meanings to topics; the backdrop belongs to none."""
    import numpy as np

    stack = _unit(vectors)
    centre = stack.mean(axis=0)
    wanted = np.zeros((len(stack), len(topics)), np.float32)
    starts = np.cumsum([0, *map(len, phrases)])
    for number, (start, stop) in enumerate(itertools.pairwise(starts)):
        wanted[start:stop, number] = 1.0
    base = wanted.mean(axis=0)
    apart = stack - centre
    kernel = apart @ apart.T + RIDGE * np.eye(len(apart), dtype=np.float32)
    return Book(
        topics=topics, own=own, centre=centre, weights=apart.T @ np.linalg.solve(kernel, wanted - base), base=base,
        phrases=phrases,
        meanings=tuple(stack[start:stop] for start, stop in itertools.pairwise(starts)),
    )  # fmt: skip


def _unit(vectors: Sequence[bytes]) -> Floats:
    """Meanings as directions of length one, (vectors, 384)."""
    import numpy as np

    stack = np.stack([np.frombuffer(vector, np.int8) for vector in vectors]).astype(np.float32)
    lengths: Floats = stack / np.maximum(np.linalg.norm(stack, axis=1, keepdims=True), 1e-9)
    return lengths


def nearness(book: Book, brand: str, texts: Sequence[str], verdicts: Sequence[Verdict]) -> list[dict[int, float]]:
    """For each text how near it comes to the topics of a brand, by the topic's number."""
    chosen = [n for n, topic in enumerate(book.topics) if not topic.brands or brand in topic.brands]
    near = [dict.fromkeys(chosen, 0.0) for _ in texts]
    readable = [n for n, verdict in enumerate(verdicts) if verdict.embedding is not None]
    if book.weights is not None and book.centre is not None and book.base is not None and readable:
        stack = _unit([verdicts[n].embedding or b"" for n in readable])
        scores = (stack - book.centre) @ book.weights + book.base
        for row, n in enumerate(readable):
            near[n] = {number: float(scores[row, number]) for number in chosen}
    for n, text in enumerate(texts):
        words = words_in(text)
        for number in chosen:
            near[n][number] += WORD * min(WORDS, len(words & book.own[number]))
            if any(_stands_in(phrase, text) for phrase in book.topics[number].phrases):
                near[n][number] = max(1.0, near[n][number])
    return near


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
    meanings = book.meanings[number]
    if meanings is not None and verdict.embedding is not None:
        return phrases[int((meanings @ _unit([verdict.embedding])[0]).argmax())]
    words = words_in(text)
    return max(phrases, key=lambda phrase: len(words & words_in(phrase)))
