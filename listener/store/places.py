"""Places: cursor, schedule, failure streak, and the ledger of what each poll brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from listener.core.place import PlaceHealth, PlaceTurn
from listener.core.query import Cursor, Place
from listener.store.engine import Connections, Row, from_ms, to_ms

LEASE = timedelta(minutes=2)


class Places:
    """What is remembered of the configured places.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def sync(self, places: Sequence[Place], now: datetime) -> None:
        """Make the table agree with the configuration; what was learnt of a place outlives its absence."""
        with self._db.transaction():
            # Streams are held by a process; whoever held them before is gone or about to begin anew.
            self._db.write("UPDATE places SET enabled = 0, step = NULL, listening_since = NULL, not_listening = NULL")
            for place in places:
                step = "poll" if place.enabled else None
                self._db.write(
                    "INSERT INTO places (name, source, enabled, step, due_at) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled, step = excluded.step, "
                    # Another kind of source cannot read the old cursor, and all that it brings first is history.
                    "cursor = CASE WHEN source = excluded.source THEN cursor END, "
                    "first_polled_at = CASE WHEN source = excluded.source THEN first_polled_at END, "
                    "source = excluded.source",
                    (place.name, place.source, place.enabled, step, to_ms(now)),
                )

    def turn(self, name: str) -> PlaceTurn:
        """What a poll of a known place needs to know, due or not."""
        row = self._db.read(
            "SELECT name, cursor, first_polled_at, failures, down_since FROM places WHERE name = ?", (name,)
        )[0]
        return _turn_of(row)

    def claim(self, limit: int, now: datetime) -> tuple[PlaceTurn, ...]:
        """Take places that are due, longest overdue first; a crash returns them when the lease ends."""
        due = "step = 'poll' AND due_at <= ? AND lease_until <= ?"
        if not self._db.read(f"SELECT 1 FROM places WHERE {due} LIMIT 1", (to_ms(now),) * 2):
            return ()
        rows = self._db.write(
            "UPDATE places SET lease_until = ?, attempts = attempts + 1 WHERE name IN "
            f"(SELECT name FROM places WHERE {due} ORDER BY due_at LIMIT ?) "
            "RETURNING name, cursor, first_polled_at, failures, down_since",
            (to_ms(now + LEASE), to_ms(now), to_ms(now), limit),
        )
        return tuple(_turn_of(row) for row in rows)

    def polled(
        self, name: str, *, cursor: Cursor | None, more: bool, keep: bool, due: datetime, posts: int, gap: str | None,
        now: datetime,
    ) -> None:  # fmt: skip
        """Record an answer; call it in the transaction that stores the answer's posts.

        Args:
            name: the place.
            cursor: the place reached; None keeps the old one.
            more: the walk is not at its end, so the first poll is not over.
            keep: the caller goes on with the next page, so the lease is renewed rather than ended.
            due: when to ask again.
            posts: how many posts the answer held.
            gap: why posts may be missing, or None.
            now: the present.
        """
        at = to_ms(now)
        self._db.write(
            "UPDATE places SET cursor = coalesce(?, cursor), polled_at = ?, due_at = ?, lease_until = ?, attempts = 0, "
            "failures = 0, down_since = NULL, last_error = NULL, "
            "first_polled_at = CASE WHEN ? THEN first_polled_at ELSE coalesce(first_polled_at, ?) END, "
            "nonempty_at = CASE WHEN ? > 0 THEN ? ELSE nonempty_at END, "
            "gap = coalesce(?, gap), gap_at = CASE WHEN ? IS NULL THEN gap_at ELSE ? END WHERE name = ?",
            (cursor, at, to_ms(due), to_ms(now + LEASE) if keep else 0, more, at, posts, at, gap, gap, at, name),
        )

    def failed(self, name: str, *, error: str, due: datetime, now: datetime) -> None:
        """Record a failed poll and when to try again; cursor and posts stay as they are."""
        self._db.write(
            "UPDATE places SET due_at = ?, lease_until = 0, failures = failures + 1, last_error = ?, "
            "down_since = coalesce(down_since, ?) WHERE name = ?",
            (to_ms(due), error[:1000], to_ms(now), name),
        )

    def hasten(self, name: str, now: datetime) -> bool:
        """Make a place due now, for it has news; False while it is being polled, or down and waits its time."""
        return bool(
            self._db.write(
                "UPDATE places SET due_at = min(due_at, ?) "
                "WHERE name = ? AND step = 'poll' AND lease_until <= ? AND down_since IS NULL RETURNING name",
                (to_ms(now), name, to_ms(now)),
            )
        )

    def listens(self, name: str, *, since: datetime | None, why: str | None) -> None:
        """Record since when all streams of a place stand, or why one does not."""
        self._db.write(
            "UPDATE places SET listening_since = ?, not_listening = ? WHERE name = ?",
            (None if since is None else to_ms(since), why and why[:1000], name),
        )

    def tally(self, place: str, counts: Mapping[str, int]) -> None:
        """Add to the ledger of outcomes of a place."""
        self._db.write_many(
            "INSERT INTO tallies (place, outcome, n) VALUES (?, ?, ?) "
            "ON CONFLICT (place, outcome) DO UPDATE SET n = n + excluded.n",
            [(place, outcome, n) for outcome, n in counts.items() if n],
        )

    def release(self) -> None:
        """Return every lease: the process that held them is gone."""
        self._db.write("UPDATE places SET lease_until = 0 WHERE lease_until > 0")

    def standing(self) -> tuple[int, int]:
        """How many places are polled, and how many of them are down."""
        row = self._db.read("SELECT count(*) AS n, count(down_since) AS down FROM places WHERE enabled")[0]
        return row["n"], row["down"]

    def health(self) -> tuple[PlaceHealth, ...]:
        """How each place fares, by name."""
        tallies: dict[str, dict[str, int]] = {}
        for row in self._db.read("SELECT place, outcome, n FROM tallies"):
            tallies.setdefault(row["place"], {})[row["outcome"]] = row["n"]
        held = {
            row["place"]: (row["n"], row["complaints"])
            for row in self._db.read(
                "SELECT place, count(*) AS n, sum(label = 'negative') AS complaints FROM mentions "
                "WHERE arrival = 'backfill' GROUP BY place"
            )
        }
        return tuple(
            PlaceHealth(
                name=row["name"],
                source=row["source"],
                enabled=bool(row["enabled"]),
                polled_at=from_ms(row["polled_at"]),
                nonempty_at=from_ms(row["nonempty_at"]),
                due_at=from_ms(row["due_at"]),
                failures=row["failures"],
                down_since=from_ms(row["down_since"]),
                last_error=row["last_error"],
                gap=row["gap"],
                listening_since=from_ms(row["listening_since"]),
                not_listening=row["not_listening"],
                tallies=tallies.get(row["name"], {}),
                held_back=held.get(row["name"], (0, 0))[0],
                held_back_complaints=held.get(row["name"], (0, 0))[1] or 0,
            )
            for row in self._db.read("SELECT * FROM places ORDER BY name")
        )

    def import_offset(self, digest: str, place: str) -> tuple[int, int]:
        """Byte offset and rows of a file already imported to a place; (0, 0) for a new one."""
        row = self._db.one("SELECT offset, rows FROM imports WHERE digest = ? AND place = ?", (digest, place))
        return (row["offset"], row["rows"]) if row else (0, 0)

    def imported(self, digest: str, place: str, offset: int, rows: int) -> None:
        """Record how far a file was imported; call it in the transaction that stores the rows."""
        self._db.write(
            "INSERT INTO imports (digest, place, offset, rows) VALUES (?, ?, ?, ?) ON CONFLICT (digest, place) "
            "DO UPDATE SET offset = excluded.offset, rows = excluded.rows",
            (digest, place, offset, rows),
        )


def _turn_of(row: Row) -> PlaceTurn:
    return PlaceTurn(
        name=row["name"],
        cursor=row["cursor"] and Cursor(row["cursor"]),
        first_poll=row["first_polled_at"] is None,
        failures=row["failures"],
        down_since=from_ms(row["down_since"]),
    )
