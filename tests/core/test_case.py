"""Which mentions are one matter, and how long a resolved one takes more in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from listener.core.case import case_key, headline, joins
from listener.core.mention import Mention
from listener.testing import START, make_post
from tests.kit import make_case, make_mention

WEEK = timedelta(days=7)


def said(external_id: str, *, brand: str = "Acme", **post: Any) -> Mention:
    """A mention of a post."""
    return make_mention(make_post(external_id, **post), brand=brand)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (said("1"), said("2"), True),
        (said("1", author="Ann"), said("2", author="ANN"), True),
        (said("1", author="ann"), said("2", author="bob"), False),
        (said("1"), said("2", brand="Bolt"), False),
        (said("1", realm="a.example"), said("2", realm="b.example"), False),
        (said("1", source="x"), said("2", source="y"), False),
        # The thread tells matters of one author apart.
        (said("1", root="t1"), said("2", root="t1"), True),
        (said("1", root="t1"), said("2", root="t2"), False),
        (said("1", in_reply_to="t1"), said("2", in_reply_to="t1"), True),
        (said("1", in_reply_to="t1"), said("2", in_reply_to="t2"), False),
        (said("1", root="t1", in_reply_to="a"), said("2", root="t1", in_reply_to="b"), True),
        # Fifty people under one post are fifty matters.
        (said("1", root="t1", author="ann"), said("2", root="t1", author="bob"), False),
        # Without an author each post is its own matter.
        (said("1", author=""), said("2", author=""), False),
        (said("1", author="", root="t1"), said("2", author="", root="t1"), False),
        (said("1", author=""), said("1", author="", brand="Bolt"), False),
        (said("1", author=""), said("1", author=""), True),
    ],
)
def test_one_matter(one: Mention, other: Mention, same: bool) -> None:
    assert (case_key(one) == case_key(other)) == same


def test_an_author_called_like_a_post_is_no_post() -> None:
    assert case_key(said("x", author="")) != case_key(said("1", author="post", root="x"))


@pytest.mark.parametrize(
    ("resolved", "after", "belongs"),
    [
        (False, timedelta(days=400), True),
        (True, timedelta(), True),
        (True, WEEK, True),
        (True, WEEK + timedelta(milliseconds=1), False),
    ],
)
def test_a_resolved_case_takes_more_in_for_a_window(resolved: bool, after: timedelta, belongs: bool) -> None:
    case = make_case(status="resolved" if resolved else "open")
    assert joins(case, START + after, WEEK) == belongs


@pytest.mark.parametrize(
    ("post", "shown"),
    [
        ({"text": "two\nlines  here"}, "two lines here"),
        ({"text": " ", "title": "the title"}, " "),
        ({"text": "x" * 140}, "x" * 140),
        ({"text": "x" * 141}, "x" * 139 + "…"),
        ({"text": "x" * 138 + " yy"}, "x" * 138 + "…"),
    ],
)
def test_headline(post: dict[str, str], shown: str) -> None:
    assert headline(said("1", **post)) == " ".join(shown.split()) or headline(said("1", **post)) == shown


def test_a_post_without_a_text_is_headed_by_its_title() -> None:
    mention = make_mention()
    bare = make_post("1", title="Only a title")
    object.__setattr__(bare, "text", "")
    assert headline(make_mention(bare)) == "Only a title"
    assert headline(mention) == "Acme post 1"
