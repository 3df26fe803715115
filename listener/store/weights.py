"""Which words carried the verdicts on posts: worked out on request, kept until the text or the scorer changes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from listener.core.mention import Mention
from listener.core.occlusion import Weighing, WordWeight
from listener.store.engine import Connections, Row, marks


class Weights:
    """Keeps weighings.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def keep(self, mention: Mention, weighing: Weighing) -> None:
        """Keep what was found for the state of a mention's post, in place of an earlier one."""
        weights = json.dumps([[word.start, word.end, word.weight] for word in weighing.words])
        self._db.write(
            "INSERT INTO word_weights (post_id, fingerprint, scorer, label, probability, weights) VALUES (?,?,?,?,?,?) "
            "ON CONFLICT (post_id) DO UPDATE SET fingerprint = excluded.fingerprint, scorer = excluded.scorer, "
            "label = excluded.label, probability = excluded.probability, weights = excluded.weights",
            (
                mention.post_id, mention.fingerprint, weighing.scorer, weighing.label, weighing.probability, weights
            ),
        )  # fmt: skip

    def of(self, posts: Sequence[int]) -> dict[tuple[int, str], Weighing]:
        """What is known of posts, by row id and fingerprint."""
        rows = self._db.read(f"SELECT * FROM word_weights WHERE post_id IN ({marks(len(posts))})", posts)
        return {(row["post_id"], row["fingerprint"]): _weighing(row) for row in rows}


def _weighing(row: Row) -> Weighing:
    return Weighing(
        label=row["label"],
        probability=row["probability"],
        scorer=row["scorer"],
        words=tuple(
            WordWeight(start=start, end=end, weight=weight) for start, end, weight in json.loads(row["weights"])
        ),
    )
