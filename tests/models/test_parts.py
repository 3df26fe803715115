"""Long texts: where they are cut, and what their parts say together."""

import numpy as np
import pytest

from models._parts import parts_of, together

END = 9
ENDS = frozenset({END})


def _cut(tokens: list[int], room: int) -> list[list[int]]:
    return [list(part) for part in parts_of(tokens, room, ENDS)]


def test_a_short_text_is_one_part() -> None:
    assert _cut([1, 2, 3], 10) == [[1, 2, 3]]


def test_a_text_as_long_as_the_room_is_one_part() -> None:
    assert _cut([1] * 10, 10) == [[1] * 10]


def test_parts_together_are_the_text() -> None:
    tokens = [number % 11 for number in range(1000)]
    assert sum(_cut(tokens, 37), []) == tokens  # noqa: RUF017 - short lists
    assert max(map(len, _cut(tokens, 37))) <= 37


def test_a_part_ends_with_a_sentence_where_there_is_one() -> None:
    tokens = [1, 1, 1, 1, 1, 1, 1, END, 2, 2, 2, 2]
    assert _cut(tokens, 10) == [[1] * 7 + [END], [2] * 4]


def test_a_sentence_that_ends_early_does_not_make_a_tiny_part() -> None:
    tokens = [1, END] + [2] * 18
    assert _cut(tokens, 10) == [[1, END] + [2] * 8, [2] * 10]


def test_a_text_without_sentences_makes_no_more_parts_than_needed() -> None:
    assert len(_cut([1] * 95, 10)) == 10


def test_sentences_at_most_double_the_parts() -> None:
    tokens = ([1] * 5 + [END]) * 50
    assert len(_cut(tokens, 10)) <= 2 * 30


NEUTRAL = (0.1, 0.8, 0.1)
ANGRY = (0.9, 0.08, 0.02)
GLAD = (0.02, 0.08, 0.9)


def _together(*parts: tuple[float, float, float], lengths: list[int] | None = None) -> list[float]:
    return [float(value) for value in together(np.array(parts, np.float32), lengths or [40] * len(parts))]


def test_the_whole_adds_up_to_one() -> None:
    assert sum(_together(NEUTRAL, ANGRY, GLAD)) == pytest.approx(1, abs=1e-5)


def test_one_part_speaks_for_itself() -> None:
    assert _together(ANGRY) == pytest.approx(ANGRY, abs=1e-6)


def test_an_angry_end_of_a_long_story_is_negative() -> None:
    assert np.argmax(_together(NEUTRAL, NEUTRAL, NEUTRAL, ANGRY)) == 0


def test_praise_and_anger_are_doubt_and_never_neutral() -> None:
    negative, neutral, positive = _together(ANGRY, GLAD)
    assert neutral < 0.1
    assert max(negative, positive) < 0.6


def test_the_last_part_weighs_more() -> None:
    assert _together(ANGRY, GLAD)[2] > _together(ANGRY, GLAD)[0]
    assert _together(GLAD, ANGRY)[0] > _together(GLAD, ANGRY)[2]


def test_a_longer_part_weighs_more() -> None:
    assert _together(ANGRY, GLAD, lengths=[70, 10])[0] > 0.7
