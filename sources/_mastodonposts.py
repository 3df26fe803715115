"""Statuses of Mastodon as posts, and what else `sources.mastodon` must know of one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from listener.core.mention import Author, Engagement, Post
from sources._text import plain

PUBLIC = ("public", "unlisted")
"""What everybody may read; the rest was told to followers or to us alone and is never taken in."""
LONGEST_ID = 100
"""Characters; ids are kept in the cursor."""

_SPAN = re.compile(r"</?span\b[^<>]*>", re.IGNORECASE)
_MENTION = re.compile(r"@(\w[\w.-]*)@[\w.:-]*\w")


def post_of(status: Mapping[str, Any], host: str) -> Post:
    """A public status as a post.

    Args:
        status: as the instance tells it; must have an id.
        host: the instance, which is the name space of its ids.
    """
    answered = id_of(status.get("in_reply_to_id"))
    return Post(
        source="mastodon",
        realm=host,
        external_id=id_of(status["id"]),
        kind="comment" if answered else "post",
        url=_text(status.get("url")) or _text(status.get("uri")) or None,
        author=_author(_table(status.get("account")), host),
        title=_text(status.get("spoiler_text")),
        text=words(status),
        published_at=moment(status.get("created_at")),
        in_reply_to=answered or None,
        engagement=Engagement(
            likes=_count(status.get("favourites_count")),
            replies=_count(status.get("replies_count")),
            shares=_count(status.get("reblogs_count")),
        ),
    )


def is_public(status: Mapping[str, Any]) -> bool:
    """Whether everybody may read a status, and it is one of its author's own rather than a boost."""
    return status.get("visibility") in PUBLIC and not status.get("reblog")


def by(status: Mapping[str, Any]) -> str:
    """The id of the account that wrote a status; empty where it is not told."""
    return id_of(_table(status.get("account")).get("id"))


def words(status: Mapping[str, Any]) -> str:
    """What a status says, as plain text."""
    # Handles, tags and links are written in pieces, each in a span that would be taken for a word of its own.
    return plain(_SPAN.sub("", _text(status.get("content"))))


def id_of(value: object) -> str:
    """An id as text; empty for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value) if isinstance(value, str) else f"{value:d}" if abs(value) < 1 << 64 else ""
    return text if text.isprintable() and len(text) <= LONGEST_ID else ""


def handle(acct: str, host: str) -> str:
    """The full handle: accounts of the instance itself are told without it."""
    return acct if not acct or "@" in acct else f"{acct}@{host}"


def opening(post: Post) -> str:
    """How an answer begins so that its author hears of it: the instance's own accounts are named without it."""
    acct = post.author.handle.removesuffix(f"@{post.realm}")
    return f"@{acct} " if acct else ""


def same_words(one: str, other: str) -> bool:
    """Whether two texts say the same once it is allowed for what a page does to a text.

    A page shows @kim@far.example as @kim, and folds blanks.
    """
    return _folded(one) == _folded(other)


def moment(value: object) -> datetime | None:
    """A time as it is told, aware; None for what is none."""
    try:
        told = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return told.replace(tzinfo=UTC) if told is not None and told.tzinfo is None else told


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", _MENTION.sub(r"@\1", text)).split())


def _author(account: Mapping[str, Any], host: str) -> Author:
    followers = account.get("followers_count")
    return Author(
        handle=handle(_text(account.get("acct")), host),
        name=_text(account.get("display_name")),
        url=_text(account.get("url")) or None,
        followers=_count(followers) if isinstance(followers, int) else None,
    )


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
