"""What sources/README.md says is true: its example passes the contract, its tables name every option and source."""

from __future__ import annotations

import dataclasses
import json
import re
import textwrap
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from listener.testing import Site, Told, check_source

_MANUAL = Path(__file__).parents[2] / "sources" / "README.md"
if not _MANUAL.exists():
    pytest.skip("the manual is beside the sources, not in the wheel", allow_module_level=True)
README = _MANUAL.read_text(encoding="utf-8")
OURS = {entry.name: entry for entry in entry_points(group="listener.sources") if entry.value.startswith("sources.")}


def test_the_example_source_passes_the_contract() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(textwrap.dedent(code[1]), "sources/README.md", "exec", dont_inherit=True), names)
    story = {"short_id": "a1", "short_id_url": "https://x.example/s/a1", "title": "T", "description_plain": "words"}
    body = json.dumps([{**story, "submitter_user": "mo"}]).encode()
    with Site(lambda _: Told(body=body)) as site:
        posts = check_source(
            lambda tools: names["Lobsters"](names["LobstersOptions"](base_url=site.url), tools), site=site
        )
    assert [post.external_id for post in posts] == ["a1"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_option_of_every_source_is_explained(name: str) -> None:
    section = re.search(rf"### `{name}`.*?(?=\n##)", README, re.DOTALL)
    assert section is not None, f"{name} has no section"
    for option in dataclasses.fields(OURS[name].load().Options):
        assert f"`{option.name}`" in section[0], f"{name}: the option {option.name} is not explained"


def test_every_source_is_graded_by_every_rule() -> None:
    table = README.partition("## How good they are")[2]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    assert {cell.strip() for cell in rows[0][1:]} == set(OURS)
    assert len(rows) >= 12
    for row in rows[2:]:
        for cell in row[1:]:
            assert re.match(r"\s*(done|exempt: \w)", cell), f"{row[0].strip()}: {cell.strip()!r}"
