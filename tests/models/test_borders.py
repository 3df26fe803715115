"""Temperature, thresholds and marks are found again in rows that were made with them."""

from dataclasses import replace

import numpy as np
import pytest

from models.training.borders import (
    Judged,
    Pool,
    best_temper,
    loss,
    mark_of_balance,
    mark_of_recall,
    pooled,
    softmax,
    threshold,
    weights,
)


def drawn(rows: int, spread: float, temperature: float, shift: tuple[float, float, float]) -> Judged:
    """Rows of an even mix whose truth is drawn from softmax(logits / temperature + shift)."""
    dice = np.random.default_rng(7)
    logits = dice.normal(0, spread, (rows, 3))
    chances = softmax(logits / temperature + np.array(shift))
    truth = (dice.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(max=2)
    return Judged(logits=logits, wanted=np.eye(3)[truth], writers=("",) * rows)


def test_the_temperature_of_overconfident_rows_is_found() -> None:
    found, _ = best_temper({"tweets": drawn(20000, 4.0, 2.0, (0, 0, 0))}, {"tweets": 1.0})
    assert found == pytest.approx(2.0, abs=0.1)


def test_a_leaning_of_the_logits_is_taken_back_by_the_bias() -> None:
    straight = drawn(20000, 2.0, 1.0, (0, 0, 0))
    leaning = replace(straight, logits=straight.logits + np.array([1.0, 0, 0]))
    _, before = best_temper({"tweets": straight}, {"tweets": 1.0})
    temperature, after = best_temper({"tweets": leaning}, {"tweets": 1.0})
    assert after[0] - before[0] == pytest.approx(-1.0, abs=0.05)
    shares = {"tweets": 1.0}
    assert loss({"tweets": leaning}, shares, temperature, after) < loss({"tweets": leaning}, shares, 1.0, np.zeros(3))


def test_rows_weigh_as_the_mix_wants() -> None:
    found = weights(np.array([0, 1, 1, 2]), (0.5, 0.2, 0.3))
    assert found.tolist() == [0.5, 0.1, 0.1, 0.3]


def test_domains_count_by_their_share() -> None:
    one = drawn(100, 1.0, 1.0, (0, 0, 0))
    pool = pooled({"a": one, "b": one}, {"a": 0.75, "b": 0.25}, 1.0, np.zeros(3))
    assert pool.weight[:100].sum() == pytest.approx(0.75)
    assert pool.weight.sum() == pytest.approx(1.0)


def test_a_threshold_is_the_lowest_from_which_enough_are_right() -> None:
    sure = np.array([0.95, 0.85, 0.75, 0.65, 0.55])
    probabilities = np.stack([sure, 1 - sure, np.zeros(5)], axis=1)
    pool = Pool(probabilities=probabilities, truth=np.array([0, 0, 0, 1, 1]), weight=np.ones(5))
    assert threshold(pool, 0, 0.9) == 0.66
    assert threshold(pool, 0, 0.7) == 0.56
    assert threshold(pool, 2, 0.9) == 0.99


def test_a_mark_of_recall_finds_nearly_all_and_is_never_above_a_half() -> None:
    logits = np.array([[3.0], [2.0], [1.0], [-2.0], [-9.0]])
    wanted = np.array([[1.0], [1.0], [1.0], [1.0], [0.0]])
    found = Judged(logits=logits, wanted=wanted, writers=("",) * 5)
    assert mark_of_recall(found, 0, 1.0) == 0.11
    easy = Judged(logits=np.full((4, 1), 9.0), wanted=np.ones((4, 1)), writers=("",) * 4)
    assert mark_of_recall(easy, 0, 1.0) == 0.5


def test_a_mark_of_balance_parts_those_that_have_the_label_from_the_others() -> None:
    logits = np.array([[0.9], [0.7], [-0.9], [-1.0]])
    found = Judged(logits=logits, wanted=np.array([[1.0], [1.0], [0.0], [0.0]]), writers=("",) * 4)
    assert 0.28 < mark_of_balance(found, 0) <= 0.67
