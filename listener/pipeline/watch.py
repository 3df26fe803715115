"""Watch the clocks: claims that ran out, snoozes that end, broken promises, silent customers, drafts with marketing.

A colleague who acknowledged a case and forgot it loses it to everybody; staff are told of each broken promise once.
"""

from __future__ import annotations

from listener.core.case import Case
from listener.core.casework import lapsed, silent, woke
from listener.core.event import LISTENER
from listener.core.replying import handed_back
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.telemetry import get_logger


def watch(store: Store, rules: Rules, clock: Clock) -> int:
    """Heed the clocks that are due.

    Args:
        store: the cases.
        rules: give the length of a claim, and the channels of routes.
        clock: says the present.

    Returns:
        How many cases were handled; 0 when none is due.

    Raises:
        StoreError: nothing was written; the same cases are due again.
    """
    now = clock()
    if not store.cases.lapsing(now, 1) and not store.cases.overdue(now, 1):
        return _forgotten(store, clock)
    with store.transaction():
        ended = store.cases.lapsing(now)
        for case in ended:
            _end(store, case, rules, clock)
        late = store.cases.overdue(now)
        for case in late:
            _tell(store, case, rules, clock)
    return len(ended) + len(late) + _forgotten(store, clock)


def _end(store: Store, case: Case, rules: Rules, clock: Clock) -> None:
    """A snooze, a wait or a claim is over."""
    now = clock()
    # An answer under way outlives the wait, as where a claim of a waiting case was undone: no draft ends unsent.
    if case.status == "snoozed" or (case.status == "waiting" and store.replies.live(case.id)):
        changed = store.cases.change(woke(case, now, rules.claim_lease))
        store.events.add(LISTENER, "woke", now, case=changed)
        get_logger().info("case_woke", case=case.public_id)
        return
    if case.status == "waiting":
        changed = store.cases.change(silent(case, now))
        store.events.add(LISTENER, "silent", now, case=changed)
        get_logger().info("case_silent", case=case.public_id)
        return
    changed = store.cases.change(lapsed(case, now))
    store.events.add(LISTENER, "lapsed", now, case=changed)
    get_logger().info("case_lapsed", case=case.public_id)


def _forgotten(store: Store, clock: Clock) -> int:
    """Drafts that marketing has had for too long go back to who asked; gives how many."""
    now = clock()
    if not store.replies.forgotten(now):
        return 0
    with store.transaction():
        late = store.replies.forgotten(now)
        for reply in late:
            store.replies.change(handed_back(reply, None, now))
            store.events.add(LISTENER, "advised", now, case=store.cases.get(reply.case), detail="time was up")
            get_logger().info("draft_forgotten", reply=reply.public_id)
    return len(late)


def _tell(store: Store, case: Case, rules: Rules, clock: Clock) -> None:
    """A promise is broken: say so once."""
    now = clock()
    deadline = case.deadline
    store.cases.told_overdue(case.id)
    store.outbox.news(case, "overdue", rules.names, now)
    store.events.add(LISTENER, "overdue", now, case=case, detail=deadline.clock if deadline else "")
    get_logger().info("case_overdue", case=case.public_id)
