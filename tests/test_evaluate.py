"""The figures of `listener.evaluate`, against small cases worked out by hand."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from listener.core.errors import ListenerError
from listener.core.sentiment import Label, Probabilities, Verdict
from listener.evaluate import (
    Confusion,
    InLanguage,
    Labelled,
    auc,
    bootstrap,
    by_language,
    calibration_error,
    confuse,
    evaluate,
    macro_recall,
    read_rows,
    recall_at_precision,
)

LABELS: tuple[Label, Label, Label] = ("negative", "neutral", "positive")


class Table:
    """A scorer that says of each text the probabilities written in it."""

    Options: ClassVar[type[object]] = object
    name = "table@1"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        self.sizes.append(len(texts))
        return [_verdict(*map(float, text.split())) for text in texts]


def _verdict(negative: float, neutral: float, positive: float) -> Verdict:
    probabilities = Probabilities(negative=negative, neutral=neutral, positive=positive)
    return Verdict(
        probabilities=probabilities,
        label=probabilities.label,
        confidence=probabilities.confidence,
        certainty="unsure",
        scorer="table@1",
    )


def _rows(*rows: tuple[str, Label]) -> list[Labelled]:
    return [Labelled(text=text, label=label) for text, label in rows]


ROWS = _rows(
    ("0.9 0.1 0.0", "negative"),
    ("0.2 0.7 0.1", "negative"),
    ("0.1 0.8 0.1", "neutral"),
    ("0.6 0.3 0.1", "neutral"),
    ("0.0 0.2 0.8", "positive"),
)


def test_report_holds_the_figures_worked_out_by_hand() -> None:
    ticks = iter((10.0, 12.5))
    report = evaluate(Table(), ROWS, timer=lambda: next(ticks))
    assert report.confusion.matrix == ((1, 1, 0), (1, 1, 0), (0, 0, 1))
    assert report.macro_recall == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert report.macro_f1 == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert report.negative_recall == 0.5
    assert report.negative_precision == 0.5
    assert report.negative_recall_at_p90 == 0.5
    assert report.negative_auc == pytest.approx(5 / 6)
    assert report.texts_per_second == pytest.approx(2.0)


def test_report_has_the_promised_keys() -> None:
    found = json.loads(evaluate(Table(), ROWS).as_json())
    assert set(found) >= {
        "macro_recall", "macro_f1", "negative_recall", "negative_precision", "negative_recall_at_p90",
        "negative_auc", "ece", "confusion", "texts_per_second",
    }  # fmt: skip
    assert found["confusion"] == {"labels": list(LABELS), "matrix": [[1, 1, 0], [1, 1, 0], [0, 0, 1]]}


def test_scorer_gets_bounded_batches_and_keeps_order() -> None:
    table = Table()
    report = evaluate(table, ROWS * 200)
    assert max(table.sizes) <= 256
    assert report.rows == 1000
    assert report.confusion.matrix == ((200, 200, 0), (200, 200, 0), (0, 0, 200))


def test_labels_that_never_occur_are_left_out_of_the_means() -> None:
    report = evaluate(Table(), _rows(("0 0 1", "positive"), ("0 1 0", "neutral")))
    assert report.macro_recall == 1.0
    assert report.macro_f1 == 1.0
    assert report.negative_recall is None
    assert report.negative_precision is None
    assert report.negative_recall_at_p90 is None
    assert report.negative_auc is None


def test_no_rows_is_an_error() -> None:
    with pytest.raises(ListenerError, match="no labelled rows"):
        evaluate(Table(), [])


def test_too_few_verdicts_are_an_error() -> None:
    class Short(Table):
        def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
            return super().read(texts[:-1])

    with pytest.raises(ListenerError, match="4 verdicts for 5 texts"):
        evaluate(Short(), ROWS)


def test_auc_counts_ties_as_half() -> None:
    assert auc([(0.5, True), (0.5, False)]) == 0.5
    assert auc([(0.9, True), (0.1, False), (0.2, False)]) == 1.0
    assert auc([(0.1, True), (0.9, False)]) == 0.0


def test_recall_at_precision_never_parts_equal_probabilities() -> None:
    together = [(0.8, True)] * 8 + [(0.8, False)] * 2
    assert recall_at_precision(together, 0.9) == 0.0
    assert recall_at_precision([(0.9, True), *together], 0.9) == pytest.approx(1 / 9)
    assert recall_at_precision([(0.8, True)] * 9 + [(0.7, False)], 0.9) == 1.0


def test_recall_at_precision_looks_past_an_early_miss() -> None:
    ranked = [(0.99, False), *((0.9 - at / 100, True) for at in range(9)), (0.1, False)]
    assert recall_at_precision(ranked, 0.9) == 1.0


def test_perfect_calibration_has_no_error_and_overconfidence_has() -> None:
    assert calibration_error([(0.5, True), (0.5, False)] * 15, 15) == 0.0
    assert calibration_error([(1.0, False)] * 30, 15) == 1.0
    assert calibration_error([(0.9, True)] * 3, 15) == pytest.approx(0.1)


def test_bins_have_equal_size() -> None:
    right = [(0.2, False)] * 10 + [(0.8, True)] * 10
    assert calibration_error(right, 2) == pytest.approx(0.2)
    assert calibration_error(right, 1) == pytest.approx(0.0)


def test_bootstrap_interval_holds_the_figure_and_narrows_with_rows() -> None:
    few = Confusion(labels=LABELS, matrix=((8, 2, 0), (2, 8, 0), (0, 2, 8)))
    many = Confusion(labels=LABELS, matrix=((160, 40, 0), (40, 160, 0), (0, 40, 160)))
    low, high = bootstrap(few, rounds=300)
    closer_low, closer_high = bootstrap(many, rounds=300)
    assert low < 0.8 < high
    assert closer_low < macro_recall(many) < closer_high
    assert closer_high - closer_low < (high - low) / 3
    assert bootstrap(few, rounds=50) == bootstrap(few, rounds=50)


def test_confusion_has_the_truth_in_rows() -> None:
    assert confuse(["negative"], ["positive"]).matrix == ((0, 0, 1), (0, 0, 0), (0, 0, 0))


def test_rows_are_read_with_other_keys_ignored(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "fine ☀", "label": "positive", "id": 7}\n\n{"text": "", "label": "neutral"}\n')
    assert list(read_rows(path)) == _rows(("fine ☀", "positive"), ("", "neutral"))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not a JSON object"),
        ("[1]", '"text"'),
        ('{"label": "neutral"}', '"text"'),
        ('{"text": 3, "label": "neutral"}', '"text"'),
        ('{"text": "a", "label": "angry"}', "'angry', but must be one of negative, neutral, positive"),
        ('{"text": "a", "label": ["neutral"]}', '"label"'),
        ('{"text": "a"}', "None"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "ok", "label": "neutral"}\n' + line + "\n")
    with pytest.raises(ListenerError, match=r"rows\.jsonl:2") as caught:
        list(read_rows(path))
    assert complaint in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ListenerError, match="cannot be read"):
        list(read_rows(tmp_path / "none.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "\xe9", "label": "neutral"}\n')
    with pytest.raises(ListenerError, match="cannot be read"):
        list(read_rows(tmp_path / "latin.jsonl"))


def test_speed_is_finite_when_no_time_passed() -> None:
    assert not math.isinf(evaluate(Table(), ROWS, timer=lambda: 1.0).texts_per_second)


def test_figures_are_given_for_each_language_that_was_told() -> None:
    sure = replace(_verdict(0.9, 0.1, 0.0), language="de", certainty="confident")
    unsure = replace(_verdict(0.0, 0.4, 0.6), language="de", certainty="unsure")
    other = replace(_verdict(0.0, 0.0, 1.0), language="unknown", certainty="unsure")
    found = by_language(["negative", "negative", "positive"], [sure, unsure, other])
    assert found == (
        InLanguage(language="de", rows=2, macro_f1=pytest.approx(2 / 3), confident=0.5),
        InLanguage(language="unknown", rows=1, macro_f1=1.0, confident=0.0),
    )
