"""Which topics a mention touches: meanings compared with the operator's phrases. Called by `judge.py`.

The scorer that judges posts also says what phrases mean, once for each configuration and each space of meaning that
posts turn up in. A post's meaning leans towards its mood, so plain likeness would match every complaint with every
complaint. A ridge regression from meanings to topics, with sentences about nothing of the kind as counter-examples,
finds what sets a topic apart. A topic that clearly is a usual subject learns from that subject's sentences too, since
an operator's five phrases cannot hold all that customers say.
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
from listener.pipeline.backdrop import ENGLISH, Backdrop, backdrop_for

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RIDGE = 0.35
"""How much the regression distrusts single phrases; chosen with the threshold."""
ADOPTED, NEAR = 0.36, 0.2
"""From which nearness of its sentences on a topic is a usual subject, and from which on it has something of one. Topics
that are not one, but a part of it or beside it, came to 0.33 at most; those that share nothing, to 0.15."""
WORD, WORDS = 0.2, 2
"""What a word that only this topic has adds to the nearness, and how many of them count."""
PERHAPS = 0.7
"""A post as a whole that comes so near, as a share of the threshold, is looked at part by part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ridge:
    """A ridge regression from meanings to shares.

    Args:
        centre, weights: (384,) and (384, targets).
        base: what it says of a text about nothing, (targets,).
    """

    centre: Floats
    weights: Floats
    base: Floats

    @classmethod
    def fitted(cls, meanings: Floats, wanted: NDArray[np.bool_]) -> _Ridge:
        """Fit it; `wanted` is (meanings, targets)."""
        import numpy as np

        shares = wanted.astype(np.float32)
        centre, base = meanings.mean(axis=0), shares.mean(axis=0)
        apart = meanings - centre
        # Where all meanings lie in a narrow cone, a penalty of that size would leave nothing.
        spread = max(float((apart**2).sum(axis=1).mean()), 1e-9)
        kernel = apart @ apart.T + np.float32(RIDGE * spread) * np.eye(len(apart), dtype=np.float32)
        weights = apart.T @ np.linalg.solve(kernel, shares - base)
        return cls(centre=centre, weights=weights.astype(np.float32), base=base)

    def __call__(self, meanings: Floats) -> Floats:
        """Say how near meanings come to each target, (meanings, targets)."""
        import numpy as np

        return np.asarray((meanings - self.centre) @ self.weights + self.base, np.float32)


def _owner(near: Sequence[float]) -> int:
    """Which topic a usual subject belongs to, by how near each comes to it: -1 for none, -2 where that is not clear."""
    close = [at for at, each in enumerate(near) if each >= NEAR]
    mine = [at for at in close if near[at] >= ADOPTED]
    return -1 if not close else mine[0] if mine == close and len(close) == 1 else -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Compass:
    """What finds topics by meaning in one space.

    Args:
        ridge: the regression to topics.
        meanings: of each topic's sentences, (sentences, 384) of length one; none where they are in a language that is
            not read in this space.
        stretch: what nearness is multiplied by, so that topics are touched from the same one on in every space.
    """

    ridge: _Ridge
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
        self.own = words_of_their_own(topics, ENGLISH.general)
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

    def _blocks(self, backdrop: Backdrop) -> tuple[tuple[str, ...], ...]:
        """What has to be read: each topic's sentences, what is about none, each usual subject's."""
        return (*self.phrases, backdrop.general, *backdrop.subjects.values())

    def _read(self) -> dict[str, Compass | None]:
        """Compasses of a scorer that does not tell its spaces: one for each that its verdicts name."""
        verdicts = self._scorer.read([*itertools.chain(*self._blocks(ENGLISH))])
        names = {verdict.space for verdict in verdicts if verdict.embedding is not None and verdict.space is not None}
        return {
            name: self._fitted(
                [verdict.embedding if verdict.space == name else None for verdict in verdicts], THRESHOLD, ENGLISH
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
        backdrop = backdrop_for(space.languages)
        vectors = self._means.meanings([*itertools.chain(*self._blocks(backdrop))], space.name)
        skipped += [False] * (len(vectors) - len(skipped))
        known = [None if skip else vector for skip, vector in zip(skipped, vectors, strict=True)]
        return self._fitted(known, space.near, backdrop)

    def _fitted(self, vectors: Sequence[bytes | None], near: float, backdrop: Backdrop) -> Compass | None:
        """Fit the regression from meanings to topics; the backdrop belongs to none."""
        import numpy as np

        topics, subjects = range(len(self.topics)), range(len(backdrop.subjects))
        blocks = self._blocks(backdrop)
        kept = np.array([vector is not None for vector in vectors])
        block = np.repeat(np.arange(len(blocks)), [len(each) for each in blocks])[kept]
        if not (block < len(topics)).any():
            return None
        stack = unit([vector for vector in vectors if vector is not None])
        meanings = tuple(stack[block == number] for number in topics)
        subject = block - len(topics) - 1
        known, told = stack[subject >= -1], subject[subject >= -1]
        scores = _Ridge.fitted(known, told[:, None] == np.arange(len(subjects)))
        near_to = [scores(own).mean(axis=0) if len(own) else np.zeros(len(subjects)) for own in meanings]
        owners = [_owner([float(each[number]) for each in near_to]) for number in subjects]
        owner = np.concatenate([topics, [-1], owners])[block]
        used = owner > -2
        ridge = _Ridge.fitted(stack[used], owner[used][:, None] == np.arange(len(topics)))
        return Compass(ridge=ridge, meanings=meanings, stretch=THRESHOLD / near)


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
            scores = compass.ridge(stack) * compass.stretch
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
