"""The house keeps its shape: who imports whom, what importing costs, where SQL may be, how long things get.

Read as text and syntax trees, so nothing here depends on what happens to be imported already.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from listener.core.protocols import Capabilities, Channel, Scorer, Source

ROOT = Path(__file__).parent.parent
PACKAGES = ("listener", "sources", "models", "notifier")
FILES = tuple(
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if "training" not in path.parts
)
HEAVY = (
    "apprise", "fastapi", "httpx", "httpx2", "jinja2", "numpy", "openvino", "praw", "pydantic", "requests", "sqlite3",
    "sqlite_utils", "starlette", "structlog", "tokenizers", "torch", "transformers", "tweepy", "uvicorn",
)  # fmt: skip
SQLITE = ("sqlite3", "pysqlite3", "apsw", "aiosqlite", "sqlean")
MODULE_LINES, FUNCTION_LINES = 350, 40
SQL = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b"
    r"|\b(CREATE|DROP|ALTER)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b|\bPRAGMA\s+\w",
    re.DOTALL,
)
GROUPS: dict[str, type] = {
    "listener.sources": Source,
    "listener.scorers": Scorer,
    "listener.channels": Channel,
}


def name_of(path: Path) -> str:
    """Its path as people write it."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """Its syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Modules a file imports anywhere in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run(*code: str) -> subprocess.CompletedProcess[str]:
    """Run Python afresh, away from the sources."""
    return subprocess.run([sys.executable, *code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_import_contracts_hold() -> None:
    found = run("-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("module", ["listener", "listener.core.store", "listener.core.delivery", "listener.core.trail"])
def test_importing_the_core_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    found = run("-I", "-c", code)
    assert found.stdout == "[]\n", found.stdout + found.stderr


def test_importing_the_facade_loads_nothing_of_listener_but_the_core() -> None:
    code = (
        "import sys, listener; print(sorted(m for m in sys.modules if m.startswith('listener.') and '.core' not in m))"
    )
    assert run("-I", "-c", code).stdout == "[]\n"


def test_listing_adapters_loads_none() -> None:
    code = (
        "import sys; from listener import registry; print(bool(registry.names('source') and registry.names('scorer')),"
        " sorted({'apprise', 'numpy', 'openvino', 'praw', 'torch', 'transformers', 'tweepy'} & set(sys.modules)))"
    )
    assert run("-I", "-c", code).stdout == "True []\n"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_store_knows_sqlite(path: Path) -> None:
    found = [m for m in imported(path) if m.split(".")[0] in SQLITE]
    assert not found, "two SQLite libraries on one file break each other's locks: take the driver of sqlite_utils"
    if not name_of(path).startswith("listener/store/"):
        assert "sqlite_utils" not in {m.split(".")[0] for m in imported(path)}


def texts(path: Path) -> Iterator[str]:
    """String constants that are no docstrings, f-strings joined."""
    tree = tree_of(path)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize(
    "path", [path for path in FILES if not name_of(path).startswith("listener/store/")], ids=name_of
)
def test_sql_lives_in_the_store(path: Path) -> None:
    assert not [text for text in texts(path) if SQL.search(text)]


@pytest.mark.sources
def test_the_search_for_sql_finds_sql() -> None:
    store = [path for path in FILES if name_of(path).startswith("listener/store/")]
    assert sum(bool(SQL.search(text)) for path in store for text in texts(path)) > 50


BROAD = {"Exception", "BaseException"}
PERMITTED = {
    "listener/engine/threads.py": "the step loop: a defect in one step must not end the others",
    "listener/pipeline/border.py": "the adapter border: a stranger's defect ends no daemon",
    "listener/store/engine.py": "rolls back and raises again, whatever it was",
}


def broad(path: Path) -> list[ast.ExceptHandler]:
    """Handlers that catch everything."""
    handlers = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ExceptHandler)]
    caught = {id(h): {n.id for n in ast.walk(h.type) if isinstance(n, ast.Name)} if h.type else BROAD for h in handlers}
    return [handler for handler in handlers if caught[id(handler)] & BROAD]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_caught_blindly(path: Path) -> None:
    assert len(broad(path)) == (name_of(path) in PERMITTED)
    suppressed = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "suppress"
        and BROAD & {getattr(arg, "id", "") for arg in node.args}
    ]
    assert not suppressed


@pytest.mark.sources
def test_the_store_raises_again_what_it_catches() -> None:
    [handler] = broad(ROOT / "listener/store/engine.py")
    last = handler.body[-1]
    assert isinstance(last, ast.Raise)
    assert last.exc is None


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    """Docstrings do not count towards a function: what must be said there is said in full."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            said = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) and first.end_lineno else 0
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - said
            assert lines <= FUNCTION_LINES, f"{node.name} is {lines} lines long"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_named_for_what_they_hold(path: Path) -> None:
    assert path.stem.strip("_") not in {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    if path.stem != "__main__":
        assert ast.get_docstring(tree_of(path)), "a module says in a docstring what lives in it"


CORE = [path for path in FILES if name_of(path).startswith("listener/core/")]
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_reads_no_clock_and_does_no_io(path: Path) -> None:
    used = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    called = {
        node.func.id
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not used & CLOCKS
    assert not called & {"open", "print", "input"}
    outside = {m.split(".")[0] for m in imported(path)} - set(sys.stdlib_module_names) - {"listener", "__future__"}
    assert not outside
    assert not {"os", "time", "random", "socket", "logging", "pathlib"} & {m.split(".")[0] for m in imported(path)}


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_nouns_are_frozen_keyword_only_and_slotted(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "dataclass":
                    given = {word.arg for word in decorator.keywords}
                    assert {"frozen", "slots", "kw_only"} <= given, node.name


DECLARED: dict[str, dict[str, str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "entry-points"
]
ADAPTERS = [(group, name, target) for group, entries in DECLARED.items() for name, target in entries.items()]


@pytest.mark.parametrize("group", GROUPS)
def test_installed_entry_points_are_those_of_the_project(group: str) -> None:
    installed = {e.name: e.value for e in entry_points(group=group) if e.dist and e.dist.name == "listener"}
    assert installed == DECLARED[group], "install again: .venv/bin/uv pip install --no-deps --editable ."


@pytest.mark.parametrize(("group", "name", "target"), ADAPTERS, ids=[name for _, name, _ in ADAPTERS])
def test_each_adapter_satisfies_its_protocol(group: str, name: str, target: str) -> None:
    [entry] = [e for e in entry_points(group=group) if e.name == name and e.value == target]
    cls: Any = entry.load()
    assert dataclasses.is_dataclass(cls.Options)
    assert vars(cls.Options)["__dataclass_params__"].frozen
    assert list(inspect.signature(cls).parameters) == ["options", "tools"]
    for member, wanted in vars(GROUPS[group]).items():
        if not member.startswith("_"):
            assert hasattr(cls, member), f"{target} has no {member}"
            if inspect.isfunction(wanted):
                assert _parameters(getattr(cls, member)) == _parameters(wanted)
    if group == "listener.sources":
        assert isinstance(cls.capabilities, Capabilities)
    if group != "listener.scorers":
        assert cls.name == name


def _parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_public_api_is_what_the_facade_says() -> None:
    import listener

    assert sorted(listener.__all__) == listener.__all__
    assert all(hasattr(listener, name) for name in listener.__all__)


def test_the_public_api_type_checks_as_strangers_use_it() -> None:
    found = run("-m", "mypy", "--no-incremental", "tests/typing_api.py")
    assert found.returncode == 0, found.stdout + found.stderr
