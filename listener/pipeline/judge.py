"""Judge mentions in batches: one pass of the scorer over the distinct new texts, then sentiment and rollup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from listener.core.clauses import Reading
from listener.core.errors import AdapterError, StoreError, StoreFull, Unforeseen
from listener.core.mention import Mention, facts
from listener.core.protocols import Scorer
from listener.core.rules import Rules
from listener.core.sentiment import Sentiment, Verdict, towards
from listener.core.store import Store
from listener.core.tools import Clock
from listener.core.work import NO_ROUTE, Judged, held_back
from listener.pipeline.border import border
from listener.pipeline.parts import own_words, stars_for, words_of
from listener.telemetry import get_logger

RETRY = timedelta(seconds=5)

CHARACTERS = 200_000
"""Most text of a batch: some 50,000 tokens, which a slow processor reads in ten seconds or so."""

State = tuple[int, str]
"""One state of a post: its row id and its fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was read for a batch.

    Args:
        whole: verdicts on whole posts.
        known: those of them that were kept from before.
        own: by mention id, which words speak about its brand, where a post names several.
        parts: verdicts on those words.
    """

    whole: Mapping[State, Verdict]
    known: frozenset[State]
    own: Mapping[int, Reading]
    parts: Mapping[str, Verdict]

    def sentiment(self, mention: Mention, rules: Rules) -> Sentiment:
        """The sentiment towards the mention's brand."""
        reading = self.own.get(mention.id)
        part = self.parts.get(reading.text) if reading else None
        return towards(
            self.whole[mention.post_id, mention.fingerprint], stars_for(mention, reading, rules), reading, part
        )


def judge(store: Store, scorer: Scorer, rules: Rules, clock: Clock, limit: int = 512) -> int:
    """Judge one batch.

    Args:
        store: gives the batch and keeps the results.
        scorer: reads the texts.
        rules: what no route takes ends here, in the same transaction; that is most of what is said.
        clock: says the present.
        limit: most mentions of a batch.

    Returns:
        How many mentions were claimed; 0 when none waits.

    Raises:
        AdapterError: the scorer cannot be used at all now; the mentions went back untried.
        StoreError: nothing was written; the mentions are judged again when their lease ends.
    """
    with border("scorer"):
        name = scorer.name
    mentions = _claim(store, limit, clock)
    if not mentions:
        return 0
    known = store.mentions.verdicts(mentions, name)
    fresh = [m for m in mentions if (m.post_id, m.fingerprint) not in known]
    own = own_words(mentions, rules)
    try:
        with border(name):
            whole, parts = _read(scorer, fresh, own)
    except Unforeseen as problem:
        # The guilty text is found one by one.
        store.mentions.unclaim(mentions, clock() + RETRY, str(problem))
        get_logger().warning("batch_failed", mentions=len(mentions), scorer=name)
        return len(mentions)
    except AdapterError:
        store.mentions.give_back(mentions)
        raise
    try:
        _keep(store, mentions, Found(whole=known | whole, known=frozenset(known), own=own, parts=parts), rules, clock)
    except StoreFull:
        # No fault of theirs, and no reason to wait for the lease; a full disk may not even take this.
        with suppress(StoreError):
            store.mentions.give_back(mentions)
        raise
    return len(mentions)


def _claim(store: Store, limit: int, clock: Clock) -> tuple[Mention, ...]:
    """Claim a batch that a scorer reads in seconds; what is too much for one goes back untried."""
    claimed = store.mentions.claim("judge", limit, clock())
    length = 0
    for taken, mention in enumerate(claimed):
        length += len(mention.post.text)
        if length > CHARACTERS and taken:
            store.mentions.give_back(claimed[taken:])
            return claimed[:taken]
    return claimed


def _read(
    scorer: Scorer, mentions: Sequence[Mention], own: Mapping[int, Reading]
) -> tuple[dict[State, Verdict], dict[str, Verdict]]:
    """Judge each distinct text once: a storm repeats itself a lot. Gives whole posts by state, and parts by text."""
    texts = {(m.post_id, m.fingerprint): words_of(m.post) for m in mentions}
    parts = [reading.text for reading in own.values() if reading.text]
    distinct = list(dict.fromkeys((*texts.values(), *parts)))
    if not distinct:
        return {}, {}
    verdicts = dict(zip(distinct, scorer.read(distinct), strict=True))
    return {key: verdicts[text] for key, text in texts.items()}, {text: verdicts[text] for text in parts}


def _keep(store: Store, mentions: Sequence[Mention], found: Found, rules: Rules, clock: Clock) -> None:
    """Write verdicts, sentiments, counts and the next step, for those mentions that did not change meanwhile."""
    with store.transaction():
        judged = []
        waiting = store.mentions.waiting("judge", mentions)
        # What a colleague said of a mention decides also whether a route takes it.
        by_hand = store.mentions.by_hand(waiting)
        answers = store.replies.standing([_parent(m) for m in waiting if m.post.in_reply_to is not None])
        for mention in waiting:
            key = (mention.post_id, mention.fingerprint)
            sentiment = by_hand.get(mention.id) or found.sentiment(mention, rules)
            # Who answers us is heard in the case of that answer, whatever the routes take.
            untaken = None if _parent(mention) in answers else _untaken(mention, sentiment, rules)
            why = held_back(mention, sentiment) or untaken
            judged.append(
                Judged(
                    mention=mention,
                    verdict=found.whole[key],
                    fresh=key not in found.known,
                    sentiment=sentiment,
                    next_step=None if why else "route",
                    why=why,
                )
            )
        store.mentions.judged(judged, rules.revision, clock())
    get_logger().debug("judged", mentions=len(judged))


def _parent(mention: Mention) -> tuple[str, str, str]:
    """The post that a mention answers, as it would be known here."""
    return mention.post.source, mention.post.realm, mention.post.in_reply_to or ""


def _untaken(mention: Mention, sentiment: Sentiment, rules: Rules) -> str | None:
    """Say so when no route takes the mention."""
    taken = rules.route.taken_by(facts(mention, sentiment))
    return None if taken else NO_ROUTE
