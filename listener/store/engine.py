"""SQLite behind one small class: one writing connection, a reading connection a thread, errors of our own.

The driver is the one sqlite-utils picked, and nothing else in Listener imports a SQLite module: two SQLite
libraries on one file in one process break each other's locks. The writer owns checkpoints. `mmap_size` is never
set, since it turns a lost race into corruption.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database as SqliteDatabase
from sqlite_utils.utils import sqlite3

from listener.core.errors import StoreError, StoreFull
from listener.store.schema import migrations

Row = Any
"""A row of the driver: indexable by column name and position."""

SAFE_SQLITE = (3, 51, 3)
"""From here on the WAL-reset race (3.7.0 to 3.51.2) is mended; below, the single writer keeps us out of it."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970, cut off; exact even where a float of seconds is not."""
    return (moment - _EPOCH) // _MS


def from_ms(value: int | None) -> datetime | None:
    """Aware UTC, or None for NULL."""
    return None if value is None else moment(value)


def moment(value: int) -> datetime:
    """Aware UTC of a column that is never NULL."""
    return _EPOCH + timedelta(0, 0, 0, value)  # By position: twice as fast, and each row has several.


def opaque_id() -> str:
    """An id for links and commands: 72 random bits; never a hyphen first, which a command would read as an option."""
    made = secrets.token_urlsafe(9)
    return opaque_id() if made.startswith("-") else made


def marks(n: int, width: int = 1) -> str:
    """Placeholders for n values or n rows of `width` values."""
    one = "?" if width == 1 else "(" + ",".join("?" * width) + ")"
    return ",".join([one] * n)


class _Reader:
    """A thread's reading connection, which must not be closed under a statement: the driver would read freed memory."""

    __slots__ = ("connection", "lock")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = threading.Lock()

    def close(self) -> None:
        with self.lock:
            self.connection.close()


class Connections:
    """The connections to one database file.

    Args:
        path: the file; ":memory:" is shared by nobody and serves tests with a single connection.
        wait: seconds to wait for a foreign process's lock.
        readonly: only read a database that is there already, beside the process that writes it.
    """

    def __init__(self, path: Path | str, wait: float = 5.0, *, readonly: bool = False) -> None:
        """Open the writer; `migrate()` must run before anything else uses the tables.

        Raises:
            StoreError: the file cannot be opened as a database, or is not there to be read.
        """
        self.path = str(path)
        self._readonly = readonly
        if readonly and not Path(self.path).is_file():
            raise StoreError("there is no database yet; `listener run` or `listener once` makes it", resource=self.path)
        self._wait = wait
        self._memory = self.path == ":memory:"
        self._lock = threading.RLock()
        self._owner = 0
        self._durable = True
        self._threads = threading.local()
        self._readers: dict[threading.Thread, _Reader] = {}
        # Apart from the writer's, or a thread's first look would wait for the transaction of another.
        self._readers_lock = threading.Lock()
        with self._translated():
            self._writer = self._connect()
            if readonly:
                self._writer.execute("PRAGMA query_only=ON")
                return
            self._writer.execute("PRAGMA journal_mode=WAL")
            self._writer.execute("PRAGMA synchronous=FULL")
            # 16 MB of log before it is folded in: pages that change often are then written back once.
            self._writer.execute("PRAGMA wal_autocheckpoint=4000")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._wait, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-16000")
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except sqlite3.Error as problem:
            raise self._ours(problem) from problem

    def _ours(self, problem: sqlite3.Error) -> StoreError:
        """Our error for one of the driver's, with the file and the cure."""
        text = str(problem)
        if "full" in text or "disk I/O" in text:
            return StoreFull(f"no room to write: {text}; free some space, intake goes on by itself", resource=self.path)
        if "locked" in text or "busy" in text:
            cure = "another process holds the database's lock; end it (see `fuser`) or wait"
            return StoreError(cure, resource=self.path)
        if "not a database" in text or "malformed" in text:
            return StoreError(f"{text}: restore the newest backup (`listener backup` made it)", resource=self.path)
        if "unable to open" in text or "readonly" in text:
            return StoreError(f"{text}: check the path and who may read and write it", resource=self.path)
        return StoreError(text, resource=self.path)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Write all or nothing; a transaction within another one is part of it.

        Args:
            durable: False lets a power failure (never a crash of the process) undo it, which spares a wait for the
                disk. Claims may: after a power failure nobody works on what was claimed.

        Raises:
            StoreFull: no room; nothing was written.
            StoreError: locked by another process, or a defect; nothing was written.
        """
        if self._owner == threading.get_ident():
            yield
            return
        with self._lock, self._translated():
            if durable != self._durable:
                self._writer.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self._writer.execute("BEGIN IMMEDIATE")
            self._owner = threading.get_ident()
            try:
                yield
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._owner = 0

    def write(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run one writing statement, in a transaction of its own unless one is open; gives its RETURNING rows."""
        if self._owner == threading.get_ident():
            return self._run(self._writer, sql, values)
        with self.transaction():
            return self._run(self._writer, sql, values)

    def write_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one writing statement for many rows in one transaction."""
        if rows:
            with self.transaction(), self._translated():
                self._writer.executemany(sql, rows)

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Read rows: within this thread's open transaction what it wrote, otherwise the last committed state."""
        if self._owner == threading.get_ident():
            return self._run(self._writer, sql, values)
        if self._memory:
            with self._lock:
                return self._run(self._writer, sql, values)
        reader = self._reader()
        with reader.lock:
            return self._run(reader.connection, sql, values)

    def _run(self, connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[Row]:
        try:
            return list(connection.execute(sql, values))
        except sqlite3.Error as problem:
            raise self._ours(problem) from problem

    def one(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """Read the first row, or None."""
        rows = self.read(sql, values)
        return rows[0] if rows else None

    def _reader(self) -> _Reader:
        reader: _Reader | None = getattr(self._threads, "reader", None)
        if reader is None:
            reader = self._threads.reader = _Reader(self._connect())
            reader.connection.execute("PRAGMA query_only=ON")
            with self._readers_lock:
                # Pages are read by threads that come and go; each would leave its connection behind.
                for gone in [thread for thread in self._readers if not thread.is_alive()]:
                    self._readers.pop(gone).close()
                self._readers[threading.current_thread()] = reader
        return reader

    def migrate(self) -> list[str]:
        """Bring the schema up to date; gives the names of the migrations that ran.

        Raises:
            StoreError: it is out of date, and the database is only read.
        """
        with self._lock, self._translated():
            database = SqliteDatabase(self._writer)
            pending = [migration.name for migration in migrations.pending(database)]
            if pending and self._readonly:
                raise StoreError("made by an older version: run `listener migrate` once", resource=self.path)
            if pending:
                migrations.apply(database)
            return pending

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file while work goes on.

        Raises:
            StoreError: the target exists or cannot be written.
        """
        if target.exists():
            raise StoreError("the file exists already; name a new one", resource=str(target))
        with self._translated():
            reader = self._connect()
            try:
                reader.execute("VACUUM INTO ?", (str(target),))
            finally:
                reader.close()

    def close(self) -> None:
        """Fold the log into the file and let go of it; who still reads finishes the statement, and then is refused."""
        with self._lock, self._readers_lock:
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()
            self._writer.close()


def sqlite_version() -> tuple[int, ...]:
    """Version of the SQLite library in use."""
    return tuple(int(part) for part in sqlite3.sqlite_version.split("."))
