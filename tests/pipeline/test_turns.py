"""Threads take turns at a scorer: never two at once, and a page waits for one turn, not for a batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from listener.pipeline.turns import CHARACTERS, TEXTS, Turns
from listener.testing import FakeScorer


def test_answers_come_in_order_however_the_batch_is_cut() -> None:
    texts = [f"love {n}" if n % 3 else f"broken {n}" for n in range(2 * TEXTS + 7)] + ["x" * (CHARACTERS + 1), "", "y"]
    plain, cut = FakeScorer(), FakeScorer()
    assert list(Turns(cut).read(texts)) == list(plain.read(texts))
    assert max(cut.batches) <= TEXTS
    assert len(cut.batches) > 3
    assert Turns(cut).read([]) == []
    assert Turns(cut).name == "table@1"


def test_two_are_never_read_at_once_and_who_waits_comes_next() -> None:
    inside, order = threading.Semaphore(1), []
    waits, reading = threading.Event(), threading.Event()

    def look(texts: Sequence[str]) -> None:
        assert inside.acquire(blocking=False), "two at once"
        order.append("page" if texts[0] == "page" else "judge")
        reading.set()
        assert waits.wait(10)
        inside.release()

    turns = Turns(FakeScorer(on_read=look))
    judge = threading.Thread(target=turns.read, args=([f"text {n}" for n in range(TEXTS * 8)],))
    judge.start()
    assert reading.wait(10)
    page = threading.Thread(target=turns.read, args=(["page"],))
    page.start()
    end = time.monotonic() + 10
    while not turns._next.locked():
        assert time.monotonic() < end
    waits.set()
    judge.join(10)
    page.join(10)
    assert not judge.is_alive()
    assert not page.is_alive()
    assert order.index("page") == 1
    assert len(order) == 9


def test_a_scorer_that_fails_gives_its_turn_back() -> None:
    failing = True

    def look(_texts: Sequence[str]) -> None:
        if failing:
            raise ValueError

    turns = Turns(FakeScorer(on_read=look))
    for _ in range(2):
        try:
            turns.read(["a"])
        except ValueError:
            continue
    failing = False
    assert len(turns.read(["a"])) == 1
