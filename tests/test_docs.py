"""The manuals are true: what users meet is in them, what they say exists, and their examples run."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import typer

from listener import registry, telemetry
from listener.cli import cli
from listener.cli.exits import MEANINGS
from listener.core.mention import FACTS
from listener.settings import MANUAL, manual
from listener.store import open_store
from listener.web import make_web
from listener.web.watchers import METRICS
from tests.web.stage import Stage

# They read the source tree, which the run against the wheel does not have.
pytestmark = pytest.mark.sources

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("listener", "sources", "models", "notifier")
WRITTEN = {"FIGURES.md", "models/bundled/quality.json"}
"""Results of `make bench` and `make train`, which a checkout may not have yet."""


def tracked(*patterns: str) -> tuple[Path, ...]:
    """Files that git knows, relative to the root."""
    found = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if found.returncode:
        pytest.skip("not a git checkout", allow_module_level=True)
    names = sorted(name for name in found.stdout.split("\0") if name)
    return tuple(Path(name) for name in names if (ROOT / name).exists())


def manuals() -> tuple[Path, ...]:
    """Every Markdown file of the project but those of the tests' data."""
    return tuple(path for path in tracked("*.md") if path.parts[0] != "tests")


def read(name: str | Path) -> str:
    """A file's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str | Path, language: str) -> list[str]:
    """The code blocks of a language, without the indentation of the list they stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", read(name), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def rows(name: str | Path, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its first two lines."""
    section = re.split(r"^#+ ", f"\n{read(name)}".partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    """The words between back ticks."""
    return re.findall(r"`([^`]+)`", text)


# --- commands -------------------------------------------------------------------------------------------------------


def commands(group: object = None, before: str = "listener") -> Iterator[tuple[str, Mapping[str, bool]]]:
    """Each command with its options; True for options that take a value."""
    group = group or typer.main.get_command(cli)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        options = {
            text: not getattr(parameter, "is_flag", False)
            for parameter in command.params
            for text in (*parameter.opts, *parameter.secondary_opts)
            if text.startswith("--") and text != "--help"
        }
        yield f"{before} {name}", options
        if hasattr(command, "commands"):
            yield from commands(command, f"{before} {name}")


def test_every_command_with_its_options_is_in_the_manual_and_no_other() -> None:
    told = {
        re.sub(r" (?:FILE|HANDLE|ID(?:\.\.\.)?)$", "", quoted(cells[0])[0]): set(quoted(cells[2]))
        for cells in rows("listener/cli/README.md", "# Commands")
    }
    assert told == {name: set(options) for name, options in commands()}


def test_every_exit_code_is_in_the_manual() -> None:
    told = {int(cells[0]): cells[1] for cells in rows("listener/cli/README.md", "## Exit codes")}
    assert told == MEANINGS


def test_commands_in_examples_exist_with_their_options() -> None:
    known = dict(commands())
    shown = [line for path in manuals() for line in _shell(path)]
    assert len(shown) > 20
    for line in shown:
        words = line.split()
        name = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known), None)
        assert name or words[1].startswith("-"), f"no such command: {line}"
        options = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help", "--version"}
        assert options <= set(known[name] if name else ()), line


def _shell(path: Path) -> Iterator[str]:
    """Calls of `listener` in code blocks and between back ticks."""
    text = read(path)
    for code in blocks(path, "sh"):
        yield from re.findall(r"(?:^|[&|;] *|' )(listener [a-z][^#|&;<>\n]*)", code, re.MULTILINE)
    for code in quoted(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"listener [a-z]+(?: |$)", code):
            yield code


def test_make_targets_in_manuals_exist() -> None:
    makefile = read("Makefile")
    for path in manuals():
        for target in re.findall(r"`make ([a-z-]+)[^`]*`|^ *make ([a-z-]+)", read(path), re.MULTILINE):
            name = target[0] or target[1]
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), f"{path}: no make {name}"


# --- what can be watched and configured -----------------------------------------------------------------------------


def test_every_fact_is_in_the_manual() -> None:
    told = [quoted(cells[0])[0] for cells in rows("config/README.md", "## Routes")]
    assert tuple(told) == FACTS


def test_every_metric_is_in_the_manual_with_its_meaning() -> None:
    told = {quoted(cells[0])[0]: cells[2] for cells in rows("listener/web/README.md", "## Metrics")}
    assert told == METRICS


def test_every_log_event_is_in_the_manual_with_its_meaning() -> None:
    told = {quoted(cells[0])[0]: cells[1] for cells in rows("listener/web/README.md", "## Log events")}
    assert set(told) == set(_logged())
    assert {event: telemetry.EVENTS.get(event) for event in told} == told


def _logged() -> Iterator[str]:
    """The names of events that the code logs."""
    levels = {"debug", "info", "warning", "error", "critical", "exception"}
    for path in sources("listener"):
        for node in ast.walk(ast.parse(read(path))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            words = [text.value for text in ast.walk(node.args[0]) if isinstance(text, ast.Constant)]
            if node.func.attr in levels:
                yield from (word for word in words if re.fullmatch(r"[a-z_]+", str(word)))


@cache
def pages() -> frozenset[str]:
    """The paths of the pages."""
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
        return frozenset(route.path for route in make_web(stage).routes if route.path != "/static")  # type: ignore[attr-defined]


def test_every_page_is_in_the_manual_and_no_other() -> None:
    table = rows("listener/web/README.md", "# Pages, metrics and log events")
    told = {path for cells in table for path in quoted(cells[0])}
    assert told == pages()


@pytest.mark.parametrize(("kind", "manual"), [("source", "sources"), ("scorer", "models"), ("channel", "notifier")])
def test_every_installed_adapter_is_in_its_manual(kind: registry.Kind, manual: str) -> None:
    text = read(f"{manual}/README.md")
    declared = tomllib.loads(read("pyproject.toml"))["project"]["entry-points"][f"listener.{kind}s"]
    missing = [name for name in declared if f"`{name}`" not in text]
    assert not missing, f"{manual}/README.md says nothing of {missing}"


def test_every_source_is_graded() -> None:
    text = read("sources/README.md")
    for name in tomllib.loads(read("pyproject.toml"))["project"]["entry-points"]["listener.sources"]:
        assert re.search(rf"^\|.*\b{name}\b.*\|", text.partition("## How good they are")[2], re.MULTILINE), name


# --- the tree, links and words --------------------------------------------------------------------------------------


def sources(*packages: str) -> tuple[Path, ...]:
    """The Python files of packages."""
    return tuple(path for path in tracked(*(packages or PACKAGES)) if path.suffix == ".py")


def test_the_tree_in_architecture_is_the_tree_on_disk() -> None:
    told: list[str] = []
    folders: list[str] = []
    for line in blocks("ARCHITECTURE.md", "text")[0].rstrip().split("\n"):
        depth, (name, *what) = (len(line) - len(line.lstrip())) // 2, line.split()
        folders[depth:] = [name] if name.endswith("/") else []
        told.append("".join(folders) if name.endswith("/") else "".join([*folders, name]))
        assert what or name.endswith("/"), f"{told[-1]}: say what it is"
    listed = set(told)
    assert len(listed) == len(told), "a file is listed twice"
    hidden = {path for path in listed if path.endswith("/") and any(p != path and p.startswith(path) for p in listed)}
    on_disk = {_entry(path, listed - hidden) for path in tracked()}
    assert listed - hidden - WRITTEN == on_disk - WRITTEN
    assert listed >= WRITTEN


def _entry(path: Path, leaves: Iterable[str]) -> str:
    """The line that stands for a file: its own, or that of a folder whose files are not listed."""
    return next((leaf for leaf in leaves if leaf.endswith("/") and str(path).startswith(leaf)), str(path))


def test_links_between_manuals_lead_somewhere() -> None:
    for path in manuals():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", read(path), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            found = (ROOT / path.parent / file).resolve() if file else ROOT / path
            assert found.exists(), f"{path}: {target} leads nowhere"
            if anchor:
                heads = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target


def test_files_and_tests_named_in_manuals_exist() -> None:
    for path in manuals():
        for name in quoted(re.sub(r"```.*?```", "", read(path), flags=re.DOTALL)):
            file, _, function = name.partition("::")
            if not re.fullmatch(r"(?:listener|sources|models|notifier|tests|config|systemd)/[\w./]+\.\w+", file):
                continue
            if "guestbook" in file:
                continue
            assert (ROOT / file).exists(), f"{path}: {file} is not there"
            assert not function or f"def {function}(" in read(file), f"{path}: {name} is not there"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = {re.split(r"[>=<\[ ]", text)[0] for text in project["dependencies"]}
    assert {cells[0] for cells in rows("ARCHITECTURE.md", "## Libraries")} == wanted


def test_every_table_is_in_architecture() -> None:
    assert {quoted(cells[0])[0] for cells in rows("ARCHITECTURE.md", "## Tables")} == set(tables())


def tables() -> dict[str, set[str]]:
    """The tables with their columns."""
    store = open_store(":memory:")
    named = store.db.read(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
        "AND name NOT LIKE '!_%' ESCAPE '!'"
    )
    found = {
        row["name"]: {
            column["name"] for column in store.db.read("SELECT name FROM pragma_table_info(?)", (row["name"],))
        }
        for row in named
        if not row["name"].startswith("sqlite_")
    }
    store.close()
    return found


def names() -> Iterator[tuple[str, str]]:
    """Every name that must keep to the glossary, and where it stands."""
    for path in sources():
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, str(path)
    for table, columns in tables().items():
        yield from ((name, f"table {table}") for name in (table, *columns))
    for command, options in commands():
        yield from ((name, command) for name in (*command.split(), *(o.strip("-").replace("-", "_") for o in options)))
    yield from ((name, "metrics") for name in METRICS)
    yield from ((name, "events") for name in telemetry.EVENTS)
    yield from ((name, "facts") for name in FACTS)
    yield from ((key, f"[{section}]") for section in MANUAL for key in manual(section))
    yield from ((word, "pages") for path in pages() for word in path.strip("/").split("/"))


def split(name: str) -> list[str]:
    """The words of a name, in the singular."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("{}_")).lower().split("_")
    return [word.removesuffix("s") for word in words]


def test_names_keep_to_the_glossary() -> None:
    text = read("GLOSSARY.md")
    headings = [head for head in re.findall(r"^## .*$", text, re.MULTILINE) if head != "## Exceptions"]
    table = [cells for head in headings for cells in rows("GLOSSARY.md", head)]
    assert all(cells[0] and cells[1] for cells in table), "a word needs its meaning"
    banned = {split(word)[0] for cells in table for word in cells[2].split(", ") if word}
    allowed = {name for cells in rows("GLOSSARY.md", "## Exceptions") for name in quoted(cells[0])}
    used = {name: where for name, where in names() if banned & set(split(name))}
    assert not {name: where for name, where in used.items() if name not in allowed}
    unneeded = allowed - set(used)
    assert not unneeded, f"no longer needed: {unneeded}"


FORBIDDEN = {
    "paths of a machine": r"/work/|/root/|/tmp/",
    "hosts of packages": r"\bpypi\b|pythonhosted|npmjs|registry\.\w+\.|crates\.io|huggingface\.co",
    "praise": (
        r"\b(?:blazing|seamless\w*|effortless\w*|cutting[- ]edge|state[- ]of[- ]the[- ]art|world[- ]class|powerful|"
        r"revolutionary|game[- ]chang\w+|leverag\w+|robust|enterprise[- ]grade|delight\w*|unlock\w*|supercharg\w*)\b"
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_manuals_name_no_machine_no_registry_and_praise_nothing(what: str) -> None:
    for path in (*manuals(), Path("Makefile"), Path("config/default.toml"), Path("config/demo.toml")):
        for number, line in enumerate(read(path).split("\n"), start=1):
            assert not re.search(FORBIDDEN[what], line, re.IGNORECASE), f"{path}:{number}: {line.strip()}"


def test_short_manuals_stay_short() -> None:
    assert len(read("CONTRIBUTING.md").splitlines()) <= 150
    assert len(read("README.md").splitlines()) <= 200


# --- examples -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", manuals(), ids=str)
def test_configurations_in_manuals_can_be_used(path: Path, tmp_path: Path) -> None:
    for number, code in enumerate(blocks(path, "toml")):
        if "project" in tomllib.loads(code):
            continue  # a line of somebody's pyproject.toml
        file = tmp_path / f"{number}.toml"
        (tmp_path / "secret").write_text("json://127.0.0.1/")
        file.write_text(re.sub(r'"/etc/listener/[\w-]+"', f'"{tmp_path / "secret"}"', _whole(code)))
        registry.load_settings(file, _AnySecret())


def _whole(code: str) -> str:
    """An example as a configuration: what an excerpt takes for granted is added."""
    written = tomllib.loads(code)
    if "channel" in written and "web" not in written:
        code = f'[web]\npublic_url = "https://desk.example.org"\n{code}'
    return code


class _AnySecret(dict[str, str]):
    """An environment in which each credential is an address that can be used."""

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """A stand-in for credentials; nothing else is set."""
        if key.startswith("LISTENER_CREDENTIAL_") and not key.endswith("_FILE"):
            return "json://127.0.0.1/"
        return default


@pytest.mark.parametrize("path", manuals(), ids=str)
def test_python_in_manuals_compiles(path: Path) -> None:
    for code in blocks(path, "python"):
        compile(code, str(path), "exec")


def test_the_source_in_contributing_passes_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, test = blocks("CONTRIBUTING.md", "python")
    guestbook = _module("sources.guestbook", source, tmp_path, monkeypatch)
    assert len(source.splitlines()) < 60
    _module("guestbook_test", test, tmp_path, monkeypatch).test_guestbook_passes_the_contract()
    entry = tomllib.loads(blocks("CONTRIBUTING.md", "toml")[0])["project"]["entry-points"]["listener.sources"]
    assert entry == {guestbook.Guestbook.name: "sources.guestbook:Guestbook"}


def _module(name: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An example as a module under the name that it would have."""
    file = folder / f"{name.replace('.', '_')}.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("tool", [("ruff", "check", "--ignore", "INP001"), ("mypy",)], ids=["ruff", "mypy"])
def test_the_source_in_contributing_is_clean_as_ours_are(tmp_path: Path, tool: tuple[str, ...]) -> None:
    file = tmp_path / "guestbook.py"
    file.write_text(blocks("CONTRIBUTING.md", "python")[0])
    option = "--config" if tool[0] == "ruff" else "--config-file"
    command = [sys.executable, "-m", *tool, option, str(ROOT / "pyproject.toml"), str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert not checked.returncode, checked.stdout
