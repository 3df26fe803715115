"""`listener retrain`: teach a brand's head from corrections, list what was taught, and roll back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from listener.cli.options import Config, Json, answer, examples, find, reading, say, writing

if TYPE_CHECKING:
    from listener.core.head import BrandHead

Told = Mapping[str, object]


def add_to(cli: typer.Typer) -> None:
    """Add the command of this module."""
    cli.command(
        epilog=examples(
            "listener retrain --brand Brackholm --dry-run", "listener retrain --list",
            "listener retrain --roll-back Brackholm",
        )
    )(retrain)  # fmt: skip


def retrain(
    version: Annotated[
        int | None, typer.Argument(min=0, help="With --roll-back: which version; 0 for the scorer alone.")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="Teach the head of this brand.")] = None,
    roll_back: Annotated[
        str | None, typer.Option(metavar="BRAND", help="Let the version before, or VERSION, stand again.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what was taught, with its figures.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only measure; keep nothing.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Teach from what colleagues corrected: a light head for one brand, kept only if it is better.

    It is measured on corrections that were held back from it and on standard rows; one that is worse is refused, with
    the figures, and the command ends with 1. What is judged from then on is moved by it; `listener rescore --brand`
    judges again what was judged before. Corrections always stay.
    """
    if [brand is not None, roll_back is not None, listed].count(True) != 1 or (version is not None and not roll_back):
        raise typer.BadParameter("say --brand, --list or --roll-back, one of them", param_hint="retrain")
    if listed:
        _list(config, as_json)
    elif roll_back is not None:
        _roll_back(config, roll_back, version, as_json)
    else:
        _teach(config, str(brand), not dry_run, as_json)


def _teach(config: Config, brand: str, keep: bool, as_json: bool) -> None:
    with writing(config) as hand:
        told = hand.ask("retrain", brand=brand, keep=keep)
    if as_json:
        answer(told)
    else:
        _show(told)
        if told["unread"]:
            say(f"{told['unread']} corrections taught nothing: this scorer did not read them (see `listener rescore`)")
        if told["refused"]:
            say(f"refused: {told['refused']}; nothing changed")
        elif told["kept"]:
            say(f"version {told['version']} of {brand} stands; `listener rescore --brand` judges again what was before")
        else:
            say("not kept; without --dry-run it would be")
    if told["refused"]:
        raise typer.Exit(1)


def _roll_back(config: Config, brand: str, version: int | None, as_json: bool) -> None:
    with writing(config) as hand:
        told = hand.ask("roll back", brand=brand, version=version)
    if as_json:
        answer(told)
    else:
        say(f"{brand}: " + (f"version {told['version']} stands" if told["version"] else "the scorer judges alone"))


def _list(config: Config, as_json: bool) -> None:
    """Tell every version; what belongs to another scorer is not used."""
    from listener.cli.judging import scorer_of

    name = scorer_of(find(config)).name
    with reading(config) as store:
        heads = store.heads.all()
    if as_json:
        answer([_words(head, name) for head in heads])
        return
    for head in heads:
        made = f"{head.made_at:%Y-%m-%d %H:%M} by {head.made_by}"
        say(f"{head.brand} version {head.version}, {made}: {_state(head, name)}")
        _show(asdict(head.measured))
    if not heads:
        say("nothing was taught yet; `listener retrain --brand BRAND` teaches from corrections")


def _state(head: BrandHead, name: str) -> str:
    if not head.standing:
        return "kept"
    return "in use" if head.scorer == name else f"not used: it belongs to {head.scorer}, the scorer is {name}"


def _words(head: BrandHead, name: str) -> Told:
    return {
        "brand": head.brand, "version": head.version, "name": head.name, "scorer": head.scorer,
        "standing": head.standing, "used": head.standing and head.scorer == name, "made_at": head.made_at,
        "made_by": head.made_by, **asdict(head.measured),
    }  # fmt: skip


def _show(told: Told) -> None:
    """Both figures, before and after, on both kinds of rows."""
    for name, rows in (("held", "corrections"), ("standard", "standard rows")):
        before, after = (cast("Mapping[str, float | None]", told[f"{name}_{when}"]) for when in ("before", "after"))
        recalls = ", ".join(
            f"{what.replace('_', ' ')} {_figure(before[what])} to {_figure(after[what])}"
            for what in ("macro_recall", "negative_recall", "confident", "confident_right")
        )
        say(f"  {before['rows']} {rows}: {recalls}")


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
