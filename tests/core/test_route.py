"""Matchers and the escalation tree."""

from __future__ import annotations

import pytest

from listener.core.mention import Fact
from listener.core.route import Matcher, Route, bundle_key, worst
from tests.kit import route

FACTS: dict[str, Fact] = {
    "sentiment": "negative",
    "rating": 0.25,
    "likes": 12.0,
    "query": ("acme", "rivals"),
    "words": (),
    "text": "Never\nagain, Straße 5",
    "author": "Ann",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("sentiment = negative", True),
        ("sentiment = NEGATIVE", True),
        ("sentiment=negative", True),
        ('sentiment = "negative"', True),
        ("sentiment = positive", False),
        ("sentiment != positive", True),
        ("sentiment != negative", False),
        ("text =~ again", True),
        ("text =~ NEVER.*", True),
        ("text =~ ^again", False),
        ("text !~ again", False),
        ("text !~ good", True),
        ("text =~ straße", True),
        # A list satisfies = when any entry does, and != when none does.
        ("query = acme", True),
        ("query = Rivals", True),
        ("query = other", False),
        ("query != acme", False),
        ("query != other", True),
        ("query =~ ^riv", True),
        ("query !~ ^riv", False),
        ("words = acme", False),
        ("words != acme", True),
        # Numbers.
        ("rating < 0.3", True),
        ("rating < 0.25", False),
        ("rating > 0.2", True),
        ("rating > 0.25", False),
        ("rating = 0.25", True),
        ("rating = 0.250", True),
        ("rating != 0.25", False),
        ("rating = low", False),
        ("rating =~ ^0", True),
        ("likes > 11", True),
        # Absent facts satisfy only the negations.
        ("followers < 10", False),
        ("followers > 10", False),
        ("followers = 10", False),
        ("followers != 10", True),
        ("certainty =~ .", False),
        ("certainty !~ .", True),
    ],
)
def test_matcher(text: str, holds: bool) -> None:
    assert Matcher.parse(text).matches(FACTS) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("negative", "is not a matcher"),
        ("", "is not a matcher"),
        ("mood = bad", "unknown fact 'mood'"),
        ("sentiment < 3", "is not a number"),
        ("rating < low", "'low', which is not a number"),
        ("rating <= 0.3", "write <, not <="),
        ("rating >= 0.3", "write >, not >="),
        ("sentiment == negative", "write =, not =="),
        ("text =~ (", "is not a regular expression"),
    ],
)
def test_a_wrong_matcher_is_refused_with_the_cure(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        Matcher.parse(text)


def test_only_a_name_is_asked_for_not_a_pattern() -> None:
    assert [Matcher.parse(f"topic {op} x").asked for op in ("=", "!=", "=~", "!~")] == ["x", "x", None, None]


def test_a_matcher_is_shown_as_it_was_written() -> None:
    assert str(Matcher.parse('sentiment="negative"')) == "sentiment = negative"


TREE = Route(
    name="root",
    routes=(
        route("audit", "author = ann", continue_=True),
        route(
            "angry",
            "sentiment = negative",
            routes=(
                route("loud", "likes > 100"),
                route("stars", "rating < 0.3", continue_=True),
                route("quoted", "text =~ again"),
            ),
        ),
        route("rest", "sentiment != positive"),
    ),
)


@pytest.mark.parametrize(
    ("facts", "taken"),
    [
        ({}, ["rest"]),
        ({"sentiment": "positive"}, []),
        ({"sentiment": "neutral"}, ["rest"]),
        ({"sentiment": "negative"}, ["angry"]),
        ({"sentiment": "negative", "likes": 500.0}, ["loud"]),
        ({"sentiment": "negative", "likes": 500.0, "rating": 0.0}, ["loud"]),
        ({"sentiment": "negative", "rating": 0.0}, ["stars"]),
        ({"sentiment": "negative", "rating": 0.0, "text": "again"}, ["stars", "quoted"]),
        ({"sentiment": "negative", "text": "again"}, ["quoted"]),
        ({"sentiment": "negative", "author": "ann"}, ["audit", "angry"]),
        ({"sentiment": "positive", "author": "ann"}, ["audit"]),
        ({"author": "ann", "likes": 500.0}, ["audit", "rest"]),
    ],
)
def test_the_tree(facts: dict[str, Fact], taken: list[str]) -> None:
    assert [found.name for found in TREE.taken_by(facts)] == taken


def test_the_root_alone_takes_nothing() -> None:
    assert Route(name="root").taken_by({"sentiment": "negative"}) == ()


def test_parents_are_walked_before_their_children() -> None:
    assert [found.name for found in TREE.walk()] == ["root", "audit", "angry", "loud", "stars", "quoted", "rest"]


def test_a_route_says_what_had_to_hold() -> None:
    assert route("r", "rating < 0.3", "sentiment = negative").written() == "rating < 0.3 and sentiment = negative"
    assert Route(name="all").written() == "everything"


@pytest.mark.parametrize(
    ("matcher", "facts", "said"),
    [
        ("text =~ leak\\w*", {"text": "it is leaking gas"}, "text has “leaking”"),
        ("text !~ refund", {"text": "nice"}, "text has no “refund”"),
        ("sentiment = negative", {"sentiment": "negative"}, "sentiment is negative"),
        ("sentiment != positive", {"sentiment": "neutral"}, "sentiment is neutral, not positive"),
        ("sentiment != positive", {}, "sentiment is unknown, not positive"),
        ("rating < 0.3", {"rating": 0.25}, "rating 0.25 is under 0.3"),
        ("followers > 100", {"followers": 2500.0}, "followers 2500 is over 100"),
        ("query =~ ac.e", {"query": ("acme", "other")}, "query has “acme”"),
    ],
)
def test_a_matcher_says_what_satisfied_it(matcher: str, facts: dict[str, Fact], said: str) -> None:
    assert Matcher.parse(matcher).matches(facts)
    assert Matcher.parse(matcher).said(facts) == said


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        ((), "r|"),
        (("author",), "r|author=Ann"),
        (("query", "rating"), "r|query=acme, rivals|rating=0.25"),
        (("followers",), "r|followers="),
    ],
)
def test_the_bundle_key_names_the_route_and_its_facts(group_by: tuple[str, ...], key: str) -> None:
    assert bundle_key(route("r", group_by=group_by), FACTS) == key


def test_the_worst_severity_wins() -> None:
    assert worst(("low", "high", "normal")) == "high"
    assert worst(("crisis", "high")) == "crisis"
    assert worst(()) == "low"
