"""Fakes with a little language, for tests of the pipeline and of strangers' code. The store is never faked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from listener.core.errors import AdapterError
from listener.core.mention import Author, Post
from listener.core.notification import Message
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.sentiment import Probabilities, Verdict, unreadable

START = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands until it is moved.

    Args:
        now: where it stands.
    """

    def __init__(self, now: datetime = START) -> None:
        """Set the clock."""
        self.now = now

    def __call__(self) -> datetime:
        """Say the present."""
        return self.now

    def forward(self, by: timedelta) -> None:
        """Move it on."""
        self.now += by


def make_post(external_id: str, text: str = "", **fields: object) -> Post:
    """A post with believable defaults; `author` may be a handle."""
    author = fields.pop("author", "ann")
    return Post(
        external_id=external_id,
        text=text or f"Acme post {external_id}",
        author=author if isinstance(author, Author) else Author(handle=str(author)),
        **{"source": "fake", "realm": "fake.example", "published_at": START - timedelta(minutes=5), **fields},  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    """Options of an adapter that has none."""


@dataclass(slots=True)
class FakeSource:
    """A source that answers what it was told to, page by page; the cursor counts the pages.

    Args:
        pages: answers in order: posts, or an error to raise; when they are used up it has nothing more.
    """

    pages: list[Sequence[Post] | AdapterError] = field(default_factory=list)
    asked: list[Cursor | None] = field(default_factory=list)

    name: ClassVar[str] = "fake"
    Options: ClassVar[type] = NoOptions
    capabilities: ClassVar[Capabilities] = Capabilities(window="what the test says", latency="none")

    def answer(self, *posts: Post) -> None:
        """Queue a page."""
        self.pages.append(posts)

    def fail(self, problem: AdapterError) -> None:
        """Queue an error."""
        self.pages.append(problem)

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Answer the next page."""
        self.asked.append(cursor)
        if not self.pages:
            return Page(cursor=cursor)
        page = self.pages.pop(0)
        if isinstance(page, AdapterError):
            raise page
        return Page(posts=tuple(page), cursor=Cursor(f"v1:{len(self.asked)}"))


def verdict(negative: float, neutral: float, positive: float, *, scorer: str = "table@1", sure: float = 0.6) -> Verdict:
    """A verdict from three probabilities; confident from `sure` on."""
    probabilities = Probabilities(negative=negative, neutral=neutral, positive=positive)
    return Verdict(
        probabilities=probabilities,
        label=probabilities.label,
        confidence=probabilities.confidence,
        certainty="confident" if probabilities.confidence >= sure else "unsure",
        scorer=scorer,
    )


@dataclass(slots=True)
class FakeScorer:
    """A scorer that looks words up in a table: the first word of the table found in the text decides.

    Args:
        table: word to (negative, neutral, positive).
        revision: stands in its name.
        on_read: called with each batch before it is judged; may raise or end the process.
    """

    table: Mapping[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "broken": (0.95, 0.04, 0.01),
            "hate": (0.97, 0.02, 0.01),
            "waiting": (0.8, 0.15, 0.05),
            "love": (0.01, 0.04, 0.95),
        }
    )
    revision: str = "1"
    on_read: Callable[[Sequence[str]], None] = lambda _texts: None
    batches: list[int] = field(default_factory=list)

    Options: ClassVar[type] = NoOptions

    @property
    def name(self) -> str:
        """Name and revision."""
        return f"table@{self.revision}"

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge by the table; neutral without a known word, unreadable without any."""
        self.on_read(texts)
        self.batches.append(len(texts))
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Verdict:
        if not text.strip():
            return unreadable(self.name)
        found = next((chances for word, chances in self.table.items() if word in text), (0.05, 0.9, 0.05))
        return verdict(*found, scorer=self.name)


@dataclass(slots=True)
class FakeChannel:
    """A channel that keeps what it is given, and fails when told to.

    Args:
        failures: errors to raise, one a call, before it accepts anything.
    """

    failures: list[Exception] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    name: ClassVar[str] = "fake"
    Options: ClassVar[type] = NoOptions
    needs_url: ClassVar[bool] = False

    @property
    def pause(self) -> timedelta:
        """It can be hurried."""
        return timedelta()

    def fail(self, *problems: Exception) -> None:
        """Queue errors."""
        self.failures.extend(problems)

    def send(self, message: Message) -> None:
        """Keep the message, or fail as told."""
        self.tried.append(message.key)
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append(message)

    @property
    def keys(self) -> set[str]:
        """Keys of what was accepted."""
        return {message.key for message in self.messages}


def cases_told(messages: Iterable[Message]) -> set[str]:
    """Public ids of all cases that messages carried."""
    return {line.case.public_id for message in messages for line in message.cases}
