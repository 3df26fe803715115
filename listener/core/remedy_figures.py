"""What was given in a month: one definition of the figures that service and marketing both read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from listener.core.colleague import Role
from listener.core.errors import Refused
from listener.core.remedy import REMEDY_STATES, Remedy, RemedyState

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A remedy in a list of many cases.

    Args:
        remedy: the remedy.
        case: public id of its case.
        headline: of the case.
        brand: of the case.
    """

    remedy: Remedy
    case: str
    headline: str
    brand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many remedies of one kind, role and state there are, and what they cost in cents."""

    kind: str
    role: Role
    state: RemedyState
    n: int
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """One line of a table: what it counts, how many, and what they cost in cents."""

    name: str
    n: int
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a month.

    Args:
        given: what stands: promised or done.
        kinds: the same by kind, the costliest first.
        roles: the same by the role of who gave it.
        states: everything by what became of it, also what was declined or withdrawn or still waits.
    """

    given: Total
    kinds: tuple[Total, ...]
    roles: tuple[Total, ...]
    states: tuple[Total, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month in which a moment lies."""
        return cls(year=moment.year, month=moment.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month that is written so, as in 2026-11.

        Raises:
            Refused: it is none.
        """
        found = _MONTH.fullmatch(text)
        if found is None:
            raise Refused("write a month as in 2026-11")
        return cls(year=int(found[1]), month=int(found[2]))

    @property
    def first(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def next(self) -> Month:
        """The one after it."""
        return Month(year=self.year + self.month // 12, month=self.month % 12 + 1)

    @property
    def before(self) -> Month:
        """The one before it."""
        return Month(year=self.year - (self.month == 1), month=(self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        """As in 2026-11."""
        return f"{self.year}-{self.month:02}"


def figures(tallies: Iterable[Tally]) -> Figures:
    """The figures of some tallies."""
    every = tuple(tallies)
    standing = tuple(each for each in every if each.state in {"promised", "done"})
    return Figures(
        given=_total("given", standing),
        kinds=_by(standing, lambda each: each.kind),
        roles=_by(standing, lambda each: each.role),
        states=tuple(
            _total(state, mine) for state in REMEDY_STATES if (mine := [each for each in every if each.state == state])
        ),
    )


def _by(tallies: Iterable[Tally], name: Callable[[Tally], str]) -> tuple[Total, ...]:
    groups: dict[str, list[Tally]] = {}
    for each in tallies:
        groups.setdefault(name(each), []).append(each)
    totals = (_total(word, group) for word, group in groups.items())
    return tuple(sorted(totals, key=lambda total: (-total.cents, -total.n, total.name)))


def _total(name: str, tallies: Iterable[Tally]) -> Total:
    every = tuple(tallies)
    return Total(name=name, n=sum(each.n for each in every), cents=sum(each.cents for each in every))
