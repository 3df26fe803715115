"""A case: one customer's matter about one brand, the staff's unit of work.

`case_key()` says which mentions are one matter; `joins()` says whether a new mention reopens a resolved one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from listener.core.mention import Mention
from listener.core.route import Severity

Status = Literal["open", "acknowledged", "snoozed", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One customer's matter about one brand.

    Args:
        id: row id, used by the store.
        public_id: opaque id used in links.
        key: what makes it one matter, see `case_key()`.
        brand: the brand it is about.
        route: name of the route that opened it.
        reason: why it was opened, in words.
        severity: crisis, high, normal or low; only ever raised.
        status: open, acknowledged, snoozed or resolved.
        headline: the newest complaint's first words, one line.
        author: the customer's handle, or empty.
        opened_at: when.
        changed_at: when a mention last joined or the status last changed.
        resolved_at: None while unresolved.
        mentions: how many joined.
    """

    id: int
    public_id: str
    key: str
    brand: str
    route: str
    reason: str
    severity: Severity
    status: Status
    headline: str
    author: str
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None
    mentions: int


def case_key(mention: Mention) -> str:
    """Name the matter: brand, author in that realm, thread root where there is one; without an author, the post.

    Fifty people complaining under one post are fifty cases in one bundle: each wants an answer.
    """
    post = mention.post
    author = post.author.handle.casefold()
    if not author:
        return "\x1f".join((mention.brand, post.source, post.realm, "post", post.external_id))
    root = post.root or ("" if post.in_reply_to is None else post.in_reply_to)
    return "\x1f".join((mention.brand, post.source, post.realm, "author", author, root))


def joins(case: Case, now: datetime, window: timedelta) -> bool:
    """Whether a new mention with the same key belongs to this case rather than opening another."""
    return case.resolved_at is None or now - case.resolved_at <= window


def headline(mention: Mention) -> str:
    """The first words of a mention, for lists and messages: at most 140 characters on one line."""
    post = mention.post
    text = " ".join((post.text or post.title).split())
    return text if len(text) <= 140 else f"{text[:139].rstrip()}…"
