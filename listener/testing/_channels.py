"""The contract every channel passes: `check_channel` runs it against a real far end on loopback.

Called by channels' tests, ours and strangers'; each broken rule is an AssertionError that says which.
"""

from __future__ import annotations

import dataclasses
import logging
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from listener.core.campaign import Brief, Campaign
from listener.core.case import Case
from listener.core.errors import Rejected, Unavailable
from listener.core.mention import Author, Mention, Post
from listener.core.notification import Announcement, CaseLine, Message, Reason, Request, RequestKind
from listener.core.protocols import Channel
from listener.core.sentiment import Sentiment

Failure = Literal["error", "refuse", "hang"]
FAILURES: tuple[Failure, ...] = ("error", "refuse", "hang")

HOSTILE = (
    "@everyone @here @channel <!channel> <@U123> <b>bold</b> [your bank](https://evil.example) ![x](https://evil.example/p)"
    " ``` \r\nBcc: victim@example.org\r\n\r\n# Heading \x1b[31mred\x07\x00 \u202egnp.exe\u202c {{x}} ${HOME} \ud800"
)
"""A post that tries everything at once."""

_MARKS = ("@everyone", "@here", "@channel", "\x1b", "\x07", "\x00", "\u202e", "\ud800")
_CASE_URL = "https://desk.example/cases/c-1"
_INBOX_URL = "https://desk.example/cases"
_BRIEF_URL = "https://desk.example/campaigns/p-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a person at the far end sees of one message."""

    title: str
    text: str


class FarEnd(Protocol):
    """The receiving side of a channel under test, on loopback."""

    def behave(self, how: Literal["ok"] | Failure) -> None:
        """Accept; or answer with an error; or refuse connections; or take the message and never answer."""
        ...

    def received(self) -> Sequence[Received]:
        """What was accepted, in order."""
        ...


def example_message(
    text: str = "Three weeks and no parcel.",
    *,
    author: str = "kari",
    count: int = 1,
    total: int | None = None,
    key: str = "check-1",
    reason: Reason = "opened",
    sample: bool = False,
) -> Message:
    """A believable message about `count` cases, for tests.

    Args:
        text: what the post says.
        author: who says it.
        count: how many cases it carries.
        total: how many it is about; `count` by default.
        key: its idempotency key.
        reason: why now.
        sample: whether it is demo data.
    """
    lines = tuple(_line(number, text, author) for number in range(1, count + 1))
    return Message(
        key=key,
        reason=reason,
        route="complaints",
        severity="high",
        bundle="brand=Brackholm",
        cases=lines,
        total=count if total is None else total,
        inbox_url=_INBOX_URL,
        sample=sample,
    )


def example_announcement(
    name: str = "Free returns", promises: str = "Nothing to pay, also for sale items.\nUntil Saturday, midnight.",
    *, key: str = "check-2", sample: bool = False,
) -> Message:  # fmt: skip
    """A believable message about a campaign that starts soon, for tests.

    Args:
        name: what the campaign is called.
        promises: what customers are promised.
        key: its idempotency key.
        sample: whether it is demo data.
    """
    now = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    brief = Brief(
        name=name, brand="Brackholm", starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=5),
        promises=promises, known_issues="The label takes up to an hour to arrive.", wording="Send it back at no cost.",
    )  # fmt: skip
    campaign = Campaign(id=1, public_id="p-1", brief=brief, owner=None, version=1, created_at=now, changed_at=now)
    return Message(
        key=key, reason="announced", route="campaigns", severity="normal", bundle="p-1", cases=(), total=0,
        inbox_url=_INBOX_URL, sample=sample, announcement=Announcement(campaign=campaign, url=_BRIEF_URL),
    )  # fmt: skip


def example_request(kind: RequestKind = "advice", asker: str = "Dana", *, key: str = "check-3") -> Message:
    """A believable message about something that waits for a colleague, for tests.

    Args:
        kind: what is asked.
        asker: name of the colleague who asks.
        key: its idempotency key.
    """
    until = datetime(2026, 11, 2, 10, 0, tzinfo=UTC) if kind == "advice" else None
    request = Request(
        kind=kind, brand="Brackholm", severity="high", asker=asker, asked="Mia" if until else "", until=until,
        waits=True, url=_CASE_URL,
    )  # fmt: skip
    return Message(
        key=key, reason="asked", route="requests", severity="high", bundle="", cases=(), total=0,
        inbox_url=_INBOX_URL, request=request,
    )  # fmt: skip


def check_channel(
    make: Callable[[], Channel],
    far_end: FarEnd,
    *,
    secret: str = "",
    limit: int = 100_000,
    failures: Sequence[Failure] = FAILURES,
    marks: Sequence[str] = (),
) -> None:
    """Check a channel against the contract; raises AssertionError with the rule that is broken.

    Args:
        make: builds the channel with a time limit of a few seconds; called several times.
        far_end: where its messages arrive.
        secret: a credential the channel was given; it must never be said.
        limit: most characters the far end shows of title and text together.
        failures: what can go wrong at this kind of far end.
        marks: markup this far end would act on, such as "<!channel>"; must not arrive.
    """
    with _records() as logged:
        far_end.behave("ok")
        channel = make()
        _check_shape(channel)
        assert not far_end.received(), "building a channel must not send anything"
        _check_words(channel, far_end)
        _check_hostile(channel, far_end, marks)
        _check_long(channel, far_end, limit)
        said = [repr(channel), str(channel), *(_check_failure(make(), far_end, how) for how in failures)]
    for text in (*said, *logged):
        assert not secret or secret not in text, f"a secret shows in an error, a repr or a log: {text[:80]!r}"


def _check_shape(channel: Channel) -> None:
    kind = type(channel)
    assert isinstance(channel, Channel), "a channel has name, Options, needs_url, pause and send"
    assert channel.pause >= timedelta(), "pause: the least time between two messages, or none"
    assert isinstance(kind.name, str), "name: a word for configuration files"
    assert kind.name, "name: not empty"
    assert dataclasses.is_dataclass(kind.Options), "Options: a frozen dataclass"
    assert isinstance(kind.needs_url, bool), "needs_url: whether messages leave the machine"


def _check_words(channel: Channel, far_end: FarEnd) -> None:
    message = example_message()
    got = [_sent(channel, far_end, message) for _ in range(2)]
    for word in ("kari", "Brackholm", "complaints", "parcel", "negative"):
        assert word in f"{got[0].title}\n{got[0].text}", f"the message must say {word!r}: who, where, how bad, why"
    assert _CASE_URL in got[0].text, "the message must carry the link to the case"
    assert all(message.key in one.text for one in got), "both tries must carry the same key, so that repeats are known"
    storm = _sent(channel, far_end, example_message(count=12, total=60))
    assert "60" in storm.text, "a message about many cases must say how many"
    sample = _sent(channel, far_end, example_message(sample=True))
    assert "sample" in sample.text.lower(), "sample data must be marked as such"
    brief = _sent(channel, far_end, example_announcement())
    assert "Free returns" in f"{brief.title}\n{brief.text}", "a message about a campaign must name it"
    assert _BRIEF_URL in brief.text, "a message about a campaign must carry the link to its brief"
    asked = _sent(channel, far_end, example_request())
    assert "Dana" in f"{asked.title}\n{asked.text}", "a message about a request must say who asks"
    assert _CASE_URL in asked.text, "a message about a request must carry the link to the case"


def _check_hostile(channel: Channel, far_end: FarEnd, marks: Sequence[str]) -> None:
    for message in (example_message(HOSTILE), example_message("quiet", author=HOSTILE)):
        got = _sent(channel, far_end, message)
        for mark in (*_MARKS, *marks):
            assert mark not in f"{got.title}\n{got.text}", f"{mark!r} must not reach people as it was written"
        assert len(got.title.splitlines()) <= 1, "a title is one line"
        assert not any(line.startswith(("Bcc:", "#")) for line in got.text.splitlines()), "a post must not start a line"
        loose = {c for c in got.text if unicodedata.category(c) == "Cc"} - {"\n", "\r", "\t"}
        assert not loose, f"control characters must not arrive: {loose!r}"
        assert _CASE_URL in got.text, "a hostile post must not hide the link"


def _check_long(channel: Channel, far_end: FarEnd, limit: int) -> None:
    for text in ("word " * 4_000, "👩‍👩‍👧‍👦" * 2_000, "ب" * 20_000):
        got = _sent(channel, far_end, example_message(text))
        assert len(got.title) + len(got.text) <= limit, f"{len(got.title) + len(got.text)} characters; most is {limit}"
        assert _CASE_URL in got.text, "the link must survive cutting"


def _check_failure(channel: Channel, far_end: FarEnd, how: Failure) -> str:
    """Returns everything the error says of itself."""
    before = len(far_end.received())
    far_end.behave(how)
    try:
        channel.send(example_message(key=f"check-{how}"))
    except Unavailable as error:
        return f"{error}\n{error!r}\n{error.args}\n{error.__cause__!r}\n{error.__context__!r}"
    except Rejected as error:
        raise AssertionError(f"{how}: can pass by itself, so it must be Unavailable, not Rejected") from error
    finally:
        far_end.behave("ok")
        assert len(far_end.received()) == before, f"{how}: nothing was accepted"
    raise AssertionError(f"{how}: send returned, which says that the message was accepted")


def _sent(channel: Channel, far_end: FarEnd, message: Message) -> Received:
    before = len(far_end.received())
    channel.send(message)
    got = far_end.received()[before:]
    assert len(got) == 1, f"one send is one message at the far end, not {len(got)}"
    return got[0]


@contextmanager
def _records() -> Iterator[list[str]]:
    """Everything any library logs meanwhile, down to DEBUG."""
    root, found = logging.getLogger(), list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _line(number: int, text: str, author: str) -> CaseLine:
    now = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    mood = Sentiment(label="negative", score=-0.9, confidence=0.93, certainty="confident", scorer="example@1")
    post = Post(
        source="feed",
        external_id=str(number),
        url=f"https://forum.example/posts/{number}",
        author=Author(handle=author, followers=1200),
        text=text,
        published_at=now,
        rating=0.0,
    )
    mention = Mention(
        id=number,
        post_id=number,
        post=post,
        brand="Brackholm",
        place="forum",
        queries=("brackholm",),
        words=("Brackholm",),
        fingerprint="f",
        seen_at=now,
        arrival="live",
        arrival_reason="new",
        sentiment=mood,
    )
    return CaseLine(
        case=_case(number, text, author, now), mention=mention, url=f"https://desk.example/cases/c-{number}"
    )


def _case(number: int, text: str, author: str, now: datetime) -> Case:
    return Case(
        id=number,
        public_id=f"c-{number}",
        key=f"k{number}",
        brand="Brackholm",
        route="complaints",
        reason="sentiment = negative",
        severity="high",
        status="open",
        headline=text[:80],
        author=author,
        opened_at=now,
        changed_at=now,
        resolved_at=None,
        mentions=1,
    )
