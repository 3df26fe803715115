"""A daemon for crash tests: the real one, in a process of its own, whose clock runs ahead by what a file says.

`python tests/lives.py CONFIG CLOCK_FILE` is the process; `Lives` starts it, kills it and starts it again, as systemd
would. A file that says 3600 puts its clock an hour ahead, so that retries are due without anybody waiting for them.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve()


class FileClock:
    """The present, put ahead by the seconds in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> datetime:
        """Say the present."""
        return datetime.now(UTC) + timedelta(seconds=float(self._path.read_text() or 0))


class Lives:
    """One daemon after another over the same state folder.

    Args:
        folder: gets the configuration, the state and the log.
        toml: the configuration.
    """

    def __init__(self, folder: Path, toml: str) -> None:
        self.folder = folder
        self.config = folder / "listener.toml"
        self.config.write_text(toml)
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0

    def start(self) -> None:
        """Start a daemon."""
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE.parent / "stranger")])}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE), str(self.config), str(self.clock)],
                stdout=log, stderr=log, env=environ, cwd=self.folder,
            )  # fmt: skip
        self.started += 1

    def kill(self) -> None:
        """End it as a power cut of the process would: no handler runs."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; gives its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def ahead(self, by: timedelta) -> None:
        """Put its clock further ahead."""
        whole = float(self.clock.read_text()) + by.total_seconds()
        beside = self.clock.with_suffix(".new")
        beside.write_text(str(whole))
        beside.replace(self.clock)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Read its database from outside; empty as long as there is none."""
        path = self.folder / "state" / "listener.db"
        if not path.exists():
            return []
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.OperationalError:
                return []

    def number(self, sql: str) -> int:
        """The first value of a query; 0 without one."""
        rows = self.ask(sql)
        return int(rows[0][0] or 0) if rows else 0  # type: ignore[call-overload]

    def until(self, holds: Callable[[], bool], what: str, deadline: float, restart: bool = False) -> None:
        """Wait for a condition, starting the daemon again whenever it has ended, if asked to.

        Raises:
            AssertionError: the deadline passed, or the daemon ended unasked; holds the end of its log.
        """
        end = time.monotonic() + deadline
        while not holds():
            if not self.alive():
                assert restart, f"the daemon ended: {self.tail()}"
                self.start()
            assert time.monotonic() < end, f"after {deadline} s still not: {what}\n{self.tail()}"
            time.sleep(0.05)

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_text(errors="replace")[-3000:]


def main() -> None:
    """Be the daemon."""
    from listener import daemon, registry
    from listener.telemetry import set_up_logging

    path, clock = Path(sys.argv[1]), FileClock(Path(sys.argv[2]))
    set_up_logging("warning")

    def load() -> object:
        return registry.load_settings(path, os.environ)

    daemon.run(load(), load=load, serve=None, tell=print, clock=clock)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
