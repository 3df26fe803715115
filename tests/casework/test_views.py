"""Saved views, and what excluding words would have kept away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listener.casework import Exclusions, Views
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import OPERATOR, Actor
from listener.core.view import LONGEST_NAME, MOST_VIEWS
from tests.casework.conftest import Office
from tests.kit import add_posts, make_post


@pytest.fixture
def views(office: Office) -> Views:
    return Views(office.store)


def test_a_view_of_the_same_name_is_replaced_and_each_colleague_has_their_own(
    views: Views, ann: Actor, bob: Actor
) -> None:
    views.save(ann, "mine", "view=mine")
    views.save(ann, " angry  ones ", "severity=crisis")
    views.save(ann, "mine", "view=mine&brand=Acme")
    assert [(view.name, view.query) for view in views.of(ann)] == [
        ("mine", "view=mine&brand=Acme"),
        ("angry ones", "severity=crisis"),
    ]
    assert views.of(bob) == ()
    with pytest.raises(Refused, match="there is no such view"):
        views.delete(bob, "mine")
    views.delete(ann, "mine")
    assert [view.name for view in views.of(ann)] == ["angry ones"]


def test_names_and_numbers_of_views_are_bounded(views: Views, ann: Actor) -> None:
    with pytest.raises(Refused, match="needs a name"):
        views.save(ann, " \0 ", "")
    with pytest.raises(Refused, match="at most 40 characters; this one has 41"):
        views.save(ann, "x" * (LONGEST_NAME + 1), "")
    for n in range(MOST_VIEWS):
        views.save(ann, f"view {n} \ud800", "")
    with pytest.raises(Refused, match="delete one first"):
        views.save(ann, "one more", "")
    views.save(ann, "view 3 ?", "view=all")


def test_views_take_a_colleague(views: Views) -> None:
    assert views.of(OPERATOR) == ()
    with pytest.raises(Refused, match="takes a colleague"):
        views.save(OPERATOR, "x", "")


@pytest.fixture
def exclusions(office: Office) -> Exclusions:
    return Exclusions(office.store, office.clock)


def test_words_are_offered_with_how_many_have_them_and_ours_are_not(
    office: Office, exclusions: Exclusions, case: Case
) -> None:
    add_posts(office.store, make_post("9", "acme kettle"), make_post("10", "the Acme kettle, a second one"))
    [mention] = office.store.mentions.of_case(case.id)
    words = dict(exclusions.propose(case.public_id, ()).choices)
    assert "acme" not in words
    assert "the" not in words
    assert set(words) <= {word.strip(".,!").casefold() for word in mention.post.text.split()}
    found = exclusions.propose(case.public_id, ("kettle", " second  one ", "", "kettle"))
    assert (found.words, found.removed, found.of) == (("kettle", "second one"), 2, 3)
    assert found.samples == ("the Acme kettle, a second one", "acme kettle")


def test_only_the_brands_mentions_of_the_last_30_days_count(office: Office, exclusions: Exclusions, case: Case) -> None:
    a_month_ago = office.clock() - timedelta(days=30)
    assert len(list(office.store.views.said("Acme", a_month_ago, 100))) == 1
    assert list(office.store.views.said("Globex", a_month_ago, 100)) == []
    office.clock.forward(timedelta(days=31))
    assert exclusions.propose(case.public_id, ()).of == 0
    with pytest.raises(Refused, match="no such case"):
        exclusions.propose("nothing", ())
