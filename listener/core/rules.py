"""What the operator configured, in the form the pipeline works with; swapped whole at a reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from listener.core.notification import Told
from listener.core.protocols import DEFAULT_HORIZON
from listener.core.query import Matchbook, Place
from listener.core.replying import Posting
from listener.core.route import Route
from listener.core.topic import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The operator's rules.

    Args:
        places: by name.
        matchbook: all queries, compiled.
        route: root of the escalation tree.
        horizon: posts published longer ago than this when first seen are history.
        case_window: how long after resolving a new mention reopens a case.
        claim_lease: how long a colleague's claim holds without work on the case.
        announce_channels: names of the channels that are told of campaigns.
        announce_before: how long before a campaign's start they are told.
        told: which channels hear of what waits for a colleague.
        posting: what is allowed of public answers.
        public_url: address of the pages as staff reach them; empty without one.
        topics: what is looked for in what people say.
        sample: everything here is sample data, and each message says so.
        revision: short hash of the configuration, kept with each decision.
    """

    places: Mapping[str, Place]
    matchbook: Matchbook
    route: Route
    horizon: timedelta = DEFAULT_HORIZON
    case_window: timedelta = timedelta(days=7)
    claim_lease: timedelta = timedelta(hours=1)
    announce_channels: tuple[str, ...] = ()
    announce_before: timedelta = timedelta(days=1)
    told: Told = field(default_factory=Told)
    posting: Posting = field(default_factory=Posting)
    public_url: str = ""
    topics: tuple[Topic, ...] = ()
    sample: bool = False
    revision: str = ""
    names: Mapping[str, Route] = field(init=False)

    def __post_init__(self) -> None:
        """Index the routes by name."""
        object.__setattr__(self, "names", {route.name: route for route in self.route.walk()})

    def case_url(self, public_id: str) -> str:
        """Link to a case; empty without a public address."""
        return f"{self.public_url.rstrip('/')}/cases/{public_id}" if self.public_url else ""

    def campaign_url(self, public_id: str) -> str:
        """Link to a campaign; empty without a public address."""
        return f"{self.public_url.rstrip('/')}/campaigns/{public_id}" if self.public_url else ""

    def inbox_url(self) -> str:
        """Link to the list of cases; empty without a public address."""
        return f"{self.public_url.rstrip('/')}/cases" if self.public_url else ""
