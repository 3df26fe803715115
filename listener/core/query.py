"""What we listen for and where: Place, Query, Cursor, Page, and the matching of words.

Pure: the pipeline asks `Matchbook.mentions()` which brands a post is about and why. The query language of a later
version compiles to the same `Match`; for now a query is words, phrases and exclusions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NewType

if TYPE_CHECKING:
    from listener.core.echo import Echo
    from listener.core.mention import Post

Cursor = NewType("Cursor", str)
"""An opaque, versioned string that only its own source understands: the place reached."""

History = Literal["backfill", "live"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere we poll.

    Args:
        name: the operator's name for it, unique.
        source: the kind of place: the name of a source adapter.
        params: the adapter's own options as the operator wrote them.
        credential: name of the secret the adapter needs, or None.
        every: the pause between two polls.
        brand: a brand that every post here is about, words or not (the reviews of one's own app); None: words decide.
        history: "live" lets posts older than the alert horizon alert as if new; only replays and tests want that.
        enabled: False keeps the place in the file but never polls it.
        labels: free words for routes and charts.
    """

    name: str
    source: str
    params: Mapping[str, object] = field(default_factory=dict)
    credential: str | None = None
    every: timedelta = timedelta(minutes=15)
    brand: str | None = None
    history: History = "backfill"
    enabled: bool = True
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What we listen for.

    Args:
        name: the operator's name for it, unique.
        brand: the brand a match is about.
        terms: words and phrases, any of which matches; whole words, case ignored; `#` and `@` before a word are free.
        exclude: words and phrases, any of which takes the match back.
        places: names of the places it listens to; empty: all.
        labels: free words for routes and charts.
    """

    name: str
    brand: str
    terms: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a source.

    Args:
        posts: what was seen, in any order; may hold posts seen before.
        cursor: the place reached once these posts are stored; None keeps the old one.
        more: True asks for the next page at once.
        wait: the least pause before the next poll that the other side asked for; None: the place's own.
        gap: why posts may be missing between this page and the last ("page limit reached"), or None.
        rejected: reasons of entries that could not be read, one each; counted, never lost silently.
        echoes: what machines said to answers of ours; no posts, and counted as such that nobody asked for.
    """

    posts: tuple[Post, ...] = ()
    cursor: Cursor | None = None
    more: bool = False
    wait: timedelta | None = None
    gap: str | None = None
    rejected: tuple[str, ...] = ()
    echoes: tuple[Echo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Why a post is about a brand: the queries and the very words that matched.

    `words` is empty where the place itself is about the brand.
    """

    brand: str
    queries: tuple[str, ...]
    words: tuple[str, ...]


_LETTER = (
    r"[^\W\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]"
)
"""A letter or digit of a script that parts its words. Thai, Lao, Burmese, Khmer, Kana and Han do not, and Hangul hangs
particles on its words; beside one of those a word may begin or end."""


def _pattern(terms: Iterable[str]) -> re.Pattern[str] | None:
    """Compile terms to one whole-word alternation, longest first, any white space inside a phrase."""
    cleaned = {" ".join(unicodedata.normalize("NFC", term).split()) for term in terms} - {""}
    if not cleaned:
        return None
    longest_first = sorted(cleaned, key=len, reverse=True)
    choices = "|".join(r"\s+".join(re.escape(word) for word in term.split()) for term in longest_first)
    # What a term may begin with comes first, for speed alone: asking everywhere whether a letter stands before is slow.
    firsts = "".join(sorted({term[0] for term in cleaned}))
    # A set of letters beyond U+FFFF does not find them in both cases, while a term does.
    ahead = f"(?=[{re.escape(firsts)}])" if firsts[-1] <= "\uffff" else ""
    return re.compile(rf"{ahead}(?<!{_LETTER})(?:{choices})(?!{_LETTER})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A query with its two patterns, compiled once a configuration."""

    query: Query
    terms: re.Pattern[str] | None
    exclude: re.Pattern[str] | None

    def words(self, text: str) -> tuple[str, ...] | None:
        """The distinct words that match, in order of appearance; None without a match."""
        found = self.terms.findall(text) if self.terms is not None else []
        if not found or (self.exclude is not None and self.exclude.search(text)):
            return None
        return tuple(dict.fromkeys(" ".join(words.split()) for words in found))


class Matchbook:
    """All queries compiled: answers which brands a post is about.

    Args:
        queries: every configured query.
    """

    def __init__(self, queries: Sequence[Query]) -> None:
        """Compile each query once."""
        self.brands = frozenset(query.brand for query in queries)
        self._queries = tuple(_Compiled(q, _pattern(q.terms), _pattern(q.exclude)) for q in queries)

    def needs(self, place: Place) -> tuple[Query, ...]:
        """The queries that listen to this place: what its source may search for remotely."""
        return tuple(c.query for c in self._queries if not c.query.places or place.name in c.query.places)

    def mentions(self, post: Post, place: Place) -> tuple[Match, ...]:
        """The brands this post is about, one Match each, in the order of the configuration.

        Args:
            post: a normalised post; its title and text are searched.
            place: where it was met; limits the queries and may name a brand of its own.
        """
        text = f"{post.title}\n{post.text}" if post.title else post.text
        queries: dict[str, list[str]] = {place.brand: []} if place.brand else {}
        words: dict[str, list[str]] = {place.brand: []} if place.brand else {}
        for compiled in self._queries:
            query = compiled.query
            if query.places and place.name not in query.places:
                continue
            found = compiled.words(text)
            if found is not None:
                queries.setdefault(query.brand, []).append(query.name)
                words.setdefault(query.brand, []).extend(found)
        return tuple(
            Match(brand=brand, queries=tuple(names), words=tuple(dict.fromkeys(words[brand])))
            for brand, names in queries.items()
        )
