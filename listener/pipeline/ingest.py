"""Posts come in: normalise, match, tell new from known, store; the cursor moves in the same transaction.

Called by `poll.py` with a source's page and by the import command with rows of a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from listener.core.mention import (
    MAX_CHANGES,
    Engagement,
    NewPost,
    Post,
    Seen,
    Sighting,
    arrival,
    fingerprint,
    normalise,
)
from listener.core.query import Match, Place
from listener.core.rules import Rules
from listener.core.store import Store

CHUNK = 250
"""Posts a transaction: the writer is held for a few hundredths of a second, and a page of any size fits."""


Identity = tuple[str, str, str]
"""What makes it one post: source, realm and external id."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A normalised post with the brands it is about, ready to be stored."""

    identity: Identity
    post: Post
    matches: tuple[Match, ...]
    fingerprint: str

    @property
    def parent(self) -> Identity:
        """The post that this one answers, as it would be known here."""
        return self.post.source, self.post.realm, self.post.in_reply_to or ""


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
        candidates = _answering(store, list(_candidates(rules, place, chunk, outcomes)), outcomes)
        with store.transaction():
            outcomes.update(_Keeper(store, place, sighting).keep(candidates))
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
        except (ValueError, TypeError, AttributeError):
            # A stranger's source may give what is no post; it must not hold up the others for ever.
            outcomes["rejected"] += 1
            continue
        identity = (post.source, post.realm, post.external_id)
        yield _Candidate(identity, post, rules.matchbook.mentions(post, place), fingerprint(post))


def _answering(store: Store, candidates: Sequence[_Candidate], outcomes: Counter[str]) -> list[_Candidate]:
    """Leave out our own answers, and let who answers them be about the brand of that case, named or not."""
    asked = {c.identity for c in candidates} | {c.parent for c in candidates if c.post.in_reply_to is not None}
    standing = store.replies.standing(list(asked))
    if not standing:
        return list(candidates)
    kept = []
    for candidate in candidates:
        if candidate.identity in standing:
            outcomes["unmatched"] += 1
            continue
        found = standing.get(candidate.parent)
        if found is not None and all(match.brand != found[1] for match in candidate.matches):
            answer = Match(brand=found[1], queries=(), words=())
            candidate = replace(candidate, matches=(*candidate.matches, answer))  # noqa: PLW2901
        kept.append(candidate)
    return kept


class _Keeper:
    """Stores the candidates of one chunk as new, edited or known; lives as long as its transaction."""

    def __init__(self, store: Store, place: Place, sighting: Sighting) -> None:
        self._posts = store.posts
        self._place = place
        self._sighting = sighting
        self._new: dict[Identity, NewPost] = {}
        self._reactions: list[tuple[int, Engagement]] = []

    def keep(self, candidates: Sequence[_Candidate]) -> Counter[str]:
        """Store all candidates in order; gives the outcomes for the ledger."""
        seen = self._posts.seen(list(dict.fromkeys(c.identity for c in candidates)))
        outcomes = Counter(self._one(candidate, seen) for candidate in candidates)
        self._flush()
        self._posts.react(self._reactions)
        return outcomes

    def _one(self, candidate: _Candidate, seen: dict[Identity, Seen]) -> str:
        if candidate.identity in self._new:
            # The same post twice in one chunk: let all before it be known before it is looked at.
            flushed = list(self._new)
            self._flush()
            seen.update(self._posts.seen(flushed))
        known = seen.get(candidate.identity)
        if known is None:
            return self._add(candidate)
        if known.fingerprint == candidate.fingerprint:
            self._reactions.append((known.post_id, candidate.post.engagement))
            # A brand that was configured since finds its mentions in posts known for another one.
            self._mention(candidate, known.post_id, None)
            return "duplicate"
        if known.changes >= MAX_CHANGES:
            return "overflowed"
        if candidate.post.private and candidate.post.author.handle.casefold() != known.handle.casefold():
            # A mail's id is whatever its sender writes: nobody may put other words into a customer's mouth.
            return "rejected"
        self._posts.edit(known, candidate.post, candidate.fingerprint, self._sighting.at)
        seen.update(self._posts.seen([candidate.identity]))
        self._mention(candidate, known.post_id, known)
        return "edited"

    def _add(self, candidate: _Candidate) -> str:
        if not candidate.matches:
            return "unmatched"
        self._new[candidate.identity] = NewPost(
            post=candidate.post,
            matches=candidate.matches,
            fingerprint=candidate.fingerprint,
            arrival=arrival(candidate.post, self._place, self._sighting, None),
        )
        return "stored"

    def _flush(self) -> None:
        if self._new:
            self._posts.add(list(self._new.values()), self._place.name, self._sighting.at)
            self._new.clear()

    def _mention(self, candidate: _Candidate, post_id: int, known: Seen | None) -> None:
        """Give a known post's mentions its new state; `known` is what it was before an edit."""
        post, at = candidate.post, self._sighting.at
        why = arrival(post, self._place, self._sighting, known)
        fell = known is not None and known.rating is not None and post.rating is not None and post.rating < known.rating
        for match in candidate.matches:
            self._posts.mention(post_id, post, match, self._place.name, candidate.fingerprint, why, at, fell)
