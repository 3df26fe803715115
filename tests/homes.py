"""A home for commands under test: a folder with a configuration, where `listener` runs as a real child process.

`Home.command()` runs a command to its end, `Home.daemon()` starts the daemon; `Notices` is systemd's end of the
notify socket. Everything waits for a condition with a deadline.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

DEADLINE = 60.0
"""Seconds for a start: machines that run the whole suite are busy."""

BRAND = """
[[brand]]
name = "Acme"
terms = ["acme"]
"""

ROWS = """
[[place]]
name = "rows"
source = "file"
path = "rows.ndjson"
every = "1s"
history = "live"
"""

CONFIG = f"""
[listener]
state_dir = "state"
allow_private_sources = true
sample_data = true
[web]
port = 0
[route]
group_wait = "0s"
{BRAND}{ROWS}"""


_COMPILED = tempfile.mkdtemp(prefix="listener-compiled-")
"""Compiled modules of the children, so that each of them does not compile everything anew."""
atexit.register(shutil.rmtree, _COMPILED, ignore_errors=True)


def environment(**extra: str) -> dict[str, str]:
    """What a child is given: nothing of CI, nothing of the user's own Listener."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    sources = os.pathsep.join(path for path in sys.path if path)
    return {**kept, "PYTHONPATH": sources, "PYTHONPYCACHEPREFIX": _COMPILED, **extra}


def until(holds: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not after the deadline.
    """
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end, f"after {deadline} s still not: {what}"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        """What it answered to --json."""
        return json.loads(self.out)


def lives(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Running:
    """A daemon that runs; its log and its words are files, so that no pipe fills up."""

    def __init__(self, folder: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        number = len(list(folder.glob("daemon*.log")))
        self.log = folder / f"daemon{number}.log"
        self.words = folder / f"daemon{number}.out"
        with self.log.open("wb") as log, self.words.open("wb") as words:
            self.process = subprocess.Popen(arguments, cwd=folder, env=dict(environ), stdout=words, stderr=log)

    def said(self, word: str) -> bool:
        """Whether its log holds a word."""
        return word in self.log.read_text(errors="replace")

    def wait_for(self, word: str, deadline: float = DEADLINE) -> None:
        """Wait until its log holds a word."""
        until(lambda: self.said(word) or self.process.poll() is not None, f"{word} in the log", deadline)
        assert self.said(word), f"it ended with {self.process.returncode}: {self.log.read_text()[-3000:]}"

    @property
    def url(self) -> str:
        """Address of its pages."""
        return next(line for line in self.words.read_text().splitlines() if line.startswith("Pages: "))[7:]

    def children(self) -> set[int]:
        """Process ids of its child processes."""
        found = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return {int(pid) for path in found for pid in path.read_text().split()}

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; gives the exit code and the seconds it took."""
        started = time.monotonic()
        self.send(number)
        code = self.process.wait(DEADLINE)
        return code, time.monotonic() - started


class Home:
    """A folder with a configuration.

    Args:
        folder: empty.
        config: the configuration's text.
    """

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        self.folder = folder
        self.config = folder / "listener.toml"
        self.config.write_text(config)
        self.rows = folder / "rows.ndjson"
        self.rows.touch()
        self._running: list[Running] = []

    def write(self, *texts: str) -> None:
        """Add posts to the file that the place `rows` reads."""
        start = len(self.rows.read_text().splitlines())
        with self.rows.open("a") as file:
            for number, text in enumerate(texts, start=start):
                file.write(json.dumps({"id": str(number), "author": f"a{number}", "text": text}) + "\n")

    def command(self, *arguments: str, given: bytes = b"", **extra: str) -> Ended:
        """Run a command to its end."""
        found = subprocess.run(
            [sys.executable, "-m", "listener", *arguments], cwd=self.folder, env=environment(**extra), input=given,
            capture_output=True, timeout=2 * DEADLINE, check=False,
        )  # fmt: skip
        return Ended(found.returncode, found.stdout.decode(), found.stderr.decode())

    def daemon(self, *, wrap: Sequence[str] = (), **extra: str) -> Running:
        """Start the daemon; it is killed at the end of the test if it still runs."""
        arguments = [*wrap, sys.executable, "-m", "listener", "run", "--config", str(self.config)]
        self._running.append(Running(self.folder, arguments, environment(**extra)))
        return self._running[-1]

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Read the database from outside; empty as long as there is none."""
        path = self.folder / "state" / "listener.db"
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []

    def number(self, sql: str) -> int:
        """The first value of a query; 0 without one."""
        rows = self.ask(sql)
        return int(str(rows[0][0] or 0)) if rows else 0

    def close(self) -> None:
        """Kill what still runs."""
        for running in self._running:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait(DEADLINE)


FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><item><guid>1</guid>
<title>acme is broken, I hate it</title></item></channel></rss>"""


class FeedServer:
    """A server on loopback: a feed at every address, except that /hangs answers only at the end of the block."""

    def __init__(self) -> None:
        self.asked, self._let_go = threading.Event(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        asked, let_go = self.asked, self._let_go

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/hangs":
                    asked.set()
                    let_go.wait(2 * DEADLINE)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(FEED)

            def log_message(self, *_: object) -> None:
                return

        return Handler

    def place(self, name: str) -> str:
        """A place in the configuration that reads a feed here."""
        url = f"http://127.0.0.1:{self._server.server_port}/{name}"
        return f'\n[[place]]\nname = "{name}"\nsource = "feed"\nurl = "{url}"\nhistory = "live"\n'

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()


class Notices:
    """systemd's end of the notify socket: a real datagram socket that keeps what it is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.heard: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(4096)
            except OSError:
                return
            if not data:
                return
            self.heard.append(data.decode())

    def words(self, word: str) -> int:
        """How many datagrams held a word."""
        return sum(word in datagram.split("\n") for datagram in self.heard)

    def close(self) -> None:
        """Stop listening."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waker:
            waker.connect(str(self._path))
            waker.send(b"")
        self._socket.close()


@contextmanager
def listening(path: Path) -> Iterator[Notices]:
    """systemd, for the length of a block."""
    notices = Notices(path)
    try:
        yield notices
    finally:
        notices.close()
