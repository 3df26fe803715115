"""From raw outputs to answers: every head reads its own outputs, parts are put together, marks decide what is said."""

import numpy as np

from models._answers import Answers, answers_of, reaching, signed, softmax
from models._heads import EMOTION, HEADS, INTENT, OFFENSIVE, SENTIMENT, SEVERITY, Head, places, width

MARKS = {head.name: dict.fromkeys(head.labels, 0.5) for head in HEADS}
EVEN = np.zeros(3, np.float32)
PLACES = {head.name: place for head, place in places()}


def row(**said: dict[str, float]) -> np.ndarray:
    """A row of outputs: low everywhere but where a head is said to say something."""
    found = np.full(width(), -5, np.float32)
    found[PLACES["sentiment"]] = 0
    for head in HEADS:
        for label, logit in said.get(head.name, {}).items():
            found[PLACES[head.name].start + head.labels.index(label)] = logit
    return found


def read(*rows: np.ndarray, temperature: float = 1.0, bias: np.ndarray = EVEN) -> Answers:
    return answers_of(np.array(rows), [10] * len(rows), temperature=temperature, bias=bias, marks=MARKS)


def test_the_heads_stand_side_by_side_and_fill_the_row() -> None:
    taken = [at for _, place in places() for at in range(place.start, place.stop)]
    assert taken == list(range(width()))
    assert [head for head, _ in places()] == [SENTIMENT, EMOTION, OFFENSIVE, INTENT, SEVERITY]


def test_each_head_answers_its_own_question() -> None:
    found = read(
        row(
            sentiment={"negative": 4},
            emotion={"anger": 2, "sadness": 1},
            offensive={"offensive": 1},
            intent={"leave": 3, "complaint": 1},
            severity={"fraud": 2},
        )
    )
    assert found.sentiment.argmax() == 0
    assert found.emotion == "anger"
    assert found.offensive
    assert found.intent == ("leave", "complaint")
    assert found.severity == ("fraud",)


def test_a_text_of_which_nothing_is_likely_has_no_intent_and_no_severity() -> None:
    found = read(row())
    assert (found.intent, found.severity, found.offensive) == ((), (), False)


def test_other_is_said_alone_or_not_at_all() -> None:
    assert read(row(intent={"other": 3})).intent == ("other",)
    assert read(row(intent={"other": 3, "praise": 1})).intent == ("praise",)


def test_one_grave_sentence_in_a_long_text_is_enough() -> None:
    found = read(row(), row(severity={"safety": 2}, intent={"person": 2}), row())
    assert found.severity == ("safety",)
    assert found.intent == ("person",)


def test_temperature_takes_certainty_away_and_the_bias_moves_between_labels() -> None:
    sure = read(row(sentiment={"positive": 3})).sentiment
    less = read(row(sentiment={"positive": 3}), temperature=2.0).sentiment
    moved = read(row(), bias=np.array([2, 0, 0], np.float32)).sentiment
    assert sure[2] > less[2] > 1 / 3
    assert moved.argmax() == 0


def test_probabilities_add_up_whatever_the_size_of_the_logits() -> None:
    found = softmax(np.array([[900.0, -900, 0], [1, 1, 1]], np.float32))
    assert np.allclose(found.sum(axis=-1), 1)


def test_a_mark_is_reached_by_its_very_number() -> None:
    head = Head(name="x", labels=("a", "b"), kind="many")
    chances = np.array([0.5, 0.25], np.float32)
    assert reaching(chances, head.labels, {"a": 0.5, "b": 0.5}) == ("a",)
    assert reaching(chances, head.labels, {"a": 0.6, "b": 0.25}) == ("b",)


def test_meaning_is_the_mean_of_the_parts_by_their_length_in_signed_bytes() -> None:
    found = np.frombuffer(signed(np.array([[1.0, 0, -4], [1, 0, 0]], np.float32), [30, 10]), np.int8)
    assert found.tolist() == [42, 0, -127]
    assert signed(np.zeros((1, 4), np.float32), [3]) == bytes(4)
