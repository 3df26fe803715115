"""`listener user`: who may sign in, for whoever runs the machine. The same can be done on the page of colleagues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from listener.cli.options import Config, Json, answer, examples, reading, say, writing

if TYPE_CHECKING:
    from listener.control import Words

user_cli = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="List who may sign in, invite colleagues, give them links to new passwords, close accounts.",
)

Handle = Annotated[str, typer.Argument(metavar="HANDLE", help="What they sign in with.")]


def add_to(cli: typer.Typer) -> None:
    """Add the commands of this module."""
    user_cli.command("list", epilog=examples("listener user list --json"))(list_users)
    user_cli.command(epilog=examples("listener user add dana --role lead --name 'Dana Okafor'"))(add)
    user_cli.command(epilog=examples("listener user reset dana"))(reset)
    user_cli.command(epilog=examples("listener user close dana"))(close)
    cli.add_typer(user_cli, name="user")


def list_users(config: Config = None, as_json: Json = False) -> None:
    """List everybody who has an account, closed ones too."""
    with reading(config) as store:
        joined = store.colleagues.used()
        found = [
            {
                "handle": one.handle,
                "name": one.name,
                "role": one.role,
                "state": "closed" if one.left_at else "open" if one.id in joined else "invited",
                "on_duty": one.on_duty,
            }
            for one in store.colleagues.all()
        ]
    if as_json:
        answer(found)
        return
    for row in found:
        say(f"{row['handle']}  {row['name']}, {row['role']}, {row['state']}")
    if not found:
        say("nobody has an account; `listener run` prints a link to make the first one")


def add(
    handle: Handle,
    role: Annotated[str, typer.Option(help="viewer, marketer, agent, lead or admin.")] = "agent",
    name: Annotated[str, typer.Option(help="As colleagues see it; without it the handle.", show_default=False)] = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make an account, and print a one-time link by which its owner chooses a password."""
    with writing(config) as hand:
        _tell(hand.ask("invite", handle=handle, name=name or handle, role=role), as_json=as_json)


def reset(handle: Handle, config: Config = None, as_json: Json = False) -> None:
    """Print a one-time link by which somebody chooses a new password; the old one holds until they do."""
    with writing(config) as hand:
        _tell(hand.ask("reset", handle=handle), as_json=as_json)


def close(handle: Handle, config: Config = None, as_json: Json = False) -> None:
    """Close an account: sessions, links and tokens end at once. What its owner did stays in the log."""
    with writing(config) as hand:
        told = hand.ask("close", handle=handle)
    if as_json:
        answer(told)
    else:
        say(f"{told['handle']} cannot sign in any more")


def _tell(told: Words, *, as_json: bool) -> None:
    if as_json:
        answer(told)
        return
    say(f"{told['handle']} ({told['role']}) chooses a password here; it works once, for {told['hours']} hours:")
    say(f"    {told['url']}")
