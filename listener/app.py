"""The composition root: Settings in, a working App out, closed in the reverse order.

The daemon, the pages and the commands all work on an App. It is the one place where adapters, store and steps meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from listener import casework, registry
from listener.casework.calls import own_brands
from listener.core.errors import AdapterError
from listener.core.mention import Post, Sighting
from listener.core.notification import Message
from listener.core.protocols import Channel, Replier, Scorer, Source
from listener.core.query import Place
from listener.core.rescore import Rescore
from listener.core.rules import Rules
from listener.core.tools import Clock
from listener.engine.threads import Step
from listener.pipeline.announce import announce
from listener.pipeline.border import border
from listener.pipeline.dispatch import dispatch
from listener.pipeline.escalate import escalate
from listener.pipeline.ingest import ingest
from listener.pipeline.judge import judge
from listener.pipeline.listen import Listening, listening_at
from listener.pipeline.poll import poll, poll_place
from listener.pipeline.post import post
from listener.pipeline.rescore import rescore
from listener.pipeline.topics import Topics
from listener.pipeline.turns import Turns
from listener.pipeline.watch import watch
from listener.settings import Settings, rules_of
from listener.store import Store, open_store
from listener.telemetry import get_logger
from listener.toolbox import Toolbox

POLLERS = 4
"""Places polled side by side; each host is still asked by one at a time."""


def utc_now() -> datetime:
    """The present as aware UTC: the clock of everything that is not a test."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """What the configuration names, built.

    Args:
        rules: the operator's rules.
        sources: by place.
        channels: by the channel's name.
        listening: the streams of places that have some.
    """

    rules: Rules
    sources: Mapping[str, Source]
    channels: Mapping[str, Channel]
    listening: Sequence[Listening]

    @property
    def repliers(self) -> Mapping[str, Replier]:
        """Those sources that can answer, by place."""
        return {place: source for place, source in self.sources.items() if isinstance(source, Replier)}


class App:
    """Everything wired together.

    Args:
        settings: the configuration.
        store: the open database.
        clock: says the present.
        tools: what adapters are given; also closed with the App.
    """

    def __init__(self, settings: Settings, store: Store, clock: Clock, tools: Toolbox) -> None:
        """Build the adapters, none of which does any I/O yet.

        Raises:
            SettingsError: an adapter or its options are wrong.
        """
        self.settings = settings
        self.store = store
        self.clock = clock
        self._tools = tools
        self._cleanup = ExitStack()
        self._cleanup.callback(tools.close)
        self._cleanup.callback(store.close)
        self.adapters = self._build(settings)
        self.casework = casework.Casework(store, clock, lambda: self.rules.claim_lease)
        self.sessions = casework.Sessions(store, clock)
        self.accounts = casework.Accounts(store, clock, self.sessions)
        self.tokens = casework.Tokens(store, clock)
        self.campaigns = casework.Campaigns(store, clock, lambda: [brand.name for brand in self.settings.brands])
        self.customers = casework.Customers(store, clock)
        requests = casework.Requests(store, lambda: self.rules.told)
        self.remedies = casework.Remedies(store, clock, self.casework, requests)
        self.calls = casework.Calls(store, clock, lambda: self.rules, lambda: own_brands(self.settings))
        self.views = casework.Views(store)
        self.exclusions = casework.Exclusions(store, clock)
        self.replies = casework.Replies(
            store, clock, lambda: self.rules.claim_lease, lambda: self.rules.posting, lambda: self.adapters.repliers,
            requests,
        )  # fmt: skip
        self.stops = casework.Stops(store, clock)
        self.settling = casework.Settling(store, clock, lambda: self.rules, self.casework)
        self.scorer: Scorer = Turns(registry.build_scorer(settings, tools.for_places()))
        self._topics = Topics(self.scorer)
        self.why = casework.Why(store, lambda: self.scorer, lambda: self.rules)
        self.teaching = casework.Teaching(store, clock, lambda: self.scorer)

    def _build(self, settings: Settings) -> Adapters:
        ways_out, places = self._tools.for_channels(), [place for place in settings.places if place.enabled]
        sources = {
            place.name: registry.build_source(place, settings, self._tools.for_places(registry.ports(place.source)))
            for place in places
        }
        return Adapters(
            rules=rules_of(settings),
            sources=sources,
            listening=listening_at(sources, self.store, self.clock),
            channels={c.name: registry.build_channel(c, settings, ways_out) for c in settings.channels},
        )

    @property
    def rules(self) -> Rules:
        """The operator's rules now in force."""
        return self.adapters.rules

    def sync(self) -> None:
        """Make the store agree with the configuration, and return the leases of a process that is gone.

        Only the holder of the lock may call it.
        """
        self.store.release()
        self._agree()

    def _agree(self) -> None:
        self.store.places.sync(self.settings.places, self.clock())
        if orphans := self.store.outbox.bury_orphans(tuple(self.adapters.channels), self.clock()):
            get_logger().warning("orphans_buried", messages=orphans)

    def reload(self, settings: Settings) -> None:
        """Take a new configuration: everything that can fail is built before anything changes.

        The scorer, the database, the pages' address and the state folder stay until a restart.

        Raises:
            SettingsError: the new configuration is refused; the old one stays in force.
        """
        self.adapters = self._build(settings)
        self._tools.adopt(settings)
        self.settings = settings
        self._agree()

    def warm(self) -> None:
        """Load the scorer, so that the first mention does not wait for it.

        Raises:
            AdapterError: it cannot be loaded.
        """
        with border(self.settings.scorer.name):
            self.scorer.read(["The parcel arrived on time."])
            self._topics.book(self.rules.topics)
        get_logger().info("scorer_ready", scorer=self.scorer.name)

    def steps(self) -> tuple[Step, ...]:
        """The pipeline's steps for the engine: one for each kind of work, one for each channel."""
        return (
            Step(name="poll", run=self._poll, wakes=("judge",), threads=POLLERS, patience=300.0),
            Step(name="judge", run=self._judge, wakes=("route",), patience=60.0),
            Step(name="route", run=self._route, wakes=("dispatch",)),
            Step(name="post", run=self._post, patience=180.0),
            Step(name="watch", run=self._watch, wakes=("dispatch",)),
            *(self._dispatcher(name) for name in self.adapters.channels),
        )

    def _dispatcher(self, name: str) -> Step:
        pause = self.adapters.channels[name].pause.total_seconds()
        return Step(name=f"dispatch:{name}", run=lambda: self._dispatch(name), pause=pause, patience=180.0)

    def _poll(self) -> int:
        return poll(self.store, self.adapters.sources, self.rules, self.clock, self.adapters.listening)

    def _judge(self) -> int:
        return judge(self.store, self.scorer, self.rules, self.clock, topics=self._topics)

    def _route(self) -> int:
        return escalate(self.store, self.rules, self.clock)

    def _post(self) -> int:
        return post(self.store, self.adapters.repliers, self.rules, self.clock)

    def _watch(self) -> int:
        return watch(self.store, self.rules, self.clock) + announce(self.store, self.rules, self.clock)

    def _dispatch(self, name: str) -> int:
        channel = self.adapters.channels.get(name)
        return dispatch(self.store, name, channel, self.rules, self.clock) if channel else 0

    def poll_once(self, names: Iterable[str] = ()) -> tuple[str, ...]:
        """Poll each place once, due or not; gives the names of those polled."""
        chosen = set(names) or set(self.adapters.sources)
        polled = []
        for name in sorted(chosen & set(self.adapters.sources)):
            turn = self.store.places.turn(name)
            poll_place(self.store, self.adapters.sources[name], self.rules.places[name], turn, self.rules, self.clock)
            polled.append(name)
        return tuple(polled)

    def rescore(self) -> Rescore | None:
        """Judge again the next portion of the rescore that goes on; see `listener.pipeline.rescore`."""
        return rescore(self.store, self.scorer, self.rules, self.clock, topics=self._topics)

    def drain(self, tell: Callable[[str, int], None] = lambda _step, _n: None) -> None:
        """Judge, route and send until nothing is left to do now; bundles are sent without their waiting time.

        Args:
            tell: hears the step's name and how many rows it handled, for progress bars.

        Raises:
            AdapterError: the scorer cannot be used; what waits stays in its step.
            StoreError: the database cannot be written.
        """
        for name, run in (("judge", self._judge), ("route", self._route)):
            while handled := run():
                tell(name, handled)
        while handled := self._post():
            tell("post", handled)
        self.store.outbox.hasten(self.clock())
        for channel in self.adapters.channels:
            while handled := self._dispatch(channel):
                tell("send", handled)

    def take_in(
        self, place: Place, posts: Sequence[Post], *, alert: bool, digest: str, offset: int, rows: int
    ) -> Mapping[str, int]:
        """Store rows of an imported file together with how far the file was read.

        Args:
            place: where the rows are said to come from.
            posts: the rows as posts.
            alert: whether they may open cases, as news would.
            digest: of the file, by which an import is resumed.
            offset: bytes of the file read so far.
            rows: rows of the file read so far.

        Returns:
            The ledger of outcomes, see `listener.pipeline.ingest`.
        """
        sighting = Sighting(at=self.clock(), first_poll=True, horizon=self.rules.horizon, imported=True, alert=alert)
        return ingest(
            self.store, self.rules, place, posts, sighting,
            lambda: self.store.places.imported(digest, place.name, offset, rows),
        )  # fmt: skip

    def tell_operator(self, notice: str) -> None:
        """Say something to every channel at once, past the outbox: for when the outbox cannot be written."""
        message = Message(
            key=f"notice-{self.clock():%Y%m%d%H%M%S}", reason="opened", route="operator", severity="crisis",
            bundle="", cases=(), total=0, inbox_url=self.rules.inbox_url(), notice=notice,
        )  # fmt: skip
        for name, channel in self.adapters.channels.items():
            try:
                with border(name):
                    channel.send(message)
            except AdapterError as problem:
                get_logger().error("message_failed", channel=name, error=str(problem))

    def on_full(self, full: bool) -> None:
        """Tell the operator once that the disk is full, and once that it is not."""
        where = self.settings.state_dir
        self.tell_operator(
            f"Listener's disk is full ({where}): intake rests, nothing is lost. Free some space; it goes on by itself."
            if full
            else f"Listener's disk takes writes again ({where}): intake goes on."
        )

    def close(self) -> None:
        """Let go of the database and of all connections."""
        self._cleanup.close()


def database_url(settings: Settings) -> str:
    """The configured database, or the SQLite file in the state folder."""
    return settings.store.url or str(settings.state_dir / "listener.db")


def make_app(settings: Settings, clock: Clock = utc_now) -> App:
    """Open the database and wire everything; the caller holds the lock and closes the App.

    Raises:
        SettingsError: the configuration names something that cannot be built.
        StoreError: the database cannot be opened.
    """
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as undo:
        store = open_store(database_url(settings))
        undo.callback(store.close)
        tools = Toolbox(settings, clock)
        undo.callback(tools.close)
        app = App(settings, store, clock, tools)
        undo.pop_all()
        return app
