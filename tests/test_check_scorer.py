"""The scorers' contract check finds each broken rule, and passes on a scorer that keeps them all."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from listener.core.sentiment import Probabilities, Verdict, unreadable
from listener.core.tools import Tools
from listener.testing import NoOptions, check_scorer


class Good:
    """Keeps every rule: looks for two words."""

    Options: ClassVar[type[Any]] = NoOptions
    name = "good@1"

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        return [self.judge(text) for text in texts]

    def judge(self, text: str) -> Verdict:
        if not text.strip():
            return unreadable(self.name)
        negative = 0.9 if "Worst" in text else 0.1
        found = Probabilities(negative=negative, neutral=0.0, positive=1 - negative)
        return Verdict(
            probabilities=found, label=found.label, confidence=found.confidence, certainty="confident", scorer=self.name
        )


def test_a_good_scorer_passes() -> None:
    assert [verdict.label for verdict in check_scorer(Good)] == ["positive", "positive", "negative", "positive"]


class Short(Good):
    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        return super().read(texts[1:])


class Sorted(Good):
    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        return super().read(sorted(texts))


class Anonymous(Good):
    def judge(self, text: str) -> Verdict:
        return replace(super().judge(text), scorer="someone")


class SureOfNothing(Good):
    def judge(self, text: str) -> Verdict:
        return replace(super().judge(text), certainty="confident")


class Rounding(Good):
    def judge(self, text: str) -> Verdict:
        return replace(super().judge(text), probabilities=Probabilities(negative=1, neutral=1, positive=0))


class Fussy(Good):
    def judge(self, text: str) -> Verdict:
        text.encode()
        return super().judge(text)


class Curious(Good):
    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        socket.getaddrinfo("localhost", 80)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (Short, "got 3 verdicts"),
        (Sorted, "order"),
        (Anonymous, "says it is of someone"),
        (SureOfNothing, "empty text is unsure"),
        (Rounding, "add up to 1"),
    ],
)
def test_a_broken_rule_is_named(make: Callable[[Tools], Good], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_scorer(make)


def test_a_text_that_trips_it_is_a_failure() -> None:
    with pytest.raises(UnicodeEncodeError):
        check_scorer(Fussy)


def test_asking_the_network_on_construction_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="must not reach out"):
        check_scorer(Curious)
