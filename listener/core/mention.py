"""A post as the platform shows it, and a mention: one post about one brand with our facts.

The rules of arrival live here too: what is clean text, when two states differ, what is news (may alert) or history.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from listener.core.query import Match, Place
from listener.core.sentiment import Label, Sentiment

Kind = Literal["post", "comment", "review", "article", "mail", "call"]
Arrival = Literal["live", "revision", "backfill"]
Fact = str | float | tuple[str, ...]

MAX_TEXT = 20_000
MAX_LINE = 500
MAX_COUNT = 2**53
MAX_CHANGES = 24
"""After this many changes a post that changes for ever (a counter in its text) is no longer followed."""

_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_WEB = re.compile(r"https?://[^\s\x00-\x20<>\"']+\Z", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A handle on a network; `followers` is None where the platform does not say."""

    handle: str = ""
    name: str = ""
    url: str | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """How many people reacted when the post was last seen."""

    likes: int = 0
    replies: int = 0
    shares: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One public item exactly as the platform shows it; unique by (source, realm, external_id).

    Args:
        source: the kind of place it was read from.
        realm: the name space of the id: feed URL, instance host, mailbox; empty where ids are global.
        external_id: the platform's own id.
        kind: post, comment, review, article, mail or call.
        url: where people see it; None where there is no page.
        author: who wrote it.
        title: its heading; empty where there is none.
        text: its words, as plain text.
        published_at: aware UTC; None where the platform does not say.
        rating: stars as 0 (worst) .. 1 (best); None without stars.
        in_reply_to: external id of the post it answers.
        root: external id of its thread's first post.
        engagement: reactions when seen.
    """

    source: str
    external_id: str
    realm: str = ""
    kind: Kind = "post"
    url: str | None = None
    author: Author = field(default_factory=Author)
    title: str = ""
    text: str = ""
    published_at: datetime | None = None
    rating: float | None = None
    in_reply_to: str | None = None
    root: str | None = None
    engagement: Engagement = field(default_factory=Engagement)

    @property
    def private(self) -> bool:
        """Whether the customer told us alone: read and answered in private, never quoted in public."""
        return self.kind in {"mail", "call"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One post about one brand, plus our facts.

    Args:
        id: row id in the store.
        post_id: row id of its post.
        post: the post in its present state.
        brand: the brand it is about.
        place: where it was met.
        queries: names of the queries that matched.
        words: the very words that matched.
        fingerprint: of the state that was matched.
        seen_at: when this state was first seen.
        arrival: live, revision or backfill.
        arrival_reason: why, in words.
        sentiment: None until judged.
        previous: label before the latest edit; None for a first state.
        fell: True when the stars fell with the latest edit.
        attempts: how often the present step was tried, this time included.
        topics: names of the operator's topics that it touches.
    """

    id: int
    post_id: int
    post: Post
    brand: str
    place: str
    queries: tuple[str, ...]
    words: tuple[str, ...]
    fingerprint: str
    seen_at: datetime
    arrival: Arrival
    arrival_reason: str
    sentiment: Sentiment | None = None
    previous: Label | None = None
    fell: bool = False
    attempts: int = 0
    topics: tuple[str, ...] = ()


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Make text storable: NFC, no controls, surrogates or NUL, folded blanks, at most `limit` characters."""
    if not text:
        return ""
    if text.isascii() and text.isprintable() and len(text) <= limit and "  " not in text:
        return text.strip()
    if len(text) > limit * 4:
        text = text[: limit * 4]
    text = _BAD.sub("", _BREAKS.sub("\n", text))
    if not text.isascii():
        # Only now: a control between a letter and its accent would keep them apart.
        text = unicodedata.normalize("NFC", text)
    text = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()
    return text[:limit].rstrip()


def line(text: str, limit: int = MAX_LINE) -> str:
    """Clean text down to a single line of at most `limit` characters."""
    cleaned = clean(text, limit) if text else ""
    return cleaned if cleaned.isprintable() and "  " not in cleaned else " ".join(cleaned.split())


def normalise(post: Post) -> Post:
    """The same post, fit to store: clean text, aware UTC time, a web address or none, a rating within 0..1.

    Raises:
        ValueError: the post has no external id, so it could not be told from others.
    """
    external_id = _identity(post.external_id)
    if not external_id:
        raise ValueError("the post has no id")
    author, seen = post.author, post.engagement
    return Post(
        source=post.source,
        realm=_identity(post.realm),
        external_id=external_id,
        kind=post.kind,
        url=web_address(post.url),
        author=Author(
            handle=line(author.handle, 200),
            name=line(author.name, 200),
            url=web_address(author.url),
            followers=None if author.followers is None else _count(author.followers),
        ),
        title=line(post.title),
        text=clean(post.text),
        published_at=_utc(post.published_at),
        rating=_rating(post.rating),
        in_reply_to=post.in_reply_to and _identity(post.in_reply_to),
        root=post.root and _identity(post.root),
        engagement=Engagement(likes=_count(seen.likes), replies=_count(seen.replies), shares=_count(seen.shares)),
    )


def _identity(text: str) -> str:
    """An id as one line; the end of a very long one becomes a digest, since ids may differ only there."""
    if len(text) <= 1_000:
        return line(text, 1_000)
    return f"{line(text, 900)}~{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _count(number: int) -> int:
    """A count that the database can hold and a float can tell exactly."""
    return number if 0 <= number <= MAX_COUNT else min(max(0, number), MAX_COUNT)


def _rating(stars: float | None) -> float | None:
    """Stars within 0..1; nonsense is no rating, since taken for 0 it would open a case."""
    return None if stars is None or math.isnan(stars) else min(1.0, max(0.0, float(stars)))


def web_address(url: str | None) -> str | None:
    """The address when it is http or https and holds no blank or control, else None.

    feedparser hands `javascript:` links through, so every address is checked before it is stored.
    """
    return url if url and len(url) <= 2_000 and _WEB.match(url) and not _BAD.search(url) else None


def _utc(moment: datetime | None) -> datetime | None:
    """Aware UTC in the milliseconds that are stored; a naive time is taken as UTC, as most platforms mean it."""
    if moment is None:
        return None
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def fingerprint(post: Post) -> str:
    """Name this state of a post: 32 hex digits over title, text and rating.

    Likes and replies are left out: they change all day and never change what was said.
    """
    rating = "" if post.rating is None else f"{post.rating:.4f}"
    content = "\x1f".join((post.title, post.text, rating))
    return hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the store knows of a post already: enough to decide what a new sighting means."""

    post_id: int
    fingerprint: str
    rating: float | None
    changes: int
    handle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPost:
    """A normalised post met for the first time: the brands it is about, its fingerprint, and how it arrived."""

    post: Post
    matches: tuple[Match, ...]
    fingerprint: str
    arrival: tuple[Arrival, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The circumstances in which a post was met.

    Args:
        at: when.
        first_poll: whether its place was never polled to the end before.
        horizon: posts published longer ago than this are history.
        imported: whether a person imported it, which is history unless they said otherwise.
        alert: the command said that history shall alert.
    """

    at: datetime
    first_poll: bool
    horizon: timedelta
    imported: bool = False
    alert: bool = False


def arrival(post: Post, place: Place, sighting: Sighting, seen: Seen | None) -> tuple[Arrival, str]:
    """Decide whether a post is news or history, and say why.

    The freshness rule: history is matched, judged and counted, but pages nobody.

    Args:
        post: the normalised post.
        place: where it was met.
        sighting: the circumstances.
        seen: what the store knows of it; None the first time.

    Returns:
        The arrival and its reason in words.
    """
    if sighting.alert:
        return ("revision" if seen else "live"), "imported with --alert"
    if place.history == "live":
        return ("revision" if seen else "live"), "the place plays history as live"
    if sighting.imported:
        return "backfill", "imported"
    if seen is not None:
        return "revision", "edited after it was first seen"
    if post.published_at is None:
        if sighting.first_poll:
            return "backfill", "undated and met on the place's first poll"
        return "live", "undated, new at a place polled before"
    if sighting.at - post.published_at > sighting.horizon:
        return "backfill", f"published more than {sighting.horizon} before it was seen"
    return "live", "new"


def facts(mention: Mention, sentiment: Sentiment | None = None) -> Mapping[str, Fact]:
    """Everything a route may look at, in one flat mapping by FACTS; an unknown fact is simply absent.

    Args:
        mention: the mention.
        sentiment: stands in for the mention's own, for one that was judged this moment.
    """
    post = mention.post
    found: dict[str, Fact] = {
        "source": post.source,
        "place": mention.place,
        "brand": mention.brand,
        "query": mention.queries,
        "kind": post.kind,
        "author": post.author.handle,
        "arrival": mention.arrival,
        "likes": float(post.engagement.likes),
        "replies": float(post.engagement.replies),
        "shares": float(post.engagement.shares),
        "reach": float((post.author.followers or 0) + post.engagement.likes + post.engagement.shares),
        "topic": mention.topics,
        "words": mention.words,
        "title": post.title,
        "text": post.text,
    }
    if post.rating is not None:
        found["rating"] = post.rating
    if post.author.followers is not None:
        found["followers"] = float(post.author.followers)
    sentiment = sentiment or mention.sentiment
    if sentiment is not None:
        found |= {"sentiment": sentiment.label, "certainty": sentiment.certainty}
        found |= {"score": sentiment.score, "confidence": sentiment.confidence}
    return found


FACTS = (
    "source", "place", "brand", "query", "kind", "author", "arrival", "sentiment", "certainty", "score", "confidence",
    "rating", "followers", "likes", "replies", "shares", "reach", "topic", "words", "title", "text",
)  # fmt: skip
"""Names a matcher may use; a route that names another fact is an error in the configuration."""

NUMERIC_FACTS = frozenset({"score", "confidence", "rating", "followers", "likes", "replies", "shares", "reach"})
