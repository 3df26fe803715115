"""`listener check` and `listener sources`: is the configuration right, and what can be configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.cli.exits import words_of
from listener.cli.options import Config, Json, answer, examples, load, need, say, screen
from listener.core.errors import ListenerError, SettingsError

if TYPE_CHECKING:
    from listener.settings import Settings

_SECONDS = 15.0


def add_to(cli: typer.Typer) -> None:
    """Add the commands of this module."""
    cli.command(
        epilog=examples(
            "listener check --config listener.toml", "listener check --online",
            "listener check --print-default > listener.toml",
        )
    )(check)  # fmt: skip
    cli.command(epilog=examples("listener sources", "listener sources --json | jq -r '.[].name'"))(sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that works but is probably not meant: where it is written, and what to do."""

    where: str
    text: str


def check(
    config: Config = None,
    print_default: Annotated[
        bool, typer.Option("--print-default", help="Write the commented file of all settings, and end.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask each place once; nothing is stored and nobody is told.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the configuration: every problem at once, with its line and its cure.

    Ends with 3 when something is wrong; warnings alone end with 0.
    """
    if print_default:
        from listener.settings import default_toml

        say(default_toml().rstrip("\n"))
        return
    path = need(config)
    try:
        settings = load(path)
    except SettingsError as problem:
        if as_json:
            answer({"ok": False, "file": str(path), "problems": words_of(problem).split("\n"), "warnings": []})
            raise typer.Exit(3) from None
        raise
    warnings = list(_warnings(settings))
    unreachable = list(_unreachable(settings)) if online else []
    if as_json:
        answer(_words(settings, warnings, unreachable))
    else:
        _show(settings, warnings, unreachable)
    if unreachable:
        raise typer.Exit(1)


def _warnings(settings: Settings) -> Iterator[Warned]:
    from listener.core.query import Matchbook
    from listener.store import SAFE_SQLITE, sqlite_version

    if sqlite_version() < SAFE_SQLITE:
        found, safe = (".".join(map(str, version)) for version in (sqlite_version(), SAFE_SQLITE))
        cure = 'install the extra "sqlite" (pip install "listener[sqlite]")'
        yield Warned(
            where="this machine",
            text=f"SQLite {found} has a rare fault mended in {safe}; Listener's single writer avoids it, or {cure}",
        )
    if not any(place.enabled for place in settings.places):
        yield Warned(where=settings.file, text="no place is configured, so nothing will be heard: add a [[place]]")
    matchbook = Matchbook(settings.queries)
    for place in settings.places:
        where = settings.written.where(settings.written.path_of("place", place.name))
        if place.brand is None and not matchbook.needs(place):
            yield Warned(
                where=where, text=f"nothing is listened for at place `{place.name}`: give it a `brand`, or a query"
            )
        if place.history == "live" and not settings.listener.sample_data:
            yield Warned(
                where=where,
                text=f'place `{place.name}` has history = "live": old posts will page staff; only replays want that',
            )


def _unreachable(settings: Settings) -> Iterator[Warned]:
    """Ask each place once; the channels are only built, since they have no word that nobody would hear."""
    from listener.core.protocols import Budget
    from listener.core.query import Matchbook
    from listener.pipeline.border import border
    from listener.registry import build_channel, build_source, ports
    from listener.toolbox import Toolbox

    tools = Toolbox(settings, lambda: datetime.now(UTC))
    try:
        matchbook = Matchbook(settings.queries)
        for channel in settings.channels:
            build_channel(channel, settings, tools.for_channels())
        for place in (place for place in settings.places if place.enabled):
            try:
                with border(place.name):
                    built = build_source(place, settings, tools.for_places(ports(place.source)))
                    built.poll(place, matchbook.needs(place), None, Budget(posts=1, seconds=_SECONDS))
            except ListenerError as problem:
                where = settings.written.where(settings.written.path_of("place", place.name))
                yield Warned(where=where, text=words_of(problem))
    finally:
        tools.close()


def _words(settings: Settings, warnings: list[Warned], unreachable: list[Warned]) -> Mapping[str, object]:
    return {
        "ok": not unreachable,
        "file": settings.file,
        "revision": settings.revision,
        "problems": [],
        "warnings": [asdict(warned) for warned in warnings],
        "unreachable": [asdict(warned) for warned in unreachable],
        "places": [place.name for place in settings.places],
        "brands": [brand.name for brand in settings.brands],
        "channels": [channel.name for channel in settings.channels],
    }


def _show(settings: Settings, warnings: list[Warned], unreachable: list[Warned]) -> None:
    for warned in warnings:
        say(f"warning: {warned.where}: {warned.text}")
    for warned in unreachable:
        say(f"unreachable: {warned.where}: {warned.text}")
    counts = ", ".join(
        f"{len(found)} {word}"
        for word, found in (
            ("brands", settings.brands), ("places", settings.places), ("channels", settings.channels),
        )
    )  # fmt: skip
    say(f"{Path(settings.file)} is right: {counts}; revision {settings.revision}")


def sources(as_json: Json = False) -> None:
    """List the kinds of places that can be listened to, and what each can and cannot do."""
    from listener import registry

    found = registry.sources()
    broken = registry.broken("source")
    if as_json:
        answer(
            [
                *({"name": name, **asdict(cls.capabilities)} for name, cls in found.items()),  # type: ignore[attr-defined]
                *({"name": name, "broken": why} for name, why in broken.items()),
            ]
        )
        return
    from rich.table import Table

    table = Table(box=None)
    for column in ("source", "sees", "how old posts are", "cost", "edits", "deletes", "reply"):
        table.add_column(column)
    for name, cls in found.items():
        can = cls.capabilities  # type: ignore[attr-defined]
        marks = ("yes" if able else "no" for able in (can.edits, can.deletes, can.reply))
        table.add_row(name, can.window, can.latency, can.cost, *marks)
    screen().print(table)
    for name, why in broken.items():
        say(f"{name}: cannot be used: {why}")
    say(f"scorers: {', '.join(registry.names('scorer'))}")
    say(f"channels: {', '.join(registry.names('channel'))}")
