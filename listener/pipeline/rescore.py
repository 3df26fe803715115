"""Judge again what was judged before, a portion at a time and only while nothing new waits.

It changes verdicts, sentiments, topics and counts: no step, no route, no case, no message.
"""

from __future__ import annotations

from collections.abc import Sequence

from listener.core.errors import AdapterError, StoreError, Unforeseen
from listener.core.event import OPERATOR
from listener.core.mention import Mention
from listener.core.protocols import Scorer
from listener.core.rescore import Rescore
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.core.work import Judged
from listener.pipeline.border import border
from listener.pipeline.reading import Found, read
from listener.pipeline.topics import Topics
from listener.telemetry import get_logger

PORTION = 128
"""Mentions of a portion: what is new waits no longer than it takes to read them."""

CHARACTERS = 40_000

TRIES = 3
"""A text at which the reading failed so often, alone, keeps the verdict it has."""


def rescore(
    store: Store, scorer: Scorer, rules: Rules, clock: Clock, limit: int = PORTION, topics: Topics | None = None
) -> Rescore | None:
    """Judge the next portion of the rescore that goes on.

    Args:
        store: says what comes next and keeps the results.
        scorer: reads the texts.
        rules: say which brands a post is about, and the topics.
        clock: says the present.
        limit: most mentions of a portion.
        topics: remembers what the topics' phrases mean.

    Returns:
        The rescore as it is now, with `finished_at` once it is through; None when none goes on.

    Raises:
        AdapterError: the scorer cannot be used at all now; nothing changed.
        StoreError: nothing of this portion was written.
    """
    running = store.rescores.unfinished()
    if running is None:
        return None
    running = store.rescores.attempt(running)
    mentions = _taken(store, running, limit)
    if not mentions:
        return _finished(store, running, clock)
    if running.tries > TRIES + 1:
        get_logger().error("rescore_skipped", mention=mentions[0].id, scorer=running.scorer)
        with store.transaction():
            return store.rescores.advance(running, mentions[0].id, 0, {})
    try:
        with border(running.scorer):
            known = store.mentions.verdicts(mentions, running.scorer)
            book, heads = (topics or Topics(scorer)).book(rules.topics), store.heads.standing(running.scorer)
            found = read(scorer, mentions, known, rules, book, heads)
    except Unforeseen as problem:
        # The guilty text is found one by one.
        get_logger().warning("batch_failed", mentions=len(mentions), scorer=running.scorer, error=str(problem))
        return running
    except (AdapterError, StoreError):
        store.rescores.spare(running)
        raise
    return _kept(store, running, mentions, found, clock)


def _taken(store: Store, running: Rescore, limit: int) -> Sequence[Mention]:
    """The next mentions: a portion that is read in a second, or a single one after a portion failed."""
    taken = store.rescores.take(running, limit if running.tries == 1 else 1)
    length = 0
    for number, mention in enumerate(taken):
        length += len(mention.post.text)
        if length > CHARACTERS and number:
            return taken[:number]
    return taken


def _kept(store: Store, running: Rescore, mentions: Sequence[Mention], found: Found, clock: Clock) -> Rescore:
    """Write what changed, and how far it got, for those mentions that are as they were read."""
    with store.transaction():
        still = store.rescores.still(running, mentions)
        if still is None:
            return store.rescores.get(running.id)
        judged = [
            Judged(
                mention=mention,
                verdict=found.whole[mention.post_id, mention.fingerprint],
                fresh=(mention.post_id, mention.fingerprint) not in found.known,
                sentiment=found.sentiments[mention.id],
                next_step=None,
                why=None,
                topics=found.topics[mention.id],
            )
            for mention in still
        ]
        change = store.rescores.rejudged(judged, store.corrections.standing(still), clock())
        return store.rescores.advance(running, mentions[-1].id, len(still), change)


def _finished(store: Store, running: Rescore, clock: Clock) -> Rescore:
    now = clock()
    with store.transaction():
        ended = store.rescores.finish(running, now)
        said = f"{ended.done} mentions {ended.scope.words} by {ended.scorer}: {ended.changed} changed"
        store.events.add(OPERATOR, "judged again", now, subject=f"rescore {ended.id}", detail=said)
    get_logger().info("rescored", mentions=ended.done, changed=ended.changed, scorer=ended.scorer)
    return ended
