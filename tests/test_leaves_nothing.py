"""Nothing leaves the machine that nobody asked for: no connection and no name look-up, proven on system calls.

The children run without CI in their environment, since some libraries keep quiet only there. `strace` writes down
every call about networks; a name look-up is a connection to a resolver, a datagram to one, or a multicast.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import CONFIG, Home, environment, until

pytestmark = pytest.mark.model

QUIET = CONFIG.replace('source = "file"', 'source = "file"\nenabled = false').replace("sample_data = true\n", "")
_FAMILY = re.compile(r"sa_family=(AF_\w+)")
_LOCAL = re.compile(r'sin6?_addr=inet_(?:addr\("127\.|pton\(AF_INET6, "::1")|inet_pton\(AF_INET6, "::1"')
_OUTWARD = ("connect(", "sendto(", "sendmsg(", "sendmmsg(")


def outward(trace: str) -> list[str]:
    """Calls that address anything but this machine's own sockets; resolvers' sockets count as outward."""
    found = []
    for line in trace.splitlines():
        call = line.split(maxsplit=1)[-1] if line[:1].isdigit() else line
        if not call.startswith(_OUTWARD):
            continue
        family = _FAMILY.search(call)
        if family is None:
            continue  # on a socket that was connected before: that connect() is judged
        resolver = any(
            name in call for name in ("nscd", "resolve", "avahi", "sin_port=htons(53)", "sin6_port=htons(53)")
        )
        if resolver or (family.group(1) not in {"AF_UNIX", "AF_NETLINK"} and not _LOCAL.search(call)):
            found.append(call)
    return found


@pytest.fixture
def strace() -> list[str]:
    """The beginning of a traced command line, up to the file to write to."""
    path = shutil.which("strace")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("strace is missing: apt-get install strace")
        pytest.skip("strace is missing: apt-get install strace")
    return [path, "-f", "-qq", "-s", "200", "-e", "trace=network", "-o"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A folder with a configuration in which every place is off."""
    found = Home(tmp_path, QUIET)
    yield found
    found.close()


def traced(
    strace: list[str], home: Home, *command: str, given: str = ""
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a command to its end; gives how it ended and its network calls."""
    log = home.folder / "trace"
    environ = environment(HOME=str(home.folder))
    assert "CI" not in environ
    ended = subprocess.run(
        [*strace, str(log), sys.executable, *command], cwd=home.folder, env=environ, input=given, capture_output=True,
        text=True, timeout=180, check=False,
    )  # fmt: skip
    return ended, log.read_text()


def test_the_trace_sees_what_leaves(strace: list[str], home: Home) -> None:
    tries = (
        "import socket\n"
        "for ask in (lambda: socket.getaddrinfo('listener-leaves.example', 80),\n"
        "            lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9)),\n"
        "            lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(('2001:db8::1', 9)),\n"
        "            lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))):\n"
        "    try:\n"
        "        ask()\n"
        "    except OSError:\n"
        "        pass\n"
    )
    _, trace = traced(strace, home, "-I", "-c", tries)
    found = outward(trace)
    assert any('"192.0.2.1"' in call for call in found)
    assert any('"2001:db8::1"' in call for call in found)
    assert any("htons(53)" in call or "nscd" in call or "resolve" in call for call in found), "the look-up"
    assert not any('"127.0.0.1"' in call and "htons(9)" in call for call in found)


def test_score_asks_nobody(strace: list[str], home: Home) -> None:
    ended, trace = traced(strace, home, "-m", "listener", "score", given="The kettle is broken.\n")
    assert '"label": "negative"' in ended.stdout, ended.stderr
    assert outward(trace) == []


def test_check_asks_nobody(strace: list[str], home: Home) -> None:
    ended, trace = traced(strace, home, "-m", "listener", "check")
    assert ended.returncode == 0, ended.stderr
    assert outward(trace) == []


def test_checking_an_apprise_channel_asks_nobody(strace: list[str], home: Home) -> None:
    channel = '\n[[channel]]\nname = "desk"\nadapter = "apprise"\ncredential = "desk"\n'
    home.config.write_text(QUIET.replace("port = 0", 'port = 0\npublic_url = "https://desk.example"') + channel)
    (home.folder / "run.sh").write_text("")
    environ = {"LISTENER_CREDENTIAL_DESK": "mailto://a:b@mail.example?to=c@mail.example"}
    log = home.folder / "trace"
    ended = subprocess.run(
        [*strace, str(log), sys.executable, "-m", "listener", "once"], cwd=home.folder,
        env=environment(HOME=str(home.folder), **environ), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert outward(log.read_text()) == []


def test_a_daemon_with_every_place_off_asks_nobody(strace: list[str], home: Home) -> None:
    log = home.folder / "trace"
    running = home.daemon(wrap=[*strace, str(log)], HOME=str(home.folder))
    running.wait_for("started")
    until(lambda: "Pages: " in running.words.read_text(), "the pages are up")
    (home.folder / "old.csv").write_text("id,text\n1,my acme is broken\n")
    told = home.command("import", "old.csv", "--place", "rows", "--alert")
    assert told.code == 0, told.err
    until(lambda: home.number("SELECT count(*) FROM attempts WHERE outcome = 'accepted'"), "a mention went all the way")
    # strace hands no signal on, so the daemon itself is asked.
    child = (home.folder / "state" / "listener.lock").read_text()
    os.kill(int(child), 15)
    assert running.process.wait(60) == 0
    assert outward(log.read_text()) == []
