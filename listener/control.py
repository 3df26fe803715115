"""The Unix socket in the state folder: commands that write ask the running daemon through it.

One JSON object a line each way. The daemon serves it with `Control`, the commands use `Client`. Only the daemon's own
user and root are listened to.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from listener.core import errors
from listener.core.errors import ListenerError

MAX_LINE = 8 * 2**20
"""Longest request or answer in bytes: an import sends its rows in portions well below it."""

_PATIENCE = 120.0
_STRANGER = 1.0
"""Seconds that somebody who may not ask gets to hear so."""
_IDLE = 60.0
_AT_ONCE = 8
_LONGEST_NAME = 100

Words = Mapping[str, object]
Errand = Callable[[Words], Words]
"""Does what a request asks, and gives the answer; raises ListenerError with what the asker should read."""


class Unreachable(ListenerError):
    """No daemon answers here; start one with `listener run`."""


class Forbidden(Unreachable):
    """A daemon runs here, but this user may not ask it."""


class Hand(Protocol):
    """Does errands: the running daemon's, or the command's own while it holds the lock."""

    def ask(self, errand: str, **words: object) -> Words:
        """Have an errand done.

        Raises:
            ListenerError: it was refused or failed, as the daemon said.
        """
        ...


def socket_path(state_dir: Path) -> Path:
    """Where the daemon of a state folder listens."""
    return state_dir / "listener.sock"


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """A name for the socket that fits into the 107 bytes there are: long paths go by way of the open folder."""
    if len(os.fsencode(path)) <= _LONGEST_NAME:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Control:
    """The daemon's end.

    Args:
        path: where to listen; a socket left behind by a crash is replaced, since the caller holds the lock.
        errands: what may be asked for, by name.
    """

    def __init__(self, path: Path, errands: Mapping[str, Errand]) -> None:
        """Keep them; nothing listens yet."""
        self._path = path
        self._errands = errands
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._bound = False

    def start(self) -> None:
        """Listen, in a thread.

        Raises:
            StoreError: the socket cannot be made in the state folder.
        """
        try:
            self._path.unlink(missing_ok=True)
            # On Linux a socket's own mode becomes the file's, so nobody can connect before a chmod.
            os.fchmod(self._socket.fileno(), 0o600)
            with _address(self._path) as address:
                self._socket.bind(address)
            self._path.chmod(0o600)
        except OSError as problem:
            raise errors.StoreError(
                f"the control socket cannot be made: {problem.strerror}; let the state folder be writable",
                resource=str(self._path),
            ) from problem
        self._bound = True
        self._socket.listen(_AT_ONCE)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def stop(self) -> None:
        """Listen no more; errands under way go on until the process ends."""
        if self._bound:
            self._path.unlink(missing_ok=True)
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed by stop()
            self._room.acquire()
            threading.Thread(target=self._serve, args=(connection,), name="errand", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(_IDLE)
            with connection, connection.makefile("rb") as requests:
                if not _may_ask(connection):
                    # Hung up on before they asked, they would see a broken pipe instead of the reason.
                    connection.settimeout(_STRANGER)
                    requests.readline(MAX_LINE + 1)
                    _send(connection, _refusal(ListenerError("only the daemon's own user and root may ask")))
                    return
                while line := requests.readline(MAX_LINE + 1):
                    _send(connection, self._answer(line))
                    if len(line) > MAX_LINE:
                        return
        except OSError:
            return  # the asker is gone or says nothing
        finally:
            self._room.release()

    def _answer(self, line: bytes) -> Words:
        if len(line) > MAX_LINE:
            return _refusal(ListenerError(f"a request is at most {MAX_LINE} bytes"))
        try:
            request = json.loads(line)
            errand = self._errands[request.pop("do")]
        except (ValueError, KeyError, AttributeError, TypeError):
            return _refusal(ListenerError(f"not understood; errands: {', '.join(sorted(self._errands))}"))
        try:
            return {"ok": True, **errand(request)}
        except ListenerError as problem:
            return _refusal(problem)


def _may_ask(connection: socket.socket) -> bool:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in {0, os.geteuid()}


def _refusal(problem: ListenerError) -> Words:
    return {"ok": False, "kind": type(problem).__name__, "error": problem.message, "resource": problem.resource}


def _send(connection: socket.socket, words: Words) -> None:
    connection.sendall(json.dumps(words).encode("ascii") + b"\n")


class Client:
    """A command's end; a context manager.

    Args:
        path: where the daemon listens.
    """

    def __init__(self, path: Path) -> None:
        """Connect.

        Raises:
            Unreachable: nobody listens there.
            Forbidden: somebody does, but this user may not ask.
        """
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_PATIENCE)
        try:
            with _address(path) as address:
                self._socket.connect(address)
        except PermissionError:
            self._socket.close()
            raise Forbidden(
                "this user may not talk to the daemon; ask as its own user or as root", resource=str(path)
            ) from None
        except OSError:
            self._socket.close()
            raise Unreachable("no daemon answers here; start one with `listener run`", resource=str(path)) from None
        self._answers: BinaryIO = self._socket.makefile("rb")

    def ask(self, errand: str, **words: object) -> Words:
        """Have an errand done by the daemon.

        Raises:
            ListenerError: it was refused or failed, as the daemon said.
            Unreachable: the daemon went away meanwhile.
        """
        try:
            _send(self._socket, {"do": errand, **words})
            line = self._answers.readline(MAX_LINE + 1)
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise Unreachable("the daemon ended the talk; its log says why", resource=str(self._path))
        answer: dict[str, object] = json.loads(line)
        if answer.pop("ok"):
            return answer
        raise _error(str(answer["kind"]))(str(answer["error"]), resource=str(answer["resource"]))

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self.close()


def _error(kind: str) -> type[ListenerError]:
    """The error class of this name; the plain one for a name we do not know."""
    found = getattr(errors, kind, None)
    return found if isinstance(found, type) and issubclass(found, ListenerError) else ListenerError
