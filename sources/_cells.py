"""Turns one row of a file, whatever its columns are called, into a post; pure, called by `sources._rows`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast, get_args

from listener.core.mention import Author, Engagement, Kind, Post
from sources._dates import moment

NAMES: Mapping[str, tuple[str, ...]] = {
    "external_id": ("external_id", "id", "review_id", "tweet_id", "comment_id", "post_id"),
    "text": ("text", "body", "content", "review", "review_text", "comment", "message"),
    "title": ("title", "subject", "headline", "summary"),
    "author": ("author", "user", "username", "user_name", "handle", "reviewer", "name"),
    "published_at": ("published_at", "published", "created_at", "date", "datetime", "timestamp", "time"),
    "rating": ("rating", "stars", "star_rating"),
    "url": ("url", "link", "permalink"),
    "kind": ("kind",),
    "source": ("source",),
    "realm": ("realm",),
    "in_reply_to": ("in_reply_to", "parent_id"),
    "root": ("root", "thread_id"),
    "likes": ("likes",),
    "replies": ("replies",),
    "shares": ("shares",),
}
"""The fields of a post that a row can fill, and the column names that are understood without a mapping."""

KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the rows of a file are to be understood.

    Args:
        columns: post field -> name of its column (dots reach into nested objects); the rest is found by usual names.
        realm: name space of the ids where no column says.
        source: kind of place where no column says.
        kind: what the rows are; None: reviews where they have a rating, else posts.
        rating_min: the worst rating.
        rating_max: the best rating; 1 for ratings that are written 0 to 1.
        date_format: `strptime` format of dates that are not understood without (05/06/2026 has two readings).
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    realm: str = ""
    source: str = "file"
    kind: Kind | None = None
    rating_min: float = 1.0
    rating_max: float = 5.0
    date_format: str = ""


def post(row: Mapping[str, object], shape: Shape) -> Post:
    """One row as a post.

    Raises:
        ValueError: it cannot be one; says why.
    """
    found = _Found(row, shape)
    text, title = found.text("text"), found.text("title")
    rating = _rating(found.text("rating"), shape)
    if not text and not title and rating is None:
        raise ValueError("it has no text")
    kind = found.text("kind").casefold() or shape.kind or ("post" if rating is None else "review")
    if kind not in KINDS:
        raise ValueError(f"{kind[:40]!r} is no kind of post ({', '.join(sorted(KINDS))})")
    return Post(
        source=found.text("source") or shape.source,
        realm=found.text("realm") or shape.realm,
        external_id=found.text("external_id") or _row_id(row),
        kind=cast("Kind", kind),
        url=found.text("url") or None,
        author=_author(found.value("author")),
        title=title,
        text=text,
        published_at=moment(found.text("published_at"), shape.date_format),
        rating=rating,
        in_reply_to=found.text("in_reply_to") or None,
        root=found.text("root") or None,
        engagement=Engagement(**{name: _number(found.value(name)) for name in ("likes", "replies", "shares")}),
    )


@lru_cache(maxsize=4096)
def plain_name(column: str) -> str:
    """A column's name as it is compared: "Review ID" is review_id."""
    return column.strip().casefold().replace(" ", "_")


class _Found:
    """A row, asked by the fields of a post."""

    def __init__(self, row: Mapping[str, object], shape: Shape) -> None:
        self._row = {plain_name(key): value for key, value in row.items()}
        self._columns = shape.columns

    def value(self, name: str) -> object:
        """The raw value for a field; None where the row has none."""
        column = self._columns.get(name)
        if column is not None:
            return self._reach(plain_name(column))
        return next((self._row[key] for key in NAMES[name] if self._row.get(key) not in (None, "")), None)

    def _reach(self, column: str) -> object:
        if column in self._row or "." not in column:
            return self._row.get(column)
        found: object = self._row
        for part in column.split("."):
            found = {plain_name(str(k)): v for k, v in found.items()}.get(part) if isinstance(found, Mapping) else None
        return found

    def text(self, name: str) -> str:
        """The value as text; empty for none and for what is no text or number."""
        value = self.value(name)
        return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _rating(written: str, shape: Shape) -> float | None:
    """Stars as 0 (worst, one of five) .. 1 (best): "4/5", "4", "4,5", "★★★★☆"; None for none."""
    if not written:
        return None
    stars = written.count("★")
    if stars or "☆" in written:
        return _scaled(stars, 1, max(stars + written.count("☆"), 2 if stars < 2 else 5))
    match = re.fullmatch(r"(\d+(?:[.,]\d+)?)(?:\s*(?:/|of|out of)\s*(\d+))?(?:\s*stars?)?", written, re.IGNORECASE)
    if match is None:
        raise ValueError(f"the rating {written[:40]!r} is not understood")
    best = float(match[2]) if match[2] else shape.rating_max
    return _scaled(float(match[1].replace(",", ".")), shape.rating_min if best > 1 else 0.0, best)


def _scaled(value: float, worst: float, best: float) -> float:
    if value > best:
        raise ValueError(f"the rating {value:g} is above the best, {best:g}: set rating_max")
    return min(1.0, max(0.0, (value - worst) / (best - worst))) if best > worst else 1.0


def _author(value: object) -> Author:
    if isinstance(value, Mapping):
        handle, name, url = (str(value.get(key) or "") for key in ("handle", "name", "url"))
        followers = value.get("followers")
        return Author(
            handle=handle or name, name=name or handle, url=url or None,
            followers=followers if isinstance(followers, int) else None,
        )  # fmt: skip
    written = str(value).strip() if isinstance(value, (str, int)) else ""
    return Author(handle=written, name=written)


def _number(value: object) -> int:
    return int(value) if isinstance(value, (str, int)) and re.fullmatch(r"\d{1,12}", str(value)) else 0


def _row_id(row: Mapping[str, object]) -> str:
    """An id from the whole row; two rows that are equal in every column are one post."""
    told = json.dumps(row, sort_keys=True, default=str).encode()
    return f"row:{hashlib.blake2b(told, digest_size=12).hexdigest()}"
