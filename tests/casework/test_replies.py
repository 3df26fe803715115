"""What colleagues do with answers: begin, write, ask, review, approve, by hand; two at once; the stop of posting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from listener.casework import Replies, Stops
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import OPERATOR, Actor
from listener.core.reply import Reply, ReplyLimits, digest
from listener.core.replying import NEWS, STALE, Posting
from listener.core.rules import Rules
from listener.pipeline.post import post
from listener.pipeline.watch import watch
from listener.store import Store
from listener.store.engine import to_ms
from tests.casework.conftest import LEASE, Office
from tests.kit import make_rules
from tests.replier import FakeReplier

HALF = LEASE / 2 + timedelta(minutes=1)


class Bench:
    """Answers of an office whose one place, the shop, can be answered."""

    def __init__(self, office: Office) -> None:
        self.office, self.store = office, office.store
        self.posting = Posting(on=True)
        self.place = FakeReplier()
        self.repliers = {"shop": self.place}
        self.replies = Replies(
            office.store, office.clock, lambda: LEASE, lambda: self.posting, lambda: dict(self.repliers)
        )
        self.stops = Stops(office.store, office.clock)

    def written(self, case: Case, by: Actor, text: str = "Sorry, that is our fault.") -> Reply:
        """A draft with words."""
        begun = self.replies.begin(case.public_id, by)
        return self.replies.save(begun.public_id, by, text, version=begun.version)

    def approve(self, reply: Reply, by: Actor) -> Reply:
        """Approve the words as they stand, with everything read."""
        now = self.store.replies.get(reply.id)
        return self.replies.approve(reply.public_id, by, digest(now.text), heard=self.office.clock())

    def rules(self) -> Rules:
        """The operator's rules."""
        return replace(make_rules(), posting=self.posting)

    def post(self, after: timedelta = timedelta(seconds=11)) -> int:
        """Let time pass and post what is due."""
        self.office.clock.forward(after)
        return post(self.store, dict(self.repliers), self.rules(), self.office.clock)

    def hear(self, external_id: str, author: str) -> None:
        """An author says something, now."""
        self.office.heard(external_id, author)
        now = to_ms(self.office.clock())
        self.store.db.write("UPDATE mentions SET seen_at = ? WHERE id = (SELECT max(id) FROM mentions)", (now,))

    def now(self, reply: Reply) -> Reply:
        """The reply as it is."""
        return self.store.replies.get(reply.id)


@pytest.fixture
def bench(office: Office) -> Bench:
    return Bench(office)


@pytest.fixture
def mia(office: Office) -> Actor:
    return office.hire("Mia", "marketer")


def test_to_begin_takes_a_free_case_and_puts_the_opening_into_the_draft(
    bench: Bench, office: Office, case: Case, ann: Actor
) -> None:
    bench.place.limit = ReplyLimits(limit=500, opening="@author-1 ")
    reply = bench.replies.begin(case.public_id, ann)
    assert (reply.state, reply.text, reply.place) == ("draft", "@author-1 ", "shop")
    assert ann.colleague is not None
    assert office.now(case).assignee == ann.colleague.id
    assert office.acts(case)[-2:] == ["claimed", "drafted"]
    with pytest.raises(Refused, match="under way already"):
        bench.replies.begin(case.public_id, ann)


def test_nobody_begins_where_another_colleague_has_the_case(bench: Bench, case: Case, ann: Actor, bob: Actor) -> None:
    bench.office.work.claim(case.public_id, ann)
    with pytest.raises(Refused, match="Ann has it until"):
        bench.replies.begin(case.public_id, bob)
    assert bench.store.replies.of_case(case.id) == ()


def test_only_a_mention_of_the_case_is_answered(bench: Bench, office: Office, case: Case, ann: Actor) -> None:
    other = office.case("2")
    [theirs] = bench.store.mentions.of_case(other.id)
    for wrong in (theirs.id, 999):
        with pytest.raises(Refused, match="not in this case"):
            bench.replies.begin(case.public_id, ann, wrong)
    office.heard("3", "author-1")
    _newest, first = bench.store.mentions.of_case(case.id)
    assert bench.replies.begin(case.public_id, ann, first.id).mention == first.id


def test_a_draft_is_kept_by_version_and_nobody_overwrites_unawares(
    bench: Bench, case: Case, ann: Actor, lead: Actor
) -> None:
    one = bench.written(case, ann)
    two = bench.replies.save(one.public_id, lead, "Ours.", version=one.version)
    with pytest.raises(Refused, match=STALE):
        bench.replies.save(one.public_id, ann, "Mine.", version=one.version)
    assert bench.now(one).text == "Ours."
    same = bench.replies.save(one.public_id, ann, "Ours.\r\n ", version=two.version)
    assert same.version == two.version, "the same words are no change"


def test_work_on_an_answer_renews_a_claim_that_is_half_over(
    bench: Bench, office: Office, case: Case, ann: Actor
) -> None:
    one = bench.written(case, ann)
    office.clock.forward(HALF)
    bench.replies.save(one.public_id, ann, "More.", version=one.version)
    assert office.now(case).claimed_until == office.clock() + LEASE


def test_nobody_reads_words_that_nobody_wrote_yet(bench: Bench, office: Office, case: Case, ann: Actor) -> None:
    one = bench.written(case, ann)
    far = office.clock() + timedelta(days=300)
    bench.replies.save(one.public_id, ann, "Sorry, Kim.", version=one.version, heard=far)
    office.clock.forward(timedelta(minutes=1))
    bench.hear("2", "author-1")
    with pytest.raises(Refused, match=NEWS):
        bench.replies.submit(one.public_id, ann, version=bench.now(one).version, heard=one.heard)
    done = bench.replies.submit(one.public_id, ann, version=bench.now(one).version, heard=far)
    assert done.heard == bench.store.replies.newest(case.id)


def test_marketing_is_asked_edits_and_gives_back_with_the_difference_kept(
    bench: Bench, office: Office, case: Case, ann: Actor, mia: Actor, bob: Actor
) -> None:
    one = bench.written(case, ann)
    assert mia.colleague is not None
    asked = bench.replies.ask(one.public_id, ann, mia.colleague, " too much? ")
    assert (asked.question, asked.asked_of) == ("too much?", mia.colleague.id)
    with pytest.raises(Refused, match="another colleague in marketing"):
        bench.replies.save(one.public_id, ann, "Mine.", version=asked.version)
    better = bench.replies.save(one.public_id, mia, "Sorry. Your money is on its way.", version=asked.version)
    bench.replies.save(one.public_id, mia, "Sorry! Your money is on its way.", version=better.version)
    back = bench.replies.hand_back(one.public_id, mia)
    assert (back.state, back.asked_of) == ("draft", None)
    words = bench.store.replies.wordings(one.id)
    assert [(each.who, each.state, each.text) for each in words][1:] == [
        ("Mia", "asked", "Sorry! Your money is on its way.")
    ]
    assert office.acts(case)[-2:] == ["asked marketing", "advised"]
    assert bob.colleague is not None
    with pytest.raises(Refused, match="cannot advise"):
        bench.replies.ask(one.public_id, ann, bob.colleague)


def test_a_draft_that_marketing_forgets_comes_back_by_itself(
    bench: Bench, office: Office, case: Case, ann: Actor, mia: Actor
) -> None:
    one = bench.written(case, ann)
    assert mia.colleague is not None
    bench.replies.ask(one.public_id, ann, mia.colleague)
    assert bench.store.replies.waiting(mia.colleague.id) == {"asked": 1}
    office.clock.forward(bench.posting.ask_within)
    assert watch(bench.store, bench.rules(), office.clock) == 1
    assert (bench.now(one).state, office.acts(case)[-1]) == ("draft", "advised")


def test_a_review_sends_back_with_a_word_why_or_is_taken_back(
    bench: Bench, case: Case, ann: Actor, lead: Actor
) -> None:
    one = bench.written(case, ann)
    sent = bench.replies.submit(one.public_id, ann, version=one.version, heard=one.heard)
    with pytest.raises(Refused, match="say why"):
        bench.replies.send_back(one.public_id, lead, " ")
    back = bench.replies.send_back(one.public_id, lead, "name the shop")
    assert (back.state, back.why) == ("draft", "name the shop")
    bench.replies.submit(one.public_id, ann, version=back.version, heard=sent.heard)
    assert bench.replies.recall(one.public_id, ann).state == "draft"


def test_what_the_place_does_not_take_goes_neither_to_review_nor_out(
    bench: Bench, case: Case, ann: Actor, lead: Actor
) -> None:
    one = bench.written(case, ann, "x" * 501)
    for act in (
        lambda: bench.replies.submit(one.public_id, ann, version=one.version, heard=one.heard),
        lambda: bench.approve(one, ann),
    ):
        with pytest.raises(Refused, match="1 characters too long"):
            act()
    bench.place.refusal = "the thread is closed"
    short = bench.replies.save(one.public_id, ann, "Sorry.", version=one.version)
    with pytest.raises(Refused, match="the thread is closed"):
        bench.approve(short, ann)
    bench.repliers.clear()
    with pytest.raises(Refused, match="answer by hand"):
        bench.approve(short, lead)
    assert bench.now(one).state == "draft"


def test_an_approved_answer_is_posted_once_and_the_case_waits_for_its_customer(
    bench: Bench, office: Office, case: Case, ann: Actor
) -> None:
    one = bench.written(case, ann)
    bench.approve(one, ann)
    assert bench.post(timedelta(seconds=9)) == 0, "it can be taken back"
    assert bench.post(timedelta(seconds=1)) == 1
    assert bench.post() == 0
    [stood] = bench.place.stood
    done = bench.now(one)
    assert (stood.text, stood.under) == ("Sorry, that is our fault.", "1")
    assert (done.state, done.posted and done.posted.external_id) == ("posted", stood.external_id)
    assert (office.now(case).status, office.now(case).replied_at) == ("waiting", office.clock() - timedelta(seconds=11))
    assert office.acts(case)[-3:] == ["approved", "handed over", "answered"]
    assert bench.store.replies.waiting(1) == {}


def test_what_is_approved_can_be_taken_back_until_it_is_handed_over(
    bench: Bench, case: Case, ann: Actor, bob: Actor
) -> None:
    one = bench.written(case, ann)
    bench.approve(one, ann)
    back = bench.replies.withdraw(one.public_id, bob)
    assert (back.state, back.approval, back.key, back.due_at) == ("draft", None, "", None)
    assert bench.post(timedelta(hours=1)) == 0
    bench.approve(one, ann)
    bench.post()
    with pytest.raises(Refused, match="too late"):
        bench.replies.withdraw(one.public_id, ann)
    assert len(bench.place.stood) == 1


def test_an_answer_given_by_hand_ends_the_draft_and_the_case_waits(
    bench: Bench, office: Office, case: Case, ann: Actor
) -> None:
    bench.repliers.clear()
    one = bench.written(case, ann)
    with pytest.raises(Refused, match="begins with https://"):
        bench.replies.by_hand(one.public_id, ann, "javascript:alert(1)")
    done = bench.replies.by_hand(one.public_id, ann, "https://forum.example/9")
    assert (done.state, done.posted and done.posted.url) == ("by hand", "https://forum.example/9")
    assert office.now(case).status == "waiting"
    assert bench.replies.begin(case.public_id, ann).state == "draft", "another answer can follow"


def test_who_wrote_it_gives_by_hand_what_another_approved(
    bench: Bench, office: Office, case: Case, ann: Actor, bob: Actor, lead: Actor
) -> None:
    bench.store.db.write("UPDATE cases SET severity = 'high' WHERE id = ?", (case.id,))
    one = bench.written(case, ann)
    sent = bench.replies.submit(one.public_id, ann, version=one.version, heard=one.heard)
    words = digest(sent.text)
    with pytest.raises(Refused, match="Listener can post it there"):
        bench.replies.clear(one.public_id, lead, words, heard=sent.heard)
    bench.repliers.clear()
    with pytest.raises(Refused, match="may not do that"):
        bench.replies.clear(one.public_id, bob, words, heard=sent.heard)
    done = bench.replies.clear(one.public_id, lead, words, heard=sent.heard)
    assert (done.state, done.approval and done.approval.digest) == ("cleared", words)
    assert ann.colleague is not None
    assert bench.store.replies.waiting(ann.colleague.id) == {"cleared": 1}
    with pytest.raises(Refused, match="take it back first"):
        bench.replies.save(one.public_id, ann, "Other words.", version=done.version)
    with pytest.raises(Refused, match="approved, to be given by hand"):
        office.work.resolve(case.public_id, ann, "answered")
    assert bench.post(timedelta(days=1)) == 0, "Listener posts nothing of it"
    given = bench.replies.by_hand(one.public_id, ann, "https://reviews.example/9")
    assert (given.state, given.approval and given.approval.who) == ("by hand", "Lea")
    assert office.now(case).status == "waiting"
    events = bench.store.events.of_case(case.id)
    assert [(each.who, each.act, each.detail) for each in events[-2:]] == [
        ("Lea", "approved", "to be given by hand"),
        ("Ann", "answered by hand", "https://reviews.example/9"),
    ]


def test_other_words_take_another_approval_by_hand_too(bench: Bench, case: Case, ann: Actor, lead: Actor) -> None:
    bench.repliers.clear()
    one = bench.written(case, ann)
    sent = bench.replies.submit(one.public_id, ann, version=one.version, heard=one.heard)
    bench.replies.clear(one.public_id, lead, digest(sent.text), heard=sent.heard)
    back = bench.replies.withdraw(one.public_id, ann)
    assert (back.state, back.approval) == ("draft", None)
    new = bench.replies.save(one.public_id, ann, "Other words.", version=back.version)
    sent = bench.replies.submit(one.public_id, ann, version=new.version, heard=new.heard)
    with pytest.raises(Refused, match=STALE):
        bench.replies.clear(one.public_id, lead, digest(one.text), heard=sent.heard)
    assert bench.replies.clear(one.public_id, lead, digest("Other words."), heard=sent.heard).state == "cleared"


def test_a_draft_that_is_taken_up_again_takes_its_waiting_case_along(
    bench: Bench, office: Office, case: Case, ann: Actor, bob: Actor
) -> None:
    bench.repliers.clear()
    first = bench.written(case, ann)
    bench.replies.by_hand(first.public_id, ann, "")
    two = bench.written(case, ann, "And this.")
    bench.replies.discard(two.public_id, ann)
    office.work.release(case.public_id, ann)
    bench.replies.by_hand(bench.written(case, ann, "Third.").public_id, ann, "")
    assert office.now(case).status == "waiting"
    assert bench.replies.restore(two.public_id, bob).text == "And this."
    assert (office.now(case).status, office.now(case).assignee) == ("acknowledged", bob.colleague and bob.colleague.id)
    office.clock.forward(timedelta(minutes=1))
    watch(bench.store, bench.rules(), office.clock)
    assert office.now(case).status == "acknowledged", "the wait is over, and ends no case under a draft"


def test_a_wait_that_ends_over_a_draft_gives_the_case_back_and_does_not_end_it(
    bench: Bench, office: Office, case: Case, ann: Actor
) -> None:
    bench.repliers.clear()
    bench.replies.by_hand(bench.written(case, ann).public_id, ann, "")
    claimed = office.work.claim(case.public_id, ann)
    draft = bench.written(case, ann, "And one more thing.")
    office.work.undo(claimed.event or 0, ann)
    assert office.now(case).status == "waiting"
    office.clock.forward(timedelta(days=30))
    watch(bench.store, bench.rules(), office.clock)
    assert (office.now(case).status, bench.now(draft).state) == ("acknowledged", "draft")


def test_no_draft_is_taken_up_again_on_a_case_that_ended_or_is_another_colleagues(
    bench: Bench, office: Office, case: Case, ann: Actor, bob: Actor
) -> None:
    one = bench.written(case, ann)
    bench.replies.discard(one.public_id, ann)
    with pytest.raises(Refused, match="Ann has it until"):
        bench.replies.restore(one.public_id, bob)
    office.work.resolve(case.public_id, ann, "no answer needed")
    with pytest.raises(Refused, match="resolved"):
        bench.replies.restore(one.public_id, ann)
    assert bench.now(one).state == "discarded"


def test_a_draft_that_was_thrown_away_is_taken_up_again_unless_another_followed(
    bench: Bench, case: Case, ann: Actor
) -> None:
    one = bench.written(case, ann)
    bench.replies.discard(one.public_id, ann)
    assert bench.replies.restore(one.public_id, ann).text == one.text
    bench.replies.discard(one.public_id, ann)
    bench.replies.begin(case.public_id, ann)
    with pytest.raises(Refused, match="another answer"):
        bench.replies.restore(one.public_id, ann)


def test_a_case_with_an_answer_under_way_is_neither_resolved_nor_merged(
    bench: Bench, office: Office, case: Case, ann: Actor
) -> None:
    bench.written(case, ann)
    other = office.case("2")
    for act in (
        lambda: office.work.resolve(case.public_id, ann, "answered"),
        lambda: office.work.merge(case.public_id, ann, other.public_id),
    ):
        with pytest.raises(Refused, match="a draft of an answer"):
            act()


def test_the_stop_holds_everything_that_was_not_handed_over_and_says_who_and_why(
    bench: Bench, case: Case, ann: Actor, lead: Actor, mia: Actor
) -> None:
    one = bench.written(case, ann)
    bench.approve(one, ann)
    with pytest.raises(Refused, match="say why"):
        bench.stops.stop(mia, "")
    bench.stops.stop(mia, "a wrong wording")
    with pytest.raises(Refused, match="stopped already"):
        bench.stops.stop(ann, "again")
    found = bench.stops.stopped()
    assert found is not None
    assert (found.who, found.why) == ("Mia", "a wrong wording")
    assert bench.post(timedelta(days=2)) == 0
    for by in (ann, mia):
        with pytest.raises(Refused, match="may not do that"):
            bench.stops.go_on(by)
    bench.stops.go_on(lead)
    assert (bench.post(timedelta()), len(bench.place.stood)) == (1, 1)
    with pytest.raises(Refused, match="not stopped"):
        bench.stops.go_on(lead)


def test_nobody_without_an_account_and_no_viewer_does_anything(bench: Bench, office: Office, case: Case) -> None:
    viewer = office.hire("Vic", "viewer")
    for by in (viewer, OPERATOR):
        with pytest.raises(Refused):
            bench.replies.begin(case.public_id, by)
        with pytest.raises(Refused):
            bench.stops.stop(by, "why")


def together(*acts: Callable[[], object]) -> list[object]:
    """What becomes of acts that start at the same moment: what they give, or their refusal."""
    gate = Barrier(len(acts))

    def one(act: Callable[[], object]) -> object:
        gate.wait(timeout=10)
        try:
            return act()
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


@pytest.fixture
def filed(disk: Callable[[], Store], office: Office) -> Office:
    """An office whose database is a file, as in real life."""
    return replace(office, store=disk())


def test_two_who_approve_at_once_post_once_fifty_times(filed: Office) -> None:
    bench = Bench(filed)
    ann, lea, lars = filed.hire("Ann"), filed.hire("Lea", "lead"), filed.hire("Lars", "lead")
    for n in range(50):
        case = filed.case(f"post-{n}")
        one = bench.written(case, ann, f"Sorry, number {n}.")
        bench.replies.submit(one.public_id, ann, version=one.version, heard=one.heard)
        found = together(lambda one=one: bench.approve(one, lea), lambda one=one: bench.approve(one, lars))  # type: ignore[misc]
        assert sorted(isinstance(each, Reply) for each in found) == [False, True], found
        assert (bench.post(), bench.post()) == (1, 0)
        assert [each.text for each in bench.place.stood] == [f"Sorry, number {m}." for m in range(n + 1)]
        assert len(bench.place.handed) == len(set(bench.place.handed)) == n + 1


def test_who_takes_back_while_it_is_posted_gets_it_or_is_too_late(filed: Office) -> None:
    bench = Bench(filed)
    ann, kept = filed.hire("Ann"), 0
    for n in range(30):
        one = bench.written(filed.case(f"post-{n}"), ann)
        bench.approve(one, ann)
        filed.clock.forward(timedelta(seconds=11))
        taken, _ = together(
            lambda one=one: bench.replies.withdraw(one.public_id, ann),  # type: ignore[misc]
            lambda: post(filed.store, dict(bench.repliers), bench.rules(), filed.clock),
        )
        kept += isinstance(taken, Reply)
        assert len(bench.place.stood) == n + 1 - kept
        assert bench.now(one).state == ("draft" if isinstance(taken, Reply) else "posted")
