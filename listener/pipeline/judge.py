"""Judge mentions in batches: one pass of the scorer over the distinct new texts, then sentiment and rollup."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from listener.core.errors import AdapterError, StoreError, StoreFull, Unforeseen
from listener.core.mention import Mention, facts
from listener.core.protocols import Scorer
from listener.core.rules import Rules
from listener.core.sentiment import Sentiment
from listener.core.store import Store
from listener.core.tools import Clock
from listener.core.topic import as_settled
from listener.core.work import NO_ROUTE, Judged, held_back
from listener.pipeline.border import border
from listener.pipeline.reading import Found, read
from listener.pipeline.topics import Topics
from listener.telemetry import get_logger

RETRY = timedelta(seconds=5)

CHARACTERS = 200_000
"""Most text of a batch: some 50,000 tokens, which a slow processor reads in ten seconds or so."""


def judge(
    store: Store, scorer: Scorer, rules: Rules, clock: Clock, limit: int = 512, topics: Topics | None = None
) -> int:
    """Judge one batch.

    Args:
        store: gives the batch and keeps the results.
        scorer: reads the texts.
        rules: what no route takes ends here, in the same transaction; that is most of what is said.
        clock: says the present.
        limit: most mentions of a batch.
        topics: remembers what the topics' phrases mean; without it they are read anew for this batch.

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
    heads = store.heads.standing(name)
    try:
        with border(name):
            book = (topics or Topics(scorer)).book(rules.topics)
            found = read(scorer, mentions, known, rules, book, heads)
    except Unforeseen as problem:
        # The guilty text is found one by one.
        store.mentions.unclaim(mentions, clock() + RETRY, str(problem))
        get_logger().warning("batch_failed", mentions=len(mentions), scorer=name)
        return len(mentions)
    except AdapterError:
        store.mentions.give_back(mentions)
        raise
    try:
        _keep(store, mentions, found, rules, clock)
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


def _keep(store: Store, mentions: Sequence[Mention], found: Found, rules: Rules, clock: Clock) -> None:
    """Write verdicts, sentiments, counts and the next step, for those mentions that did not change meanwhile."""
    with store.transaction():
        judged = []
        waiting = store.mentions.waiting("judge", mentions)
        # What a colleague said of a mention decides also whether a route takes it.
        by_hand = store.mentions.by_hand(waiting)
        answers = store.replies.standing([_parent(m) for m in waiting if m.post.in_reply_to is not None])
        for claimed in waiting:
            key = (claimed.post_id, claimed.fingerprint)
            sentiment = by_hand.get(claimed.id) or found.sentiments[claimed.id]
            touched = as_settled(found.topics[claimed.id], sentiment)
            topics = tuple(each.topic for each in touched)
            mention = claimed if claimed.topics == topics else replace(claimed, topics=topics)
            # Who answers us is heard in the case of that answer, whatever the routes take.
            answer = bool(answers) and _parent(mention) in answers
            untaken = None if answer else _untaken(mention, sentiment, rules)
            why = held_back(mention, sentiment) or untaken
            judged.append(
                Judged(
                    mention=mention,
                    verdict=found.whole[key],
                    fresh=key not in found.known,
                    sentiment=sentiment,
                    next_step=None if why else "route",
                    why=why,
                    topics=touched,
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
