"""What a case shows of its answer: the draft, what it answers and how, what the reader may do with it, and its words.

What may be done is asked of the rules themselves (`listener/core/replying.py`): a button is there when pressing it
would not be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from listener.casework import Way
from listener.core import replying
from listener.core.case import Case
from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import Mention
from listener.core.reply import LONGEST_REPLY, Reply, ReplyLimits, Stop, digest, measure, misfits
from listener.core.replying import Posting
from listener.core.trail import Trail
from listener.web.desk import Desk
from listener.web.wordings import Piece, Step, difference, steps

Act = Literal[
    "begin", "write", "ask", "hand back", "fetch", "submit", "send", "approve", "clear", "send back", "recall",
    "withdraw", "again", "by hand", "discard", "restore",
]  # fmt: skip

KEY_KEPT = timedelta(hours=1)
"""So long the most forgetful place (Mastodon) knows an answer that is handed over again by its key."""

RECENT = 20
"""So many newest mentions are looked through for words that the writer has not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Words that a form brought and that were not kept, with the version they were written on."""

    text: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Somebody else's words beside those that were typed.

    Args:
        who: whose they are.
        text: their words.
        pieces: how the typed ones differ from them.
    """

    who: str
    text: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """The answer of a case, for its page.

    Args:
        reply: the one under way; None without one.
        mention: what it answers, or what one that is begun would; None when no mention is left.
        way: how that is answered.
        text: what stands in the field: the draft, or what the reader typed and could not be kept.
        most: characters it may have.
        length: characters it has, as the place counts them.
        misfits: what stands against posting it, in words.
        acts: what the reader may do.
        steps: how the words changed hands, oldest first.
        news: what the customer said since the writer read the conversation, oldest first.
        newest: when the newest words were seen, which the reader of this page has read.
        names: of colleagues, by row id.
        marketers: who can be asked for advice, those on duty first.
        posting: what the operator allows.
        stop: the stop of all posting; None while posting goes on.
        digest: of the reply's words.
        clash: what somebody else wrote meanwhile; None for most.
        refusal: why something was not done; empty when nothing was refused.
        dropped: the reader's own draft that was thrown away last, if nothing followed.
        key_old: whether the place may have forgotten the answer's key, so that handing it over again may post it twice.
    """

    reply: Reply | None
    mention: Mention | None
    way: Way
    text: str
    most: int
    length: int
    misfits: tuple[str, ...]
    acts: frozenset[Act]
    steps: tuple[Step, ...]
    news: tuple[Mention, ...]
    newest: datetime | None
    names: Mapping[int, str]
    marketers: tuple[Colleague, ...]
    posting: Posting
    stop: Stop | None
    digest: str
    clash: Clash | None = None
    refusal: str = ""
    dropped: Reply | None = None
    key_old: bool = False

    @property
    def looks(self) -> int:
        """How often an answer of unknown outcome has been looked for."""
        return 0 if self.reply is None else max(0, self.reply.tries - 1)

    def name(self, colleague: int | None) -> str:
        """A colleague's name."""
        return self.names.get(colleague or 0, "Somebody")


def composer(desk: Desk, case: Case, by: Actor, typed: Typed | None = None, refusal: str = "") -> Composer:
    """Put the answer of a case together.

    Args:
        desk: the application.
        case: the case.
        by: who reads.
        typed: what a form brought that was refused.
        refusal: why.

    Raises:
        StoreError: the database cannot be read.
    """
    store, me = desk.store, by.colleague
    replies = store.replies.of_case(case.id)
    reply = next((each for each in replies if not each.ended), None)
    mentions = store.mentions.of_case(case.id, RECENT)
    mention = store.mentions.find(reply.mention) if reply else next(iter(mentions), None)
    way = desk.replies.way(mention) if mention else Way(refusal=None, limits=ReplyLimits())
    text = typed.text if typed else reply.text if reply else ""
    colleagues = store.colleagues.all()
    names = {each.id: each.name for each in colleagues}
    acts = acts_of(reply, case, me, desk, way, mention)
    last = replies[-1] if replies else None
    return Composer(
        reply=reply,
        mention=mention,
        way=way,
        text=text,
        most=LONGEST_REPLY if way.limits.limit is None else way.limits.limit,
        length=measure(text, way.limits),
        misfits=misfits(text, way.limits) if reply and text.strip() else (),
        acts=acts,
        steps=steps(store.replies.wordings(reply.id)) if reply else (),
        news=tuple(each for each in reversed(mentions) if reply and each.seen_at > reply.heard),
        newest=store.replies.newest(case.id),
        names=names,
        marketers=marketers(colleagues, me) if "ask" in acts else (),
        posting=desk.replies.posting,
        stop=desk.stops.stopped(),
        digest=digest(reply.text) if reply else "",
        clash=clash(reply, typed, names) if reply and typed else None,
        refusal=refusal,
        key_old=bool(reply and reply.approval and desk.clock() - reply.approval.at >= KEY_KEPT),
        dropped=last if last and last.state == "discarded" and me and me.id in {last.author, last.writer} else None,
    )


def clash(reply: Reply, typed: Typed, names: Mapping[int, str]) -> Clash | None:
    """What stands there beside what was typed, if they differ."""
    mine = typed.text.replace("\r\n", "\n").rstrip()
    if mine == reply.text:
        return None
    return Clash(who=names.get(reply.writer, "Somebody"), text=reply.text, pieces=difference(reply.text, mine))


def marketers(colleagues: tuple[Colleague, ...], me: Colleague | None) -> tuple[Colleague, ...]:
    """Who can be asked for advice: those on duty first, and marketers before leads."""
    found = [each for each in colleagues if each.may("advise") and each != me]
    return tuple(sorted(found, key=lambda each: (not each.on_duty, each.role != "marketer", each.name.casefold())))


def acts_of(
    reply: Reply | None, case: Case, me: Colleague | None, desk: Desk, way: Way, mention: Mention | None
) -> frozenset[Act]:
    """What somebody may do with the answer of a case now."""
    if me is None:
        return frozenset()
    now, posting = desk.clock(), desk.replies.posting
    if reply is None:
        free = case.assignee == me.id or not case.held(now)
        begins = me.may("reply") and mention is not None and case.status != "resolved" and free
        found: frozenset[Act] = frozenset({"begin", "restore"} if begins else set())
        return found
    tried = _tries(reply, me, now, replace(posting, on=True))
    allowed = {act for act, attempt in tried.items() if _works(attempt)}
    allowed -= {"clear"} if way.refusal is None else {"send", "approve"}
    return frozenset(allowed)


def _tries(reply: Reply, me: Colleague, now: datetime, posting: Posting) -> Mapping[Act, Callable[[], Reply]]:
    """Each act as it would be done, with everything read and nothing changed by others."""
    read, version = reply.heard, reply.version
    # What was refused there becomes a draft again in the same breath.
    draft = replace(reply, state="draft") if reply.state == "failed" else reply
    key, words = "k", digest(reply.text)
    alone: dict[Act, Callable[[], Reply]] = {
        "send" if draft.state == "draft" else "approve": lambda: replying.approved(
            draft, words, key, me, now, posting, newest=read
        )
    }
    return {
        **alone,
        "clear": lambda: replying.cleared(reply, words, me, now, posting, newest=read),
        "write": lambda: replying.rewritten(reply, reply.text, me, now, version=version),
        "ask": lambda: replying.asked(draft, replace(me, role="lead", only=None), "", me, now, posting),
        "submit": lambda: replying.submitted(draft, me, now, version=version, newest=read),
        "hand back": lambda: _if(reply.asked_of == me.id, lambda: replying.handed_back(reply, me, now)),
        "fetch": lambda: _if(reply.asked_of != me.id, lambda: replying.handed_back(reply, me, now)),
        "send back": lambda: _if(reply.sent_by != me.id, lambda: replying.sent_back(reply, "why", me, now)),
        "recall": lambda: replying.recalled(reply, me, now),
        "withdraw": lambda: replying.withdrawn(reply, me, now),
        "again": lambda: replying.again(reply, me, now, posting),
        "by hand": lambda: replying.by_hand(reply, "", me, now, posting),
        "discard": lambda: replying.discarded(reply, me, now),
    }


def _if(condition: bool, act: Callable[[], Reply]) -> Reply:
    if not condition:
        raise Refused("that is for somebody else")
    return act()


def _works(act: Callable[[], Reply]) -> bool:
    try:
        act()
    except Refused:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer of ours in the conversation.

    Args:
        reply: posted, or given by hand.
        who: who wrote it.
        approver: who approved its words; empty where somebody gave it by hand without.
    """

    reply: Reply
    who: str
    approver: str


def answered(desk: Desk, case: Case, trails: tuple[Trail, ...]) -> Mapping[int, tuple[Answered, ...]]:
    """Our answers that stand, by the id of the mention after which they come; 0 for those before the first."""
    found: dict[int, tuple[Answered, ...]] = {}
    replies = [each for each in desk.store.replies.of_case(case.id) if each.posted_at is not None]
    names = {each.id: each.name for each in desk.store.colleagues.all()} if replies else {}
    for reply in replies:
        place = 0
        for trail in trails:
            said = trail.mention.post.published_at or trail.mention.seen_at
            if trail.mention.id == reply.mention or (reply.posted_at is not None and said <= reply.posted_at):
                place = trail.mention.id
        one = Answered(
            reply=reply,
            who=names.get(reply.writer, "Somebody"),
            approver=reply.approval.who if reply.approval else "",
        )
        found[place] = (*found.get(place, ()), one)
    return found
