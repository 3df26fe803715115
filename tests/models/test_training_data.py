"""Training refuses leaks: a development row in other clothes among the training rows is found."""

from pathlib import Path

import pytest

from models.training.data import Leak, Row, overlapping, read_rows, refuse_overlap

DEV = "@user I can't wait for the new season of the show to start on Friday http"


@pytest.mark.parametrize(
    "twin",
    [
        DEV,
        "I can't wait for the new season of the show to start on Friday",
        "@other I CAN'T WAIT for the new season of the show to start on Friday!!! https://example.org/x",
        "RT @user: I can&#39;t wait for the new season of the show to start on Friday",
        "Look: I can't wait for the new season of the show",
        "so they say the season of the show to start on friday, hm",
    ],
)
def test_a_development_row_in_other_clothes_is_found(twin: str) -> None:
    assert overlapping([twin], [DEV]) == 1


@pytest.mark.parametrize("other", ["I can't wait for the weekend", "the new season of the show", ""])
def test_a_text_of_its_own_is_not(other: str) -> None:
    assert overlapping([other], [DEV]) == 0


def test_training_is_refused_with_the_count() -> None:
    train = [Row(text="something else", label=1), Row(text=DEV, label=2)]
    with pytest.raises(Leak, match="1 of 2 training rows"):
        refuse_overlap(train, [Row(text=DEV, label=2)])


def test_clean_rows_are_trained_on() -> None:
    refuse_overlap([Row(text="something else", label=1)], [Row(text=DEV, label=2)])


def test_a_bad_row_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "@someone fine", "label": "positive"}\n{"text": "x", "label": "glad"}\n')
    with pytest.raises(ValueError, match=r"train\.jsonl:2"):
        read_rows(path)
    path.write_text('{"text": "@someone fine", "label": "positive"}\n')
    assert read_rows(path) == (Row(text="@user fine", label=2),)
