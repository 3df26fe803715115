"""The outbox: bundles, notifications and the ledger of tries.

A notification that was not tried yet grows with its bundle; from the first try on it is frozen, so that each repeat
carries the same key and the same content, and what happens next makes a new one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from listener.core.campaign import Campaign
from listener.core.case import Case
from listener.core.delivery import Delivery, Parcel
from listener.core.notification import CaseLine, Notification, Reason, repeat_pause
from listener.core.route import SEVERITIES, Route, Severity
from listener.core.work import DeadRow
from listener.store.campaigns import campaign_of
from listener.store.cases import case_of
from listener.store.deliveries import dead_of, delivery_of, notification_of
from listener.store.engine import Connections, Row, moment, to_ms
from listener.store.mentions import Mentions
from listener.store.requests import request_of

LEASE = timedelta(minutes=2)
CAMPAIGNS = "campaigns"
"""Stands where a route's name stands in what announces a campaign."""

CARRIED = 12
"""So many cases are written out in one message; the rest is a number and a link."""


class Outbox:
    """Puts, claims and finishes notifications.

    Args:
        db: the connections.
        mentions: reads the mentions that messages quote.
    """

    def __init__(self, db: Connections, mentions: Mentions) -> None:
        """Keep the parts."""
        self._db = db
        self._mentions = mentions

    def put(self, route: Route, bundle: str, case_id: int, severity: Severity, opened: bool, now: datetime) -> None:
        """Let staff know of a case that opened or grew, on each channel of a route. Call it in a transaction.

        Args:
            route: gives channels and the timing of its bundles.
            bundle: the bundle's key.
            case_id: the case.
            severity: orders the outbox.
            opened: whether the case is new.
            now: the present.
        """
        row = self._db.write(
            "INSERT INTO bundles (key, route, opened_at) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET route = excluded.route RETURNING id, last_sent_at",
            (bundle, route.name, to_ms(now)),
        )[0]
        self._db.write("INSERT INTO bundle_cases VALUES (?, ?) ON CONFLICT DO NOTHING", (row["id"], case_id))
        due = now + route.group_wait
        if row["last_sent_at"] is not None:
            due = max(due, moment(row["last_sent_at"]) + route.group_interval)
        for channel in route.channels:
            notification = self._grow(
                row["id"], channel, "opened" if opened else "grown", due, severity, route.repeat_interval, now
            )
            self._db.write(
                "INSERT INTO notification_cases VALUES (?, ?) ON CONFLICT DO NOTHING", (notification, case_id)
            )

    def news(self, case: Case, reason: Reason, routes: Mapping[str, Route], now: datetime) -> None:
        """Let staff know what became of a case, on the channels that heard of it. Call it in a transaction.

        Args:
            case: as it is now.
            reason: overdue (a promise is broken) or returned (an answer did not arrive).
            routes: by name; give the channels.
            now: the present.
        """
        rows = self._db.read(
            "SELECT b.id, b.route, b.last_sent_at FROM bundles b JOIN bundle_cases c ON c.bundle_id = b.id "
            "WHERE c.case_id = ?",
            (case.id,),
        )
        for row in rows:
            route = routes.get(row["route"])
            if route is None:
                continue  # The configuration no longer has it.
            due = now if row["last_sent_at"] is None else max(now, moment(row["last_sent_at"]) + route.group_interval)
            for channel in route.channels:
                notification = self._grow(row["id"], channel, reason, due, case.severity, route.repeat_interval, now)
                self._db.write(
                    "INSERT INTO notification_cases VALUES (?, ?) ON CONFLICT DO NOTHING", (notification, case.id)
                )

    def announce(self, campaign: Campaign, channels: Sequence[str], now: datetime) -> None:
        """Let teams know of a campaign, once on each channel whatever happens. Call it in a transaction."""
        bundle = self._db.write(
            "INSERT INTO bundles (key, route, opened_at) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET route = excluded.route RETURNING id",
            (f"campaign|{campaign.public_id}", CAMPAIGNS, to_ms(now)),
        )[0]["id"]
        for channel in channels:
            # The same key whenever it is asked: that is what makes it once.
            key = hashlib.blake2b(f"{campaign.public_id}\x1f{channel}".encode(), digest_size=8).hexdigest()
            self._db.write(
                "INSERT INTO notifications (bundle_id, channel, reason, status, key, created_at, repeat_ms, step, "
                "due_at, priority, campaign_id) VALUES (?, ?, 'announced', 'pending', ?, ?, 0, 'send', ?, ?, ?) "
                "ON CONFLICT (key) DO NOTHING",
                (bundle, channel, key, to_ms(now), to_ms(now), SEVERITIES.index("normal"), campaign.id),
            )

    def revive(self, campaign: Campaign, now: datetime) -> None:
        """Let what was dropped of a withdrawn campaign's announcement be told after all. Call it in a transaction."""
        self._db.write(
            "UPDATE notifications SET status = 'pending', step = 'send', why = NULL, due_at = ?, attempts = 0, "
            "frozen_at = NULL, finished_at = NULL, last_error = NULL WHERE status = 'dropped' AND bundle_id = "
            "(SELECT id FROM bundles WHERE key = ?)",
            (to_ms(now), f"campaign|{campaign.public_id}"),
        )

    def _grow(
        self, bundle: int, channel: str, reason: Reason, due: datetime, severity: Severity, repeat: timedelta,
        now: datetime,
    ) -> int:  # fmt: skip
        """Put a notification, or let the bundle's waiting one take the news in; gives its id."""
        return int(
            self._db.write(
                "INSERT INTO notifications (bundle_id, channel, reason, status, key, created_at, repeat_ms, step, "
                "due_at, priority) VALUES (?, ?, ?, 'pending', ?, ?, ?, 'send', ?, ?) "
                "ON CONFLICT (bundle_id, channel) WHERE step IS NOT NULL AND frozen_at IS NULL DO UPDATE SET "
                "reason = CASE WHEN 'opened' IN (reason, excluded.reason) THEN 'opened' "
                "WHEN 'returned' IN (reason, excluded.reason) THEN 'returned' "
                "WHEN 'overdue' IN (reason, excluded.reason) THEN 'overdue' "
                "WHEN 'grown' IN (reason, excluded.reason) THEN 'grown' ELSE reason END, "
                "due_at = min(due_at, excluded.due_at), priority = min(priority, excluded.priority), "
                "repeat_ms = excluded.repeat_ms RETURNING id",
                (
                    bundle, channel, reason, secrets.token_hex(8), to_ms(now), round(repeat.total_seconds() * 1000),
                    to_ms(due), SEVERITIES.index(severity),
                ),
            )[0][0]
        )  # fmt: skip

    def claim(self, channel: str, now: datetime) -> Parcel | None:
        """Take the most urgent due notification of a channel and freeze its content; None when nothing is due."""
        due = "channel = ? AND step = 'send' AND due_at <= ? AND lease_until <= ?"
        at = to_ms(now)
        if not self._db.read(f"SELECT 1 FROM notifications WHERE {due} LIMIT 1", (channel, at, at)):
            return None
        with self._db.transaction():
            rows = self._db.write(
                "UPDATE notifications SET lease_until = ?, attempts = attempts + 1, "
                "frozen_at = coalesce(frozen_at, ?) WHERE id IN (SELECT id FROM notifications "
                f"WHERE {due} ORDER BY priority, due_at, id LIMIT 1) RETURNING *",
                (to_ms(now + LEASE), at, channel, at, at),
            )
            if not rows:
                return None
            if rows[0]["reason"] == "repeat" and rows[0]["attempts"] == 1:
                self._db.write(
                    "INSERT INTO notification_cases "
                    "SELECT ?, c.id FROM bundle_cases b JOIN cases c ON c.id = b.case_id "
                    "WHERE b.bundle_id = ? AND c.status = 'open' ON CONFLICT DO NOTHING",
                    (rows[0]["id"], rows[0]["bundle_id"]),
                )
            return self._parcel(rows[0])

    def _parcel(self, row: Row) -> Parcel:
        bundle = self._db.read("SELECT key, route FROM bundles WHERE id = ?", (row["bundle_id"],))[0]
        cases = tuple(
            case_of(found)
            for found in self._db.read(
                "SELECT c.* FROM cases c JOIN notification_cases n ON n.case_id = c.id "
                "WHERE n.notification_id = ? ORDER BY c.changed_at DESC, c.id DESC",
                (row["id"],),
            )
        )
        newest = tuple(
            CaseLine(case=case, mention=mention, url="")
            for case in cases[:CARRIED]
            for mention in self._mentions.of_case(case.id, 1)
        )
        campaigns = self._db.read("SELECT * FROM campaigns WHERE id = ?", (row["campaign_id"],))
        return Parcel(
            notification=notification_of(row, bundle["route"]),
            bundle=bundle["key"],
            cases=cases,
            newest=newest,
            frozen_at=moment(row["frozen_at"]),
            campaign=campaign_of(campaigns[0]) if campaigns else None,
            request=request_of(self._db, bundle["key"], cases),
        )

    def sent(self, notification: Notification, *, why: str, took: timedelta, now: datetime) -> None:
        """Record that the other side accepted it, and when an unanswered bundle is told again."""
        with self._db.transaction():
            self._try(notification.id, now, took, "accepted", None)
            row = self._db.write(
                "UPDATE notifications SET status = 'sent', why = ?, step = NULL, lease_until = 0, finished_at = ?, "
                "last_error = NULL WHERE id = ? RETURNING bundle_id, repeat_ms",
                (why, to_ms(now), notification.id),
            )[0]
            self._db.write("UPDATE bundles SET last_sent_at = ? WHERE id = ?", (to_ms(now), row["bundle_id"]))
            if row["repeat_ms"]:
                repeat = timedelta(milliseconds=row["repeat_ms"])
                then = repeat_pause(repeat)
                self._grow(row["bundle_id"], notification.channel, "repeat", now + repeat, "low", then, now)

    def dropped(self, notification: Notification, *, why: str, now: datetime) -> None:
        """Record that it was no longer worth sending, and why; what was told before is still told again in time."""
        with self._db.transaction():
            self._try(notification.id, now, timedelta(), "dropped", why)
            self._finish(notification.id, "dropped", why, now)
            if notification.reason != "repeat":
                self._resume_repeat(notification, now)

    def _resume_repeat(self, notification: Notification, now: datetime) -> None:
        """Put back the repeat that the dropped news had taken the place of."""
        row = self._db.read(
            "SELECT b.last_sent_at, n.repeat_ms FROM notifications n "
            "JOIN bundles b ON b.id = n.bundle_id WHERE n.id = ?",
            (notification.id,),
        )[0]
        if row["last_sent_at"] is not None and row["repeat_ms"]:
            repeat = timedelta(milliseconds=row["repeat_ms"])
            due = moment(row["last_sent_at"]) + repeat
            self._grow(notification.bundle, notification.channel, "repeat", due, "low", repeat, now)

    def hold(self, notification: Notification, *, why: str, until: datetime) -> None:
        """Put a notification off untried: it is claimed, and decided on, anew at a time."""
        self._db.write(
            "UPDATE notifications SET why = ?, due_at = ?, lease_until = 0, attempts = 0, frozen_at = NULL "
            "WHERE id = ?",
            (why, to_ms(until), notification.id),
        )

    def retry(self, notification: Notification, *, error: str, due: datetime, took: timedelta, now: datetime) -> None:
        """Record a failed try and when the next one is due."""
        with self._db.transaction():
            self._try(notification.id, now, took, "unavailable", error)
            self._db.write(
                "UPDATE notifications SET lease_until = 0, due_at = ?, last_error = ? WHERE id = ?",
                (to_ms(due), error[:1000], notification.id),
            )

    def give_up(self, notification: Notification, *, error: str, took: timedelta, now: datetime) -> None:
        """Record the last failed try: the notification is dead and stands in `listener dead`."""
        with self._db.transaction():
            self._try(notification.id, now, took, "rejected", error)
            self._finish(notification.id, "dead", error, now)

    def _finish(self, notification_id: int, status: str, why: str, now: datetime) -> None:
        self._db.write(
            "UPDATE notifications SET status = ?, why = ?, last_error = ?, step = NULL, lease_until = 0, "
            "finished_at = ? WHERE id = ?",
            (status, why[:1000], why[:1000], to_ms(now), notification_id),
        )

    def _try(self, notification_id: int, now: datetime, took: timedelta, outcome: str, error: str | None) -> None:
        self._db.write(
            "INSERT INTO attempts (notification_id, tried_at, took_ms, outcome, error) VALUES (?, ?, ?, ?, ?)",
            (notification_id, to_ms(now), round(took.total_seconds() * 1000), outcome, error and error[:1000]),
        )

    def hasten(self, now: datetime) -> None:
        """Make what waits for its bundle to fill due at once; repeats and failed tries keep their time."""
        self._db.write(
            "UPDATE notifications SET due_at = min(due_at, ?) "
            "WHERE step IS NOT NULL AND frozen_at IS NULL AND reason <> 'repeat'",
            (to_ms(now),),
        )

    def release(self) -> None:
        """Return every lease: the process that held them is gone."""
        self._db.write("UPDATE notifications SET lease_until = 0 WHERE step IS NOT NULL AND lease_until > 0")

    def bury_orphans(self, channels: Sequence[str], now: datetime) -> int:
        """Give up what waits for channels that are no longer configured; gives how many."""
        names = {
            row["channel"] for row in self._db.read("SELECT DISTINCT channel FROM notifications WHERE step IS NOT NULL")
        }
        gone = sorted(names - set(channels))
        return sum(
            len(
                self._db.write(
                    "UPDATE notifications SET status = 'dead', step = NULL, finished_at = ?, "
                    "last_error = 'its channel is no longer in the configuration' "
                    "WHERE channel = ? AND step IS NOT NULL RETURNING id",
                    (to_ms(now), name),
                )
            )
            for name in gone
        )

    def waiting(self) -> int:
        """How many notifications are due or retried, repeats that merely lie ahead left out."""
        return int(
            self._db.read("SELECT count(*) FROM notifications WHERE step IS NOT NULL AND reason <> 'repeat'")[0][0]
        )

    def counts(self) -> dict[str, int]:
        """How many notifications are in each status."""
        return {
            row["status"]: row["n"]
            for row in self._db.read("SELECT status, count(*) AS n FROM notifications GROUP BY status")
        }

    def of_case(self, case_id: int) -> tuple[Delivery, ...]:
        """Every notification about a case with its tries, oldest first."""
        rows = self._db.read(
            "SELECT n.*, b.route FROM notifications n JOIN notification_cases c ON c.notification_id = n.id "
            "JOIN bundles b ON b.id = n.bundle_id WHERE c.case_id = ? ORDER BY n.id",
            (case_id,),
        )
        return tuple(self._delivery(row) for row in rows)

    def _delivery(self, row: Row) -> Delivery:
        tries = self._db.read("SELECT * FROM attempts WHERE notification_id = ? ORDER BY id", (row["id"],))
        return delivery_of(row, tries)

    def dead(self, limit: int = 100) -> tuple[DeadRow, ...]:
        """Notifications that were given up, newest first."""
        rows = self._db.read(
            "SELECT id, channel, reason, last_error, attempts FROM notifications WHERE status = 'dead' "
            "ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return tuple(dead_of(row) for row in rows)

    def requeue(self, notification_id: int, now: datetime) -> bool:
        """Send a dead notification again with a fresh budget; False when it is not dead."""
        return bool(
            self._db.write(
                "UPDATE notifications SET status = 'pending', step = 'send', due_at = ?, lease_until = 0, "
                "attempts = 0, frozen_at = ?, finished_at = NULL WHERE id = ? AND status = 'dead' RETURNING id",
                (to_ms(now), to_ms(now), notification_id),
            )
        )
