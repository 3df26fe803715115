"""Customers: voices that a colleague linked. A link is ended, never deleted, so that every act can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.customer import Customer, Link, Voice
from listener.core.errors import Refused
from listener.store.engine import Connections, Row, from_ms, marks, moment, opaque_id, to_ms

CUSTOMERS = "SELECT c.*, i.public_id AS into_id FROM customers c LEFT JOIN customers i ON i.id = c.merged_into "


class Customers:
    """Makes, changes and reads customers; each writing method is called in a transaction.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def make(self, name: str, now: datetime) -> int:
        """Make a customer without voices; gives the row id."""
        rows = self._db.write(
            "INSERT INTO customers (public_id, name, created_at, changed_at) VALUES (?,?,?,?) RETURNING id",
            (opaque_id(), name, to_ms(now), to_ms(now)),
        )
        return int(rows[0]["id"])

    def link(self, customer_id: int, voice: Voice, colleague: int, now: datetime) -> int:
        """Link a voice; gives the link's row id.

        Raises:
            Refused: it is linked to a customer already.
        """
        rows = self._db.write(
            "INSERT INTO customer_voices (voice, source, realm, handle, customer_id, linked_at, linked_by) "
            "VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING RETURNING id",
            (voice.key, voice.source, voice.realm, voice.handle, customer_id, to_ms(now), colleague),
        )
        if not rows:
            raise Refused("that author belongs to a customer already")
        return int(rows[0]["id"])

    def unlink(self, link_ids: Sequence[int], now: datetime) -> None:
        """End links."""
        self._db.write(
            f"UPDATE customer_voices SET unlinked_at = ? WHERE unlinked_at IS NULL AND id IN ({marks(len(link_ids))})",
            (to_ms(now), *link_ids),
        )

    def relink(self, link_ids: Sequence[int]) -> None:
        """Bring ended links back.

        Raises:
            Refused: one of these authors was linked elsewhere since.
        """
        for link_id in link_ids:
            back = self._db.write(
                "UPDATE customer_voices SET unlinked_at = NULL WHERE id = ? AND voice NOT IN "
                "(SELECT voice FROM customer_voices WHERE unlinked_at IS NULL) RETURNING id",
                (link_id,),
            )
            if not back:
                raise Refused("that author was linked to another customer since")

    def move(self, link_ids: Sequence[int], note_ids: Sequence[int], target: int) -> None:
        """Hand links and notes to another customer."""
        for table, ids in (("customer_voices", link_ids), ("notes", note_ids)):
            self._db.write(f"UPDATE {table} SET customer_id = ? WHERE id IN ({marks(len(ids))})", (target, *ids))

    def rename(self, customer_id: int, name: str) -> None:
        """Give a customer another name; the old one is remembered."""
        self._db.write("UPDATE customers SET previous_name = name, name = ? WHERE id = ?", (name, customer_id))

    def rename_back(self, customer_id: int) -> None:
        """Give a customer back the name before the latest renaming."""
        self._db.write(
            "UPDATE customers SET name = previous_name, previous_name = NULL "
            "WHERE id = ? AND previous_name IS NOT NULL",
            (customer_id,),
        )

    def end(self, customer_id: int, now: datetime, into: int | None = None) -> None:
        """End a customer: taken apart, or merged into another."""
        self._db.write(
            "UPDATE customers SET ended_at = ?, merged_into = ? WHERE id = ?", (to_ms(now), into, customer_id)
        )

    def revive(self, customer_id: int) -> None:
        """Let a customer that ended stand again."""
        self._db.write("UPDATE customers SET ended_at = NULL, merged_into = NULL WHERE id = ?", (customer_id,))

    def touch(self, customer_id: int, now: datetime) -> Customer:
        """Count a change; gives the customer as it is after it."""
        self._db.write(
            "UPDATE customers SET version = version + 1, changed_at = ? WHERE id = ?", (to_ms(now), customer_id)
        )
        return self.get(customer_id)

    def get(self, customer_id: int) -> Customer:
        """The customer of a row id that is known to be there."""
        return self._read("WHERE c.id = ?", (customer_id,))[0]

    def find(self, public_id: str) -> Customer | None:
        """The customer behind a link, or None."""
        return next(iter(self._read("WHERE c.public_id = ?", (public_id,))), None)

    def of_voice(self, key: str) -> Customer | None:
        """The customer whom an author was linked to, by `Voice.key`; None without one."""
        return next(
            iter(
                self._read(
                    "WHERE c.id = (SELECT customer_id FROM customer_voices WHERE voice = ? AND unlinked_at IS NULL)",
                    (key,),
                )
            ),
            None,
        )

    def of_voices(self, keys: Sequence[str]) -> dict[str, str]:
        """Public ids of the customers of some authors, by `Voice.key`."""
        rows = self._db.read(
            "SELECT v.voice, c.public_id FROM customer_voices v JOIN customers c ON c.id = v.customer_id "
            f"WHERE v.unlinked_at IS NULL AND v.voice IN ({marks(len(keys))})",
            keys,
        )
        return {row["voice"]: row["public_id"] for row in rows}

    def page(self, words: str = "", limit: int = 50, offset: int = 0) -> tuple[Customer, ...]:
        """Standing customers, changed last first; with words those in whose name or handles they stand."""
        if not words:
            return self._read("WHERE c.ended_at IS NULL ORDER BY c.changed_at DESC LIMIT ? OFFSET ?", (limit, offset))
        return self._read(
            "WHERE c.ended_at IS NULL AND (c.name LIKE ? ESCAPE '!' OR c.id IN (SELECT customer_id "
            "FROM customer_voices WHERE unlinked_at IS NULL AND handle LIKE ? ESCAPE '!')) "
            "ORDER BY c.changed_at DESC LIMIT ? OFFSET ?",
            (like(words), like(words), limit, offset),
        )

    def _read(self, where: str, values: Sequence[object]) -> tuple[Customer, ...]:
        rows = self._db.read(f"{CUSTOMERS} {where}", values)
        links = self._links([row["id"] for row in rows])
        return tuple(_customer(row, links.get(row["id"], ())) for row in rows)

    def _links(self, customers: Sequence[int]) -> dict[int, tuple[Link, ...]]:
        found: dict[int, tuple[Link, ...]] = {}
        if not customers:
            return found
        for row in self._db.read(
            "SELECT v.*, k.name AS who FROM customer_voices v LEFT JOIN colleagues k ON k.id = v.linked_by "
            f"WHERE v.unlinked_at IS NULL AND v.customer_id IN ({marks(len(customers))}) ORDER BY v.id",
            customers,
        ):
            found[row["customer_id"]] = (*found.get(row["customer_id"], ()), _link(row))
        return found


def _customer(row: Row, links: tuple[Link, ...]) -> Customer:
    return Customer(
        id=row["id"],
        public_id=row["public_id"],
        name=row["name"],
        links=links,
        version=row["version"],
        created_at=moment(row["created_at"]),
        changed_at=moment(row["changed_at"]),
        ended_at=from_ms(row["ended_at"]),
        merged_into=row["into_id"],
    )


def _link(row: Row) -> Link:
    return Link(
        id=row["id"],
        voice=Voice(source=row["source"], realm=row["realm"], handle=row["handle"]),
        at=moment(row["linked_at"]),
        who=row["who"] or "",
    )


def like(words: str) -> str:
    """A pattern that finds the words anywhere."""
    escaped = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
