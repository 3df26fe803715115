"""A case's history: what was heard, judged and told, merged with what colleagues did. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from listener.casework.undo import UNDO_FOR
from listener.core.case import Case
from listener.core.colleague import Colleague
from listener.core.delivery import Delivery, Try
from listener.core.event import Event
from listener.core.trail import Trail

ACTS = {
    "opened": "Case opened", "grown": "A mention joined", "returned": "The customer wrote again: reopened",
    "claimed": "Claimed by {who}", "released": "Given back by {who}", "lapsed": "The claim ran out",
    "assigned": "Assigned by {who}", "snoozed": "Snoozed by {who}", "woke": "The snooze ended",
    "resolved": "Resolved by {who}", "reopened": "Reopened by {who}", "noted": "Note by {who}",
    "merged": "Merged by {who}", "corrected": "Label corrected by {who}", "settled": "Unsure label settled by {who}",
    "not us": "Not about us, says {who}",
    "overdue": "A promise was broken", "undone": "Taken back by {who}",
    "remedy given": "Remedy given by {who}", "remedy proposed": "Remedy proposed by {who}",
    "remedy approved": "Remedy approved by {who}", "remedy declined": "Remedy declined by {who}",
    "remedy withdrawn": "Remedy withdrawn by {who}", "remedy done": "The customer has it, says {who}",
    "remedy outcome": "Outcome of a remedy told by {who}",
    "drafted": "Answer begun by {who}", "asked marketing": "Marketing asked by {who}",
    "advised": "Draft back from marketing", "sent to review": "Answer sent to review by {who}",
    "sent back": "Answer sent back by {who}", "approved": "Answer approved by {who}",
    "approval withdrawn": "Approval taken back by {who}", "handed over": "Answer handed over to be posted",
    "answered": "The answer stands", "answer unknown": "Nobody knows whether the answer stands",
    "answer refused": "The answer was refused there", "answered by hand": "Answered by hand by {who}",
    "draft discarded": "Draft thrown away by {who}", "draft restored": "Draft taken up again by {who}",
    "answer returned": "The answer did not arrive", "automatic answer": "The customer's mailbox answered by itself",
    "silent": "The customer had nothing more to say: ended as answered",
}  # fmt: skip
"""What happened, in words; other acts are shown as they are written."""

TONES = {
    "resolved": "good", "answered": "good", "answered by hand": "good", "silent": "good", "overdue": "bad",
    "lapsed": "bad", "answer unknown": "bad", "answer refused": "bad", "answer returned": "bad",
}  # fmt: skip

DONE = {
    "claimed": "Claimed: it is yours", "released": "Given back: it waits for everybody", "assigned": "Assigned",
    "snoozed": "Snoozed", "resolved": "Resolved", "reopened": "Reopened: it is yours", "noted": "Note kept",
    "merged": "Merged", "corrected": "Label corrected", "not us": "Ended as not about us", "undone": "Taken back",
    "remedy given": "Given:", "remedy proposed": "Waits for a decision:", "remedy approved": "Approved:",
    "remedy declined": "Declined:", "remedy withdrawn": "Withdrawn:", "remedy done": "The customer has it:",
    "remedy outcome": "Outcome kept:",
}  # fmt: skip
"""What somebody is told right after doing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a case's history.

    Args:
        at: when.
        what: in words.
        detail: more in words; may be empty.
        tone: good, bad or empty.
        undo: row id of the event if the reader may take it back now, else None.
    """

    at: datetime
    what: str
    detail: str = ""
    tone: str = ""
    undo: int | None = None


def history(
    case: Case, trails: Sequence[Trail], deliveries: Sequence[Delivery], events: Sequence[Event],
    me: Colleague | None, now: datetime,
) -> tuple[Line, ...]:  # fmt: skip
    """Everything about a case, oldest first."""
    lines: list[Line] = []
    # The sort below is stable: at equal times what led to the case stands before it.
    for trail in reversed(trails):
        lines += _heard(trail)
    known = {event.act for event in events}
    if "opened" not in known:
        lines.append(Line(at=case.opened_at, what="Case opened"))
    lines += [_done(event, case, me, now) for event in events]
    for delivery in deliveries:
        lines += [_tried(delivery, one) for one in delivery.tries]
    if case.resolved_at and not known & {"resolved", "not us", "merged"}:
        lines.append(Line(at=case.resolved_at, what="Resolved", tone="good"))
    return tuple(sorted(lines, key=lambda line: line.at))


def may_undo(event: Event, case: Case, me: Colleague | None, now: datetime) -> bool:
    """Whether somebody may still take an event back: their own, the case's latest change, minutes ago."""
    return (
        me is not None
        and event.colleague == me.id
        and event.act in DONE
        and event.act != "undone"
        and event.version == case.version
        and now - event.at <= UNDO_FOR
    )


def _done(event: Event, case: Case, me: Colleague | None, now: datetime) -> Line:
    way = {"api": ", through the API", "command": ", by a command"}.get(event.via, "")
    return Line(
        at=event.at,
        what=ACTS.get(event.act, event.act.capitalize()).format(who=event.who) + way,
        detail=event.detail,
        tone=TONES.get(event.act, ""),
        undo=event.id if may_undo(event, case, me, now) else None,
    )


def _heard(trail: Trail) -> Iterator[Line]:
    mention = trail.mention
    post = mention.post
    kind = post.kind.capitalize()
    first = trail.revisions[0].seen_at if trail.revisions else mention.seen_at
    if post.published_at and first - post.published_at > timedelta(minutes=2):
        yield Line(at=post.published_at, what=f"{kind} published", detail=f"on {post.source}")
    yield Line(at=first, what=f"{kind} heard", detail=f"at {mention.place}")
    if trail.revisions:
        yield Line(at=mention.seen_at, what=f"{kind} edited by its author")
    if trail.judged_at and trail.verdict:
        sure = "" if trail.verdict.certainty == "confident" else ", unsure"
        yield Line(at=trail.judged_at, what=f"Judged {trail.verdict.label}{sure}", detail=f"by {trail.verdict.scorer}")


def _tried(delivery: Delivery, one: Try) -> Line:
    if one.outcome == "accepted":
        return Line(at=one.tried_at, what=f"{delivery.channel} told", detail=delivery.why or "", tone="good")
    if one.outcome == "dropped":
        return Line(at=one.tried_at, what=f"{delivery.channel} no longer told", detail=one.error or "")
    return Line(at=one.tried_at, what=f"{delivery.channel} could not be told", detail=one.error or "", tone="bad")
