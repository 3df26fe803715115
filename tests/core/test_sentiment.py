"""Labels, scores, and how stars temper what was read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.sentiment import LABELS, Label, Probabilities, temper, towards, unreadable
from listener.testing import verdict


@pytest.mark.parametrize(
    ("negative", "neutral", "positive", "label", "confidence", "score"),
    [
        (0.7, 0.2, 0.1, "negative", 0.7, -0.6),
        (0.2, 0.6, 0.2, "neutral", 0.6, 0.0),
        (0.1, 0.2, 0.7, "positive", 0.7, 0.6),
        (0.5, 0.0, 0.5, "negative", 0.5, 0.0),
        (0.2, 0.4, 0.4, "neutral", 0.4, 0.2),
    ],
)
def test_the_likelier_label_wins_and_on_a_tie_the_worse(
    negative: float, neutral: float, positive: float, label: Label, confidence: float, score: float
) -> None:
    found = Probabilities(negative=negative, neutral=neutral, positive=positive)
    assert (found.label, found.confidence) == (label, confidence)
    assert found.score == pytest.approx(score)


def test_a_text_that_says_nothing_is_unsure_without_confidence() -> None:
    found = unreadable("m@1")
    assert (found.certainty, found.confidence, found.scorer) == ("unsure", 0.0, "m@1")


THIRDS = st.tuples(*[st.floats(0.01, 1)] * 3).map(lambda t: tuple(value / sum(t) for value in t))


@given(THIRDS, st.floats(0, 1))
def test_tempered_probabilities_still_make_one(three: tuple[float, float, float], rating: float) -> None:
    found = temper(Probabilities(negative=three[0], neutral=three[1], positive=three[2]), rating)
    values = [found.negative, found.neutral, found.positive]
    assert sum(values) == pytest.approx(1)
    assert all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize(
    ("rating", "label"),
    [(0.0, "negative"), (0.25, "negative"), (0.5, "neutral"), (0.75, "positive"), (1.0, "positive")],
)
def test_stars_decide_where_the_text_says_nothing(rating: float, label: Label) -> None:
    assert temper(unreadable("m").probabilities, rating).label == label


def test_more_stars_never_look_worse() -> None:
    plain = Probabilities(negative=0.3, neutral=0.4, positive=0.3)
    scores = [temper(plain, stars / 4).score for stars in range(5)]
    assert scores == sorted(scores)


@pytest.mark.parametrize(
    ("read", "rating", "label", "certainty"),
    [
        ((0.9, 0.05, 0.05), None, "negative", "confident"),
        ((0.5, 0.3, 0.2), None, "negative", "unsure"),
        ((0.9, 0.05, 0.05), 0.0, "negative", "confident"),
        ((0.55, 0.4, 0.05), 0.0, "negative", "confident"),
        ((0.4, 0.3, 0.3), 0.25, "negative", "unsure"),
        ((0.02, 0.08, 0.9), 0.0, "negative", "unsure"),
        ((0.02, 0.08, 0.9), 1.0, "positive", "confident"),
        ((0.95, 0.04, 0.01), 1.0, "negative", "confident"),
    ],
)
def test_towards_a_brand(read: tuple[float, float, float], rating: float | None, label: Label, certainty: str) -> None:
    found = towards(verdict(*read), rating)
    assert (found.label, found.certainty, found.scorer) == (label, certainty, "table@1")


def test_doubt_is_never_turned_into_neutral() -> None:
    assert towards(verdict(0.4, 0.35, 0.25), None).label == "negative"


def test_labels_go_from_worst_to_best() -> None:
    assert LABELS == ("negative", "neutral", "positive")
