"""Judging again what was judged before: how far it got, what it changed, and the writing of a portion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from listener.core.mention import Mention
from listener.core.rescore import Rescore, Scope, Shift, state_of
from listener.core.sentiment import Label, Sentiment
from listener.core.topic import as_settled
from listener.core.work import Judged
from listener.store.corrections import A_PERSON, settled
from listener.store.engine import Connections, Row, from_ms, marks, moment, to_ms
from listener.store.judged import keep_verdicts, recount
from listener.store.mentions import SELECT, mention_of
from listener.store.topics import keep_topics

HOUR = 3_600_000

JUDGED = (
    "m.id > ? AND m.id <= ? AND m.step IS NULL AND (m.label IS NOT NULL OR EXISTS (SELECT 1 FROM corrections k "
    "WHERE k.mention_id = m.id AND k.gone_at IS NULL AND k.fingerprint = m.fingerprint))"
)
"""What was judged before: what waits to be judged is judged anyway, and what is not about us keeps no label."""

Change = Mapping[tuple[str, str, str], int]
"""Mentions that changed, by brand, state before and state after."""


class Rescores:
    """Keeps rescores.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def begin(self, scorer: str, scope: Scope, now: datetime) -> Rescore:
        """Begin one; an unfinished one of the same scorer and scope goes on instead, any other ends where it stands."""
        with self._db.transaction():
            running = self.unfinished()
            if running is not None and (running.scorer, running.scope) == (scorer, scope):
                return running
            if running is not None:
                self.finish(running, now)
            last = int(self._db.read("SELECT coalesce(max(id), 0) FROM mentions")[0][0])
            tests, values = _tests(scope, scorer)
            whole = self._db.read(f"SELECT count(*) AS n FROM mentions m WHERE {tests}", [0, last, *values])[0]["n"]
            rows = self._db.write(
                "INSERT INTO rescores (scorer, brand, since, until, changed_only, began_at, whole, last) "
                "VALUES (?,?,?,?,?,?,?,?) RETURNING *",
                (
                    scorer, scope.brand, scope.since and to_ms(scope.since), scope.until and to_ms(scope.until),
                    int(scope.changed_only), to_ms(now), whole, last,
                ),
            )  # fmt: skip
            return _rescore(rows[0])

    def unfinished(self) -> Rescore | None:
        """The one that goes on, or None."""
        row = self._db.one("SELECT * FROM rescores WHERE finished_at IS NULL")
        return _rescore(row) if row else None

    def get(self, rescore_id: int) -> Rescore:
        """The rescore of a row id that is known to be there."""
        return _rescore(self._db.read("SELECT * FROM rescores WHERE id = ?", (rescore_id,))[0])

    def attempt(self, running: Rescore) -> Rescore:
        """Count a try of the next portion, before it begins; a process that ends within it leaves the count."""
        self._db.write("UPDATE rescores SET tries = tries + 1 WHERE id = ?", (running.id,))
        return replace(running, tries=running.tries + 1)

    def spare(self, running: Rescore) -> None:
        """Take a try back that was no fault of the texts."""
        self._db.write("UPDATE rescores SET tries = max(0, tries - 1) WHERE id = ?", (running.id,))

    def take(self, running: Rescore, limit: int) -> tuple[Mention, ...]:
        """The next mentions, in the order in which they came."""
        tests, values = _tests(running.scope, running.scorer)
        rows = self._db.read(
            f"{SELECT} WHERE {tests} ORDER BY m.id LIMIT ?", [running.reached, running.last, *values, limit]
        )
        return tuple(mention_of(row) for row in rows)

    def still(self, running: Rescore, mentions: Sequence[Mention]) -> tuple[Mention, ...] | None:
        """Those that are as they were read; None when another got there first. In the transaction that writes them."""
        now = self.unfinished()
        if now is None or (now.id, now.reached) != (running.id, running.reached):
            return None
        rows = self._db.read(
            f"SELECT id, fingerprint FROM mentions WHERE step IS NULL AND id IN ({marks(len(mentions))})",
            [mention.id for mention in mentions],
        )
        known = {(row["id"], row["fingerprint"]) for row in rows}
        return tuple(mention for mention in mentions if (mention.id, mention.fingerprint) in known)

    def rejudged(self, judged: Sequence[Judged], standing: Mapping[int, Label | None], now: datetime) -> Change:
        """Store verdicts and sentiments and recount, in a transaction; neither step nor routes change.

        Args:
            judged: with the sentiments that the scorer finds, whatever a colleague said.
            standing: corrections in force, by mention id: these stay, and what they stand before becomes the new one.
            now: the present.

        Returns:
            How many went from which state to which.
        """
        keep_verdicts(self._db, judged, now)
        keep_topics(self._db, [_shown(each, standing) for each in judged if _is_ours(each, standing)])
        free = [each for each in judged if each.mention.id not in standing]
        shifts = Counter(
            (each.mention.brand, _state(each.mention.sentiment), _state(each.sentiment))
            for each in free
            if _state(each.mention.sentiment) != _state(each.sentiment)
        )
        recount(self._db, free)
        self._db.write_many(
            "UPDATE mentions SET label = ?, score = ?, confidence = ?, certainty = ?, scorer = ?, language = ? "
            "WHERE id = ?",
            [
                (*_columns(each.sentiment), each.verdict.language, each.mention.id)
                for each in free
            ],
        )  # fmt: skip
        self._db.write_many(
            "UPDATE corrections SET was_label = ?, was_score = ?, was_confidence = ?, was_certainty = ?, "
            "was_scorer = ? WHERE mention_id = ? AND gone_at IS NULL AND was_scorer <> ?",
            [
                (*_columns(each.sentiment), each.mention.id, A_PERSON)
                for each in judged
                if each.mention.id in standing
            ],
        )  # fmt: skip
        return shifts

    def advance(self, running: Rescore, reached: int, done: int, change: Change) -> Rescore:
        """Remember how far it got, in the transaction that changed the mentions."""
        rows = self._db.write(
            "UPDATE rescores SET reached = ?, done = done + ?, changed = changed + ?, tries = 0 WHERE id = ? "
            "RETURNING *",
            (reached, done, sum(change.values()), running.id),
        )
        self._db.write_many(
            "INSERT INTO rescore_shifts (rescore_id, brand, was, became, n) VALUES (?,?,?,?,?) "
            "ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(running.id, *key, n) for key, n in change.items()],
        )
        return _rescore(rows[0])

    def finish(self, running: Rescore, now: datetime) -> Rescore:
        """End it."""
        rows = self._db.write("UPDATE rescores SET finished_at = ? WHERE id = ? RETURNING *", (to_ms(now), running.id))
        return _rescore(rows[0])

    def shifts(self, rescore_id: int) -> tuple[Shift, ...]:
        """What a rescore changed, by brand, the most mentions first."""
        rows = self._db.read(
            "SELECT * FROM rescore_shifts WHERE rescore_id = ? ORDER BY brand, n DESC, was, became", (rescore_id,)
        )
        return tuple(Shift(brand=row["brand"], before=row["was"], after=row["became"], n=row["n"]) for row in rows)

    def marked(self, since: datetime, until: datetime) -> tuple[Rescore, ...]:
        """Rescores that changed something and began within a span, oldest first."""
        rows = self._db.read(
            "SELECT * FROM rescores WHERE changed > 0 AND began_at >= ? AND began_at < ? ORDER BY id",
            (to_ms(since), to_ms(until)),
        )
        return tuple(_rescore(row) for row in rows)


def _tests(scope: Scope, scorer: str) -> tuple[str, list[object]]:
    """Which mentions, as a condition after the two ids between which they stand."""
    since = None if scope.since is None else to_ms(scope.since) // HOUR
    until = None if scope.until is None else -(-to_ms(scope.until) // HOUR)
    unread = (
        "NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.post_id = m.post_id AND v.fingerprint = m.fingerprint "
        "AND v.scorer = ?)"
    )
    asked = {
        "m.brand = ?": scope.brand, "m.hour >= ?": since, "m.hour < ?": until,
        unread: scorer if scope.changed_only else None,
    }  # fmt: skip
    said = {test: value for test, value in asked.items() if value is not None}
    return " AND ".join((JUDGED, *said)), list(said.values())


def _is_ours(judged: Judged, standing: Mapping[int, Label | None]) -> bool:
    """Whether nobody said that the mention is not about us; such a one touches no topic."""
    return standing.get(judged.mention.id, "") is not None


def _shown(judged: Judged, standing: Mapping[int, Label | None]) -> Judged:
    """What the mention shows afterwards: where a colleague settled the label, topics follow that."""
    label = standing.get(judged.mention.id)
    return judged if label is None else replace(judged, topics=as_settled(judged.topics, settled(label)))


def _state(sentiment: Sentiment | None) -> str:
    return state_of(sentiment.label, sentiment.certainty) if sentiment else "not judged"


def _columns(sentiment: Sentiment) -> tuple[object, ...]:
    return sentiment.label, sentiment.score, sentiment.confidence, sentiment.certainty, sentiment.scorer


def _rescore(row: Row) -> Rescore:
    return Rescore(
        id=row["id"],
        scorer=row["scorer"],
        scope=Scope(
            brand=row["brand"],
            since=from_ms(row["since"]),
            until=from_ms(row["until"]),
            changed_only=bool(row["changed_only"]),
        ),
        began_at=moment(row["began_at"]),
        finished_at=from_ms(row["finished_at"]),
        whole=row["whole"],
        done=row["done"],
        changed=row["changed"],
        tries=row["tries"],
        reached=row["reached"],
        last=row["last"],
    )
