"""Send what the outbox holds for a channel: is it still worth telling, send it, keep the receipt or try again.

At least once: a crash between sending and the receipt repeats the message with the same key. Retries go on for 24 h.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import timedelta

from listener.core.delivery import Parcel
from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.notification import (
    DELIVERY_BUDGET,
    Announcement,
    Decision,
    Message,
    decide,
    decide_announcement,
    decide_request,
    retry_pause,
)
from listener.core.protocols import Channel
from listener.core.route import worst
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.pipeline.border import border
from listener.telemetry import get_logger


def dispatch(store: Store, name: str, channel: Channel, rules: Rules, clock: Clock) -> int:
    """Send the most urgent due message of one channel.

    Args:
        store: the outbox.
        name: the channel's name in the configuration.
        channel: sends.
        rules: give links and the mark of sample data.
        clock: says the present.

    Returns:
        1 when a message was handled, whatever came of it; 0 when none is due.

    Raises:
        StoreError: the outcome could not be kept; the message is sent again when its lease ends.
    """
    parcel = store.outbox.claim(name, clock())
    if parcel is None:
        return 0
    log = get_logger().bind(channel=name, key=parcel.notification.key, reason=parcel.notification.reason)
    decision = _decide(parcel, rules, clock)
    if decision.action == "hold" and decision.until:
        store.outbox.hold(parcel.notification, why=decision.why, until=decision.until)
        log.info("message_held", why=decision.why)
        return 1
    if decision.action == "drop":
        store.outbox.dropped(parcel.notification, why=decision.why, now=clock())
        log.info("message_dropped", why=decision.why)
        return 1
    began = time.monotonic()
    try:
        with border(name):
            channel.send(_message(parcel, rules))
    except AdapterError as problem:
        _failed(store, parcel, problem, timedelta(seconds=time.monotonic() - began), clock)
        return 1
    took = timedelta(seconds=time.monotonic() - began)
    store.outbox.sent(parcel.notification, why=decision.why, took=took, now=clock())
    log.info("message_sent", cases=len(parcel.cases), attempts=parcel.notification.attempts)
    return 1


def _decide(parcel: Parcel, rules: Rules, clock: Clock) -> Decision:
    if parcel.campaign:
        return decide_announcement(parcel.campaign, clock(), rules.announce_before)
    if parcel.request:
        return decide_request(parcel.request)
    return decide(parcel.notification.reason, parcel.cases)


def _message(parcel: Parcel, rules: Rules) -> Message:
    """Put the parcel into the words' raw material: cases, a campaign or a request, links, severity."""
    campaign, request = parcel.campaign, parcel.request
    # What waits for a colleague is told without the case: its customer's words are for those who open it.
    cases = () if request else tuple(replace(line, url=rules.case_url(line.case.public_id)) for line in parcel.newest)
    return Message(
        key=parcel.notification.key,
        reason=parcel.notification.reason,
        route=parcel.notification.route,
        severity="normal" if campaign else worst(tuple(case.severity for case in parcel.cases)),
        bundle="" if request else parcel.bundle.partition("|")[2],
        cases=cases,
        total=0 if request else len(parcel.cases),
        inbox_url=rules.inbox_url(),
        sample=rules.sample,
        announcement=Announcement(campaign=campaign, url=rules.campaign_url(campaign.public_id)) if campaign else None,
        request=replace(request, url=rules.case_url(parcel.cases[0].public_id)) if request else None,
    )


def _failed(store: Store, parcel: Parcel, problem: AdapterError, took: timedelta, clock: Clock) -> None:
    """Plan the next try, or give up when the refusal is final or the day is over."""
    now = clock()
    note = parcel.notification
    log = get_logger().bind(channel=note.channel, key=note.key, attempts=note.attempts, error=str(problem))
    over = now - parcel.frozen_at >= DELIVERY_BUDGET
    if isinstance(problem, Rejected) or over:
        why = f"{problem} (tried for {DELIVERY_BUDGET})" if over else str(problem)
        store.outbox.give_up(note, error=why, took=took, now=now)
        log.error("message_dead")
        return
    retry_after = problem.retry_after if isinstance(problem, Unavailable) else None
    pause = retry_pause(note.attempts, random.random(), retry_after)  # noqa: S311
    store.outbox.retry(note, error=str(problem), due=now + pause, took=took, now=now)
    log.warning("message_failed", next_try=str(pause))
