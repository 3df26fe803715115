"""The lane of unsure mentions: how many wait for a person, and what becomes of one that a person settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from listener.core.sentiment import Label
from listener.store.corrections import NOT_US
from listener.store.engine import Connections, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A correction as it stands, with the state of the mention that it was made on.

    Args:
        mention: row id of the mention.
        label: what was said; None: it is not about us.
        holds: whether it still says what the mention is: nobody settled it anew, and its author changed nothing.
    """

    mention: int
    label: Label | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a mention stands on its way: the step it waits in, and what was decided of its routes."""

    step: str | None
    routes: str | None
    why: str | None

    def frozen(self) -> dict[str, object]:
        """Its parts as JSON values, by which an act that changes them is taken back."""
        return {"step": self.step, "routes": self.routes, "why": self.why}


def thawed(undo: Mapping[str, object]) -> Way:
    """The way that was kept as JSON values."""
    step, routes, why = (cast("str | None", undo[part]) for part in ("step", "routes", "why"))
    return Way(step=step, routes=routes, why=why)


class Lane:
    """Counts unsure mentions, and moves those that a person settled.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def count(self, brand: str | None = None, most: int = 1000) -> int:
        """How many mentions are unsure, of one brand or of all; not counted beyond `most`."""
        whose, values = ("AND brand = ? ", (brand, most)) if brand else ("", (most,))
        rows = self._db.read(
            "SELECT count(*) AS n FROM (SELECT 1 FROM mentions INDEXED BY mentions_unsure "
            f"WHERE certainty = 'unsure' {whose}LIMIT ?)",
            values,
        )
        return int(rows[0]["n"])

    def settlement(self, correction_id: int) -> Settlement | None:
        """What became of a correction; None when there is none."""
        row = self._db.one(
            "SELECT k.mention_id, k.label, k.gone_at IS NULL AND k.fingerprint = m.fingerprint AS holds "
            "FROM corrections k JOIN mentions m ON m.id = k.mention_id WHERE k.id = ?",
            (correction_id,),
        )
        if row is None:
            return None
        return Settlement(mention=row["mention_id"], label=row["label"], holds=bool(row["holds"]))

    def way(self, mention_id: int) -> Way:
        """Where a mention stands."""
        row = self._db.read("SELECT step, routes, routed_why FROM mentions WHERE id = ?", (mention_id,))[0]
        return Way(step=row["step"], routes=row["routes"], why=row["routed_why"])

    def route(self, mention_id: int, due: datetime) -> None:
        """Let a mention on which nothing was left to do be routed once more, not before a time. In a transaction."""
        self._db.write(
            "UPDATE mentions SET step = 'route', due_at = ?, lease_until = 0, attempts = 0, routes = NULL, "
            "routed_why = NULL WHERE id = ? AND step IS NULL",
            (to_ms(due), mention_id),
        )

    def halt(self, mention_id: int) -> bool:
        """Let a mention that is not about us and waits to be judged or routed wait no more. In a transaction.

        Returns:
            True when it waited.
        """
        rows = self._db.write(
            "UPDATE mentions SET step = NULL, lease_until = 0, attempts = 0, routes = '', routed_why = ? "
            "WHERE id = ? AND step IN ('judge', 'route') RETURNING id",
            (NOT_US, mention_id),
        )
        return bool(rows)

    def halt_all(self, mention_ids: Sequence[int]) -> list[Mapping[str, object]]:
        """Halt several; gives by what `resume()` undoes it, as JSON values."""
        ways = [(mention_id, self.way(mention_id)) for mention_id in mention_ids]
        return [{"mention": mention_id, **way.frozen()} for mention_id, way in ways if self.halt(mention_id)]

    def resume(self, halted: Sequence[Mapping[str, object]]) -> None:
        """Put back on their way those that `halt_all()` took off it. In a transaction."""
        for each in halted:
            self.put_back(cast("int", each["mention"]), thawed(each))

    def put_back(self, mention_id: int, way: Way) -> None:
        """Put a mention back on its way as it was, unless it was worked on since. In a transaction.

        One that a case holds stays where it is, but for one that was halted.
        """
        self._db.write(
            "UPDATE mentions SET step = ?, routes = ?, routed_why = ?, due_at = 0, lease_until = 0, attempts = 0 "
            "WHERE id = ? AND (step IS NULL OR (step = 'route' AND lease_until = 0)) AND step IS NOT ? "
            "AND (routed_why IS ? OR NOT EXISTS (SELECT 1 FROM case_mentions j WHERE j.mention_id = mentions.id))",
            (way.step, way.routes, way.why, mention_id, way.step, NOT_US),
        )
