"""Heed what machines say to answers of ours: that one did not arrive, or that its reader is away. Part of polling.

Everything is written in the transaction that moves the place's cursor, and twice is as good as once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.case import Case
from listener.core.echo import Echo, returned, unheard
from listener.core.event import LISTENER
from listener.core.query import Place
from listener.core.reply import Reply
from listener.core.rules import Rules
from listener.core.store import Store
from listener.telemetry import get_logger


def heed(store: Store, rules: Rules, place: Place, echoes: Sequence[Echo], now: datetime) -> int:
    """Let each echo reach the case that its answer belongs to. Call it in a transaction.

    Args:
        store: answers, cases, events and the outbox.
        rules: give the length of a claim, and the channels of routes.
        place: where the echoes were met.
        echoes: as the source gave them; those of answers that we do not know are passed over.
        now: the present.

    Returns:
        How many told something new.
    """
    count = 0
    for echo in echoes:
        reply = store.replies.known_as((place.source, echo.realm, echo.external_id))
        if reply is None:
            get_logger().info("echo_unknown", place=place.name, kind=echo.kind)
        elif echo.kind == "returned":
            count += _returned(store, rules, reply, echo, now)
        else:
            count += _away(store, reply, now)
    return count


def _returned(store: Store, rules: Rules, reply: Reply, echo: Echo, now: datetime) -> bool:
    """It did not arrive: the answer says so, the case waits for staff again, and who heard of it is told."""
    case = store.cases.current(store.cases.get(reply.case))
    alone = case.id == reply.case and store.replies.live(case.id) is None
    changed = returned(reply, echo, now, alone=alone)
    if changed is None:
        return False
    store.replies.change(changed)
    case = store.cases.change(unheard(case, reply, now, rules.claim_lease))
    _tell(store, case, reply, "answer returned", echo.why, now)
    store.outbox.returned(case, rules.names, now)
    get_logger().warning("reply_returned", reply=reply.public_id, place=reply.place, case=case.public_id)
    return True


def _away(store: Store, reply: Reply, now: datetime) -> bool:
    """The customer's mailbox answered by itself: the history says so once, and the case goes on waiting."""
    case = store.cases.current(store.cases.get(reply.case))
    if any(event.act == "automatic answer" for event in store.events.of_subject(_subject(reply))):
        return False
    _tell(store, case, reply, "automatic answer", "", now)
    get_logger().info("reply_away", reply=reply.public_id, place=reply.place, case=case.public_id)
    return True


def _tell(store: Store, case: Case, reply: Reply, act: str, detail: str, now: datetime) -> None:
    store.events.add(LISTENER, act, now, case=case, subject=_subject(reply), detail=detail)


def _subject(reply: Reply) -> str:
    return f"reply {reply.public_id}"
