"""Remedies, the kinds there are, and the allowances."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from listener.core.colleague import Colleague, Role
from listener.core.remedy import Remedy, RemedyState, Weighed, Wish
from listener.core.remedy_figures import Entry, Tally
from listener.core.remedy_terms import Allowances, Kind
from listener.core.route import Severity
from listener.store.engine import Connections, Row, from_ms, moment, opaque_id, to_ms

_SELECT = "SELECT r.*, k.name AS kind FROM remedies r JOIN remedy_kinds k ON k.id = r.kind_id"
_ENTRIES = (
    "SELECT r.*, k.name AS kind, c.public_id AS in_case, c.headline, c.brand FROM remedies r "
    "JOIN remedy_kinds k ON k.id = r.kind_id JOIN cases c ON c.id = r.case_id"
)


class Remedies:
    """Keeps and reads remedies; each writing method is called in a transaction.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(
        self, case: int, wanted: Wish, weighed: Weighed, by: Colleague, severity: Severity, key: str, now: datetime
    ) -> Remedy:
        """Keep a new remedy, promised or proposed."""
        at = to_ms(now)
        rows = self._db.write(
            "INSERT INTO remedies (public_id, key, case_id, kind_id, cents, what, state, given_by, role, severity, at, "
            "counted_at, why, outcome) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'','') RETURNING id",
            (
                opaque_id(), key, case, wanted.kind.id, wanted.cents, wanted.what, weighed.state, by.id, by.role,
                severity, at, at,
            ),
        )  # fmt: skip
        return self.get(rows[0]["id"])

    def change(self, remedy: Remedy) -> Remedy:
        """Store a new state of a remedy."""
        self._db.write(
            "UPDATE remedies SET state = ?, counted_at = ?, decided_by = ?, decided_at = ?, why = ?, outcome = ?, "
            "done_at = ? WHERE id = ?",
            (
                remedy.state, to_ms(remedy.counted_at), remedy.decided_by, _ms(remedy.decided_at), remedy.why,
                remedy.outcome, _ms(remedy.done_at), remedy.id,
            ),
        )  # fmt: skip
        return self.get(remedy.id)

    def get(self, remedy_id: int) -> Remedy:
        """The remedy of a row id that is known to be there."""
        row = self._db.one(f"{_SELECT} WHERE r.id = ?", (remedy_id,))
        assert row is not None
        return remedy_of(row)

    def find(self, public_id: str) -> Remedy | None:
        """The remedy behind a link."""
        row = self._db.one(f"{_SELECT} WHERE r.public_id = ?", (public_id,))
        return remedy_of(row) if row else None

    def known(self, colleague: int, key: str) -> Remedy | None:
        """What a colleague gave by a form that was sent before."""
        row = self._db.one(f"{_SELECT} WHERE r.given_by = ? AND r.key = ?", (colleague, key))
        return remedy_of(row) if row else None

    def of_case(self, case_id: int) -> tuple[Remedy, ...]:
        """The remedies of a case and of those that were merged into it, oldest first."""
        rows = self._db.read(
            "WITH RECURSIVE joined(id) AS (SELECT ? UNION SELECT c.id FROM joined j JOIN cases c "
            f"ON c.merged_into = j.id) {_SELECT} WHERE r.case_id IN (SELECT id FROM joined) ORDER BY r.id",
            (case_id,),
        )
        return tuple(remedy_of(row) for row in rows)

    def waiting(self, limit: int = 100) -> tuple[Entry, ...]:
        """Those that wait for a decision, the oldest first."""
        rows = self._db.read(f"{_ENTRIES} WHERE r.state = 'proposed' ORDER BY r.at, r.id LIMIT ?", (limit,))
        return tuple(_entry(row) for row in rows)

    def page(self, since: datetime, until: datetime, limit: int = 100, offset: int = 0) -> tuple[Entry, ...]:
        """Those that count in a span, newest first."""
        rows = self._db.read(
            f"{_ENTRIES} WHERE r.counted_at >= ? AND r.counted_at < ? "
            "ORDER BY r.counted_at DESC, r.id DESC LIMIT ? OFFSET ?",
            (to_ms(since), to_ms(until), limit, offset),
        )
        return tuple(_entry(row) for row in rows)

    def tallies(self, since: datetime, until: datetime) -> tuple[Tally, ...]:
        """How many there are in a span, and what they cost, by kind, role and state."""
        rows = self._db.read(
            "SELECT k.name AS kind, r.role, r.state, count(*) AS n, sum(r.cents) AS cents FROM remedies r "
            "JOIN remedy_kinds k ON k.id = r.kind_id WHERE r.counted_at >= ? AND r.counted_at < ? "
            "GROUP BY r.kind_id, r.role, r.state",
            (to_ms(since), to_ms(until)),
        )
        return tuple(
            Tally(kind=row["kind"], role=row["role"], state=row["state"], n=row["n"], cents=row["cents"])
            for row in rows
        )

    def any(self) -> bool:
        """Whether anything was ever given or proposed."""
        return self._db.one("SELECT 1 FROM remedies LIMIT 1") is not None

    # The terms.

    def kinds(self) -> tuple[Kind, ...]:
        """Every kind, those that may be given first, in the order in which they were made."""
        rows = self._db.read("SELECT * FROM remedy_kinds ORDER BY active DESC, id")
        return tuple(_kind(row) for row in rows)

    def add_kind(self, name: str, usual: int | None) -> Kind:
        """Keep a new kind; its name is known to be free."""
        rows = self._db.write("INSERT INTO remedy_kinds (name, usual) VALUES (?, ?) RETURNING *", (name, usual))
        return _kind(rows[0])

    def change_kind(self, kind: Kind) -> None:
        """Store a kind as it shall be; its name is known to be free."""
        self._db.write(
            "UPDATE remedy_kinds SET name = ?, usual = ?, active = ? WHERE id = ?",
            (kind.name, kind.usual, int(kind.active), kind.id),
        )

    def allowances(self) -> Allowances:
        """How much each role gives without asking, and in which currency."""
        found: Mapping[tuple[Role, Severity], int] = {
            (row["role"], row["severity"]): row["cents"] for row in self._db.read("SELECT * FROM allowances")
        }
        code = self._db.read("SELECT code FROM remedy_currency WHERE id = 1")[0]["code"]
        return Allowances(cents=found, currency=code)

    def allow(self, role: Role, severity: Severity, cents: int) -> None:
        """Set an allowance."""
        self._db.write(
            "INSERT INTO allowances (role, severity, cents) VALUES (?, ?, ?) "
            "ON CONFLICT (role, severity) DO UPDATE SET cents = excluded.cents",
            (role, severity, cents),
        )

    def set_currency(self, code: str) -> None:
        """Set what the cents are hundredths of."""
        self._db.write("UPDATE remedy_currency SET code = ? WHERE id = 1", (code,))


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _kind(row: Row) -> Kind:
    return Kind(id=row["id"], name=row["name"], usual=row["usual"], active=bool(row["active"]))


def _entry(row: Row) -> Entry:
    return Entry(remedy=remedy_of(row), case=row["in_case"], headline=row["headline"], brand=row["brand"])


def remedy_of(row: Row) -> Remedy:
    """The remedy in a row of the table, joined with its kind."""
    state: RemedyState = row["state"]
    return Remedy(
        id=row["id"],
        public_id=row["public_id"],
        case=row["case_id"],
        kind=row["kind"],
        cents=row["cents"],
        what=row["what"],
        state=state,
        given_by=row["given_by"],
        role=row["role"],
        severity=row["severity"],
        at=moment(row["at"]),
        counted_at=moment(row["counted_at"]),
        decided_by=row["decided_by"],
        decided_at=from_ms(row["decided_at"]),
        why=row["why"],
        outcome=row["outcome"],
        done_at=from_ms(row["done_at"]),
    )
