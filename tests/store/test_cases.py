"""Cases open once, grow, reopen within a window, and are only ever raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from listener.core.case import Joining, Status, Wanted
from listener.core.errors import Refused, StoreError
from listener.core.mention import Mention
from listener.core.route import SLA
from listener.store import Store
from listener.store.engine import opaque_id
from listener.testing import START
from tests.kit import add_posts, make_post, open_case, resolve

DAY = timedelta(days=1)
WEEK = Joining(window=7 * DAY)


def mention(store: Store, external_id: str, **post: Any) -> Mention:
    """A stored mention."""
    add_posts(store, make_post(external_id, **post))
    return next(m for m in store.mentions.claim("judge", 1, START))


def test_the_first_mention_opens_a_case(store: Store) -> None:
    case, opened = open_case(store, mention(store, "1", text="Acme broke it", author="ann"), severity="high")
    assert opened
    assert (case.headline, case.author, case.status, case.severity, case.mentions) == (
        "Acme broke it", "ann", "open", "high", 1,
    )  # fmt: skip
    assert store.cases.find(case.public_id) == case
    assert store.cases.of_mention(1) == case


def test_a_second_mention_of_the_matter_joins_it(store: Store) -> None:
    first, _ = open_case(store, mention(store, "1"))
    second, opened = open_case(store, mention(store, "2", text="Acme again"), now=START + DAY)
    assert not opened
    assert (second.id, second.mentions, second.headline, second.changed_at) == (first.id, 2, "Acme again", START + DAY)
    assert {m.post.external_id for m in store.mentions.of_case(first.id)} == {"1", "2"}


def test_the_same_mention_twice_counts_once(store: Store) -> None:
    found = mention(store, "1")
    open_case(store, found)
    case, opened = open_case(store, found)
    assert (case.mentions, opened) == (1, False)


def test_severity_is_only_ever_raised(store: Store) -> None:
    severities = ["normal", "crisis", "low", "high"]
    seen = [open_case(store, mention(store, str(n)), severity=s)[0].severity for n, s in enumerate(severities)]  # type: ignore[arg-type]
    assert seen == ["normal", "crisis", "crisis", "crisis"]
    assert [case.severity for case in store.cases.unresolved()] == ["crisis"]


@pytest.mark.parametrize(("after", "reopened"), [(timedelta(), True), (7 * DAY, True), (8 * DAY, False)])
def test_a_resolved_case_reopens_within_the_window(store: Store, after: timedelta, reopened: bool) -> None:
    first, _ = open_case(store, mention(store, "1"))
    resolve(store, first)
    second, opened = open_case(store, mention(store, "2"), now=START + after)
    assert opened
    assert (second.id == first.id) == reopened
    assert (second.status, second.resolved_at) == ("open", None)


def test_an_edit_reopens_its_own_case_however_old(store: Store) -> None:
    found = mention(store, "1")
    first, _ = open_case(store, found)
    resolve(store, first)
    second, opened = open_case(store, found, now=START + 400 * DAY)
    assert (second.id, opened, second.mentions) == (first.id, True, 1)


def test_an_open_case_is_preferred_to_a_resolved_one(store: Store) -> None:
    first, _ = open_case(store, mention(store, "1"))
    resolve(store, first)
    second, _ = open_case(store, mention(store, "2"), now=START + 8 * DAY)
    third, opened = open_case(store, mention(store, "3"), now=START + 8 * DAY)
    assert (third.id, opened) == (second.id, False)


def test_a_new_mention_brings_a_snoozed_case_back(store: Store) -> None:
    first, _ = open_case(store, mention(store, "1"))
    with store.transaction():
        store.cases.change(replace(first, status="snoozed", snoozed_until=START + DAY))
    second, opened = open_case(store, mention(store, "2"))
    assert (second.status, second.snoozed_until, opened) == ("open", None, False)


def test_two_unresolved_cases_of_one_matter_cannot_be(store: Store) -> None:
    open_case(store, mention(store, "1"))
    with pytest.raises(StoreError, match="UNIQUE"):
        store.db.write(
            "INSERT INTO cases (public_id, key, brand, route, reason, severity, priority, status, headline, author, "
            "opened_at, changed_at, mentions) SELECT 'other', key, brand, route, reason, severity, priority, status, "
            "headline, author, opened_at, changed_at, mentions FROM cases"
        )


PROMISES = {"low": 72, "normal": 4, "high": 9, "crisis": 100}
"""Hours within which a case of a severity is to be acknowledged, here."""


def authors(store: Store, *statuses: Status, **filters: Any) -> list[str]:
    """The authors of a list, in its order."""
    return [case.author for case in store.cases.page(Wanted(statuses=statuses or ("open",), **filters))]


def four_cases(store: Store) -> None:
    """One case of each severity, each with its promise."""
    for severity, hours in PROMISES.items():
        with store.transaction():
            store.cases.open_or_grow(
                mention(store, severity, author=severity), route="r", reason="why",
                severity=severity, joining=WEEK, now=START, sla=SLA(acknowledge=timedelta(hours=hours)),  # type: ignore[arg-type]
            )  # fmt: skip


def test_lists_are_ordered_by_what_breaks_next_after_crises(store: Store) -> None:
    four_cases(store)
    assert authors(store) == ["crisis", "normal", "high", "low"]
    assert [case.author for case in store.cases.unresolved(2, 1)] == ["normal", "high"]
    assert authors(store, "resolved") == []
    resolve(store, store.cases.unresolved()[0])
    assert authors(store, "resolved") == ["crisis"]
    assert store.cases.counts() == {"open": 3, "resolved": 1}
    assert sum(store.cases.tallies().values()) == 4


def test_a_case_without_a_promise_comes_last(store: Store) -> None:
    open_case(store, mention(store, "1", author="never"))
    four_cases(store)
    assert authors(store)[-1] == "never"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"brand": "Bolt"}, []),
        ({"severity": "high"}, ["high"]),
        ({"assignee": 0}, ["crisis", "normal", "high", "low"]),
        ({"words": ("HIG",)}, ["high"]),
        ({"words": ("acme", "nor")}, ["normal"]),
        ({"words": ("%",)}, []),
        ({"words": ("_",)}, []),
        ({"words": ("\0hig",)}, ["high"]),
        ({"words": ("\0",)}, ["crisis", "normal", "high", "low"]),
    ],
)
def test_lists_can_be_narrowed(store: Store, filters: dict[str, Any], found: list[str]) -> None:
    four_cases(store)
    assert authors(store, **filters) == found


def test_a_state_that_is_no_longer_true_is_not_stored(store: Store) -> None:
    first, _ = open_case(store, mention(store, "1"))
    open_case(store, mention(store, "2"))
    with pytest.raises(Refused, match="changed meanwhile"), store.transaction():
        store.cases.change(replace(first, headline="late"))
    assert store.cases.get(first.id).headline != "late"


def test_what_happened_to_a_case_is_kept_in_order(store: Store) -> None:
    case, _ = open_case(store, mention(store, "1"))
    open_case(store, mention(store, "2"))
    resolve(store, case)
    open_case(store, mention(store, "3"))
    assert [event.act for event in store.events.of_case(case.id)] == ["opened", "grown", "returned"]
    with pytest.raises(StoreError, match="never changed"):
        store.db.write("UPDATE events SET who = 'me'")
    with pytest.raises(StoreError, match="never deleted"):
        store.db.write("DELETE FROM events")


def test_the_promises_start_anew_when_the_customer_comes_back(store: Store) -> None:
    sla = SLA(acknowledge=timedelta(hours=1))
    with store.transaction():
        case, _ = store.cases.open_or_grow(
            mention(store, "1"),
            route="r",
            reason="w",
            severity="low",
            joining=WEEK,
            now=START,
            sla=sla,
        )
    assert case.acknowledge_by == START + timedelta(hours=1)
    resolve(store, case)
    with store.transaction():
        back, _ = store.cases.open_or_grow(
            mention(store, "2"),
            route="r",
            reason="w",
            severity="low",
            joining=WEEK,
            now=START + DAY,
            sla=sla,
        )
    assert back.acknowledge_by == START + DAY + timedelta(hours=1)


def test_a_stricter_route_shortens_the_promises_and_none_relaxes_them(store: Store) -> None:
    seen = []
    for n, hours in enumerate((4, 1, 9)):
        with store.transaction():
            case, _ = store.cases.open_or_grow(
                mention(store, str(n)), route="r", reason="w", severity="low", joining=WEEK, now=START,
                sla=SLA(reply=timedelta(hours=hours)),
            )  # fmt: skip
        seen.append(case.reply_by)
    assert seen == [START + timedelta(hours=hours) for hours in (4, 1, 1)]


def test_the_newest_mention_of_each_case_is_found(store: Store) -> None:
    case, _ = open_case(store, mention(store, "1"))
    open_case(store, mention(store, "2"))
    other, _ = open_case(store, mention(store, "3", author="bob"))
    newest = store.trails.newest_of([case.id, other.id])
    assert {key: found.post.external_id for key, found in newest.items()} == {case.id: "2", other.id: "3"}
    assert store.trails.newest_of([]) == {}


def test_a_raised_case_is_shown_under_what_raised_it(store: Store) -> None:
    open_case(store, mention(store, "1", author="ann"), route="perhaps", reason="unsure", severity="low")
    raised, _ = open_case(
        store, mention(store, "2", author="ann"), route="safety", reason="it burns", severity="crisis"
    )
    later, _ = open_case(store, mention(store, "3", author="ann"), route="complaints", reason="angry", severity="high")
    assert (raised.route, raised.reason, raised.severity) == ("safety", "it burns", "crisis")
    assert (later.route, later.reason, later.severity, later.mentions) == ("safety", "it burns", "crisis", 3)


def test_an_id_is_never_read_as_an_option_by_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["-bcdefghijkl", "_bcdefghijkl"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: next(made))
    assert opaque_id() == "_bcdefghijkl"
