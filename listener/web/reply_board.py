"""The answers that are under way, by who has to do something about them: what `/replies` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from listener.core.case import Case
from listener.core.event import Actor
from listener.core.mention import Mention
from listener.core.reply import Reply, ReplyState, Stop
from listener.core.replying import Posting
from listener.web.desk import Desk

ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer in a list.

    Args:
        reply: the answer.
        case: whose it is.
        mention: what it answers; None when that is gone.
        writer: who wrote it last.
        sender: who sent it to review; empty for nobody.
        adviser: the marketer it is with; empty for nobody.
        took: from hearing the customer's words to our answer; None until it stands.
    """

    reply: Reply
    case: Case
    mention: Mention | None
    writer: str
    sender: str
    adviser: str
    took: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Answers that wait for the same thing.

    Args:
        key: names it on the page.
        title: in words.
        entries: the answers.
        none: what is said where there are none; empty: the group is left out then.
    """

    key: str
    title: str
    entries: tuple[Entry, ...]
    none: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What `/replies` shows.

    Args:
        groups: what waits, the loudest first.
        posting: what the operator allows.
        stop: the stop of all posting; None while posting goes on.
        may_stop: whether the reader may stop all posting.
        may_go_on: whether the reader may let it go on.
        any: whether there ever was an answer among those shown.
    """

    groups: tuple[Group, ...]
    posting: Posting
    stop: Stop | None
    may_stop: bool
    may_go_on: bool
    any: bool


def board(desk: Desk, by: Actor) -> Board:
    """Put the page together.

    Raises:
        StoreError: the database cannot be read.
    """
    me = by.colleague
    reader = _Reader(desk)
    asked = reader.entries("asked")
    mine = tuple(each for each in asked if me is not None and each.reply.asked_of == me.id)
    advises = me is not None and me.may("advise")
    groups = (
        Group(key="unknown", title="Nobody knows whether these stand", entries=reader.entries("unknown")),
        Group(key="failed", title="Refused there", entries=reader.entries("failed")),
        Group(
            key="mine", title="Asked of you", entries=mine,
            none="Nobody waits for your advice." if advises else "",
        ),
        Group(key="review", title="In review", entries=reader.entries("in review"), none="Nothing waits for a review."),
        Group(
            key="soon", title="About to be posted", entries=reader.entries("approved", "posting"),
            none="Nothing is about to be posted.",
        ),
        Group(key="cleared", title="Approved, to be given by hand", entries=reader.entries("cleared")),
        Group(key="asked", title="With marketing", entries=tuple(each for each in asked if each not in mine)),
        Group(key="drafts", title="Being written", entries=reader.entries("draft")),
        Group(
            key="posted", title="Lately answered", entries=reader.entries("posted", "by hand"),
            none="No customer has been answered through Listener yet.",
        ),
    )  # fmt: skip
    return Board(
        groups=groups,
        posting=desk.replies.posting,
        stop=desk.stops.stopped(),
        may_stop=me is not None and (me.may("reply") or me.may("advise")),
        may_go_on=me is not None and me.may("approve"),
        any=any(group.entries for group in groups),
    )


class _Reader:
    """Reads answers with what is shown beside them."""

    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._names: Mapping[int, str] = {each.id: each.name for each in desk.store.colleagues.all()}

    def entries(self, *states: ReplyState) -> tuple[Entry, ...]:
        """Answers in some states, a page of them."""
        return tuple(map(self._entry, self._store.replies.in_states(states, ROWS)))

    def _entry(self, reply: Reply) -> Entry:
        mention = self._store.mentions.find(reply.mention)
        took = reply.posted_at - mention.seen_at if mention and reply.posted_at else None
        return Entry(
            reply=reply,
            case=self._store.cases.get(reply.case),
            mention=mention,
            writer=self._names.get(reply.writer, "Somebody"),
            sender=self._names.get(reply.sent_by or 0, ""),
            adviser=self._names.get(reply.asked_of or 0, ""),
            took=took if took and took > timedelta() else None,
        )
