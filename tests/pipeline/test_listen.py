"""Streams ring and polls read: when a ring becomes a poll, how a stream that fails is tried again, and what is said."""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from listener.core.errors import AdapterError, RateLimited, Rejected, StoreError, Unauthorized, Unavailable, Unforeseen
from listener.core.place import PlaceHealth
from listener.core.protocols import Stop
from listener.core.rules import Rules
from listener.pipeline.listen import NO_STREAM_PAUSE, STOOD, Ear, Listening, ears_of, listening_at
from listener.pipeline.poll import poll
from listener.store import Store
from listener.testing import FakeClock, FakeSource, make_post
from tests.kit import SHOP

PAUSE = timedelta(seconds=6)
Logged = list[MutableMapping[str, Any]]


class Streaming(FakeSource):
    """A source with streams that do as they are told.

    Args:
        names: of its streams.
        clock: moved by streams that stand for a while.
    """

    pause = PAUSE

    def __init__(self, clock: FakeClock, names: Sequence[str] = ("@",)) -> None:
        super().__init__()
        self._names, self._clock = tuple(names), clock
        self.held: list[str] = []
        self.rings = 1
        self.lasts = STOOD
        self.ends: Exception | None = None

    def streams(self) -> Sequence[str]:
        """As told."""
        return self._names

    def listen(self, stream: str, stop: Stop) -> Iterator[None]:
        """Ring as often as told, then end as told."""
        self.held.append(stream)
        for _ in range(self.rings):
            yield
        self._clock.forward(self.lasts)
        if self.ends is not None:
            raise self.ends


class Town:
    """The shop with streams, its ears, and what wakes the steps."""

    def __init__(self, store: Store, rules: Rules, clock: FakeClock, *names: str) -> None:
        self.store, self.rules, self.clock = store, rules, clock
        self.source = Streaming(clock, names or ("@",))
        (self.bell,) = self.listening = listening_at({"shop": self.source}, store, clock)
        self.ears = ears_of(self.listening)
        self.woken: list[str] = []
        self.stop = threading.Event()

    def hold(self, number: int = 0) -> timedelta:
        """Hold a stream until it ends; gives the rest before the next try."""
        return timedelta(seconds=self.ears[number].hold(self.stop, self.woken.append))

    def look(self) -> int:
        """One look of the poll step."""
        return poll(self.store, {"shop": self.source}, self.rules, self.clock, self.listening)

    def health(self) -> PlaceHealth:
        """How the shop fares."""
        return self.store.places.health()[0]


@pytest.fixture
def town(shop: Store, rules: Rules, clock: FakeClock) -> Town:
    made = Town(shop, rules, clock)
    assert made.look() == 1, "due at once"
    assert made.look() == 0, "and not again"
    return made


def test_a_ring_makes_the_place_due_and_wakes_the_poll(town: Town) -> None:
    town.hold()
    assert town.woken == ["poll"]
    town.source.answer(make_post("1"))
    assert town.look() == 1
    assert town.health().tallies == {"stored": 1}
    town.clock.forward(PAUSE * 2)
    assert town.look() == 0, "one ring, one poll"


def test_a_poll_by_ring_puts_the_next_one_off_by_no_more_than_its_pause(town: Town) -> None:
    town.hold()
    assert town.look() == 1
    due = town.health().due_at
    assert due is not None
    assert SHOP.every * 0.9 <= due - town.clock() <= SHOP.every * 1.1
    town.clock.forward(SHOP.every * 1.2)
    assert town.look() == 1, "polls go on without any ring"


def test_a_storm_causes_one_poll_a_pause_and_writes_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.clock.forward(PAUSE)
    hastened: list[str] = []
    hasten = type(town.store.places).hasten
    monkeypatch.setattr(
        type(town.store.places), "hasten", lambda places, name, now: hastened.append(name) or hasten(places, name, now)
    )
    town.source.rings, town.source.lasts = 50, timedelta()
    polls = 0
    for _ in range(600):
        town.hold()
        polls += town.look()
        town.clock.forward(timedelta(seconds=0.1))
    assert 9 <= polls <= 11, "a minute, six seconds apart"
    assert len(hastened) == polls
    assert len(town.woken) <= polls + 1, "nobody is woken twice for one poll"


def test_the_last_post_of_a_storm_is_read_like_its_first(town: Town) -> None:
    town.hold()
    assert town.look() == 1
    town.source.lasts = timedelta()
    town.hold()
    assert town.look() == 0, "too soon"
    town.clock.forward(PAUSE)
    assert town.look() == 1, "without another ring"


def test_a_ring_during_a_poll_is_heard_after_it(town: Town) -> None:
    town.clock.forward(SHOP.every * 2)
    (turn,) = town.store.places.claim(1, town.clock())
    town.bell.ring()
    assert town.look() == 0, "somebody polls it"
    now = town.clock()
    town.store.places.polled(
        turn.name, cursor=None, more=False, keep=False, due=now + SHOP.every, posts=0, gap=None, now=now
    )
    town.clock.forward(PAUSE)
    assert town.look() == 1, "what came during the poll may not have been in its answer"


def test_a_ring_is_no_reason_to_ask_a_place_that_is_down_sooner(town: Town) -> None:
    town.clock.forward(SHOP.every * 2)
    town.source.fail(RateLimited("slow down", retry_after=3600))
    assert town.look() == 1
    for _ in range(50):
        town.hold()
        assert town.look() == 0
        town.source.lasts = PAUSE
    town.clock.forward(timedelta(hours=2))
    assert town.look() == 1


def test_a_place_that_is_switched_off_is_not_hastened(town: Town) -> None:
    town.store.places.sync([], town.clock())
    assert not town.store.places.hasten("shop", town.clock())
    town.bell.ring()
    town.clock.forward(SHOP.every * 2)
    assert town.look() == 0


def test_a_source_without_streams_has_no_bell(shop: Store, clock: FakeClock) -> None:
    assert listening_at({"shop": FakeSource()}, shop, clock) == ()


def test_a_place_whose_streams_are_switched_off_has_no_ear(shop: Store, clock: FakeClock) -> None:
    source = Streaming(clock, ())
    assert ears_of(listening_at({"shop": source}, shop, clock)) == ()
    assert source.held == []


def test_each_stream_has_its_ear(shop: Store, rules: Rules, clock: FakeClock) -> None:
    town = Town(shop, rules, clock, "@", "#acme")
    assert [ear.name for ear in town.ears] == ["listen:shop @", "listen:shop #acme"]
    town.hold(1)
    town.hold(0)
    assert town.source.held == ["#acme", "@"]
    assert town.woken == ["poll"], "they ring one bell"


class Watching(Streaming):
    """Streams that look at what is said of them while they stand."""

    def __init__(self, clock: FakeClock, store: Store, *names: str) -> None:
        super().__init__(clock, names)
        self.said: list[PlaceHealth] = []
        self._store = store

    def listen(self, stream: str, stop: Stop) -> Iterator[None]:
        """As told."""
        yield from super().listen(stream, stop)
        self.said.append(self._store.places.health()[0])


def test_a_place_says_since_when_all_its_streams_stand(shop: Store, clock: FakeClock, logged: Logged) -> None:
    source = Watching(clock, shop, "@", "#acme")
    (bell,) = listening_at({"shop": source}, shop, clock)
    one, other = ears_of([bell])
    began = clock()
    one.hold(threading.Event(), lambda _: None)
    assert (source.said[-1].listening_since, source.said[-1].not_listening) == (None, None), "the other one is not up"
    other.hold(threading.Event(), lambda _: None)
    since = source.said[-1].listening_since
    assert since is not None
    assert began < since < clock()
    source.ends = Unavailable("town.example broke off")
    other.hold(threading.Event(), lambda _: None)
    health = shop.places.health()[0]
    assert (health.listening_since, health.not_listening) == (None, "#acme: town.example broke off")
    assert [event["event"] for event in logged] == ["stream_up", "stream_down"]


def test_a_stream_that_ends_in_order_is_held_again_at_once_and_nobody_is_told(town: Town, logged: Logged) -> None:
    began = town.clock()
    for _ in range(20):
        assert town.hold() <= timedelta(seconds=5)
    assert (town.health().listening_since, town.health().not_listening) == (began, None)
    assert [event["event"] for event in logged] == ["stream_up"]


@pytest.mark.parametrize("problem", [None, Unavailable("it broke off")])
def test_pauses_grow_while_a_stream_fails_and_begin_anew_once_it_stood(town: Town, problem: AdapterError) -> None:
    town.source.lasts, town.source.ends = timedelta(seconds=1), problem
    pauses = [town.hold() for _ in range(12)]
    assert pauses[0] <= timedelta(seconds=5)
    assert timedelta(minutes=5) <= pauses[-1] <= timedelta(minutes=11)
    assert town.health().not_listening == f"@: {problem or 'it ended as soon as it had begun'}"
    town.source.lasts = STOOD
    assert town.hold() <= timedelta(seconds=5)


def test_a_stream_that_never_stands_rings_nothing_and_grows_its_pauses(town: Town) -> None:
    town.source.rings, town.source.lasts = 0, timedelta(hours=2)
    assert [town.hold() for _ in range(12)][-1] >= timedelta(minutes=5)
    assert town.woken == []


@pytest.mark.parametrize(
    ("problem", "least", "most"),
    [
        (Rejected("no such stream"), NO_STREAM_PAUSE, NO_STREAM_PAUSE),
        (Unauthorized(), NO_STREAM_PAUSE, NO_STREAM_PAUSE),
        (RateLimited("slow down", retry_after=900), timedelta(minutes=15), timedelta(minutes=15)),
        (RateLimited("slow down", retry_after=1e9), timedelta(hours=24), timedelta(hours=24)),
        (Unavailable("gone", retry_after=float("nan")), timedelta(), timedelta(seconds=5)),
        (ZeroDivisionError("a stranger's defect"), timedelta(), timedelta(seconds=5)),
        (StopIteration(), timedelta(), timedelta(seconds=5)),
    ],
)
def test_a_refused_stream_rests_as_long_as_it_should_and_says_why(
    town: Town, problem: Exception, least: timedelta, most: timedelta
) -> None:
    town.source.ends, town.source.rings, town.source.lasts = problem, 0, timedelta()
    assert least <= town.hold() <= most
    assert (town.health().not_listening or "").startswith("@: ")
    assert town.health().down_since is None, "the place itself answers"
    assert town.look() == 0


def test_what_a_far_end_says_of_itself_is_kept_as_one_short_line(town: Town) -> None:
    town.source.ends, town.source.rings = Rejected("no\n\x1b[31m\x00such\ud800 " + "x" * 5_000), 0
    town.hold()
    said = town.health().not_listening or ""
    assert said.isprintable()
    assert len(said) <= 1_000


def test_a_defect_of_a_stranger_is_said_like_any_other_failure(town: Town) -> None:
    town.source.ends = ZeroDivisionError("oops")
    town.hold()
    assert Unforeseen.__name__ not in str(town.health().not_listening)
    assert "ZeroDivisionError: oops" in str(town.health().not_listening)


def test_a_stop_says_nothing_and_asks_for_no_rest(town: Town) -> None:
    town.stop.set()
    town.source.ends = Unavailable("it broke off")
    assert town.hold() == timedelta()
    assert town.health().not_listening is None


def test_a_stream_is_let_go_where_its_state_cannot_be_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StoreError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(type(town.store.places), "listens", fails)
        with pytest.raises(StoreError):
            town.hold()
    town.hold()
    assert town.health().listening_since is not None, "the next connection says it again"


def test_a_restart_forgets_who_listened(town: Town) -> None:
    town.hold()
    assert town.health().listening_since is not None
    town.store.places.sync([SHOP], town.clock())
    assert (town.health().listening_since, town.health().not_listening) == (None, None)


def test_a_clock_that_is_put_back_silences_no_bell(town: Town) -> None:
    town.hold()
    assert town.look() == 1
    town.clock.forward(-timedelta(days=1))
    town.bell.ring()
    assert town.bell.heard()


def test_many_threads_ring_and_hear_and_no_ring_is_lost(shop: Store, clock: FakeClock) -> None:
    bell = Listening(shop, Streaming(clock), "shop", clock)
    began = threading.Barrier(5)

    def ring() -> None:
        began.wait()
        for _ in range(2_000):
            bell.ring()

    threads = [threading.Thread(target=ring) for _ in range(4)]
    for thread in threads:
        thread.start()
    began.wait()
    heard = sum(bell.heard() for _ in range(2_000))
    for thread in threads:
        thread.join(10)
    assert heard <= 1, "the clock stood, so one poll at most"
    clock.forward(PAUSE)
    assert bell.heard()
    assert not bell.heard()
    assert Ear(bell, "@").name
