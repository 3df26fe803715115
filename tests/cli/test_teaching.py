"""`listener retrain` on a database in which colleagues corrected: too few, taught, listed, rolled back."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from tests.homes import Home

pytestmark = pytest.mark.model


def test_too_few_corrections_end_with_the_number_that_is_missing(home: Home, command: Command) -> None:
    ended = command("retrain", "--brand", "Acme")
    assert ended.code == 1
    assert "40 more corrections are needed: there are 0 of 40" in ended.err
    assert "nothing was taught yet" in command("retrain", "--list").out
    assert command("retrain", "--list", "--json").json == []


@pytest.mark.parametrize("words", [(), ("--brand", "Acme", "--list"), ("2", "--brand", "Acme"), ("--list", "2")])
def test_what_makes_no_sense_together_is_a_usage_error(home: Home, command: Command, words: tuple[str, ...]) -> None:
    assert command("retrain", *words).code == 2


def test_an_unknown_brand_and_an_unknown_version_are_refused(home: Home, command: Command) -> None:
    unknown = command("retrain", "--brand", "Acne")
    assert unknown.code == 1
    assert "Acme" in unknown.err
    assert "no head stands" in command("retrain", "--roll-back", "Acme").err
    assert "no version 3" in command("retrain", "--roll-back", "Acme", "3").err
