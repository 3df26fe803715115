"""Answers as programs read and send them: the shapes of the JSON, and how an answer is put into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from listener.core.reply import Reply, ReplyState, digest, measure, misfits
from listener.core.route import Severity
from listener.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginJson:
    """Which mention is answered; null: the newest of the case."""

    mention: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftJson:
    """The words. `version` is the one they were made from; `heard` is how far the conversation was read, null: as
    before."""

    text: str
    version: int
    heard: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionJson:
    """Whom to ask, by handle, and what."""

    of: str
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJson:
    """The version that goes to review, and how far the conversation was read."""

    version: int
    heard: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveJson:
    """The digest of the very words that were read, as `digest` gives it, and how far the conversation was read."""

    digest: str
    heard: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonJson:
    """Why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHandJson:
    """Where the answer stands; empty where it has no page."""

    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedJson:
    """Who approved which words."""

    who: str
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyJson:
    """An answer. Colleagues are handles. `heard` is how far its writer read the conversation and `newest` how far it
    goes; `by_hand` says why Listener cannot post it, null when it can; `misfits` what stands against its words."""

    id: str
    case: str
    mention: int
    place: str
    state: ReplyState
    severity: Severity
    text: str
    digest: str
    version: int
    length: int
    most: int | None
    misfits: list[str]
    by_hand: str | None
    heard: datetime
    newest: datetime
    author: str | None
    writer: str | None
    sent_by: str | None
    asked_of: str | None
    asked_until: datetime | None
    question: str
    approved: ApprovedJson | None
    due_at: datetime | None
    tries: int
    why: str
    url: str | None
    created_at: datetime
    changed_at: datetime
    posted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliesJson:
    """Answers: those that wait, the longest unchanged first; those that ended, the newest first."""

    replies: list[ReplyJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingJson:
    """The words as one colleague left them."""

    who: str
    at: datetime
    state: ReplyState
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWholeJson:
    """An answer, and how its words changed hands, oldest first."""

    reply: ReplyJson
    wordings: list[WordingJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingJson:
    """Whether Listener posts at all here, and the stop of all posting; null while none stands."""

    on: bool
    hold_seconds: float
    stopped: StopJson | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopJson:
    """Who stopped all posting, when and why."""

    who: str
    at: datetime
    why: str


def reply_json(desk: Desk, reply: Reply, named: Mapping[int, str]) -> ReplyJson:
    """An answer as programs read it.

    Args:
        desk: the application.
        reply: the answer.
        named: handles of colleagues, by row id.
    """
    mention = desk.store.mentions.find(reply.mention)
    way = desk.replies.way(mention) if mention else None
    approval = reply.approval
    return ReplyJson(
        id=reply.public_id,
        case=desk.store.cases.get(reply.case).public_id,
        mention=reply.mention,
        place=reply.place,
        state=reply.state,
        severity=reply.severity,
        text=reply.text,
        digest=digest(reply.text),
        version=reply.version,
        length=measure(reply.text, way.limits) if way else len(reply.text),
        most=way.limits.limit if way else None,
        misfits=list(misfits(reply.text, way.limits)) if way else [],
        by_hand=way.refusal if way else None,
        heard=reply.heard,
        newest=desk.store.replies.newest(reply.case) or reply.heard,
        author=named.get(reply.author),
        writer=named.get(reply.writer),
        sent_by=named.get(reply.sent_by or 0),
        asked_of=named.get(reply.asked_of or 0),
        asked_until=reply.asked_until,
        question=reply.question,
        approved=ApprovedJson(who=approval.who, at=approval.at, digest=approval.digest) if approval else None,
        due_at=reply.due_at,
        tries=reply.tries,
        why=reply.why,
        url=reply.posted.url if reply.posted else None,
        created_at=reply.created_at,
        changed_at=reply.changed_at,
        posted_at=reply.posted_at,
    )
