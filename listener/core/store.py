"""What the pipeline asks of a store; `listener.store` answers on SQLite, another one may on PostgreSQL.

Each part serves one noun. Every writing method may raise StoreFull (no room) or StoreError (locked, broken), and then
nothing of its transaction was written. Methods that say so are called within `Store.transaction()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from listener.core.campaign import Campaign
from listener.core.case import Case, Joining
from listener.core.delivery import Parcel
from listener.core.event import Actor, Event
from listener.core.head import Heads
from listener.core.mention import Arrival, Engagement, Mention, NewPost, Post, Seen
from listener.core.notification import Notification, Reason
from listener.core.place import PlaceTurn
from listener.core.query import Cursor, Match
from listener.core.reply import Reply, ReplyState, Stop
from listener.core.rescore import Corrections, Rescores
from listener.core.route import SLA, Route, Severity
from listener.core.sentiment import Sentiment, Verdict
from listener.core.work import Judged, Routed, Step


class Places(Protocol):
    """Cursors and schedules; used by `pipeline/poll.py`, `listen.py` and `ingest.py`."""

    def claim(self, limit: int, now: datetime) -> tuple[PlaceTurn, ...]:
        """Take places that are due."""
        ...

    def polled(
        self, name: str, *, cursor: Cursor | None, more: bool, keep: bool, due: datetime, posts: int, gap: str | None,
        now: datetime,
    ) -> None:  # fmt: skip
        """Record an answer, in the transaction that stores its posts."""
        ...

    def failed(self, name: str, *, error: str, due: datetime, now: datetime) -> None:
        """Record a failed poll."""
        ...

    def hasten(self, name: str, now: datetime) -> bool:
        """Make a place due; False while it is being polled or down."""
        ...

    def listens(self, name: str, *, since: datetime | None, why: str | None) -> None:
        """Record whether a place's streams stand."""
        ...

    def tally(self, place: str, counts: Mapping[str, int]) -> None:
        """Add to the ledger of outcomes."""
        ...

    def imported(self, digest: str, place: str, offset: int, rows: int) -> None:
        """Record how far a file was imported, in the transaction that stores its rows."""
        ...


class Posts(Protocol):
    """Posts and the mentions they make; used by `pipeline/ingest.py`, all in one transaction."""

    def seen(self, identities: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], Seen]:
        """What is known of posts, by (source, realm, external id)."""
        ...

    def add(self, new: Sequence[NewPost], place: str, now: datetime) -> None:
        """Store new posts and their mentions."""
        ...

    def edit(self, seen: Seen, post: Post, fingerprint: str, now: datetime) -> None:
        """Keep the known state as a revision and store the new one."""
        ...

    def react(self, reactions: Sequence[tuple[int, Engagement]]) -> None:
        """Bring reactions up to date."""
        ...

    def mention(
        self,
        post_id: int,
        post: Post,
        match: Match,
        place: str,
        fingerprint: str,
        arrival: tuple[Arrival, str],
        now: datetime,
        fell: bool = False,
    ) -> bool:
        """Make a mention wait for judging; False when it knew this state."""
        ...


class Mentions(Protocol):
    """The queue of mentions; used by `pipeline/judge.py` and `pipeline/escalate.py`."""

    def claim(self, step: Step, limit: int, now: datetime) -> tuple[Mention, ...]:
        """Take mentions that wait in a step."""
        ...

    def waiting(self, step: Step, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """Those of the claimed mentions that still wait in the step, in the state that was claimed."""
        ...

    def unclaim(self, mentions: Sequence[Mention], due: datetime, error: str) -> None:
        """Return mentions whose batch failed, to be tried one by one."""
        ...

    def give_back(self, mentions: Sequence[Mention]) -> None:
        """Return mentions untried."""
        ...

    def find(self, mention_id: int) -> Mention | None:
        """One mention, or None."""
        ...

    def verdicts(self, mentions: Sequence[Mention], scorer: str) -> dict[tuple[int, str], Verdict]:
        """Verdicts this scorer gave on these states, by post id and fingerprint."""
        ...

    def by_hand(self, mentions: Sequence[Mention]) -> Mapping[int, Sentiment]:
        """Sentiments that colleagues settled for these very states, by mention id."""
        ...

    def judged(self, judged: Sequence[Judged], revision: str, now: datetime) -> None:
        """Store results and pass the mentions on, in a transaction."""
        ...

    def routed(self, routed: Sequence[Routed], revision: str) -> None:
        """Record the routes and end the path, in a transaction."""
        ...


class Cases(Protocol):
    """The staff's work; used by `pipeline/escalate.py`."""

    def open_or_grow(
        self, mention: Mention, *, route: str, reason: str, severity: Severity, joining: Joining, now: datetime,
        sla: SLA = ...,
    ) -> tuple[Case, bool]:  # fmt: skip
        """Give a mention its case, in a transaction; True when it was opened or reopened."""
        ...

    def lapsing(self, now: datetime, limit: int = ...) -> tuple[Case, ...]:
        """Cases whose claim ran out, whose snooze ended, or whose customer had nothing more to say."""
        ...

    def get(self, case_id: int) -> Case:
        """The case of a row id that is known to be there."""
        ...

    def current(self, case: Case) -> Case:
        """Where what concerns an answer of ours goes: its case, unless it was merged or its customer has a newer."""
        ...

    def overdue(self, now: datetime, limit: int = ...) -> tuple[Case, ...]:
        """Cases with a broken promise that staff were not told of yet."""
        ...

    def told_overdue(self, case_id: int) -> None:
        """Remember that staff were told of it."""
        ...

    def change(self, case: Case) -> Case:
        """Store a new state of a case, in a transaction; gives it with its new version."""
        ...


class Replies(Protocol):
    """What customers are answered; used by `pipeline/post.py`, and by ingest, escalate and watch."""

    def due(self, now: datetime, *, posting: bool) -> Reply | None:
        """The next one to post or to look for."""
        ...

    def stranded(self) -> tuple[Reply, ...]:
        """Those that were handed over by a process that is gone, or whose outcome could not be kept."""
        ...

    def forgotten(self, now: datetime) -> tuple[Reply, ...]:
        """Drafts that marketing has had for too long."""
        ...

    def get(self, reply_id: int) -> Reply:
        """The reply of a row id that is known to be there."""
        ...

    def newest(self, case_id: int) -> datetime | None:
        """When the newest words of a case's customer were first seen."""
        ...

    def change(self, reply: Reply) -> Reply:
        """Store a new state, in a transaction; refused when it changed since this one was read."""
        ...

    def in_states(self, states: Sequence[ReplyState]) -> tuple[Reply, ...]:
        """Replies in some states."""
        ...

    def known_as(self, identity: tuple[str, str, str]) -> Reply | None:
        """The answer that the other side knows by this name: source, realm and external id."""
        ...

    def live(self, case_id: int) -> Reply | None:
        """The answer to a case that is under way."""
        ...

    def stopped(self) -> Stop | None:
        """The stop of all posting that stands."""
        ...

    def standing(self, identities: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], tuple[int, str]]:
        """Which of these posts are answers of ours: row id and brand of the case, by identity."""
        ...


class Events(Protocol):
    """What was done; used by `pipeline/watch.py` and `pipeline/post.py`."""

    def add(
        self, actor: Actor, act: str, now: datetime, *, case: Case | None = None,
        subject: str = "", detail: str = "",
    ) -> int:  # fmt: skip
        """Keep an event, in the transaction that does what it tells."""
        ...

    def of_subject(self, subject: str) -> tuple[Event, ...]:
        """The newest events about a subject, newest first."""
        ...


class Outbox(Protocol):
    """What staff are told; used by `pipeline/escalate.py` and `pipeline/dispatch.py`."""

    def put(self, route: Route, bundle: str, case_id: int, severity: Severity, opened: bool, now: datetime) -> None:
        """Let staff know of a case on each channel of a route, in a transaction."""
        ...

    def news(self, case: Case, reason: Reason, routes: Mapping[str, Route], now: datetime) -> None:
        """Let those who heard of a case know what became of it (overdue, returned), in a transaction."""
        ...

    def announce(self, campaign: Campaign, channels: Sequence[str], now: datetime) -> None:
        """Let teams know of a campaign, once on each channel, in a transaction."""
        ...

    def claim(self, channel: str, now: datetime) -> Parcel | None:
        """Take the most urgent due notification of a channel and freeze its content."""
        ...

    def sent(self, notification: Notification, *, why: str, took: timedelta, now: datetime) -> None:
        """Record that it was accepted."""
        ...

    def dropped(self, notification: Notification, *, why: str, now: datetime) -> None:
        """Record that it was not worth sending any more."""
        ...

    def hold(self, notification: Notification, *, why: str, until: datetime) -> None:
        """Put it off untried, to be decided on anew."""
        ...

    def retry(self, notification: Notification, *, error: str, due: datetime, took: timedelta, now: datetime) -> None:
        """Record a failed try."""
        ...

    def give_up(self, notification: Notification, *, error: str, took: timedelta, now: datetime) -> None:
        """Record the last failed try."""
        ...


class Campaigns(Protocol):
    """What marketing runs; used by `pipeline/announce.py`."""

    def unannounced(self, now: datetime, starts_before: datetime) -> tuple[Campaign, ...]:
        """Those that start before a time and that teams were not told of."""
        ...

    def announced(self, campaign: Campaign, now: datetime) -> None:
        """Record that the message is in the outbox, in the transaction that puts it there."""
        ...


class Store(Protocol):
    """The database, by noun."""

    @property
    def corrections(self) -> Corrections:
        """What colleagues said of labels."""
        ...

    @property
    def heads(self) -> Heads:
        """What corrections taught about brands."""
        ...

    @property
    def rescores(self) -> Rescores:
        """Judging again what was judged before."""
        ...

    @property
    def places(self) -> Places:
        """Cursors and schedules."""
        ...

    @property
    def posts(self) -> Posts:
        """What was published."""
        ...

    @property
    def mentions(self) -> Mentions:
        """The queue."""
        ...

    @property
    def cases(self) -> Cases:
        """The staff's work."""
        ...

    @property
    def events(self) -> Events:
        """What was done."""
        ...

    @property
    def replies(self) -> Replies:
        """What customers are answered."""
        ...

    @property
    def campaigns(self) -> Campaigns:
        """What marketing runs."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What staff are told."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Write all or nothing."""
        ...
