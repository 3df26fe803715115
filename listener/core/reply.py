"""A public answer: its words, who approved them, and what it must keep to.

What may become of a reply is in `replying.py`; `listener/casework/replies.py` does what colleagues ask,
`listener/pipeline/post.py` posts what is approved.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from listener.core.errors import Refused
from listener.core.mention import web_address
from listener.core.note import note_text
from listener.core.route import Severity

ReplyState = Literal[
    "draft", "asked", "in review", "approved", "cleared",
    "posting", "posted", "unknown", "failed", "by hand", "discarded",
]  # fmt: skip
"""*asked*: with marketing; *cleared*: approved, to be given by hand; *posting*: handed over, no answer yet; *unknown*:
handed over, and it may stand there; *by hand*: a colleague answered elsewhere and left the link."""

ENDED: frozenset[ReplyState] = frozenset({"posted", "by hand", "discarded"})
"""A case has at most one reply in another state."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to one mention of a case, from its draft on.

    Args:
        id: row id, used by the store.
        public_id: opaque id used in links.
        case: row id of the case.
        mention: row id of the mention it answers.
        place: name of the place through which it is posted.
        severity: of the case when the reply was last read.
        text: its words.
        version: counts its changes; a page that shows an older one says so.
        state: see `ReplyState`.
        heard: when the newest words of the case's customer, that the writer knew, were first seen.
        author: row id of the colleague who began it.
        writer: row id of the colleague who last changed its words.
        sent_by: row id of the colleague who sent it to review; None while nobody did.
        asked_of: row id of the marketer it is with; None outside *asked*.
        asked_until: when it comes back by itself; None outside *asked*.
        question: what marketing was asked; may be empty.
        approval: who approved which words; None until somebody did, and again once the words change.
        key: names the answer to the other side, the same in every try; empty until it is approved.
        due_at: when it is posted, or looked for; None while neither is planned.
        tries: how often it was handed over or looked for since it was approved.
        why: what stands in the way, in words: a refusal, a doubt, a reviewer's reason; may be empty.
        posted: what the other side calls it; None until it stands.
        created_at: when it was begun.
        changed_at: when its state or its words last changed.
        posted_at: when it was found to stand; None until then.
    """

    id: int
    public_id: str
    case: int
    mention: int
    place: str
    severity: Severity
    text: str
    version: int
    state: ReplyState
    heard: datetime
    author: int
    writer: int
    created_at: datetime
    changed_at: datetime
    sent_by: int | None = None
    asked_of: int | None = None
    asked_until: datetime | None = None
    question: str = ""
    approval: Approval | None = None
    key: str = ""
    due_at: datetime | None = None
    tries: int = 0
    why: str = ""
    posted: Posted | None = None
    posted_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing becomes of it any more."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of a reply as one colleague left them; the difference between two is what somebody changed.

    Args:
        who: the colleague's name at that time.
        at: when they last changed them.
        state: of the reply while they wrote: draft, asked or in review.
        text: the words.
    """

    who: str
    at: datetime
    state: ReplyState
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """All posting is stopped: since when, by whom, why."""

    at: datetime
    who: str
    why: str


def digest(text: str) -> str:
    """SHA-256 of the words in UTF-8, as hexadecimal digits: what an approval is good for."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def reply_text(text: str) -> str:
    """Words as they are posted: line breaks as one character, no NUL and no half characters, no blanks at the end."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return whole.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def reason_text(why: str) -> str:
    """Why something is sent back or stopped, fit to be kept.

    Raises:
        Refused: nothing was said, or too much.
    """
    if not why.strip():
        raise Refused("say why, in a few words")
    return note_text(why)


def reply_link(url: str) -> str:
    """A link to an answer, fit to be kept; empty where there is none.

    Raises:
        Refused: it is no link.
    """
    kept = url.encode("utf-8", "replace").decode("utf-8").strip()
    if kept and web_address(kept) is None:
        raise Refused("the link to the answer begins with https:// or http://, or is left empty")
    return kept


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
