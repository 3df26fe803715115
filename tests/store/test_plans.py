"""No query that runs at each step or on each page reads a whole table: the plans are asked of SQLite itself.

The SQL is recorded while a store with data is worked on, so a new query is looked at without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from listener.core.campaign import Brief
from listener.core.case import Wanted
from listener.core.mention import Engagement
from listener.core.occlusion import Weighing
from listener.core.rescore import Scope
from listener.core.sentiment import towards
from listener.core.work import Judged, Routed
from listener.store import Connections, Store, make_store
from listener.store.engine import Row
from listener.testing import START, verdict
from tests.kit import COMPLAINTS, SHOP, add_posts, edit_post, judge_as, make_post, open_case

LATER = START + timedelta(days=1)

READ_WHOLE = {
    "UPDATE places SET enabled = 0": "at a start or a reload; a row for each configured place",
    "UPDATE mentions SET lease_until = 0, attempts = attempts": "at a start",
    "UPDATE notifications SET lease_until = 0 WHERE step": "at a start",
    "SELECT DISTINCT channel FROM notifications": "at a start",
    "UPDATE notifications SET due_at = min": "in `once`",
    "SELECT min(due_at) AS due FROM places": "a row for each configured place",
    "FROM places": "a row for each configured place",
    "posting_stops": "the index holds the one stop that stands, or none",
    "UPDATE places SET lease_until = 0": "at a start; a row for each configured place",
    "SELECT place, outcome, n FROM tallies": "six rows for each configured place",
    "FROM moods": "the rollup is small: cells of an hour",
    "SELECT step, count(*)": "the queue, by its partial index",
    "SELECT count(*) AS n FROM mentions": "counting, by the smallest index",
    "SELECT count(*) FROM notifications WHERE step": "the queue, by its partial index",
    "SELECT status, count(*)": "counting, by an index or over cases",
    "SELECT brand, status, severity, count(*)": "counting cases",
    "SELECT brand, label, count(*)": "the recount is the proof of the rollup",
    "FROM mentions WHERE arrival = 'backfill' GROUP BY place": "history only, by its partial index",
    "INDEXED BY mentions_unsure": "the lane, by its partial index, up to a thousand",
    "FROM rescores": "a row for each time that somebody judged again",
    "INSERT INTO cases": "a foreign key's children, looked at only while a violation is open",
    "INSERT INTO colleagues": "a foreign key's children, looked at only while a violation is open",
    "INSERT INTO campaigns": "a foreign key's children, looked at only while a violation is open",
    "INSERT INTO bundles": "a foreign key's children, looked at only while a violation is open",
    "m.label IS NOT NULL": "newest first, until the page is full",
    "SELECT * FROM cases WHERE status IN": "lists of cases with filters",
}
"""Reads of a whole table or index that are right, by a part of their text, and why."""

_SMALL = re.compile(r"SCAN (a\b|asked|\(|CONSTANT|\d+ CONSTANT)")


class Recorder(Connections):
    """Connections that remember each statement."""

    def __init__(self) -> None:
        """Open a database in memory."""
        super().__init__(":memory:")
        self.statements: dict[str, Sequence[object]] = {}

    def _run(self, connection: object, sql: str, values: Sequence[object]) -> list[Row]:
        self.statements.setdefault(sql, values)
        return super()._run(connection, sql, values)

    def write_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Remember the first row."""
        if rows:
            self.statements.setdefault(sql, rows[0])
        super().write_many(sql, rows)

    def scans(self, sql: str) -> list[str]:
        """The steps of its plan that read a whole table; walking an index in order to a limit is none."""
        if not re.match(r"SELECT|UPDATE|INSERT|DELETE|WITH", sql):
            return []
        plan = [row["detail"] for row in super()._run(self._writer, f"EXPLAIN QUERY PLAN {sql}", self.statements[sql])]
        in_order = "LIMIT" in sql and not any("TEMP B-TREE FOR ORDER" in step for step in plan)
        return [
            step
            for step in plan
            if step.startswith("SCAN") and not _SMALL.match(step) and not (in_order and "USING INDEX" in step)
        ]


@pytest.fixture(scope="module")
def walked() -> Iterator[Recorder]:
    """A store on which everything was done once, with data; SQLite takes tables for large, as we never ANALYZE."""
    recorder = Recorder()
    store = make_store(recorder)
    _work(store)
    yield recorder
    store.close()


def _work(store: Store) -> None:
    store.places.sync([SHOP], START)
    store.places.claim(1, START)
    store.places.polled("shop", cursor=None, more=False, keep=False, due=LATER, posts=1, gap=None, now=START)
    store.places.failed("shop", error="e", due=START, now=START)
    store.places.tally("shop", {"stored": 1})
    store.places.imported("d", "shop", 1, 1)
    posts = [make_post(str(n), author=f"a{n % 60}") for n in range(300)]
    add_posts(store, *posts)
    edit_post(store, posts[0], text="Acme, edited")
    with store.transaction():
        store.posts.react([(1, Engagement(likes=1))])
    store.mentions.unclaim(store.mentions.claim("judge", 2, START), START, "e")
    store.mentions.give_back(store.mentions.claim("judge", 1, START))
    for _ in range(3):
        batch = store.mentions.claim("judge", 200, START)
        store.mentions.verdicts(batch, "table@1")
        judge_as(store, batch)
    routed = store.mentions.claim("route", 250, START)
    for mention in routed:
        case, opened = open_case(store, mention)
        with store.transaction():
            store.outbox.put(COMPLAINTS, f"c|a={case.author}", case.id, case.severity, opened, START)
    with store.transaction():
        store.mentions.routed([Routed(mention=m, routes=("c",), why="w") for m in routed], "r")
    store.mentions.bury([300], "judge", "e")
    store.mentions.requeue(300)
    _deliver(store)
    _look(store)
    _replies(store)


def _deliver(store: Store) -> None:
    took = timedelta()
    for number in range(8):
        parcel = store.outbox.claim("desk", LATER)
        assert parcel is not None
        note = parcel.notification
        if number == 0:
            store.outbox.retry(note, error="e", due=LATER, took=took, now=LATER)
        elif number == 1:
            store.outbox.give_up(note, error="e", took=took, now=LATER)
            store.outbox.requeue(note.id, LATER)
        elif number == 2:
            store.outbox.dropped(note, why="w", now=LATER)
        else:
            store.outbox.sent(note, why="w", took=took, now=LATER)
    store.outbox.claim("desk", LATER + timedelta(days=2))
    store.outbox.hasten(START)
    store.release()
    store.outbox.bury_orphans(("desk",), START)


def _look(store: Store) -> None:
    case = store.cases.unresolved()[0]
    for read in (
        store.cases.counts, store.cases.tallies, store.mentions.counts, store.mentions.dead,
        store.outbox.dead, store.outbox.counts, store.outbox.waiting, store.places.health, store.places.standing,
        store.trends.totals, store.trends.recount, store.trails.judged,
    ):  # fmt: skip
        read()
    store.cases.find(case.public_id)
    store.cases.page(Wanted(statuses=("open", "acknowledged")))
    store.cases.lapsing(START)
    store.cases.overdue(START)
    store.cases.of_voices([store.cases.voice(case.id)])
    store.cases.of_mention(1)
    store.events.of_case(case.id)
    store.events.since(0)
    store.events.newest_id()
    store.events.undoable(1)
    store.events.page()
    store.mentions.find(1)
    store.mentions.of_case(case.id)
    store.outbox.of_case(case.id)
    _campaigns(store)
    store.places.turn("shop")
    store.places.import_offset("d", "shop")
    store.posts.revisions(1)
    store.trails.of_case(case.id)
    store.trails.of_mention(1)
    store.trails.newest_of([case.id])
    store.trails.oldest_waiting("route")
    store.trends.buckets(START, LATER)
    _judge_again(store)


def _judge_again(store: Store) -> None:
    """The lane of unsure mentions, the words that carried a verdict, and a rescore."""
    for brand in (None, "Acme"):
        store.lane.count(brand)
        store.trails.unsure(brand=brand, before=100)
    store.trails.unsure()
    [first] = store.trails.judged(limit=1)
    with store.transaction():
        kept = store.corrections.add(first.mention, "neutral", None, START)
        store.lane.route(first.mention.id, LATER)
        store.lane.put_back(first.mention.id, store.lane.way(first.mention.id))
        store.lane.halt(first.mention.id)
        store.corrections.ours_again(1, START)
    store.lane.settlement(kept)
    store.weights.keep(first.mention, Weighing(label="neutral", probability=1.0, scorer="table@1", words=()))
    scope = Scope(brand="Acme", since=START - timedelta(days=9), until=LATER, changed_only=True)
    for asked in (Scope(), scope):
        running = store.rescores.attempt(store.rescores.begin("table@2", asked, START))
        mentions = store.rescores.take(running, 50)
        with store.transaction():
            still = store.rescores.still(running, mentions) or ()
            standing = store.corrections.standing(still)
            judged = [
                Judged(
                    mention=mention, verdict=verdict(0.9, 0.05, 0.05, scorer="table@2"), fresh=True,
                    sentiment=towards(verdict(0.9, 0.05, 0.05, scorer="table@2"), None), next_step=None, why=None,
                )
                for mention in still
            ]  # fmt: skip
            store.rescores.advance(running, 50, 1, store.rescores.rejudged(judged, standing, START))
        store.rescores.spare(running)
    store.rescores.shifts(running.id)
    store.rescores.marked(START, LATER)
    store.rescores.finish(running, LATER)


def _replies(store: Store) -> None:
    case = store.cases.unresolved(1)[0]
    [mention, *_] = store.mentions.of_case(case.id)
    ann = store.colleagues.add("writer", "Writer", "agent", START)
    with store.transaction():
        made = store.replies.add(case, mention, "Sorry.", ann.id, ann.name, START)
        made = store.replies.change(made, ann.name)
    store.replies.find(made.public_id)
    store.replies.of_case(case.id)
    store.replies.wordings(made.id)
    store.replies.latest_of([case.id])
    store.replies.waiting(ann.id)
    store.replies.in_states(("draft", "asked"))
    store.replies.in_states(("posted", "by hand"))
    for posting in (True, False):
        store.replies.due(START, posting=posting)
    store.replies.stranded()
    store.replies.forgotten(START)
    store.replies.standing([("fake", "realm", "1")])
    store.replies.stop("Ann", "why", START)
    store.replies.stopped()
    store.replies.go_on(START)


def _campaigns(store: Store) -> None:
    brief = Brief(name="n", brand="Acme", starts_at=START, ends_at=LATER)
    ann = store.colleagues.add("reader", "Reader", "agent", START)
    for _ in range(3):
        made = store.campaigns.add(brief, ann.id, START)
    with store.transaction():
        made = store.campaigns.change(made, brief, START)
        store.outbox.announce(made, ("desk",), START)
        store.campaigns.announced(made, START)
        store.outbox.revive(store.campaigns.withdraw(made, None), START)
    parcel = store.outbox.claim("desk", LATER + timedelta(days=9))
    assert parcel is not None
    store.outbox.hold(parcel.notification, why="w", until=LATER)
    store.campaigns.read(made, ann.id, START)
    store.campaigns.readers(store.campaigns.page())
    store.campaigns.find(made.public_id)
    store.campaigns.asking(START)
    store.campaigns.unannounced(START, LATER)
    store.campaigns.possible("Acme", START, LATER)
    store.campaigns.sample("Acme", START, 10)
    store.events.of_subject(made.subject)


def test_no_query_reads_a_whole_table(walked: Recorder) -> None:
    found = {
        sql: scans
        for sql in walked.statements
        if (scans := walked.scans(sql)) and not any(part in sql for part in READ_WHOLE)
    }
    assert not found, "\n".join(f"{scans}: {sql[:300]}" for sql, scans in found.items())


def test_everything_the_store_offers_was_walked(walked: Recorder) -> None:
    assert len(walked.statements) > 60


def test_a_query_without_an_index_would_be_found(walked: Recorder) -> None:
    walked.read("SELECT id FROM posts WHERE text = ?", ("x",))
    sql = "SELECT id FROM posts WHERE text = ?"
    assert walked.scans(sql) == ["SCAN posts"]
    del walked.statements[sql]


def test_a_batch_is_confirmed_by_its_rows_and_not_by_reading_all_that_waits(walked: Recorder) -> None:
    store = make_store(walked)
    add_posts(store, *(make_post(f"batch {n}") for n in range(300)))
    before = set(walked.statements)
    store.mentions.waiting("judge", store.mentions.claim("judge", 256, LATER))
    [asked] = [sql for sql in walked.statements if sql not in before and sql.startswith("SELECT id, fingerprint")]
    plan = [row["detail"] for row in walked.read(f"EXPLAIN QUERY PLAN {asked}", walked.statements[asked])]
    assert plan == ["SEARCH mentions USING INTEGER PRIMARY KEY (rowid=?)"]
