"""Remedies: what is given at once and what waits, who decides, and the figures of a month; by tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.core import remedy as rules
from listener.core.colleague import Colleague, Role
from listener.core.errors import Refused
from listener.core.remedy import Remedy, RemedyState, Wish, kept, left, restored, weigh, wish, words
from listener.core.remedy_figures import Month, Tally, figures
from listener.core.remedy_terms import (
    LIMITED,
    MOST,
    Allowances,
    Kind,
    cents_of,
    checked,
    currency_of,
    kind_name,
    money,
    rows_of,
)
from listener.core.route import SEVERITIES, Severity
from listener.testing import START

REFUND, VOUCHER = Kind(id=1, name="refund", usual=None), Kind(id=2, name="voucher", usual=1000)
TERMS = Allowances(cents={("agent", "normal"): 5000, ("lead", "normal"): 50_000})


def colleague(row_id: int, role: Role = "agent") -> Colleague:
    return Colleague(
        id=row_id, handle=f"c{row_id}", name=f"C{row_id}", role=role, on_duty=True, shortcuts=True, created_at=START
    )


ANN, BOB, LEA, ROOT = colleague(1), colleague(2), colleague(3, "lead"), colleague(4, "admin")


def remedy(state: RemedyState = "promised", cents: int = 1000, **fields: Any) -> Remedy:
    plain = Remedy(
        id=1, public_id="r", case=1, kind="refund", cents=cents, what="postage", state=state, given_by=ANN.id,
        role="agent", severity="normal", at=START, counted_at=START,
    )  # fmt: skip
    return replace(plain, **fields)


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("0", 0), ("45", 4500), ("45.5", 4550), ("45,50", 4550), (" 7.05 ", 705), ("1000000", MOST), ("007", 700)],
)
def test_an_amount_is_read_as_people_type_it(typed: str, cents: int) -> None:
    assert cents_of(typed) == cents


@pytest.mark.parametrize(
    "typed",
    ["", "x", "-1", "1.234", "1,234.50", "1.2.3", "EUR 5", "5 €", "1e3", "1000000.01", "9" * 400, "٤٥", "４５", "\0"],
)
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        cents_of(typed)


@pytest.mark.parametrize(
    ("cents", "currency", "written"),
    [(0, "", "0.00"), (5, "", "0.05"), (123_450, "EUR", "EUR 1,234.50"), (-4550, "", "-45.50")],
)
def test_money_is_written_with_both_hundredths(cents: int, currency: str, written: str) -> None:
    assert money(cents, currency) == written


@pytest.mark.parametrize("cents", [-1, MOST + 1, 2**70])
def test_amounts_have_bounds(cents: int) -> None:
    with pytest.raises(Refused):
        checked(cents)


def test_kinds_and_currencies_are_named_on_one_line() -> None:
    assert kind_name("  free\nrepair ") == "free repair"
    assert currency_of(" sek ") == "SEK"
    for wrong in ("", "\u200b\u202e", "x" * 61):
        with pytest.raises(Refused):
            kind_name(wrong)
    for wrong in ("", "EURO", "€", "E1R", "ＥＵＲ"):
        with pytest.raises(Refused):
            currency_of(wrong)


def test_every_role_that_works_on_cases_has_an_allowance_but_admins_have_no_limit() -> None:
    assert LIMITED == ("agent", "lead")
    assert TERMS.of("admin", "crisis") is None
    assert TERMS.of("agent", "low") == 0
    assert [role for role, _ in rows_of(TERMS)] == ["agent", "lead"]
    assert rows_of(TERMS)[0][1] == (("low", 0), ("normal", 5000), ("high", 0), ("crisis", 0))
    assert {severity for severity, _ in rows_of(TERMS)[0][1]} == set(SEVERITIES)


@pytest.mark.parametrize(("total", "who"), [(50_000, "a lead or an admin"), (50_001, "an admin")])
def test_who_may_decide_depends_on_the_whole_sum(total: int, who: str) -> None:
    assert TERMS.deciders(total, "normal") == who


def test_a_wish_takes_the_usual_cost_where_there_is_one() -> None:
    assert wish(VOUCHER, None, " for the  next order ") == Wish(kind=VOUCHER, cents=1000, what="for the next order")
    assert wish(REFUND, 0, "an excuse").cents == 0


@pytest.mark.parametrize(
    ("kind", "cents", "what", "why"),
    [
        (REFUND, None, "postage", "no usual cost"),
        (REFUND, -1, "postage", "between 0 and"),
        (REFUND, MOST + 1, "postage", "between 0 and"),
        (REFUND, 5, "", "what the customer gets"),
        (REFUND, 5, "\u202e\n\u200b", "what the customer gets"),
        (REFUND, 5, "x" * 501, "at most 500"),
        (replace(REFUND, active=False), 5, "postage", "not given any more"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused(kind: Kind, cents: int | None, what: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        wish(kind, cents, what)


@pytest.mark.parametrize(
    ("cents", "given", "allowance", "state", "why"),
    [
        (5000, [], 5000, "promised", "within the allowance of EUR 50.00"),
        (5001, [], 5000, "proposed", "above the allowance of EUR 50.00"),
        (0, [], 0, "promised", "within"),
        (1, [], 0, "proposed", "above"),
        (4001, [remedy()], 5000, "proposed", "of which EUR 10.00 is given"),
        (4000, [remedy()], 5000, "promised", "within"),
        (4001, [remedy("done")], 5000, "proposed", "of which"),
        (5000, [remedy("proposed"), remedy("declined"), remedy("withdrawn")], 5000, "promised", "within"),
        (5000, [remedy(decided_by=3), remedy("done", decided_by=3)], 5000, "promised", "within"),
        (1, [remedy(cents=5000, given_by=2)], 5000, "proposed", "of which EUR 50.00 is given"),
        (MOST, [remedy(cents=MOST)], None, "promised", "no limit"),
    ],
)
def test_what_stands_without_approval_counts_against_the_allowance(
    cents: int, given: list[Remedy], allowance: int | None, state: str, why: str
) -> None:
    found = weigh(Wish(kind=REFUND, cents=cents, what="x"), given, allowance, "EUR")
    assert (found.state, why in found.why) == (state, True), found


@pytest.mark.parametrize(
    ("given", "allowance", "rest"), [([], 5000, 5000), ([remedy(cents=9000)], 5000, 0), ([remedy()], None, None)]
)
def test_what_is_left_is_never_less_than_nothing(given: list[Remedy], allowance: int | None, rest: int | None) -> None:
    assert left(given, allowance) == rest


def approve(by: Colleague, one: Remedy, *given: Remedy, why: str = "", severity: Severity = "normal") -> Remedy:
    return rules.approve(one, by, why, START, given=given, severity=severity, allowances=TERMS)


def test_somebody_else_approves_whose_allowance_covers_all_that_the_case_is_given() -> None:
    waits = remedy("proposed", 40_000, id=9)
    later = START + timedelta(hours=1)
    found = rules.approve(waits, LEA, " fine ", later, given=[waits], severity="normal", allowances=TERMS)
    assert (found.state, found.decided_by, found.decided_at, found.why) == ("promised", LEA.id, later, "fine")
    assert (found.counted_at, found.subject) == (later, "remedy r")
    assert found.stands
    assert not found.alone
    assert approve(LEA, waits, waits, remedy(cents=10_000)).stands
    assert approve(ROOT, waits, waits, remedy(cents=MOST)).stands


@pytest.mark.parametrize(
    ("by", "one", "given", "why"),
    [
        (ANN, remedy("proposed"), (), "somebody else has to decide"),
        (replace(LEA, id=ANN.id), remedy("proposed"), (), "somebody else has to decide"),
        (LEA, remedy("proposed", 50_001), (), "it takes an admin"),
        (LEA, remedy("proposed", 40_000, id=9), (remedy(cents=10_001),), "is given EUR 500.01, more than your"),
        (LEA, remedy("proposed", 40_000, id=9), (remedy("done", 10_001, decided_by=3),), "more than your allowance"),
        (LEA, remedy("promised"), (), "it is promised"),
        (LEA, remedy("declined"), (), "it is declined"),
        (BOB, remedy("proposed", 5001), (), "more than your allowance of EUR 50.00"),
    ],
)
def test_an_approval_may_be_refused(by: Colleague, one: Remedy, given: tuple[Remedy, ...], why: str) -> None:
    with pytest.raises(Refused, match=why):
        approve(by, one, *given)


def test_declining_takes_a_reason_and_somebody_else() -> None:
    found = rules.decline(remedy("proposed"), LEA, "too much", START)
    assert (found.state, found.decided_by, found.why, found.stands) == ("declined", LEA.id, "too much", False)
    for by, one, why in ((LEA, remedy("proposed"), " "), (ANN, remedy("proposed"), "x"), (LEA, remedy("done"), "x")):
        with pytest.raises(Refused):
            rules.decline(one, by, why, START)


@pytest.mark.parametrize(
    ("state", "by", "may"),
    [
        ("proposed", ANN, True), ("promised", ANN, True), ("proposed", LEA, True), ("promised", ROOT, True),
        ("promised", BOB, False), ("done", ANN, False), ("done", ROOT, False), ("declined", ANN, False),
        ("withdrawn", ANN, False),
    ],
)  # fmt: skip
def test_a_remedy_is_withdrawn_before_the_customer_has_it(state: RemedyState, by: Colleague, may: bool) -> None:
    if may:
        assert rules.withdraw(remedy(state), by).state == "withdrawn"
        return
    with pytest.raises(Refused):
        rules.withdraw(remedy(state), by)


def test_what_came_of_it_can_be_said_when_it_is_done_and_later() -> None:
    done = rules.finish(remedy(), "", START)
    assert (done.state, done.done_at, done.outcome) == ("done", START, "")
    told = rules.finish(done, "she is happy", START + timedelta(days=1))
    assert (told.done_at, told.outcome) == (START, "she is happy")
    for one, outcome in ((done, " "), (told, "she is happy"), (remedy("proposed"), "x"), (remedy("withdrawn"), "x")):
        with pytest.raises(Refused):
            rules.finish(one, outcome, START)


def test_an_act_is_taken_back_to_the_very_state_it_began_with() -> None:
    waits = remedy("proposed", 40_000)
    approved = approve(LEA, waits, why="fine")
    assert restored(approved, kept(waits)) == waits
    done = rules.finish(approved, "x", START)
    assert restored(done, kept(approved)) == approved


def test_words_are_kept_clean() -> None:
    assert words("a\0b\ud800\r\n\r\n\r\nc", "") == "ab\n\nc"
    assert words("", "") == ""


def tally(kind: str, role: Role, state: RemedyState, n: int, cents: int) -> Tally:
    return Tally(kind=kind, role=role, state=state, n=n, cents=cents)


def test_the_figures_count_what_stands_and_say_what_became_of_the_rest() -> None:
    found = figures(
        [
            tally("refund", "agent", "promised", 2, 3000), tally("refund", "lead", "done", 1, 9000),
            tally("voucher", "agent", "done", 3, 3000), tally("voucher", "agent", "withdrawn", 1, 1000),
            tally("refund", "agent", "proposed", 1, 70_000), tally("other", "agent", "declined", 1, 500),
        ]
    )  # fmt: skip
    assert (found.given.n, found.given.cents) == (6, 15_000)
    assert [(each.name, each.n, each.cents) for each in found.kinds] == [("refund", 3, 12_000), ("voucher", 3, 3000)]
    assert [(each.name, each.cents) for each in found.roles] == [("lead", 9000), ("agent", 6000)]
    assert [(each.name, each.n, each.cents) for each in found.states] == [
        ("proposed", 1, 70_000), ("promised", 2, 3000), ("done", 4, 12_000), ("declined", 1, 500),
        ("withdrawn", 1, 1000),
    ]  # fmt: skip
    empty = figures([])
    assert (empty.given.n, empty.kinds, empty.states) == (0, (), ())


def test_months_follow_each_other_over_the_years() -> None:
    month = Month.parse("2026-12")
    assert str(month) == "2026-12"
    assert month.next == Month(year=2027, month=1)
    assert Month(year=2027, month=1).before == month
    assert month.before == Month(year=2026, month=11)
    assert month.first == datetime(2026, 12, 1, tzinfo=UTC)
    assert Month.of(month.next.first - timedelta(microseconds=1)) == month
    for wrong in ("", "2026-13", "2026-1", "1999-12", "２０２６-12", "2026-12\n", "2026-00"):
        with pytest.raises(Refused):
            Month.parse(wrong)
