"""Which words carried a verdict, with a table for a scorer: needed words, repeated ones, runs, long texts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.core.occlusion import LONGEST, placed, weigh
from listener.core.sentiment import Verdict
from listener.testing import FakeScorer
from listener.testing import verdict as made
from tests.web import hostile

TABLE = {"broken": (0.9, 0.08, 0.02), "awful": (0.9, 0.08, 0.02), "love": (0.02, 0.08, 0.9)}


def telling(text: str, scorer: FakeScorer | None = None) -> list[str]:
    """The words that carried it, the heaviest first."""
    scorer = scorer or FakeScorer(table=TABLE)
    return [text[word.start : word.end] for word in weigh(text, scorer.name, scorer.read).telling]


def test_the_word_without_which_the_label_falls_comes_first() -> None:
    scorer = FakeScorer(table=TABLE)
    found = weigh("The kettle is broken, sadly.", scorer.name, scorer.read)
    assert (found.label, found.probability, found.scorer) == ("negative", 0.9, "table@1")
    assert [word.weight for word in found.words] == [0, 0, 0, pytest.approx(0.85), 0]
    assert telling("The kettle is broken, sadly.") == ["broken"]


def test_words_that_say_the_same_share_the_weight_though_none_is_needed() -> None:
    assert set(telling("broken lid and awful service")) == {"broken", "awful"}


def test_words_that_say_it_only_together_are_found_together() -> None:
    def read(texts: Sequence[str]) -> list[Verdict]:
        return [_weeks(text) for text in texts]

    text = "I have now been waiting six weeks for it"
    found = weigh(text, "weeks@1", read)
    assert {text[word.start : word.end] for word in found.telling[:3]} <= {"waiting", "six", "weeks", "been", "for"}
    assert found.telling[0].weight > 0.3


def _weeks(text: str) -> Verdict:
    """Negative while two of three words are there, and more than one word stands beside them."""
    said = sum(word in text for word in ("waiting", "six", "weeks"))
    return made(*((0.9, 0.08, 0.02) if said >= 2 and len(text.split()) > 4 else (0.1, 0.8, 0.1)), scorer="weeks@1")


def test_a_word_that_speaks_against_it_weighs_less_than_nothing() -> None:
    scorer = FakeScorer(table={"broken love": (0.6, 0.2, 0.2), "broken": (0.95, 0.04, 0.01)})
    found = weigh("broken love", scorer.name, scorer.read)
    assert found.words[0].weight > 0 > found.words[1].weight
    assert len(found.telling) == 1


def test_a_neutral_text_is_carried_by_nothing_in_particular() -> None:
    assert telling("The parcel arrived on Tuesday.") == []


@pytest.mark.parametrize("far", [0, 40, 79])
def test_the_telling_sentence_of_a_long_text_is_found(far: int) -> None:
    plain = "It came in a grey box with a leaflet and a cable."
    text = " ".join("Then it was awful on the whole." if n == far else plain for n in range(80))
    scorer = FakeScorer(table=TABLE)
    assert telling(text, scorer)[0] == "awful"
    assert len(scorer.batches) == 2
    assert sum(scorer.batches) < 160


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\x00", "\ud800", "...", "😡", "x" * 50_000, "a " * 50_000])
def test_odd_texts_are_weighed_without_an_error_and_within_bounds(text: str) -> None:
    scorer = FakeScorer(table=TABLE)
    found = weigh(text, scorer.name, scorer.read)
    assert all(0 <= word.start < word.end <= len(text) for word in found.words)
    assert sum(scorer.batches) < 160
    assert sum(word.end - word.start for word in found.words) <= LONGEST


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=300), st.sampled_from(list(hostile.texts()))))
def test_words_stand_apart_in_the_order_of_the_text(text: str) -> None:
    scorer = FakeScorer(table=TABLE)
    words = weigh(text, scorer.name, scorer.read).words
    edges = [edge for word in words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert all(-1 <= word.weight <= 1 for word in words)


def test_the_words_of_clauses_are_found_in_their_post() -> None:
    post = "I left. Sadly the ACME kettle,\nwhich I liked, is broken but the other kettle is fine."
    read = "Acme kettle is better. Sadly the Acme kettle, which I liked, is broken."
    scorer = FakeScorer()
    found = placed(weigh(read, scorer.name, scorer.read), read, post)
    assert [post[word.start : word.end] for word in found.words] == [
        "Sadly", "the", "ACME", "kettle", "which", "I", "liked", "is", "broken",
    ]  # fmt: skip
    assert [post[word.start : word.end] for word in found.telling] == ["broken"]
    assert found.part
    assert placed(weigh(read, scorer.name, scorer.read), read, "Nothing of it.").words == ()
