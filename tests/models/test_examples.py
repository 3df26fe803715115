"""Labelled texts of every source become targets of the heads that they speak of, and of no other."""

import json
from pathlib import Path

import pytest

from models._heads import EMOTION, INTENT, SENTIMENT, SEVERITY
from models.training.data import Row, deal
from models.training.examples import FEELINGS, Example, comments, marks, own, reviews, smooth, some, tweets, weigh
from models.training.mixture import class_weights, kept_back, moods


def write(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_comment_carries_feelings_their_group_and_a_plain_mood(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    annoyed, thankful, curious = 3, 15, 7
    path.write_text(f"grr [NAME]\t{annoyed}\ta\nhm\t{annoyed},{thankful}\tb\nwhat?\t{curious}\tc\n", encoding="utf-8")
    first, both, third = comments(path)
    assert first.text == "grr @user"
    assert first.targets[FEELINGS.name] == marks(FEELINGS, ["annoyance"])
    assert first.targets[EMOTION.name] == marks(EMOTION, ["anger"])
    assert first.targets[SENTIMENT.name] == marks(SENTIMENT, ["negative"])
    assert both.targets[EMOTION.name] == marks(EMOTION, ["anger", "joy"])
    assert SENTIMENT.name not in both.targets
    assert third.targets[EMOTION.name] == marks(EMOTION, ["surprise"])
    assert SENTIMENT.name not in third.targets


def test_stars_of_a_review_stand_for_a_mood(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{stars} film {stars}\n" for stars in range(5)), encoding="utf-8")
    assert [example.mood for example in reviews(path)] == [0, 0, 1, 2, 2]


def test_optimism_in_a_tweet_is_joy_and_an_insult_is_only_an_insult(tmp_path: Path) -> None:
    for kind in ("emotion", "offensive"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "train_text.txt").write_text("a\nb\n", encoding="utf-8")
        (tmp_path / kind / "train_labels.txt").write_text("2\n1\n" if kind == "emotion" else "0\n1\n", encoding="utf-8")
    assert next(tweets(tmp_path / "emotion", "train")).targets[EMOTION.name] == marks(EMOTION, ["joy"])
    assert [example.targets for example in tweets(tmp_path / "offensive", "train")] == [
        {"offensive": (0.0,)},
        {"offensive": (1.0,)},
    ]


def test_own_rows_say_what_their_file_is_about_and_what_stands_beside(tmp_path: Path) -> None:
    grave = write(
        tmp_path / "severity-train.jsonl",
        {"text": "It caught fire", "labels": ["safety"], "sentiment": "negative", "intent": "complaint"},
    )
    (found,) = own(grave)
    assert found.targets[SEVERITY.name] == marks(SEVERITY, ["safety"])
    assert found.targets[INTENT.name] == marks(INTENT, ["complaint"])
    assert found.mood == 0
    meant = write(tmp_path / "intent-dev.jsonl", {"text": "Open?", "labels": ["question"], "writer": "w1"})
    (found,) = own(meant)
    assert found.targets[SEVERITY.name] == (0.0,) * 6
    assert found.mood is None
    assert found.writer == "w1"


def test_a_row_that_says_nothing_of_any_head_is_left_out(tmp_path: Path) -> None:
    assert not list(own(write(tmp_path / "sentiment-dev.jsonl", {"text": "A or B", "towards": {"A": "negative"}})))


@pytest.mark.parametrize("row", [{"text": "x", "labels": ["fire"]}, {"labels": []}, {"text": "x"}])
def test_an_own_row_that_is_none_is_named_by_its_line(tmp_path: Path, row: dict[str, object]) -> None:
    good = {"text": "x", "labels": []}
    path = write(tmp_path / "severity-train.jsonl", good, row)
    with pytest.raises(ValueError, match=r"severity-train\.jsonl:2"):
        list(own(path))


def test_smoothing_keeps_the_sum() -> None:
    assert smooth((1.0, 0.0), 0.1) == pytest.approx((0.95, 0.05))


def test_some_are_the_same_ones_each_time() -> None:
    rows = [Example(text=str(n), targets={}, weight={}, source="x") for n in range(30)]
    assert some(iter(rows), 5) == some(iter(rows), 5)
    assert len(some(iter(rows), 99)) == 30


def test_a_weight_is_of_one_head_alone() -> None:
    (found,) = weigh([Example(text="a", targets={}, weight={"intent": 2.0}, source="x")], SEVERITY, 0.3)
    assert found.weight == {"intent": 2.0, "severity": 0.3}


def test_a_rarer_class_weighs_more_and_the_mean_is_one() -> None:
    weights = class_weights([0] + [1] * 9)
    assert weights[0] == pytest.approx(3 * weights[1])
    assert weights[0] + 9 * weights[1] == pytest.approx(10)


def test_what_was_taught_is_mixed_with_the_label() -> None:
    rows = [Row(text="a", label=0), Row(text="b", label=2)]
    plain, mixed = moods(rows, [None, (0.0, 1.0, 0.0)])
    assert plain.targets[SENTIMENT.name] == smooth((1.0, 0.0, 0.0), 0.05)
    assert mixed.targets[SENTIMENT.name] == pytest.approx((0.05 / 6, 0.5 + 0.05 / 6, 0.475 + 0.05 / 6))


def test_equal_texts_are_kept_back_together() -> None:
    rows = [Row(text=str(n % 50), label=0) for n in range(100)]
    kept = kept_back(rows)
    assert kept[:50] == kept[50:]
    assert sum(kept) == 10
    assert deal(rows, 10) == deal(rows, 10)
