"""A rescore: mentions that were judged before are judged again, by another model or after a change of what is asked.

It changes verdicts, sentiments and charts; it opens no case, tells nobody, and leaves what colleagues settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from listener.core.mention import Mention
from listener.core.sentiment import Certainty, Label
from listener.core.work import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which mentions are judged again.

    Args:
        brand: of this brand; None: of all.
        since: published then or later; None: from the beginning.
        until: published before; None: to the end.
        changed_only: only what the present scorer did not judge yet.
    """

    brand: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_only: bool = False

    @property
    def words(self) -> str:
        """As it is told."""
        said = (
            f"of {self.brand}" if self.brand else "of all brands",
            f"since {self.since:%Y-%m-%d}" if self.since else "",
            f"until {self.until:%Y-%m-%d}" if self.until else "",
            "not judged by this scorer before" if self.changed_only else "",
        )
        return ", ".join(filter(None, said))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore:
    """One judging again, as far as it got.

    Args:
        id: row id, used by the store.
        scorer: who judges.
        scope: which mentions.
        began_at: when.
        finished_at: when it was through, or another took its place; None while it goes on.
        whole: how many mentions there were when it began.
        done: how many were judged.
        changed: how many of them changed.
        tries: how often the next portion was begun and not ended.
        reached: row id of the last mention that was looked at.
        last: row id of the last mention there was when it began.
    """

    id: int
    scorer: str
    scope: Scope
    began_at: datetime
    finished_at: datetime | None
    whole: int
    done: int
    changed: int
    tries: int
    reached: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How many mentions of a brand went from one state to another: a label, or unsure."""

    brand: str
    before: str
    after: str
    n: int


def state_of(label: Label, certainty: Certainty) -> str:
    """What a mention counts as where changes are told: its label, or unsure, which is none."""
    return label if certainty == "confident" else "unsure"


class Corrections(Protocol):
    """What colleagues said of labels; used by `pipeline/rescore.py`."""

    def standing(self, mentions: Sequence[Mention]) -> Mapping[int, Label | None]:
        """Corrections in force on these very states, by mention id; None where it is not about us."""
        ...


class Rescores(Protocol):
    """Judging again what was judged before; used by `pipeline/rescore.py`."""

    def unfinished(self) -> Rescore | None:
        """The one that goes on, or None."""
        ...

    def get(self, rescore_id: int) -> Rescore:
        """The rescore of a row id that is known to be there."""
        ...

    def attempt(self, running: Rescore) -> Rescore:
        """Count a try of the next portion, before it begins."""
        ...

    def spare(self, running: Rescore) -> None:
        """Take a try back that was no fault of the texts."""
        ...

    def take(self, running: Rescore, limit: int) -> tuple[Mention, ...]:
        """The next mentions, in the order in which they came."""
        ...

    def still(self, running: Rescore, mentions: Sequence[Mention]) -> tuple[Mention, ...] | None:
        """Those that are as they were read; None when another got there first. In a transaction."""
        ...

    def rejudged(
        self, judged: Sequence[Judged], standing: Mapping[int, Label | None], now: datetime
    ) -> Mapping[tuple[str, str, str], int]:
        """Store results, in a transaction; says how many went from which state to which, by brand."""
        ...

    def advance(self, running: Rescore, reached: int, done: int, change: Mapping[tuple[str, str, str], int]) -> Rescore:
        """Remember how far it got, in the transaction that changed the mentions."""
        ...

    def finish(self, running: Rescore, now: datetime) -> Rescore:
        """End it."""
        ...
