"""What the pages ask of the application: `Desk`, which `listener.app.App` satisfies, and tests in a few lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from listener.casework import (
    Accounts,
    Calls,
    Campaigns,
    Casework,
    Customers,
    Exclusions,
    Remedies,
    Replies,
    Sessions,
    Settling,
    Stops,
    Teaching,
    Tokens,
    Views,
    Why,
)
from listener.core.query import Query
from listener.core.tools import Clock
from listener.web.reading import Store

__all__ = ["Desk", "Health", "Settings", "Store"]

Health = Callable[[], Sequence[str]]
"""What keeps the work from going on, a sentence each: model not loaded, step stalled, disk full."""


class General(Protocol):
    """The part of `[listener]` that shows on pages."""

    @property
    def name(self) -> str:
        """What this installation is called."""
        ...

    @property
    def sample_data(self) -> bool:
        """Whether everything here is a demonstration."""
        ...

    @property
    def alert_horizon(self) -> timedelta:
        """Older posts alert nobody."""
        ...


class Address(Protocol):
    """The part of `[web]` that says under which names the pages may be asked for."""

    @property
    def host(self) -> str:
        """Where they are served."""
        ...

    @property
    def public_url(self) -> str:
        """Where staff reach them; empty without."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """Further names."""
        ...


class Settings(Protocol):
    """The part of the configuration that pages need."""

    @property
    def listener(self) -> General:
        """The whole installation."""
        ...

    @property
    def web(self) -> Address:
        """The pages."""
        ...

    @property
    def queries(self) -> Sequence[Query]:
        """What is listened for, the brands' own words included."""
        ...


class Desk(Protocol):
    """The application, as the pages see it."""

    @property
    def store(self) -> Store:
        """The database."""
        ...

    @property
    def settings(self) -> Settings:
        """The configuration in force; asked anew for each page, since a reload replaces it."""
        ...

    @property
    def clock(self) -> Clock:
        """Says the present."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Browsers that are signed in."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Who has an account."""
        ...

    @property
    def tokens(self) -> Tokens:
        """What programs show."""
        ...

    @property
    def casework(self) -> Casework:
        """What colleagues do with cases."""
        ...

    @property
    def campaigns(self) -> Campaigns:
        """What marketing runs, and who read the briefs."""
        ...

    @property
    def customers(self) -> Customers:
        """Authors whom colleagues linked."""
        ...

    @property
    def replies(self) -> Replies:
        """What colleagues do with answers."""
        ...

    @property
    def stops(self) -> Stops:
        """The stop of all posting."""
        ...

    @property
    def remedies(self) -> Remedies:
        """What customers are given to make it right."""
        ...

    @property
    def calls(self) -> Calls:
        """What customers say by phone or at the counter."""
        ...

    @property
    def views(self) -> Views:
        """Colleagues' saved views."""
        ...

    @property
    def settling(self) -> Settling:
        """What colleagues say of unsure mentions."""
        ...

    @property
    def why(self) -> Why:
        """Which words carried verdicts."""
        ...

    @property
    def teaching(self) -> Teaching:
        """What corrections taught, and how often labels were right."""
        ...

    @property
    def exclusions(self) -> Exclusions:
        """Proposes what to exclude."""
        ...
