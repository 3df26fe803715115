"""The only place with SQL. `open_store()` gives a `Store`: one small part for each noun over one database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from listener.core.errors import SettingsError, StoreError
from listener.store.authors import Authors
from listener.store.calls import Calls
from listener.store.campaigns import Campaigns
from listener.store.cases import Cases
from listener.store.colleagues import Colleagues
from listener.store.corrections import Corrections
from listener.store.customers import Customers
from listener.store.engine import SAFE_SQLITE, Connections, sqlite_version
from listener.store.events import Events
from listener.store.heads import Heads
from listener.store.invitations import Invitations
from listener.store.lane import Lane
from listener.store.limits import Limits
from listener.store.mentions import Mentions
from listener.store.notes import Notes
from listener.store.outbox import Outbox
from listener.store.places import Places
from listener.store.posts import Posts
from listener.store.remedies import Remedies
from listener.store.replies import Replies
from listener.store.requests import Requests
from listener.store.rescores import Rescores
from listener.store.sessions import Sessions
from listener.store.tokens import Tokens
from listener.store.trails import Trails
from listener.store.trends import Trends
from listener.store.vectors import Vectors
from listener.store.views import Views
from listener.store.weights import Weights

__all__ = ["SAFE_SQLITE", "Connections", "Store", "make_store", "open_store", "sqlite_version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The database, by noun.

    Args:
        db: the connections beneath.
        places: cursors and schedules.
        posts: what was published.
        mentions: the queue and what was judged.
        cases: the staff's work.
        events: what was done.
        notes: what colleagues tell each other.
        corrections: what people said of labels.
        lane: mentions that want a person's eye.
        weights: which words carried verdicts.
        rescores: judging again what was judged before.
        heads: what corrections taught about brands.
        colleagues: who signs in.
        sessions: browsers that are signed in.
        invitations: one-time links.
        tokens: what programs show.
        limits: tries, counted.
        campaigns: what marketing runs, and who read the briefs.
        customers: authors that a colleague linked.
        authors: who wrote, as their posts show them.
        calls: what colleagues wrote down of calls.
        outbox: what staff are told.
        trends: counts over time.
        trails: mentions as people read them.
        vectors: what texts mean.
        views: what the inbox is cut by.
        replies: what customers are answered.
        remedies: what customers are given to make it right.
        requests: what waits for a colleague.
    """

    db: Connections
    places: Places
    posts: Posts
    mentions: Mentions
    cases: Cases
    events: Events
    notes: Notes
    corrections: Corrections
    lane: Lane
    weights: Weights
    rescores: Rescores
    heads: Heads
    colleagues: Colleagues
    sessions: Sessions
    invitations: Invitations
    tokens: Tokens
    limits: Limits
    campaigns: Campaigns
    customers: Customers
    authors: Authors
    calls: Calls
    outbox: Outbox
    trends: Trends
    trails: Trails
    vectors: Vectors
    views: Views
    replies: Replies
    remedies: Remedies
    requests: Requests

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all or nothing.

        Raises:
            StoreFull: no room; nothing was written.
            StoreError: locked or broken; nothing was written.
        """
        with self.db.transaction():
            yield

    def release(self, counted: bool = True) -> None:
        """Return all leases; see `Mentions.release()` for `counted`. Only the holder of the lock may call it."""
        with self.transaction():
            self.places.release()
            self.mentions.release(counted)
            self.outbox.release()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self.db.close()


def make_store(db: Connections) -> Store:
    """Assemble a store over open connections; the schema is brought up to date."""
    db.migrate()
    corrections = Corrections(db)
    mentions = Mentions(db, corrections)
    events = Events(db)
    weights = Weights(db)
    return Store(
        db=db,
        places=Places(db),
        posts=Posts(db),
        mentions=mentions,
        cases=Cases(db, events),
        events=events,
        notes=Notes(db),
        corrections=corrections,
        lane=Lane(db),
        weights=weights,
        rescores=Rescores(db),
        heads=Heads(db),
        colleagues=Colleagues(db),
        sessions=Sessions(db),
        invitations=Invitations(db),
        tokens=Tokens(db),
        limits=Limits(db),
        campaigns=Campaigns(db),
        customers=Customers(db),
        authors=Authors(db),
        calls=Calls(db),
        outbox=Outbox(db, mentions),
        trends=Trends(db),
        trails=Trails(db, weights),
        vectors=Vectors(db),
        views=Views(db),
        replies=Replies(db),
        remedies=Remedies(db),
        requests=Requests(db),
    )


def open_store(url: str, *, readonly: bool = False) -> Store:
    """Open the database behind a URL or path and bring its schema up to date.

    Args:
        url: a path, or `sqlite:///path`, or ":memory:".
        readonly: only read, beside the process that writes; neither makes nor migrates anything.

    Raises:
        SettingsError: another kind of database is not served yet.
        StoreError: the file cannot be opened or is not a database; when only read also: it is missing or out of date.
    """
    path = url.removeprefix("sqlite:///")
    if "://" in path:
        raise SettingsError(f"{url.split('://', 1)[0]}:// is not served; leave [store] url empty for SQLite")
    if path != ":memory:" and not readonly:
        _make_folder(Path(path).parent)
    return make_store(Connections(path, readonly=readonly))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        message = f"{problem.strerror}: check the path and who may read and write it"
        raise StoreError(message, resource=str(folder)) from problem
