"""Authors become one customer only because a colleague says so; each act is an event, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from listener.casework import Customers
from listener.core.case import Case
from listener.core.customer import Customer, Voice
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.store import open_store
from listener.testing import START, FakeClock
from tests.casework.conftest import Office
from tests.kit import add_posts, judge_as, make_post, open_case

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def desk(office: Office) -> Customers:
    return Customers(office.store, office.clock)


def hear(office: Office, handle: str, source: str = "forum", name: str = "", text: str = "Acme broke it") -> Voice:
    """An author says something on a network."""
    voice = Voice(source=source, realm="", handle=handle)
    post = make_post(f"{source}-{handle}-{text}", text=text, author=handle)
    add_posts(office.store, replace(post, source=source, realm="", author=replace(post.author, name=name)))
    return voice


def judged(office: Office, voice: Voice, *probabilities: float) -> Case:
    """The author's newest post is judged and opens a case."""
    [mention] = office.store.mentions.claim("judge", 1, office.clock())
    assert mention.post.author.handle == voice.handle
    judge_as(office.store, [mention], *probabilities)
    office.store.mentions.claim("route", 1, office.clock())
    return open_case(office.store, mention, now=office.clock())[0]


@pytest.fixture
def ann_here(office: Office) -> Voice:
    return hear(office, "ann_b")


@pytest.fixture
def ann_there(office: Office) -> Voice:
    return hear(office, "AnnB", "mastodon", name="Ann Berg")


def test_two_authors_become_a_customer(desk: Customers, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    made = desk.link(ann_here, ann_there, ann)
    assert made.customer.name == "Ann Berg"
    assert [(link.voice, link.who) for link in made.customer.links] == [(ann_here, "Ann"), (ann_there, "Ann")]


def test_a_third_author_joins(desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    made = desk.link(ann_here, ann_there, ann)
    grown = desk.link(hear(office, "berg"), ann_there, ann)
    assert grown.customer.public_id == made.customer.public_id
    assert len(grown.customer.links) == 3


def test_a_handle_is_one_author_whatever_its_case(desk: Customers, ann: Actor, ann_here: Voice) -> None:
    with pytest.raises(Refused, match="one author, not two"):
        desk.link(ann_here, replace(ann_here, handle="ANN_B"), ann)


def test_nobody_is_linked_who_never_wrote(desk: Customers, ann: Actor, ann_here: Voice) -> None:
    with pytest.raises(Refused, match="nobody was heard under that name on mastodon"):
        desk.link(ann_here, Voice(source="mastodon", realm="", handle="ann_c"), ann)


def test_authors_of_two_customers_are_merged_not_linked(desk: Customers, office: Office, ann: Actor) -> None:
    one, two, three, four = (hear(office, handle) for handle in ("one", "two", "three", "four"))
    first, second = desk.link(one, two, ann).customer, desk.link(three, four, ann).customer
    with pytest.raises(Refused, match="merge those instead"):
        desk.link(one, four, ann)
    with pytest.raises(Refused, match="linked already"):
        desk.link(one, two, ann)
    noted = desk.note(second.public_id, "prefers e-mail", ann)
    merged = desk.merge(second.public_id, first.public_id, ann)
    assert len(merged.customer.links) == 4
    panel = desk.find(second.public_id)
    assert panel is not None
    assert panel.customer is not None
    assert panel.customer.merged_into == first.public_id
    assert [note.text for note in (desk.find(first.public_id) or panel).notes] == ["prefers e-mail"]
    with pytest.raises(Refused, match="changed since"):
        desk.undo(noted.event, ann)
    desk.undo(merged.event, ann)
    apart = [desk.find(customer.public_id) for customer in (first, second)]
    assert [len(each.links) for each in apart if each] == [2, 2]
    assert [len(each.notes) for each in apart if each] == [0, 1]


def test_a_customer_is_not_merged_into_itself(desk: Customers, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    with pytest.raises(Refused, match="into itself"):
        desk.merge(customer.public_id, customer.public_id, ann)


def test_unlinking_the_last_but_one_takes_the_customer_apart(
    desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    ended = desk.unlink(customer.public_id, ann_there, ann)
    assert (ended.customer.links, ended.customer.ended_at) == ((), START)
    assert office.store.customers.of_voice(ann_here.key) is None
    with pytest.raises(Refused, match="merged or taken apart"):
        desk.rename(customer.public_id, "Ann", ann)
    back = desk.undo(ended.event, ann)
    assert back.customer.links == customer.links
    assert back.customer.ended_at is None


def test_unlinking_one_of_three_leaves_two(
    desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    desk.link(hear(office, "berg"), ann_there, ann)
    left = desk.unlink(customer.public_id, ann_here, ann).customer
    assert [voice.handle for voice in left.voices] == ["AnnB", "berg"]
    with pytest.raises(Refused, match="does not belong"):
        desk.unlink(customer.public_id, ann_here, ann)


def test_an_author_linked_elsewhere_since_stays_there(
    desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    gone = desk.unlink(customer.public_id, ann_there, ann)
    desk.link(ann_there, hear(office, "berg"), ann)
    with pytest.raises(Refused, match="linked to another customer since"):
        desk.undo(gone.event, ann)
    assert office.store.customers.of_voice(ann_here.key) is None


def test_a_link_is_taken_back(desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    made = desk.link(ann_here, ann_there, ann)
    joined = desk.link(hear(office, "berg"), ann_there, ann)
    assert [voice.handle for voice in desk.undo(joined.event, ann).customer.voices] == ["ann_b", "AnnB"]
    with pytest.raises(Refused, match="changed since"):
        desk.undo(made.event, ann)
    with pytest.raises(Refused, match="nothing of yours"):
        desk.undo(joined.event, ann)


def test_a_first_link_that_is_taken_back_leaves_no_customer(
    desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    gone = desk.undo(desk.link(ann_here, ann_there, ann).event, ann).customer
    assert (gone.links, gone.ended_at) == ((), START)
    assert office.store.customers.page() == ()


def test_names_change_and_change_back(desk: Customers, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    renamed = desk.rename(customer.public_id, "  Ms Berg ", ann)
    assert renamed.customer.name == "Ms Berg"
    assert desk.undo(renamed.event, ann).customer.name == "Ann Berg"


def test_a_note_on_a_customer_is_taken_back(desk: Customers, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    noted = desk.note(customer.public_id, "speaks Swedish", ann)
    panel = desk.find(customer.public_id)
    assert [note.text for note in panel.notes] == ["speaks Swedish"] if panel else False
    desk.undo(noted.event, ann)
    panel = desk.find(customer.public_id)
    assert panel is not None
    assert panel.notes == ()


def test_acts_are_taken_back_by_who_did_them_and_soon(
    desk: Customers, office: Office, ann: Actor, bob: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    made = desk.link(ann_here, ann_there, ann)
    history = office.store.events.of_subject(f"customer {made.customer.public_id}")
    assert [desk.undoable(history[0], who) for who in (ann, bob)] == [True, False]
    with pytest.raises(Refused, match="nothing of yours"):
        desk.undo(made.event, bob)
    office.clock.forward(TEN_MINUTES + timedelta(seconds=1))
    assert not desk.undoable(history[0], ann)
    with pytest.raises(Refused, match="too long ago"):
        desk.undo(made.event, ann)


def test_links_take_the_right_to_link(
    desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    marketer = office.hire("Max", "marketer")
    with pytest.raises(Refused, match="a marketer may not"):
        desk.link(ann_here, ann_there, marketer)
    customer = desk.link(ann_here, ann_there, ann).customer
    with pytest.raises(Refused, match="a marketer may not"):
        desk.unlink(customer.public_id, ann_here, marketer)
    with pytest.raises(Refused, match="a marketer may not"):
        desk.merge(customer.public_id, "x", marketer)
    with pytest.raises(Refused, match="a marketer may not"):
        desk.rename(customer.public_id, "x", marketer)
    desk.note(customer.public_id, "a marketer may note", marketer)
    with pytest.raises(Refused, match="no such customer"):
        desk.note("nobody", "x", marketer)


def test_events_hold_no_handle_and_no_name(
    desk: Customers, office: Office, ann: Actor, ann_here: Voice, ann_there: Voice
) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    desk.undo(desk.rename(customer.public_id, "Ms Secret", ann).event, ann)
    desk.note(customer.public_id, "Secret note", ann)
    desk.unlink(customer.public_id, ann_there, ann)
    kept = office.store.db.read("SELECT act || subject || detail || coalesce(undo, '') AS words FROM events")
    words = " ".join(row["words"] for row in kept).casefold()
    assert "authors linked" in words
    assert not any(secret in words for secret in ("ann_b", "annb", "berg", "secret"))


def test_the_panel_of_a_case_shows_the_author_alone_and_who_it_may_be(
    desk: Customers, office: Office, ann: Actor
) -> None:
    here = hear(office, "ann_b")
    first = judged(office, here)
    office.clock.forward(timedelta(days=1))
    with office.store.transaction():
        office.store.cases.change(replace(first, status="resolved", resolved_at=START, outcome="answered"))
    there = hear(office, "Ann_B", "mastodon")
    second = judged(office, there)
    panel = desk.of_case(second)
    assert (panel.name, panel.customer, panel.voice, panel.cases) == ("Ann_B", None, there, ())
    [suggested] = panel.suggestions
    assert (suggested.profile.voice, suggested.evidence, suggested.cases) == (here, ("the same handle",), 1)
    assert office.store.customers.page() == ()

    desk.link(there, here, ann)
    panel = desk.of_case(second)
    assert [(case.public_id, case.outcome) for case in panel.cases] == [(first.public_id, "answered")]
    assert panel.suggestions == ()
    assert panel.mood == "2 negative"
    assert [event.act for event in panel.history] == ["authors linked"]


def test_of_a_customer_one_handle_is_suggested(desk: Customers, office: Office, ann: Actor) -> None:
    one, two = hear(office, "ann_b", "blog"), hear(office, "ann_b", "mastodon")
    here = hear(office, "ann_b")
    customer = desk.link(one, two, ann).customer
    case = judged(office, here)
    [suggested] = desk.of_case(case).suggestions
    assert (suggested.customer, suggested.profile.voice) == (customer.public_id, one)


def test_earlier_cases_of_the_same_author_need_no_link(desk: Customers, office: Office) -> None:
    here = hear(office, "ann_b")
    first = judged(office, here)
    with office.store.transaction():
        office.store.cases.change(replace(first, status="resolved", resolved_at=START))
    office.clock.forward(timedelta(days=30))
    hear(office, "ann_b", text="Acme broke again")
    second = judged(office, here)
    assert second.id != first.id
    assert [case.id for case in desk.of_case(second).cases] == [first.id]


def test_a_case_without_an_author_has_no_customer(desk: Customers, office: Office) -> None:
    panel = desk.of_case(judged(office, hear(office, "")))
    assert (panel.name, panel.voice, panel.profiles, panel.cases, panel.mood) == (
        "",
        None,
        (),
        (),
        "nothing judged yet",
    )


def test_a_name_that_many_share_is_no_evidence(desk: Customers, office: Office) -> None:
    for n in range(12):
        hear(office, f"someone-{n}", name="A shopper")
    me = hear(office, "me", "mastodon", name="A shopper")
    profile = office.store.authors.profile(me)
    assert profile is not None
    assert office.store.authors.alike(profile) == (profile,)


def test_search_finds_customers_and_authors(desk: Customers, ann: Actor, ann_here: Voice, ann_there: Voice) -> None:
    customer = desk.link(ann_here, ann_there, ann).customer
    assert desk.page("BERG") == desk.page("ann_") == desk.page() == (customer,)
    assert desk.page("%") == ()
    assert {found.profile.voice for found in desk.authors("@ann")} == {ann_here, ann_there}
    assert {found.customer for found in desk.authors("ANN B")} == {customer.public_id}
    assert desk.authors(" ") == ()
    assert desk.find("nobody") is None


HANDLES = ("a", "b", "c", "d", "e", "f")


class Linking(RuleBasedStateMachine):
    """Colleagues link, unlink, merge and take back in any order; a plain dict says who belongs to whom."""

    def __init__(self) -> None:
        super().__init__()
        self.store = open_store(":memory:")
        self.clock = FakeClock(START)
        self.desk = Customers(self.store, self.clock)
        self.owners: dict[str, str] = {}
        self.before: list[tuple[int, dict[str, str]]] = []
        self.acts = 0

    @initialize()
    def open(self) -> None:
        add_posts(self.store, *(make_post(handle, author=handle) for handle in HANDLES))
        self.me = Actor(colleague=self.store.colleagues.add("ann", "Ann", "agent", START), via="page")

    def voice(self, handle: str) -> Voice:
        post = make_post("x")
        return Voice(source=post.source, realm=post.realm, handle=handle)

    def done(self, event: int, before: dict[str, str]) -> None:
        self.before.append((event, before))
        self.acts += 1

    def members(self, customer: str) -> set[str]:
        return {handle for handle, owner in self.owners.items() if owner == customer}

    @rule(one=st.sampled_from(HANDLES), other=st.sampled_from(HANDLES))
    def link(self, one: str, other: str) -> None:
        before = dict(self.owners)
        refused = one == other or (one in before and other in before)
        try:
            made = self.desk.link(self.voice(one), self.voice(other.upper()), self.me)
        except Refused:
            assert refused
            return
        assert not refused
        self.owners[one] = self.owners[other] = made.customer.public_id
        self.done(made.event, before)

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def unlink(self, data: st.DataObject) -> None:
        handle = data.draw(st.sampled_from(sorted(self.owners)))
        before = dict(self.owners)
        customer = self.owners.pop(handle)
        ended = self.desk.unlink(customer, self.voice(handle), self.me)
        if len(self.members(customer)) == 1:
            self.owners.pop(self.members(customer).pop())
        self.done(ended.event, before)

    @precondition(lambda self: len(set(self.owners.values())) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        customers = sorted(set(self.owners.values()))
        gone = data.draw(st.sampled_from(customers))
        into = data.draw(st.sampled_from([each for each in customers if each != gone]))
        before = dict(self.owners)
        merged = self.desk.merge(gone, into, self.me)
        self.owners.update(dict.fromkeys(self.members(gone), into))
        self.done(merged.event, before)

    @precondition(lambda self: self.before)
    @rule()
    def undo(self) -> None:
        event, before = self.before.pop()
        self.desk.undo(event, self.me)
        self.owners = before
        # What was done to the same customer before has another version by now.
        self.before.clear()
        self.acts += 1

    @invariant()
    def links_are_what_was_said(self) -> None:
        if not hasattr(self, "me"):
            return
        found = {handle: self.store.customers.of_voice(self.voice(handle).key) for handle in HANDLES}
        assert {handle: owner.public_id for handle, owner in found.items() if owner} == self.owners

    @invariant()
    def no_author_has_two_customers_and_none_stands_alone(self) -> None:
        standing: tuple[Customer, ...] = self.store.customers.page()
        voices = [voice.key for customer in standing for voice in customer.voices]
        assert len(voices) == len(set(voices))
        assert all(len(customer.links) > 1 for customer in standing)

    @invariant()
    def every_act_is_an_event(self) -> None:
        assert self.store.events.newest_id() == self.acts

    def teardown(self) -> None:
        self.store.close()


Linking.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None, database=None)
TestLinking = Linking.TestCase
