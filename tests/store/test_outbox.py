"""The outbox: bundles grow until they are tried, keep their key, wait, repeat, and end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listener.core.delivery import Parcel
from listener.core.notification import decide
from listener.core.route import Route
from listener.store import Store
from listener.store.outbox import CARRIED
from listener.testing import START
from tests.kit import add_posts, make_post, next_due, open_case, resolve, route

WAIT, INTERVAL, REPEAT = timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=4)
DESK = route("desk", channels=("desk",), group_wait=WAIT, group_interval=INTERVAL, repeat_interval=REPEAT)
SECOND = timedelta(seconds=1)


def tell(
    store: Store, author: str, at: timedelta = timedelta(), *, through: Route = DESK, bundle: str = "desk|brand=Acme"
) -> int:
    """A customer complains; gives the case's id."""
    add_posts(store, make_post(f"{author}{at}", author=author))
    [mention] = store.mentions.claim("judge", 1, START)
    case, opened = open_case(store, mention, now=START + at)
    with store.transaction():
        store.outbox.put(through, bundle, case.id, case.severity, opened, START + at)
    return case.id


def claim(store: Store, at: timedelta, channel: str = "desk") -> Parcel | None:
    """What is due then."""
    return store.outbox.claim(channel, START + at)


def send(store: Store, at: timedelta) -> Parcel:
    """Claim what is due then and have it accepted."""
    parcel = claim(store, at)
    assert parcel is not None
    store.outbox.sent(parcel.notification, why="new case", took=SECOND, now=START + at)
    return parcel


def told(parcel: Parcel) -> set[str]:
    """Whose cases are in it."""
    return {case.author for case in parcel.cases}


def test_a_bundle_waits_so_that_a_storm_makes_one_message(store: Store) -> None:
    tell(store, "ann")
    tell(store, "bob", 10 * SECOND)
    assert claim(store, WAIT - SECOND) is None
    parcel = send(store, WAIT)
    assert told(parcel) == {"ann", "bob"}
    assert parcel.notification.reason == "opened"
    assert parcel.bundle == "desk|brand=Acme"
    assert claim(store, WAIT + SECOND) is None


def test_each_channel_of_a_route_is_told(store: Store) -> None:
    tell(store, "ann", through=route("both", channels=("desk", "lead"), group_wait=timedelta()))
    assert claim(store, timedelta(), "desk") is not None
    assert claim(store, timedelta(), "lead") is not None
    assert claim(store, timedelta(), "other") is None


def test_content_is_frozen_from_the_first_try_on_and_the_key_stays(store: Store) -> None:
    tell(store, "ann")
    first = claim(store, WAIT)
    assert first is not None
    tell(store, "bob", WAIT)
    due = START + 2 * WAIT
    store.outbox.retry(first.notification, error="busy", due=due, took=SECOND, now=START + WAIT)
    keys, contents = set(), []
    for _ in range(2):
        parcel = claim(store, 10 * WAIT)
        assert parcel is not None
        keys.add(parcel.notification.key)
        contents.append(told(parcel))
    assert sorted(contents, key=sorted) == [{"ann"}, {"bob"}]
    assert first.notification.key in keys
    assert len(keys) == 2


def test_every_try_carries_the_same_key_and_is_counted(store: Store) -> None:
    tell(store, "ann")
    tries = []
    for n in range(3):
        at = WAIT + n * REPEAT
        parcel = claim(store, at)
        assert parcel is not None
        tries.append(parcel)
        store.outbox.retry(parcel.notification, error=f"busy {n}", due=START + at + SECOND, took=SECOND, now=START + at)
        assert claim(store, at) is None, "not yet due"
    assert len({p.notification.key for p in tries}) == 1
    assert [p.notification.attempts for p in tries] == [1, 2, 3]
    assert {p.frozen_at for p in tries} == {START + WAIT}


def test_a_lease_that_ran_out_repeats_the_message_with_the_same_key(store: Store) -> None:
    tell(store, "ann")
    first = claim(store, WAIT)
    assert claim(store, WAIT + SECOND) is None
    again = claim(store, WAIT + timedelta(minutes=2))
    assert first is not None
    assert again is not None
    assert again.notification.key == first.notification.key
    assert told(again) == told(first)


def test_a_restart_returns_leases(store: Store) -> None:
    tell(store, "ann")
    claim(store, WAIT)
    store.release()
    assert claim(store, WAIT) is not None


def test_what_grows_after_a_message_waits_for_the_interval(store: Store) -> None:
    tell(store, "ann")
    send(store, WAIT)
    tell(store, "bob", WAIT + SECOND)
    assert claim(store, WAIT + INTERVAL - SECOND) is None
    parcel = send(store, WAIT + INTERVAL)
    assert told(parcel) == {"bob"}


def test_a_case_that_grew_says_so(store: Store) -> None:
    tell(store, "ann")
    send(store, WAIT)
    tell(store, "ann", 10 * SECOND)
    assert send(store, WAIT + INTERVAL).notification.reason == "grown"


def test_an_open_case_is_told_again_after_the_repeat_interval(store: Store) -> None:
    tell(store, "ann")
    tell(store, "bob")
    send(store, WAIT)
    resolve(store, store.cases.unresolved()[0])
    assert claim(store, WAIT + REPEAT - SECOND) is None
    parcel = send(store, WAIT + REPEAT)
    assert parcel.notification.reason == "repeat"
    assert len(told(parcel)) == 1, "only who still waits"
    assert claim(store, WAIT + 3 * REPEAT - SECOND) is None, "each pause is twice the one before"
    assert send(store, WAIT + 3 * REPEAT).notification.reason == "repeat"
    assert claim(store, WAIT + 7 * REPEAT - SECOND) is None
    assert send(store, WAIT + 7 * REPEAT).notification.reason == "repeat"
    tell(store, "cleo", WAIT + 7 * REPEAT)
    send(store, 2 * WAIT + 7 * REPEAT + INTERVAL)
    assert claim(store, 2 * WAIT + 8 * REPEAT + INTERVAL - SECOND) is None
    assert send(store, 2 * WAIT + 8 * REPEAT + INTERVAL).notification.reason == "repeat", "news begins anew"


def test_a_repeat_ends_when_nobody_waits(store: Store) -> None:
    tell(store, "ann")
    send(store, WAIT)
    resolve(store, store.cases.unresolved()[0])
    parcel = claim(store, WAIT + REPEAT)
    assert parcel is not None
    decision = decide(parcel.notification.reason, parcel.cases)
    assert decision.action == "drop"
    store.outbox.dropped(parcel.notification, why=decision.why, now=START)
    assert claim(store, 100 * REPEAT) is None
    assert store.outbox.counts() == {"sent": 1, "dropped": 1}


def test_news_that_is_dropped_does_not_end_the_repeats_of_others(store: Store) -> None:
    tell(store, "ann")
    send(store, WAIT)
    resolved = tell(store, "bob", WAIT + INTERVAL)
    resolve(store, next(case for case in store.cases.unresolved() if case.id == resolved))
    parcel = claim(store, 2 * WAIT + INTERVAL)
    assert parcel is not None
    assert told(parcel) == {"bob"}
    store.outbox.dropped(parcel.notification, why="resolved before", now=START + 2 * WAIT + INTERVAL)
    assert claim(store, WAIT + REPEAT - SECOND) is None
    assert told(send(store, WAIT + REPEAT)) == {"ann"}


def test_without_a_repeat_interval_nothing_is_told_twice(store: Store) -> None:
    tell(store, "ann", through=route("once", channels=("desk",), repeat_interval=timedelta()))
    send(store, WAIT)
    assert claim(store, 1000 * REPEAT) is None


def test_the_most_severe_goes_first(store: Store) -> None:
    for author, severity in (("low", "low"), ("crisis", "crisis"), ("normal", "normal")):
        add_posts(store, make_post(author, author=author))
        case, _ = open_case(store, store.mentions.claim("judge", 1, START)[0], severity=severity)  # type: ignore[arg-type]
        with store.transaction():
            store.outbox.put(DESK, f"desk|author={author}", case.id, case.severity, True, START)
    assert [told(send(store, WAIT)) for _ in range(3)] == [{"crisis"}, {"normal"}, {"low"}]


def test_a_message_carries_a_dozen_and_counts_all(store: Store) -> None:
    for n in range(CARRIED + 3):
        tell(store, f"a{n}", n * timedelta(milliseconds=1))
    parcel = send(store, WAIT)
    assert (len(parcel.newest), len(parcel.cases)) == (CARRIED, CARRIED + 3)
    assert parcel.newest[0].case.author == f"a{CARRIED + 2}"
    assert all(line.mention.post.author.handle == line.case.author for line in parcel.newest)


def test_what_was_given_up_is_listed_and_can_be_sent_again_with_a_fresh_budget(store: Store) -> None:
    tell(store, "ann")
    parcel = claim(store, WAIT)
    assert parcel is not None
    store.outbox.give_up(parcel.notification, error="no such room", took=SECOND, now=START + WAIT)
    [row] = store.outbox.dead()
    assert (row.kind, row.about, row.error, row.attempts) == ("notification", "opened to desk", "no such room", 1)
    assert claim(store, REPEAT) is None
    assert store.outbox.requeue(row.id, START + REPEAT)
    assert not store.outbox.requeue(row.id, START + REPEAT)
    again = claim(store, REPEAT)
    assert again is not None
    assert (again.notification.key, again.frozen_at) == (parcel.notification.key, START + REPEAT)
    assert told(again) == {"ann"}


def test_hasten_spares_the_waiting_but_not_repeats_and_failed_tries(store: Store) -> None:
    tell(store, "ann")
    store.outbox.hasten(START)
    parcel = send(store, timedelta())
    store.outbox.hasten(START)
    assert claim(store, timedelta()) is None, "the repeat keeps its time"
    tell(store, "bob")
    store.outbox.hasten(START)
    parcel = claim(store, timedelta())  # type: ignore[assignment]
    store.outbox.retry(parcel.notification, error="busy", due=START + WAIT, took=SECOND, now=START)
    store.outbox.hasten(START)
    assert claim(store, timedelta()) is None


def test_messages_for_channels_that_are_gone_are_given_up(store: Store) -> None:
    tell(store, "ann", through=route("both", channels=("desk", "gone")))
    assert store.outbox.bury_orphans(("desk",), START) == 1
    assert store.outbox.bury_orphans(("desk",), START) == 0
    assert claim(store, WAIT, "gone") is None
    assert claim(store, WAIT) is not None
    assert store.outbox.dead()[0].error == "its channel is no longer in the configuration"


@pytest.mark.parametrize("done", ["sent", "dropped", "dead"])
def test_the_ledger_keeps_every_try(store: Store, done: str) -> None:
    case = tell(store, "ann")
    parcel = claim(store, WAIT)
    assert parcel is not None
    store.outbox.retry(parcel.notification, error="busy", due=START, took=SECOND, now=START)
    parcel = claim(store, WAIT)
    assert parcel is not None
    if done == "sent":
        store.outbox.sent(parcel.notification, why="new case", took=SECOND, now=START)
    elif done == "dropped":
        store.outbox.dropped(parcel.notification, why="resolved", now=START)
    else:
        store.outbox.give_up(parcel.notification, error="refused", took=SECOND, now=START)
    delivery = store.outbox.of_case(case)[0]
    assert (delivery.status, delivery.attempts, delivery.key) == (done, 2, parcel.notification.key)
    outcome = {"sent": "accepted", "dropped": "dropped", "dead": "rejected"}[done]
    assert [t.outcome for t in delivery.tries] == ["unavailable", outcome]
    assert delivery.tries[0].took_ms == 1_000


def test_what_waits_is_counted_without_repeats(store: Store) -> None:
    assert next_due(store) is None
    tell(store, "ann")
    assert (store.outbox.waiting(), next_due(store)) == (1, START + WAIT)
    send(store, WAIT)
    assert (store.outbox.waiting(), next_due(store)) == (0, START + WAIT + REPEAT)
