"""`listener rescore`: judge again what was judged before, with a bar on the way and what changed at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, cast

import typer

from listener.cli.options import Config, Json, answer, examples, say, screen, writing

if TYPE_CHECKING:
    from listener.control import Hand

_DAY = ["%Y-%m-%d"]
_REST = 1.0

Told = Mapping[str, object]


def add_to(cli: typer.Typer) -> None:
    """Add the command of this module."""
    cli.command(
        epilog=examples(
            "listener rescore --scorer-changed-only", "listener rescore --brand Brackholm --since 2026-09-01"
        )
    )(rescore)


def rescore(
    brand: Annotated[str | None, typer.Option(help="Only mentions of this brand.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=_DAY, help="Only what was published then or later.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DAY, help="Only what was published before.")] = None,
    scorer_changed_only: Annotated[
        bool, typer.Option("--scorer-changed-only", help="Only what the present scorer has not judged yet.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Judge again what was judged before, as after an update of the model; charts say so.

    No case is opened and nobody is told; what colleagues settled stays. What is new is judged first. A rescore that was
    broken off goes on when the same command is given again; with other options it ends where it stands.
    """
    with writing(config) as hand, _bar() as tell:
        told = _through(hand, tell, _words(brand, since, until, scorer_changed_only))
    if as_json:
        answer(told)
    else:
        _show(told)


def _words(brand: str | None, since: datetime | None, until: datetime | None, changed_only: bool) -> Told:
    return {
        "brand": brand,
        "since": since and since.replace(tzinfo=UTC).isoformat(),
        "until": until and until.replace(tzinfo=UTC).isoformat(),
        "changed_only": changed_only,
    }


def _through(hand: Hand, tell: Callable[[Told], None], words: Told) -> Told:
    """Have one portion after the other done, until none is left."""
    resumed: object = None
    while True:
        told = hand.ask("rescore", **words)
        resumed = told["resumed"] if resumed is None else resumed
        tell(told)
        if told["finished"]:
            return {**told, "resumed": resumed}
        if told["waits"]:
            time.sleep(_REST)


@contextmanager
def _bar() -> Iterator[Callable[[Told], None]]:
    """A bar on a terminal."""
    console = screen(stderr=True)
    if not console.is_terminal:
        yield lambda _told: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("judging again", total=None)

        def tell(told: Told) -> None:
            said = "new mentions come first" if told["waits"] else "judging again"
            bar.update(task, description=said, total=cast("int", told["whole"]), completed=cast("int", told["done"]))

        yield tell


def _show(told: Told) -> None:
    if told["resumed"]:
        say(f"went on after {told['resumed']} mentions, where it was broken off")
    say(f"{told['done']} mentions judged again by {told['scorer']}, {told['changed']} of them changed")
    brand = None
    for shift in cast("list[Mapping[str, object]]", told["shifts"]):
        if shift["brand"] != brand:
            brand = shift["brand"]
            say(f"{brand}:")
        say(f"  {shift['before']} to {shift['after']}: {shift['n']}")
