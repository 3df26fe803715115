"""Errors, rules, and the store as the pipeline sees it."""

from __future__ import annotations

import inspect

import pytest

from listener.core import store as asked
from listener.core.errors import ListenerError, RateLimited, Rejected, StoreFull, Unauthorized, Unavailable, Unforeseen
from listener.store import Store
from tests.kit import make_rules


def test_an_error_says_its_docstring_when_nobody_says_more() -> None:
    assert str(Unauthorized()) == "The credentials were refused: check them, then reload."


def test_an_error_is_headed_by_its_resource() -> None:
    problem = Rejected("no such feed", resource="shop")
    assert (str(problem), problem.message, problem.resource) == ("shop: no such feed", "no such feed", "shop")


def test_a_wait_travels_with_the_error() -> None:
    assert RateLimited(retry_after=7.0).retry_after == 7.0
    assert Unavailable().retry_after is None


def test_what_is_unforeseen_is_tried_again() -> None:
    assert issubclass(Unforeseen, Unavailable)


@pytest.mark.parametrize("kind", [ListenerError, StoreFull, Unavailable])
def test_an_error_can_always_be_stored_and_printed(kind: type[ListenerError]) -> None:
    assert str(kind("the far end said \ud83d, then left", resource="pl\udfffce")) == (
        "pl?ce: the far end said ?, then left"
    )


def test_links_lead_to_the_public_address() -> None:
    rules = make_rules(public_url="https://desk.example/")
    assert rules.case_url("c-1") == "https://desk.example/cases/c-1"
    assert rules.inbox_url() == "https://desk.example/cases"


def test_without_a_public_address_there_are_no_links() -> None:
    rules = make_rules(public_url="")
    assert (rules.case_url("c-1"), rules.inbox_url()) == ("", "")


def test_routes_are_found_by_name() -> None:
    assert set(make_rules().names) == {"root", "complaints", "stars"}


@pytest.mark.parametrize("part", ["places", "posts", "mentions", "cases", "outbox"])
def test_the_store_offers_what_the_pipeline_asks_for(store: Store, part: str) -> None:
    protocol, offered = getattr(asked, part.capitalize()), getattr(store, part)
    for name, method in vars(protocol).items():
        if not name.startswith("_"):
            wanted = list(inspect.signature(method).parameters)[1:]
            assert list(inspect.signature(getattr(offered, name)).parameters)[: len(wanted)] == wanted
