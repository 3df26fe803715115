"""Counts over time, read from the rollup; `recount()` proves that the rollup equals the mentions."""

from __future__ import annotations

from datetime import datetime

from listener.core.sentiment import Label
from listener.core.trend import Bucket
from listener.store.engine import Connections, moment, to_ms

HOUR = 3_600_000


class Trends:
    """Reads the rollup.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def buckets(self, since: datetime, until: datetime) -> tuple[Bucket, ...]:
        """Mentions by hour, brand, source and label within a span, oldest first; unsure ones counted apart."""
        rows = self._db.read(
            "SELECT hour, brand, source, label, sum(n) AS n, "
            "sum(CASE certainty WHEN 'unsure' THEN n ELSE 0 END) AS unsure FROM moods "
            "WHERE hour >= ? AND hour < ? GROUP BY hour, brand, source, label HAVING sum(n) > 0 ORDER BY hour",
            (to_ms(since) // HOUR, -(-to_ms(until) // HOUR)),
        )
        return tuple(
            Bucket(
                hour=moment(row["hour"] * HOUR),
                brand=row["brand"],
                source=row["source"],
                label=row["label"],
                n=row["n"],
                unsure=row["unsure"],
            )
            for row in rows
        )

    def totals(self) -> dict[tuple[str, str], int]:
        """Mentions ever counted, by brand and label."""
        rows = self._db.read("SELECT brand, label, sum(n) AS n FROM moods GROUP BY brand, label HAVING sum(n) > 0")
        return {(row["brand"], row["label"]): row["n"] for row in rows}

    def unsure(self) -> dict[str, int]:
        """Mentions that want a person's eye, by brand."""
        rows = self._db.read(
            "SELECT brand, sum(n) AS n FROM moods WHERE certainty = 'unsure' GROUP BY brand HAVING sum(n) > 0"
        )
        return {row["brand"]: row["n"] for row in rows}

    def topics(self, since: datetime, until: datetime) -> dict[tuple[str, str, Label], int]:
        """Mentions that touch a topic within a span, by brand, topic and label."""
        rows = self._db.read(
            "SELECT brand, topic, label, sum(n) AS n FROM topic_moods WHERE hour >= ? AND hour < ? "
            "GROUP BY brand, topic, label HAVING sum(n) > 0",
            (to_ms(since) // HOUR, -(-to_ms(until) // HOUR)),
        )
        return {(row["brand"], row["topic"], row["label"]): row["n"] for row in rows}

    def recount_topics(self, since: datetime, until: datetime) -> dict[tuple[str, str, Label], int]:
        """The same counted over the mentions themselves."""
        rows = self._db.read(
            "SELECT m.brand, t.topic, t.label, count(*) AS n FROM mention_topics t JOIN mentions m "
            "ON m.id = t.mention_id WHERE m.label IS NOT NULL AND m.hour >= ? AND m.hour < ? GROUP BY 1, 2, 3",
            (to_ms(since) // HOUR, -(-to_ms(until) // HOUR)),
        )
        return {(row["brand"], row["topic"], row["label"]): row["n"] for row in rows}

    def recount(self) -> dict[tuple[str, str], int]:
        """The same totals counted over the mentions themselves."""
        rows = self._db.read(
            "SELECT brand, label, count(*) AS n FROM mentions WHERE label IS NOT NULL GROUP BY brand, label"
        )
        return {(row["brand"], row["label"]): row["n"] for row in rows}
