"""Feeds are read in one killable child process, shared by all feed places; `sources.feed` calls `parse()`.

Pure-Python parsing of a large feed would hold up everybody else in the daemon, and a hostile one might never end or
eat the memory. The child (`sources._reader`) starts with the first feed, is killed when it takes too long, and
starts anew with the next one.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

SECONDS = 5
PATIENCE = 3  # times as long by the clock: a busy machine must not fail a feed that takes little processor time
MEMORY = 256 * 1024 * 1024
START_SECONDS = 30


class ParseError(Exception):
    """The child gave no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed as flat, plain text; empty where the feed says nothing."""

    id: str = ""
    link: str = ""
    title: str = ""
    text: str = ""
    author: str = ""
    author_url: str = ""
    published: str = ""
    dated: str = ""
    in_reply_to: str = ""
    replies: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed as read.

    Args:
        version: the format; empty when it is none that we know.
        entries: in the feed's order.
        problem: what is not well-formed, in the parser's words.
        ttl: minutes for which the feed asks not to be read again, as written.
        broken: reasons of entries that could not be read.
        cut: how many entries above the limit were left out.
    """

    version: str
    entries: tuple[Entry, ...]
    problem: str = ""
    ttl: str = ""
    broken: tuple[str, ...] = ()
    cut: int = 0


class Parser:
    """The child process and the way to it; safe to share between threads, which wait for one another."""

    def __init__(self, *, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        """Start nothing yet; more seconds of processor time, or bytes of address space, end the child."""
        self.seconds = seconds
        self.memory = memory
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the present child; None while there is none."""
        return self._child.pid if self._child else None

    def parse(self, body: bytes, headers: Mapping[str, str]) -> Parsed:
        """Read a document that came with these headers (`content-type`, `content-location`).

        Raises:
            ParseError: it took too long, took too much memory, or crashed the parser. The next call starts afresh.
        """
        meta = json.dumps(dict(headers)).encode()
        with self._lock:
            child = self._running()
            request = struct.pack(">III", self.seconds, len(meta), len(body)) + meta + body
            answer = json.loads(self._exchange(child, request))
        if "crash" in answer:
            raise ParseError(f"the parser failed on it ({answer['crash']})")
        return _parsed(answer)

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._kill()

    def _exchange(self, child: subprocess.Popen[bytes], request: bytes) -> bytes:
        """Send one request and read its answer; a timer ends both by ending the child."""
        assert child.stdin is not None
        assert child.stdout is not None
        started = time.monotonic()
        timer = _killer(child, self.seconds * PATIENCE)
        try:
            child.stdin.write(request)
            child.stdin.flush()
            head = child.stdout.read(4)
            length = struct.unpack(">I", head)[0] if len(head) == 4 else -1
            answer = child.stdout.read(length) if length >= 0 else b""
        except (BrokenPipeError, ConnectionResetError):
            length, answer = -1, b""
        finally:
            timer.cancel()
        if len(answer) != length:
            self._kill()
            late = child.returncode == -signal.SIGPROF or time.monotonic() - started >= self.seconds * PATIENCE
            raise ParseError(f"reading it took longer than {self.seconds} s" if late else "it crashed the parser")
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        """The child, started if need be."""
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._kill()
        self._child = child = subprocess.Popen(  # noqa: S603 our own interpreter and module
            [sys.executable, "-B", "-m", "sources._reader", str(self.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for us; the child ends with its input
        )
        timer = _killer(child, START_SECONDS)
        assert child.stdout is not None
        ready = child.stdout.readline()
        timer.cancel()
        if ready != b"ready\n":
            self._kill()
            raise ParseError("the parser could not be started")
        return child

    def _kill(self) -> None:
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            try:
                if pipe:
                    pipe.close()
            except BrokenPipeError:
                continue  # what was left in the buffer has nobody to go to
        self._child = None


def _killer(child: subprocess.Popen[bytes], seconds: float) -> threading.Timer:
    """A running timer that ends the child, and with it whoever waits for its answer."""
    timer = threading.Timer(seconds, child.kill)
    timer.daemon = True
    timer.start()
    return timer


def _environment() -> dict[str, str]:
    """No secret of the daemon's environment reaches the process that strangers' feeds are read in."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "HOME") if name in os.environ}
    paths = [str(Path(__file__).parents[1]), *filter(None, sys.path)]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "MALLOC_ARENA_MAX": "2"}


def _parsed(answer: Mapping[str, Any]) -> Parsed:
    names = {field.name for field in fields(Entry)}
    return Parsed(
        version=answer["version"],
        entries=tuple(Entry(**{k: v for k, v in entry.items() if k in names}) for entry in answer["entries"]),
        problem=answer.get("problem", ""),
        ttl=answer.get("ttl", ""),
        broken=tuple(answer.get("broken", ())),
        cut=answer.get("cut", 0),
    )


_shared = Parser()
atexit.register(_shared.close)


def parse(body: bytes, headers: Mapping[str, str]) -> Parsed:
    """Read a feed in the process-wide child; errors as `Parser.parse`."""
    return _shared.parse(body, headers)
