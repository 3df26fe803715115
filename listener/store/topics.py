"""Topics of mentions and their rollup, changed in the very transactions that change mentions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from listener.core.sentiment import Sentiment
from listener.core.topic import Touched
from listener.core.work import Judged
from listener.store.engine import Connections, Row, marks

Cell = tuple[int, str, str, str]
"""Hour, brand, topic and label."""


def topics_of(db: Connections, mentions: Sequence[int]) -> Mapping[int, tuple[Touched, ...]]:
    """The topics of mentions, by mention id, the nearest first."""
    rows = db.read(
        f"SELECT * FROM mention_topics WHERE mention_id IN ({marks(len(mentions))}) ORDER BY nearness DESC, topic",
        mentions,
    )
    found: defaultdict[int, list[Touched]] = defaultdict(list)
    for row in rows:
        found[row["mention_id"]].append(
            Touched(
                topic=row["topic"], label=row["label"], certainty=row["certainty"], nearness=row["nearness"],
                phrase=row["phrase"], own=bool(row["own"]),
            )
        )  # fmt: skip
    return {mention_id: tuple(of) for mention_id, of in found.items()}


def keep_topics(db: Connections, judged: Sequence[Judged]) -> None:
    """Put the topics found now in place of those found before, and count them anew.

    Call it in the transaction that keeps the sentiments, before it does: what was counted before is seen by them.
    """
    ids = [j.mention.id for j in judged]
    before = topics_of(db, ids)
    if not before and not any(j.topics for j in judged):
        return
    known = {
        row["id"]: row for row in db.read(f"SELECT id, hour, label FROM mentions WHERE id IN ({marks(len(ids))})", ids)
    }
    change: Counter[Cell] = Counter()
    for j in judged:
        row = known[j.mention.id]
        for old in before.get(j.mention.id, ()) if row["label"] is not None else ():
            change[row["hour"], j.mention.brand, old.topic, old.label] -= 1
        for new in j.topics:
            change[row["hour"], j.mention.brand, new.topic, new.label] += 1
    db.write_many("DELETE FROM mention_topics WHERE mention_id = ?", [(mention_id,) for mention_id in before])
    db.write_many(
        "INSERT INTO mention_topics (mention_id, topic, label, certainty, nearness, phrase, own) "
        "VALUES (?,?,?,?,?,?,?)",
        [
            (j.mention.id, t.topic, t.label, t.certainty, t.nearness, t.phrase, int(t.own))
            for j in judged
            for t in j.topics
        ],
    )
    _count(db, change)


def follow(db: Connections, mention: Row, sentiment: Sentiment | None) -> None:
    """Let the topics of a mention follow its settled sentiment; of one that is not about us none is counted.

    Args:
        db: the connections, in the transaction that changes the mention.
        mention: its row as it was.
        sentiment: what it shows from now on; None: it is not about us.
    """
    change: Counter[Cell] = Counter()
    for each in topics_of(db, [mention["id"]]).get(mention["id"], ()):
        if mention["label"] is not None:
            change[mention["hour"], mention["brand"], each.topic, each.label] -= 1
        if sentiment is not None:
            label = each.label if each.own else sentiment.label
            change[mention["hour"], mention["brand"], each.topic, label] += 1
    if sentiment is not None:
        db.write(
            "UPDATE mention_topics SET label = ?, certainty = ? WHERE mention_id = ? AND own = 0",
            (sentiment.label, sentiment.certainty, mention["id"]),
        )
    _count(db, change)


def _count(db: Connections, change: Mapping[Cell, int]) -> None:
    db.write_many(
        "INSERT INTO topic_moods (hour, brand, topic, label, n) VALUES (?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET n = n + excluded.n",
        [(*cell, n) for cell, n in change.items() if n],
    )
