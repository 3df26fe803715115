"""Heads of brands, the corrections they learn from, and how often labels were right where a colleague looked."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from listener.core.head import Accuracy, BrandHead, Figures, Lesson, Lessons, Measured
from listener.core.sentiment import Label
from listener.store.corrections import A_PERSON
from listener.store.engine import Connections, Row, moment, to_ms
from listener.store.mentions import verdict_of
from listener.store.vectors import STALE

MOST = 5000
"""Most corrections that teach, the newest ones: seconds of work."""


class Heads:
    """Keeps heads; each version stays.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def lessons(self, brand: str, scorer: str) -> Lessons:
        """What colleagues said of a brand's texts, with what a scorer read in them.

        Left out is what is not about us, and posts about several brands, whose labels are of their parts.
        """
        rows = self._db.read(
            "SELECT k.label AS said, v.*, m.fingerprint AS state, e.vector, e.space FROM corrections k "
            "JOIN mentions m ON m.id = k.mention_id AND m.fingerprint = k.fingerprint "
            "LEFT JOIN verdicts v ON v.post_id = m.post_id AND v.fingerprint = m.fingerprint AND v.scorer = ? "
            "LEFT JOIN vectors e ON e.post_id = v.post_id AND e.fingerprint = v.fingerprint AND e.scorer = v.scorer "
            "WHERE m.brand = ? AND k.gone_at IS NULL AND k.label IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM mentions o WHERE o.post_id = m.post_id AND o.id <> m.id) ORDER BY k.id DESC LIMIT ?",
            (scorer, brand, MOST),
        )
        found: dict[str, Lesson] = {}
        unread = 0
        for row in rows:
            if row["vector"] is None or row["space"] == STALE or not row["confidence"]:
                unread += 1
            elif row["state"] not in found:
                verdict = replace(verdict_of(row), embedding=row["vector"], space=row["space"])
                found[row["state"]] = Lesson(key=row["state"], label=row["said"], verdict=verdict)
        return Lessons(lessons=tuple(found.values()), unread=unread)

    def sure(self, scorer: str) -> tuple[tuple[str | None, Label, float], ...]:
        """The lowest probability at which a scorer was sure, by language and label."""
        rows = self._db.read(
            "SELECT language, label, min(confidence) AS lowest FROM verdicts "
            "WHERE scorer = ? AND certainty = 'confident' GROUP BY language, label",
            (scorer,),
        )
        return tuple((row["language"], row["label"], row["lowest"]) for row in rows)

    def standing(self, scorer: str | None = None) -> dict[str, BrandHead]:
        """The heads that stand, by brand; only those of one scorer when it is named."""
        rows = self._db.read("SELECT * FROM brand_heads WHERE standing = 1 AND scorer = coalesce(?, scorer)", (scorer,))
        return {row["brand"]: _head(row) for row in rows}

    def all(self, brand: str | None = None) -> tuple[BrandHead, ...]:
        """Every version of one brand or of all, the newest first."""
        rows = self._db.read(
            "SELECT * FROM brand_heads WHERE brand = coalesce(?, brand) ORDER BY brand, version DESC", (brand,)
        )
        return tuple(map(_head, rows))

    def add(self, head: BrandHead) -> BrandHead:
        """Keep a head as the brand's next version and let it stand, in a transaction; gives it with its version."""
        last = self._db.read("SELECT coalesce(max(version), 0) FROM brand_heads WHERE brand = ?", (head.brand,))[0][0]
        head = replace(head, version=last + 1, standing=True)
        self._db.write("UPDATE brand_heads SET standing = 0 WHERE brand = ? AND standing = 1", (head.brand,))
        self._db.write(
            "INSERT INTO brand_heads (brand, version, name, scorer, spaces, weights, thresholds, figures, made_at, "
            "made_by, standing) VALUES (?,?,?,?,?,?,?,?,?,?,1)",
            (
                head.brand, head.version, head.name, head.scorer, json.dumps(head.spaces), head.weights,
                json.dumps(head.thresholds), json.dumps(asdict(head.measured)), to_ms(head.made_at), head.made_by,
            ),
        )  # fmt: skip
        return head

    def stand(self, brand: str, version: int) -> None:
        """Let a kept version stand, or none (0), in a transaction."""
        self._db.write("UPDATE brand_heads SET standing = 0 WHERE brand = ? AND standing = 1", (brand,))
        self._db.write("UPDATE brand_heads SET standing = 1 WHERE brand = ? AND version = ?", (brand, version))

    def accuracy(self) -> dict[str, Accuracy]:
        """How often labels were right where a colleague looked, by brand.

        A label that a head gave after it had learnt from this very correction is counted apart.
        """
        rows = self._db.read(
            "WITH looked AS (SELECT m.brand, w.was_label = k.label AS hit, w.was_certainty = 'confident' AS sure, "
            "EXISTS (SELECT 1 FROM brand_heads h WHERE h.brand = m.brand AND h.name = w.was_scorer "
            "AND h.made_at >= k.at) AS taught FROM corrections k JOIN mentions m ON m.id = k.mention_id "
            # A label that was settled twice: what stood there before a person said anything.
            "JOIN corrections w ON w.id = (SELECT max(x.id) FROM corrections x WHERE x.mention_id = k.mention_id "
            "AND x.fingerprint = k.fingerprint AND x.was_label IS NOT NULL AND x.was_scorer <> ?) "
            "WHERE k.gone_at IS NULL AND k.label IS NOT NULL AND k.fingerprint = m.fingerprint) "
            "SELECT brand, sum(1 - taught) AS looked, sum(hit * (1 - taught)) AS hits, "
            "sum(sure * (1 - taught)) AS sure, sum(hit * sure * (1 - taught)) AS sure_hits, sum(taught) AS taught "
            "FROM looked GROUP BY brand",
            (A_PERSON,),
        )
        return {
            row["brand"]: Accuracy(
                brand=row["brand"], looked=row["looked"], right=row["hits"], confident=row["sure"],
                confident_right=row["sure_hits"], taught=row["taught"],
            )
            for row in rows
        }  # fmt: skip


def _head(row: Row) -> BrandHead:
    told = json.loads(row["figures"])
    figures: dict[str, Any] = {name: Figures(**of) if isinstance(of, dict) else of for name, of in told.items()}
    return BrandHead(
        brand=row["brand"],
        version=row["version"],
        scorer=row["scorer"],
        spaces=tuple(json.loads(row["spaces"])),
        weights=row["weights"],
        thresholds=json.loads(row["thresholds"]),
        measured=Measured(**figures),
        made_at=moment(row["made_at"]),
        made_by=row["made_by"],
        standing=bool(row["standing"]),
    )
