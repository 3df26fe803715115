"""What colleagues may do with a case: pure rules from one state of a case to the next.

Each function gives the changed case or raises Refused with the reason in words. The caller writes the result, its event
and nothing else in one transaction (`listener/casework/`). Overdue clocks and claims that run out are the same kind of
rule, with Listener itself as the actor.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from listener.core.case import Case, Outcome
from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.route import SLA, worst

LONGEST_SNOOZE = timedelta(days=90)


def claim(case: Case, by: Colleague, now: datetime, lease: timedelta, holder: Colleague | None) -> Case:
    """Take a case, or renew one's claim.

    Args:
        case: as it is.
        by: who takes it.
        now: the present.
        lease: how long the claim holds without further work on the case.
        holder: the colleague in `case.assignee`, for the words of a refusal.

    Raises:
        Refused: it is resolved, or another colleague's claim is in force.
    """
    _unresolved(case)
    if case.held(now) and case.assignee != by.id:
        raise Refused(f"{_named(holder)} has it until {case.claimed_until:%H:%M} UTC", resource=case.public_id)
    return _taken(case, by.id, now, lease)


def release(case: Case, by: Colleague, now: datetime, holder: Colleague | None) -> Case:
    """Give a claim back: the case waits for anybody again.

    Raises:
        Refused: nobody has it, or another colleague does and one may not take over.
    """
    if case.status != "acknowledged":
        raise Refused("nobody has claimed it", resource=case.public_id)
    mine_or_free(case, by, now, holder)
    return replace(case, status="open", assignee=None, claimed_until=None, changed_at=now)


def assign(case: Case, to: Colleague, by: Colleague, now: datetime, lease: timedelta, holder: Colleague | None) -> Case:
    """Give a case to a colleague, who has it from now on.

    Raises:
        Refused: it is resolved, they cannot work on cases, or another has it and one may not take over.
    """
    _unresolved(case)
    if not to.may("work"):
        raise Refused(f"{to.name} cannot work on cases (role {to.role})", resource=case.public_id)
    if to.id != by.id and not by.may("assign"):
        raise Refused("giving cases to others takes the role lead or admin", resource=case.public_id)
    mine_or_free(case, by, now, holder)
    return _taken(case, to.id, now, lease)


def snooze(case: Case, until: datetime, by: Colleague, now: datetime, holder: Colleague | None) -> Case:
    """Put a case aside until a time; a new mention brings it back earlier. Its promises run on.

    Raises:
        Refused: the time is past or beyond 90 days, it is resolved, or another colleague has it.
    """
    _unresolved(case)
    mine_or_free(case, by, now, holder)
    if not now < until <= now + LONGEST_SNOOZE:
        raise Refused("a snooze ends in the future, within 90 days", resource=case.public_id)
    return replace(
        case, status="snoozed", snoozed_until=until, claimed_until=None, changed_at=now,
        assignee=case.assignee if case.assignee is not None else by.id,
        acknowledged_at=case.acknowledged_at or now,
    )  # fmt: skip


def woke(case: Case, now: datetime, lease: timedelta) -> Case:
    """End a snooze: back to who put it aside, with a fresh claim, else to everybody."""
    if case.assignee is None:
        return replace(case, status="open", snoozed_until=None, changed_at=now)
    return _taken(case, case.assignee, now, lease)


def answered(case: Case, now: datetime, until: datetime) -> Case:
    """Our answer stands: the clock of the reply stops, and the case waits for its customer."""
    replied = replace(case, replied_at=case.replied_at or now, acknowledged_at=case.acknowledged_at or now)
    if case.status == "resolved":
        return replace(replied, changed_at=now)
    return replace(replied, status="waiting", claimed_until=None, snoozed_until=until, changed_at=now)


def heard_again(case: Case, now: datetime, lease: timedelta) -> Case:
    """The customer of a waiting case wrote: who has it has it again, and the next answer is promised like the first."""
    since = case.clocks_from or case.opened_at
    reply_by = None if case.reply_by is None else now + (case.reply_by - since)
    back = replace(case, clocks_from=now, reply_by=reply_by, replied_at=None, acknowledge_by=None)
    if case.assignee is None:
        return replace(back, status="open", snoozed_until=None, changed_at=now)
    return _taken(back, case.assignee, now, lease)


def silent(case: Case, now: datetime) -> Case:
    """The customer of a waiting case had nothing more to say: it ends as answered."""
    return replace(case, status="resolved", outcome="answered", resolved_at=now, snoozed_until=None, changed_at=now)


def lapsed(case: Case, now: datetime) -> Case:
    """End a claim that ran out: acknowledged and then forgotten must not stay with anybody."""
    return replace(case, status="open", assignee=None, claimed_until=None, changed_at=now)


def resolve(case: Case, outcome: Outcome, by: Colleague, now: datetime, holder: Colleague | None) -> Case:
    """End a case.

    Raises:
        Refused: it is resolved already, or another colleague has it.
    """
    if case.status == "resolved":
        raise Refused("it is resolved already", resource=case.public_id)
    mine_or_free(case, by, now, holder)
    return replace(
        case, status="resolved", outcome=outcome, resolved_at=now, claimed_until=None, snoozed_until=None,
        changed_at=now, assignee=case.assignee if case.assignee is not None else by.id,
        acknowledged_at=case.acknowledged_at or now,
    )  # fmt: skip


def reopen(case: Case, by: Colleague, now: datetime, lease: timedelta) -> Case:
    """Take a resolved case up again.

    Raises:
        Refused: it is not resolved, or was merged into another.
    """
    if case.status != "resolved":
        raise Refused("it is not resolved", resource=case.public_id)
    if case.merged_into is not None:
        raise Refused("it was merged into another case; undo the merge instead", resource=case.public_id)
    return _taken(replace(case, outcome=None, resolved_at=None), by.id, now, lease)


def mergeable(case: Case, into: Case, by: Colleague, now: datetime, holder: Colleague | None) -> None:
    """Whether a case may be merged into another.

    Raises:
        Refused: they are the same, about different brands, either is resolved, or another colleague has this one.
    """
    if case.id == into.id:
        raise Refused("a case cannot be merged into itself", resource=case.public_id)
    if case.brand != into.brand:
        raise Refused(f"they are about different brands: {case.brand} and {into.brand}", resource=case.public_id)
    _unresolved(case)
    _unresolved(into)
    mine_or_free(case, by, now, holder)


def took_in(into: Case, case: Case, mentions: int, now: datetime) -> Case:
    """A case that takes another one in: the worse severity and the stricter promises hold for both."""
    heavier = case if worst((into.severity, case.severity)) != into.severity else into
    return replace(
        into, mentions=into.mentions + mentions, changed_at=now, severity=heavier.severity, route=heavier.route,
        reason=heavier.reason, acknowledge_by=_sooner(into.acknowledge_by, case.acknowledge_by),
        reply_by=_sooner(into.reply_by, case.reply_by), resolve_by=_sooner(into.resolve_by, case.resolve_by),
    )  # fmt: skip


def promised(case: Case, sla: SLA, now: datetime) -> Case:
    """Start the promises anew: a case that opens, or that its customer brought back."""
    return replace(
        case, clocks_from=now, acknowledged_at=None, replied_at=None,
        acknowledge_by=_after(now, sla.acknowledge), reply_by=_after(now, sla.reply),
        resolve_by=_after(now, sla.resolve),
    )  # fmt: skip


def tightened(case: Case, sla: SLA) -> Case:
    """Let a route with stricter promises act on a case that grew; promises are never relaxed."""
    since = case.clocks_from or case.opened_at
    return replace(
        case,
        acknowledge_by=_sooner(case.acknowledge_by, _after(since, sla.acknowledge)),
        reply_by=_sooner(case.reply_by, _after(since, sla.reply)),
        resolve_by=_sooner(case.resolve_by, _after(since, sla.resolve)),
    )


def _taken(case: Case, colleague: int, now: datetime, lease: timedelta) -> Case:
    return replace(
        case, status="acknowledged", assignee=colleague, claimed_until=now + lease, snoozed_until=None,
        changed_at=now, acknowledged_at=case.acknowledged_at or now,
    )  # fmt: skip


def _unresolved(case: Case) -> None:
    if case.status == "resolved":
        raise Refused("it is resolved; reopen it first", resource=case.public_id)


def mine_or_free(case: Case, by: Colleague, now: datetime, holder: Colleague | None) -> None:
    """Whether a colleague may work on a case that somebody may have claimed.

    Raises:
        Refused: another colleague's claim is in force, and one may not take over.
    """
    if case.held(now) and case.assignee != by.id and not by.may("assign"):
        raise Refused(f"{_named(holder)} has it until {case.claimed_until:%H:%M} UTC", resource=case.public_id)


def _named(holder: Colleague | None) -> str:
    return holder.name if holder else "Somebody"


def _after(moment: datetime, span: timedelta | None) -> datetime | None:
    return None if span is None else moment + span


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)
