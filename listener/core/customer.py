"""A customer: authors on several networks that a colleague said are one person.

Nothing here links anybody: `evidence()` says why two authors may be the same, a colleague decides. Without a customer
an author stands alone, and `Voice.key` still finds their earlier cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from listener.core.errors import Refused
from listener.core.mention import MAX_LINE, line
from listener.core.sentiment import LABELS, Label

LONGEST_NAME = 200
SHORTEST_EVIDENCE = 3
"""Handles and names shorter than this are shared by too many to say anything."""

TURN = 0.3
"""How far the mood moves, on a scale from -1 to 1, before it is called brighter or darker."""

LATELY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """An author as one network knows them.

    Args:
        source: the kind of place.
        realm: the name space of the handle, as of a post's id; empty where handles are global.
        handle: as the network shows it, never empty.
    """

    source: str
    realm: str
    handle: str

    @property
    def key(self) -> str:
        """Names the author whatever the case of the handle; the column `cases.voice` holds it."""
        return "\x1f".join((self.source, self.realm, self.handle.casefold()))

    @property
    def written(self) -> str:
        """The voice in an address or a form: source, realm and handle, each percent-encoded."""
        return "/".join(quote(part, safe="@") for part in (self.source, self.realm, self.handle))


def voice_from(written: str) -> Voice:
    """The voice in an address or a form.

    Raises:
        Refused: it is none.
    """
    parts = [line(unquote(part), MAX_LINE * 2) for part in written.split("/")]
    if len(parts) != 3 or not parts[0] or not parts[2]:
        raise Refused("that names no author; take them from a case or from the search")
    return Voice(source=parts[0], realm=parts[1], handle=parts[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One of a customer's voices, and who said so.

    Args:
        id: row id.
        voice: the author.
        at: when it was linked.
        who: the colleague's name.
    """

    id: int
    voice: Voice
    at: datetime
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Authors that a colleague said are one person; at least two while it stands.

    Args:
        id: row id, used by the store.
        public_id: opaque id used in links.
        name: as colleagues call them.
        links: their voices, oldest link first; none once it ended.
        version: counts its changes, so that only the latest act can be taken back.
        created_at: when the first two were linked.
        changed_at: when it last changed.
        ended_at: when it was merged into another or taken apart; None while it stands.
        merged_into: public id of the customer that took it in; None for most.
    """

    id: int
    public_id: str
    name: str
    links: tuple[Link, ...]
    version: int
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None = None
    merged_into: str | None = None

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The linked authors."""
        return tuple(link.voice for link in self.links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an author's newest post says of them.

    Args:
        voice: the author.
        name: as shown beside the handle; may be empty.
        url: the link in their profile; None without one.
        followers: None where the platform does not say.
    """

    voice: Voice
    name: str = ""
    url: str | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Another author who may be the same person: never linked but by a colleague.

    Args:
        profile: the other author.
        evidence: why, in words; never empty.
        cases: how many cases they have.
        customer: public id of the customer they belong to; None without one.
    """

    profile: Profile
    evidence: tuple[str, ...]
    cases: int = 0
    customer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One judged mention of a customer.

    Args:
        at: the hour under which it is counted.
        label: negative, neutral or positive.
        score: -1..1.
    """

    at: datetime
    label: Label
    score: float


def customer_name(text: str) -> str:
    """A customer's name, fit to be kept.

    Raises:
        Refused: it is empty.
    """
    kept = line(text, LONGEST_NAME)
    if not kept:
        raise Refused("a customer needs a name")
    return kept


def bare(handle: str) -> str:
    """A handle without the at sign and the server behind it, in folded case: "@Ann@example.org" is "ann"."""
    return handle.removeprefix("@").partition("@")[0].casefold()


def evidence(one: Profile, other: Profile) -> tuple[str, ...]:
    """Why two authors may be the same person, in words; empty when nothing says so."""
    if one.voice.key == other.voice.key:
        return ()
    handles = bare(one.voice.handle), bare(other.voice.handle)
    names = one.name.casefold(), other.name.casefold()
    pages = _page(one.url), _page(other.url)
    found = (
        ("the same handle", handles[0] == handles[1] and _telling(handles[0])),
        ("the same display name", names[0] == names[1] and _telling(names[0])),
        ("one's display name is the other's handle", _crossed(handles, names)),
        ("the same link in the profile", pages[0] == pages[1] and bool(pages[0])),
    )
    return tuple(words for words, holds in found if holds)


def _crossed(handles: tuple[str, str], names: tuple[str, str]) -> bool:
    if handles[0] == handles[1] or names[0] == names[1]:
        return False
    return any(_telling(name) and name == handle for name, handle in zip(names, reversed(handles), strict=True))


def _telling(text: str) -> bool:
    return len(text) >= SHORTEST_EVIDENCE


def _page(url: str | None) -> str:
    """An address without its scheme and last slash."""
    return (url or "").partition("://")[2].rstrip("/").casefold()


def mood_in_words(said: Sequence[Said]) -> str:
    """What a customer's judged mentions come to, and whether the mood turned.

    Args:
        said: oldest first.

    Returns:
        As in "6 negative, 2 positive; brighter lately". A turn takes more than three mentions and compares the last
        three with all before them.
    """
    if not said:
        return "nothing judged yet"
    counts = {label: sum(one.label == label for one in said) for label in LABELS}
    words = ", ".join(f"{n} {label}" for label, n in counts.items() if n)
    if len(said) <= LATELY:
        return words
    turned = _mean(said[-LATELY:]) - _mean(said[:-LATELY])
    how = "brighter lately" if turned > TURN else "darker lately" if turned < -TURN else "much the same lately"
    return f"{words}; {how}"


def _mean(said: Sequence[Said]) -> float:
    return sum(one.score for one in said) / len(said)
