"""What judging and judging again write alike: verdicts with what texts mean, and the rollup that counts labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from listener.core.work import Judged
from listener.store.engine import Connections, marks, to_ms
from listener.store.vectors import keep as keep_vectors


def keep_verdicts(db: Connections, judged: Sequence[Judged], now: datetime) -> None:
    """Store the verdicts that are new, in the transaction that changes the mentions."""
    at = to_ms(now)
    db.write_many(
        "INSERT INTO verdicts (post_id, fingerprint, negative, neutral, positive, label, confidence, certainty, "
        "language, parts, scorer, judged_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        [
            (
                j.mention.post_id, j.mention.fingerprint, j.verdict.probabilities.negative,
                j.verdict.probabilities.neutral, j.verdict.probabilities.positive, j.verdict.label,
                j.verdict.confidence, j.verdict.certainty, j.verdict.language, j.verdict.parts,
                j.verdict.scorer, at,
            )
            for j in judged
            if j.fresh
        ],
    )  # fmt: skip
    keep_vectors(db, judged)


def recount(db: Connections, judged: Sequence[Judged]) -> None:
    """Take the old counts of mentions out of the rollup and put the new ones in, before the mentions are changed."""
    ids = [j.mention.id for j in judged]
    rows = db.read(f"SELECT id, hour, label, certainty, language FROM mentions WHERE id IN ({marks(len(ids))})", ids)
    before = {row["id"]: row for row in rows}
    change: Counter[tuple[int, str, str, str, str, str]] = Counter()
    for j in judged:
        row = before[j.mention.id]
        cell = (row["hour"], j.mention.brand, j.mention.post.source)
        if row["label"] is not None:
            change[(*cell, row["language"] or "", row["label"], row["certainty"])] -= 1
        change[(*cell, j.verdict.language or "", j.sentiment.label, j.sentiment.certainty)] += 1
    db.write_many(
        "INSERT INTO moods (hour, brand, source, language, label, certainty, n) VALUES (?,?,?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET n = n + excluded.n",
        [(*cell, n) for cell, n in change.items() if n],
    )
