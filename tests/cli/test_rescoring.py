"""`listener rescore` with the model that comes along: killed half-way, through the daemon's socket, beside new work."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from listener.app import make_app
from listener.control import Control, socket_path
from listener.errands import Errands
from listener.registry import load_settings
from tests.cli.conftest import Command
from tests.homes import Home, Running, environment, until

pytestmark = pytest.mark.model

SHORT, LONG = 128, 70
MANY = SHORT + LONG
"""A portion that is read at once, and one that takes long enough to be killed in."""
WORDS = "It came in a grey box with a leaflet and a cable, and it stands beside the window. " * 6


@pytest.fixture(scope="session")
def outdated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mentions that another scorer took for praise; made once, copied by each test."""
    home = Home(tmp_path_factory.mktemp("outdated"))
    home.write(*(f"My acme kettle {n} is broken. {WORDS if n < LONG else ''}" for n in range(MANY)))
    ended = home.command("once")
    assert ended.code == 0, ended.err
    with sqlite3.connect(home.folder / "state/listener.db") as db:
        db.execute("UPDATE verdicts SET scorer = 'old@1'")
        db.execute("UPDATE mentions SET label = 'positive', certainty = 'confident', scorer = 'old@1'")
        db.execute("DELETE FROM moods")
        db.execute(
            "INSERT INTO moods SELECT m.hour, m.brand, p.source, coalesce(m.language, ''), m.label, m.certainty, "
            "count(*) FROM mentions m JOIN posts p ON p.id = m.post_id GROUP BY 1, 2, 3, 4, 5, 6"
        )
    db.close()
    return home.folder


@pytest.fixture
def before(home: Home, outdated: Path) -> Home:
    shutil.copytree(outdated, home.folder, dirs_exist_ok=True)
    return home


def counts(home: Home) -> None:
    """The rollup says what the mentions say."""
    kept = home.ask("SELECT label, certainty, sum(n) FROM moods GROUP BY 1, 2 HAVING sum(n) > 0 ORDER BY 1, 2")
    assert kept == home.ask("SELECT label, certainty, count(*) FROM mentions GROUP BY 1, 2 ORDER BY 1, 2")


def test_killed_half_way_it_goes_on_and_changes_each_mention_once(before: Home, command: Command) -> None:
    cases = before.ask("SELECT id, version, status FROM cases")
    notes = before.ask("SELECT count(*) FROM notifications")
    child = Running(before.folder, (sys.executable, "-m", "listener", "rescore"), environment())
    until(lambda: before.ask("SELECT 1 FROM rescores WHERE done > 0"), "a portion")
    child.process.send_signal(signal.SIGKILL)
    child.process.wait(30)
    [(done,)] = before.ask("SELECT done FROM rescores")
    assert 0 < done < MANY
    counts(before)
    ended = command("rescore")
    assert ended.code == 0, ended.err
    assert f"went on after {done} mentions" in ended.out
    assert f"{MANY} mentions judged again by bundled-en@" in ended.out
    assert f"{MANY} of them changed\nAcme:\n  positive to " in ended.out
    counts(before)
    verdicts = before.ask("SELECT count(*), count(DISTINCT post_id) FROM verdicts WHERE scorer <> 'old@1'")
    assert verdicts == [(MANY, MANY)]
    assert before.ask("SELECT sum(n) FROM rescore_shifts") == [(MANY,)]
    assert before.ask("SELECT id, version, status FROM cases") == cases
    assert before.ask("SELECT count(*) FROM notifications") == notes


def test_a_daemon_does_it_and_puts_what_is_new_first(before: Home, command: Command) -> None:
    app = make_app(load_settings(before.config, {}))
    errands = Errands(app, alone=False)
    control = Control(socket_path(app.settings.state_dir), errands.all())
    try:
        app.store.db.write("UPDATE mentions SET step = 'judge' WHERE id = 1")
        told = errands.ask("rescore", brand="Acme", since=None, until=None, changed_only=True)
        assert (told["waits"], told["done"], told["whole"]) == (True, 0, MANY - 1)
        app.store.db.write("UPDATE mentions SET step = NULL WHERE id = 1")
        control.start()
        ended = command("rescore", "--brand", "Acme", "--scorer-changed-only", "--json")
        assert ended.code == 0, ended.err
        # The App of this very test logs beside the command.
        answered = json.loads(ended.out[ended.out.index("{\n") :])
        assert (answered["done"], answered["finished"], answered["whole"]) == (MANY, True, MANY - 1)
        assert sum(shift["n"] for shift in answered["shifts"]) == answered["changed"] == MANY
    finally:
        control.stop()
        app.close()
    counts(before)


def test_a_span_and_an_unknown_brand(before: Home, command: Command) -> None:
    ended = command("rescore", "--since", "2001-01-01", "--until", "2001-02-01")
    assert (ended.code, "0 mentions judged again" in ended.out) == (0, True)
    ended = command("rescore", "--brand", "Nobody")
    assert ended.code == 1
    assert "nothing is known of a brand `Nobody`" in ended.err
    assert command("rescore", "--since", "yesterday").code == 2
