"""What commands share: the option --config and where it leads, --json, and tables for people."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.cli.exits import printable
from listener.core.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from listener.app import App
    from listener.control import Hand
    from listener.settings import Settings
    from listener.store import Store

STANDARD = (Path("listener.toml"), Path("/etc/listener/listener.toml"))
"""Where the configuration is looked for when nobody names it."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", envvar="LISTENER_CONFIG", show_default=False, metavar="FILE",
        help="The configuration; without it ./listener.toml, then /etc/listener/listener.toml.",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


def examples(*lines: str) -> str:
    """The end of a help page: one example a line."""
    return "\n\n".join(("Examples:", *lines))


def paragraphs(command: Callable[..., object] | None) -> str:
    """A command's docstring for its help page, where each paragraph is wrapped to the terminal."""
    text = inspect.getdoc(command) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def find(config: Path | None) -> Path | None:
    """The configuration file to use; None when there is none."""
    return config or next((path for path in STANDARD if path.is_file()), None)


def need(config: Path | None) -> Path:
    """The configuration file to use.

    Raises:
        SettingsError: there is none; says where was looked.
    """
    found = find(config)
    if found is None:
        raise SettingsError(
            "no configuration: name one with --config or $LISTENER_CONFIG, or write ./listener.toml "
            "(`listener check --print-default > listener.toml` gives one to start from)"
        )
    return found


class _AnySecret(dict[str, str]):
    """An environment in which no credential is missing."""

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The variable; for a credential that is not here, a stand-in."""
        missing = key.startswith("LISTENER_CREDENTIAL_") and not key.endswith("_FILE")
        return super().get(key, "not-here" if missing else default)


def load(config: Path | None, *, secrets: bool = True) -> Settings:
    """Read the configuration, or the defaults where there is none.

    Args:
        config: as given on the command line.
        secrets: False: only places are asked for, so credentials that systemd gives the service alone may lack.

    Raises:
        SettingsError: something in it is wrong.
    """
    from listener.registry import load_settings

    return load_settings(find(config), os.environ if secrets else _AnySecret(os.environ))


@contextmanager
def reading(config: Path | None) -> Iterator[Store]:
    """The database to read from, beside a running daemon.

    Raises:
        StoreError: there is none, or it is of another version.
    """
    from listener.app import database_url
    from listener.store import open_store

    store = open_store(database_url(load(config, secrets=False)), readonly=True)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def working(settings: Settings) -> Iterator[App]:
    """An App whose lock this command holds.

    Raises:
        StoreError: a daemon or another command works here.
        SettingsError: something configured cannot be built.
    """
    from listener.app import make_app
    from listener.lock import Lock

    lock = Lock(settings.state_dir)
    lock.take()
    try:
        app = make_app(settings)
        try:
            yield app
        finally:
            app.close()
    finally:
        lock.free()


@contextmanager
def writing(config: Path | None) -> Iterator[Hand]:
    """Somebody who does errands: the daemon where it runs, else this command under the lock.

    Raises:
        Forbidden: a daemon runs here that this user may not ask.
        StoreError: another command works here.
    """
    from listener.control import Client, Forbidden, Unreachable, socket_path
    from listener.errands import Errands

    try:
        client = Client(socket_path(load(config, secrets=False).state_dir))
    except Forbidden:
        raise
    except Unreachable:
        with working(load(config)) as app:
            yield Errands(app)
        return
    with client:
        yield client


def log_to_stderr(settings: Settings) -> None:
    """Log as the configuration says."""
    from listener.telemetry import set_up_logging

    set_up_logging(settings.listener.log_level, settings.listener.log_format)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def answer(words: Mapping[str, object] | Sequence[Mapping[str, object]]) -> None:
    """Print an answer for programs."""
    sys.stdout.write(json.dumps(words, indent=2, default=_plain, ensure_ascii=True) + "\n")


def say(text: str = "") -> None:
    """Print a line for people; text of posts may be in it."""
    line = printable(text).encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def screen(*, stderr: bool = False) -> Console:
    """A Rich console that takes no markup from texts."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)
