"""The borders of the core: what an adapter must offer, and what it is given.

Adapters are built as `Adapter(options, tools)` and do no I/O in `__init__`. Each method names its caller and its
errors. Whatever else an adapter raises is caught once, at the border in `listener.pipeline`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from listener.core.notification import Message
from listener.core.query import Cursor, Page, Place, Query
from listener.core.sentiment import Verdict

Clock = Callable[[], datetime]
"""Says the present moment as aware UTC; injected everywhere, so that tests can turn it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a kind of place can and cannot do, shown to people and used to refuse impossible promises.

    Args:
        window: how far back one poll can see, in words ("the feed's newest entries").
        latency: how old a post usually is when it can be seen, in words.
        cost: what a poll costs, in words; "free" where it is.
        reply: whether an answer can be posted through an interface.
        reply_limit: longest reply in characters; None where there is no limit or no reply.
        edits: whether a later edit is noticed.
        deletes: whether a deletion is noticed.
        identity: whether authors are told apart.
        engagement: whether likes, replies or shares come along.
    """

    window: str
    latency: str
    cost: str = "free"
    reply: bool = False
    reply_limit: int | None = None
    edits: bool = False
    deletes: bool = False
    identity: bool = True
    engagement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much one poll may take.

    Args:
        posts: most posts a page should hold.
        seconds: wall time after which the source should return what it has.
    """

    posts: int = 500
    seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer, read whole and within limits.

    Args:
        status: HTTP status; redirects are already followed.
        headers: names in lower case.
        body: decoded content, at most the asked number of bytes.
        url: the final address.
        moved_to: the address after an unbroken chain of permanent redirects (301, 308), else None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str | None = None


class Http(Protocol):
    """The polite HTTP client that adapters are given: user agent, limits, deadlines, redirects re-checked."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 15_000_000,
        deadline: float = 20.0,
    ) -> Answer:
        """Read a page. Called by sources and channels.

        Args:
            url: http or https address.
            params: query parameters to add.
            headers: request headers to add.
            max_bytes: most decoded bytes to read.
            deadline: seconds for everything, redirects and body included.

        Returns:
            The answer with a status of 200..299, 304 or 410; everything else is an error.

        Raises:
            RateLimited: 429, or 503 with Retry-After; carries the wait.
            Unauthorized: 401 or 403.
            Rejected: another 4xx, a forbidden address, too many redirects, or a body over the limit.
            Unavailable: 5xx, no connection, a broken or too slow answer.
        """
        ...


class Guard(Protocol):
    """Says where connections may go, for adapters whose libraries open connections themselves (IMAP, SMTP)."""

    def refusal(self, host: str, port: int) -> str | None:
        """Why a host may not be dialled, as far as its writing says; None when its addresses decide. Asks nobody.

        Args:
            host: a name or an address.
            port: where to knock.
        """
        ...

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses to dial, in order of preference. Dial these, not the name: it may mean another one next time.

        Args:
            host: a name or an address; stays the name for TLS.
            port: where to knock.

        Raises:
            OSError: there is none that may be dialled; the message may be shown.
        """
        ...

    def failed(self, host: str, port: int, why: str) -> OSError:
        """The error to show when dialling failed: it tells no more than may be told, and the log hears the rest.

        Args:
            host: as given to `addresses`.
            port: as given to `addresses`.
            why: what went wrong.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What an adapter is given beside its options.

    Args:
        http: the polite HTTP client; None for adapters that never reach out.
        clock: says the present moment.
        secret: the credential the configuration names for it; never in repr; None without one.
        session: makes a `requests.Session` that goes where `http` may go, for libraries that want one; None for
            adapters that never reach out.
        guard: for libraries that open connections in other ways; None for adapters that never reach out.
    """

    http: Http | None
    clock: Clock
    secret: str | None = field(default=None, repr=False)
    session: Callable[[], Any] | None = None
    guard: Guard | None = None


@runtime_checkable
class Source(Protocol):
    """A kind of place we poll; lives in `sources/` or in a stranger's package.

    Built as `Source(options, tools)`, once a place.
    """

    name: ClassVar[str]
    Options: ClassVar[type[Any]]
    capabilities: ClassVar[Capabilities]

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read what is new at a place. Called by `pipeline/poll.py`, one call at a time for a place.

        Args:
            place: which one.
            needs: the queries that listen to it; a source with remote search asks for their widest form. Matching
                is always repeated by us.
            cursor: what the last stored page carried; None the first time.
            budget: how much this call may take.

        Returns:
            A page; it may hold posts that were returned before, since telling them apart is our work.

        Raises:
            Unavailable: try again later.
            RateLimited: try again after the wait it carries.
            Unauthorized: the credentials were refused.
            Rejected: the request can never work as configured.
        """
        ...


@runtime_checkable
class Scorer(Protocol):
    """Judges texts; lives in `models/` or in a stranger's package. Built as `Scorer(options, tools)`."""

    Options: ClassVar[type[Any]]

    @property
    def name(self) -> str:
        """Name and revision, stored with each verdict, as in "bundled-en@1f3a9c"."""
        ...

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts. Called by `pipeline/judge.py` from one thread.

        Args:
            texts: any strings whatever, hostile and empty ones included.

        Returns:
            As many verdicts in the same order; a text that says nothing is unsure with confidence 0.

        Raises:
            Unavailable: the model cannot be loaded now.
            Rejected: the model can never be loaded as configured. Never raised for odd text.
        """
        ...


@runtime_checkable
class Channel(Protocol):
    """A way to staff; lives in `notifier/` or in a stranger's package. Built as `Channel(options, tools)`."""

    name: ClassVar[str]
    Options: ClassVar[type[Any]]
    needs_url: ClassVar[bool]
    """Whether its messages leave the machine, so that a link to the case must be reachable from outside."""

    @property
    def pause(self) -> timedelta:
        """The least pause between two messages that the other side bears."""
        ...

    def send(self, message: Message) -> None:
        """Hand a message over; returning means the other side accepted it. Called by `pipeline/dispatch.py`.

        Raises:
            Unavailable: try again later (carries the wait, where told one).
            Rejected: never try this again; says why, without secrets.
        """
        ...


class Stop(Protocol):
    """Tells long work when to end; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether to end now."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end or the timeout; True when it is time to end."""
        ...


DEFAULT_HORIZON = timedelta(hours=48)
"""Posts published longer ago than this when first seen are history."""
