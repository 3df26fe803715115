"""The console channel: prints each message as one block of plain text. The default, and what a first run shows.

Options: `stream` ("stderr" or "stdout"). Nothing leaves the machine, so it needs no public address.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal

from listener import Message, Tools, Unavailable
from notifier.render import render


class Console:
    """Print messages where the service's own output goes."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        """Where to print: the journal keeps both streams; a pipe usually wants stdout."""

        stream: Literal["stderr", "stdout"] = "stderr"

    name: ClassVar[str] = "console"
    needs_url: ClassVar[bool] = False
    _one_at_a_time: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, options: Options, tools: Tools) -> None:
        """Keep the options; the tools are not needed."""
        self._options = options

    @property
    def pause(self) -> timedelta:
        """None is needed."""
        return timedelta()

    def send(self, message: Message) -> None:
        """Print a block that other output cannot break up; escapes and controls were removed in rendering.

        Raises:
            Unavailable: the stream is closed or full.
        """
        said = render(message, "plain")
        body = "\n".join(f"| {line}".rstrip() for line in said.text.splitlines())
        stream = sys.stderr if self._options.stream == "stderr" else sys.stdout
        block = f"\n== {said.title}\n{body}\n".encode(stream.encoding or "utf-8", "replace")
        try:
            with self._one_at_a_time:
                stream.write(block.decode(stream.encoding or "utf-8"))
                stream.flush()
        except (OSError, ValueError) as problem:
            message_ = f"{self._options.stream} cannot be written to; start the service with it open"
            raise Unavailable(message_, resource=self.name) from problem
