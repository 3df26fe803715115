"""Mentions as people read them: with verdict, routing, case and earlier versions. Read only; serves the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.mention import Mention
from listener.core.occlusion import Weighing
from listener.core.sentiment import Certainty, Label, Verdict
from listener.core.topic import Touched
from listener.core.trail import Revision, Trail
from listener.core.work import Step
from listener.store.engine import Connections, Row, from_ms, marks, moment
from listener.store.mentions import SELECT, mention_of, verdict_of
from listener.store.topics import topics_of
from listener.store.weights import Weights

_PRIORITIES = range(4)


class Trails:
    """Reads what became of mentions.

    Args:
        db: the connections.
        weights: which words carried verdicts.
    """

    def __init__(self, db: Connections, weights: Weights) -> None:
        """Keep both."""
        self._db = db
        self._weights = weights

    def of_case(self, case_id: int, limit: int = 100) -> tuple[Trail, ...]:
        """The mentions of a case, newest first."""
        return self._read(
            "WHERE m.id IN (SELECT mention_id FROM case_mentions WHERE case_id = ?) ORDER BY m.id DESC LIMIT ?",
            (case_id, limit),
        )

    def of_mention(self, mention_id: int) -> Trail | None:
        """One mention, or None."""
        return next(iter(self._read("WHERE m.id = ?", (mention_id,))), None)

    def judged(
        self,
        *,
        brand: str | None = None,
        label: Label | None = None,
        certainty: Certainty | None = None,
        topic: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[Trail, ...]:
        """Judged mentions, newest first.

        Args:
            brand: only of this brand.
            label: only with this sentiment.
            certainty: only confident or only unsure ones.
            topic: only those that touch it.
            limit: most mentions of a page.
            offset: so many are left out.
        """
        wanted = {"m.brand": brand, "m.label": label, "m.certainty": certainty}
        asked = {column: value for column, value in wanted.items() if value is not None}
        tests = ["m.label IS NOT NULL", *(f"{column} = ?" for column in asked)]
        values: list[object] = list(asked.values())
        if topic is not None:
            tests.append("m.id IN (SELECT mention_id FROM mention_topics WHERE topic = ?)")
            values.append(topic)
        where = f"WHERE {' AND '.join(tests)} ORDER BY m.id DESC LIMIT ? OFFSET ?"
        return self._read(where, (*values, limit, offset))

    def unsure(self, *, brand: str | None = None, before: int | None = None, limit: int = 25) -> tuple[Trail, ...]:
        """Mentions that want a person's eye, newest first.

        Args:
            brand: only of this brand.
            before: only those that came before the mention of this row id.
            limit: how many at most.
        """
        asked = {"m.brand = ?": brand, "m.id < ?": before}
        tests = " AND ".join(("m.certainty = 'unsure'", *(test for test, value in asked.items() if value is not None)))
        values = [value for value in asked.values() if value is not None]
        return self._read(f"WHERE {tests} ORDER BY m.id DESC LIMIT ?", (*values, limit))

    def newest_of(self, case_ids: Sequence[int]) -> dict[int, Mention]:
        """The newest mention of each case, by the case's row id."""
        if not case_ids:
            return {}
        rows = self._db.read(
            f"{SELECT} WHERE m.id IN (SELECT max(mention_id) FROM case_mentions "
            f"WHERE case_id IN ({marks(len(case_ids))}) GROUP BY case_id)",
            case_ids,
        )
        cases = self._cases([row["id"] for row in rows])
        return {cases[row["id"]]["id"]: mention_of(row) for row in rows}

    def oldest_waiting(self, step: Step) -> datetime | None:
        """When the mention that waits longest in a step was seen; None when none waits."""
        # A look-up for each priority uses the queue's index; one over all would read the whole backlog.
        found = [
            self._db.one(
                "SELECT seen_at FROM mentions WHERE step = ? AND priority = ? ORDER BY id LIMIT 1", (step, priority)
            )
            for priority in _PRIORITIES
        ]
        return from_ms(min((row["seen_at"] for row in found if row), default=None))

    def _read(self, where: str, values: Sequence[object]) -> tuple[Trail, ...]:
        rows = self._db.read(f"{SELECT} {where}", values)
        if not rows:
            return ()
        verdicts = self._verdicts(sorted({row["post_id"] for row in rows}))
        revisions = self._revisions(sorted({row["post_id"] for row in rows}), verdicts)
        cases = self._cases([row["id"] for row in rows])
        weighings = self._weights.of(sorted({row["post_id"] for row in rows}))
        topics = topics_of(self._db, [row["id"] for row in rows])
        return tuple(
            _trail(
                row, verdicts, revisions.get(row["post_id"], ()), cases.get(row["id"]),
                weighings.get((row["id"], row["fingerprint"])), topics.get(row["id"], ()),
            )
            for row in rows
        )  # fmt: skip

    def _verdicts(self, posts: Sequence[int]) -> dict[tuple[int, str], Row]:
        """The latest verdict on each state of these posts, whoever gave it."""
        rows = self._db.read(f"SELECT * FROM verdicts WHERE post_id IN ({marks(len(posts))}) ORDER BY judged_at", posts)
        return {(row["post_id"], row["fingerprint"]): row for row in rows}

    def _revisions(self, posts: Sequence[int], verdicts: dict[tuple[int, str], Row]) -> dict[int, tuple[Revision, ...]]:
        found: dict[int, tuple[Revision, ...]] = {}
        for row in self._db.read(
            f"SELECT * FROM revisions WHERE post_id IN ({marks(len(posts))}) ORDER BY seen_at", posts
        ):
            revision = Revision(
                seen_at=moment(row["seen_at"]),
                title=row["title"],
                text=row["text"],
                rating=row["rating"],
                verdict=_verdict(verdicts.get((row["post_id"], row["fingerprint"]))),
            )
            found[row["post_id"]] = (*found.get(row["post_id"], ()), revision)
        return found

    def _cases(self, mentions: Sequence[int]) -> dict[int, Row]:
        rows = self._db.read(
            "SELECT j.mention_id, j.joined_at, c.id, c.public_id FROM case_mentions j JOIN cases c ON c.id = j.case_id "
            f"WHERE j.mention_id IN ({marks(len(mentions))})",
            mentions,
        )
        return {row["mention_id"]: row for row in rows}


def _trail(
    row: Row, verdicts: dict[tuple[int, str], Row], revisions: tuple[Revision, ...], case: Row | None,
    weighing: Weighing | None, topics: tuple[Touched, ...],
) -> Trail:  # fmt: skip
    verdict = verdicts.get((row["post_id"], row["fingerprint"])) if row["label"] is not None else None
    return Trail(
        mention=mention_of(row),
        step=row["step"],
        last_error=row["last_error"],
        verdict=_verdict(verdict),
        judged_at=verdict and moment(verdict["judged_at"]),
        routes=tuple(filter(None, (row["routes"] or "").split("\n"))),
        routed_why=row["routed_why"],
        routed_with=row["routed_with"],
        case=case and case["public_id"],
        joined_at=case and moment(case["joined_at"]),
        revisions=revisions,
        weighing=weighing,
        topics=topics,
    )


def _verdict(row: Row | None) -> Verdict | None:
    return verdict_of(row) if row else None
