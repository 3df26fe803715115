"""What may become of a reply: pure rules from one state to the next, as `casework.py` is for cases.

Each function gives the changed reply or raises Refused with the reason in words. Nobody posts what nobody approved:
the only way to *posting* leads through an approval that holds the digest of the very words, and what was approved to be
given by hand is given with those words or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from listener.core.colleague import Colleague, Role, lacking
from listener.core.errors import Refused
from listener.core.reply import LONGEST_REPLY, Approval, Posted, Reply, ReplyState, digest
from listener.core.reply_checks import in_state, lies_with, may, state_words
from listener.core.route import SEVERITIES, Severity

NEWS = "the conversation changed since you opened it: read the newest words first"
STALE = "somebody changed the draft since you opened it: look at it again"
LOOKS: tuple[timedelta, ...] = (
    timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1),
)  # fmt: skip
"""When an answer whose outcome is unknown is looked for, each after the last; then it waits for a colleague."""

Alone = Literal["crisis", "high", "normal", "low", "none"]
"""The worst severity on which a role sends an answer without a second pair of eyes; *none*: on none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What the operator allows.

    Args:
        on: whether Listener posts at all; otherwise answers are given by hand.
        hold: how long an approved answer waits, and can be taken back, before it is posted.
        ask_within: how long marketing has with a draft.
        alone: the worst severity that each role sends without review; roles that are absent send nothing.
        wait: how long a case waits for its customer after an answer before it is resolved.
    """

    on: bool = False
    hold: timedelta = timedelta(seconds=10)
    ask_within: timedelta = timedelta(minutes=30)
    alone: Mapping[Role, Alone] = field(default_factory=lambda: {"agent": "normal", "lead": "high", "admin": "crisis"})
    wait: timedelta = timedelta(days=7)


def alone(by: Colleague, severity: Severity, posting: Posting) -> bool:
    """Whether a colleague may send an answer to a case of this severity without review."""
    most = posting.alone.get(by.role, "none")
    return by.may("reply") and most != "none" and SEVERITIES.index(severity) >= SEVERITIES.index(most)


def rewritten(reply: Reply, text: str, by: Colleague, now: datetime, *, version: int) -> Reply:
    """Give a reply other words.

    Args:
        reply: as it is.
        text: the new words.
        by: who writes.
        now: the present.
        version: of the reply that they saw.

    Raises:
        Refused: somebody changed it meanwhile, it is not theirs to write in this state, or the words are too many.
    """
    _seen(reply, version)
    if reply.state == "asked":
        lies_with(reply, by)
    elif reply.state == "in review":
        may(by, "approve")
    elif reply.state in {"draft", "failed"}:
        may(by, "reply")
    else:
        raise Refused(f"its words cannot be changed: {state_words(reply.state)}", resource=reply.public_id)
    if len(text) > LONGEST_REPLY:
        raise Refused(f"a draft has at most {LONGEST_REPLY:,} characters", resource=reply.public_id)
    state: ReplyState = "draft" if reply.state == "failed" else reply.state
    why = "" if reply.state == "failed" else reply.why
    return replace(reply, text=text, writer=by.id, state=state, why=why, approval=None, key="", changed_at=now)


def asked(reply: Reply, of: Colleague, question: str, by: Colleague, now: datetime, posting: Posting) -> Reply:
    """Hand a draft to marketing, with a clock.

    Raises:
        Refused: it is no draft, or the colleague cannot advise.
    """
    may(by, "reply")
    in_state(reply, "draft", "only a draft can be handed to marketing")
    if not of.may("advise"):
        raise Refused(f"{of.name} cannot advise on answers (role {of.role})", resource=reply.public_id)
    return replace(
        reply, state="asked", asked_of=of.id, asked_until=now + posting.ask_within, question=question, why="",
        changed_at=now,
    )  # fmt: skip


def handed_back(reply: Reply, by: Colleague | None, now: datetime) -> Reply:
    """Take a draft back from marketing: they are done (or the agent wants it back), or, with nobody, time is up.

    Raises:
        Refused: it is not with marketing, or with somebody else.
    """
    in_state(reply, "asked", "it is not with marketing")
    if by is not None and not by.may("reply"):
        lies_with(reply, by)
    return replace(reply, state="draft", asked_of=None, asked_until=None, changed_at=now)


def submitted(reply: Reply, by: Colleague, now: datetime, *, version: int, newest: datetime) -> Reply:
    """Send a draft to review.

    Args:
        reply: as it is.
        by: who sends it.
        now: the present.
        version: of the reply that they saw.
        newest: when the newest words of the customer were first seen.

    Raises:
        Refused: it is no draft, somebody changed it, or the customer wrote since.
    """
    may(by, "reply")
    in_state(reply, "draft", "only a draft can be sent to review")
    _seen(reply, version)
    _heard(reply, newest)
    return replace(reply, state="in review", sent_by=by.id, why="", changed_at=now)


def sent_back(reply: Reply, why: str, by: Colleague, now: datetime) -> Reply:
    """Return a reply from review to its writer, with a word why.

    Raises:
        Refused: it is not in review, or the role does not allow it.
    """
    in_state(reply, "in review", "it is not in review")
    may(by, "approve")
    return replace(reply, state="draft", why=why, changed_at=now)


def recalled(reply: Reply, by: Colleague, now: datetime) -> Reply:
    """Take one's own reply back from review.

    Raises:
        Refused: it is not in review, or another colleague sent it.
    """
    may(by, "reply")
    in_state(reply, "in review", "it is not in review")
    if by.id != reply.sent_by:
        raise Refused("another colleague sent it to review", resource=reply.public_id)
    return replace(reply, state="draft", changed_at=now)


def approved(
    reply: Reply, read: str, key: str, by: Colleague, now: datetime, posting: Posting, *, newest: datetime
) -> Reply:
    """Approve the very words: from here Listener posts them once.

    Args:
        reply: as it is: a draft, or in review.
        read: digest of the words that were read.
        key: names the answer for ever.
        by: who approves.
        now: the present.
        posting: what is allowed.
        newest: when the newest words of the customer were first seen.

    Raises:
        Refused: posting is switched off, these are other words, the customer wrote since, or it takes somebody else.
    """
    if not posting.on:
        raise Refused("posting is switched off here: answer by hand, or ask the operator for [replies] post = true")
    _may_send(reply, by, posting)
    approval = _approval(reply, read, by, now)
    _heard(reply, newest)
    return replace(
        reply, state="approved", approval=approval, key=key, due_at=now + posting.hold, tries=0, why="", changed_at=now
    )


def cleared(reply: Reply, read: str, by: Colleague, now: datetime, posting: Posting, *, newest: datetime) -> Reply:
    """Approve the very words of a reply in review, to be given by hand where Listener cannot post them.

    Args:
        reply: as it is: in review.
        read: digest of the words that were read.
        by: who approves.
        now: the present.
        posting: what is allowed.
        newest: when the newest words of the customer were first seen.

    Raises:
        Refused: these are other words, the customer wrote since, or it takes somebody else.
    """
    in_state(reply, "in review", "it is not in review")
    _may_send(reply, by, posting)
    approval = _approval(reply, read, by, now)
    _heard(reply, newest)
    return replace(reply, state="cleared", approval=approval, why="", changed_at=now)


def withdrawn(reply: Reply, by: Colleague | None, now: datetime, why: str = "") -> Reply:
    """Take an approval back before anything was posted; Listener itself does so where the customer wrote meanwhile.

    Raises:
        Refused: it is not waiting to be posted, or to be given by hand, any more.
    """
    if by is not None:
        may(by, "reply")
    if reply.state != "cleared":
        in_state(reply, "approved", "it is too late: it was handed over already")
    return replace(reply, state="draft", approval=None, key="", due_at=None, why=why, changed_at=now)


def posting(reply: Reply, now: datetime) -> Reply:
    """Hand it over: kept before the first byte leaves.

    Raises:
        Refused: it is not approved, or these are not the words that were.
    """
    in_state(reply, "approved", "it is not approved")
    _approved_words(reply)
    return replace(reply, state="posting", due_at=None, tries=reply.tries + 1, changed_at=now)


def stands(reply: Reply, found: Posted, now: datetime) -> Reply:
    """It stands under the post.

    Raises:
        Refused: nobody handed it over.
    """
    if reply.state not in {"posting", "unknown"}:
        raise Refused("it was not handed over", resource=reply.public_id)
    return replace(reply, state="posted", posted=found, posted_at=now, due_at=None, why="", changed_at=now)


def unclear(reply: Reply, why: str, now: datetime) -> Reply:
    """Nobody knows whether it stands: it is looked for a few times, and never handed over again by itself."""
    if reply.state not in {"posting", "unknown"}:
        raise Refused("it was not handed over", resource=reply.public_id)
    looks = 0 if reply.state == "posting" else reply.tries
    due = now + LOOKS[looks] if looks < len(LOOKS) else None
    return replace(reply, state="unknown", why=why, due_at=due, tries=looks + 1, changed_at=now)


def put_off(reply: Reply, due: datetime, why: str, now: datetime) -> Reply:
    """Nothing was posted, for certain: try again later."""
    in_state(reply, "posting", "it was not handed over")
    return replace(reply, state="approved", due_at=due, why=why, changed_at=now)


def refused(reply: Reply, why: str, now: datetime) -> Reply:
    """The other side refused it for good: it is a draft again as soon as somebody changes it."""
    in_state(reply, "posting", "it was not handed over")
    return replace(reply, state="failed", approval=None, key="", due_at=None, why=why, changed_at=now)


def again(reply: Reply, by: Colleague, now: datetime, posting: Posting) -> Reply:
    """Hand an unknown answer over once more, under the same key, after somebody looked and did not find it.

    Raises:
        Refused: its outcome is not unknown, posting is off, or it takes somebody else.
    """
    in_state(reply, "unknown", "its outcome is known")
    if not posting.on:
        raise Refused("posting is switched off here", resource=reply.public_id)
    if not by.may("approve"):
        raise Refused(lacking(by.role, "approve"), resource=reply.public_id)
    return replace(reply, state="approved", due_at=now, tries=0, why="", changed_at=now)


def by_hand(reply: Reply, url: str, by: Colleague, now: datetime, posting: Posting) -> Reply:
    """A colleague answered elsewhere, or found an unknown answer standing, and leaves the link.

    Raises:
        Refused: it is under way or over, it takes somebody else, or the approval is for other words.
    """
    if reply.state in {"draft", "in review", "failed"}:
        _may_send(replace(reply, state="draft") if reply.state == "failed" else reply, by, posting)
    elif reply.state in {"unknown", "cleared"}:
        may(by, "reply")
        _approved_words(reply)
    else:
        raise Refused(f"that is not for now: {state_words(reply.state)}", resource=reply.public_id)
    return replace(
        reply, state="by hand", posted=Posted(external_id="", url=url or None), posted_at=now, due_at=None, why="",
        changed_at=now,
    )  # fmt: skip


def restored(reply: Reply, by: Colleague, now: datetime) -> Reply:
    """Take up a draft again that was thrown away.

    Raises:
        Refused: it was not.
    """
    may(by, "reply")
    in_state(reply, "discarded", "it was not thrown away")
    return replace(reply, state="draft", changed_at=now)


def discarded(reply: Reply, by: Colleague, now: datetime) -> Reply:
    """Throw a draft away.

    Raises:
        Refused: it was handed over, or is over.
    """
    may(by, "reply")
    if reply.state not in {"draft", "asked", "in review", "failed"}:
        raise Refused(f"it cannot be thrown away: {state_words(reply.state)}", resource=reply.public_id)
    return replace(reply, state="discarded", asked_of=None, asked_until=None, changed_at=now)


def _approval(reply: Reply, read: str, by: Colleague, now: datetime) -> Approval:
    if digest(reply.text) != read:
        raise Refused(STALE, resource=reply.public_id)
    return Approval(text=reply.text, digest=read, who=by.name, colleague=by.id, at=now)


def _approved_words(reply: Reply) -> None:
    if reply.approval is None or reply.approval.digest != digest(reply.text):
        raise Refused("the approval is for other words", resource=reply.public_id)


def _may_send(reply: Reply, by: Colleague, posting: Posting) -> None:
    """A draft takes somebody who may send alone; a reply in review, another pair of eyes or somebody who may."""
    if reply.state not in {"draft", "in review"}:
        raise Refused(f"it cannot be approved: {state_words(reply.state)}", resource=reply.public_id)
    if alone(by, reply.severity, posting):
        return
    if reply.state == "draft":
        raise Refused(f"an answer to a case of severity {reply.severity} takes a review first: send it to review")
    may(by, "approve")
    if by.id == reply.sent_by:
        raise Refused("you sent it to review: it takes another pair of eyes", resource=reply.public_id)


def _seen(reply: Reply, version: int) -> None:
    if reply.version != version:
        raise Refused(STALE, resource=reply.public_id)


def _heard(reply: Reply, newest: datetime) -> None:
    if newest > reply.heard:
        raise Refused(NEWS, resource=reply.public_id)
