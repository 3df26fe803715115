"""What a scorer is asked about a batch of mentions, and what it answered. Called by `judge.py`.

Whole posts first, with the clauses about each brand of those that name several; then the parts of those that may touch
a topic. Each distinct text is read once: a storm repeats itself a lot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from listener.core.clauses import Reading
from listener.core.head import BrandHead
from listener.core.mention import Mention
from listener.core.protocols import Scorer
from listener.core.rules import Rules
from listener.core.sentiment import Sentiment, Verdict, towards
from listener.core.topic import Touched, parts_of
from listener.fitting import through
from listener.pipeline.parts import own_words, stars_for, words_of
from listener.pipeline.topics import Book, perhaps, touched

State = tuple[int, str]
"""One state of a post: its row id and its fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a batch.

    Args:
        whole: verdicts on whole posts.
        known: those of them that were kept from before.
        sentiments: towards its brand, by mention id.
        topics: what each mention touches, by mention id, the nearest first.
    """

    whole: Mapping[State, Verdict]
    known: frozenset[State]
    sentiments: Mapping[int, Sentiment]
    topics: Mapping[int, tuple[Touched, ...]]


def read(
    scorer: Scorer, mentions: Sequence[Mention], known: Mapping[State, Verdict], rules: Rules, book: Book,
    heads: Mapping[str, BrandHead],
) -> Found:  # fmt: skip
    """Let the scorer read what it takes to judge mentions.

    Args:
        scorer: reads.
        mentions: the batch.
        known: verdicts that the scorer gave before.
        rules: say which brands a post is about.
        book: the topics.
        heads: what was taught about brands; each moves what was read for its own brand.

    Raises:
        AdapterError: the scorer cannot be used.
    """
    states = {(m.post_id, m.fingerprint): words_of(m.post) for m in mentions}
    fresh = {state: text for state, text in states.items() if state not in known}
    own = own_words(mentions, rules)
    texts = _verdicts(scorer, (*fresh.values(), *(reading.text for reading in own.values() if reading.text)))
    whole = {**known, **{state: texts[text] for state, text in fresh.items()}}
    sentiments = {
        m.id: _sentiment(m, own.get(m.id), texts, whole[m.post_id, m.fingerprint], rules, heads.get(m.brand))
        for m in mentions
    }
    if not book.topics:
        return Found(whole=whole, known=frozenset(known), sentiments=sentiments, topics=dict.fromkeys(sentiments, ()))
    subjects = {m.id: _subject(m, own.get(m.id), texts, whole[m.post_id, m.fingerprint]) for m in mentions}
    parts = {m.id: _parts(m, *subjects[m.id], book) for m in mentions}
    texts |= _verdicts(scorer, (part for of in parts.values() for part in of if part not in texts))
    topics = {}
    for mention in mentions:
        of = {part: texts[part] for part in parts[mention.id]} or dict([subjects[mention.id]])
        its = {part: through(heads.get(mention.brand), verdict) for part, verdict in of.items()}
        topics[mention.id] = touched(book, mention.brand, its, sentiments[mention.id])
    return Found(whole=whole, known=frozenset(known), sentiments=sentiments, topics=topics)


def _sentiment(
    mention: Mention, reading: Reading | None, texts: Mapping[str, Verdict], whole: Verdict, rules: Rules,
    head: BrandHead | None,
) -> Sentiment:  # fmt: skip
    """The sentiment towards the mention's brand; its head moves what was read, before stars and patterns speak."""
    part = texts.get(reading.text) if reading else None
    own = None if part is None else through(head, part)
    return towards(through(head, whole), stars_for(mention, reading, rules), reading, own)


def _parts(mention: Mention, text: str, verdict: Verdict, book: Book) -> tuple[str, ...]:
    """The parts that are read apart for topics; none where it is one piece, or far from every topic."""
    parts = parts_of(text)
    return parts if len(parts) > 1 and perhaps(book, mention.brand, text, verdict) else ()


def _verdicts(scorer: Scorer, texts: Iterable[str]) -> dict[str, Verdict]:
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, scorer.read(distinct), strict=True)) if distinct else {}


def _subject(
    mention: Mention, reading: Reading | None, texts: Mapping[str, Verdict], whole: Verdict
) -> tuple[str, Verdict]:
    """What of a post speaks about the mention's brand, with its verdict: its own words, or the whole."""
    if reading is not None and reading.text in texts:
        return reading.text, texts[reading.text]
    return words_of(mention.post), whole
