"""A public answer: its words, who approved them, and the way from a draft to an answer that stands under the post.

Pure rules from one state of a reply to the next; `listener/casework/replies.py` writes the result with its event in one
transaction, `listener/pipeline/post.py` posts what is approved.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

LONGEST_REPLY = 20_000
"""Characters of a draft, wherever it goes."""

_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLimits:
    """What an answer to one post must keep to.

    Args:
        limit: most characters (code points); None without a limit.
        link_length: what every link counts as; None: as long as it is written.
        links: why links are not to be used, in words; None where they may.
        opening: how an answer begins so that the customer hears of it, as in "@kim@example.org "; may be empty. It is
            put into a new draft and part of what is approved.
    """

    limit: int | None = None
    link_length: int | None = None
    links: str | None = None
    opening: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved which very words.

    Args:
        text: the words.
        digest: of the words, see `digest()`.
        who: the colleague's name at that time.
        colleague: row id of the colleague.
        at: when.
    """

    text: str
    digest: str
    who: str
    colleague: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An answer that stands.

    Args:
        external_id: what the platform calls it, in the realm of the post that was answered.
        url: where people see it; None where there is no page.
    """

    external_id: str
    url: str | None = None


def digest(text: str) -> str:
    """SHA-256 of the words in UTF-8, as hexadecimal digits: what an approval is good for."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def measure(text: str, limits: ReplyLimits) -> int:
    """How many characters a text counts as under these limits."""
    if limits.link_length is None:
        return len(text)
    links = _LINK.findall(text)
    return len(text) - sum(map(len, links)) + limits.link_length * len(links)


def misfits(text: str, limits: ReplyLimits) -> tuple[str, ...]:
    """What stands against posting this text, in words; empty when nothing does."""
    found = []
    if not text.removeprefix(limits.opening).strip():
        found.append("it says nothing yet")
    most = LONGEST_REPLY if limits.limit is None else limits.limit
    if (length := measure(text, limits)) > most:
        found.append(f"it is {length - most} characters too long: {length} of {most}")
    if limits.links is not None and _LINK.search(text):
        found.append(f"it holds a link: {limits.links}")
    if (name := limits.opening.strip()) and name not in text:
        found.append(f"it does not name {name}, who would not hear of it")
    return tuple(found)
