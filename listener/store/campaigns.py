"""Campaigns with their briefs, and who read which version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from listener.core.campaign import AFTER_EFFECTS, LEAD, Brief, Campaign
from listener.core.mention import Mention
from listener.store.engine import Connections, Row, from_ms, marks, moment, opaque_id, to_ms
from listener.store.mentions import SELECT, mention_of

LOOKED_AT = 50_000
"""A preview looks at so many of the newest mentions and no further, so that it takes a moment at most."""

_WRITTEN = "name, brand, starts_at, ends_at, terms, promises, known_issues, wording"
"""The columns that a brief fills, in the order of `_columns()`."""


class Campaigns:
    """Adds, changes and reads campaigns and the readings of their briefs.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(self, brief: Brief, owner: int | None, now: datetime) -> Campaign:
        """Keep a new campaign."""
        rows = self._db.write(
            f"INSERT INTO campaigns (public_id, {_WRITTEN}, owner_id, created_at, changed_at) "
            f"VALUES ({marks(12)}) RETURNING *",
            (opaque_id(), *_columns(brief), owner, to_ms(now), to_ms(now)),
        )
        return campaign_of(rows[0])

    def change(self, campaign: Campaign, brief: Brief, now: datetime) -> Campaign:
        """Give a campaign its next version of the brief, in a transaction."""
        settings = ", ".join(f"{column} = ?" for column in _WRITTEN.split(", "))
        rows = self._db.write(
            f"UPDATE campaigns SET {settings}, version = version + 1, changed_at = ? WHERE id = ? RETURNING *",
            (*_columns(brief), to_ms(now), campaign.id),
        )
        return campaign_of(rows[0])

    def withdraw(self, campaign: Campaign, at: datetime | None) -> Campaign:
        """Withdraw a campaign, or with None take that back."""
        rows = self._db.write(
            "UPDATE campaigns SET withdrawn_at = ? WHERE id = ? RETURNING *", (at and to_ms(at), campaign.id)
        )
        return campaign_of(rows[0])

    def announced(self, campaign: Campaign, now: datetime) -> None:
        """Record that the message about it is in the outbox, in the transaction that puts it there."""
        self._db.write("UPDATE campaigns SET announced_at = ? WHERE id = ?", (to_ms(now), campaign.id))

    def find(self, public_id: str) -> Campaign | None:
        """The campaign behind a link."""
        row = self._db.one("SELECT * FROM campaigns WHERE public_id = ?", (public_id,))
        return campaign_of(row) if row else None

    def page(self, limit: int = 200) -> tuple[Campaign, ...]:
        """Campaigns, those that end last first."""
        return self._read("ORDER BY ends_at DESC, id DESC LIMIT ?", (limit,))

    def asking(self, now: datetime) -> tuple[Campaign, ...]:
        """Those whose brief is to be read, by their start."""
        since = to_ms(now - AFTER_EFFECTS)
        return self._read("WHERE ends_at >= ? AND withdrawn_at IS NULL ORDER BY starts_at, id", (since,))

    def unannounced(self, now: datetime, starts_before: datetime) -> tuple[Campaign, ...]:
        """Those that the teams' channels are to be told of: they start before a time, and were not announced."""
        return self._read(
            "WHERE ends_at >= ? AND starts_at <= ? AND announced_at IS NULL AND withdrawn_at IS NULL "
            "ORDER BY ends_at, id",
            (to_ms(now), to_ms(starts_before)),
        )

    def possible(self, brand: str, first: datetime, last: datetime) -> tuple[Campaign, ...]:
        """Those of a brand that may apply to what was published within a span, the latest start first."""
        return self._read(
            "WHERE ends_at >= ? AND starts_at <= ? AND brand = ? ORDER BY starts_at DESC, id DESC",
            (to_ms(first - AFTER_EFFECTS), to_ms(last + LEAD), brand),
        )

    def read(self, campaign: Campaign, colleague: int, now: datetime) -> bool:
        """Record that a colleague read the present version of a brief; False when that is known."""
        return bool(
            self._db.write(
                "INSERT INTO brief_readings (campaign_id, colleague_id, version, read_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING RETURNING read_at",
                (campaign.id, colleague, campaign.version, to_ms(now)),
            )
        )

    def readers(self, campaigns: Sequence[Campaign]) -> dict[int, dict[int, datetime]]:
        """Who read the present version of each brief, and when: by the row ids of campaign and colleague."""
        known = {campaign.id: campaign.version for campaign in campaigns}
        rows = self._db.read(f"SELECT * FROM brief_readings WHERE campaign_id IN ({marks(len(known))})", list(known))
        found: dict[int, dict[int, datetime]] = {campaign: {} for campaign in known}
        for row in rows:
            if row["version"] == known[row["campaign_id"]]:
                found[row["campaign_id"]][row["colleague_id"]] = moment(row["read_at"])
        return found

    def sample(self, brand: str, since: datetime, limit: int) -> tuple[Mention, ...]:
        """The newest mentions of a brand back to a time, newest first, for a preview; of the newest 50,000 of all.

        Args:
            brand: the brand.
            since: when the oldest was published, or seen where it has no date.
            limit: most mentions.
        """
        rows = self._db.read(
            f"{SELECT} WHERE m.id > (SELECT coalesce(max(id), 0) FROM mentions) - {LOOKED_AT} AND m.brand = ? "
            "AND coalesce(p.published_at, m.seen_at) >= ? ORDER BY m.id DESC LIMIT ?",
            (brand, to_ms(since), limit),
        )
        return tuple(mention_of(row) for row in rows)

    def _read(self, where: str, values: Sequence[object]) -> tuple[Campaign, ...]:
        return tuple(campaign_of(row) for row in self._db.read(f"SELECT * FROM campaigns {where}", values))


def _columns(brief: Brief) -> tuple[object, ...]:
    return (
        brief.name, brief.brand, to_ms(brief.starts_at), to_ms(brief.ends_at), "\n".join(brief.terms), brief.promises,
        brief.known_issues, brief.wording,
    )  # fmt: skip


def campaign_of(row: Row) -> Campaign:
    """The campaign in a row of the table."""
    return Campaign(
        id=row["id"],
        public_id=row["public_id"],
        brief=Brief(
            name=row["name"],
            brand=row["brand"],
            starts_at=moment(row["starts_at"]),
            ends_at=moment(row["ends_at"]),
            terms=tuple(filter(None, row["terms"].split("\n"))),
            promises=row["promises"],
            known_issues=row["known_issues"],
            wording=row["wording"],
        ),
        owner=row["owner_id"],
        version=row["version"],
        created_at=moment(row["created_at"]),
        changed_at=moment(row["changed_at"]),
        announced_at=from_ms(row["announced_at"]),
        withdrawn_at=from_ms(row["withdrawn_at"]),
    )
