"""Full, locked, broken, crowded: the store says what is wrong with the cure, and loses nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from listener.core.errors import SettingsError, StoreError, StoreFull
from listener.store import Connections, Store, make_store, open_store, sqlite_version
from listener.testing import START
from tests.kit import add_posts, make_post

HOLDER = """
import sys
from sqlite_utils.utils import sqlite3
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def posts(store: Store) -> int:
    """How many posts are stored."""
    return int(store.db.read("SELECT count(*) FROM posts")[0][0])


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate("\n", timeout=10)


def test_a_full_disk_writes_nothing_and_goes_on_once_there_is_room(disk: Callable[[], Store]) -> None:
    store = disk()
    add_posts(store, make_post("before"))
    pages = store.db.read("PRAGMA page_count")[0][0]
    store.db.write(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StoreFull, match="free some space") as problem, store.transaction():
        add_posts(store, *(make_post(f"full{n}", "x" * 5_000) for n in range(50)))
    assert "listener.db" in problem.value.resource
    assert posts(store) == 1
    store.db.write("PRAGMA max_page_count = 1000000")
    add_posts(store, *(make_post(f"after{n}", "x" * 5_000) for n in range(50)))
    assert posts(store) == 51
    assert store.db.read("PRAGMA integrity_check")[0][0] == "ok"


def test_a_lock_held_elsewhere_is_told_with_its_cure_and_costs_nothing(disk: Callable[[], Store]) -> None:
    path = Path(disk().db.path)
    store = make_store(Connections(path, wait=0.1))
    try:
        add_posts(store, make_post("1"))
        with held(path):
            with pytest.raises(StoreError, match="another process holds the database's lock; end it"):
                add_posts(store, make_post("2"))
            assert posts(store) == 1, "reading goes on"
        add_posts(store, make_post("2"))
        assert posts(store) == 2
    finally:
        store.close()


def test_a_file_that_is_no_database_is_told_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "listener.db"
    path.write_text("certainly not a database, but long enough to be looked at " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"not a database: restore the newest backup") as problem:
        open_store(str(path))
    assert problem.value.resource == str(path)


def test_a_path_that_cannot_be_opened_is_told_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.db").mkdir()
    for path in (tmp_path / "file" / "listener.db", tmp_path / "folder.db"):
        with pytest.raises(StoreError, match="check the path and who may read and write it") as problem:
            open_store(str(path))
        assert str(tmp_path) in problem.value.resource


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="postgresql:// is not served"):
        open_store("postgresql://db.example/listener")


def test_a_url_and_its_path_are_the_same_database(tmp_path: Path) -> None:
    first = open_store(f"sqlite:///{tmp_path / 'x' / 'listener.db'}")
    add_posts(first, make_post("1"))
    first.close()
    second = open_store(str(tmp_path / "x" / "listener.db"))
    assert posts(second) == 1
    assert second.db.migrate() == []
    second.close()


def test_a_reader_neither_makes_nor_changes_a_database(disk: Callable[[], Store], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database yet"):
        open_store(str(tmp_path / "none.db"), readonly=True)
    writer = disk()
    add_posts(writer, make_post("1"))
    reader = open_store(writer.db.path, readonly=True)
    assert posts(reader) == 1
    with pytest.raises(StoreError):
        add_posts(reader, make_post("2"))
    reader.close()
    assert posts(writer) == 1


def test_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="crash"), store.transaction():  # noqa: PT012
        add_posts(store, make_post("1"))
        with store.transaction():
            add_posts(store, make_post("2"))
        raise RuntimeError("crash")
    assert posts(store) == 0
    add_posts(store, make_post("1"))
    assert posts(store) == 1


def test_a_backup_is_consistent_while_work_goes_on(disk: Callable[[], Store], tmp_path: Path) -> None:
    store = disk()
    add_posts(store, *(make_post(f"first{n}") for n in range(200)))
    stop, written = threading.Event(), threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            add_posts(store, make_post(f"a{number}"), make_post(f"b{number}"))
            number += 1
            written.set()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert written.wait(10)
        for number in range(3):
            store.db.backup(tmp_path / f"copy{number}.db")
    finally:
        stop.set()
        worker.join(10)
    for number in range(3):
        copy = open_store(str(tmp_path / f"copy{number}.db"))
        assert copy.db.read("PRAGMA integrity_check")[0][0] == "ok"
        assert copy.db.read("PRAGMA foreign_key_check") == []
        assert posts(copy) >= 202
        assert posts(copy) % 2 == 0, "both posts of a transaction or none"
        assert sum(copy.mentions.counts().values()) == posts(copy)
        copy.close()


def test_a_backup_never_overwrites(disk: Callable[[], Store], tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.touch()
    with pytest.raises(StoreError, match="exists already"):
        disk().db.backup(target)
    with pytest.raises(StoreError):
        disk().db.backup(tmp_path / "nowhere" / "copy.db")


def test_readers_see_only_what_was_committed(disk: Callable[[], Store]) -> None:
    store = disk()
    inside, looked = threading.Event(), threading.Event()
    seen: list[int] = []

    def look() -> None:
        assert inside.wait(10)
        seen.append(posts(store))
        looked.set()

    reader = threading.Thread(target=look)
    reader.start()
    with store.transaction():
        add_posts(store, make_post("1"))
        assert posts(store) == 1, "the writing thread sees its own work"
        inside.set()
        assert looked.wait(10)
    reader.join(10)
    assert seen == [0]
    assert posts(store) == 1


def test_threads_that_come_and_go_leave_no_connection_behind(disk: Callable[[], Store]) -> None:
    store = disk()
    for _ in range(20):
        thread = threading.Thread(target=posts, args=(store,))
        thread.start()
        thread.join()
    assert len(store.db._readers) <= 2


def test_two_threads_never_claim_the_same_mention(disk: Callable[[], Store]) -> None:
    store = disk()
    add_posts(store, *(make_post(str(n)) for n in range(100)))
    claimed: list[int] = []

    def work() -> None:
        while batch := store.mentions.claim("judge", 3, START):
            claimed.extend(m.id for m in batch)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(claimed) == list(range(1, 101))


def test_the_library_has_a_version() -> None:
    assert sqlite_version() >= (3, 35)
