"""`listener check`, `listener sources`, and how the configuration is found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from listener.cli import options
from listener.cli.exits import MEANINGS
from tests.cli.conftest import Command
from tests.homes import CONFIG, ROWS, Home, environment


@pytest.fixture(autouse=True)
def _no_installed_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "STANDARD", (Path("listener.toml"),))


def test_a_right_file_is_right(home: Home, command: Command) -> None:
    ended = command("check")
    assert ended.code == 0, ended.err
    assert "listener.toml is right: 1 brands, 1 places, 1 channels" in ended.out
    told = command("check", "--json").json
    assert isinstance(told, dict)
    assert told["ok"] is True
    assert told["problems"] == []
    assert told["places"] == ["rows"]


def test_every_problem_is_told_with_its_line_and_cure(home: Home, command: Command) -> None:
    home.config.write_text(CONFIG.replace('every = "1s"', 'evry = "1s"').replace('"file"', '"fiel"'))
    lines = home.config.read_text().splitlines()
    ended = command("check")
    assert ended.code == 3
    assert "no source is called `fiel`; did you mean `file`?" in ended.err
    number = next(n for n, line in enumerate(lines, start=1) if "fiel" in line)
    assert f"listener.toml:{number}: no source" in ended.err
    told = command("check", "--json")
    assert told.code == 3
    assert isinstance(told.json, dict)
    assert any("fiel" in problem for problem in told.json["problems"])


def test_a_file_that_is_no_toml_is_named_with_its_line(home: Home, command: Command) -> None:
    home.config.write_text("[listener]\nname = \n")
    ended = command("check")
    assert ended.code == 3
    assert "listener.toml:2" in ended.err


def test_warnings_name_what_is_probably_not_meant(home: Home, command: Command) -> None:
    config = CONFIG.replace("sample_data = true", "") + ROWS.replace('"rows"', '"deaf"')
    home.config.write_text(config + '\n[[query]]\nname = "only"\nbrand = "Acme"\nterms = ["acme"]\nplaces = ["rows"]\n')
    home.config.write_text(home.config.read_text().replace('name = "Acme"\nterms = ["acme"]', 'name = "Acme"'))
    ended = command("check")
    assert ended.code == 0, ended.err
    assert 'place `rows` has history = "live"' in ended.out
    assert "nothing is listened for at place `deaf`" in ended.out


def test_no_place_at_all_is_a_warning(home: Home, command: Command) -> None:
    home.config.write_text(CONFIG.replace(ROWS, ""))
    assert "add a [[place]]" in command("check").out


def test_without_a_configuration_it_says_how_to_get_one(home: Home, command: Command) -> None:
    home.config.unlink()
    ended = command("check")
    assert ended.code == 3
    assert "listener check --print-default > listener.toml" in ended.err
    printed = command("check", "--print-default")
    assert printed.code == 0
    assert tomllib.loads(printed.out)["web"]["port"] == 8420


def test_the_environment_names_the_configuration(home: Home, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = home.folder / "elsewhere.toml"
    home.config.rename(elsewhere)
    monkeypatch.setenv("LISTENER_CONFIG", str(elsewhere))
    assert "elsewhere.toml is right" in command("check").out
    assert "nowhere.toml: there is no such file" in command("check", "--config", "nowhere.toml").err


def test_online_asks_each_place_and_keeps_nothing(home: Home, command: Command) -> None:
    home.write("acme is fine")
    assert command("check", "--online").code == 0
    home.rows.unlink()
    ended = command("check", "--online")
    assert ended.code == 1
    assert "unreachable: listener.toml:" in ended.out
    assert not (home.folder / "state").exists()


def test_sources_are_listed_with_what_they_can(command: Command) -> None:
    told = command("sources", "--json").json
    assert isinstance(told, list)
    assert {"feed", "file", "hackernews", "replay"} <= {source["name"] for source in told}
    assert all({"name", "window", "latency", "cost", "reply", "edits"} <= set(source) for source in told)
    table = command("sources").out
    assert "hackernews" in table
    assert "scorers: bundled" in table


def test_the_version_and_the_help_are_quick_to_load(home: Home, command: Command) -> None:
    assert command("--version").out.startswith("listener ")
    heavy = ("numpy", "openvino", "fastapi", "sqlite_utils", "apprise", "httpx2", "transformers", "rich", "pydantic")
    code = f"import sys, listener.cli; print([name for name in {heavy!r} if name in sys.modules])"
    import subprocess
    import sys

    found = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_help_names_every_command_with_examples_and_every_exit_code(command: Command) -> None:
    told = command("--help")
    assert told.code == 0
    for code, meaning in MEANINGS.items():
        assert f"{code}: {meaning}" in " ".join(told.out.split())
    for name in ("run", "once", "import", "check", "explain", "score", "evaluate", "sources", "dead", "reload",
                 "migrate", "backup"):  # fmt: skip
        assert f" {name} " in told.out
        assert "Examples:" in command(name, "--help").out


def test_the_manual_has_every_exit_code() -> None:
    manual = (Path(__file__).resolve().parents[2] / "systemd" / "README.md").read_text()
    assert [
        f"| {code} | {meaning} |" for code, meaning in MEANINGS.items() if f"| {code} | {meaning} |" not in manual
    ] == []


@pytest.mark.parametrize("arguments", [("fly",), ("import",), ("check", "--loud"), ("import", "x", "--place", "y")])
def test_a_wrong_command_line_ends_with_two(home: Home, command: Command, arguments: tuple[str, ...]) -> None:
    ended = command(*arguments)
    assert ended.code == 2
    assert ended.err
    assert "Traceback" not in ended.err
