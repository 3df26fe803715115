"""Calls that colleagues logged: what a post cannot say of itself, and how they are taken back."""

from __future__ import annotations

from datetime import datetime

from listener.core.call import SOURCE, Call, Way
from listener.core.mention import Mention
from listener.store.engine import Connections, Row, from_ms, moment, to_ms
from listener.store.mentions import SELECT, mention_of

CALLS = (
    "SELECT l.*, p.title, p.text, p.handle, m.id AS mention_id, m.label, m.step, k.name AS who, c.public_id AS case_id "
    "FROM calls l JOIN posts p ON p.id = l.post_id JOIN mentions m ON m.post_id = l.post_id AND m.brand = l.brand "
    "JOIN colleagues k ON k.id = l.colleague_id LEFT JOIN case_mentions j ON j.mention_id = m.id "
    "LEFT JOIN cases c ON c.id = j.case_id "
)
_RECENT = 200


class Calls:
    """Keeps and reads calls; each writing method is called in a transaction.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(
        self, post_id: int, *, brand: str, way: Way, call_back: bool, colleague: int, event: int, now: datetime
    ) -> None:
        """Keep what is known of a call beside its post."""
        self._db.write(
            "INSERT INTO calls (post_id, brand, way, call_back, colleague_id, event_id, at) VALUES (?,?,?,?,?,?,?)",
            (post_id, brand, way, int(call_back), colleague, event, to_ms(now)),
        )

    def find(self, external_id: str) -> Call | None:
        """The call with the external id of its post, or None."""
        return self._one(
            "WHERE l.post_id = (SELECT id FROM posts WHERE source = ? AND realm = '' AND external_id = ?)",
            SOURCE, external_id,
        )  # fmt: skip

    def get(self, post_id: int) -> Call | None:
        """The call of a post, or None."""
        return self._one("WHERE l.post_id = ?", post_id)

    def latest(self, colleague: int, limit: int = 5) -> tuple[Call, ...]:
        """What a colleague logged, newest first."""
        rows = self._db.read(f"{CALLS} WHERE l.colleague_id = ? ORDER BY l.post_id DESC LIMIT ?", (colleague, limit))
        return tuple(_call(row) for row in rows)

    def of_case(self, case_id: int, limit: int = 50) -> tuple[Call, ...]:
        """The calls in a case, newest first."""
        rows = self._db.read(
            f"{CALLS} WHERE m.id IN (SELECT mention_id FROM case_mentions WHERE case_id = ?) "
            "ORDER BY l.post_id DESC LIMIT ?",
            (case_id, limit),
        )
        return tuple(_call(row) for row in rows)

    def topics(self, limit: int = 12) -> tuple[str, ...]:
        """What the latest calls were about, newest first, each once."""
        rows = self._db.read(
            "SELECT p.title FROM calls l JOIN posts p ON p.id = l.post_id WHERE l.gone_at IS NULL "
            "ORDER BY l.post_id DESC LIMIT ?",
            (_RECENT,),
        )
        return tuple(dict.fromkeys(row["title"] for row in rows if row["title"]))[:limit]

    def mentions(self, post_id: int) -> tuple[Mention, ...]:
        """The mentions of a call: of the brand it was logged under, and of those its words name."""
        return tuple(mention_of(row) for row in self._db.read(f"{SELECT} WHERE m.post_id = ?", (post_id,)))

    def withdraw(self, mention_id: int, why: str) -> None:
        """Let nothing more happen to a mention."""
        self._db.write(
            "UPDATE mentions SET step = NULL, lease_until = 0, attempts = 0, last_error = NULL, routes = '', "
            "routed_why = ? WHERE id = ?",
            (why, mention_id),
        )

    def part(self, mention_id: int) -> None:
        """Take a mention out of its case."""
        self._db.write("DELETE FROM case_mentions WHERE mention_id = ?", (mention_id,))

    def take_back(self, post_id: int, now: datetime) -> None:
        """Remember that a call was taken back."""
        self._db.write("UPDATE calls SET gone_at = ? WHERE post_id = ?", (to_ms(now), post_id))

    def _one(self, where: str, *values: object) -> Call | None:
        row = self._db.one(f"{CALLS} {where}", values)
        return _call(row) if row else None


def _call(row: Row) -> Call:
    return Call(
        post_id=row["post_id"],
        mention_id=row["mention_id"],
        brand=row["brand"],
        topic=row["title"],
        words=row["text"],
        way=row["way"],
        customer=row["handle"],
        call_back=bool(row["call_back"]),
        mood=row["label"],
        who=row["who"],
        colleague=row["colleague_id"],
        at=moment(row["at"]),
        event=row["event_id"],
        waiting=row["step"] in {"judge", "route"},
        case=row["case_id"],
        gone_at=from_ms(row["gone_at"]),
    )
