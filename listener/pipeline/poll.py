"""Poll the places that are due: ask the source, store its page, plan the next poll.

A place that goes down is said once, and once when it is back. Its cursor only moves with stored posts.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.mention import Sighting, line
from listener.core.place import PlaceTurn, pause_after, pause_after_failure
from listener.core.protocols import Budget, Source
from listener.core.query import Cursor, Page, Place
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.pipeline.border import border
from listener.pipeline.echoes import early, heed
from listener.pipeline.ingest import ingest
from listener.pipeline.listen import Listening
from listener.telemetry import get_logger

PAGES_A_TURN = 20
"""A place with more to tell gives way after so many pages, so that the others are heard."""

REJECTED_PAUSE = timedelta(hours=1)
"""A place that can never work as configured is still tried now and then: the other side may have been mended."""


def poll(
    store: Store, sources: Mapping[str, Source], rules: Rules, clock: Clock, listening: Sequence[Listening] = ()
) -> int:
    """Poll one due place to the end of what it has.

    Args:
        store: gives the turn and keeps the page.
        sources: a source for each place, by the place's name.
        rules: places and queries.
        clock: says the present.
        listening: the bells of places with streams; one that rang makes its place due.

    Returns:
        1 when a place had its turn, 0 when none was due.

    Raises:
        StoreError: what a source gave could not be stored; the place is polled again when its lease ends.
    """
    for bell in listening:
        if bell.heard() and not store.places.hasten(bell.place, clock()):
            bell.ring()  # the poll under way began before this news
    turns = store.places.claim(1, clock())
    for turn in turns:
        place = rules.places.get(turn.name)
        source = sources.get(turn.name)
        if place is not None and source is not None:
            poll_place(store, source, place, turn, rules, clock)
    return len(turns)


def poll_place(store: Store, source: Source, place: Place, turn: PlaceTurn, rules: Rules, clock: Clock) -> None:
    """Ask one place page by page, and store each; a failure is recorded with the pause before the next try."""
    log = get_logger().bind(place=place.name, source=place.source)
    cursor = turn.cursor
    try:
        for left in reversed(range(PAGES_A_TURN)):
            page = _ask(source, place, rules, cursor)
            if early(store, source, place, page.echoes):
                page = Page()  # It is read again once it is kept what became of the answer.
            _store(store, (place, source), page, rules, turn, clock(), keep=page.more and left > 0)
            cursor = page.cursor or cursor
            if page.gap:
                log.warning("place_gap", why=page.gap)
            if not page.more:
                break
    except AdapterError as problem:
        _failed(store, place, turn, problem, clock())
        return
    if turn.down_since is not None:
        log.warning("place_up", down_for=str(clock() - turn.down_since))


def _ask(source: Source, place: Place, rules: Rules, cursor: Cursor | None) -> Page:
    with border(place.name):
        page = source.poll(place, rules.matchbook.needs(place), cursor, Budget())
        (page.cursor or "").encode()  # the database takes only whole characters
        return replace(page, gap=page.gap and line(page.gap))


def _store(
    store: Store, met: tuple[Place, Source], page: Page, rules: Rules, turn: PlaceTurn, now: datetime, *, keep: bool
) -> None:
    """Store a page and plan the next poll; `keep` holds on to the place for its next page."""
    place, source = met
    due = now if page.more else now + pause_after(place.every, page.wait, random.random())  # noqa: S311

    def finish() -> None:
        store.places.tally(place.name, {"rejected": len(page.rejected), "unmatched": len(page.echoes)})
        heed(store, source, rules, place, page.echoes, now)
        store.places.polled(
            place.name, cursor=page.cursor, more=page.more, keep=keep, due=due, posts=len(page.posts), gap=page.gap,
            now=now,
        )  # fmt: skip

    sighting = Sighting(at=now, first_poll=turn.first_poll, horizon=rules.horizon)
    outcomes = ingest(store, rules, place, page.posts, sighting, finish)
    if outcomes["stored"] or outcomes["edited"]:
        get_logger().info("page_stored", place=place.name, **{k: n for k, n in outcomes.items() if n})


def _failed(store: Store, place: Place, turn: PlaceTurn, problem: AdapterError, now: datetime) -> None:
    retry_after = problem.retry_after if isinstance(problem, Unavailable) else None
    pause = pause_after_failure(place.every, turn.failures + 1, retry_after, random.random())  # noqa: S311
    if isinstance(problem, Rejected):
        pause = max(pause, REJECTED_PAUSE)
    store.places.failed(place.name, error=str(problem), due=now + pause, now=now)
    if turn.down_since is None:
        get_logger().warning("place_down", place=place.name, source=place.source, error=str(problem))
