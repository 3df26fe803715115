"""Which words would have kept a case away that is not about us, and what else they would have kept away.

The configuration is the operator's file: this proposes what to write there and never writes it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from listener.core.errors import Refused
from listener.core.mention import Mention, Post
from listener.core.query import Matchbook, Place, Query
from listener.core.tools import Clock
from listener.store import Store

SPAN = timedelta(days=30)
NEWEST = 5_000
"""So many of the newest mentions are looked at, which takes a moment and not a minute."""

CHOICES = 24
_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")
_ENGLISH = (
    "about after again all also and any are because been before being but can cannot could did does doing don't down "
    "each even every few for from get got had has have having her here him his how i'm into isn't it's its just like "
    "made make many may more most much must not now off one only other our out over own said same she should some "
    "such than that the their them then there these they this those through too under until very was way well were "
    "what when where which while who why will with would you your"
)
_EVERYDAY = frozenset(_ENGLISH.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What words would keep away.

    Args:
        brand: whose mentions are looked at.
        queries: names of the queries that took the case's mentions.
        choices: words of the case with how many mentions have them, the rarest first.
        words: the words that were chosen.
        removed: mentions that the chosen words would have kept away.
        of: mentions that were looked at.
        samples: first words of a few that would be gone.
    """

    brand: str
    queries: tuple[str, ...]
    choices: tuple[tuple[str, int], ...]
    words: tuple[str, ...]
    removed: int
    of: int
    samples: tuple[str, ...]


class Exclusions:
    """Proposes what to exclude.

    Args:
        store: the database.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep both."""
        self._store = store
        self._clock = clock

    def propose(self, public_id: str, words: Sequence[str]) -> Proposal:
        """Words of a case that could be excluded, and what those already chosen would have removed.

        Raises:
            Refused: there is no such case.
        """
        case = self._store.cases.find(public_id)
        if case is None:
            raise Refused("there is no such case", resource=public_id)
        mentions = self._store.mentions.of_case(case.id)
        candidates = _candidates(mentions)
        chosen = tuple(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))[:CHOICES]
        counts: Counter[str] = Counter()
        gone: list[str] = []
        book = Matchbook([Query(name="chosen", brand=case.brand, terms=chosen)])
        of = 0
        for _, text in self._store.views.said(case.brand, self._clock() - SPAN, NEWEST):
            of += 1
            counts.update(candidates & set(_WORD.findall(text.casefold())))
            if chosen and book.mentions(Post(source="", external_id="", text=text), Place(name="", source="")):
                gone.append(text)
        return Proposal(
            brand=case.brand,
            queries=tuple(dict.fromkeys(name for mention in mentions for name in mention.queries)),
            choices=tuple(sorted(((word, counts[word]) for word in candidates), key=lambda each: (each[1], each[0]))),
            words=chosen,
            removed=len(gone),
            of=of,
            samples=tuple(" ".join(text.split())[:140] for text in gone[:5]),
        )


def _candidates(mentions: Sequence[Mention]) -> frozenset[str]:
    """Words of the texts that could tell them from ours: not everyday ones, not those that matched."""
    matched = {part for mention in mentions for word in mention.words for part in word.casefold().split()}
    found: Counter[str] = Counter()
    for mention in mentions:
        found.update(_WORD.findall(f"{mention.post.title} {mention.post.text}".casefold()))
    return frozenset([word for word, _ in found.most_common() if word not in _EVERYDAY | matched][:CHOICES])
