"""What the steps hand to the store: results of judging and routing, and rows that were given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from listener.core.mention import Mention
from listener.core.sentiment import LABELS, Label, Sentiment, Verdict
from listener.core.topic import Touched

Step = Literal["judge", "route"]
NO_ROUTE = "no route takes it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A judged mention on its way to the store.

    Args:
        mention: as it was claimed.
        verdict: what the scorer read in its post.
        fresh: whether the verdict is new rather than one kept from before.
        sentiment: towards the mention's brand.
        next_step: "route", or None when nothing is left to do.
        why: why nothing is left to do; None when a route waits.
        topics: what it touches of the operator's topics.
    """

    mention: Mention
    verdict: Verdict
    fresh: bool
    sentiment: Sentiment
    next_step: Step | None
    why: str | None
    topics: tuple[Touched, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A routed mention: the routes that took it (none opens no case) and why, in words."""

    mention: Mention
    routes: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRow:
    """Something that was given up: a mention or a notification, with the last error."""

    kind: Literal["mention", "notification"]
    id: int
    about: str
    error: str
    attempts: int
    url: str | None = None


def held_back(mention: Mention, sentiment: Sentiment) -> str | None:
    """Why a judged mention is not routed, in words; None when it is.

    History pages nobody. An edit is routed again only if the sentiment turned worse or the stars fell.
    """
    if mention.arrival == "backfill":
        return f"history, counted but not routed: {mention.arrival_reason}"
    if mention.arrival == "revision" and mention.previous is not None:
        if mention.fell or _worse(sentiment.label, mention.previous):
            return None
        return f"the edit made nothing worse: {mention.previous} before, {sentiment.label} now"
    return None


def _worse(now: Label, before: Label) -> bool:
    return LABELS.index(now) < LABELS.index(before)
