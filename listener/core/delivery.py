"""What the outbox knows of a message: the batch to send, and the ledger of tries that people can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from listener.core.campaign import Campaign
from listener.core.case import Case
from listener.core.notification import CaseLine, DeliveryStatus, Notification, Reason, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A claimed notification with what it is about.

    Args:
        notification: the outbox row.
        bundle: what the cases have in common, as in "complaints|brand=Brackholm".
        cases: all cases it is about, newest first.
        newest: the newest dozen with their newest mention; links are filled in by the dispatcher.
        frozen_at: when it was first tried.
        campaign: the campaign it announces, as it is now; then there are no cases.
        request: what waits for a colleague, as it is now.
    """

    notification: Notification
    bundle: str
    cases: tuple[Case, ...]
    newest: tuple[CaseLine, ...]
    frozen_at: datetime
    campaign: Campaign | None = None
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One row of the ledger: a try of a message, with its outcome and error."""

    tried_at: datetime
    took_ms: int
    outcome: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A notification as people read it: to whom, why, what became of it, try by try."""

    id: int
    channel: str
    route: str
    reason: Reason
    status: DeliveryStatus
    why: str | None
    key: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    attempts: int
    last_error: str | None
    tries: tuple[Try, ...]
