"""What happens to cases, told to every open page at once: `/cases/stream`, and who looks at which case.

One task reads the log of events for all streams, however many pages are open. A stream says only that a case changed;
the page then asks for itself anew, so that there is one way in which a page is made.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from listener.core.colleague import Colleague
from listener.core.errors import StoreError
from listener.web.auth import MayRead
from listener.web.reading import Events

TICK = 0.3
"""Seconds between two looks at the log; a second screen is to know within one."""

HEARTBEAT = 15.0
LIFE = 600.0
"""Seconds after which a stream ends and the page opens another one, which asks anew whether it may."""

MOST = 100
"""Streams at a time; further pages look again by themselves every few seconds."""

MARK = timedelta(minutes=2)
"""A page that is closed without a word counts as looked at for so long."""

ENDING = "listener.ending"
"""Key of the ASGI scope under which the server says whether it is about to end."""

_Queue = asyncio.Queue[str | None]


class Broadcast:
    """Reads the log once for all streams.

    Args:
        events: the log.
    """

    def __init__(self, events: Events) -> None:
        """Nobody listens yet, and nothing is read."""
        self._events = events
        self._listeners: set[_Queue] = set()
        self._task: asyncio.Task[None] | None = None
        self._reading = asyncio.Event()
        self._said: deque[str] = deque(maxlen=1000)

    def say(self, case: str, act: str) -> None:
        """Tell all streams something that is not in the log; from any thread."""
        self._said.append(_line(case, act))

    @property
    def full(self) -> bool:
        """Whether so many listen that nobody else may."""
        return len(self._listeners) >= MOST

    def join(self, ending: Callable[[], bool]) -> _Queue:
        """A queue that hears everything from now on, and None at the end.

        Args:
            ending: says whether the server is about to end.
        """
        queue: _Queue = asyncio.Queue(maxsize=200)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._reading = asyncio.Event()
            self._task = asyncio.create_task(self._read(ending))
        return queue

    async def reading(self) -> None:
        """Wait until whatever happens from now on is told."""
        await self._reading.wait()

    def leave(self, queue: _Queue) -> None:
        """Tell a queue no more."""
        self._listeners.discard(queue)

    async def _read(self, ending: Callable[[], bool]) -> None:
        """Tell what happens until nobody listens or the server ends."""
        limiter, last = CapacityLimiter(1), -1
        while self._listeners and not ending():
            try:
                if last < 0:
                    last = await anyio.to_thread.run_sync(self._events.newest_id, limiter=limiter)
                    self._reading.set()
                for event, case in await anyio.to_thread.run_sync(self._events.since, last, limiter=limiter):
                    last = event.id
                    if case:
                        self._tell(_line(case, event.act))
            except StoreError:
                pass  # The pages say so themselves; the log is read on from where it was.
            while self._said:
                self._tell(self._said.popleft())
            await asyncio.sleep(TICK)
        self._reading.set()
        self._tell(None)

    def _tell(self, line: str | None) -> None:
        for queue in tuple(self._listeners):
            if queue.full():
                queue.get_nowait()  # A page that does not keep up asks for itself anew at the next line.
            queue.put_nowait(line)


def _line(case: str, act: str) -> str:
    return json.dumps({"case": case, "act": act})


class Lookers:
    """Who looks at which case, so that two do not write the same answer unawares. It forbids nothing.

    Nobody says that they ceased to look: a mark ends by itself, and who reads on renews it. Otherwise two windows of
    one colleague would call each other back for ever.

    Args:
        tell: hears of a case at which somebody begins to look.
    """

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        """Nobody looks."""
        self._tell = tell
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], datetime] = {}

    def look(self, case: str, by: Colleague | None, now: datetime) -> tuple[str, ...]:
        """Mark a case as looked at; gives the names of the others who look at it."""
        me = by.name if by else ""
        with self._lock:
            self._until = {mark: until for mark, until in self._until.items() if until > now}
            begins = bool(me) and (case, me) not in self._until
            if me:
                self._until[case, me] = now + MARK
            others = tuple(sorted(name for at, name in self._until if at == case and name != me))
        if begins:
            self._tell(case, "looking")
        return others


async def _lines(broadcast: Broadcast, ending: Callable[[], bool]) -> AsyncIterator[str]:
    queue = broadcast.join(ending)
    end = asyncio.get_running_loop().time() + LIFE
    try:
        # A page looks anew when its stream opens: what happens after that look must not be missed.
        await broadcast.reading()
        yield "retry: 2000\n\n"
        while asyncio.get_running_loop().time() < end:
            try:
                line = await asyncio.wait_for(queue.get(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if line is None:
                return
            yield f"data: {line}\n\n"
    finally:
        broadcast.leave(queue)


def add_stream(web: FastAPI, broadcast: Broadcast) -> None:
    """Serve `/cases/stream`; register it before `/cases/{public_id}`."""

    @web.get("/cases/stream", include_in_schema=False)
    async def stream(request: Request, by: MayRead) -> Response:
        if broadcast.full:
            return PlainTextResponse("Too many pages are open; this one looks again by itself.\n", 503)
        ending = request.scope.get(ENDING, lambda: False)
        return StreamingResponse(_lines(broadcast, ending), media_type="text/event-stream")
