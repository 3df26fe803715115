"""`listener dead`, `migrate`, `backup` and `reload`: the operator's care of a running or resting installation."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from listener.cli.options import Config, Json, answer, examples, load, reading, say, writing

dead_cli = typer.Typer(rich_markup_mode="rich")


def add_to(cli: typer.Typer) -> None:
    """Add the commands of this module."""
    dead_cli.callback(
        invoke_without_command=True,
        epilog=examples("listener dead", "listener dead requeue m12 n7", "listener dead requeue --all"),
    )(dead)
    dead_cli.command(epilog=examples("listener dead requeue n7", "listener dead requeue --all"))(requeue)
    cli.add_typer(dead_cli, name="dead")
    cli.command(epilog=examples("listener migrate"))(migrate)
    cli.command(epilog=examples("listener backup /srv/backup/listener-$(date +%F).db"))(backup)
    cli.command(epilog=examples("listener check && listener reload"))(reload)


def dead(context: typer.Context, config: Config = None, as_json: Json = False) -> None:
    """List what was given up: mentions that could not be judged, messages that nobody took. `requeue` tries again."""
    if context.invoked_subcommand is not None:
        context.obj = config
        return
    from listener.errands import dead_id

    with reading(config) as store:
        rows = (*store.mentions.dead(), *store.outbox.dead())
    if as_json:
        answer([{**asdict(row), "id": dead_id(row)} for row in rows])
        return
    for row in rows:
        say(
            f"{dead_id(row)}  {row.about}, after {row.attempts} tries: {row.error}"
            + (f"  {row.url}" if row.url else "")
        )
    say("`listener dead requeue ID ...` or `--all` tries again" if rows else "nothing was given up")


def requeue(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As `listener dead` lists them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of it.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Try dead work again with fresh attempts. Ends with 1 when an id is not dead."""
    if bool(ids) == everything:
        raise typer.BadParameter("name ids, or say --all", param_hint="ID...")
    with writing(config or context.obj) as hand:
        told = hand.ask("requeue", ids=ids or [], everything=everything)
    done, unknown = told["requeued"], told["unknown"]
    assert isinstance(done, list)
    assert isinstance(unknown, list)
    if as_json:
        answer(told)
    else:
        say(f"{len(done)} tried again" + (f"; not dead: {', '.join(unknown)}" if unknown else ""))
    if unknown:
        raise typer.Exit(1)


def migrate(config: Config = None, as_json: Json = False) -> None:
    """Bring the database up to date. `run` does it too; this is for looking before leaping, with the daemon stopped."""
    from listener.app import database_url
    from listener.lock import Lock
    from listener.store import Connections

    settings = load(config, secrets=False)
    lock = Lock(settings.state_dir)
    lock.take()
    try:
        db = Connections(database_url(settings).removeprefix("sqlite:///"))
        try:
            applied = db.migrate()
        finally:
            db.close()
    finally:
        lock.free()
    if as_json:
        answer({"applied": applied})
    else:
        say(f"applied: {', '.join(applied)}" if applied else "the database is up to date")


def backup(
    file: Annotated[Path, typer.Argument(help="A new file; nothing is overwritten.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Write a consistent copy of the database, while the daemon works or not.

    To restore: stop the daemon, put the copy in the place of `listener.db`, remove `listener.db-wal` and
    `listener.db-shm`, start it.
    """
    with reading(config) as store:
        store.db.backup(file)
    size = file.stat().st_size
    if as_json:
        answer({"file": str(file), "bytes": size})
    else:
        say(f"{file}: {size} bytes")


def reload(config: Config = None, as_json: Json = False) -> None:
    """Let the daemon take the changed configuration, all of it or nothing.

    Ends with 3 and the reasons when it is refused; then the old one stays in force.
    """
    from listener.control import Client, socket_path

    with Client(socket_path(load_state(config))) as daemon:
        told = daemon.ask("reload")
    waits = told["needs_restart"]
    assert isinstance(waits, list)
    if as_json:
        answer(told)
    else:
        say(f"in force: revision {told['revision']}")
        if waits:
            say(f"needs a restart: {', '.join(waits)}")


def load_state(config: Path | None) -> Path:
    """The state folder of the configuration, as it stands in the file.

    Raises:
        SettingsError: the file is wrong; the daemon would refuse it as well.
    """
    return load(config, secrets=False).state_dir
