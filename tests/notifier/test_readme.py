"""The manual of the channels says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import notifier
from listener.testing import example_announcement, example_message, example_request
from notifier._services import ALLOWED, FIXED
from notifier.apprise import STUCK, AppriseChannel
from notifier.console import Console
from notifier.render import render

MANUAL = (Path(notifier.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_every_service_is_in_the_manual_and_no_other() -> None:
    table = MANUAL.partition("## Services")[2].partition("The URL of each")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(ALLOWED)


@pytest.mark.parametrize("kind", [AppriseChannel, Console])
def test_every_option_is_in_the_manual(kind: type[AppriseChannel] | type[Console]) -> None:
    for option in dataclasses.fields(kind.Options):
        assert f"| `{option.name}` |" in MANUAL


def test_every_refused_parameter_is_in_the_manual_with_its_reason() -> None:
    for parameter, why in FIXED.items():
        assert f"| `{parameter}` | {why} |" in MANUAL


def test_the_shown_messages_are_real_ones() -> None:
    storm = example_message(count=2, total=60, reason="grown", sample=True)
    for said in map(render, (example_message(), storm, example_announcement(), example_request())):
        assert f"```text\n{said.title}\n\n{said.text}\n```" in MANUAL


def test_the_bound_on_hanging_sends_is_the_one_in_the_manual() -> None:
    assert f'"{STUCK} earlier sends still hang"' in MANUAL


def test_the_example_channel_is_python() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", MANUAL, re.DOTALL)
    compile(code, "README.md", "exec")
