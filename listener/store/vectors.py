"""Vectors of meaning: kept when a post is judged, asked for posts that say nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.mention import Mention
from listener.core.work import Judged
from listener.store.engine import Connections, to_ms

STALE = ""
"""The space of a vector that was kept before spaces were told; such a text is read anew when it is next judged."""

WINDOW = 20_000
"""Most posts that are compared: a second's work at most, and 8 MB."""


class Vectors:
    """Keeps vectors and compares them.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def near(self, mention: Mention, since: datetime, limit: int = 5) -> dict[int, float]:
        """How near mentions of the same brand come in meaning (1: the same), by mention id, the nearest first.

        Only those in the same space of meaning are compared: others have no distance.

        Args:
            mention: what is compared; without a vector of its own nothing is like it.
            since: posts seen before this are left out, and so are the oldest of more than WINDOW.
            limit: most of them.
        """
        own = self._db.one(
            "SELECT space, vector FROM vectors WHERE post_id = ? AND fingerprint = ?",
            (mention.post_id, mention.fingerprint),
        )
        if own is None or own["space"] == STALE:
            return {}
        rows = self._db.read(
            "SELECT m.id, v.vector FROM mentions m JOIN vectors v ON v.post_id = m.post_id "
            "AND v.fingerprint = m.fingerprint AND v.space = ? "
            "WHERE m.brand = ? AND m.seen_at >= ? AND m.id <> ? ORDER BY m.id DESC LIMIT ?",
            (own["space"], mention.brand, to_ms(since), mention.id, WINDOW),
        )
        return _nearest(own["vector"], [(row["id"], row["vector"]) for row in rows], limit)


def keep(db: Connections, judged: Sequence[Judged]) -> None:
    """Keep the vector of each post that was read just now, in place of that of an earlier state or scorer.

    Call it in the transaction that keeps the verdicts.
    """
    db.write_many(
        "INSERT INTO vectors (post_id, fingerprint, scorer, space, vector) VALUES (?,?,?,?,?) "
        "ON CONFLICT (post_id) DO UPDATE SET fingerprint = excluded.fingerprint, scorer = excluded.scorer, "
        "space = excluded.space, vector = excluded.vector",
        [
            (j.mention.post_id, j.mention.fingerprint, j.verdict.scorer, j.verdict.space, j.verdict.embedding)
            for j in judged
            if j.fresh and j.verdict.embedding is not None
        ],
    )


def _nearest(own: bytes, others: Sequence[tuple[int, bytes]], limit: int) -> dict[int, float]:
    """Cosines of the nearest, by id."""
    import numpy as np

    others = [(number, vector) for number, vector in others if len(vector) == len(own)]
    if not others:
        return {}
    wanted = np.frombuffer(own, np.int8).astype(np.float32)
    stack = np.frombuffer(b"".join(vector for _, vector in others), np.int8).reshape(len(others), -1)
    lengths = np.sqrt((stack.astype(np.float32) ** 2).sum(axis=1)) * np.linalg.norm(wanted)
    cosines = (stack @ wanted) / np.maximum(lengths, 1e-9)
    best = np.argsort(-cosines, kind="stable")[:limit]
    return {others[at][0]: float(cosines[at]) for at in best}
