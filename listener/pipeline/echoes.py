"""Heed what machines say to answers of ours: that one did not arrive, or that its reader is away. Part of polling.

Everything is written in the transaction that moves the place's cursor, and twice is as good as once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.case import Case
from listener.core.echo import Echo, returned, unheard
from listener.core.event import LISTENER
from listener.core.protocols import Names, Source
from listener.core.query import Place
from listener.core.reply import Reply
from listener.core.rules import Rules
from listener.core.store import Store
from listener.telemetry import get_logger


def early(store: Store, source: Source, place: Place, echoes: Sequence[Echo]) -> bool:
    """Whether an echo came before it is kept that its answer stands: then its page is to be read again, later.

    Args:
        store: the answers.
        source: of the place.
        place: where the echoes were met.
        echoes: as the source gave them.
    """
    found = (_doubtful(store, source, place, echo) for echo in echoes)
    return any(reply is not None and reply.state == "posting" for reply in found)


def _doubtful(store: Store, source: Source, place: Place, echo: Echo) -> Reply | None:
    """The answer of which nobody knows whether it was taken, if this echo says that it was."""
    if not isinstance(source, Names):
        return None
    for reply in store.replies.in_states(("posting", "unknown")):
        if reply.place == place.name and source.known_as(reply.key) == echo.external_id:
            return reply
    return None


def heed(
    store: Store, source: Source, rules: Rules, place: Place, echoes: Sequence[Echo], now: datetime
) -> int:  # fmt: skip
    """Let each echo reach the case that its answer belongs to. Call it in a transaction.

    Args:
        store: answers, cases, events and the outbox.
        source: of the place.
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
        reply = reply or _doubtful(store, source, place, echo)
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
    other = store.replies.live(case.id)
    alone = case.id == reply.case and (other is None or other.id == reply.id)
    changed = returned(reply, echo, now, alone=alone)
    if changed is None:
        return False
    store.replies.change(changed)
    case = store.cases.change(unheard(case, reply, now, rules.claim_lease))
    _tell(store, case, reply, "answer returned", echo.why, now)
    store.outbox.news(case, "returned", rules.names, now)
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
