"""Posting what was approved, at most once: whatever the other side does, and wherever the process ends."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from listener.casework import Casework
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.reply import Reply
from listener.core.replying import LOOKS, NEWS
from listener.pipeline.post import PATIENCE, STRANDED, post
from listener.store import open_store
from listener.testing import START, FakeClock
from tests.casework.conftest import LEASE, Office
from tests.casework.test_replies import Bench
from tests.replier import Died, FakeReplier, How

HOLD = timedelta(seconds=11)


@pytest.fixture
def bench() -> Iterator[Bench]:
    store, clock = open_store(":memory:"), FakeClock(START)
    yield Bench(Office(store=store, clock=clock, work=Casework(store, clock, lambda: LEASE)))
    store.close()


@pytest.fixture
def ann(bench: Bench) -> Actor:
    return bench.office.hire("Ann")


@pytest.fixture
def lea(bench: Bench) -> Actor:
    return bench.office.hire("Lea", "lead")


@pytest.fixture
def approved(bench: Bench, ann: Actor) -> Reply:
    """An approved answer."""
    return bench.approve(bench.written(bench.office.case(), ann), ann)


def acts(bench: Bench) -> list[str]:
    """What happened to the case, after the approval."""
    found = [event.act for event in bench.store.events.of_case(1)]
    return found[len(found) - found[::-1].index("approved") :]


def test_an_answer_that_was_taken_in_silence_is_found_and_not_posted_again(bench: Bench, approved: Reply) -> None:
    bench.place.how = "takes in silence"
    assert bench.post() == 1
    assert (bench.now(approved).state, bench.now(approved).why) == ("unknown", "no answer within 20 s")
    bench.place.how = "takes"
    assert bench.post(LOOKS[0]) == 1
    done = bench.now(approved)
    assert (done.state, done.posted and done.posted.external_id) == ("posted", "a1")
    assert (len(bench.place.handed), acts(bench)) == (1, ["handed over", "answer unknown", "answered"])


@pytest.mark.parametrize("how", ["takes in silence", "silence", "breaks"])
def test_what_is_not_found_is_looked_for_a_few_times_and_then_left_to_a_colleague(
    bench: Bench, approved: Reply, how: How
) -> None:
    bench.place.how, bench.place.hidden = how, True
    bench.post()
    for pause in LOOKS:
        assert bench.now(approved).due_at == bench.office.clock() + pause
        assert bench.post(pause) == 1
    assert (bench.now(approved).state, bench.now(approved).due_at) == ("unknown", None)
    assert bench.post(timedelta(days=30)) == 0
    assert len(bench.place.handed) == 1


def test_looking_that_fails_is_no_finding_and_costs_one_look(bench: Bench, approved: Reply, logged: Any) -> None:
    bench.place.how = "takes in silence"
    bench.post()
    bench.place.how = "away"
    bench.post(LOOKS[0])
    assert (bench.now(approved).state, bench.now(approved).tries) == ("unknown", 2)
    assert [each["event"] for each in logged if each["log_level"] == "warning"] == ["reply_unknown", "reply_not_found"]


def test_a_colleague_who_looked_has_it_handed_over_once_more_under_the_same_key(
    bench: Bench, approved: Reply, ann: Actor, lea: Actor
) -> None:
    bench.place.how, bench.place.hidden = "silence", True
    bench.post()
    with pytest.raises(Refused, match="may not do that"):
        bench.replies.again(approved.public_id, ann)
    bench.replies.again(approved.public_id, lea)
    bench.place.how = "takes"
    assert bench.post(timedelta()) == 1
    assert bench.now(approved).state == "posted"
    assert bench.place.handed == [approved.key] * 2
    assert len(bench.place.stood) == 1


def test_what_is_found_while_a_colleague_asks_for_once_more_is_not_handed_over(
    bench: Bench, approved: Reply, lea: Actor
) -> None:
    bench.place.how = "takes in silence"
    bench.post()

    class Slow(FakeReplier):
        def find(self, *given: Any) -> Any:
            bench.replies.again(approved.public_id, lea)
            return FakeReplier.find(self, *given)

    bench.repliers["shop"] = Slow(stood=bench.place.stood)
    bench.post(LOOKS[0])
    assert bench.now(approved).state == "posted"
    assert bench.post() == 0
    assert len(bench.place.stood) == 1


def test_what_a_colleague_settles_while_it_is_looked_for_stays_as_they_say(
    bench: Bench, approved: Reply, ann: Actor
) -> None:
    bench.place.how = "takes in silence"
    bench.post()

    class Slow(FakeReplier):
        def find(self, *given: Any) -> Any:
            bench.replies.by_hand(approved.public_id, ann, "https://forum.example/9")
            return FakeReplier.find(self, *given)

    for found in (bench.place.stood, []):
        bench.repliers["shop"] = Slow(stood=found)
        with suppress(Refused):
            bench.post(LOOKS[0])
        assert bench.now(approved).state == "by hand"
    assert bench.office.acts(bench.store.cases.get(1)).count("answered") == 0


def test_a_refusal_is_said_and_the_answer_can_be_changed(bench: Bench, approved: Reply, ann: Actor) -> None:
    bench.place.how = "refuses"
    bench.post()
    failed = bench.now(approved)
    assert (failed.state, failed.why, failed.approval, acts(bench)) == (
        "failed", "422: too long", None, ["handed over", "answer refused"],
    )  # fmt: skip
    assert bench.post(timedelta(days=1)) == 0
    again = bench.replies.save(approved.public_id, ann, "Shorter.", version=failed.version)
    bench.place.how = "takes"
    bench.approve(again, ann)
    bench.post()
    assert [each.text for each in bench.place.stood] == ["Shorter."]
    assert len(set(bench.place.handed)) == 2, "other words have another key"


@pytest.mark.parametrize(("how", "wait"), [("limits", 60), ("away", 0)])
def test_what_was_not_taken_for_certain_is_tried_again_later(
    bench: Bench, approved: Reply, how: How, wait: int
) -> None:
    bench.place.how = how
    bench.post()
    put_off = bench.now(approved)
    assert put_off.state == "approved"
    assert put_off.due_at is not None
    assert put_off.due_at >= bench.office.clock() + timedelta(seconds=wait)
    assert bench.post(timedelta()) == 0
    bench.place.how = "takes"
    assert bench.post(timedelta(hours=1)) == 1
    assert (bench.now(approved).state, len(bench.place.stood)) == ("posted", 1)


def test_what_is_not_taken_for_a_day_goes_back_to_its_writer(bench: Bench, approved: Reply) -> None:
    bench.place.how = "away"
    for _ in range(200):
        if bench.now(approved).state == "failed":
            break
        bench.post(timedelta(minutes=30))
    failed = bench.now(approved)
    assert failed.state == "failed"
    assert "tried for" in failed.why
    assert bench.office.clock() - START >= PATIENCE


def test_words_of_the_customer_after_the_approval_hold_it_up(bench: Bench, approved: Reply) -> None:
    bench.office.clock.forward(timedelta(seconds=5))
    bench.hear("2", "author-1")
    bench.post()
    back = bench.now(approved)
    assert (back.state, back.why, back.approval, acts(bench)[-1]) == ("draft", NEWS, None, "approval withdrawn")
    assert bench.place.handed == []


def test_a_place_that_is_gone_or_takes_no_answers_any_more_gives_it_back(
    bench: Bench, approved: Reply, ann: Actor
) -> None:
    bench.repliers.clear()
    bench.post()
    assert "not configured any more" in bench.now(approved).why
    bench.repliers["shop"] = bench.place
    bench.approve(approved, ann)
    bench.place.refusal = "the thread was locked"
    bench.post()
    assert (bench.now(approved).state, bench.now(approved).why) == ("draft", "the thread was locked")
    assert bench.place.handed == []


def test_an_unknown_answer_of_a_place_that_is_gone_ends_with_a_colleague(bench: Bench, approved: Reply) -> None:
    bench.place.how = "silence"
    bench.post()
    bench.repliers.clear()
    for pause in LOOKS:
        bench.post(pause)
    assert (bench.now(approved).state, bench.now(approved).due_at) == ("unknown", None)


@pytest.mark.parametrize("how", ["dies", "dies after"])
def test_a_process_that_ends_while_it_hands_over_leaves_an_unknown_answer(
    bench: Bench, approved: Reply, how: How
) -> None:
    bench.place.how = how
    with pytest.raises(Died):
        bench.post()
    assert bench.now(approved).state == "posting", "the intent was stored first"
    bench.place.how = "takes"
    assert bench.post(timedelta()) == 0
    assert (bench.now(approved).state, bench.now(approved).why) == ("unknown", STRANDED)
    bench.post(LOOKS[0])
    assert bench.now(approved).state == ("posted" if how == "dies after" else "unknown")
    assert len(bench.place.handed) == 1


def test_a_stop_or_a_switch_holds_it_but_what_is_unknown_is_looked_for(
    bench: Bench, approved: Reply, ann: Actor, lea: Actor
) -> None:
    bench.stops.stop(ann, "wrong words")
    assert bench.post() == 0
    bench.stops.go_on(lea)
    bench.posting = replace(bench.posting, on=False)
    assert bench.post() == 0
    bench.posting = replace(bench.posting, on=True)
    bench.place.how = "takes in silence"
    bench.post()
    bench.stops.stop(ann, "wrong words")
    assert bench.post(LOOKS[0]) == 1
    assert bench.now(approved).state == "posted"


def test_what_is_taken_back_while_the_place_is_asked_is_not_handed_over(
    bench: Bench, approved: Reply, ann: Actor
) -> None:
    class Slow(FakeReplier):
        def can_reply(self, *given: Any) -> None:
            if bench.now(approved).state == "approved":
                bench.replies.withdraw(approved.public_id, ann)

    slow = Slow()
    bench.repliers["shop"] = slow
    bench.post()
    assert (bench.now(approved).state, slow.handed) == ("draft", [])


def test_no_word_of_an_answer_is_in_the_log(
    bench: Bench, approved: Reply, logged: list[MutableMapping[str, Any]]
) -> None:
    bench.place.how = "silence"
    bench.post()
    bench.place.how = "takes"
    for pause in LOOKS:
        bench.post(pause)
    assert logged
    assert "our fault" not in repr(logged)


def test_nothing_is_due_where_nothing_was_approved(bench: Bench, ann: Actor) -> None:
    bench.written(bench.office.case(), ann)
    assert post(bench.store, bench.repliers, bench.rules(), bench.office.clock) == 0
