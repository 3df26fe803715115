"""The lock by which one process alone writes a state folder; the daemon and the commands take it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from listener.core.errors import StoreError


class Lock:
    """The proof that this process alone writes: an advisory lock on a file in the state folder.

    Args:
        state_dir: the folder.
    """

    def __init__(self, state_dir: Path) -> None:
        """Name the file; nothing is locked yet."""
        self._path = state_dir / "listener.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            StoreError: another process holds it; names its process id.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StoreError(
                f"another Listener works here (process {holder}); stop it first", resource=str(self._path.parent)
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def free(self) -> None:
        """Give the lock back; closing the file does it, and so does the end of the process."""
        if self._file is not None:
            self._file.close()
            self._file = None
