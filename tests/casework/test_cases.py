"""What colleagues do with cases, what is refused in words, and what can be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from listener.casework import Accounts, Casework, Done, Sessions
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import OPERATOR, Actor
from listener.store import open_store
from listener.testing import FakeClock
from tests.casework.conftest import LEASE, Office
from tests.kit import judge_as

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_who_claims_first_has_it_and_the_other_hears_who(office: Office, case: Case, ann: Actor, bob: Actor) -> None:
    done = office.work.claim(case.public_id, ann)
    assert ann.colleague
    assert (done.case.status, done.case.assignee) == ("acknowledged", ann.colleague.id)
    assert done.case.claimed_until == office.clock() + LEASE
    with pytest.raises(Refused, match=r"Ann has it until \d\d:\d\d UTC"):
        office.work.claim(case.public_id, bob)
    assert office.acts(case) == ["opened", "claimed"]


def test_a_claim_that_ran_out_holds_nobody_back(office: Office, case: Case, ann: Actor, bob: Actor) -> None:
    office.work.claim(case.public_id, ann)
    office.clock.forward(LEASE + timedelta(seconds=1))
    assert office.work.claim(case.public_id, bob).case.assignee == bob.colleague.id  # type: ignore[union-attr]


def test_working_on_a_case_renews_its_claim(office: Office, case: Case, ann: Actor) -> None:
    office.work.claim(case.public_id, ann)
    office.clock.forward(LEASE / 2)
    office.work.note(case.public_id, ann, "called the depot")
    assert office.now(case).claimed_until == office.clock() + LEASE


def race(office: Office, people: Sequence[Actor], case: Case) -> list[str]:
    """What each of several who claim a case at the same moment hears: its id, or the refusal."""
    outcomes: list[str] = []
    start = threading.Barrier(len(people))

    def grab(by: Actor) -> None:
        start.wait(10)
        try:
            outcomes.append(office.work.claim(case.public_id, by).case.public_id)
        except Refused as refusal:
            outcomes.append(refusal.message)

    threads = [threading.Thread(target=grab, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return outcomes


def test_of_many_who_claim_at_once_one_wins(tmp_path: Path) -> None:
    store, clock = open_store(str(tmp_path / "race.db")), FakeClock()
    office = Office(store=store, clock=clock, work=Casework(store, clock))
    people = [office.hire(f"P{n}") for n in range(8)]
    try:
        for n in range(25):
            case = office.case(str(n))
            heard = race(office, people, case)
            assert heard.count(case.public_id) == 1
            assert sum("has it until" in word for word in heard) == len(people) - 1
    finally:
        store.close()


@pytest.mark.parametrize(
    "act",
    [
        lambda work, case, by, _: work.release(case.public_id, by),
        lambda work, case, by, now: work.snooze(case.public_id, by, now + HOUR),
        lambda work, case, by, _: work.resolve(case.public_id, by, "answered"),
        lambda work, case, by, _: work.not_us(case.public_id, by),
    ],
)
def test_what_another_has_is_left_to_them_except_by_a_lead(
    office: Office, case: Case, ann: Actor, bob: Actor, lead: Actor,
    act: Callable[[Casework, Case, Actor, object], Done],
) -> None:  # fmt: skip
    office.work.claim(case.public_id, ann)
    with pytest.raises(Refused, match="Ann has it"):
        act(office.work, case, bob, office.clock())
    act(office.work, case, lead, office.clock())


def test_only_leads_give_cases_to_others(office: Office, case: Case, ann: Actor, bob: Actor, lead: Actor) -> None:
    assert ann.colleague
    assert bob.colleague
    with pytest.raises(Refused, match="lead or admin"):
        office.work.assign(case.public_id, ann, bob.colleague)
    assert office.work.assign(case.public_id, ann, ann.colleague).case.assignee == ann.colleague.id
    assert office.work.assign(case.public_id, lead, bob.colleague).case.assignee == bob.colleague.id
    marketer = office.hire("Mia", "marketer")
    assert marketer.colleague
    with pytest.raises(Refused, match="cannot work on cases"):
        office.work.assign(case.public_id, lead, marketer.colleague)


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_a_role_that_may_not_work_is_told_which_may(office: Office, case: Case, role: str) -> None:
    with pytest.raises(Refused, match="it takes the role agent or lead or admin"):
        office.work.claim(case.public_id, office.hire("Vi", role))  # type: ignore[arg-type]


def test_nobody_without_a_name_works_on_cases(office: Office, case: Case) -> None:
    with pytest.raises(Refused, match="takes a colleague"):
        office.work.claim(case.public_id, OPERATOR)


@pytest.mark.parametrize("away", [timedelta(), -HOUR, timedelta(days=91)])
def test_a_snooze_ends_in_the_future(office: Office, case: Case, ann: Actor, away: timedelta) -> None:
    with pytest.raises(Refused, match="within 90 days"):
        office.work.snooze(case.public_id, ann, office.clock() + away)


def test_a_case_is_resolved_once_and_reopened_by_hand(office: Office, case: Case, ann: Actor, bob: Actor) -> None:
    assert ann.colleague
    assert bob.colleague
    done = office.work.resolve(case.public_id, ann, "answered").case
    assert (done.status, done.outcome, done.assignee) == ("resolved", "answered", ann.colleague.id)
    for act in (office.work.claim, office.work.release):
        with pytest.raises(Refused):
            act(case.public_id, ann)
    with pytest.raises(Refused, match="already"):
        office.work.resolve(case.public_id, ann, "answered")
    back = office.work.reopen(case.public_id, bob).case
    assert (back.status, back.outcome, back.resolved_at, back.assignee) == (
        "acknowledged",
        None,
        None,
        bob.colleague.id,
    )
    with pytest.raises(Refused, match="not resolved"):
        office.work.reopen(case.public_id, bob)


def test_news_since_the_page_was_opened_stops_a_resolve(office: Office, case: Case, ann: Actor) -> None:
    office.work.note(case.public_id, ann, "looks easy")
    seen = office.now(case).version
    office.work.note(case.public_id, ann, "a colleague's act does not matter")
    office.heard("2", "author-1")
    with pytest.raises(Refused, match="conversation changed"):
        office.work.resolve(case.public_id, ann, "answered", seen)
    office.work.resolve(case.public_id, ann, "answered", office.now(case).version)


def test_a_note_needs_words_and_is_kept_with_its_writer(office: Office, case: Case, ann: Actor) -> None:
    for text in (" \n\t", "x" * 5001):
        with pytest.raises(Refused):
            office.work.note(case.public_id, ann, text)
    office.work.note(case.public_id, ann, " <b>hello</b>\0 ")
    [note] = office.store.notes.of_case(case.id)
    assert (note.text, note.who) == ("<b>hello</b>", "Ann")


def test_a_merged_case_leads_on_and_takes_in_what_comes_later(office: Office, case: Case, ann: Actor) -> None:
    other = office.case("2", author="twin")
    office.work.merge(other.public_id, ann, case.public_id)
    gone, grown = office.now(other), office.now(case)
    assert (gone.status, gone.outcome, gone.merged_into, gone.mentions) == ("resolved", "merged", case.id, 0)
    assert grown.mentions == 2
    joined, opened = office.heard("3", "twin")
    assert (joined.id, joined.mentions, opened) == (case.id, 3, False)


def test_a_merge_taken_back_gives_the_mentions_back(office: Office, case: Case, ann: Actor) -> None:
    other = office.case("2", author="twin")
    done = office.work.merge(other.public_id, ann, case.public_id)
    office.work.undo(done.event, ann)
    assert (office.now(other).status, office.now(other).mentions, office.now(case).mentions) == ("open", 1, 1)
    assert len(office.store.mentions.of_case(other.id)) == 1


def test_a_case_that_takes_in_a_worse_one_is_as_bad(office: Office, case: Case, ann: Actor) -> None:
    other, soon = office.case("2"), office.clock() + HOUR
    with office.store.transaction():
        office.store.cases.change(replace(case, severity="low", reply_by=soon + DAY))
        office.store.cases.change(replace(other, severity="crisis", route="burning", reason="it burns", reply_by=soon))
    office.work.merge(other.public_id, ann, case.public_id)
    grown = office.now(case)
    assert (grown.severity, grown.route, grown.reason, grown.reply_by) == ("crisis", "burning", "it burns", soon)


def test_merges_are_taken_back_in_turn(office: Office, case: Case, ann: Actor) -> None:
    second, third = office.case("2"), office.case("3")
    first = office.work.merge(third.public_id, ann, second.public_id)
    then = office.work.merge(second.public_id, ann, case.public_id)
    with pytest.raises(Refused, match="merged on"):
        office.work.undo(first.event, ann)
    office.work.undo(then.event, ann)
    office.work.undo(first.event, ann)
    assert [len(office.store.mentions.of_case(one.id)) for one in (case, second, third)] == [1, 1, 1]


def test_cases_that_do_not_belong_together_are_not_merged(office: Office, case: Case, ann: Actor) -> None:
    with pytest.raises(Refused, match="into itself"):
        office.work.merge(case.public_id, ann, case.public_id)
    other = office.case("2")
    office.work.resolve(other.public_id, ann, "answered")
    with pytest.raises(Refused, match="resolved"):
        office.work.merge(case.public_id, ann, other.public_id)


def test_a_corrected_label_is_counted_and_outlives_another_judging(office: Office, case: Case, ann: Actor) -> None:
    [mention] = office.store.mentions.of_case(case.id)
    assert office.store.trends.totals() == {("Acme", "negative"): 1}
    done = office.work.correct(case.public_id, ann, mention.id, "positive")
    assert office.store.trends.totals() == office.store.trends.recount() == {("Acme", "positive"): 1}
    office.store.db.write("UPDATE mentions SET step = 'judge' WHERE id = ?", (mention.id,))
    judge_as(office.store, office.store.mentions.claim("judge", 1, office.clock()), 0.99, 0.005, 0.005)
    [again] = office.store.mentions.of_case(case.id)
    assert again.sentiment
    assert (again.sentiment.label, again.sentiment.scorer) == ("positive", "a colleague")
    office.work.undo(done.event, ann)
    [before] = office.store.mentions.of_case(case.id)
    assert before.sentiment == mention.sentiment
    assert office.store.trends.totals() == office.store.trends.recount() == {("Acme", "negative"): 1}


def test_a_mention_of_another_case_is_not_corrected_here(office: Office, case: Case, ann: Actor) -> None:
    [foreign] = office.store.mentions.of_case(office.case("2").id)
    for mention_id in (foreign.id, 10_000):
        with pytest.raises(Refused, match="not in this case"):
            office.work.correct(case.public_id, ann, mention_id, "positive")


def test_what_is_not_about_us_is_counted_nowhere_until_taken_back(office: Office, case: Case, ann: Actor) -> None:
    done = office.work.not_us(case.public_id, ann)
    assert (done.case.status, done.case.outcome) == ("resolved", "not us")
    assert office.store.trends.totals() == office.store.trends.recount() == {}
    office.work.undo(done.event, ann)
    assert office.store.trends.totals() == office.store.trends.recount() == {("Acme", "negative"): 1}
    assert office.now(case).status == "open"


def test_every_mention_of_a_long_case_is_not_about_us(office: Office, case: Case, ann: Actor) -> None:
    for n in range(2, 203):
        office.heard(str(n), "author-1")
    office.work.not_us(case.public_id, ann)
    assert office.store.trends.totals() == office.store.trends.recount() == {}


def test_a_correction_taken_back_lets_the_one_before_stand_again(
    office: Office, case: Case, ann: Actor, bob: Actor
) -> None:  # fmt: skip
    [mention] = office.store.mentions.of_case(case.id)
    office.work.correct(case.public_id, ann, mention.id, "positive")
    office.clock.forward(timedelta(seconds=5))
    done = office.work.not_us(case.public_id, bob)
    assert office.store.corrections.standing([mention]) == {mention.id: None}
    office.work.undo(done.event, bob)
    assert office.store.corrections.standing([mention]) == {mention.id: "positive"}
    assert office.store.trends.totals() == office.store.trends.recount() == {("Acme", "positive"): 1}


def test_a_token_takes_back_only_what_it_may_do(office: Office, case: Case, ann: Actor) -> None:
    assert ann.colleague
    writes = replace(ann, colleague=replace(ann.colleague, only=frozenset({"note"})))
    ended = office.work.resolve(case.public_id, ann, "answered")
    with pytest.raises(Refused, match="may not do that"):
        office.work.undo(ended.event, writes)
    assert office.now(case).status == "resolved"
    noted = office.work.note(case.public_id, writes, "called")
    assert office.work.undo(noted.event, writes).case.status == "resolved"


def test_a_case_that_is_about_us_after_all_is_counted_again(office: Office, case: Case, ann: Actor) -> None:
    office.work.not_us(case.public_id, ann)
    office.clock.forward(DAY)
    office.work.reopen(case.public_id, ann)
    assert office.store.trends.totals() == office.store.trends.recount() == {("Acme", "negative"): 1}


def test_taking_back_restores_the_case_and_says_so(office: Office, case: Case, ann: Actor, bob: Actor) -> None:
    office.work.claim(case.public_id, ann)
    before = office.now(case)
    done = office.work.resolve(case.public_id, ann, "no answer needed")
    with pytest.raises(Refused, match="nothing of yours"):
        office.work.undo(done.event, bob)
    office.work.undo(done.event, ann)
    after = office.now(case)
    assert (after.status, after.outcome, after.assignee, after.claimed_until) == (
        before.status, None, before.assignee, before.claimed_until,
    )  # fmt: skip
    assert office.acts(case)[-2:] == ["resolved", "undone"]
    with pytest.raises(Refused, match="nothing of yours"):
        office.work.undo(done.event, ann)


def test_what_others_built_on_is_not_taken_back(office: Office, case: Case, ann: Actor, lead: Actor) -> None:
    done = office.work.claim(case.public_id, ann)
    office.work.snooze(case.public_id, lead, office.clock() + DAY)
    with pytest.raises(Refused, match="changed since"):
        office.work.undo(done.event, ann)


def test_what_is_long_ago_is_not_taken_back(office: Office, case: Case, ann: Actor) -> None:
    done = office.work.claim(case.public_id, ann)
    office.clock.forward(timedelta(minutes=11))
    with pytest.raises(Refused, match="too long ago"):
        office.work.undo(done.event, ann)


def test_a_resolve_cannot_be_taken_back_over_a_newer_case(office: Office, case: Case, ann: Actor) -> None:
    done = office.work.resolve(case.public_id, ann, "answered")
    office.store.db.write("UPDATE cases SET resolved_at = 0 WHERE id = ?", (case.id,))
    newer, opened = office.heard("9", "author-1")
    assert opened
    assert newer.id != case.id
    with pytest.raises(Refused, match="newer case"):
        office.work.undo(done.event, ann)


def test_who_leaves_hands_their_cases_back(office: Office, case: Case, ann: Actor, bob: Actor) -> None:
    accounts = Accounts(office.store, office.clock, Sessions(office.store, office.clock))
    aside, kept = office.case("2"), office.case("3")
    office.work.claim(case.public_id, ann)
    office.work.snooze(aside.public_id, ann, office.clock() + DAY)
    office.work.claim(kept.public_id, bob)
    accounts.close(OPERATOR, "ann")
    assert (office.now(case).status, office.now(case).assignee) == ("open", None)
    assert (office.now(aside).status, office.now(aside).assignee) == ("snoozed", None)
    assert office.now(kept).held(office.clock())
    assert office.acts(aside)[-1] == "released"
    accounts.change_role(OPERATOR, "bob", "lead")
    assert office.now(kept).held(office.clock())
    accounts.change_role(OPERATOR, "bob", "marketer")
    assert office.now(kept).status == "open"
