"""The public API as a stranger uses it, for the type checker: `mypy` reads this file and must find nothing to say.

Nothing here runs in the test suite; what must not type-check says so with an ignore, which mypy holds to be needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, assert_type

from listener import (
    Answer,
    Author,
    Budget,
    Capabilities,
    Case,
    CaseLine,
    Certainty,
    Channel,
    Clock,
    Cursor,
    Engagement,
    Http,
    Label,
    ListenerError,
    Matcher,
    Mention,
    Message,
    Page,
    Place,
    Post,
    Probabilities,
    Query,
    RateLimited,
    Rejected,
    Route,
    Scorer,
    Sentiment,
    Severity,
    Source,
    Status,
    StoreError,
    StoreFull,
    Tools,
    Unauthorized,
    Unavailable,
    Verdict,
    unreadable,
)
from listener.testing import FakeChannel, FakeClock, FakeScorer, FakeSource, check_channel, check_source, make_post


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Options of a stranger's adapters."""

    url: str
    limit: int = 50


class Lobsters:
    """A stranger's source."""

    name: ClassVar[str] = "lobsters"
    Options: ClassVar[type[Chosen]] = Chosen
    capabilities: ClassVar[Capabilities] = Capabilities(window="the newest 25", latency="a minute")

    def __init__(self, options: Chosen, tools: Tools) -> None:
        """Keep both."""
        assert tools.http is not None
        self._options, self._http, self._clock = options, tools.http, tools.clock

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read the newest."""
        answer = self._http.get(self._options.url, params={"n": str(min(budget.posts, self._options.limit))})
        assert_type(answer, Answer)
        if answer.status == 410:
            raise Rejected("gone", resource=place.name)
        if not answer.body:
            raise RateLimited(retry_after=30.0)
        return Page(posts=tuple(self._post(query.name) for query in needs), cursor=Cursor("v1:1"), more=False)

    def _post(self, external_id: str) -> Post:
        return Post(
            source=self.name,
            external_id=external_id,
            author=Author(handle="ann", followers=3),
            published_at=self._clock(),
            rating=0.25,
            engagement=Engagement(likes=1),
        )


class Coin:
    """A stranger's scorer."""

    Options: ClassVar[type[Chosen]] = Chosen

    def __init__(self, options: Chosen, tools: Tools) -> None:
        """Take what it is given."""

    @property
    def name(self) -> str:
        """Name and revision."""
        return "coin@1"

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Know nothing."""
        return [unreadable(self.name) for _ in texts]


class Pager:
    """A stranger's channel."""

    name: ClassVar[str] = "pager"
    Options: ClassVar[type[Chosen]] = Chosen
    needs_url: ClassVar[bool] = True

    def __init__(self, options: Chosen, tools: Tools) -> None:
        """Take what it is given."""

    @property
    def pause(self) -> timedelta:
        """Be gentle."""
        return timedelta(seconds=1)

    def send(self, message: Message) -> None:
        """Refuse."""
        for line in message.cases:
            assert_type(line, CaseLine)
            assert_type(line.case, Case)
            assert_type(line.case.severity, Severity)
            assert_type(line.case.status, Status)
            assert_type(line.mention, Mention)
            assert_type(line.mention.sentiment, Sentiment | None)
        raise Unauthorized("the key was refused", resource=self.name)


def adapters(http: Http, clock: Clock) -> tuple[Source, Scorer, Channel]:
    """Strangers' adapters are what the protocols ask for."""
    tools, options = Tools(http=http, clock=clock), Chosen(url="https://lobsters.example")
    return Lobsters(options, tools), Coin(options, tools), Pager(options, tools)


def fakes() -> tuple[Source, Scorer, Channel, Clock]:
    """And so are the fakes of the test kit."""
    return FakeSource(), FakeScorer(), FakeChannel(), FakeClock()


def checks(http: Http, clock: Clock) -> None:
    """The contracts take strangers' adapters."""
    assert_type(check_source(lambda tools: Lobsters(Chosen(url="https://x.example"), tools)), tuple[Post, ...])
    assert callable(check_channel)
    assert_type(make_post("1"), Post)


def readings(verdict: Verdict) -> tuple[Label, Certainty, float]:
    """Literals stay literals."""
    assert_type(verdict.probabilities, Probabilities)
    assert_type(verdict.probabilities.label, Label)
    return verdict.label, verdict.certainty, verdict.probabilities.score


def errors(problem: ListenerError) -> float | None:
    """Errors narrow."""
    if isinstance(problem, Unavailable):
        return problem.retry_after
    if isinstance(problem, StoreFull):
        assert_type(problem, StoreFull)
        return None
    assert_type(problem.resource, str)
    raise StoreError(str(problem))


def tree() -> Route:
    """A tree of routes."""
    return Route(name="root", routes=(Route(name="low", match=(Matcher.parse("rating < 0.3"),), severity="high"),))


def mistakes(post: Post) -> None:
    """What must not type-check."""
    post.text = "other words"  # type: ignore[misc]
    Post("feed", "1")  # type: ignore[call-arg]
    Route(name="r", severity="urgent")  # type: ignore[arg-type]
    Page(cursor="v1:1")  # type: ignore[arg-type]
    Place(name="p")  # type: ignore[call-arg]
    Query(name="q", brand="b", terms="acme", places=7)  # type: ignore[arg-type]
    Tools(http=None, clock=datetime.now(UTC))  # type: ignore[arg-type]
    source: Source = Coin(Chosen(url=""), Tools(http=None, clock=lambda: datetime.now(UTC)))  # type: ignore[assignment]
    assert source
