"""Leaky buckets against guessing: each try fills one a little, and time empties it."""

from __future__ import annotations

from datetime import datetime, timedelta

from listener.store.engine import Connections, to_ms

HOUR = timedelta(hours=1)
_MS = 3_600_000


class Limits:
    """Counts tries.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def take(self, bucket: str, hourly: int, now: datetime) -> float:
        """Count a try unless the bucket is full, which it is after `hourly` tries at once.

        Returns:
            0 when the try was counted, else the seconds until it would be.
        """
        with self._db.transaction(durable=False):
            # By then even a full bucket has run dry.
            self._db.write("DELETE FROM limits WHERE at <= ?", (to_ms(now - HOUR),))
            level = self._level(bucket, hourly, now)
            if level + 1 > hourly:
                return max(1.0, (level + 1 - hourly) * 3600 / hourly)
            self._fill(bucket, level + 1, now)
            return 0.0

    def give_back(self, bucket: str, hourly: int, now: datetime) -> None:
        """Take a try out again, since it was no guess."""
        with self._db.transaction(durable=False):
            self._fill(bucket, max(0.0, self._level(bucket, hourly, now) - 1), now)

    def _level(self, bucket: str, hourly: int, now: datetime) -> float:
        row = self._db.one("SELECT level, at FROM limits WHERE bucket = ?", (bucket,))
        return max(0.0, float(row["level"]) - max(0, to_ms(now) - row["at"]) * hourly / _MS) if row else 0.0

    def _fill(self, bucket: str, level: float, now: datetime) -> None:
        self._db.write(
            "INSERT INTO limits (bucket, level, at) VALUES (?,?,?) "
            "ON CONFLICT (bucket) DO UPDATE SET level = excluded.level, at = excluded.at",
            (bucket, level, to_ms(now)),
        )
