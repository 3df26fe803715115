"""What colleagues give customers: at once, after an approval, withdrawn, done, taken back; and what admins set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from listener.casework import Remedies, Wished
from listener.casework.remedies import Given
from listener.casework.remedy_terms import Change
from listener.casework.undo import UNDO_FOR
from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.remedy import Remedy
from listener.core.remedy_figures import Month
from tests.casework.conftest import LEASE, Office

Give = Callable[..., Remedy]
"""`give(case, who, cents, kind, what)`."""


@pytest.fixture
def remedies(office: Office) -> Remedies:
    return Remedies(office.store, office.clock, office.work)


@pytest.fixture
def give(remedies: Remedies) -> Give:
    keys = count()

    def given(case: Case, by: Actor, cents: int | None = 1000, kind: str = "refund", what: str = "postage") -> Remedy:
        wished = Wished(key=f"k{next(keys)}", kind=kind, cents=cents, what=what)
        return remedies.give(case.public_id, wished, by).remedy

    return given


@pytest.fixture
def root(office: Office) -> Actor:
    return office.hire("Rosa", "admin")


def event_of(office: Office, case: Case) -> int:
    """The newest event of a case."""
    return office.store.events.of_case(case.id)[-1].id


def test_within_the_allowance_it_is_given_at_once_and_the_history_says_why(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor
) -> None:
    made = give(case, ann, None, "Voucher", "for the next order")
    assert (made.state, made.cents, made.kind, made.role, made.severity) == (
        "promised", 1000, "voucher", "agent", "normal",
    )  # fmt: skip
    assert remedies.of_case(case) == (made,)
    event = office.store.events.of_case(case.id)[-1]
    assert (event.act, event.detail) == ("remedy given", "voucher, EUR 10.00: within the allowance of EUR 50.00")
    assert "next order" not in event.detail
    assert event.subject == made.subject
    assert event.version == office.now(case).version == case.version + 1


def test_slices_add_up_whoever_cuts_them(give: Give, case: Case, ann: Actor, bob: Actor) -> None:
    assert give(case, ann, 3000).state == "promised"
    assert give(case, bob, 2000).state == "promised"
    assert give(case, bob, 1).state == "proposed"
    assert give(case, ann, 0, what="a letter by hand").state == "promised"


def test_another_case_has_its_own_allowance_and_a_worse_one_a_larger(office: Office, give: Give, ann: Actor) -> None:
    assert give(office.case("1"), ann, 5000).state == "promised"
    other = office.case("2")
    assert give(other, ann, 5001).state == "proposed"
    with office.store.transaction():
        office.store.db.write("UPDATE cases SET severity = 'crisis' WHERE id = ?", (other.id,))
    assert give(other, ann, 10_000).state == "promised"


@pytest.mark.parametrize(("role", "cents", "state"), [("lead", 50_000, "promised"), ("lead", 50_001, "proposed"),
                                                      ("admin", 90_000_000, "promised")])  # fmt: skip
def test_each_role_has_its_allowance(
    office: Office, give: Give, case: Case, role: Role, cents: int, state: str
) -> None:
    assert give(case, office.hire("Somebody", role), cents).state == state


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_who_does_not_work_on_cases_gives_nothing(office: Office, give: Give, case: Case, role: Role) -> None:
    with pytest.raises(Refused, match="it takes the role"):
        give(case, office.hire("Vi", role))


def test_what_waits_is_approved_by_somebody_else_and_may_be_declined(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, bob: Actor, lead: Actor
) -> None:
    one, other = give(case, ann, 6000), give(case, ann, 7000)
    assert [each.entry.remedy for each in remedies.waiting(lead)] == [one, other]
    assert [(each.mine, each.own, each.deciders) for each in remedies.waiting(lead)] == [
        (True, False, "a lead or an admin")
    ] * 2
    assert [(each.mine, each.own) for each in remedies.waiting(ann)] == [(False, True)] * 2
    assert (remedies.to_decide(lead), remedies.to_decide(ann), remedies.to_decide(None)) == (2, 0, 0)
    for who in (ann, bob):
        with pytest.raises(Refused, match="it takes the role lead or admin"):
            remedies.approve(one.public_id, who)
    office.clock.forward(timedelta(minutes=5))
    approved = remedies.approve(one.public_id, lead, "of course").remedy
    assert (approved.state, approved.why, approved.decided_at) == ("promised", "of course", office.clock())
    with pytest.raises(Refused, match="say why"):
        remedies.decline(other.public_id, lead, " ")
    assert remedies.decline(other.public_id, lead, "bought elsewhere").remedy.state == "declined"
    assert remedies.to_decide(lead) == 0
    assert office.acts(case)[-2:] == ["remedy approved", "remedy declined"]
    with pytest.raises(Refused, match="it is declined"):
        remedies.approve(other.public_id, lead)


def test_a_lead_decides_neither_on_their_own_nor_beyond_their_allowance(
    remedies: Remedies, give: Give, case: Case, ann: Actor, lead: Actor, root: Actor
) -> None:
    large, own = give(case, ann, 50_001), give(case, lead, 60_000)
    with pytest.raises(Refused, match="it takes an admin"):
        remedies.approve(large.public_id, lead)
    with pytest.raises(Refused, match="somebody else"):
        remedies.approve(own.public_id, lead)
    with pytest.raises(Refused, match="withdraw it instead"):
        remedies.decline(own.public_id, lead, "hm")
    assert remedies.to_decide(lead) == 1
    assert remedies.approve(large.public_id, root).remedy.stands
    small = give(case, ann, 6000)
    with pytest.raises(Refused, match=r"the case is given EUR 560\.01"):
        remedies.approve(small.public_id, lead)


def test_only_who_gave_it_or_may_decide_withdraws_and_only_before_it_is_done(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, bob: Actor, lead: Actor
) -> None:
    one, other, third = give(case, ann), give(case, ann), give(case, ann)
    with pytest.raises(Refused, match="another colleague gave it"):
        remedies.withdraw(one.public_id, bob)
    assert remedies.withdraw(one.public_id, ann).remedy.state == "withdrawn"
    assert remedies.withdraw(other.public_id, lead).remedy.state == "withdrawn"
    done = remedies.finish(third.public_id, bob).remedy
    assert (done.state, done.done_at) == ("done", office.clock())
    with pytest.raises(Refused, match="it is done"):
        remedies.withdraw(third.public_id, ann)
    assert remedies.finish(third.public_id, ann, "She thanked us.").remedy.outcome == "She thanked us."
    assert office.acts(case)[-4:] == ["remedy withdrawn", "remedy withdrawn", "remedy done", "remedy outcome"]


def test_what_was_withdrawn_gives_its_share_back(remedies: Remedies, give: Give, case: Case, ann: Actor) -> None:
    one = give(case, ann, 5000)
    assert give(case, ann, 1).state == "proposed"
    remedies.withdraw(one.public_id, ann)
    assert give(case, ann, 5000).state == "promised"


def test_every_act_can_be_taken_back_where_other_acts_are(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, lead: Actor
) -> None:
    waits = give(case, ann, 6000)
    for by, act, state in (
        (lead, lambda: remedies.approve(waits.public_id, lead, "yes"), "promised"),
        (lead, lambda: remedies.decline(waits.public_id, lead, "no"), "declined"),
        (ann, lambda: remedies.withdraw(waits.public_id, ann), "withdrawn"),
    ):
        made: Given = act()
        assert made.remedy.state == state
        office.work.undo(made.event, by)
        assert remedies.find(waits.public_id) == waits
    event = remedies.give(case.public_id, Wished(key="last", kind="refund", cents=1, what="x"), ann)
    office.work.undo(event.event, ann)
    assert remedies.of_case(case)[-1].state == "withdrawn"
    assert office.acts(case)[-1] == "undone"
    done = remedies.finish(give(case, ann).public_id, ann, "fine")
    office.work.undo(done.event, ann)
    assert (remedies.of_case(case)[-1].state, remedies.of_case(case)[-1].outcome) == ("promised", "")


def test_undo_is_for_ones_own_act_while_nothing_happened_since(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, bob: Actor, lead: Actor
) -> None:
    one = give(case, ann, 6000)
    event = event_of(office, case)
    with pytest.raises(Refused):
        office.work.undo(event, bob)
    remedies.approve(one.public_id, lead)
    with pytest.raises(Refused, match="the case changed since"):
        office.work.undo(event, ann)
    office.clock.forward(UNDO_FOR + timedelta(seconds=1))
    with pytest.raises(Refused, match="too long ago"):
        office.work.undo(event_of(office, case), lead)
    assert remedies.of_case(case)[0].state == "promised"


def test_an_approval_is_taken_back_only_by_who_may_still_approve(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, lead: Actor
) -> None:
    made = remedies.approve(give(case, ann, 6000).public_id, lead)
    assert lead.colleague
    with pytest.raises(Refused, match="it takes the role"):
        office.work.undo(made.event, Actor(colleague=replace(lead.colleague, role="agent"), via="page"))


def test_a_form_that_is_sent_twice_gives_once(
    office: Office, remedies: Remedies, case: Case, ann: Actor, bob: Actor
) -> None:
    wished = Wished(key="form", kind="voucher", cents=None, what="for the next order")
    first = remedies.give(case.public_id, wished, ann)
    again = remedies.give(case.public_id, wished, ann)
    assert (first.fresh, again.fresh) == (True, False)
    assert (again.remedy, again.event) == (first.remedy, first.event)
    assert len(remedies.of_case(case)) == 1
    with pytest.raises(Refused, match="a key of its own"):
        remedies.give(case.public_id, Wished(key="form", kind="voucher", cents=5, what="x"), ann)
    assert remedies.give(case.public_id, wished, bob).fresh
    assert office.acts(case).count("remedy given") == 2


@pytest.mark.parametrize("key", ["", "\n", "x" * 101])
def test_a_key_is_needed(remedies: Remedies, case: Case, ann: Actor, key: str) -> None:
    with pytest.raises(Refused, match="key"):
        remedies.give(case.public_id, Wished(key=key, kind="voucher", cents=None, what="x"), ann)


def test_another_colleagues_claim_is_respected_and_ones_own_renewed(
    office: Office, give: Give, case: Case, ann: Actor, bob: Actor, lead: Actor
) -> None:
    office.work.claim(case.public_id, ann)
    with pytest.raises(Refused, match="Ann has it"):
        give(case, bob)
    assert give(case, lead).stands
    office.clock.forward(timedelta(minutes=30))
    give(case, ann)
    assert office.now(case).claimed_until == office.clock() + LEASE


def test_a_resolved_case_is_still_made_right_but_not_one_that_is_not_about_us(
    office: Office, give: Give, case: Case, ann: Actor
) -> None:
    office.work.resolve(case.public_id, ann, "answered")
    assert give(case, ann).stands
    other = office.case("2")
    office.work.not_us(other.public_id, ann)
    with pytest.raises(Refused, match="not about us"):
        give(other, ann)


def test_remedies_follow_their_case_into_another_and_back(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, lead: Actor
) -> None:
    into, last = office.case("2"), office.case("3")
    one, waits = give(case, ann, 4000), give(case, ann, 6000)
    merged = office.work.merge(case.public_id, ann, into.public_id).event
    assert remedies.of_case(into) == (one, waits)
    assert give(case, ann, 1001).state == "proposed"
    assert len(remedies.of_case(office.now(into))) == 3
    office.work.merge(into.public_id, lead, last.public_id)
    assert [each.id for each in remedies.of_case(last)] == [1, 2, 3]
    approved = remedies.approve(waits.public_id, lead)
    assert approved.case.id == last.id
    assert office.acts(last)[-1] == "remedy approved"
    assert {each.entry.case for each in remedies.waiting(lead)} == {last.public_id}
    with pytest.raises(Refused):
        office.work.undo(merged, ann)


def test_what_is_not_there_is_refused(remedies: Remedies, case: Case, ann: Actor, lead: Actor) -> None:
    for act in (
        lambda: remedies.give("nowhere", Wished(key="k", kind="refund", cents=1, what="x"), ann),
        lambda: remedies.give(case.public_id, Wished(key="k", kind="horse", cents=1, what="x"), ann),
        lambda: remedies.approve("nothing", lead),
        lambda: remedies.decline("nothing", lead, "x"),
        lambda: remedies.withdraw("nothing", ann),
        lambda: remedies.finish("nothing", ann),
    ):
        with pytest.raises(Refused):
            act()
    assert remedies.of_case(case) == ()


def test_the_figures_of_a_month_count_what_was_promised_in_it(
    office: Office, remedies: Remedies, give: Give, case: Case, ann: Actor, lead: Actor
) -> None:
    this = Month.of(office.clock())
    late = give(case, ann, 6000)
    give(case, ann, 4000)
    office.clock.forward(this.next.first - office.clock())
    remedies.approve(late.public_id, lead)
    assert [(each.name, each.cents) for each in remedies.figures(this).states] == [("promised", 4000)]
    found = remedies.figures(this.next)
    assert (found.given.n, found.given.cents, found.kinds[0].name, found.roles[0].name) == (1, 6000, "refund", "agent")
    assert [each.remedy.id for each in remedies.page(this.next)] == [late.id]


# --- the terms ------------------------------------------------------------------------------------------------------


def test_admins_alone_set_the_terms(remedies: Remedies, lead: Actor) -> None:
    terms = remedies.terms
    for act in (
        lambda: terms.allow((Change(role="agent", severity="low", cents=1),), lead),
        lambda: terms.add_kind("repair", None, lead),
        lambda: terms.change_kind(1, lead, name="x", usual=None, active=True),
        lambda: terms.set_currency("SEK", lead),
    ):
        with pytest.raises(Refused, match="it takes the role admin"):
            act()


def test_an_allowance_is_changed_and_the_log_says_from_what_to_what(
    remedies: Remedies, give: Give, case: Case, ann: Actor, root: Actor
) -> None:
    remedies.terms.allow((Change(role="agent", severity="normal", cents=7000, was=5000),), root)
    assert give(case, ann, 7000).state == "promised"
    (event,) = remedies.terms.history()
    assert (event.act, event.detail) == ("allowance changed", "agent, normal: 50.00 to 70.00 EUR")
    remedies.terms.allow((Change(role="agent", severity="normal", cents=7000),), root)
    assert len(remedies.terms.history()) == 1


def test_of_two_admins_the_second_hears_of_the_first_and_nothing_is_half_done(remedies: Remedies, root: Actor) -> None:
    remedies.terms.allow((Change(role="agent", severity="low", cents=1, was=2000),), root)
    before = remedies.allowances()
    changes = (
        Change(role="lead", severity="low", cents=1, was=20_000),
        Change(role="agent", severity="low", cents=2, was=2000),
    )  # fmt: skip
    with pytest.raises(Refused, match=r"somebody set the allowance of agent on low cases to 0\.01"):
        remedies.terms.allow(changes, root)
    assert remedies.allowances() == before
    # A cell that was not touched is no change, whatever somebody else made of it.
    remedies.terms.allow((Change(role="agent", severity="low", cents=2000, was=2000),), root)
    assert remedies.allowances() == before


def test_wrong_allowances_are_refused(remedies: Remedies, root: Actor) -> None:
    one = Change(role="agent", severity="low", cents=5)
    for changes in (
        (Change(role="admin", severity="low", cents=5),), (Change(role="viewer", severity="low", cents=5),),
        (Change(role="agent", severity="low", cents=-1),), (Change(role="agent", severity="low", cents=2**63),),
        (one, one),
    ):  # fmt: skip
        with pytest.raises(Refused):
            remedies.terms.allow(changes, root)


def test_kinds_are_added_renamed_and_put_out_of_use_but_never_the_last(
    remedies: Remedies, give: Give, case: Case, ann: Actor, root: Actor
) -> None:
    terms, made = remedies.terms, give(case, ann)
    kind = terms.add_kind(" Free repair ", 2500, root)
    assert (kind.name, kind.usual) == ("Free repair", 2500)
    assert give(case, ann, None, "free REPAIR").cents == 2500
    for name in ("free repair", "REFUND", " "):
        with pytest.raises(Refused):
            terms.add_kind(name, None, root)
    with pytest.raises(Refused, match="there is a kind of that name"):
        terms.change_kind(kind.id, root, name="Refund", usual=None, active=True)
    terms.change_kind(1, root, name="money back", usual=None, active=False)
    assert remedies.of_case(case)[0].kind == "money back"
    assert remedies.of_case(case)[0].id == made.id
    with pytest.raises(Refused, match="not given any more"):
        give(case, ann, 5, "money back")
    assert "money back" not in {each.name for each in remedies.kinds()}
    for each in terms.kinds()[:-2]:
        terms.change_kind(each.id, root, name=each.name, usual=each.usual, active=False)
    last = remedies.kinds()
    with pytest.raises(Refused, match="last kind"):
        terms.change_kind(last[0].id, root, name=last[0].name, usual=None, active=False)
    with pytest.raises(Refused, match="no such kind"):
        terms.change_kind(999, root, name="x", usual=None, active=True)
    said = len(terms.history())
    terms.change_kind(last[0].id, root, name=last[0].name, usual=last[0].usual, active=True)
    assert len(terms.history()) == said


def test_the_currency_stays_once_something_was_given(
    remedies: Remedies, give: Give, case: Case, ann: Actor, root: Actor
) -> None:
    assert remedies.terms.set_currency("sek", root) == "SEK"
    assert remedies.terms.set_currency("SEK", root) == "SEK"
    assert [event.detail for event in remedies.terms.history()] == ["EUR to SEK"]
    give(case, ann)
    with pytest.raises(Refused, match="given in SEK"):
        remedies.terms.set_currency("EUR", root)
