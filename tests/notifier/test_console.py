"""The console channel: whole blocks, where it was told to print, and an error that can be tried again."""

from __future__ import annotations

import io
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from listener import Tools, Unavailable
from listener.testing import HOSTILE, example_message
from notifier.console import Console

TOOLS = Tools(http=None, clock=lambda: datetime.now(UTC))


def test_a_message_is_one_block(capsys: pytest.CaptureFixture[str]) -> None:
    Console(Console.Options(), TOOLS).send(example_message())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("\n== HIGH: New case, Brackholm, from kari\n| New case about Brackholm.\n| Who: kari")
    assert err.endswith("\n| ref: check-1\n")


def test_it_prints_to_stdout_when_told(capsys: pytest.CaptureFixture[str]) -> None:
    Console(Console.Options(stream="stdout"), TOOLS).send(example_message())
    assert "Brackholm" in capsys.readouterr().out


def test_no_terminal_escape_gets_through(capsys: pytest.CaptureFixture[str]) -> None:
    Console(Console.Options(), TOOLS).send(example_message(HOSTILE, author=HOSTILE))
    assert not set(capsys.readouterr().err) & set("\x1b\x07\x00\r\u202e")


def test_blocks_of_many_threads_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(io.StringIO):
        """Takes text a few characters at a time, as a terminal does."""

        def write(self, text: str) -> int:
            for start in range(0, len(text), 7):
                super().write(text[start : start + 7])
                waiting.wait(0.0001)
            return len(text)

    waiting, stream = threading.Event(), Slow()
    monkeypatch.setattr(sys, "stderr", stream)
    senders = [
        threading.Thread(target=Console(Console.Options(), TOOLS).send, args=(example_message(key=f"k{n}"),))
        for n in range(8)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(10)
    blocks = stream.getvalue().split("\n== ")[1:]
    assert len(blocks) == 8
    assert len({block.splitlines()[-1] for block in blocks}) == 8
    assert {block.count("| ref: k") for block in blocks} == {1}


def test_a_console_that_knows_few_letters_gets_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    Console(Console.Options(), TOOLS).send(example_message("très cher 👎"))
    assert b"Said: ?tr?s cher ??" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_a_closed_stream_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with pytest.raises(Unavailable, match="stderr cannot be written to"):
        Console(Console.Options(), TOOLS).send(example_message())


def test_it_stays_on_the_machine_and_needs_no_pause() -> None:
    assert Console.needs_url is False
    assert Console(Console.Options(), TOOLS).pause == timedelta()
