"""The daemon as systemd and operators meet it: a real child process with its signals, sockets and database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from listener.control import MAX_LINE, Client, Control, Unreachable, socket_path
from listener.core.errors import ListenerError, SettingsError, StoreFull
from tests.homes import CONFIG, DEADLINE, ROWS, FeedServer, Home, environment, listening, lives, until

pytestmark = pytest.mark.model


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A folder with a configuration."""
    found = Home(tmp_path)
    yield found
    found.close()


def read(url: str) -> str:
    """A page."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def leases(home: Home) -> int:
    """How many rows somebody works on."""
    return sum(home.number(f"SELECT count(*) FROM {table} WHERE lease_until > 0") for table in
               ("places", "mentions", "notifications"))  # fmt: skip


def test_systemd_hears_ready_then_watchdog_then_stopping(home: Home, tmp_path: Path) -> None:
    home.write("My acme kettle is broken, I hate it.")
    with listening(tmp_path / "notify") as systemd:
        running = home.daemon(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="600000")
        until(lambda: systemd.words("READY=1"), "READY=1")
        assert "Pages: http://127.0.0.1:" in running.words.read_text()
        assert "SAMPLE DATA" in running.words.read_text()
        assert read(f"{running.url}/readyz").strip() == "ready"
        until(lambda: systemd.words("WATCHDOG=1") >= 2, "WATCHDOG=1 again and again")
        until(lambda: systemd.words("STATUS=listening at 1 places"), "a status line")
        code, seconds = running.end()
        assert code == 0
        assert seconds <= 10
        until(lambda: systemd.words("STOPPING=1"), "STOPPING=1")
    assert systemd.words("READY=1") == 1
    told = [datagram.split("\n")[0] for datagram in systemd.heard]
    assert told[0] == "READY=1"
    assert told[-1] == "STOPPING=1"


def test_an_abstract_notify_socket_is_told_as_well(home: Home) -> None:
    name = f"listener-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        systemd.settimeout(60)
        home.daemon(NOTIFY_SOCKET=f"@{name}")
        assert systemd.recv(4096).startswith(b"READY=1")


STUCK = """
import os, sys, threading
from pathlib import Path
from listener import daemon, registry
from listener.app import App
from listener.engine.threads import Step
class Stuck(App):
    def steps(self):
        return (*super().steps(), Step(name="stuck", run=lambda: threading.Event().wait() or 0, patience=0.2))
import listener.app
listener.app.App = Stuck
load = lambda: registry.load_settings(Path(sys.argv[1]), os.environ)
daemon.run(load(), load=load, serve=None, tell=print)
"""


def test_the_watchdog_is_not_fed_while_a_step_makes_no_progress(home: Home, tmp_path: Path) -> None:
    with listening(tmp_path / "notify") as systemd:
        environ = environment(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000")
        process = subprocess.Popen([sys.executable, "-c", STUCK, str(home.config)], cwd=tmp_path, env=environ)
        try:
            until(lambda: systemd.words("STATUS=The step stuck makes no progress."), "the status says who hangs")
            fed = systemd.words("WATCHDOG=1")
            heard = len(systemd.heard)
            until(lambda: len(systemd.heard) >= heard + 5, "further reports")
            assert systemd.words("WATCHDOG=1") == fed
            process.terminate()
            assert process.wait(12) == 0, "a thread that hangs is abandoned"
        finally:
            process.kill()


def test_sigterm_in_the_middle_of_judging_loses_and_doubles_nothing(home: Home) -> None:
    home.write(*(f"acme number {n} is broken and nobody answers, I hate it" for n in range(1500)))
    first = home.daemon()
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL"), "judging has begun")
    first.send(signal.SIGTERM)
    code, seconds = first.end()  # a second SIGTERM changes nothing
    assert code == 0
    assert seconds <= 10
    assert home.number("SELECT count(*) FROM mentions WHERE step = 'judge'"), "it ended in the middle"
    assert leases(home) == 0
    assert home.number("SELECT max(attempts) FROM mentions WHERE step = 'judge'") == 0, "an orderly end counts no try"
    before = home.number("SELECT count(*) FROM attempts WHERE outcome = 'accepted'")
    home.daemon()
    until(lambda: not home.number("SELECT count(*) FROM mentions WHERE step IS NOT NULL"), "the rest is done", 120)
    assert home.number("SELECT count(*) FROM mentions") == 1500
    assert home.number("SELECT count(*) FROM posts") == 1500
    assert home.number("SELECT count(*) - count(DISTINCT key) FROM cases") == 0
    assert home.number("SELECT count(*) FROM attempts WHERE outcome = 'accepted'") >= before


def test_sigterm_while_a_server_hangs_ends_in_time_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with FeedServer() as feeds:
        home = Home(tmp_path, CONFIG + feeds.place("answers") + feeds.place("hangs"))
        try:
            running = home.daemon()
            until(lambda: home.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL"), "a feed is heard")
            assert feeds.asked.wait(DEADLINE)
            children = running.children()
            assert children, "the feed's parser runs beside it"
            code, seconds = running.end()
            assert code == 0
            assert seconds <= 10
            assert running.said("late=poll-")
            assert leases(home) == 0
            until(lambda: not any(map(lives, children)), "the parser has ended too")
        finally:
            home.close()


def test_a_killed_daemon_is_followed_by_one_that_goes_on(home: Home) -> None:
    home.write("acme is broken")
    first = home.daemon()
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL"), "the first is judged")
    first.end(signal.SIGKILL)
    home.write("acme is broken again")
    second = home.daemon()
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL") == 2, "the second is judged")
    assert second.end(signal.SIGINT)[0] == 0
    assert home.number("SELECT sum(n) FROM tallies WHERE outcome = 'stored'") == 2


def test_a_second_daemon_is_refused_and_told_the_first_ones_id(home: Home) -> None:
    running = home.daemon()
    running.wait_for("started")
    refused = home.command("run")
    assert refused.code == 4
    assert f"process {running.process.pid}" in refused.err
    assert home.command("once").code == 4


def test_a_broken_file_at_sighup_changes_nothing_and_is_explained(home: Home) -> None:
    running = home.daemon()
    running.wait_for("started")
    home.config.write_text(CONFIG.replace('every = "1s"', 'every = "soon"'))
    running.send(signal.SIGHUP)
    running.wait_for("reload_refused")
    assert running.said("'soon' is not a duration")
    refused = home.command("reload")
    assert refused.code == 3
    home.write("acme is broken")
    until(lambda: home.number("SELECT count(*) FROM mentions"), "the old configuration listens on")
    more = ROWS.replace('"rows"', '"more"').replace("rows.ndjson", "more.ndjson")
    home.config.write_text(CONFIG.replace("[web]", 'log_format = "json"\n[web]') + more)
    (home.folder / "more.ndjson").write_text(json.dumps({"id": "x", "author": "b", "text": "acme, more"}) + "\n")
    running.send(signal.SIGHUP)
    running.wait_for('"event": "reloaded"')
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE place = 'more'"), "the new place is heard")
    assert running.end()[0] == 0


def test_reload_says_what_waits_for_a_restart(home: Home) -> None:
    running = home.daemon()
    running.wait_for("started")
    home.config.write_text(CONFIG.replace("port = 0", "port = 8421"))
    told = home.command("reload", "--json")
    assert told.code == 0
    assert told.json == {"revision": told.json["revision"], "needs_restart": ["web"]}  # type: ignore[index]


def test_commands_write_through_the_running_daemon(home: Home) -> None:
    running = home.daemon()
    running.wait_for("started")
    assert oct(socket_path(home.folder / "state").stat().st_mode & 0o777) == "0o600"
    (home.folder / "old.csv").write_text(
        'id,author,text\n1,ann,"acme is broken, I hate it"\n2,bo\n3,cy,acme is lovely\n'
    )
    told = home.command("import", "old.csv", "--place", "rows", "--alert")
    assert told.code == 0, told.err
    assert "2 stored" in told.out
    assert "row 3: " in told.out
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL") == 2, "the daemon judges them")
    until(lambda: home.number("SELECT count(*) FROM attempts WHERE outcome = 'accepted'"), "and tells staff")
    assert home.command("dead", "requeue", "m1").code == 1
    assert home.command("explain", "1").code == 0
    assert home.command("backup", "copy.db").code == 0
    assert home.command("migrate").code == 4


def test_dead_mentions_are_requeued_through_the_daemon(home: Home) -> None:
    home.write("acme is broken, I hate it")
    first = home.daemon()
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE step IS NULL"), "it is done")
    first.end()
    import sqlite3

    with sqlite3.connect(home.folder / "state" / "listener.db") as database:
        database.execute("UPDATE mentions SET step = 'dead', label = NULL, last_error = 'judge: it ended the process'")
    home.daemon().wait_for("started")
    listed = home.command("dead", "--json").json
    assert [row["id"] for row in listed] == ["m1"]  # type: ignore[attr-defined, index]
    assert home.command("dead", "requeue", "--all").out == "1 tried again\n"
    until(lambda: home.number("SELECT count(*) FROM mentions WHERE step IS NULL AND label IS NOT NULL"), "it is judged")


def test_a_state_folder_with_a_very_long_name_works(tmp_path: Path) -> None:
    home = Home(tmp_path, CONFIG.replace('"state"', f'"{"s" * 120}"'))
    try:
        running = home.daemon()
        running.wait_for("started")
        assert home.command("reload").code == 0
        assert running.end()[0] == 0
    finally:
        home.close()


def test_a_place_in_trouble_never_stops_the_daemon(tmp_path: Path) -> None:
    home = Home(tmp_path, CONFIG + ROWS.replace('"rows"', '"gone"').replace("rows.ndjson", "nowhere/at/all.csv"))
    try:
        home.write("acme is broken")
        running = home.daemon()
        running.wait_for("place_down")
        until(lambda: home.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL"), "the other place is heard")
        assert running.end()[0] == 0
    finally:
        home.close()


def test_a_scorer_that_cannot_be_loaded_ends_it_before_ready(home: Home, tmp_path: Path) -> None:
    home.config.write_text(CONFIG + '\n[scorer]\nname = "transformer"\nmodel = "nowhere/at-all"\n')
    with listening(tmp_path / "notify") as systemd:
        running = home.daemon(NOTIFY_SOCKET=str(tmp_path / "notify"), HF_HUB_OFFLINE="1")
        assert running.process.wait(60) in {1, 3}
        assert running.log.read_text().startswith("listener: ") or "\nlistener: " in running.log.read_text()
        assert not systemd.words("READY=1")
    assert not socket_path(home.folder / "state").exists()


def test_a_taken_port_names_the_setting(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        home.config.write_text(CONFIG.replace("port = 0", f"port = {port}"))
        refused = home.command("run")
    assert refused.code == 3
    assert f"port {port} on 127.0.0.1 is taken" in refused.err


def test_without_a_place_it_says_what_to_do_and_runs(tmp_path: Path) -> None:
    home = Home(tmp_path, CONFIG.replace(ROWS, "").replace("port = 0", "enabled = false"))
    try:
        running = home.daemon()
        running.wait_for("started")
        assert "add a [[place]]" in running.words.read_text()
        assert running.end()[0] == 0
    finally:
        home.close()


# The control socket alone


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Path]:
    """A socket with three errands."""

    def full(words: Mapping[str, object]) -> Mapping[str, object]:
        raise StoreFull("no room", resource="disk")

    def wrong(words: Mapping[str, object]) -> Mapping[str, object]:
        raise SettingsError("line 3 is odd", resource="a.toml")

    path = socket_path(tmp_path)
    path.touch()  # left behind by a crash
    served = Control(path, {"echo": lambda words: {"said": words}, "full": full, "wrong": wrong})
    served.start()
    yield path
    served.stop()
    assert not path.exists()


def test_an_errand_is_answered_and_its_error_comes_back_as_itself(control: Path) -> None:
    with Client(control) as client:
        assert client.ask("echo", word="grüezi\ud800") == {"said": {"word": "grüezi\ud800"}}
        with pytest.raises(StoreFull, match="disk: no room"):
            client.ask("full")
        with pytest.raises(SettingsError, match=r"a\.toml: line 3 is odd"):
            client.ask("wrong")
        with pytest.raises(ListenerError, match="errands: echo, full, wrong"):
            client.ask("steal")


@pytest.mark.parametrize("line", [b"hello\n", b"[]\n", b"3\n", b'{"do": []}\n', b'{"do": "echo"\n', b"\xff\n", b"\n"])
def test_nonsense_gets_an_answer_and_harms_nobody(control: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as odd:
        odd.connect(str(control))
        odd.sendall(line)
        assert b'"ok": false' in odd.makefile("rb").readline()
    with Client(control) as client:
        assert client.ask("echo") == {"said": {}}


def test_an_endless_request_is_cut_off(control: Path) -> None:
    with socket.socket(socket.AF_UNIX) as odd:
        odd.connect(str(control))
        sender = threading.Thread(target=lambda: _pour(odd), daemon=True)
        sender.start()
        assert b"at most" in odd.makefile("rb").readline()
        sender.join(10)
        assert not sender.is_alive()


def _pour(into: socket.socket) -> None:
    try:
        for _ in range(3 * MAX_LINE // 65536):
            into.sendall(b"x" * 65536)
    except OSError:
        return


def test_many_askers_at_once_are_all_answered(control: Path) -> None:
    clients = [Client(control) for _ in range(6)]
    try:
        assert all(client.ask("echo", n=n) == {"said": {"n": n}} for n, client in enumerate(clients))
    finally:
        for client in clients:
            client.close()


def test_nobody_there_is_said_as_such(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="listener run"):
        Client(socket_path(tmp_path))


STRANGER = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
asker = socket.socket(socket.AF_UNIX)
asker.connect(sys.argv[1])
asker.sendall(b'{"do": "echo"}\\n')
print(asker.makefile("rb").readline().decode())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_is_refused_even_when_the_file_lets_him_in() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = socket_path(Path(folder))
        served = Control(path, {"echo": lambda words: {"said": "secret"}})
        served.start()
        path.chmod(0o666)
        try:
            found = subprocess.run(
                [sys.executable, "-I", "-c", STRANGER, str(path)],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
        finally:
            served.stop()
    assert "own user and root" in found.stdout
    assert "secret" not in found.stdout
