"""`listener run` and `listener once`: the daemon, and one round of its work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from listener import __version__
from listener.cli.options import Config, Json, answer, examples, find, load, log_to_stderr, say, screen, working

if TYPE_CHECKING:
    from listener.app import App
    from listener.core.place import PlaceHealth
    from listener.daemon import Health, Pages
    from listener.settings import Settings


def add_to(cli: typer.Typer) -> None:
    """Add the commands of this module."""
    cli.command(epilog=examples("listener run --config listener.toml"))(run)
    cli.command(epilog=examples("listener once", "listener once --json | jq .messages"))(once)


def run(config: Config = None) -> None:
    """Listen until it is told to end: poll, judge, open cases, tell staff, serve the pages.

    Ends on SIGTERM or Ctrl-C within ten seconds; SIGHUP or `listener reload` takes a changed configuration.
    """
    settings = load(config)
    log_to_stderr(settings)
    for line in _greeting(settings, found=find(config) is not None):
        say(line)
    # The model and the web server take a second to import: greet first.
    from listener.daemon import run as be_daemon
    from listener.web import make_web, serve

    def pages(app: App, health: Health) -> Pages:
        return serve(make_web(app, health), settings.web.host, settings.web.port)

    be_daemon(settings, load=lambda: load(config), serve=pages if settings.web.enabled else None, tell=say)


def _greeting(settings: Settings, *, found: bool) -> tuple[str, ...]:
    places = [place for place in settings.places if place.enabled]
    count = f"{len(places)} place{'' if len(places) == 1 else 's'}"
    lines = [
        f"Listener {__version__}: {settings.file or 'no configuration file'}, {count}, state in {settings.state_dir}"
    ]
    if settings.listener.sample_data:
        lines.append("SAMPLE DATA: what is shown here is made up; see `sample_data` in [listener].")
    if not places:
        lines.append(_hint(found))
    return tuple(lines)


def _hint(found: bool) -> str:
    """What to do when there is nowhere to listen."""
    if found:
        return "No place is configured, so nothing will be heard: add a [[place]], then run `listener reload`."
    return (
        "No place is configured, so nothing will be heard. `listener check --print-default > listener.toml` writes a "
        "configuration to start from: name your brand, add a [[place]], and run this again."
    )


def once(config: Config = None, as_json: Json = False) -> None:
    """Poll each place once, judge, route and tell staff until nothing is left to do now, and end.

    Ends with 1 when no place at all could be polled.
    """
    settings = load(config)
    log_to_stderr(settings)
    with working(settings) as app:
        app.sync()
        before = _health(app)
        polled = app.poll_once()
        handled = _drained(app, quiet=as_json)
        after = _health(app)
        places = [_place(after[name], before.get(name)) for name in polled]
        summary = {
            "places": places,
            "judged": handled["judge"],
            "routed": handled["route"],
            "messages": handled["send"],
            "waiting": {"mentions": _undone(app), "messages": app.store.outbox.waiting()},
            "dead": _dead(app),
            "cases": app.store.cases.counts(),
        }
    if as_json:
        answer(summary)
    else:
        _show(settings, summary, places)
    if places and not any(place["answered"] for place in places):
        raise typer.Exit(1)


def _drained(app: App, *, quiet: bool) -> Counter[str]:
    """Do all work that is due, with a line that counts it on a terminal; gives the rows handled by step."""
    handled: Counter[str] = Counter()
    words = {"judge": "judged", "route": "routed", "send": "messages"}
    console = screen(stderr=True)
    if quiet or not console.is_terminal:
        app.drain(lambda step, n: handled.update({step: n}))
        return handled
    with console.status("judging") as status:

        def tell(step: str, n: int) -> None:
            handled.update({step: n})
            status.update(", ".join(f"{handled[name]} {word}" for name, word in words.items()))

        app.drain(tell)
    return handled


def _health(app: App) -> Mapping[str, PlaceHealth]:
    return {place.name: place for place in app.store.places.health()}


def _place(now: PlaceHealth, before: PlaceHealth | None) -> dict[str, object]:
    """How one place fared in this round."""
    old: Mapping[str, int] = before.tallies if before else {}
    new = {outcome: n - old.get(outcome, 0) for outcome, n in now.tallies.items()}
    return {
        "name": now.name,
        "source": now.source,
        "answered": now.down_since is None,
        "error": now.last_error if now.down_since else None,
        "outcomes": {outcome: n for outcome, n in new.items() if n},
    }


def _undone(app: App) -> int:
    counts = app.store.mentions.counts()
    return sum(n for step, n in counts.items() if step not in {"done", "dead"})


def _dead(app: App) -> int:
    return app.store.mentions.counts().get("dead", 0) + app.store.outbox.counts().get("dead", 0)


def _show(settings: Settings, summary: Mapping[str, object], places: list[dict[str, object]]) -> None:
    """Tell a person what the round brought."""
    if not places:
        say(_hint(bool(settings.file)))
    for place in places:
        outcomes = place["outcomes"]
        assert isinstance(outcomes, dict)
        news = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) or "nothing new"
        say(f"{place['name']} ({place['source']}): " + (news if place["answered"] else f"down: {place['error']}"))
    waiting, cases = summary["waiting"], summary["cases"]
    assert isinstance(waiting, dict)
    assert isinstance(cases, dict)
    say(f"judged {summary['judged']}, routed {summary['routed']}, messages {summary['messages']}")
    for text, n in (
        ("mentions wait to be tried again", waiting["mentions"]),
        ("messages wait to be tried again", waiting["messages"]),
        ("were given up; see `listener dead`", summary["dead"]),
    ):
        if n:
            say(f"{n} {text}")
    say("cases: " + (", ".join(f"{n} {status}" for status, n in cases.items()) or "none"))
