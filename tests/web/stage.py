"""A desk with a real database behind the pages: posts walk through the real steps, with a table instead of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page

from listener.casework import (
    Accounts,
    Calls,
    Campaigns,
    Casework,
    Customers,
    Exclusions,
    Passwords,
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
from listener.casework.calls import own_brands
from listener.core.colleague import Colleague, Role
from listener.core.errors import AdapterError
from listener.core.mention import Post
from listener.core.protocols import Replier, Scorer
from listener.pipeline.announce import announce
from listener.pipeline.dispatch import dispatch
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.pipeline.poll import poll_place
from listener.pipeline.post import post
from listener.settings import Settings, load, rules_of
from listener.store import open_store
from listener.testing import START, FakeChannel, FakeClock, FakeScorer, FakeSource
from listener.web.auth import cookie_name

CONFIG = """
[listener]
name = "Acme listens"

[[brand]]
name = "Acme"
terms = ["acme"]

[[brand]]
name = "Globex"
terms = ["globex"]

[[place]]
name = "forum"
source = "replay"
path = "forum.ndjson"
history = "live"

[[place]]
name = "reviews"
source = "replay"
path = "reviews.ndjson"

[[channel]]
name = "desk"
adapter = "console"

[route]
group_wait = "0s"
group_interval = "1s"

[[route.routes]]
name = "burning"
match = ["text =~ burn"]
severity = "crisis"

[[route.routes]]
name = "complaints"
match = ["sentiment = negative", "certainty = confident"]
severity = "high"

[[route.routes]]
name = "perhaps a complaint"
match = ["sentiment = negative", "certainty = unsure"]
severity = "low"
channels = []
"""


class Stage:
    """What the pages are given: a store, settings and a clock that the test moves.

    Args:
        folder: where the database and the configuration are put.
        config: the configuration; a path is read as it is.
        now: where the clock stands.
        scorer: judges; a table by default.
    """

    def __init__(
        self,
        folder: Path,
        config: str | Path = CONFIG,
        now: datetime = START,
        scorer: Scorer | None = None,
    ) -> None:
        """Open the database and take the places from the configuration."""
        if isinstance(config, str):
            file = folder / "listener.toml"
            file.write_text(config, encoding="utf-8")
            config = file
        self.settings: Settings = load(config, environ={})
        self.clock = FakeClock(now)
        self.store = open_store(str(folder / "listener.db"))
        self.rules = rules_of(self.settings)
        self.store.places.sync(self.settings.places, now)
        self.casework = Casework(self.store, self.clock)
        # The weakest parameters there are: tests sign in often.
        self.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.sessions = Sessions(self.store, self.clock, self.passwords)
        self.accounts = Accounts(self.store, self.clock, self.sessions)
        self.tokens = Tokens(self.store, self.clock)
        self.campaigns = Campaigns(self.store, self.clock, lambda: [brand.name for brand in self.settings.brands])
        self.customers = Customers(self.store, self.clock)
        self.remedies = Remedies(self.store, self.clock, self.casework)
        self.calls = Calls(self.store, self.clock, lambda: self.rules, lambda: own_brands(self.settings))
        self.views = Views(self.store)
        self.exclusions = Exclusions(self.store, self.clock)
        self.settling = Settling(self.store, self.clock, lambda: self.rules, self.casework)
        self.scorer: Scorer = scorer or FakeScorer()
        self.why = Why(self.store, lambda: self.scorer, lambda: self.rules)
        self.teaching = Teaching(self.store, self.clock, lambda: self.scorer)
        self.sources: Mapping[str, FakeSource] = {place: FakeSource() for place in self.rules.places}
        self.channels: Mapping[str, FakeChannel] = {each.name: FakeChannel() for each in self.settings.channels}
        self.troubles: Sequence[str] = ()
        self.repliers: dict[str, Replier] = {}
        self.posting = self.rules.posting
        self.replies = Replies(
            self.store, self.clock, lambda: self.rules.claim_lease, lambda: self.posting, lambda: self.repliers
        )
        self.stops = Stops(self.store, self.clock)

    def colleague(self, role: Role = "agent", handle: str = "") -> Colleague:
        """The colleague of a role, made on first asking; a handle tells several of one role apart."""
        handle = handle or role
        name = handle.replace("-", " ").title()
        return self.store.colleagues.find(handle) or self.store.colleagues.add(handle, name, role, self.clock())

    def cookies(self, role: Role = "agent", handle: str = "") -> dict[str, str]:
        """The cookie of a browser in which that colleague has just signed in."""
        return {cookie_name(self.settings): self.sessions.open(self.colleague(role, handle), "a test's browser")}

    def signed_in(self, url: str, role: Role = "agent", handle: str = "") -> httpx2.Client:
        """A client for the pages at an address, signed in, whose forms count as the pages' own."""
        return httpx2.Client(
            base_url=url, cookies=self.cookies(role, handle), headers={"origin": url}, trust_env=False, timeout=10
        )

    def sign_in(self, context: BrowserContext, url: str, role: Role = "agent", handle: str = "") -> None:
        """Give a browser of Playwright the cookie of that colleague."""
        for name, value in self.cookies(role, handle).items():
            context.add_cookies([{"name": name, "value": value, "url": url, "httpOnly": True, "sameSite": "Lax"}])

    def page(self, chromium: Browser, url: str, role: Role = "agent", handle: str = "", **options: Any) -> Page:
        """A page of a browser of its own in which that colleague is signed in; closing it closes the browser."""
        page = chromium.new_page(**options)
        self.sign_in(page.context, url, role, handle)
        return page

    def health(self) -> Sequence[str]:
        """What the test says is wrong."""
        return self.troubles

    def hear(self, *posts: Post, place: str = "forum") -> None:
        """A place answers with these posts."""
        self.sources[place].answer(*posts)
        self._ask(place)

    def lose(self, place: str, error: AdapterError) -> None:
        """A place does not answer."""
        self.sources[place].fail(error)
        self._ask(place)

    def _ask(self, place: str) -> None:
        turn = self.store.places.turn(place)
        poll_place(self.store, self.sources[place], self.rules.places[place], turn, self.rules, self.clock)

    def work(self) -> None:
        """Judge, route and send until nothing is left to do."""
        while judge(self.store, self.scorer, self.rules, self.clock) or escalate(self.store, self.rules, self.clock):
            pass
        self.send()

    def post(self) -> None:
        """Post what is approved and due, and look for what is unknown."""
        rules = replace(self.rules, posting=self.posting)
        while post(self.store, self.repliers, rules, self.clock):
            pass

    def announce(self) -> None:
        """Tell the channels what marketing runs."""
        announce(self.store, self.rules, self.clock)
        self.send()

    def send(self) -> None:
        """Send what is due."""
        for name, channel in self.channels.items():
            while dispatch(self.store, name, channel, self.rules, self.clock):
                pass

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the database."""
        self.store.close()
