"""How soon the daemon is ready, and how much memory it holds after 10,000 texts of 1 to 500 words.

Ready is the READY=1 that a datagram socket receives, as systemd's would. Memory is the kernel's own figure of the
daemon's process, its parsing child included. Prints one JSON object; called by `run.py`.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.bench_path import CONFIG, demo_texts, write_posts  # noqa: E402
from tests.sinks import free_port  # noqa: E402

TEXTS = 10_000
STARTS = 5


def texts_of_all_lengths(count: int) -> list[str]:
    """Texts of 1 to 500 words from the demo's vocabulary, each with the brand in it."""
    words = " ".join(demo_texts()).split()
    dice = random.Random(5)
    return ["acme " + " ".join(dice.choices(words, k=dice.randint(0, 499))) for _ in range(count)]


def start(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Start a daemon and wait until it says READY=1; gives it and the seconds that took."""
    address = folder / "notify"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(address))
        ear.settimeout(60)
        environ = {**os.environ, "NOTIFY_SOCKET": str(address), "LISTENER_WEB_PORT": str(port),
                   "PYTHONPATH": str(ROOT / "tests" / "stranger")}  # fmt: skip
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "listener"), "run", "--config", str(folder / "listener.toml")],
            env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while b"READY=1" not in ear.recv(4096):
            pass
        return process, time.perf_counter() - began


def memory(pid: int) -> int:
    """Resident megabytes of a process and its children."""
    family = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    lines = (line for p in family for line in Path(f"/proc/{p}/status").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024


def done(folder: Path) -> int:
    """How many mentions the daemon has dealt with."""
    with closing(sqlite3.connect(f"file:{folder}/state/listener.db?mode=ro", uri=True, timeout=10)) as database:
        return int(database.execute("SELECT count(*) FROM mentions WHERE step IS NULL").fetchone()[0])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        config = CONFIG.format(scorer="bundled").replace("enabled = false", "enabled = true")
        (folder / "listener.toml").write_text(config.replace('name = "replay"', 'name = "replay"\nenabled = false'))
        write_posts(folder, [])
        ready = []
        for _ in range(STARTS):
            process, seconds = start(folder, port)
            ready.append(seconds)
            process.terminate()
            process.wait(15)
        (folder / "listener.toml").write_text(config)
        write_posts(folder, texts_of_all_lengths(TEXTS))
        process, _ = start(folder, port)
        while done(folder) < TEXTS:
            time.sleep(1)
        held = memory(process.pid)
        peak = next(
            int(line.split()[1]) // 1024
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM:")
        )
        process.terminate()
        process.wait(15)
    print(
        json.dumps(
            {"ready_seconds": round(statistics.median(ready), 2), "ready_rounds": [round(s, 2) for s in ready],
             "texts": TEXTS, "memory_mb": held, "peak_mb": peak}
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
