"""What a person said a mention's label is, or that it is not about us. A correction outlives every re-scoring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.mention import Mention
from listener.core.sentiment import Label, Sentiment
from listener.store.engine import Connections, Row, marks, to_ms
from listener.store.topics import follow

SCORES = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}
A_PERSON = "a colleague"
"""Stands where the scorer's name stands once a person settled the label."""
NOT_US = "not about us"
"""Why a mention is neither judged nor routed any more: a colleague said so."""


def settled(label: Label) -> Sentiment:
    """The sentiment of a label that a person gave."""
    return Sentiment(label=label, score=SCORES[label], confidence=1.0, certainty="confident", scorer=A_PERSON)


class Corrections:
    """Keeps corrections and applies them to mentions and to the rollup.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(self, mention: Mention, label: Label | None, colleague: int | None, now: datetime) -> int:
        """Correct a mention's label (None: it is not about us), in a transaction; gives the correction's row id.

        An earlier correction of the same mention ends with this one.
        """
        row = self._row(mention.id)
        self._db.write(
            "UPDATE corrections SET gone_at = ? WHERE mention_id = ? AND gone_at IS NULL", (to_ms(now), mention.id)
        )
        rows = self._db.write(
            "INSERT INTO corrections (mention_id, fingerprint, label, colleague_id, at, was_label, was_score, "
            "was_confidence, was_certainty, was_scorer) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING id",
            (
                mention.id, mention.fingerprint, label, colleague, to_ms(now), row["label"], row["score"],
                row["confidence"], row["certainty"], row["scorer"],
            ),
        )  # fmt: skip
        self._show(mention.id, settled(label) if label else None)
        return int(rows[0]["id"])

    def take_back(self, correction_id: int, now: datetime) -> None:
        """Undo a correction that still stands: the mention shows again what it showed before. In a transaction.

        An earlier correction that had ended with this one stands again.
        """
        rows = self._db.write(
            "UPDATE corrections SET gone_at = ? WHERE id = ? AND gone_at IS NULL RETURNING *",
            (to_ms(now), correction_id),
        )
        for row in rows:
            self._show(row["mention_id"], _before(row))
            if row["was_scorer"] in {A_PERSON, None}:
                self._db.write(
                    "UPDATE corrections SET gone_at = NULL WHERE id = "
                    "(SELECT max(id) FROM corrections WHERE mention_id = ? AND id < ? AND gone_at = ?)",
                    (row["mention_id"], row["id"], row["at"]),
                )

    def ours_again(self, case_id: int, now: datetime) -> None:
        """Count a case's mentions again that were said to be about something else. In a transaction.

        Those that waited to be judged or routed when it was said are judged anew.
        """
        rows = self._db.read(
            "SELECT k.id FROM corrections k JOIN case_mentions j ON j.mention_id = k.mention_id "
            "WHERE j.case_id = ? AND k.gone_at IS NULL AND k.label IS NULL",
            (case_id,),
        )
        for row in rows:
            self.take_back(row["id"], now)
        self._db.write(
            "UPDATE mentions SET step = 'judge', due_at = 0, routes = NULL, routed_why = NULL "
            "WHERE step IS NULL AND routed_why = ? AND id IN (SELECT mention_id FROM case_mentions WHERE case_id = ?)",
            (NOT_US, case_id),
        )

    def standing(self, mentions: Sequence[Mention]) -> dict[int, Label | None]:
        """Corrections in force on these very states, by mention id; None where it is not about us."""
        if not mentions:
            return {}
        known = {mention.id: mention.fingerprint for mention in mentions}
        rows = self._db.read(
            f"SELECT mention_id, fingerprint, label FROM corrections WHERE gone_at IS NULL "
            f"AND mention_id IN ({marks(len(known))})",
            list(known),
        )
        return {row["mention_id"]: row["label"] for row in rows if known[row["mention_id"]] == row["fingerprint"]}

    def _row(self, mention_id: int) -> Row:
        return self._db.read(
            "SELECT m.*, p.source FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id = ?", (mention_id,)
        )[0]

    def _show(self, mention_id: int, sentiment: Sentiment | None) -> None:
        """Give a mention its sentiment and count it anew; one that is not about us is counted nowhere."""
        row = self._row(mention_id)
        cell = (row["hour"], row["brand"], row["source"], row["language"] or "")
        if row["label"] is not None:
            self._count((*cell, row["label"], row["certainty"], -1))
        if sentiment is not None:
            self._count((*cell, sentiment.label, sentiment.certainty, 1))
        follow(self._db, row, sentiment)
        shown = _columns(sentiment) if sentiment else (None,) * 5
        self._db.write(
            "UPDATE mentions SET label = ?, score = ?, confidence = ?, certainty = ?, scorer = ? WHERE id = ?",
            (*shown, mention_id),
        )

    def _count(self, cell: tuple[object, ...]) -> None:
        self._db.write(
            "INSERT INTO moods (hour, brand, source, language, label, certainty, n) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT DO UPDATE SET n = n + excluded.n",
            cell,
        )


def _columns(sentiment: Sentiment) -> tuple[object, ...]:
    return sentiment.label, sentiment.score, sentiment.confidence, sentiment.certainty, sentiment.scorer


def _before(row: Row) -> Sentiment | None:
    if row["was_label"] is None:
        return None
    return Sentiment(
        label=row["was_label"], score=row["was_score"], confidence=row["was_confidence"],
        certainty=row["was_certainty"], scorer=row["was_scorer"],
    )  # fmt: skip
