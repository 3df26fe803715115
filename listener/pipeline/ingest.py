"""Posts come in: normalise, match, tell new from known, store; the cursor moves in the same transaction.

Called by `poll.py` with a source's page and by the import command with rows of a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from listener.core.mention import MAX_CHANGES, Engagement, Post, Seen, Sighting, arrival, fingerprint, normalise
from listener.core.query import Match, Place
from listener.core.rules import Rules
from listener.core.store import Store

CHUNK = 250
"""Posts a transaction: the writer is held for a few hundredths of a second, and a page of any size fits."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A normalised post with the brands it is about, ready to be stored."""

    post: Post
    matches: tuple[Match, ...]
    fingerprint: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it one post."""
        return self.post.source, self.post.realm, self.post.external_id


def ingest(
    store: Store, rules: Rules, place: Place, posts: Sequence[Post], sighting: Sighting, finish: Callable[[], None]
) -> Counter[str]:
    """Store posts, and run `finish` in the transaction of the last of them.

    Args:
        store: where to.
        rules: what to look for.
        place: where they were met.
        posts: as the source gave them, hostile and repeated ones included.
        sighting: the circumstances.
        finish: moves the cursor; a crash before it repeats the posts, and repeats change nothing.

    Returns:
        The ledger of this call: stored, edited, duplicate, unmatched, rejected, overflowed; the sum is the number of
        posts given. "stored" and "edited" left mentions to judge.

    Raises:
        StoreError: nothing of the present chunk was stored, and the cursor has not moved.
    """
    total: Counter[str] = Counter()
    chunks = list(_chunks(posts)) or [()]
    for number, chunk in enumerate(chunks, start=1):
        outcomes: Counter[str] = Counter()
        candidates = list(_candidates(rules, place, chunk, outcomes))
        with store.transaction():
            seen = store.posts.seen(list(dict.fromkeys(c.identity for c in candidates)))
            reactions: list[tuple[int, Engagement]] = []
            for candidate in candidates:
                outcomes[_keep(store, place, candidate, sighting, seen, reactions)] += 1
            store.posts.react(reactions)
            store.places.tally(place.name, outcomes)
            if number == len(chunks):
                finish()
        total += outcomes
    return total


def _chunks(posts: Sequence[Post]) -> Iterator[Sequence[Post]]:
    for start in range(0, len(posts), CHUNK):
        yield posts[start : start + CHUNK]


def _candidates(rules: Rules, place: Place, posts: Sequence[Post], outcomes: Counter[str]) -> Iterator[_Candidate]:
    """Normalise and match outside the transaction, so that the writer is held only to write."""
    for raw in posts:
        try:
            post = normalise(raw)
        except ValueError:
            outcomes["rejected"] += 1
            continue
        yield _Candidate(post, rules.matchbook.mentions(post, place), fingerprint(post))


def _keep(
    store: Store, place: Place, candidate: _Candidate, sighting: Sighting,
    seen: dict[tuple[str, str, str], Seen], reactions: list[tuple[int, Engagement]],
) -> str:  # fmt: skip
    """Store one post as new, edited or known, and its mentions; gives the outcome for the ledger."""
    known = seen.get(candidate.identity)
    if known is None:
        if not candidate.matches:
            return "unmatched"
        post_id = store.posts.add(candidate.post, place.name, candidate.fingerprint, sighting.at)
        seen[candidate.identity] = Seen(
            post_id=post_id, fingerprint=candidate.fingerprint, rating=candidate.post.rating, changes=0
        )
        _mention(store, place, candidate, sighting, post_id, None)
        return "stored"
    if known.fingerprint == candidate.fingerprint:
        reactions.append((known.post_id, candidate.post.engagement))
        # A brand that was configured since finds its mentions in posts known for another one.
        _mention(store, place, candidate, sighting, known.post_id, None)
        return "duplicate"
    if known.changes >= MAX_CHANGES:
        return "overflowed"
    store.posts.edit(known, candidate.post, candidate.fingerprint, sighting.at)
    seen[candidate.identity] = Seen(
        post_id=known.post_id,
        fingerprint=candidate.fingerprint,
        rating=candidate.post.rating,
        changes=known.changes + 1,
    )
    _mention(store, place, candidate, sighting, known.post_id, known)
    return "edited"


def _mention(
    store: Store, place: Place, candidate: _Candidate, sighting: Sighting, post_id: int, known: Seen | None
) -> None:
    if not candidate.matches:
        return
    post = candidate.post
    why = arrival(post, place, sighting, known)
    fell = known is not None and known.rating is not None and post.rating is not None and post.rating < known.rating
    for match in candidate.matches:
        store.posts.mention(post_id, post, match, place.name, candidate.fingerprint, why, sighting.at, fell)
