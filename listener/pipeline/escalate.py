"""Route judged mentions: open or grow a case, and put word of it in the outbox, all in one transaction."""

from __future__ import annotations

from contextlib import suppress

from listener.core.case import Case, Joining
from listener.core.errors import StoreError, StoreFull
from listener.core.mention import Mention, facts
from listener.core.route import Route, bundle_key, strictest, worst
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.core.work import NO_ROUTE, Routed
from listener.telemetry import get_logger


def escalate(store: Store, rules: Rules, clock: Clock, limit: int = 256) -> int:
    """Route one batch.

    Args:
        store: gives the batch and keeps cases and outbox.
        rules: the escalation tree.
        clock: says the present.
        limit: most mentions of a batch.

    Returns:
        How many mentions were claimed; 0 when none waits.

    Raises:
        StoreError: nothing was written; the mentions are routed again when their lease ends.
    """
    mentions = store.mentions.claim("route", limit, clock())
    if not mentions:
        return 0
    try:
        with store.transaction():
            waiting = store.mentions.waiting("route", mentions)
            store.mentions.routed([_route(store, rules, mention, clock) for mention in waiting], rules.revision)
    except StoreFull:
        # No fault of theirs, and no reason to wait for the lease; a full disk may not even take this.
        with suppress(StoreError):
            store.mentions.give_back(mentions)
        raise
    return len(mentions)


def _route(store: Store, rules: Rules, mention: Mention, clock: Clock) -> Routed:
    """Ask the tree; where it takes the mention, give it a case and tell the channels."""
    known = facts(mention)
    routes = rules.route.taken_by(known)
    ours = _answered(store, mention)
    if ours is not None and not routes:
        return _answer(store, rules, mention, ours, clock)
    if not routes:
        return Routed(mention=mention, routes=(), why=NO_ROUTE)
    why = (
        routes[0].why(known) if len(routes) == 1 else "; ".join(f"{route.name}: {route.why(known)}" for route in routes)
    )
    severity = worst(tuple(route.severity for route in routes))
    now = clock()
    case, opened = store.cases.open_or_grow(
        mention, route=routes[0].name, reason=why, severity=severity, now=now,
        joining=Joining(window=rules.case_window, lease=rules.claim_lease, into=ours),
        sla=strictest(tuple(route.sla for route in routes)),
    )  # fmt: skip
    for route in routes:
        store.outbox.put(route, bundle_key(route, known), case.id, case.severity, opened, now)
    _say(mention, case.public_id, routes[0], opened)
    return Routed(mention=mention, routes=tuple(route.name for route in routes), why=why)


def _answered(store: Store, mention: Mention) -> Case | None:
    """The case of the answer of ours that a mention answers; None for most."""
    post = mention.post
    if post.in_reply_to is None:
        return None
    asked = (post.source, post.realm, post.in_reply_to)
    found = store.replies.standing([asked]).get(asked)
    return store.cases.get(found[0]) if found and found[1] == mention.brand else None


def _answer(store: Store, rules: Rules, mention: Mention, ours: Case, clock: Clock) -> Routed:
    """A customer's answer that no route takes, thanks perhaps: it joins the case, and staff hear of it if it ended."""
    now, why = clock(), "it answers us"
    case, opened = store.cases.open_or_grow(
        mention, route=ours.route, reason=why, severity=ours.severity, now=now,
        joining=Joining(window=rules.case_window, lease=rules.claim_lease, into=ours),
    )  # fmt: skip
    route = rules.names.get(ours.route)
    if opened and route is not None:
        store.outbox.put(route, bundle_key(route, facts(mention)), case.id, case.severity, opened, now)
    get_logger().info("case_opened" if opened else "case_grown", case=case.public_id, mention=mention.id, route=why)
    return Routed(mention=mention, routes=(), why=why)


def _say(mention: Mention, case: str, route: Route, opened: bool) -> None:
    get_logger().info("case_opened" if opened else "case_grown", case=case, mention=mention.id, route=route.name)
