"""Customers and calls: what names an author, what speaks for two being one, and what a call must hold."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.call import CAPABILITIES, Told, post_of_call
from listener.core.customer import (
    Profile,
    Said,
    Voice,
    customer_name,
    evidence,
    mood_in_words,
    voice_from,
)
from listener.core.errors import Refused
from listener.core.mention import normalise
from listener.core.sentiment import Label
from listener.store.cases import voice_of
from listener.testing import START, make_post


def profile(handle: str, source: str = "mastodon", **fields: str) -> Profile:
    """An author."""
    return Profile(voice=Voice(source=source, realm="", handle=handle), **fields)  # type: ignore[arg-type]


def test_a_voice_is_named_as_cases_name_it() -> None:
    assert Voice(source="x", realm="r", handle="Élan").key == voice_of("x", "r", "ÉLAN")


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_a_voice_in_an_address_reads_back(source: str, realm: str, handle: str) -> None:
    post = normalise(make_post("1", author=handle))
    clean = normalise(make_post("1", author=realm)).author.handle
    if not post.author.handle or "\ufffd" in source:
        return
    voice = Voice(source="x", realm=clean, handle=post.author.handle)
    assert voice_from(voice.written) == voice


@pytest.mark.parametrize("written", ["", "x", "x/y", "//ann", "x//", "x//ann/", "a/b/c/d", quote("x//ann", safe="")])
def test_what_names_no_author_is_refused(written: str) -> None:
    with pytest.raises(Refused, match="names no author"):
        voice_from(written)


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (profile("ann_b"), profile("@Ann_B@example.org", "forum"), ("the same handle",)),
        (profile("a1", name="Ann Berg"), profile("b2", name="ann berg"), ("the same display name",)),
        (profile("a1", name="annb"), profile("AnnB"), ("one's display name is the other's handle",)),
        (profile("annb"), profile("x9", name="AnnB"), ("one's display name is the other's handle",)),
        (profile("a1", url="https://ann.example/"), profile("b2", url="http://ann.example"),
         ("the same link in the profile",)),
        (profile("ann_b", name="Ann Berg"), profile("ann_b", "forum", name="Ann Berg"),
         ("the same handle", "the same display name")),
        (profile("al"), profile("al", "forum"), ()),
        (profile("a1", name="Al"), profile("b2", name="Al"), ()),
        (profile("ann_b"), profile("ANN_B"), ()),
        (profile("ann"), profile("bea"), ()),
        (profile("a1", url=""), profile("b2", url=""), ()),
    ],
)  # fmt: skip
def test_evidence_says_why_two_authors_may_be_one(one: Profile, other: Profile, words: tuple[str, ...]) -> None:
    assert evidence(one, other) == words
    assert evidence(other, one) == words


def said(*moods: float) -> list[Said]:
    """Judged mentions, an hour apart."""
    labels: dict[bool, Label] = {True: "positive", False: "negative"}
    return [
        Said(at=START + timedelta(hours=n), label=labels[score > 0] if score else "neutral", score=score)
        for n, score in enumerate(moods)
    ]


@pytest.mark.parametrize(
    ("moods", "words"),
    [
        ((), "nothing judged yet"),
        ((-0.9,), "1 negative"),
        ((-0.9, 0, 0.8), "1 negative, 1 neutral, 1 positive"),
        ((-0.9, 0.8, 0.8, 0.8), "1 negative, 3 positive; brighter lately"),
        ((0.9, 0.9, -0.8, -0.8, 0), "2 negative, 1 neutral, 2 positive; darker lately"),
        ((-0.9, -0.9, -0.8, -0.8), "4 negative; much the same lately"),
    ],
)
def test_the_mood_over_time_is_said_in_words(moods: tuple[float, ...], words: str) -> None:
    assert mood_in_words(said(*moods)) == words


def test_a_customer_needs_a_name() -> None:
    assert customer_name("  Ann\nBerg ") == "Ann Berg"
    assert len(customer_name("x" * 999)) == 200
    with pytest.raises(Refused, match="needs a name"):
        customer_name(" \n\0")


def told(**fields: object) -> Told:
    """A call as a colleague fills it in."""
    return Told(**{"key": "k", "brand": "Acme", "words": "it broke", "mood": "negative", **fields})  # type: ignore[arg-type]


def test_a_call_becomes_a_private_post() -> None:
    post = post_of_call(told(topic="delivery", customer="+46 1"), 7, START)
    assert (post.source, post.external_id, post.kind, post.title, post.text) == (
        "call", "7-k", "call", "delivery", "it broke",
    )  # fmt: skip
    assert (post.author.handle, post.url, post.rating, post.published_at) == ("+46 1", None, None, START)
    assert post.private
    assert not make_post("1").private
    assert not CAPABILITIES.reply


@pytest.mark.parametrize("fields", [{"words": " \0"}, {"key": " "}, {"key": "k" * 101}])
def test_a_call_needs_words_and_a_key(fields: dict[str, object]) -> None:
    with pytest.raises(Refused, match="a call needs"):
        post_of_call(told(**fields), 7, START)
