"""When a brand's head is refused, and what becomes of a verdict that it moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from listener.core.head import BrandHead, Figures, Measured, gain, moved, worse
from listener.core.sentiment import Probabilities
from listener.testing import START
from listener.testing._fakes import verdict

SAME = Figures(rows=100, macro_recall=0.7, negative_recall=0.8, right=0.7, confident=0.5, confident_right=0.9)
BETTER = replace(SAME, macro_recall=0.9)
GOOD = Measured(
    held_before=SAME, held_after=BETTER, standard_before=SAME, standard_after=SAME, mended=20, spoilt=0, errors=4.0
)
HEAD = BrandHead(
    spaces=("table@1",),
    brand="Acme & Sons", version=3, scorer="table@1", weights=b"", measured=GOOD, made_at=START, made_by="x",
    thresholds={"": {"negative": 0.6, "positive": 0.8}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"held_after": replace(BETTER, macro_recall=0.69)}, "macro recall on the corrections falls"),
        ({"held_after": replace(BETTER, negative_recall=0.79)}, "negative recall on the corrections falls"),
        ({"standard_after": replace(SAME, macro_recall=0.69)}, None),
        ({"standard_after": replace(SAME, macro_recall=0.689)}, "macro recall on the standard rows falls"),
        ({"standard_after": replace(SAME, negative_recall=0.78)}, "from 0.800 to 0.780"),
        ({"errors": 1.9}, "chance would do as well: of the corrections it mends 20 and spoils 0"),
    ],
)
def test_a_head_is_refused_for_a_reason(change: dict[str, Figures | float], why: str | None) -> None:
    found = worse(replace(GOOD, **change))  # type: ignore[arg-type]
    assert found is None if why is None else why in str(found)


def test_a_gain_in_one_label_that_costs_another_is_none() -> None:
    assert gain({"negative": [1] * 10, "positive": [-1] * 10}) == 0.0
    assert gain({"negative": [1] * 10 + [0] * 10, "positive": [0] * 20}) > 2 > gain({"negative": [1] + [0] * 19})


def test_a_moved_verdict_is_sure_only_where_the_scorer_would_be() -> None:
    unsure = verdict(0.5, 0.3, 0.2)
    for positive, certainty in ((0.7, "unsure"), (0.85, "confident")):
        found = moved(unsure, Probabilities(negative=0.9 - positive, neutral=0.1, positive=positive), HEAD)
        assert (found.label, found.certainty, found.scorer) == ("positive", certainty, "table@1+acme-sons.3")
    # The scorer was never sure of neutral, and not sure of this text for another reason than its threshold.
    assert moved(unsure, Probabilities(negative=0.0, neutral=1.0, positive=0.0), HEAD).certainty == "unsure"
    barred = replace(verdict(0.9, 0.05, 0.05), certainty="unsure")
    assert moved(barred, Probabilities(negative=0.95, neutral=0.05, positive=0.0), HEAD).certainty == "unsure"
