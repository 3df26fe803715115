"""Remedies in the database: defaults, sums, months, merged cases, and the plans of every query on a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from listener.core.colleague import Colleague
from listener.core.remedy import Remedy, Weighed, Wish
from listener.core.remedy_figures import Month
from listener.core.remedy_terms import rows_of
from listener.store import Store, make_store, open_store
from listener.store.schema import migrations
from listener.testing import START
from tests.kit import add_posts, judge_as, make_post, open_case
from tests.store.test_plans import Recorder

PROMISED = Weighed(state="promised", why="")


@pytest.fixture
def store() -> Iterator[Store]:
    store = make_store(Recorder())
    yield store
    store.close()


@pytest.fixture
def ann(store: Store) -> Colleague:
    return store.colleagues.add("ann", "Ann", "agent", START)


def case_id(store: Store, external_id: str) -> int:
    add_posts(store, make_post(external_id, author=external_id))
    judge_as(store, store.mentions.claim("judge", 9, START))
    [mention] = store.mentions.claim("route", 9, START)
    return open_case(store, mention)[0].id


def add(store: Store, by: Colleague, case: int, key: str, cents: int = 500, days: int = 0) -> Remedy:
    kind = store.remedies.kinds()[0]
    with store.transaction():
        return store.remedies.add(
            case, Wish(kind=kind, cents=cents, what="postage"), PROMISED, by, "normal", key, START + days * timedelta(1)
        )


def test_the_house_starts_with_kinds_and_allowances(store: Store) -> None:
    assert [(kind.name, kind.usual) for kind in store.remedies.kinds()] == [
        ("refund", None), ("replacement", None), ("voucher", 1000), ("apology gift", 1500), ("other", None),
    ]  # fmt: skip
    terms = store.remedies.allowances()
    assert terms.currency == "EUR"
    agent, lead = (dict(row) for _, row in rows_of(terms))
    assert agent == {"low": 2000, "normal": 5000, "high": 10_000, "crisis": 10_000}
    assert lead == {severity: 10 * cents for severity, cents in agent.items()}
    assert not store.remedies.any()


def test_a_database_of_before_gets_them_and_keeps_its_cases(tmp_path: Path) -> None:
    path = tmp_path / "listener.db"
    db = Database(str(path))
    migrations.apply(db, stop_before="b_remedies")
    db.execute(
        "INSERT INTO cases (public_id, key, brand, route, reason, severity, priority, status, headline, author, "
        "opened_at, changed_at, mentions) VALUES ('c', 'k', 'Acme', 'r', 'w', 'high', 1, 'open', 'h', '', 1, 1, 1)"
    )
    db.conn.commit()
    db.close()
    store = open_store(str(path))
    ann = store.colleagues.add("ann", "Ann", "agent", START)
    [case] = store.cases.unresolved()
    assert add(store, ann, case.id, "k").kind == "refund"
    store.close()


def test_sums_of_a_month_end_with_its_last_moment(store: Store, ann: Colleague) -> None:
    case, month = case_id(store, "1"), Month.of(START)
    first, last = month.first, month.next.first - timedelta(milliseconds=1)
    for n, at in enumerate((first, last, month.next.first, first - timedelta(milliseconds=1))):
        with store.transaction():
            wanted = Wish(kind=store.remedies.kinds()[0], cents=10**n, what="x")
            store.remedies.add(case, wanted, PROMISED, ann, "normal", f"{n}", at)
    [tally] = store.remedies.tallies(month.first, month.next.first)
    assert (tally.kind, tally.role, tally.state, tally.n, tally.cents) == ("refund", "agent", "promised", 2, 11)
    assert [each.remedy.cents for each in store.remedies.page(month.first, month.next.first)] == [10, 1]
    assert [each.remedy.cents for each in store.remedies.page(month.first, month.next.first, 1, 1)] == [1]


def test_amounts_are_summed_without_loss(store: Store, ann: Colleague) -> None:
    case = case_id(store, "1")
    for n in range(30):
        add(store, ann, case, f"{n}", 99_999_999)
    [tally] = store.remedies.tallies(START, START + timedelta(days=1))
    assert tally.cents == 30 * 99_999_999


def test_a_case_shows_what_was_given_on_those_it_took_in(store: Store, ann: Colleague) -> None:
    one, two, three, other = (case_id(store, f"{n}") for n in range(4))
    made = [add(store, ann, case, f"{case}") for case in (one, two, three)]
    add(store, ann, other, "other")
    for case, into in ((one, two), (two, three)):
        store.db.write("UPDATE cases SET merged_into = ? WHERE id = ?", (into, case))
    assert store.remedies.of_case(three) == tuple(made)
    assert store.remedies.of_case(two) == tuple(made[:2])
    assert store.remedies.of_case(one) == (made[0],)


def test_a_key_is_ones_own(store: Store, ann: Colleague) -> None:
    bob = store.colleagues.add("bob", "Bob", "agent", START)
    case = case_id(store, "1")
    one = add(store, ann, case, "k")
    assert store.remedies.known(ann.id, "k") == one
    assert store.remedies.known(bob.id, "k") is None
    assert add(store, bob, case, "k").id != one.id


def test_no_page_reads_the_whole_table(store: Store, ann: Colleague) -> None:
    case = case_id(store, "1")
    one = add(store, ann, case, "k")
    recorder = store.db
    assert isinstance(recorder, Recorder)
    recorder.statements.clear()
    store.remedies.of_case(case)
    store.remedies.waiting()
    store.remedies.page(START, START + timedelta(days=30))
    store.remedies.tallies(START, START + timedelta(days=30))
    store.remedies.known(ann.id, "k")
    store.remedies.find(one.public_id)
    with store.transaction():
        store.remedies.change(one)
    scans = {sql: recorder.scans(sql) for sql in recorder.statements}
    # Of all that is joined, only what a case took in is walked: a handful of ids.
    left = {
        sql: [step for step in steps if not step.startswith(("SCAN joined", "SCAN j", "SCAN k", "SCAN CONSTANT"))]
        for sql, steps in scans.items()
    }
    assert not {sql: steps for sql, steps in left.items() if steps}
