"""Unsure mentions that a colleague settles: with a case and without, alone and together, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from listener.casework.settling import GRACE
from listener.casework.undo import UNDO_FOR
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import Mention, Post
from listener.core.sentiment import Label
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.testing import FakeScorer, make_post
from tests.web.stage import Stage

NEGATIVE, NEUTRAL = (0.5, 0.4, 0.1), (0.3, 0.5, 0.2)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    table = {"hm": NEUTRAL, "uh": NEGATIVE, "broken": (0.95, 0.04, 0.01)}
    with Stage(tmp_path, scorer=FakeScorer(table=table)) as made:
        yield made


@pytest.fixture
def dana(stage: Stage) -> Actor:
    return Actor(colleague=stage.colleague("agent", "dana"), via="page")


def heard(stage: Stage, *posts: Post, place: str = "forum") -> list[Mention]:
    """Posts, judged and routed."""
    stage.hear(*posts, place=place)
    stage.work()
    return [trail.mention for trail in reversed(stage.store.trails.unsure(limit=99))]


def lane(stage: Stage) -> list[int]:
    """What is unsure, newest first; every way of counting says the same."""
    found = [trail.mention.id for trail in stage.store.trails.unsure(limit=99)]
    assert len(found) == stage.store.lane.count() == sum(stage.store.trends.unsure().values())
    assert stage.store.trends.totals() == stage.store.trends.recount()
    return found


@pytest.mark.parametrize("label", ["negative", "neutral", "positive"])
def test_a_mention_without_a_case_is_settled_and_leaves_the_lane(stage: Stage, dana: Actor, label: Label) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    assert lane(stage) == [mention.id]
    done = stage.settling.settle(mention.id, label, dana)
    assert lane(stage) == []
    assert done.mention.sentiment is not None
    assert (done.mention.sentiment.label, done.mention.sentiment.certainty) == (label, "confident")
    assert stage.store.trends.totals() == {("Acme", label): 1}
    [event] = stage.store.events.of_subject(f"mention {mention.id}")
    assert (event.act, event.who, event.detail) == ("settled", "Dana", f"unsure neutral to {label}")


def test_what_is_not_about_us_is_counted_nowhere(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    done = stage.settling.settle(mention.id, None, dana)
    assert done.mention.sentiment is None
    assert lane(stage) == []
    assert stage.store.trends.totals() == {}


def test_it_is_taken_back_by_who_said_it_for_ten_minutes_and_once(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    eli = Actor(colleague=stage.colleague("lead", "eli"), via="page")
    for label in ("positive", None):
        done = stage.settling.settle(mention.id, label, dana)
        with pytest.raises(Refused, match="nothing of yours"):
            stage.settling.undo(done.event, eli)
        back = stage.settling.undo(done.event, dana)
        assert back.mention == mention
        assert lane(stage) == [mention.id]
        with pytest.raises(Refused, match="nothing of yours"):
            stage.settling.undo(done.event, dana)
    done = stage.settling.settle(mention.id, "positive", dana)
    stage.clock.forward(UNDO_FOR + timedelta(seconds=1))
    with pytest.raises(Refused, match="too long ago"):
        stage.settling.undo(done.event, dana)


def test_of_two_colleagues_the_second_hears_what_the_first_said(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    stage.settling.settle(mention.id, "positive", Actor(colleague=stage.colleague("lead"), via="page"))
    with pytest.raises(Refused, match="settled already: positive"):
        stage.settling.settle(mention.id, "negative", dana)


def test_a_text_that_was_edited_while_it_was_read_is_not_settled(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    heard(stage, make_post("1", "hm acme, no"))
    with pytest.raises(Refused, match="read it once more"):
        stage.settling.settle(mention.id, "positive", dana, seen=mention.fingerprint)


def test_an_edit_after_settling_is_judged_anew_and_nothing_is_taken_back(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    done = stage.settling.settle(mention.id, "positive", dana)
    [again] = heard(stage, make_post("1", "hm acme, no"))
    with pytest.raises(Refused, match="changed since"):
        stage.settling.undo(done.event, dana)
    assert lane(stage) == [again.id]


def test_who_may_not_correct_settles_nothing(stage: Stage) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    with pytest.raises(Refused, match="a viewer may not"):
        stage.settling.settle(mention.id, "positive", Actor(colleague=stage.colleague("viewer"), via="page"))
    with pytest.raises(Refused, match="no such mention"):
        stage.settling.settle(4711, "positive", Actor(colleague=stage.colleague("agent"), via="page"))


def test_a_fresh_complaint_that_no_case_holds_is_routed_once_it_cannot_be_a_slip(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    stage.settling.settle(mention.id, "negative", dana)
    assert escalate(stage.store, stage.rules, stage.clock) == 0
    stage.clock.forward(GRACE)
    stage.work()
    [case] = stage.store.cases.unresolved()
    assert (case.route, case.severity) == ("complaints", "high")


def test_a_slip_of_the_finger_tells_nobody(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    before = stage.store.lane.way(mention.id)
    stage.settling.undo(stage.settling.settle(mention.id, "negative", dana).event, dana)
    assert stage.store.lane.way(mention.id) == before
    stage.clock.forward(GRACE)
    stage.work()
    assert stage.store.cases.unresolved() == ()


@pytest.mark.parametrize("label", ["positive", "neutral"])
def test_what_no_route_takes_opens_no_case(stage: Stage, dana: Actor, label: Label) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    stage.settling.settle(mention.id, label, dana)
    stage.clock.forward(GRACE)
    stage.work()
    assert stage.store.cases.unresolved() == ()


def test_nobody_is_told_of_history_or_of_what_was_settled_days_later(stage: Stage, dana: Actor) -> None:
    old = stage.clock() - timedelta(days=9)
    heard(stage, make_post("1", "hm acme", published_at=old), place="reviews")
    heard(stage, make_post("2", "hm acme"))
    stage.clock.forward(timedelta(days=3))
    for mention in lane(stage):
        stage.settling.settle(mention, "negative", dana)
    stage.clock.forward(GRACE)
    stage.work()
    assert stage.store.cases.unresolved() == ()


def test_a_mention_of_a_case_is_settled_there_and_its_history_says_so(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "uh acme"))
    done = stage.settling.settle(mention.id, "positive", dana)
    assert done.case is not None
    assert [event.act for event in stage.store.events.of_case(done.case.id)][-1] == "settled"
    assert stage.store.cases.get(done.case.id).version == done.case.version
    assert stage.settling.undo(done.event, dana).mention == mention


def test_a_case_that_held_nothing_else_ends_as_not_about_us_and_comes_back(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "uh acme"))
    done = stage.settling.settle(mention.id, None, dana)
    assert done.case is not None
    assert (done.case.status, done.case.outcome) == ("resolved", "not us")
    back = stage.settling.undo(done.event, dana)
    assert back.case is not None
    assert back.case.status == "open"
    assert lane(stage) == [mention.id]


def test_a_case_that_another_has_is_not_ended_over_their_head(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "uh acme"))
    [case] = stage.store.cases.unresolved()
    stage.casework.claim(case.public_id, Actor(colleague=stage.colleague("agent", "bob"), via="page"))
    with pytest.raises(Refused, match="Bob has it"):
        stage.settling.settle(mention.id, None, dana)
    assert lane(stage) == [mention.id]


def test_a_case_with_other_mentions_goes_on(stage: Stage, dana: Actor) -> None:
    first, second = heard(stage, make_post("1", "uh acme"), make_post("2", "uh acme, again"))
    done = stage.settling.settle(first.id, None, dana)
    assert done.case is not None
    assert (done.case.status, done.case.mentions) == ("open", 2)
    assert lane(stage) == [second.id]
    assert stage.settling.undo(done.event, dana).mention == first


def test_several_are_taken_back_the_latest_first(stage: Stage, dana: Actor) -> None:
    found = heard(stage, make_post("1", "uh acme"), make_post("2", "uh acme, again"), make_post("3", "hm acme"))
    events = [stage.settling.settle(mention.id, "positive", dana).event for mention in found]
    for event in reversed(events):
        stage.settling.undo(event, dana)
    assert sorted(lane(stage)) == [mention.id for mention in found]


def test_what_was_settled_outlives_another_judging(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    stage.settling.settle(mention.id, "positive", dana)
    stage.store.db.write("UPDATE mentions SET step = 'judge' WHERE id = ?", (mention.id,))
    stage.scorer = FakeScorer(table={"hm": NEGATIVE}, revision="2")
    stage.work()
    assert lane(stage) == []
    assert stage.store.trends.totals() == {("Acme", "positive"): 1}


def test_staff_who_have_the_case_are_not_told_of_it_again(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "uh acme"))
    stage.settling.settle(mention.id, "negative", dana)
    assert stage.store.lane.way(mention.id).step is None
    [case] = stage.store.cases.unresolved()
    assert (case.route, case.severity) == ("perhaps a complaint", "low")


def test_what_is_not_about_us_stays_so_though_it_waited_to_be_judged_anew(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme"))
    stage.hear(make_post("1", "hm acme, edited"))
    done = stage.settling.settle(mention.id, None, dana)
    stage.work()
    assert lane(stage) == []
    assert stage.store.trends.totals() == {}
    stage.settling.undo(done.event, dana)
    assert stage.store.lane.way(mention.id).step == "judge"
    stage.work()
    assert lane(stage) == [mention.id]


@pytest.mark.parametrize("step", ["judge", "route"])
def test_a_case_that_is_not_about_us_keeps_what_waited_in_it_from_coming_back(
    stage: Stage, dana: Actor, step: str
) -> None:
    [mention] = heard(stage, make_post("1", "hm acme, burning"))
    [case] = stage.store.cases.unresolved()
    stage.hear(make_post("1", "broken acme, burning"))
    if step == "route":
        judge(stage.store, stage.scorer, stage.rules, stage.clock)
    waiting = stage.store.lane.way(mention.id)
    assert waiting.step == step
    done = stage.casework.not_us(case.public_id, dana)
    stage.work()
    assert stage.store.trends.totals() == stage.store.trends.recount() == {}
    assert stage.store.cases.get(case.id).status == "resolved"
    stage.casework.undo(done.event, dana)
    assert stage.store.lane.way(mention.id) == waiting
    stage.work()
    assert stage.store.trends.totals() == stage.store.trends.recount() == {("Acme", "negative"): 1}
    assert stage.store.lane.way(mention.id).routes == "burning"


def test_a_case_that_is_about_us_after_all_is_judged_where_that_was_stopped(stage: Stage, dana: Actor) -> None:
    [mention] = heard(stage, make_post("1", "hm acme, burning"))
    [case] = stage.store.cases.unresolved()
    stage.hear(make_post("1", "broken acme, edited"))
    stage.casework.not_us(case.public_id, dana)
    stage.work()
    stage.casework.reopen(case.public_id, dana)
    stage.work()
    found = stage.store.mentions.find(mention.id)
    assert found is not None
    assert found.sentiment is not None
    assert found.sentiment.certainty == "confident"
    assert stage.store.trends.totals() == stage.store.trends.recount() == {("Acme", "negative"): 1}


def test_one_of_several_in_a_case_that_waited_waits_again_when_it_is_taken_back(stage: Stage, dana: Actor) -> None:
    first, _ = heard(stage, make_post("1", "uh acme"), make_post("2", "uh acme, again"))
    stage.hear(make_post("1", "broken acme, edited"))
    done = stage.settling.settle(first.id, None, dana)
    stage.work()
    assert stage.store.trends.totals() == stage.store.trends.recount() == {("Acme", "negative"): 1}
    stage.settling.undo(done.event, dana)
    assert stage.store.lane.way(first.id).step == "judge"
