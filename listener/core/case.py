"""A case: one customer's matter about one brand, the staff's unit of work.

`case_key()` says which mentions are one matter; `joins()` says whether a new mention reopens a resolved one;
`Case.deadline` says what breaks next. What colleagues may do with it is in `casework.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from listener.core.mention import Mention
from listener.core.route import Severity

Status = Literal["open", "acknowledged", "snoozed", "waiting", "resolved"]
"""*waiting*: answered in public; its customer has the next word."""
Outcome = Literal["answered", "no answer needed", "not us", "merged"]
"""How a case ended. *answered*: also by hand, elsewhere; *not us*: about something else with the same name."""

Clock = Literal["acknowledge", "reply", "resolve", "return", "silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """What breaks next on a case: which clock, from when and until when.

    The end of a snooze (*return*) and of a customer's time to answer (*silence*) are two, and break nothing.
    """

    clock: Clock
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One customer's matter about one brand.

    Args:
        id: row id, used by the store.
        public_id: opaque id used in links.
        key: what makes it one matter, see `case_key()`.
        brand: the brand it is about.
        route: name of the route that opened it.
        reason: why it was opened, in words.
        severity: crisis, high, normal or low; only ever raised.
        status: open, acknowledged, snoozed, waiting or resolved.
        headline: the newest complaint's first words, one line.
        author: the customer's handle, or empty.
        opened_at: when.
        changed_at: when a mention last joined or the status last changed.
        resolved_at: None while unresolved.
        mentions: how many joined.
        version: counts its changes; a page that shows an older one says so.
        assignee: row id of the colleague who has it or is to take it; None for nobody.
        claimed_until: when the claim runs out, in the status acknowledged; None otherwise.
        snoozed_until: when it comes back, in the status snoozed, or ends, in the status waiting; None otherwise.
        outcome: how it ended; None while unresolved.
        merged_into: row id of the case that took it in; None for most.
        clocks_from: when the promises began to run: opened, or reopened by its customer.
        acknowledge_by: when somebody should have claimed it; None without a promise.
        reply_by: when the first public reply is due; None without a promise.
        resolve_by: when it should be resolved; None without a promise.
        acknowledged_at: when it was first claimed since `clocks_from`; None until then.
        replied_at: when it was first answered in public since `clocks_from`; None until then.
    """

    id: int
    public_id: str
    key: str
    brand: str
    route: str
    reason: str
    severity: Severity
    status: Status
    headline: str
    author: str
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None
    mentions: int
    version: int = 1
    assignee: int | None = None
    claimed_until: datetime | None = None
    snoozed_until: datetime | None = None
    outcome: Outcome | None = None
    merged_into: int | None = None
    clocks_from: datetime | None = None
    acknowledge_by: datetime | None = None
    reply_by: datetime | None = None
    resolve_by: datetime | None = None
    acknowledged_at: datetime | None = None
    replied_at: datetime | None = None

    @property
    def deadline(self) -> Deadline | None:
        """What breaks next; None when nothing does."""
        since = self.clocks_from or self.opened_at
        if self.status == "resolved":
            return None
        if self.status == "snoozed" and self.snoozed_until:
            return Deadline(clock="return", since=self.changed_at, until=self.snoozed_until)
        if self.status == "waiting" and self.snoozed_until:
            return Deadline(clock="silence", since=self.changed_at, until=self.snoozed_until)
        running: tuple[tuple[Clock, datetime | None, datetime | None], ...] = (
            ("acknowledge", self.acknowledge_by, self.acknowledged_at),
            ("reply", self.reply_by, self.replied_at),
            ("resolve", self.resolve_by, None),
        )
        open_ones = [(by, clock) for clock, by, stopped in running if by and stopped is None]
        if not open_ones:
            return None
        until, clock = min(open_ones)
        return Deadline(clock=clock, since=since, until=until)

    def held(self, now: datetime) -> bool:
        """Whether a colleague's claim is in force."""
        return self.status == "acknowledged" and self.claimed_until is not None and self.claimed_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases a list shows; absent parts take all.

    Args:
        statuses: any of these.
        brand: of this brand.
        severity: of this severity.
        assignee: row id of a colleague; 0: of nobody.
        words: each of them stands in the headline or the author's handle.
    """

    statuses: tuple[Status, ...]
    brand: str | None = None
    severity: Severity | None = None
    assignee: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """How a mention joins a case that is there already.

    Args:
        window: how long after resolving a new mention reopens the case.
        lease: how long the claim holds of who has a case that waited for its customer.
        into: the case that our answer belongs to, where the mention answers one.
    """

    window: timedelta
    lease: timedelta = timedelta(hours=1)
    into: Case | None = None


def case_key(mention: Mention) -> str:
    """Name the matter: brand, author in that realm, thread root where there is one; without an author, the post.

    Fifty people complaining under one post are fifty cases in one bundle: each wants an answer.
    """
    post = mention.post
    author = post.author.handle.casefold()
    if not author:
        return "\x1f".join((mention.brand, post.source, post.realm, "post", post.external_id))
    root = post.root or ("" if post.in_reply_to is None else post.in_reply_to)
    return "\x1f".join((mention.brand, post.source, post.realm, "author", author, root))


def joins(case: Case, now: datetime, window: timedelta) -> bool:
    """Whether a new mention with the same key belongs to this case rather than opening another."""
    return case.resolved_at is None or now - case.resolved_at <= window


def headline(mention: Mention) -> str:
    """The first words of a mention, for lists and messages: at most 140 characters on one line."""
    post = mention.post
    text = " ".join((post.text or post.title).split())
    return text if len(text) <= 140 else f"{text[:139].rstrip()}…"
