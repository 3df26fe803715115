"""A database of an earlier version becomes one of today's, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils import Database

from listener.core.case import Wanted
from listener.core.errors import StoreError
from listener.store import open_store
from listener.store.schema import migrations
from listener.testing import START
from tests.kit import add_posts, judge_as, make_post, open_case

CASE = (
    "INSERT INTO cases (public_id, key, brand, route, reason, severity, priority, status, headline, author, opened_at, "
    "changed_at, resolved_at, mentions) VALUES (?, ?, 'Acme', 'r', 'w', 'high', 1, ?, 'Acme broke', 'ÄNN', 1, 1, ?, 1)"
)


def old(path: Path) -> None:
    """A database as the first version left it: two cases of one author, one of them resolved."""
    db = Database(str(path))
    migrations.apply(db, stop_before="b_service_inbox")
    db.execute(
        "INSERT INTO posts (id, source, realm, external_id, place, kind, handle, author_name, title, text, likes, "
        "replies, shares, fingerprint, seen_at) VALUES (1, 'fake', '', '1', 'shop', 'post', 'ÄNN', '', '', 'x', 0, 0, "
        "0, 'f', 1)"
    )
    db.execute(
        "INSERT INTO mentions (id, post_id, brand, place, queries, words, fingerprint, seen_at, hour, arrival, "
        "arrival_reason) VALUES (1, 1, 'Acme', 'shop', '', '', 'f', 1, 0, 'live', 'new')"
    )
    db.execute(CASE, ("open", "k1", "open", None))
    db.execute(CASE, ("done", "k2", "resolved", 2))
    db.execute("INSERT INTO case_mentions VALUES (1, 1, 1)")
    db.conn.commit()
    db.close()


def test_the_cases_of_the_first_version_are_worked_on(tmp_path: Path) -> None:
    old(tmp_path / "listener.db")
    store = open_store(str(tmp_path / "listener.db"))
    [case] = store.cases.unresolved()
    assert (case.public_id, case.version, case.assignee, case.deadline) == ("open", 1, None, None)
    assert store.cases.voice(case.id) == "fake\x1f\x1fänn"
    assert [found.public_id for found in store.cases.page(Wanted(statuses=("resolved",)))] == ["done"]
    assert len(store.cases.page(Wanted(statuses=("open", "resolved"), words=("broke",)))) == 2
    add_posts(store, make_post("2"))
    judge_as(store, store.mentions.claim("judge", 9, START))
    for mention in store.mentions.claim("route", 9, START):
        open_case(store, mention)
    assert len(store.cases.unresolved()) == 2
    store.close()


def test_a_migration_that_fails_leaves_the_old_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "listener.db"
    old(path)
    with monkeypatch.context() as patch:
        patch.setattr("listener.store.schema.INBOX", "CREATE TABLE colleagues (id);\nCREATE TABLE broken (;\n")
        with pytest.raises(StoreError):
            open_store(str(path))
    db = Database(str(path))
    assert "colleagues" not in db.table_names()
    db.close()
    open_store(str(path)).close()


def test_vectors_of_before_get_the_space_of_their_text_s_language(tmp_path: Path) -> None:
    path = tmp_path / "listener.db"
    old(path)
    db = Database(str(path))
    migrations.apply(db, stop_before="c_spaces")
    scorers = {1: "bundled-en@1+multi@2", 2: "bundled-en@1", 3: "shouting@1"}
    told = [(1, 1, "en"), (2, 1, "pt"), (3, 1, "unknown"), (4, 2, "en"), (5, 3, None)]
    for post, scorer, language in told:
        db.execute(
            "INSERT OR REPLACE INTO posts (id, source, realm, external_id, place, kind, handle, author_name, title, "
            "text, likes, replies, shares, fingerprint, seen_at) VALUES (?, 'fake', '', ?, 'shop', 'post', 'x', '', "
            "'', 'x', 0, 0, 0, 'f', 1)",
            (post, str(post)),
        )
        db.execute(
            "INSERT INTO verdicts (post_id, fingerprint, negative, neutral, positive, label, confidence, certainty, "
            "language, parts, scorer, judged_at) VALUES (?, 'f', 0.9, 0.1, 0, 'negative', 0.9, 'unsure', ?, 1, ?, 1)",
            (post, language, scorers[scorer]),
        )
        db.execute("INSERT INTO vectors VALUES (?, 'f', ?, x'01')", (post, scorers[scorer]))
    db.conn.commit()
    db.close()
    store = open_store(str(path))
    rows = store.db.read("SELECT post_id, space FROM vectors ORDER BY post_id")
    assert [row["space"] for row in rows] == ["en@1", "multi@2", "", "en@1", "shouting@1"]
    store.close()
