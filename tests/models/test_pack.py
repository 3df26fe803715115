"""Several texts in one row: each stands in exactly one, sees only itself, and little room is wasted."""

import random

import numpy as np

from models._pack import fill_rows, pack


def test_every_text_stands_in_exactly_one_row_that_has_room() -> None:
    dice = random.Random(3)
    lengths = [dice.randint(3, 80) for _ in range(500)]
    rows = fill_rows(lengths, 80)
    assert sorted(text for row in rows for text in row) == list(range(500))
    assert all(sum(lengths[text] for text in row) <= 80 for row in rows)


def test_little_room_is_wasted_on_texts_of_tweet_length() -> None:
    dice = random.Random(4)
    lengths = [min(80, max(3, round(dice.gauss(28, 8)))) for _ in range(512)]
    assert sum(lengths) / (80 * len(fill_rows(lengths, 80))) > 0.93


def test_no_texts_make_no_rows() -> None:
    assert fill_rows([], 80) == []


def test_a_text_sees_itself_and_nothing_else() -> None:
    packed = pack([[[1, 2], [3, 4, 5]]])
    sees = packed.blocked[0, 0] == 0
    assert sees[:2, :2].all()
    assert sees[2:5, 2:5].all()
    assert not sees[:2, 2:].any()
    assert not sees[2:5, :2].any()
    assert not sees[2:5, 5:].any()


def test_positions_start_again_with_each_text() -> None:
    packed = pack([[[7, 7], [8, 8, 8]]])
    assert packed.positions[0, :5].tolist() == [0, 1, 0, 1, 2]
    assert packed.tokens[0].tolist() == [7, 7, 8, 8, 8] + [0] * 11


def test_a_mean_is_over_the_tokens_of_its_text_alone() -> None:
    packed = pack([[[7, 7], [8, 8, 8, 8]], [[9]]])
    assert packed.pool.shape == (2, 2, 16)
    np.testing.assert_allclose(packed.pool[0, 1, :7], [0, 0, 0.25, 0.25, 0.25, 0.25, 0])
    np.testing.assert_allclose(packed.pool.sum(axis=2), [[1, 1], [1, 0]])


def test_no_row_of_the_softmax_is_empty() -> None:
    packed = pack([[[1]], [[2] * 30]])
    assert (packed.blocked == 0).any(axis=3).all()
    assert packed.blocked.dtype == np.float32
