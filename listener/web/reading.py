"""What the pages read of the database: `Store` and its parts, which `listener.store.Store` satisfies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from listener.core.case import Case, Status, Wanted
from listener.core.colleague import Colleague
from listener.core.delivery import Delivery
from listener.core.event import Event
from listener.core.mention import Mention
from listener.core.note import Note
from listener.core.place import PlaceHealth
from listener.core.reply import Reply, ReplyState, Wording
from listener.core.rescore import Rescore
from listener.core.sentiment import Certainty, Label
from listener.core.trail import Trail
from listener.core.trend import Bucket
from listener.core.work import Step


class Cases(Protocol):
    """Reads cases."""

    def page(self, wanted: Wanted, *, limit: int = 50, offset: int = 0) -> tuple[Case, ...]:
        """Cases in the order in which something breaks next."""
        ...

    def find(self, public_id: str) -> Case | None:
        """The case behind a link."""
        ...

    def get(self, case_id: int) -> Case:
        """The case of a row id that is known to be there."""
        ...

    def of_voices(self, voices: Sequence[str], limit: int = 50) -> tuple[Case, ...]:
        """Cases of some authors, newest first."""
        ...

    def voice(self, case_id: int) -> str:
        """Names the author of a case; empty without one."""
        ...

    def tallies(self) -> Mapping[tuple[str, str, str], int]:
        """How many cases there are by brand, status and severity."""
        ...


class Trails(Protocol):
    """Reads mentions with what became of them."""

    def of_case(self, case_id: int, limit: int = 100) -> tuple[Trail, ...]:
        """The mentions of a case, newest first."""
        ...

    def of_mention(self, mention_id: int) -> Trail | None:
        """One mention, or None."""
        ...

    def newest_of(self, case_ids: Sequence[int]) -> Mapping[int, Mention]:
        """The newest mention of each case."""
        ...

    def judged(
        self,
        *,
        brand: str | None = None,
        label: Label | None = None,
        certainty: Certainty | None = None,
        topic: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[Trail, ...]:
        """Judged mentions, newest first."""
        ...

    def oldest_waiting(self, step: Step) -> datetime | None:
        """When the mention that waits longest was seen."""
        ...

    def unsure(self, *, brand: str | None = None, before: int | None = None, limit: int = 25) -> tuple[Trail, ...]:
        """Mentions that want a person's eye, newest first."""
        ...


class Lane(Protocol):
    """Counts unsure mentions."""

    def count(self, brand: str | None = None, most: int = 1000) -> int:
        """How many there are, of one brand or of all; not counted beyond `most`."""
        ...


class Rescores(Protocol):
    """Reads what was judged again."""

    def marked(self, since: datetime, until: datetime) -> tuple[Rescore, ...]:
        """Rescores that changed something and began within a span, oldest first."""
        ...


class Mentions(Protocol):
    """Reads and counts mentions."""

    def find(self, mention_id: int) -> Mention | None:
        """One mention by its id."""
        ...

    def of_case(self, case_id: int, limit: int = 200) -> tuple[Mention, ...]:
        """The mentions of a case, newest first."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many wait in each step, and how many are done."""
        ...


class Replies(Protocol):
    """Reads answers."""

    def find(self, public_id: str) -> Reply | None:
        """The reply behind a link."""
        ...

    def live(self, case_id: int) -> Reply | None:
        """The answer to a case that is under way."""
        ...

    def of_case(self, case_id: int) -> tuple[Reply, ...]:
        """Every reply of a case, oldest first."""
        ...

    def latest_of(self, case_ids: Sequence[int]) -> Mapping[int, tuple[ReplyState, int]]:
        """How the last reply of each case stands, and row id of its writer."""
        ...

    def wordings(self, reply_id: int) -> tuple[Wording, ...]:
        """The words as each colleague left them, oldest first."""
        ...

    def in_states(self, states: Sequence[ReplyState], limit: int = 100) -> tuple[Reply, ...]:
        """Replies in some states, the longest unchanged first; of those that ended, the newest first."""
        ...

    def newest(self, case_id: int) -> datetime | None:
        """When the newest words of a case's customer were first seen."""
        ...

    def waiting(self, colleague: int) -> Mapping[ReplyState, int]:
        """How many wait for somebody; of those with marketing, for this colleague."""
        ...


class Outbox(Protocol):
    """Reads what staff were told."""

    def of_case(self, case_id: int) -> tuple[Delivery, ...]:
        """Every notification about a case with its tries, oldest first."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many notifications are in each status."""
        ...


class Places(Protocol):
    """Reads how places fare."""

    def health(self) -> tuple[PlaceHealth, ...]:
        """How each place fares, by name."""
        ...

    def standing(self) -> tuple[int, int]:
        """How many places are polled, and how many of them are down."""
        ...


class Trends(Protocol):
    """Reads counts over time."""

    def buckets(self, since: datetime, until: datetime) -> tuple[Bucket, ...]:
        """Mentions by hour, brand, source and label within a span."""
        ...

    def topics(self, since: datetime, until: datetime) -> Mapping[tuple[str, str, Label], int]:
        """Mentions that touch a topic within a span, by brand, topic and label."""
        ...

    def totals(self) -> Mapping[tuple[str, str], int]:
        """Mentions ever counted, by brand and label."""
        ...

    def unsure(self) -> Mapping[str, int]:
        """Unsure mentions, by brand."""
        ...


class Events(Protocol):
    """Reads what was done."""

    def of_case(self, case_id: int, limit: int = 500) -> tuple[Event, ...]:
        """The newest events of a case, oldest first."""
        ...

    def since(self, event_id: int, limit: int = 200) -> tuple[tuple[Event, str], ...]:
        """Events after one, oldest first, each with the public id of its case."""
        ...

    def newest_id(self) -> int:
        """Row id of the newest event."""
        ...

    def page(
        self, *, who: str = "", act: str = "", before: int | None = None, limit: int = 100
    ) -> tuple[tuple[Event, str], ...]:
        """The audit log, newest first, each with the public id of its case."""
        ...


class Notes(Protocol):
    """Reads notes."""

    def of_case(self, case_id: int) -> tuple[Note, ...]:
        """The notes on a case, oldest first."""
        ...


class Colleagues(Protocol):
    """Reads accounts."""

    def all(self) -> tuple[Colleague, ...]:
        """Every account, closed ones too, by name."""
        ...


class Cuts(Protocol):
    """Counts what the inbox lists."""

    def tally(self, statuses: Sequence[Status]) -> Mapping[tuple[str, str, str, int | None], int]:
        """How many cases there are by status, brand, severity and who has them."""
        ...


class Store(Protocol):
    """The reading half of the database, by noun."""

    @property
    def cases(self) -> Cases:
        """The staff's work."""
        ...

    @property
    def events(self) -> Events:
        """What was done."""
        ...

    @property
    def notes(self) -> Notes:
        """What colleagues tell each other."""
        ...

    @property
    def colleagues(self) -> Colleagues:
        """Who signs in."""
        ...

    @property
    def views(self) -> Cuts:
        """What the inbox is cut by."""
        ...

    @property
    def trails(self) -> Trails:
        """Mentions as people read them."""
        ...

    @property
    def mentions(self) -> Mentions:
        """The queue."""
        ...

    @property
    def rescores(self) -> Rescores:
        """Judging again what was judged before."""
        ...

    @property
    def lane(self) -> Lane:
        """Mentions that want a person's eye."""
        ...

    @property
    def replies(self) -> Replies:
        """What customers are answered."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What staff are told."""
        ...

    @property
    def places(self) -> Places:
        """Where we listen."""
        ...

    @property
    def trends(self) -> Trends:
        """Counts over time."""
        ...
