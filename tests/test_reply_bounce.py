"""An answer by mail that does not arrive: its case says so and waits for staff again, whoever tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from listener.core.reply import Posted, Reply, digest
from listener.core.replying import posting, stands
from listener.pipeline.dispatch import dispatch
from listener.testing import FakeChannel
from tests.bounces import AWAY, LATER, RETURNED, notice
from tests.kit import COMPLAINTS, POSTING, make_rules, resolve
from tests.servers.dovecot import MAILBOX, Dovecot
from tests.servers.smtp import CLOSE, OddSmtp
from tests.test_reply_mail import Post

pytestmark = pytest.mark.servers


class Returning(Post):
    """An office whose answer is out, and a mail system that has something to say to it."""

    def begin(self) -> Reply:
        """The customer complains and is answered; everything waits for them."""
        route = replace(COMPLAINTS, reply_within=timedelta(hours=4))
        self.rules = make_rules(route, places=(MAILBOX,), posting=POSTING)
        self.approved()
        self.told()
        self.post_once()
        assert (self.now().state, self.case().status) == ("posted", "waiting")
        return self.now()

    def known(self) -> str:
        """The answer's name at the other side."""
        found = self.now().posted
        assert found is not None
        return found.external_id

    def arrives(self, name: str, known: str = "") -> None:
        """A notice arrives."""
        self.dovecot.put(self.ours, notice(name, known or self.known(), ours=self.ours, to=self.kim))
        self.hear()

    def told(self) -> list[str]:
        """What the desk hears by now."""
        channel = FakeChannel()
        self.clock.forward(timedelta(minutes=10))
        while dispatch(self.store, "desk", channel, self.rules, self.clock):
            pass
        return [message.reason for message in channel.messages]

    def acts(self) -> list[str]:
        """What Listener did with the case, after the answer stood."""
        acts = [event.act for event in self.store.events.of_case(self.case().id)]
        return acts[acts.index("answered") + 1 :]


@pytest.fixture
def office(tmp_path: Path, dovecot: Dovecot) -> Iterator[Returning]:
    with OddSmtp() as smtp:
        made = Returning(tmp_path / "listener.db", dovecot, smtp)
        yield made
        made.store.close()


@pytest.mark.parametrize("maker", RETURNED)
def test_a_bounce_brings_the_case_back_and_says_why(office: Returning, maker: str) -> None:
    posted, deadline = office.begin(), office.case().reply_by
    known = office.known()
    office.arrives(maker)
    now, case = office.now(), office.case()
    why, said = RETURNED[maker]
    assert (now.state, now.approval, now.key, now.posted_at) == ("failed", None, "", None)
    assert now.why.startswith(f'it did not arrive: {why}. The mail system said: "{said}')
    assert (now.text, office.store.replies.waiting(0)) == (posted.text, {"failed": 1})
    assert (case.status, case.replied_at, case.snoozed_until) == ("acknowledged", None, None), "it is Ann's again"
    assert (case.deadline and case.deadline.clock, case.deadline and case.deadline.until) == ("reply", deadline)
    assert office.acts() == ["answer returned"]
    assert office.store.events.of_case(case.id)[-1].detail == why
    assert office.told() == ["returned"]
    assert office.mentions() == ["My acme kettle is broken."], "a bounce is no mention"
    office.arrives(maker, known)
    assert (office.acts(), office.told(), office.post()) == (["answer returned"], [], 0), "once is enough"


@pytest.mark.parametrize("maker", LATER)
def test_a_warning_changes_nothing(office: Returning, maker: str) -> None:
    office.begin()
    office.arrives(maker)
    assert (office.now().state, office.case().status, office.acts()) == ("posted", "waiting", [])


@pytest.mark.parametrize("maker", AWAY)
def test_an_absence_note_is_no_answer_of_the_customer(office: Returning, maker: str) -> None:
    office.begin()
    for _ in range(2):
        office.arrives(maker)
    case = office.case()
    assert (office.now().state, case.status) == ("posted", "waiting")
    assert (office.acts(), office.told()) == (["automatic answer"], [])
    assert office.store.events.of_case(case.id)[-1].detail == "", "the log holds no word of theirs"
    assert office.mentions() == ["My acme kettle is broken."]


def test_a_forged_bounce_for_an_id_that_we_do_not_know_opens_nothing(office: Returning) -> None:
    office.begin()
    domain = office.ours.partition("@")[2]
    for maker in RETURNED:
        office.arrives(maker, f"listener.{'0' * 32}@{domain}")
    assert (office.now().state, office.case().status, office.acts(), office.told()) == ("posted", "waiting", [], [])
    tallies = {place.name: place.tallies for place in office.store.places.health()}[MAILBOX.name]
    assert tallies.get("unmatched") == len(RETURNED)


def test_what_came_back_is_changed_and_sent_anew_and_the_customer_can_answer(office: Returning) -> None:
    office.begin()
    first = office.known()
    office.arrives("exim")
    now = office.now()
    draft = office.replies.save(now.public_id, office.ann, f"{now.text} Again.", version=now.version)
    sent = office.replies.submit(draft.public_id, office.ann, version=draft.version, heard=draft.heard)
    office.replies.approve(sent.public_id, office.lea, digest(sent.text), heard=sent.heard)
    office.post_once()
    assert (office.now().state, office.now().why, office.case().status) == ("posted", "", "waiting")
    assert office.known() != first, "a new mail has a new name"
    office.arrives("exim", first)
    assert (office.now().state, office.case().status) == ("posted", "waiting"), "that one is known"
    office.writes("Thanks, and when?", office.standing()[-1])
    office.hear()
    assert (office.case().status, len(office.mentions())) == ("acknowledged", 2)


def test_a_customer_who_got_it_all_the_same_still_answers_into_the_case(office: Returning) -> None:
    office.begin()
    (answer,) = office.standing()
    office.arrives("exchange")
    office.writes("It came.", answer)
    office.hear()
    assert (office.case().status, office.mentions()[-1]) == ("acknowledged", "It came.")


def test_beside_another_answer_it_stays_with_the_reason(office: Returning) -> None:
    posted = office.begin()
    office.replies.begin(office.case().public_id, office.ann)
    office.arrives("gmail", posted.posted.external_id if posted.posted else "")
    first, second = office.store.replies.of_case(office.case().id)
    assert (first.state, second.state) == ("posted", "draft")
    assert first.why.startswith("it did not arrive: there is no such mail server")
    assert (office.case().status, office.case().replied_at) == ("acknowledged", None)
    office.arrives("gmail", posted.posted.external_id if posted.posted else "")
    assert [act for act in office.acts() if act == "answer returned"] == ["answer returned"]


def test_a_case_that_was_resolved_meanwhile_is_open_again(office: Returning) -> None:
    office.begin()
    resolve(office.store, office.case(), office.clock())
    office.arrives("postfix")
    case = office.case()
    assert (case.status, case.outcome, case.resolved_at, office.now().state) == ("open", None, None, "failed")


def test_a_snoozed_case_wakes(office: Returning) -> None:
    office.begin()
    case = office.case()
    with office.store.transaction():
        until = office.clock() + timedelta(days=2)
        office.store.cases.change(replace(case, status="snoozed", snoozed_until=until))
    office.arrives("postfix")
    assert (office.case().status, office.case().snoozed_until) == ("acknowledged", None)


def test_a_bounce_of_what_nobody_knew_to_be_sent_says_that_it_was_and_came_back(office: Returning) -> None:
    office.set(sent_folder="", copy_to_self=False)
    office.approved()
    office.smtp.answers["."] = CLOSE
    office.post_once()
    assert (office.now().state, office.now().posted) == ("unknown", None)
    known = office.source.known_as(office.now().key)
    office.arrives("postfix", known)
    now = office.now()
    assert (now.state, now.posted and now.posted.external_id, office.post()) == ("failed", known, 0)
    assert now.why.startswith("it did not arrive: there is no such mailbox")
    assert [event.act for event in office.store.events.of_case(office.case().id)][-1] == "answer returned"


def test_a_bounce_that_is_faster_than_our_own_note_waits_for_it(office: Returning) -> None:
    reply = office.approved()
    with office.store.transaction():
        office.store.replies.change(posting(reply, office.clock()))
    office.writes("And acme is late.")
    office.arrives("postfix", office.source.known_as(reply.key))
    assert (office.now().state, len(office.mentions())) == ("posting", 1), "the page is left for the next poll"
    with office.store.transaction():
        found = Posted(external_id=office.source.known_as(reply.key))
        office.store.replies.change(stands(office.now(), found, office.clock()))
    office.hear()
    rows = office.store.db.read("SELECT text FROM posts ORDER BY id")
    assert (office.now().state, [row["text"] for row in rows][-1]) == ("failed", "And acme is late.")


def test_a_late_bounce_finds_the_promise_broken_and_says_so(office: Returning) -> None:
    office.begin()
    office.clock.forward(timedelta(days=2))
    office.arrives("postfix")
    deadline = office.case().deadline
    assert deadline is not None
    assert deadline.until < office.clock(), "the customer has waited all the time"
