"""`listener once`, `explain`, `dead`, `migrate`, `backup` and `reload` while no daemon runs."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.homes import CONFIG, ROWS, Home

pytestmark = pytest.mark.model


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a complaint went all the way; made once, copied by each test."""
    home = Home(tmp_path_factory.mktemp("finished"))
    home.write("My acme kettle is broken and nobody answers, I hate it.", "The acme shop opens at nine.")
    ended = home.command("once", "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert isinstance(told, dict)
    assert told["places"] == [
        {"name": "rows", "source": "file", "answered": True, "error": None, "outcomes": {"stored": 2}}
    ]
    assert (told["judged"], told["messages"], told["dead"]) == (2, 1, 0)
    assert told["cases"] == {"open": 1}
    return home.folder


@pytest.fixture
def judged(home: Home, finished: Path) -> Home:
    """A home in which a complaint went all the way."""
    shutil.copytree(finished, home.folder, dirs_exist_ok=True)
    return home


def test_once_says_what_the_round_brought(judged: Home, command: Command) -> None:
    again = command("once")
    assert again.code == 0
    assert "rows (file): nothing new" in again.out
    assert "cases: 1 open" in again.out


def test_once_fails_only_when_no_place_at_all_answers(home: Home, command: Command) -> None:
    home.rows.unlink()
    down = command("once")
    assert down.code == 1
    assert "rows (file): down: " in down.out
    home.config.write_text(CONFIG + ROWS.replace('"rows"', '"other"').replace("rows.ndjson", "other.ndjson"))
    (home.folder / "other.ndjson").touch()
    assert command("once").code == 0


def test_once_without_places_says_what_to_do(home: Home, command: Command) -> None:
    home.config.write_text(CONFIG.replace(ROWS, ""))
    ended = command("once")
    assert ended.code == 0
    assert "add a [[place]]" in ended.out


def test_explain_tells_every_step_with_reasons_and_versions(judged: Home, command: Command) -> None:
    told = command("explain", "1")
    assert told.code == 0, told.err
    for word in (
        "Acme at rows", "by a0", "arrival: live, the place plays history as live", "matched: Acme on acme", "negative",
        "by bundled-en@", "routes: ", "configuration ", "Case ", "opened", "notification n1 to console",
        "try 1 ", "accepted",
    ):  # fmt: skip
        assert word in told.out
    case = str(judged.ask("SELECT public_id FROM cases")[0][0])
    assert f"Case {case}: " in told.out
    answered = command("explain", case, "--json").json
    assert isinstance(answered, dict)
    assert answered["case"]["public_id"] == case
    assert answered["mentions"][0]["verdict"]["scorer"].startswith("bundled-en@")
    assert answered["deliveries"][0]["tries"][0]["outcome"] == "accepted"
    assert "Case: none" in command("explain", "2").out


def test_explain_tells_which_words_carried_the_verdict(judged: Home, command: Command) -> None:
    assert "words: " not in command("explain", "1").out
    told = command("explain", "1", "--words")
    assert told.code == 0, told.err
    assert re.search(r"words: negative 0\.\d\d by \w+ \+\d+.*, asked bundled-en@", told.out), told.out
    answered = command("explain", "1", "--words", "--json").json
    assert isinstance(answered, dict)
    assert answered["mentions"][0]["weighing"]["label"] == "negative"


def test_explain_finds_what_says_the_like(judged: Home, command: Command) -> None:
    told = command("explain", "1", "--similar")
    assert told.code == 0, told.err
    assert " mention 2: The acme shop opens at nine." in told.out.partition("Similar:")[2]
    answered = command("explain", "1", "--similar", "--json").json
    assert isinstance(answered, dict)
    assert [each["mention"]["id"] for each in answered["similar"]] == [2]


@pytest.mark.parametrize("subject", ["999", "nothing", "99999999999999999999999", "١"])
def test_an_unknown_id_is_named(judged: Home, command: Command, subject: str) -> None:
    ended = command("explain", subject)
    assert ended.code == 1
    assert "neither a mention nor a case" in ended.err


@pytest.mark.parametrize("arguments", [("explain", "1"), ("dead",), ("backup", "copy.db")])
def test_reading_without_a_database_makes_none(home: Home, command: Command, arguments: tuple[str, ...]) -> None:
    ended = command(*arguments)
    assert ended.code == 4
    assert "there is no database yet" in ended.err
    assert not (home.folder / "state").exists()


def test_reading_does_without_the_services_credentials(judged: Home, command: Command) -> None:
    channel = '\n[[channel]]\nname = "desk"\nadapter = "apprise"\ncredential = "desk"\n'
    judged.config.write_text(CONFIG.replace("port = 0", 'port = 0\npublic_url = "https://desk.example"') + channel)
    assert command("check").code == 3
    assert command("explain", "1").code == 0
    assert command("dead").code == 0


def kill_one(home: Home) -> None:
    """Let the first mention and the first message be given up."""
    with sqlite3.connect(home.folder / "state" / "listener.db") as database:
        database.execute("UPDATE mentions SET step = 'dead', last_error = 'judge: \x1b[2Jcrash' WHERE id = 1")
        database.execute("UPDATE notifications SET status = 'dead', step = NULL, last_error = 'refused' WHERE id = 1")


def test_dead_work_is_listed_and_tried_again(judged: Home, command: Command) -> None:
    assert "nothing was given up" in command("dead").out
    kill_one(judged)
    listed = command("dead").out
    assert "m1  Acme at rows" in listed
    assert "n1  opened to console" in listed
    assert "\x1b" not in listed
    partly = command("dead", "requeue", "m1", "m2")
    assert partly.code == 1
    assert partly.out == "1 tried again; not dead: m2\n"
    assert command("dead", "requeue", "--all").out == "1 tried again\n"
    assert command("dead", "--json").json == []
    assert command("once").code == 0
    assert judged.number("SELECT count(*) FROM mentions WHERE step IS NOT NULL") == 0


@pytest.mark.parametrize("arguments", [(), ("m1", "--all")])
def test_requeue_wants_ids_or_all(judged: Home, command: Command, arguments: tuple[str, ...]) -> None:
    assert command("dead", "requeue", *arguments).code == 2


@pytest.mark.parametrize("name", ["1", "x1", "m", "m-1", "m1; DROP TABLE mentions", "m٣"])
def test_an_id_of_another_kind_is_refused(judged: Home, command: Command, name: str) -> None:
    ended = command("dead", "requeue", "--", name)
    assert ended.code == 1
    assert "as in m12 or n7" in ended.err


def test_a_backup_is_whole_and_overwrites_nothing(judged: Home, command: Command) -> None:
    assert command("backup", "copy.db").code == 0
    with sqlite3.connect("copy.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM mentions").fetchone() == (2,)
    assert Path("copy.db").stat().st_mode & 0o077 == 0, "nobody else's"
    again = command("backup", "copy.db")
    assert again.code == 4
    assert "exists already" in again.err


def test_migrate_makes_and_then_finds_an_up_to_date_database(home: Home, command: Command) -> None:
    assert command("migrate").out.startswith("applied: ")
    assert command("migrate").out == "the database is up to date\n"


def test_a_file_that_is_no_database_is_named_with_the_cure(home: Home, command: Command) -> None:
    (home.folder / "state").mkdir()
    (home.folder / "state" / "listener.db").write_bytes(b"this is no database at all, " * 100)
    ended = command("once")
    assert ended.code == 4
    assert "restore the newest backup" in ended.err
    assert command("dead").code == 4


def test_reload_without_a_daemon_says_so(home: Home, command: Command) -> None:
    ended = command("reload")
    assert ended.code == 5
    assert "listener run" in ended.err


def test_a_state_folder_that_cannot_be_written_is_named(home: Home, command: Command) -> None:
    Path("state").write_text("a file where a folder should be")
    ended = command("once")
    assert ended.code != 0
    assert "state" in ended.err
    assert "Traceback" not in ended.err
