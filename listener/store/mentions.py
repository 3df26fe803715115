"""Mentions on their way through the steps: claim, judged, routed, failed, dead; and the rollup that counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from listener.core.mention import Mention
from listener.core.sentiment import Probabilities, Sentiment, Verdict
from listener.core.topic import as_settled
from listener.core.work import DeadRow, Judged, Routed, Step
from listener.store.corrections import Corrections, settled
from listener.store.engine import Connections, Row, marks, moment, to_ms
from listener.store.judged import keep_verdicts, recount
from listener.store.posts import POST_COLUMNS, post_of
from listener.store.topics import keep_topics
from listener.store.vectors import STALE

LEASE = timedelta(minutes=5)
"""Longer than any batch takes; a process that dies has its leases returned at the next start, not after this."""

TRIES = 3
"""Judging runs native code: after so many tries a mention is dead."""

_FOUND = "(SELECT group_concat(t.topic, char(10)) FROM mention_topics t WHERE t.mention_id = m.id)"
SELECT = (
    "SELECT m.id, m.post_id, m.brand, m.place, m.queries, m.words, m.fingerprint, m.seen_at, m.arrival, "
    "m.arrival_reason, m.previous, m.fell, m.attempts, m.label, m.score, m.confidence, m.certainty, m.scorer, "
    f"{POST_COLUMNS}, m.language, m.routes, m.routed_why, m.routed_with, m.step, m.last_error, "
    f"{_FOUND} AS topics "
    "FROM mentions m JOIN posts p ON p.id = m.post_id "
)
"""Mentions with their posts, in the order `mention_of()` takes them; a condition follows."""


def mention_of(row: Row) -> Mention:
    """The mention in a row of SELECT."""
    (
        mention_id, post_id, brand, place, queries, words, fingerprint, seen_at, arrival, why, previous, fell,
        attempts, label, score, confidence, certainty, scorer,
    ) = row[:18]  # fmt: skip
    judged = label is not None
    return Mention(
        id=mention_id,
        post_id=post_id,
        post=post_of(row, 18),
        brand=brand,
        place=place,
        queries=tuple(queries.split("\n")) if queries else (),
        words=tuple(words.split("\n")) if words else (),
        fingerprint=fingerprint,
        seen_at=moment(seen_at),
        arrival=arrival,
        arrival_reason=why,
        sentiment=Sentiment(label=label, score=score, confidence=confidence, certainty=certainty, scorer=scorer)
        if judged
        else None,
        previous=previous,
        fell=bool(fell),
        attempts=attempts,
        topics=tuple(row["topics"].split("\n")) if row["topics"] else (),
    )


class Mentions:
    """Reads and moves mentions.

    Args:
        db: the connections.
        corrections: labels that people settled.
    """

    def __init__(self, db: Connections, corrections: Corrections) -> None:
        """Keep the parts."""
        self._db = db
        self._corrections = corrections

    def claim(self, step: Step, limit: int, now: datetime) -> tuple[Mention, ...]:
        """Take mentions that wait in a step; the attempt is counted before the work begins.

        Args:
            step: "judge" or "route".
            limit: most mentions of a batch.
            now: the present.

        Returns:
            A batch of fresh mentions, most urgent and newest first; or a single one that failed before, so that of
            a batch that died only the guilty row fails again. Rows out of tries are moved to `dead` on the way.
        """
        ids = self._claim_retry(step, now) or self._claim_fresh(step, limit, now)
        if not ids:
            return ()
        # Judging finds the topics anew.
        select = SELECT.replace(_FOUND, "NULL") if step == "judge" else SELECT
        found = {row["id"]: row for row in self._db.read(f"{select}WHERE m.id IN ({marks(len(ids))})", ids)}
        return tuple(mention_of(found[mention_id]) for mention_id in ids if mention_id in found)

    def _claim_fresh(self, step: Step, limit: int, now: datetime) -> list[int]:
        waiting = "step = ? AND attempts = 0 AND due_at <= ? AND lease_until <= ?"
        at = to_ms(now)
        if not self._db.read(f"SELECT 1 FROM mentions WHERE {waiting} LIMIT 1", (step, at, at)):
            return []
        with self._db.transaction(durable=False):
            rows = self._db.write(
                "UPDATE mentions SET lease_until = ?, attempts = 1 WHERE id IN "
                f"(SELECT id FROM mentions WHERE {waiting} ORDER BY priority, id DESC LIMIT ?) RETURNING priority, -id",
                (to_ms(now + LEASE), step, at, at, limit),
            )
        return [-last for _, last in sorted(map(tuple, rows))]

    def _claim_retry(self, step: Step, now: datetime) -> list[int]:
        waiting = "step = ? AND attempts > 0 AND due_at <= ? AND lease_until <= ?"
        at = to_ms(now)
        found = self._db.one(
            f"SELECT id, attempts FROM mentions WHERE {waiting} ORDER BY attempts, due_at LIMIT 1",
            (step, at, at),
        )
        if found is None:
            return []
        if found["attempts"] >= TRIES:
            self.bury([found["id"]], step, "the process ended while it was worked on")
            return self._claim_retry(step, now)
        with self._db.transaction(durable=False):
            rows = self._db.write(
                "UPDATE mentions SET lease_until = ?, attempts = attempts + 1 WHERE id = ? RETURNING id",
                (to_ms(now + LEASE), found["id"]),
            )
        return [row[0] for row in rows]

    def unclaim(self, mentions: Sequence[Mention], due: datetime, error: str) -> None:
        """Return mentions whose batch failed; they are tried again one by one, not before `due`."""
        self._db.write_many(
            "UPDATE mentions SET lease_until = 0, due_at = ?, last_error = ? WHERE id = ? AND fingerprint = ?",
            [(to_ms(due), error[:1000], m.id, m.fingerprint) for m in mentions],
        )

    def give_back(self, mentions: Sequence[Mention]) -> None:
        """Return mentions untried: the daemon stops, or the scorer is not available at all."""
        self._db.write_many(
            "UPDATE mentions SET lease_until = 0, attempts = attempts - 1 WHERE id = ? AND attempts > 0",
            [(m.id,) for m in mentions],
        )

    def bury(self, ids: Sequence[int], step: Step, error: str) -> None:
        """Give up on mentions: they end in `dead`, from where `listener dead` can send them back.

        Args:
            ids: their row ids.
            step: the step that failed.
            error: why, where no earlier try left a reason.
        """
        self._db.write_many(
            "UPDATE mentions SET step = 'dead', lease_until = 0, "
            "last_error = ? || ': ' || coalesce(last_error, ?) WHERE id = ?",
            [(step, error[:1000], mention_id) for mention_id in ids],
        )

    def release(self, counted: bool = True) -> None:
        """Return every lease.

        Args:
            counted: True when the process that held them is gone: the attempts it counted stay counted, so that a
                text which ends processes ends in `dead`. False when it ends in order.
        """
        self._db.write(
            "UPDATE mentions SET lease_until = 0, attempts = attempts - ? "
            "WHERE step IS NOT NULL AND attempts > 0 AND lease_until > 0",
            (int(not counted),),
        )

    def verdicts(self, mentions: Sequence[Mention], scorer: str) -> dict[tuple[int, str], Verdict]:
        """Verdicts this scorer gave on these very states before, by post id and fingerprint.

        Without those whose vector is from before its space was told: they are to be read anew.
        """
        if not mentions:
            return {}
        keys = list(dict.fromkeys((m.post_id, m.fingerprint) for m in mentions))
        rows = self._db.read(
            f"WITH asked (post_id, fingerprint) AS (VALUES {marks(len(keys), 2)}) SELECT v.*, e.vector, e.space "
            "FROM asked a JOIN verdicts v ON v.post_id = a.post_id AND v.fingerprint = a.fingerprint AND v.scorer = ? "
            "LEFT JOIN vectors e ON e.post_id = v.post_id AND e.fingerprint = v.fingerprint AND e.scorer = v.scorer "
            "WHERE coalesce(e.space, 'told') <> ?",
            [*(value for key in keys for value in key), scorer, STALE],
        )
        return {
            (row["post_id"], row["fingerprint"]): replace(verdict_of(row), embedding=row["vector"], space=row["space"])
            for row in rows
        }

    def judged(self, judged: Sequence[Judged], revision: str, now: datetime) -> None:
        """Store verdicts and sentiments, recount, and pass the mentions on.

        Call it in the transaction in which `waiting()` confirmed that none was edited or judged meanwhile.
        """
        judged = self._corrected(judged)
        keep_verdicts(self._db, judged, now)
        keep_topics(self._db, judged)
        recount(self._db, judged)
        self._db.write_many(
            "UPDATE mentions SET label = ?, score = ?, confidence = ?, certainty = ?, scorer = ?, language = ?, "
            "step = ?, routes = CASE WHEN ? IS NULL THEN '' END, routed_why = ?, routed_with = ?, lease_until = 0, "
            "attempts = 0, due_at = 0, last_error = NULL WHERE id = ?",
            [
                (
                    j.sentiment.label, j.sentiment.score, j.sentiment.confidence, j.sentiment.certainty,
                    j.sentiment.scorer, j.verdict.language, j.next_step, j.next_step, j.why, revision, j.mention.id,
                )
                for j in judged
            ],
        )  # fmt: skip

    def by_hand(self, mentions: Sequence[Mention]) -> dict[int, Sentiment]:
        """Sentiments that colleagues settled for these very states, by mention id; they outlive every judging."""
        standing = self._corrections.standing(mentions)
        return {mention_id: settled(label) for mention_id, label in standing.items() if label is not None}

    def _corrected(self, judged: Sequence[Judged]) -> list[Judged]:
        """Where a colleague settled the label of this very state, it stays."""
        known = self.by_hand([j.mention for j in judged])
        return [
            replace(j, sentiment=known[j.mention.id], topics=as_settled(j.topics, known[j.mention.id]))
            if j.mention.id in known
            else j
            for j in judged
        ]

    def routed(self, routed: Sequence[Routed], revision: str) -> None:
        """Record which routes took mentions and that nothing is left to do; see `judged()` for the transaction."""
        self._db.write_many(
            "UPDATE mentions SET routes = ?, routed_why = ?, routed_with = ?, step = NULL, lease_until = 0, "
            "attempts = 0, last_error = NULL WHERE id = ?",
            [("\n".join(r.routes), r.why, revision, r.mention.id) for r in routed],
        )

    def waiting(self, step: Step, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """Those of the claimed mentions that still wait in the step, in the state that was claimed."""
        ids = [m.id for m in mentions]
        # The plus keeps the queue's index out: it would be read from end to end for each batch.
        rows = self._db.read(
            f"SELECT id, fingerprint FROM mentions WHERE +step = ? AND id IN ({marks(len(ids))})", [step, *ids]
        )
        still = {(row["id"], row["fingerprint"]) for row in rows}
        return tuple(m for m in mentions if (m.id, m.fingerprint) in still)

    def find(self, mention_id: int) -> Mention | None:
        """One mention by its id."""
        row = self._db.one(SELECT + "WHERE m.id = ?", (mention_id,))
        return mention_of(row) if row else None

    def of_case(self, case_id: int, limit: int = 200) -> tuple[Mention, ...]:
        """The mentions of a case, newest first."""
        rows = self._db.read(
            SELECT + "JOIN case_mentions c ON c.mention_id = m.id WHERE c.case_id = ? ORDER BY m.id DESC LIMIT ?",
            (case_id, limit),
        )
        return tuple(mention_of(row) for row in rows)

    def counts(self) -> dict[str, int]:
        """How many mentions wait in each step, and how many are done under the key "done"."""
        waiting = self._db.read("SELECT step, count(*) AS n FROM mentions WHERE step IS NOT NULL GROUP BY step")
        found: dict[str, int] = {row["step"]: row["n"] for row in waiting}
        total = self._db.read("SELECT count(*) AS n FROM mentions")[0]["n"]
        return {**found, "done": total - sum(found.values())}

    def dead(self, limit: int = 100) -> tuple[DeadRow, ...]:
        """Mentions that were given up, newest first."""
        rows = self._db.read(
            "SELECT m.id, m.brand, m.place, m.last_error, m.attempts, p.url FROM mentions m "
            "JOIN posts p ON p.id = m.post_id WHERE m.step = 'dead' ORDER BY m.id DESC LIMIT ?",
            (limit,),
        )
        return tuple(
            DeadRow(
                kind="mention",
                id=row["id"],
                about=f"{row['brand']} at {row['place']}",
                error=row["last_error"] or "",
                attempts=row["attempts"],
                url=row["url"],
            )
            for row in rows
        )

    def requeue(self, mention_id: int) -> bool:
        """Send a dead mention back to judging; False when it is not dead."""
        return bool(
            self._db.write(
                "UPDATE mentions SET step = 'judge', attempts = 0, due_at = 0, lease_until = 0 "
                "WHERE id = ? AND step = 'dead' RETURNING id",
                (mention_id,),
            )
        )


def verdict_of(row: Row) -> Verdict:
    """The verdict in a row of its table."""
    return Verdict(
        probabilities=Probabilities(negative=row["negative"], neutral=row["neutral"], positive=row["positive"]),
        label=row["label"],
        confidence=row["confidence"],
        certainty=row["certainty"],
        language=row["language"],
        parts=row["parts"],
        scorer=row["scorer"],
    )
