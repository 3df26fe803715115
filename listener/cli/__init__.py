"""The command `listener`: one module a group of commands, all of which import what they need when they run.

`main()` is the entry point: it turns errors into a sentence on standard error and an exit code (see `exits`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from listener import __version__
from listener.cli import checking, judging, rescoring, rows, running, teaching, telling, upkeep, users
from listener.cli.exits import TABLE, code_of, words_of
from listener.cli.options import paragraphs
from listener.core.errors import ListenerError

__all__ = ["cli", "main"]

cli = typer.Typer(
    name="listener",
    help="Listens to what is said about a brand, judges it, and brings complaints to the people who answer.",
    epilog=TABLE,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (running, rows, checking, judging, rescoring, teaching, telling, upkeep, users):
    group.add_to(cli)
for command in (*cli.registered_commands, *upkeep.dead_cli.registered_commands, *users.user_cli.registered_commands):
    command.help = paragraphs(command.callback)


def _say_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"listener {__version__}\n")
        raise typer.Exit


@cli.callback()
def listener(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say the version and end.")
    ] = False,
) -> None:
    """Hold the options before any command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its code."""
    # Databases, backups and sockets hold what people said: they are nobody else's.
    os.umask(0o077)
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments)))


def _run(arguments: list[str]) -> int:
    """Run a command; gives the exit code."""
    command = typer.main.get_command(cli)
    try:
        with command.make_context("listener", arguments) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as problem:
        _show_usage(problem)
        return problem.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read us has enough; the interpreter's own last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ListenerError, OSError) as problem:
        sys.stderr.write(f"listener: {words_of(problem)}\n")
        return code_of(problem)
    return 0


def _show_usage(problem: typer.TyperException) -> None:
    """Say what is wrong with the command line, as Typer does."""
    show = getattr(problem, "show", None)
    if show is None:
        sys.stderr.write(f"listener: {problem.message}\n")
    else:
        show()
