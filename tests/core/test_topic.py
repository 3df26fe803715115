"""Topics: the parts of a post, the words that set a topic apart, and the mood of what touches it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.topic import PARTS, Topic, Touched, as_settled, mood_of, parts_of, words_in, words_of_their_own
from listener.testing import verdict
from tests.kit import mood

BAD, GOOD = verdict(0.95, 0.03, 0.02), verdict(0.02, 0.03, 0.95)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("Late again.", ("Late again.",)),
        ("Love it. Late though!", ("Love it.", "Late though!")),
        ("love the shoes, delivery was a nightmare", ("love the shoes", "delivery was a nightmare")),
        ("Nice people but the app crashes", ("Nice people", "but the app crashes")),
        ("red, green, blue", ("red, green, blue",)),
        ("But it works fine.", ("But it works fine.",)),
        ("It came apart\nand they shrugged", ("It came apart", "and they shrugged")),
    ],
)
def test_a_post_is_cut_where_another_subject_may_begin(text: str, parts: tuple[str, ...]) -> None:
    assert parts_of(text) == parts


@given(st.text(max_size=2000))
def test_no_text_makes_more_parts_than_are_read(text: str) -> None:
    assert len(parts_of(text)) <= PARTS


def test_of_many_parts_none_is_lost() -> None:
    text = " ".join(f"Sentence {number} here." for number in range(40))
    parts = parts_of(text)
    assert len(parts) == PARTS
    assert " ".join(parts) == text


def test_words_lose_their_endings_and_common_ones_do_not_count() -> None:
    assert words_in("They were delivering the parcels") == words_in("delivered parcel") == {"deliver", "parcel"}
    assert words_in("red is it") == {"red"}


def test_a_word_of_two_topics_sets_none_apart() -> None:
    topics = [
        Topic(name="a", description="Parcels", phrases=("late parcel", "late van")),
        Topic(name="b", description="Opening", phrases=("open late",)),
    ]
    assert words_of_their_own(topics, ["a van"]) == (frozenset({"parcel"}), frozenset({"open"}))


def test_the_mood_of_several_parts_is_sure_only_where_they_agree() -> None:
    assert mood_of({"one": BAD, "two": BAD}) == ("negative", "confident")
    assert mood_of({"a long part of it": BAD, "short": GOOD}) == ("negative", "unsure")


def test_topics_without_parts_of_their_own_follow_what_a_colleague_said() -> None:
    follows = Touched(topic="a", label="negative", certainty="unsure", nearness=0.5, phrase="p")
    own = Touched(topic="b", label="negative", certainty="unsure", nearness=0.5, phrase="p", own=True)
    settled = as_settled([follows, own], mood("positive"))
    assert [(each.topic, each.label) for each in settled] == [("a", "positive"), ("b", "negative")]
