"""A call walks the path of any mention, is never quoted, and can be taken back without a trace in cases and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from listener.casework import Calls, Logged
from listener.core.call import Call, Told
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import facts
from listener.core.notification import Message
from listener.core.rules import Rules
from listener.pipeline.dispatch import dispatch
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.testing import FakeChannel, FakeScorer
from tests.casework.conftest import Office
from tests.kit import COMPLAINTS, make_rules

Log = Callable[..., Logged]


@pytest.fixture
def rules() -> Rules:
    return make_rules(replace(COMPLAINTS, group_wait=timedelta()))


@pytest.fixture
def calls(office: Office, rules: Rules) -> Calls:
    return Calls(office.store, office.clock, lambda: rules, lambda: ("Acme", "Boredom"))


@pytest.fixture
def log(calls: Calls, ann: Actor) -> Log:
    """Log a call; what a test does not care about is filled in."""

    def log(key: str = "1", by: Actor = ann, **fields: object) -> Logged:
        plain = {"brand": "Acme", "words": "it never came", "mood": "negative", "customer": "+46 70 123"}
        return calls.log(Told(**{"key": key, **plain, **fields}), by)  # type: ignore[arg-type]

    return log


def walk(office: Office, rules: Rules) -> list[Message]:
    """Every step until nothing is left to do; gives what the desk was told."""
    channel = FakeChannel()
    while judge(office.store, FakeScorer(), rules, office.clock) or escalate(office.store, rules, office.clock):
        pass
    while dispatch(office.store, "desk", channel, rules, office.clock):
        pass
    return channel.messages


def only_case(office: Office) -> Case:
    """The one unresolved case."""
    [case] = office.store.cases.unresolved()
    return case


def now(calls: Calls, ann: Actor) -> Call:
    """The call that was logged last, as it is."""
    assert ann.colleague is not None
    return calls.latest(ann)[0]


def counted(office: Office) -> dict[tuple[str, str], int]:
    """The charts: mentions by brand and label."""
    return {key: n for key, n in office.store.trends.totals().items() if n}


def test_a_bad_call_opens_a_case_and_staff_are_told(
    office: Office, calls: Calls, rules: Rules, log: Log, ann: Actor
) -> None:
    logged = log(topic="delivery", words="fine words without a known one")
    assert logged.fresh
    assert (logged.call.waiting, logged.call.case, logged.call.who) == (True, None, "Ann")
    [message] = walk(office, rules)
    case = only_case(office)
    assert (case.brand, case.route, case.author, case.severity) == ("Acme", "complaints", "+46 70 123", "high")
    assert [line.case.public_id for line in message.cases] == [case.public_id]
    assert (now(calls, ann).case, now(calls, ann).waiting) == (case.public_id, False)
    assert counted(office) == {("Acme", "negative"): 1}


def test_the_mood_is_the_colleagues_and_not_the_models(office: Office, rules: Rules, log: Log) -> None:
    log(words="broken, but you are lovely and mended it", mood="positive")
    assert walk(office, rules) == []
    assert office.store.cases.unresolved() == ()
    [mention] = office.store.calls.mentions(1)
    assert mention.sentiment is not None
    assert (mention.sentiment.label, mention.sentiment.certainty) == ("positive", "confident")
    assert facts(mention)["kind"] == "call"
    assert mention.post.private
    assert counted(office) == {("Acme", "positive"): 1}


def test_a_call_is_news_whatever_its_place_knows(office: Office, log: Log) -> None:
    [mention] = office.store.calls.mentions(log().call.post_id)
    assert (mention.place, mention.arrival, mention.arrival_reason) == ("calls", "live", "new")


def test_a_second_call_of_the_customer_joins_the_case(office: Office, rules: Rules, log: Log) -> None:
    log("1")
    walk(office, rules)
    log("2", words="and still nothing", customer="+46 70 123 ")
    walk(office, rules)
    assert (only_case(office).mentions, only_case(office).headline) == (2, "and still nothing")


def test_callers_without_a_name_are_cases_of_their_own(office: Office, rules: Rules, log: Log) -> None:
    log("1", customer="")
    log("2", customer="")
    walk(office, rules)
    assert [case.author for case in office.store.cases.unresolved()] == ["", ""]


def test_a_call_that_names_another_brand_is_a_mention_of_both(office: Office, rules: Rules, log: Log) -> None:
    log(words="I am bored of waiting", mood="neutral")
    walk(office, rules)
    assert counted(office) == {("Acme", "neutral"): 1, ("Boredom", "negative"): 1}


def test_who_wants_to_be_called_back_has_a_case_though_no_route_takes_it(
    office: Office, rules: Rules, log: Log
) -> None:
    logged = log(mood="neutral", call_back=True)
    case = only_case(office)
    assert (case.route, case.reason) == ("root", "the customer wants to be called back")
    assert logged.call.case == case.public_id
    walk(office, rules)
    assert only_case(office).mentions == 1


def test_a_bad_call_with_a_call_back_stands_under_its_route(office: Office, rules: Rules, log: Log) -> None:
    log(call_back=True)
    assert office.store.cases.unresolved() == ()
    walk(office, rules)
    assert only_case(office).route == "complaints"


def test_the_same_call_sent_twice_is_logged_once(office: Office, rules: Rules, log: Log, bob: Actor) -> None:
    first = log()
    again = log()
    assert (again.fresh, again.call) == (False, first.call)
    walk(office, rules)
    assert log().call.case == only_case(office).public_id
    assert log(by=bob).fresh
    assert len(office.store.events.of_subject(f"mention {first.call.mention_id}")) == 1


def test_another_call_under_a_known_key_is_refused(log: Log) -> None:
    log()
    with pytest.raises(Refused, match="another call was logged under this key"):
        log(words="something else")


@pytest.mark.parametrize(
    ("fields", "why"), [({"brand": "Nobody"}, "no brand is called Nobody"), ({"words": " "}, "needs words")]
)
def test_what_cannot_be_a_call_is_refused(office: Office, log: Log, fields: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        log(**fields)
    assert office.store.events.newest_id() == 0


def test_logging_takes_the_right_to(office: Office, log: Log) -> None:
    with pytest.raises(Refused, match="a marketer may not"):
        log(by=office.hire("Max", "marketer"))


def test_a_call_taken_back_before_it_was_judged_leaves_nothing(
    office: Office, calls: Calls, rules: Rules, log: Log, ann: Actor
) -> None:
    gone = calls.take_back(log().call.event, ann)
    assert (gone.gone_at, gone.mood, gone.waiting) == (office.clock(), None, False)
    assert walk(office, rules) == []
    assert office.store.cases.unresolved() == ()
    assert counted(office) == {}
    with pytest.raises(Refused, match="log it anew"):
        log()
    with pytest.raises(Refused, match="nothing of yours"):
        calls.take_back(gone.event, ann)


def test_a_call_taken_back_while_it_is_judged_leaves_nothing(
    office: Office, calls: Calls, rules: Rules, log: Log, ann: Actor
) -> None:
    event = log().call.event

    def take_back(_texts: Sequence[str]) -> None:
        calls.take_back(event, ann)

    scorer = FakeScorer(on_read=take_back)
    judge(office.store, scorer, rules, office.clock)
    assert walk(office, rules) == []
    assert counted(office) == {}


def test_a_call_taken_back_ends_the_case_it_opened(
    office: Office, calls: Calls, rules: Rules, log: Log, ann: Actor
) -> None:
    event = log().call.event
    walk(office, rules)
    case = only_case(office)
    calls.take_back(event, ann)
    assert (office.now(case).status, office.now(case).outcome) == ("resolved", "not us")
    assert counted(office) == {}
    assert office.acts(case)[-1] == "not us"


def test_a_call_taken_back_leaves_a_case_that_holds_more(
    office: Office, calls: Calls, rules: Rules, log: Log, ann: Actor
) -> None:
    log("1", words="first")
    walk(office, rules)
    second = log("2", words="second").call
    walk(office, rules)
    gone = calls.take_back(second.event, ann)
    case = only_case(office)
    assert (case.mentions, case.headline, gone.case) == (1, "first", None)
    assert counted(office) == {("Acme", "negative"): 1}


def test_a_call_on_which_a_colleague_works_is_not_taken_back(
    office: Office, calls: Calls, rules: Rules, log: Log, ann: Actor, bob: Actor
) -> None:
    event = log().call.event
    walk(office, rules)
    office.work.claim(only_case(office).public_id, bob)
    with pytest.raises(Refused, match="Bob has it until"):
        calls.take_back(event, ann)
    assert counted(office) == {("Acme", "negative"): 1}


def test_a_call_is_taken_back_by_who_logged_it_and_soon(
    office: Office, calls: Calls, log: Log, ann: Actor, bob: Actor
) -> None:
    logged = log().call
    assert [calls.undoable(logged, who) for who in (ann, bob)] == [True, False]
    with pytest.raises(Refused, match="nothing of yours"):
        calls.take_back(logged.event, bob)
    office.clock.forward(timedelta(minutes=10, seconds=1))
    assert not calls.undoable(logged, ann)
    with pytest.raises(Refused, match="too long ago"):
        calls.take_back(logged.event, ann)


def test_the_form_remembers_brand_and_topics(calls: Calls, log: Log, ann: Actor, bob: Actor) -> None:
    assert (calls.usual_brand(ann), calls.topics()) == ("Acme", ())
    log("1", topic="delivery")
    log("2", topic="refund", brand="Boredom")
    log("3", topic="delivery", by=bob)
    assert (calls.usual_brand(ann), calls.usual_brand(bob)) == ("Boredom", "Acme")
    assert calls.topics() == ("delivery", "refund")


def test_the_log_of_what_was_done_holds_no_word_of_the_customer(office: Office, log: Log) -> None:
    log(words="a secret matter", topic="secret topic", customer="Secret Person")
    [row] = office.store.db.read("SELECT act || subject || detail || undo AS words FROM events")
    assert "call logged" in row["words"]
    assert "ecret" not in row["words"]
