"""What the inbox is cut by: colleagues' saved views, how many cases there are, and what was lately said of a brand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from listener.core.case import Status
from listener.core.view import SavedView
from listener.store.engine import Connections, marks, to_ms

BATCH = 500


class Views:
    """Keeps saved views and counts what the inbox lists.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def put(self, colleague: int, view: SavedView) -> None:
        """Keep a view; one of the same name is replaced."""
        self._db.write(
            "INSERT INTO views (colleague_id, name, query) VALUES (?,?,?) "
            "ON CONFLICT (colleague_id, name) DO UPDATE SET query = excluded.query",
            (colleague, view.name, view.query),
        )

    def remove(self, colleague: int, name: str) -> bool:
        """Drop a view; False when there was none."""
        return bool(
            self._db.write("DELETE FROM views WHERE colleague_id = ? AND name = ? RETURNING id", (colleague, name))
        )

    def of(self, colleague: int) -> tuple[SavedView, ...]:
        """A colleague's views, in the order in which they were made."""
        rows = self._db.read("SELECT name, query FROM views WHERE colleague_id = ? ORDER BY id", (colleague,))
        return tuple(SavedView(name=row["name"], query=row["query"]) for row in rows)

    def tally(self, statuses: Sequence[Status]) -> dict[tuple[str, str, str, int | None], int]:
        """How many cases there are by status, brand, severity and row id of the colleague who has them."""
        rows = self._db.read(
            "SELECT status, brand, severity, assignee_id, count(*) AS n FROM cases "
            f"WHERE mentions >= 0 AND status IN ({marks(len(statuses))}) GROUP BY 1, 2, 3, 4",
            statuses,
        )
        return {(row["status"], row["brand"], row["severity"], row["assignee_id"]): row["n"] for row in rows}

    def said(self, brand: str, since: datetime, limit: int) -> Iterator[tuple[str, str]]:
        """Place and words of a brand's newest mentions since a time, newest first, at most `limit` of all brands'."""
        below, left = 2**62, limit
        while left > 0:
            # In portions, so that no read holds a long list and the newest end of the table is all that is touched.
            rows = self._db.read(
                "SELECT m.id, m.brand, m.seen_at, m.place, p.title, p.text FROM mentions m JOIN posts p "
                "ON p.id = m.post_id WHERE m.id < ? ORDER BY m.id DESC LIMIT ?",
                (below, min(BATCH, left)),
            )
            for row in rows:
                if row["brand"] == brand and row["seen_at"] >= to_ms(since):
                    yield row["place"], f"{row['title']}\n{row['text']}" if row["title"] else row["text"]
            if len(rows) < BATCH:
                return
            below, left = rows[-1]["id"], left - len(rows)
