"""The systemd unit: scored, verified, and its sandbox executed with the real model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import CONFIG, FeedServer, Home, environment, listening, until
from tests.sandbox import allowed_calls, directives

UNIT = Path(__file__).resolve().parents[1] / "systemd" / "listener.service"
SANDBOX = Path(__file__).with_name("sandbox.py")
EXPOSURE = 15
"""Tenths of the exposure that `systemd-analyze security` may find at most."""


def missing(what: str) -> None:
    """Fail in CI, where everything must run; elsewhere skip by name."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def analyze() -> str:
    """The tool that knows units."""
    found = shutil.which("systemd-analyze")
    if found is None:
        missing("systemd-analyze is missing: apt-get install systemd")
    return str(found)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A folder with a configuration, and the state folder that systemd would have made."""
    found = Home(tmp_path)
    (tmp_path / "state").mkdir(mode=0o700)
    yield found
    found.close()


def wrap(home: Home) -> list[str]:
    """The beginning of a command line that runs the rest in the unit's sandbox."""
    return [sys.executable, str(SANDBOX), str(UNIT), str(home.folder / "state"), "--"]


def sandboxed(home: Home, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the unit's sandbox."""
    found = subprocess.run(
        [*wrap(home), *command], cwd=home.folder, env=environment(), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    if found.returncode == 77:
        missing(found.stderr.strip())
    return found


def test_the_exposure_is_low(analyze: str) -> None:
    found = subprocess.run(
        [analyze, "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-300:] + found.stderr


def test_the_unit_is_right(analyze: str, tmp_path: Path) -> None:
    program = tmp_path / "listener"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    installed = tmp_path / "listener.service"
    installed.write_text(UNIT.read_text().replace("/opt/listener/bin/listener", str(program)))
    found = subprocess.run([analyze, "verify", "--man=no", str(installed)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_what_the_tests_execute_stands_in_the_unit() -> None:
    assert directives(UNIT, "Type") == ["notify"]
    assert directives(UNIT, "SystemCallErrorNumber") == ["EPERM"]
    assert directives(UNIT, "ProtectSystem") == ["strict"]
    assert directives(UNIT, "ProtectHome") == ["yes"]
    assert directives(UNIT, "CapabilityBoundingSet") == [""]
    assert int(directives(UNIT, "WatchdogSec")[0]) <= 60
    assert not directives(UNIT, "MemoryDenyWriteExecute"), "OpenVINO makes writable and executable mappings"
    assert directives(UNIT, "ProcSubset") != ["pid"], "the model looks up its arithmetic in /proc/cpuinfo"


def test_the_call_list_is_the_units(analyze: str) -> None:
    calls = allowed_calls(UNIT)
    assert {"read", "write", "futex", "connect", "execve", "clone3"} <= calls
    assert not {"mount", "ptrace", "reboot", "bpf", "chroot", "setuid", "mbind", "sched_setaffinity"} & calls


PROBE = """
import os, socket, sys
def tried(what):
    try:
        what()
    except OSError as problem:
        return problem.strerror
    return "done"
print(tried(lambda: open("/var/tmp/x", "w")), tried(lambda: open("state/x", "w")), tried(lambda: os.chroot("/")),
      tried(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)), tried(lambda: socket.socket(socket.AF_INET)),
      tried(lambda: os.sched_setaffinity(0, {0})), sep="|")
"""


def test_the_sandbox_holds(home: Home) -> None:
    found = sandboxed(home, sys.executable, "-I", "-c", PROBE)
    refused = "Operation not permitted"
    assert found.stdout == f"Read-only file system|done|{refused}|{refused}|done|{refused}\n", found.stderr


@pytest.mark.model
def test_once_in_the_units_sandbox_ends_with_judged_mentions(home: Home) -> None:
    home.write("My acme kettle is broken and nobody answers, I hate it.")
    with FeedServer() as feeds:
        home.config.write_text(CONFIG + feeds.place("feed"))
        found = sandboxed(home, sys.executable, "-m", "listener", "once", "--config", str(home.config))
    assert found.returncode == 0, found.stderr
    assert set(home.ask("SELECT place, label FROM mentions")) == {("rows", "negative"), ("feed", "negative")}
    assert home.ask("SELECT certainty FROM mentions WHERE place = 'rows'") == [("confident",)]
    assert home.number("SELECT count(*) FROM cases")
    assert home.number("SELECT count(*) FROM attempts WHERE outcome = 'accepted'")
    assert {path.stat().st_mode & 0o077 for path in (home.folder / "state").iterdir()} == {0}


@pytest.mark.model
def test_the_daemon_is_ready_in_the_units_sandbox(home: Home) -> None:
    sandboxed(home, "/bin/true")
    home.config.write_text(CONFIG.replace('"state"', f'"{home.folder / "state"}"'))
    home.write("My acme kettle is broken and nobody answers, I hate it.")
    with listening(home.folder / "notify") as systemd:
        running = home.daemon(wrap=wrap(home), NOTIFY_SOCKET=str(home.folder / "notify"), WATCHDOG_USEC="900000")
        until(lambda: systemd.words("WATCHDOG=1"), "it is ready and fed")
        until(lambda: home.number("SELECT count(*) FROM attempts WHERE outcome = 'accepted'"), "staff are told")
        assert running.end()[0] == 0
        until(lambda: systemd.words("STOPPING=1"), "STOPPING=1")
