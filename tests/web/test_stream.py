"""The stream of the inbox: what it says, to how many, and for how long."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence

import httpx2
import pytest

from listener.core.errors import StoreError
from listener.core.event import LISTENER, Event
from listener.testing import START
from listener.web import Server, stream
from listener.web.stream import MARK, Broadcast, Lookers
from tests.web.stage import Stage


class Log:
    """A log of events that the test writes, and that cannot be read at first."""

    def __init__(self, broken: int = 0) -> None:
        self.events: list[tuple[Event, str]] = []
        self.reads = 0
        self.broken = broken

    def write(self, act: str, case: str) -> None:
        n = len(self.events) + 1
        self.events.append((Event(id=n, at=START, who="x", colleague=None, via="page", act=act, case=None, subject="",
                                  detail=""), case))  # fmt: skip

    def newest_id(self) -> int:
        return len(self.events)

    def since(self, event_id: int, limit: int = 200) -> Sequence[tuple[Event, str]]:
        self.reads += 1
        self.broken -= 1
        if self.broken >= 0:
            raise StoreError("locked")
        return self.events[event_id : event_id + limit]

    def of_case(self, case_id: int, limit: int = 500) -> Sequence[Event]:
        return ()

    def undoable(self, event_id: int) -> None:
        return None

    def page(self, *, before: int | None = None, limit: int = 100) -> Sequence[Event]:
        return ()


async def heard(queue: asyncio.Queue[str | None]) -> str | None:
    return await asyncio.wait_for(queue.get(), 10)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "TICK", 0.01)


def test_everybody_hears_of_a_case_and_one_reader_serves_all() -> None:
    async def run() -> None:
        log = Log(broken=2)
        log.write("opened", "before")
        broadcast = Broadcast(log)  # type: ignore[arg-type]
        queues = [broadcast.join(lambda: False) for _ in range(3)]
        await until(lambda: log.reads > 3)
        log.write("signed in", "")
        log.write("claimed", "c-1")
        for queue in queues:
            assert json.loads(await heard(queue) or "") == {"case": "c-1", "act": "claimed"}
            assert queue.empty()
        broadcast.say("c-2", "looking")
        assert [json.loads(await heard(queue) or "")["act"] for queue in queues] == ["looking"] * 3
        for queue in queues:
            broadcast.leave(queue)
        reads = log.reads
        await asyncio.sleep(0.1)
        assert log.reads <= reads + 1

    asyncio.run(run())


def test_a_stream_opens_only_once_nothing_can_be_missed_any_more() -> None:
    async def run() -> None:
        log, asked, answer = Log(), threading.Event(), threading.Event()

        def newest_id() -> int:
            asked.set()
            assert answer.wait(10)
            return len(log.events)

        log.newest_id = newest_id  # type: ignore[method-assign]
        lines = stream._lines(Broadcast(log), lambda: False)  # type: ignore[arg-type]
        opened = asyncio.create_task(anext(lines))  # type: ignore[arg-type]
        await until(asked.is_set)
        assert not opened.done(), "it opened before the log was read"
        answer.set()
        assert "retry" in await opened
        log.write("claimed", "c-1")
        assert "c-1" in await anext(lines)
        await lines.aclose()  # type: ignore[attr-defined]

    asyncio.run(run())


def test_streams_end_when_the_server_does_and_a_later_one_starts_anew() -> None:
    async def run() -> None:
        log, ending = Log(), [False]
        broadcast = Broadcast(log)  # type: ignore[arg-type]
        queue = broadcast.join(lambda: ending[0])
        await until(lambda: log.reads > 1)
        ending[0] = True
        assert await heard(queue) is None
        broadcast.leave(queue)
        ending[0] = False
        again = broadcast.join(lambda: ending[0])
        await until(lambda: log.reads > 5)
        log.write("claimed", "c-9")
        assert "c-9" in str(await heard(again))
        broadcast.leave(again)

    asyncio.run(run())


def test_a_page_that_does_not_keep_up_loses_the_oldest_lines_and_holds_nobody_up() -> None:
    async def run() -> None:
        log = Log()
        broadcast = Broadcast(log)  # type: ignore[arg-type]
        queue = broadcast.join(lambda: False)
        await until(lambda: log.reads > 1)
        for n in range(500):
            log.write("grown", f"c-{n}")
        await until(lambda: "c-499" in list(queue._queue)[-1] if queue.full() else False)  # type: ignore[attr-defined]
        assert queue.qsize() == 200
        broadcast.leave(queue)

    asyncio.run(run())


def test_only_so_many_streams_are_open_at_a_time(stage: Stage, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST", 1)
    with stage.signed_in(server.url) as client, client.stream("GET", "/cases/stream") as first:
        lines = first.iter_lines()
        assert next(lines) == "retry: 2000"
        assert client.get("/cases/stream").status_code == 503
        with stage.store.transaction():
            case = stage.store.events.add(LISTENER, "opened", stage.clock())
        assert case


def test_a_stream_says_that_it_is_still_there_and_ends_after_a_while(
    stage: Stage, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)
    monkeypatch.setattr(stream, "LIFE", 0.4)
    with stage.signed_in(server.url) as client, client.stream("GET", "/cases/stream") as answer:
        assert answer.headers["cache-control"] == "no-store"
        assert ": still here" in list(answer.iter_lines())


def test_nobody_hears_anything_without_signing_in(outside: httpx2.Client) -> None:
    assert outside.get("/cases/stream").status_code == 303


def test_who_begins_to_look_is_told_once_and_two_windows_do_not_call_each_other(stage: Stage) -> None:
    told: list[tuple[str, str]] = []
    lookers = Lookers(lambda case, act: told.append((case, act)))
    ann, bob = stage.colleague("agent", "ann"), stage.colleague("agent", "bob")
    for _ in range(3):
        assert lookers.look("c-1", ann, START) == ()
        assert lookers.look("c-2", ann, START) == ()
    assert told == [("c-1", "looking"), ("c-2", "looking")]
    assert lookers.look("c-1", bob, START) == ("Ann",)
    assert lookers.look("c-1", bob, START + MARK) == ()


def test_a_stream_asked_for_without_a_session_is_told_to_cease(outside: httpx2.Client) -> None:
    answer = outside.get("/cases/stream", headers={"accept": "text/event-stream"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert outside.get("/cases/stream").status_code == 303
