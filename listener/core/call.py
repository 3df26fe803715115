"""A call: what a customer said by phone or at the counter, written down by a colleague.

It becomes a post of the kind `call`, private, and walks the same path as any other post. The mood is the colleague's
to say: they heard the voice, the model would only read the summary. So it is kept as a label that a person settled,
not as stars that the customer never gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from listener.core.errors import Refused
from listener.core.mention import Author, Post, clean, line
from listener.core.protocols import Capabilities
from listener.core.sentiment import Label

SOURCE = "call"
PLACE = "calls"
LONGEST_KEY = 100

Way = Literal["phone", "counter", "other"]
WAYS: tuple[Way, ...] = get_args(Way)

CAPABILITIES = Capabilities(
    window="none: a colleague writes each one down", latency="seconds", reply=False, edits=False, identity=True
)
"""What calls can and cannot do: nobody can answer one in public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a colleague fills in.

    Args:
        key: tells this call from others of the same colleague, so that sending it twice logs it once.
        brand: the brand it is about.
        words: what the customer said.
        mood: as the colleague heard it.
        topic: in a few words; may be empty.
        way: phone, counter or other.
        customer: their name or number; may be empty.
        call_back: whether they want to be called back.
    """

    key: str
    brand: str
    words: str
    mood: Label
    topic: str = ""
    way: Way = "phone"
    customer: str = ""
    call_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was logged.

    Args:
        post_id: row id of its post.
        mention_id: row id of its mention of the brand.
        brand: the brand it is about.
        topic: in a few words; may be empty.
        words: what the customer said.
        way: phone, counter or other.
        customer: their name or number; may be empty.
        call_back: whether they want to be called back.
        mood: as the colleague heard it; None once taken back.
        who: the colleague's name.
        colleague: row id of the colleague.
        at: when it was logged.
        event: row id of the event by which it can be taken back.
        waiting: whether it is still to be judged or routed.
        case: public id of its case; None without one.
        gone_at: when it was taken back; None while it counts.
    """

    post_id: int
    mention_id: int
    brand: str
    topic: str
    words: str
    way: Way
    customer: str
    call_back: bool
    mood: Label | None
    who: str
    colleague: int
    at: datetime
    event: int
    waiting: bool
    case: str | None
    gone_at: datetime | None = None


def post_of_call(told: Told, colleague: int, now: datetime) -> Post:
    """The call as a post.

    Args:
        told: what the colleague filled in.
        colleague: row id of the colleague; keys of two colleagues never meet.
        now: the present.

    Raises:
        Refused: it has no words, no key, or a key that is too long.
    """
    words, topic = clean(told.words), line(told.topic)
    if not words:
        raise Refused("a call needs words: what did the customer say?")
    key = line(told.key)
    if not key or len(key) > LONGEST_KEY:
        raise Refused(f"a call needs a key of 1 to {LONGEST_KEY} characters, by which a repeat is known")
    return Post(
        source=SOURCE, external_id=f"{colleague}-{key}", kind="call", author=Author(handle=line(told.customer, 200)),
        title=topic, text=words, published_at=now,
    )  # fmt: skip
