"""An office over a database, for tests of public answers: an agent, a lead, one place, and the steps by hand.

Each network's tests give it their place and their source; its clock begins with the present and is moved by the test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from listener.casework import Replies
from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.event import Actor
from listener.core.query import Place
from listener.core.reply import Reply, digest
from listener.pipeline.escalate import escalate
from listener.pipeline.judge import judge
from listener.pipeline.poll import poll
from listener.pipeline.post import post
from listener.store import Store, open_store
from listener.testing import FakeClock, FakeScorer
from sources.bluesky import Bluesky
from sources.imap import Mailbox
from sources.mastodon import Mastodon
from tests.kit import POSTING, make_rules

SORRY = "Så dumt! We look at once: https://shop.example/help"


class Office(ABC):
    """One life of Listener after another over the same database.

    Args:
        database: the file.
        place: the one place, which can be answered.
    """

    words: ClassVar[str] = SORRY
    """What Ann writes, after the opening."""
    handle = ""
    """The customer's, where other tests' customers speak to the same account."""

    def __init__(self, database: Path, place: Place) -> None:
        self.database, self.place = database, place
        self.rules = make_rules(places=(place,), posting=POSTING)
        self.clock = FakeClock(datetime.now(UTC))
        self.start()
        self.store.places.sync([place], self.clock())
        self.ann, self.lea = self._colleague("ann", "agent"), self._colleague("lea", "lead")

    def _colleague(self, name: str, role: Role) -> Actor:
        return Actor(colleague=self.store.colleagues.add(name, name.title(), role, self.clock()), via="page")

    @abstractmethod
    def made(self) -> Mastodon | Bluesky | Mailbox:
        """The place's source, new."""

    @abstractmethod
    def complain(self) -> None:
        """The customer writes to us."""

    def start(self) -> None:
        """Begin a life."""
        self.store: Store = open_store(str(self.database))
        self.store.release()
        self.source = self.made()
        repliers = {self.place.name: self.source}
        self.replies = Replies(self.store, self.clock, lambda: timedelta(hours=1), lambda: POSTING, lambda: repliers)

    def hear(self) -> None:
        """Poll, judge and route until nothing is left."""
        self.clock.forward(timedelta(minutes=5))
        while poll(self.store, {self.place.name: self.source}, self.rules, self.clock):
            pass
        while judge(self.store, FakeScorer(), self.rules, self.clock) + escalate(self.store, self.rules, self.clock):
            pass

    def post(self) -> int:
        """Post, and look for what is unknown, until nothing is due for a day."""
        count = 0
        for _ in range(40):
            count += post(self.store, {self.place.name: self.source}, self.rules, self.clock)
            self.clock.forward(timedelta(minutes=40))
        return count

    def post_once(self) -> None:
        """One turn."""
        assert post(self.store, {self.place.name: self.source}, self.rules, self.clock) == 1

    def case(self) -> Case:
        """The customer's case; there is one."""
        rows = self.store.db.read("SELECT id FROM cases WHERE ? IN ('', author)", (self.handle,))
        assert len(rows) == 1, "one customer, one case"
        return self.store.cases.get(rows[0]["id"])

    def approved(self) -> Reply:
        """The customer complains, Ann writes, Lea reads and approves: the answer waits to be posted."""
        self.complain()
        self.hear()
        draft = self.replies.begin(self.case().public_id, self.ann)
        draft = self.replies.save(draft.public_id, self.ann, draft.text + self.words, version=draft.version)
        sent = self.replies.submit(draft.public_id, self.ann, version=draft.version, heard=draft.heard)
        return self.replies.approve(sent.public_id, self.lea, digest(sent.text), heard=sent.heard)

    def now(self) -> Reply:
        """The answer as it is."""
        (reply,) = self.store.replies.of_case(self.case().id)
        return reply

    def mentions(self) -> list[str]:
        """What the case holds, oldest first."""
        return [mention.post.text for mention in reversed(self.store.mentions.of_case(self.case().id, 50))]
