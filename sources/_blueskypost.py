"""What Bluesky shows as posts of ours, and our answers as records of Bluesky's; used by `sources.bluesky`. Pure.

Written from the lexicons `app.bsky.feed.defs#postView`, `app.bsky.notification.listNotifications`, `app.bsky.feed.post`
and `app.bsky.richtext.facet`, and from the specification of record keys (TID).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from listener.core.mention import Author, Engagement, Post
from listener.core.reply import Approval, Posted

COLLECTION = "app.bsky.feed.post"
PROFILES = "https://bsky.app/profile"
MEMBERS_ONLY = "!no-unauthenticated"
"""The label of authors who ask not to be shown to people who are not signed in to Bluesky."""

_URI = re.compile(rf"at://(did:[a-z]+:[\w.:%-]{{1,256}})/{re.escape(COLLECTION)}/([\w.~:-]{{1,512}})", re.ASCII)
_HANDLE = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_AFTER = ".,;:!?'…"
"""What ends a sentence, not a link."""
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"


def parts(uri: object) -> tuple[str, str] | None:
    """The account and the record key in a post's address; None for anything else."""
    found = _URI.fullmatch(uri) if isinstance(uri, str) else None
    return (found[1], found[2]) if found else None


def page(account: str, rkey: str) -> str:
    """Where people see a post; `account` is a handle or a did."""
    return f"{PROFILES}/{account}/post/{rkey}"


def named(handle: object, did: str) -> str:
    """The handle where it is one, else the did, which every page of Bluesky understands as well."""
    proper = isinstance(handle, str) and _HANDLE.fullmatch(handle) and handle != "handle.invalid"
    return str(handle) if proper else did


def moment(raw: Mapping[str, Any]) -> int | None:
    """When the network first showed an entry, in milliseconds since 1970; None where it does not say."""
    seen = _date(raw.get("indexedAt"))
    return None if seen is None else int(seen.timestamp() * 1000)


def members_only(raw: Mapping[str, Any]) -> bool:
    """Whether the author asks to be shown only to people who are signed in to Bluesky."""
    labels = _inner(raw, "author").get("labels")
    listed = [label for label in labels if isinstance(label, dict)] if isinstance(labels, list) else []
    return any(label.get("val") == MEMBERS_ONLY and not label.get("neg") for label in listed)


def closed(view: Mapping[str, Any]) -> str | None:
    """Why nobody would see our answer under a post, as the network shows it to us; None where nothing is in the way."""
    if _inner(view, "viewer").get("replyDisabled"):
        return "its author admits no answers from this account"
    between = _inner(_inner(view, "author"), "viewer")
    if between.get("blockedBy"):
        return "its author blocks this account"
    return "this account blocks its author" if between.get("blocking") or between.get("blockingByList") else None


def read(raw: Mapping[str, Any]) -> Post | None:
    """A post view, or the post in a notification; None where it is no post."""
    record, author, where = _inner(raw, "record"), _inner(raw, "author"), parts(raw.get("uri"))
    if where is None or not isinstance(record.get("text"), str):
        return None
    did, rkey = where
    account, reply = named(author.get("handle"), did), _inner(record, "reply")
    # The later of two dates is when people could first read it, unless an author imports old posts under old dates.
    dates = [date for date in (_date(record.get("createdAt")), _date(raw.get("indexedAt"))) if date is not None]
    return Post(
        source="bluesky",
        external_id=str(raw["uri"]),
        url=page(account, rkey),
        author=Author(handle=account, name=_words(author.get("displayName")) or account, url=f"{PROFILES}/{account}"),
        text=record["text"] or _pictures(record),
        published_at=min(dates, default=None),
        in_reply_to=_address(_inner(reply, "parent")),
        root=_address(_inner(reply, "root")),
        engagement=Engagement(
            likes=_count(raw.get("likeCount")),
            replies=_count(raw.get("replyCount")),
            shares=_count(raw.get("repostCount")) + _count(raw.get("quoteCount")),
        ),
    )


def record_key(approved: Approval, key: str) -> str:
    """The record key of an answer: always the same for the same approval, and valid as the TID posts are named by.

    Whole seconds of the approval and 30 bits of the key's digest: a moment that lost its fractions on the way through a
    database still gives the same key.
    """
    noise = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    micros = int(approved.at.timestamp()) * 1_000_000 + (noise >> 10) % 1_000_000
    number = (micros & (1 << 53) - 1) << 10 | noise & 1023
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


def answer(approved: Approval, above: Mapping[str, Any]) -> dict[str, Any]:
    """The record of an answer.

    Args:
        approved: the words and when they were approved, which is the date the answer bears.
        above: the post that is answered, as the network shows it now.
    """
    parent = {"uri": above["uri"], "cid": above["cid"]}
    record = _inner(above, "record")
    root = _inner(_inner(record, "reply"), "root")
    langs = record.get("langs")
    spoken = [lang for lang in langs if isinstance(lang, str)][:3] if isinstance(langs, list) else []
    at = approved.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    made: dict[str, Any] = {
        "$type": COLLECTION,
        "text": approved.text,
        "createdAt": at,
        "reply": {
            "root": {"uri": root["uri"], "cid": root["cid"]} if {"uri", "cid"} <= set(root) else parent,
            "parent": parent,
        },
    }
    # We answer in the customer's language.
    return (
        made | ({"langs": spoken} if spoken else {}) | ({"facets": facets} if (facets := links(approved.text)) else {})
    )


def posted(did: str, handle: str, rkey: str) -> Posted:
    """What an answer is called and where people see it."""
    return Posted(external_id=f"at://{did}/{COLLECTION}/{rkey}", url=page(named(handle, did), rkey))


def links(text: str) -> list[dict[str, Any]]:
    """The links in a text as facets, without which nobody can click them; counted in UTF-8 bytes, as Bluesky does."""
    found = []
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_AFTER)
        while link.endswith(")") and link.count(")") > link.count("("):
            link = link[:-1].rstrip(_AFTER)
        start = len(text[: match.start()].encode("utf-8", "surrogatepass"))
        span = {"byteStart": start, "byteEnd": start + len(link.encode("utf-8", "surrogatepass"))}
        found.append({"index": span, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": link}]})
    return found


def _inner(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = raw.get(name)
    return inner if isinstance(inner, dict) else {}


def _address(ref: Mapping[str, Any]) -> str | None:
    uri = ref.get("uri")
    return uri if isinstance(uri, str) and 0 < len(uri) < 1024 else None


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _pictures(record: Mapping[str, Any]) -> str:
    """What a post without words says of its pictures."""
    images = _inner(record, "embed").get("images")
    listed = images if isinstance(images, list) else []
    return "\n".join(_words(image.get("alt")) for image in listed if isinstance(image, dict)).strip()


def _date(value: object) -> datetime | None:
    try:
        date = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if date is None else (date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
