"""A disk that fills up: intake rests, the operator hears of it once, nothing is lost, and it goes on by itself.

The disk is a real one of three megabytes in memory, which only root can mount.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.lives import Lives
from tests.paging import PagingServer
from tests.sinks import HttpSink
from tests.test_crash import CONFIG

ITEMS = 12_000


def mount(path: Path, options: str) -> None:
    """Mount or change a disk in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of three megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "state"
    disk.mkdir()
    try:
        mount(disk, "size=3m")
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"this machine does not let us mount: {problem}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.slow
def test_a_full_disk_rests_the_intake_and_goes_on_by_itself(tmp_path: Path, small_disk: Path) -> None:
    with PagingServer(ITEMS) as server, HttpSink() as sink:
        lives = Lives(tmp_path, CONFIG.format(url=server.url, sink=sink.url))
        lives.start()
        lives.until(lambda: any("disk is full" in a.text for a in sink.accepted), "the operator is told", 60)
        kept = lives.number("SELECT count(*) FROM posts")
        assert 0 < kept < ITEMS
        assert lives.alive()
        mount(small_disk, "remount,size=200m")
        # The leases of what could not be written end after minutes; the clock makes that now.
        lives.ahead(timedelta(minutes=6))
        lives.until(
            lambda: lives.number("SELECT count(*) FROM posts") == ITEMS
            and lives.number("SELECT count(*) FROM mentions WHERE step IS NOT NULL") == 0,
            "everything was taken in once there was room", 240,
        )  # fmt: skip
        lives.until(lambda: any("takes writes again" in a.text for a in sink.accepted), "the all-clear", 30)
        assert sum("disk is full" in arrival.text for arrival in sink.accepted) == 1, "one alert, not one a try"
        assert lives.ask("PRAGMA integrity_check") == [("ok",)]
        assert lives.started == 1
        assert lives.stop() == 0
