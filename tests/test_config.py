"""The files in config/ are true: the defaults equal the code's, the demo can be used, the manual names everything."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from listener import registry
from listener.core.mention import FACTS
from listener.core.route import Route
from listener.settings import MANUAL, default_toml, duration_text, load, manual
from listener.settings._environ import from_environ
from listener.settings._lines import lines_of

CONFIG = Path(__file__).parent.parent / "config"
MANUAL_PAGE = (CONFIG / "README.md").read_text()


def rows() -> Iterator[str]:
    """The lines of the manual's table, as the code has them."""
    for section, cls in MANUAL.items():
        fields = {field.name.removesuffix("_"): field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        for key, text in manual(section).items():
            if section == "route.routes" and key in manual("route"):
                continue
            default = fields[key].default
            if section == "route" and key != "channels":
                default = getattr(Route(name=""), key)
            yield f"| `{section}.{key}` | {_shown(default)} | {text} |"


def _shown(default: object) -> str:
    if default is dataclasses.MISSING:
        return "required"
    if isinstance(default, timedelta):
        default = duration_text(default)
    return "" if default is None else f"`{json.dumps(default)}`"


def test_default_toml_is_what_the_code_prints() -> None:
    printed = default_toml()
    assert (CONFIG / "default.toml").read_text() == printed, (
        "write it anew: listener check --print-default > config/default.toml"
    )


def test_default_toml_says_exactly_the_defaults() -> None:
    without = load(None, {})
    written = load(CONFIG / "default.toml", {})
    assert dataclasses.replace(written, file="", folder=without.folder) == without
    assert written.revision == without.revision


def test_default_toml_documents_every_setting() -> None:
    text = (CONFIG / "default.toml").read_text()
    for section in MANUAL:
        for key in manual(section):
            assert re.search(rf"^#?{key} = ", text, re.MULTILINE), f"{section}.{key} is not in default.toml"


def test_the_examples_in_default_toml_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    (tmp_path / "key").write_text("x")
    text = re.sub(r"^#(?=\[|\S+ = )", "", (CONFIG / "default.toml").read_text(), flags=re.MULTILINE)
    file.write_text(text.replace("/etc/listener/news-key", str(tmp_path / "key")))
    environ = {"LISTENER_CREDENTIAL_DATABASE": "x", "LISTENER_CREDENTIAL_MAIL": "x"}
    settings = load(file, environ)
    assert settings.places[0].params == {"url": "https://news.example.org/feed.xml"}
    assert [query.name for query in settings.queries] == ["Brackholm", "Brackholm's app"]


@pytest.mark.parametrize("name", ["default.toml", "demo.toml"])
def test_our_files_can_be_used_whole(name: str) -> None:
    assert registry.load_settings(CONFIG / name, {})


@pytest.mark.parametrize("name", ["default.toml", "demo.toml"])
def test_every_key_of_our_files_has_its_line(name: str) -> None:
    text = (CONFIG / name).read_text()
    lines = text.split("\n")
    for path, line in lines_of(text).items():
        if isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]
    assert tomllib.loads(text)


def test_the_demo_marks_its_pages_and_keeps_its_own_state() -> None:
    demo = load(CONFIG / "demo.toml", {})
    assert demo.listener.sample_data
    assert demo.state_dir == CONFIG.parent / "var" / "demo"
    sample = next(place for place in demo.places if place.name == "sample")
    assert (CONFIG / str(sample.params["path"])).is_file()
    assert sample.history == "live"
    assert sample.params["shift"] is True
    assert [place.history for place in demo.places if place is not sample] == ["backfill"] * 3


def test_the_demos_words_are_those_of_its_posts() -> None:
    demo = load(CONFIG / "demo.toml", {})
    text = (CONFIG / "demo" / "brackholm.ndjson").read_text().casefold()
    assert all(term in text for term in demo.brands[0].terms)


def test_the_demo_tells_safety_first_and_pages_nobody_in_doubt() -> None:
    route = load(CONFIG / "demo.toml", {}).route
    calm = {"brand": "Brackholm", "sentiment": "neutral", "text": "my stove is leaking gas"}
    assert [taken.severity for taken in route.taken_by(calm)] == ["crisis"]
    assert route.taken_by({**calm, "brand": "Python", "text": "a memory leak"}) == ()
    doubt = {"sentiment": "negative", "certainty": "unsure"}
    assert [taken.channels for taken in route.taken_by(doubt)] == [()]


def test_the_manual_has_a_row_for_every_setting() -> None:
    missing = [row for row in rows() if row not in MANUAL_PAGE]
    assert not missing, "config/README.md lacks or contradicts:\n" + "\n".join(missing)


def test_the_manual_has_no_row_for_what_is_no_setting() -> None:
    settings = {row.split("`")[1] for row in rows()}
    written = set(re.findall(r"^\| `([a-z_]+(?:\.[a-z_]+)+)` \|", MANUAL_PAGE, re.MULTILINE)) - {
        "default.toml",
        "demo.toml",
    }
    assert written == settings


def test_the_manual_has_every_fact() -> None:
    table = MANUAL_PAGE.partition("| fact |")[2].partition("```")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == FACTS


def test_the_manuals_examples_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "desk").write_text("x")
    blocks = [
        re.sub(r"^   ", "", block, flags=re.MULTILINE)
        for block in re.findall(r"```toml\n(.*?)```", MANUAL_PAGE, re.DOTALL)
    ]
    file = tmp_path / "listener.toml"
    file.write_text("\n".join(blocks).replace("/etc/listener/desk", str(tmp_path / "desk")))
    settings = load(file, {})
    assert [route.name for route in settings.route.walk()] == [
        "everything", "safety", "complaints", "loud complaints", "perhaps a complaint",
    ]  # fmt: skip
    assert settings.secrets.reveal("desk") == "x"


def test_the_manuals_variables_are_settings() -> None:
    names = set(re.findall(r"LISTENER_(?!CREDENTIAL)[A-Z_]+", MANUAL_PAGE))
    _, found, wrong = from_environ(dict.fromkeys(names, "1"))
    assert names
    assert set(found.values()) == names
    assert not wrong
