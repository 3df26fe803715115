"""Which words carried the verdicts on posts: worked out on request, kept until the text or the scorer changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

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
        """Keep what was found for a mention in the state of its post, in place of what was found earlier."""
        weights = {
            "mention": mention.id,
            "why": weighing.why,
            "part": weighing.part,
            "words": [[word.start, word.end, word.weight] for word in weighing.words],
        }
        self._db.write(
            "INSERT INTO word_weights (post_id, fingerprint, scorer, label, probability, weights) VALUES (?,?,?,?,?,?) "
            "ON CONFLICT (post_id) DO UPDATE SET fingerprint = excluded.fingerprint, scorer = excluded.scorer, "
            "label = excluded.label, probability = excluded.probability, weights = excluded.weights",
            (
                mention.post_id, mention.fingerprint, weighing.scorer, weighing.label, weighing.probability,
                json.dumps(weights),
            ),
        )  # fmt: skip

    def of(self, posts: Sequence[int]) -> dict[tuple[int, str], Weighing]:
        """What is known of the mentions of posts, by the mention's row id and fingerprint."""
        rows = self._db.read(f"SELECT * FROM word_weights WHERE post_id IN ({marks(len(posts))})", posts)
        found = ((row, json.loads(row["weights"])) for row in rows)
        # A list is what an older version kept: it is worked out anew.
        return {
            (told["mention"], row["fingerprint"]): _weighing(row, told) for row, told in found if isinstance(told, dict)
        }


def _weighing(row: Row, told: Mapping[str, Any]) -> Weighing:
    return Weighing(
        label=row["label"],
        probability=row["probability"],
        scorer=row["scorer"],
        words=tuple(WordWeight(start=start, end=end, weight=weight) for start, end, weight in told["words"]),
        why=told["why"],
        part=told["part"],
    )
