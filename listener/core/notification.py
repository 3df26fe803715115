"""What staff are told: Notification (an outbox row), Message (what a channel gets), and whether to send it.

`decide()` is pure and returns a reason with each answer; the reason is logged, stored and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from listener.core.campaign import Campaign
from listener.core.case import Case
from listener.core.mention import Mention
from listener.core.place import asked_wait
from listener.core.route import Severity

Reason = Literal["opened", "grown", "repeat", "overdue", "returned", "resolved", "announced", "asked"]
"""*returned*: an answer of ours did not arrive; *announced*: a campaign; *asked*: something waits for a colleague."""
DeliveryStatus = Literal["pending", "sent", "held", "dropped", "dead"]

DELIVERY_BUDGET = timedelta(hours=24)
"""How long a message is retried before it is dead."""

LONGEST_REPEAT = timedelta(days=1)
"""Fixed repeats were complained of as spam (prometheus/alertmanager#2595, #3846); a reminder a day is borne."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An outbox row: tell this channel about this bundle.

    Args:
        id: row id.
        bundle: row id of the bundle.
        route: name of the bundle's route.
        channel: name of the channel.
        reason: see `Reason`.
        status: pending, sent, held, dropped or dead.
        key: the same for every try of this message; a receiver can use it to drop repeats.
        created_at: when it was decided that staff should hear of this.
        attempts: tries so far, this one included.
    """

    id: int
    bundle: int
    route: str
    channel: str
    reason: Reason
    status: DeliveryStatus
    key: str
    created_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One case in a message: the case, its newest mention, and the link to its page (empty without a page)."""

    case: Case
    mention: Mention
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A campaign in a message: the campaign, and the link to its page (empty without a page)."""

    campaign: Campaign
    url: str


RequestKind = Literal["advice", "review", "remedy"]
"""*advice*: a draft is with marketing; *review*: an answer waits to be approved; *remedy*: one above the allowance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What waits for a colleague.

    It holds no word of the customer, of the answer or of the question, and no sum: more people read a channel than may
    see these.

    Args:
        kind: what is asked.
        brand: of the case.
        severity: of the case.
        asker: name of the colleague who asks.
        asked: name of the one who is asked; empty: whoever may decide.
        until: when it goes back by itself; None: it waits.
        waits: whether it still does.
        url: link to the case; empty without a page.
    """

    kind: RequestKind
    brand: str
    severity: Severity
    asker: str
    asked: str
    until: datetime | None
    waits: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Which channels hear of which requests, by name; none unless the operator names them."""

    advice: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()

    def of(self, kind: RequestKind) -> tuple[str, ...]:
        """The channels that hear of requests of a kind."""
        return {"advice": self.advice, "review": self.review, "remedy": self.remedy}[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel is asked to say.

    Args:
        key: idempotency key, equal in each try.
        reason: why now.
        route: the route's name.
        severity: the worst among the cases.
        bundle: what the cases have in common, in words, e.g. "brand=Brackholm".
        cases: the cases it is about, newest first; at most a dozen are carried, `total` counts all.
        total: how many cases it is about.
        inbox_url: link to the list of cases; empty without a page.
        sample: True when everything in it is demo data.
        notice: a word to the operator about Listener itself; then there are no cases.
        announcement: the campaign that teams are told of before it starts; then there are no cases.
        request: what waits for a colleague; then there are no cases.
    """

    key: str
    reason: Reason
    route: str
    severity: Severity
    bundle: str
    cases: tuple[CaseLine, ...]
    total: int
    inbox_url: str
    sample: bool = False
    notice: str = ""
    announcement: Announcement | None = None
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to send, and why; what is held is decided on anew at `until`."""

    action: Literal["send", "hold", "drop"]
    why: str
    until: datetime | None = None


_NEWS: Mapping[Reason, str] = {
    "opened": "new case", "grown": "the matter grew", "returned": "an answer did not arrive",
}  # fmt: skip


def decide(reason: Reason, cases: Sequence[Case]) -> Decision:
    """Decide at the moment of sending whether a notification is still worth somebody's attention.

    Args:
        reason: why it was put in the outbox.
        cases: the cases it is about, as they are now.

    Returns:
        send or drop, with the reason in words. A repeat is dropped once nobody is waiting: every case was claimed,
        snoozed or resolved. News is sent unless everything it tells is resolved.
    """
    if not cases:
        return Decision(action="drop", why="nothing to tell: no case is left in it")
    if reason == "repeat":
        waiting = sum(case.status == "open" for case in cases)
        if not waiting:
            return Decision(action="drop", why="nobody is waiting: all cases are claimed, snoozed or resolved")
        return Decision(action="send", why=f"{waiting} still unclaimed after the repeat interval")
    if reason != "resolved" and all(case.status == "resolved" for case in cases):
        return Decision(action="drop", why="resolved before the message was due")
    return Decision(action="send", why=_NEWS.get(reason, reason))


def decide_announcement(campaign: Campaign, now: datetime, before: timedelta) -> Decision:
    """Decide at the moment of sending whether teams are still to be told of a campaign.

    Args:
        campaign: as it is now.
        now: the present.
        before: how long before its start teams are told.

    Returns:
        send, drop or hold, with the reason in words. One that was withdrawn or is over is dropped; one whose start
        was moved away is held until it is near again.
    """
    state = campaign.state(now)
    if state == "withdrawn":
        return Decision(action="drop", why="the campaign was withdrawn")
    if state == "over":
        return Decision(action="drop", why="the campaign was over before the message could be sent")
    near = campaign.brief.starts_at - before
    if now < near:
        return Decision(action="hold", why="the campaign's start was moved", until=near)
    return Decision(action="send", why="the campaign is running" if state == "running" else "the campaign starts soon")


def decide_request(request: Request) -> Decision:
    """Decide at the moment of sending whether something still waits for a colleague."""
    if not request.waits:
        return Decision(action="drop", why="it was settled before the message could be sent")
    return Decision(action="send", why="it waits for a colleague")


def retry_pause(attempts: int, spread: float, retry_after: float | None = None) -> timedelta:
    """How long to wait after a failed try: doubling from 30 s to 1 h, with jitter, or longer where that is asked for.

    Args:
        attempts: tries so far, from 1.
        spread: a random number 0..1; the pause is between half and all of the doubled value.
        retry_after: seconds the other side asked for, or None.
    """
    full = min(3600.0, 30.0 * 2 ** min(attempts - 1, 10))
    return max(timedelta(seconds=full * (0.5 + 0.5 * spread)), asked_wait(retry_after))


def repeat_pause(pause: timedelta) -> timedelta:
    """The pause after the next repeat: twice as long each time, up to a day, so that a reminder does not become noise.

    Args:
        pause: the pause before the next repeat; the route's `repeat_interval` at first. A longer one than a day stays.
    """
    return max(pause, min(2 * pause, LONGEST_REPEAT))
