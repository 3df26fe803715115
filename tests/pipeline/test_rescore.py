"""Judging again: each mention once however often it breaks off, corrections stay, no case opens, counts are true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from listener.core.errors import Unavailable
from listener.core.event import Actor
from listener.core.rescore import Rescore, Scope, Shift
from listener.pipeline.rescore import TRIES, rescore
from listener.testing import FakeScorer, make_post
from tests.web.stage import Stage

BEFORE = {"broken": (0.95, 0.04, 0.01), "meh": (0.05, 0.9, 0.05), "hm": (0.3, 0.5, 0.2)}
AFTER = {"broken": (0.95, 0.04, 0.01), "meh": (0.9, 0.08, 0.02), "hm": (0.02, 0.08, 0.9)}


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Twelve mentions of two brands, judged by one scorer, while another one is there now."""
    with Stage(tmp_path, scorer=FakeScorer(table=BEFORE)) as made:
        texts = ["acme is broken", "acme is meh", "hm acme", "globex is meh"]
        made.hear(*(make_post(f"{n}", f"{texts[n % 4]} {n}") for n in range(12)))
        made.work()
        made.scorer = FakeScorer(table=AFTER, revision="2")
        yield made


def begin(stage: Stage, **scope: object) -> Rescore:
    return stage.store.rescores.begin("table@2", Scope(**scope), stage.clock())  # type: ignore[arg-type]


def step(stage: Stage, limit: int = 5) -> Rescore | None:
    return rescore(stage.store, stage.scorer, stage.rules, stage.clock, limit)


def through(stage: Stage, limit: int = 5) -> Rescore:
    """Portions until it is finished."""
    for _ in range(100):
        now = step(stage, limit)
        assert now is not None
        true(stage)
        if now.finished_at is not None:
            return now
    raise AssertionError("it never ends")


def true(stage: Stage) -> None:
    """The rollup says what the mentions say, certainty, language and topics included."""
    store = stage.store
    assert store.trends.totals() == store.trends.recount()
    counted = store.db.read(
        "SELECT m.hour, m.brand, p.source, coalesce(m.language, ''), m.label, m.certainty, count(*) FROM mentions m "
        "JOIN posts p ON p.id = m.post_id WHERE m.label IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6"
    )
    kept = store.db.read("SELECT hour, brand, source, language, label, certainty, n FROM moods WHERE n <> 0")
    assert sorted(map(tuple, counted)) == sorted(map(tuple, kept))
    span = (stage.clock() - timedelta(days=99), stage.clock() + timedelta(days=9))
    assert store.trends.topics(*span) == store.trends.recount_topics(*span)


def shown(stage: Stage) -> dict[int, tuple[str, str]]:
    rows = stage.store.db.read("SELECT id, label, scorer FROM mentions ORDER BY id")
    return {row["id"]: (row["label"], row["scorer"]) for row in rows}


def test_everything_is_judged_again_and_what_changed_is_told_by_brand(stage: Stage) -> None:
    begin(stage)
    ended = through(stage)
    assert (ended.whole, ended.done, ended.changed) == (12, 12, 9)
    assert stage.store.rescores.shifts(ended.id) == (
        Shift(brand="Acme", before="neutral", after="negative", n=3),
        Shift(brand="Acme", before="unsure", after="positive", n=3),
        Shift(brand="Globex", before="neutral", after="negative", n=3),
    )
    assert {scorer for _, scorer in shown(stage).values()} == {"table@2"}
    [event] = stage.store.events.of_subject(f"rescore {ended.id}")
    assert (event.act, event.detail) == ("judged again", "12 mentions of all brands by table@2: 9 changed")
    assert step(stage) is None


def test_no_case_opens_and_nobody_is_told(stage: Stage) -> None:
    def traces() -> list[tuple[object, ...]]:
        store = stage.store
        return [
            *map(tuple, store.db.read("SELECT id, step, routes, routed_why, routed_with, attempts FROM mentions")),
            *map(tuple, store.db.read("SELECT id, status, severity, version, mentions FROM cases")),
            *map(tuple, store.db.read("SELECT id, status FROM notifications")),
            tuple(stage.channels["desk"].messages),
        ]

    before = traces()
    begin(stage)
    assert through(stage).changed == 9
    stage.work()
    assert traces() == before


def test_broken_off_at_any_point_each_mention_changes_once(stage: Stage) -> None:
    begun = begin(stage)
    seen: list[str] = []

    def die(texts: Sequence[str]) -> None:
        seen.extend(texts)
        if len(seen) % 3 == 0:
            raise Killed

    stage.scorer = FakeScorer(table=AFTER, revision="2", on_read=die)
    for _ in range(60):
        try:
            now = step(stage, limit=3)
        except Killed:
            assert begin(stage).id == begun.id  # the command is given again
            now = None
        true(stage)
        if now is not None and now.finished_at is not None:
            break
    assert now is not None
    assert (now.done, now.changed) == (12, 9)
    assert len(stage.store.db.read("SELECT * FROM verdicts WHERE scorer = 'table@2'")) == 12


def test_a_process_that_ends_within_the_transaction_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(stage)
    before = shown(stage)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(stage.store.rescores), "advance", die)
        with pytest.raises(Killed):
            step(stage)
    assert shown(stage) == before
    true(stage)
    assert through(stage).changed == 9


def test_what_colleagues_settled_stays_and_can_be_taken_back_to_the_new_reading(stage: Stage) -> None:
    dana = Actor(colleague=stage.colleague("agent", "dana"), via="page")
    label = stage.settling.settle(3, "neutral", dana)
    not_us = stage.settling.settle(7, None, dana)
    settled = {number: shown(stage)[number] for number in (3, 7)}
    begin(stage)
    assert (through(stage).done, stage.store.rescores.get(1).changed) == (12, 7)
    assert {number: shown(stage)[number] for number in (3, 7)} == settled == {
        3: ("neutral", "a colleague"), 7: (None, None),
    }  # fmt: skip
    for done in (label, not_us):
        stage.settling.undo(done.event, dana)
    true(stage)
    assert {shown(stage)[number] for number in (3, 7)} == {("positive", "table@2")}


def test_the_scope_is_kept_to(stage: Stage) -> None:
    day = timedelta(days=1)
    begin(stage, brand="Globex")
    assert (through(stage).whole, through_again(stage, since=stage.clock() + day).whole) == (3, 0)
    assert {number for number, (_, scorer) in shown(stage).items() if scorer == "table@2"} == {4, 8, 12}
    assert through_again(stage, until=stage.clock() - day).whole == 0
    assert through_again(stage, changed_only=True).done == 9
    assert through_again(stage, changed_only=True).done == 0
    assert through_again(stage).changed == 0


def through_again(stage: Stage, **scope: object) -> Rescore:
    begin(stage, **scope)
    return through(stage)


def test_other_options_end_the_one_that_goes_on_where_it_stands(stage: Stage) -> None:
    first = begin(stage)
    step(stage)
    second = begin(stage, brand="Acme")
    assert second.id != first.id
    ended = stage.store.rescores.get(first.id)
    assert (ended.finished_at, ended.done) == (stage.clock(), 5)
    assert begin(stage, brand="Acme").id == second.id


def test_a_text_at_which_reading_fails_keeps_its_verdict_and_holds_nothing_up(stage: Stage) -> None:
    def fail(texts: Sequence[str]) -> None:
        if any("broken 4" in text for text in texts):
            raise ValueError("odd")

    begin(stage)
    stage.scorer = FakeScorer(table=AFTER, revision="2", on_read=fail)
    ended = through(stage)
    assert (ended.done, ended.changed) == (11, 9)
    assert shown(stage)[5] == ("negative", "table@1")


def test_a_text_that_ends_processes_is_given_up_after_three_tries_alone(stage: Stage) -> None:
    died = []

    def die(texts: Sequence[str]) -> None:
        if any("broken 4" in text for text in texts):
            died.append(len(texts))
            raise Killed

    begin(stage)
    stage.scorer = FakeScorer(table=AFTER, revision="2", on_read=die)
    for _ in range(60):
        try:
            now = step(stage)
        except Killed:
            continue
        if now is not None and now.finished_at is not None:
            break
    assert died.count(1) == TRIES
    assert shown(stage)[5] == ("negative", "table@1")
    assert {scorer for number, (_, scorer) in shown(stage).items() if number != 5} == {"table@2"}


def test_a_scorer_that_cannot_be_used_is_no_fault_of_the_texts(stage: Stage) -> None:
    def fail(_texts: Sequence[str]) -> None:
        raise Unavailable("not loaded")

    begin(stage)
    stage.scorer = FakeScorer(table=AFTER, revision="2", on_read=fail)
    for _ in range(9):
        with pytest.raises(Unavailable):
            step(stage)
    stage.scorer = FakeScorer(table=AFTER, revision="2")
    assert through(stage).done == 12


def test_what_was_edited_or_settled_while_it_was_read_is_left_alone(stage: Stage) -> None:
    dana = Actor(colleague=stage.colleague("agent", "dana"), via="page")

    def meanwhile(texts: Sequence[str]) -> None:
        if "hm acme 2" in texts:
            stage.settling.settle(3, "neutral", dana)
            stage.hear(make_post("1", "acme is meh, edited"))

    begin(stage)
    stage.scorer = FakeScorer(table=AFTER, revision="2", on_read=meanwhile)
    ended = through(stage)
    assert shown(stage)[3] == ("neutral", "a colleague")
    assert shown(stage)[2] == ("neutral", "table@1")
    assert (ended.done, ended.changed) == (11, 7)


def test_what_waits_to_be_judged_and_what_is_new_is_not_judged_again(stage: Stage) -> None:
    stage.hear(make_post("90", "acme is broken, new"))
    begin(stage)
    assert through(stage).done == 12
    assert shown(stage)[13] == (None, None)


def test_of_two_at_once_only_one_counts(stage: Stage) -> None:
    begin(stage)
    inner = FakeScorer(table=AFTER, revision="2")
    outer = FakeScorer(
        table=AFTER, revision="2",
        on_read=lambda _: rescore(stage.store, inner, stage.rules, stage.clock, 5) if not inner.batches else None,
    )  # fmt: skip
    stage.scorer = outer
    ended = through(stage)
    assert (ended.done, ended.changed) == (12, 9)


def test_what_is_sent_to_judging_while_it_was_read_is_left_to_it(stage: Stage) -> None:
    begin(stage)
    stage.scorer = FakeScorer(
        table=AFTER, revision="2",
        on_read=lambda _: stage.store.db.write("UPDATE mentions SET step = 'judge' WHERE id = 2") and None,
    )  # fmt: skip
    assert through(stage).done == 11
    assert shown(stage)[2] == ("neutral", "table@1")
