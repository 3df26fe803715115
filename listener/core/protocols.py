"""The borders of the core: what an adapter must offer, and what it is given.

Adapters are built as `Adapter(options, tools)`, see `tools.py`, and do no I/O in `__init__`. Each method names its
caller and its errors. Whatever else an adapter raises is caught once, at the border in `listener.pipeline`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from listener.core.mention import Post
from listener.core.notification import Message
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, Posted, ReplyLimits
from listener.core.sentiment import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a kind of place can and cannot do, shown to people and used to refuse impossible promises.

    Args:
        window: how far back one poll can see, in words ("the feed's newest entries").
        latency: how old a post usually is when it can be seen, in words.
        cost: what a poll costs, in words; "free" where it is.
        reply: whether an answer can be posted through an interface; the class is then a `Replier`.
        reply_limit: longest reply in characters; None where there is no limit or no reply.
        edits: whether a later edit is noticed.
        deletes: whether a deletion is noticed.
        identity: whether authors are told apart.
        engagement: whether likes, replies or shares come along.
        ports: where such places are asked, unless the operator names ports (`source_ports`).
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
    ports: tuple[int, ...] = (80, 443)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much one poll may take.

    Args:
        posts: most posts a page should hold.
        seconds: wall time after which the source should return what it has.
    """

    posts: int = 500
    seconds: float = 60.0


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


class Stop(Protocol):
    """Tells long work when to end; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether to end now."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end or the timeout; True when it is time to end."""
        ...


@runtime_checkable
class Listens(Protocol):
    """What a source offers beside `Source` where the other side tells at once that there is news.

    A stream only rings: what is new is read by `poll()`, which goes on by its plan whatever becomes of the stream. So
    a stream may ring too often, too late or not at all, and nothing is lost or doubled.
    """

    @property
    def pause(self) -> timedelta:
        """The least pause between two polls that rings cause; the other side must bear it for hours."""
        ...

    def streams(self) -> Sequence[str]:
        """Names of the streams to hold, each of which takes a thread; empty where none is wanted. No I/O."""
        ...

    def listen(self, stream: str, stop: Stop) -> Iterator[None]:
        """Hold a stream. Called by `pipeline/listen.py` in a thread of its own, and again after a pause once it ended.

        Args:
            stream: one of `streams()`.
            stop: once set, end within a second.

        Yields:
            Once as soon as the stream stands, then whenever something came that may be a post. Ends where the other
            side ends it, and by itself after an hour or so.

        Raises:
            Unavailable: it broke off, fell silent, or sent what no stream sends: tried again later.
            RateLimited: tried again after the wait it carries.
            Unauthorized: the credentials were refused.
            Rejected: the other side has no such stream; says why.
        """
        ...


@runtime_checkable
class Replier(Protocol):
    """What a source offers beside `Source` where an answer can be posted through its interface.

    The one caller of `reply()` is `pipeline/post.py`, and it calls once for an approval: nothing here may try again by
    itself. A source that answers in an account's name never returns that account's own posts from `poll()`.
    """

    def can_reply(self, post: Post) -> str | None:
        """Why this post cannot be answered through the interface, in words for people; None when it can. No I/O.

        Args:
            post: one that this source returned.
        """
        ...

    def limits(self, post: Post) -> ReplyLimits:
        """What an answer to this post must keep to; checked while people type and before they approve. No I/O.

        Args:
            post: one that may be answered.
        """
        ...

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """Post an answer under a post, once.

        Args:
            post: the post that is answered.
            approved: who approved which very words.
            key: names this answer for ever; given to the other side wherever it tells repeats by one.

        Returns:
            What the other side calls the answer.

        Raises:
            RateLimited: refused for now, and nothing was posted.
            Unavailable: not reached, and nothing was posted: no byte of the answer left.
            Unauthorized: the credentials were refused.
            Rejected: refused for good; says why.
            Unclear: it was sent and no answer came, or none that tells: it may stand there.
        """
        ...

    def find(self, post: Post, approved: Approval, key: str) -> Posted | None:
        """Look whether an answer stands there, after an unclear outcome. Called by `pipeline/post.py`.

        Args:
            post: as given to `reply()`.
            approved: as given to `reply()`.
            key: as given to `reply()`.

        Returns:
            The answer; None when it is not to be seen, which proves nothing.

        Raises:
            Unavailable: try again later.
            Rejected: it cannot be looked up.
        """
        ...


@runtime_checkable
class Names(Protocol):
    """What a `Replier` offers beside where the other side's name for an answer follows from its key.

    By it an echo finds an answer of which nobody knows yet whether it was taken.
    """

    def known_as(self, key: str) -> str:
        """The name, as in `Posted`, that an answer with this key has at the other side. No I/O.

        Args:
            key: as given to `Replier.reply()`.
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


DEFAULT_HORIZON = timedelta(hours=48)
"""Posts published longer ago than this when first seen are history."""
