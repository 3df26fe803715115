"""The story: one angry review becomes one case and one message, whatever breaks on the way.

The process is made to end at every single write in turn, before it and after it; a new one then goes on with the same
file. Nothing may be lost, and only a message may be repeated, under the same key.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from listener.core.errors import Unavailable
from listener.core.mention import Post
from listener.core.protocols import Budget
from listener.core.query import Cursor, Matchbook, Page, Place, Query
from listener.core.route import Matcher, Route
from listener.core.rules import Rules
from listener.pipeline.dispatch import dispatch
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.pipeline.poll import poll
from listener.store import Connections, Store, make_store
from listener.testing import START, FakeChannel, FakeClock, FakeScorer, FakeSource, cases_told, make_post

PLACE = Place(name="reviews", source="fake", every=timedelta(minutes=1))
COMPLAINTS = Route(
    name="complaints",
    match=(Matcher.parse("sentiment = negative"), Matcher.parse("certainty = confident")),
    channels=("staff",),
    group_by=("brand",),
)
RULES = Rules(
    places={PLACE.name: PLACE},
    matchbook=Matchbook([Query(name="acme", brand="Acme", terms=("acme",))]),
    route=Route(name="root", routes=(COMPLAINTS,)),
    revision="test",
)


class Crash(BaseException):
    """The process ends here; nothing after it runs."""


class CrashingConnections(Connections):
    """Ends the process at the n-th write: before it, or after it was done."""

    def __init__(self, path: Path, fatal: int, after: bool) -> None:
        super().__init__(path)
        self.fatal, self.after, self.count = fatal, after, 0

    def _around(self, work: Callable[[], object]) -> object:
        self.count += 1
        if self.count == self.fatal and not self.after:
            raise Crash
        done = work()
        if self.count == self.fatal:
            raise Crash
        return done

    def write(self, sql: str, values: Sequence[object] = ()) -> list[object]:
        return self._around(lambda: super(CrashingConnections, self).write(sql, values))  # type: ignore[return-value]

    def write_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self._around(lambda: super(CrashingConnections, self).write_many(sql, rows))


class OverlappingSource(FakeSource):
    """A server whose every page holds the one before it too, as a feed does."""

    def __init__(self, *pages: Sequence[Post]) -> None:
        super().__init__()
        self.fixed = pages
        self.given = 0

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        del place, needs, budget
        reached = int(cursor.removeprefix("v1:")) if cursor else 0
        shown = self.fixed[max(0, reached - 1) : reached + 1]
        posts = tuple(post for page in shown for post in page)
        self.given += len(posts)
        return Page(posts=posts, cursor=Cursor(f"v1:{min(reached + 1, len(self.fixed))}"))


class World:
    """One life after another of a daemon over the same file, with the same source, clock and channel."""

    def __init__(self, path: Path, source: OverlappingSource) -> None:
        self.path, self.source = path, source
        self.clock, self.channel = FakeClock(), FakeChannel()

    def live(self, db: Connections) -> Store:
        """Start, and work until nothing is left to do."""
        store = make_store(db)
        store.release()
        store.places.sync([PLACE], self.clock())
        for _ in range(len(self.source.fixed) + 2):
            poll(store, {PLACE.name: self.source}, RULES, self.clock)
            while judge(store, FakeScorer(), RULES, self.clock):
                pass
            while escalate(store, RULES, self.clock):
                pass
            self.clock.forward(timedelta(minutes=6))
            while dispatch(store, "staff", self.channel, RULES, self.clock):
                pass
        return store

    def survive(self, fatal: int, after: bool) -> tuple[Store, bool]:
        """Live with a crash at the n-th write, then live again; says whether the crash was met."""
        first = CrashingConnections(self.path, fatal, after)
        crashed = False
        try:
            self.live(first)
        except Crash:
            crashed = True
        first.close()
        return self.live(Connections(self.path)), crashed


def review(text: str = "Acme sent it broken", rating: float | None = 0.0) -> Post:
    return make_post("r1", text, kind="review", rating=rating, author="ann")


STORY = (
    (
        make_post("r1", "Acme is fine, I love it", kind="review", rating=1.0, author="ann"),
        make_post("p2", "I love Acme"),
    ),
    (review(), make_post("p3", "Acme, I hate this", author="bob", published_at=None)),
    (make_post("p4", "Acme again: broken", author="bob", in_reply_to="p3", root="p3"),),
)


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_story_survives_a_crash_at_every_single_write(tmp_path: Path, after: bool) -> None:
    met = 0
    for fatal in itertools.count(1):
        world = World(tmp_path / f"{fatal}.db", OverlappingSource(*STORY))
        store, crashed = world.survive(fatal, after)
        told(store, world, f"write {fatal}")
        store.close()
        if not crashed:
            break
        met += 1
    assert met > 40, "the story makes more writes than that; the crashes were not injected"


def told(store: Store, world: World, where: str) -> None:
    """Everything arrived once, was judged, and staff heard of each complaint."""
    posts = store.db.read("SELECT count(*), count(DISTINCT source || realm || external_id) FROM posts")[0]
    assert tuple(posts) == (4, 4), where
    mentions = store.db.read("SELECT p.external_id, m.label, m.step FROM mentions m JOIN posts p ON p.id = m.post_id")
    labels = {row["external_id"]: row["label"] for row in mentions}
    assert labels == {"r1": "negative", "p2": "positive", "p3": "negative", "p4": "negative"}, where
    assert len(mentions) == 4, where
    assert all(row["step"] is None for row in mentions), where
    assert store.trends.totals() == store.trends.recount(), where
    assert len(store.db.read("SELECT 1 FROM revisions")) == 1, where
    cases = store.cases.unresolved()
    assert sorted(case.author for case in cases) == ["ann", "bob", "bob"], where
    assert cases_told(world.channel.messages) == {case.public_id for case in cases}, where
    sent = store.db.read("SELECT key FROM notifications WHERE status = 'sent' AND reason <> 'repeat'")
    assert {row["key"] for row in sent} <= world.channel.keys, where
    repeats = len(world.channel.messages) - len(world.channel.keys)
    assert repeats <= 1, f"{where}: one crash may repeat one message, not {repeats}"


def test_story_without_any_crash_tells_each_case_once(tmp_path: Path) -> None:
    world = World(tmp_path / "story.db", OverlappingSource(*STORY))
    store = world.live(Connections(tmp_path / "story.db"))
    told(store, world, "no crash")
    assert len(world.channel.messages) == len(world.channel.keys)
    store.close()


def test_five_stars_edited_to_one_are_a_new_alert_under_the_same_post(tmp_path: Path) -> None:
    world = World(tmp_path / "edit.db", OverlappingSource(STORY[0], (review(),)))
    store = world.live(Connections(tmp_path / "edit.db"))
    (case,) = store.cases.unresolved()
    (mention,) = store.mentions.of_case(case.id)
    assert mention.arrival == "revision"
    assert mention.previous == "positive"
    assert mention.fell
    assert [old[2] for old in store.posts.revisions(mention.post_id)] == ["Acme is fine, I love it"]
    store.close()


def test_the_replay_that_trips_others_loses_nothing_and_tells_nothing_twice(tmp_path: Path) -> None:
    """Late, same-second and undated items, a burst of 1,000, and a receiver that fails every third call."""
    late = make_post("late", "Acme is broken, posted late", published_at=START - timedelta(hours=30), author="late")
    twins = [make_post(f"twin{n}", "Acme broken", published_at=START, author=f"twin{n}") for n in range(3)]
    undated = [make_post("undated", "Acme broken, no date", published_at=None, author="undated")]
    burst = [make_post(f"burst{n}", "Acme broken in the storm", author=f"burst{n}") for n in range(1000)]
    first = [make_post("first", "Acme is nice")]
    source = OverlappingSource(first, [twins[0], *undated], [twins[1], *undated], [*burst, *undated], [late, twins[2]])
    world = World(tmp_path / "trips.db", source)
    calls = itertools.count(1)

    class EveryThirdFails(FakeChannel):
        def send(self, message: object) -> None:
            if next(calls) % 3 == 0:
                raise Unavailable("busy")
            super().send(message)  # type: ignore[arg-type]

    world.channel = EveryThirdFails()
    store = world.live(Connections(tmp_path / "trips.db"))
    for _ in range(40):
        world.clock.forward(timedelta(minutes=10))
        while dispatch(store, "staff", world.channel, RULES, world.clock):
            pass
    expected = {"late", "undated", *(t.external_id for t in twins), *(b.external_id for b in burst)}
    kept = store.db.read("SELECT external_id FROM posts WHERE external_id <> 'first'")
    assert sorted(row["external_id"] for row in kept) == sorted(expected)
    assert store.cases.counts() == {"open": len(expected)}
    about = store.db.read(
        "SELECT n.case_id FROM notification_cases n JOIN notifications o ON o.id = n.notification_id "
        "WHERE o.status = 'sent' AND o.reason <> 'repeat'"
    )
    assert len(about) == len({row["case_id"] for row in about}) == len(expected)
    assert len(world.channel.keys) == len(world.channel.messages), "a message was accepted twice"
    store.close()


def test_any_order_and_overlap_of_polls_keeps_each_post_once(tmp_path: Path) -> None:
    posts = [make_post(f"p{n}", f"Acme {n}", author=f"a{n}") for n in range(40)]
    dice = random.Random(7)
    for round_ in range(10):
        pages = [dice.sample(posts, dice.randint(1, 20)) for _ in range(8)] + [posts]
        world = World(tmp_path / f"{round_}.db", OverlappingSource(*pages))
        store = world.live(Connections(tmp_path / f"{round_}.db"))
        assert store.db.read("SELECT count(*) FROM posts")[0][0] == 40
        ledger = store.places.health()[0].tallies
        assert ledger["stored"] == 40
        assert ledger["stored"] + ledger["duplicate"] == world.source.given
        store.close()
