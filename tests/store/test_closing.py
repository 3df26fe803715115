"""What happens to those who read while the database is closed: a refusal, never a crash of the process."""

import subprocess
import sys
from pathlib import Path

READ_WHILE_CLOSING = """
import sys, threading
from listener.core.errors import StoreError
from listener.store.engine import Connections

path = sys.argv[1]
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT max(i) FROM n"
refused = []

def read(connections, begun):
    try:
        while True:
            connections.read(SLOW)
            begun.set()
    except StoreError as problem:
        refused.append(str(problem))

for turn in range(40):
    connections = Connections(path)
    begun = [threading.Event() for _ in range(4)]
    threads = [threading.Thread(target=read, args=(connections, one)) for one in begun]
    for thread in threads:
        thread.start()
    for one in begun:
        assert one.wait(20)
    connections.close()
    for thread in threads:
        thread.join(20)
print(len(refused))
"""


def test_who_reads_while_the_database_closes_is_refused_and_the_process_lives(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", READ_WHILE_CLOSING, str(tmp_path / "closing.db")],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "160"
