"""What admins set for remedies: kinds, allowances, the currency. Every change is an event in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from listener.casework.permission import allowed
from listener.core.colleague import Role
from listener.core.errors import Refused
from listener.core.event import Actor, Event
from listener.core.remedy_terms import (
    LIMITED,
    Allowances,
    Kind,
    checked,
    currency_of,
    kind_name,
    money,
)
from listener.core.route import SEVERITIES, Severity
from listener.core.tools import Clock
from listener.store import Store

SUBJECT = "remedy terms"
"""How events name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An allowance as somebody wants it.

    Args:
        role: agent or lead; an admin has no limit.
        severity: of the case.
        cents: as it shall be.
        was: as they saw it; None does not compare.
    """

    role: Role
    severity: Severity
    cents: int
    was: int | None = None


class RemedyTerms:
    """Reads and changes them.

    Args:
        store: the database.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep both."""
        self._store = store
        self._clock = clock

    def kinds(self) -> tuple[Kind, ...]:
        """Every kind, those that may be given first."""
        return self._store.remedies.kinds()

    def allowances(self) -> Allowances:
        """How much each role gives without asking, and in which currency."""
        return self._store.remedies.allowances()

    def history(self, limit: int = 30) -> tuple[Event, ...]:
        """What was changed, newest first."""
        return self._store.events.of_subject(SUBJECT, limit)

    def allow(self, changes: tuple[Change, ...], by: Actor) -> Allowances:
        """Set allowances, all of them or none; those that say what they are already change nothing.

        Raises:
            Refused: a role has no allowance, an amount is out of bounds, somebody changed one since it was seen, or the
                role does not allow it.
        """
        allowed(by, "manage")
        now = self._clock()
        if len({(change.role, change.severity) for change in changes}) < len(changes):
            raise Refused("each allowance can be set once at a time")
        with self._store.transaction():
            terms = self._store.remedies.allowances()
            for change in changes:
                self._allow(change, terms, by, now)
        return self._store.remedies.allowances()

    def _allow(self, change: Change, terms: Allowances, by: Actor, now: datetime) -> None:
        if change.role not in LIMITED or change.severity not in SEVERITIES:
            raise Refused(f"an allowance is for {' or '.join(LIMITED)}, on a case that is {', '.join(SEVERITIES)}")
        present = terms.of(change.role, change.severity) or 0
        cents = checked(change.cents)
        if cents in {present, change.was}:
            return
        if change.was is not None and change.was != present:
            raise Refused(
                f"somebody set the allowance of {change.role} on {change.severity} cases to {money(present)} since "
                "you opened it; look again"
            )
        self._store.remedies.allow(change.role, change.severity, cents)
        said = f"{change.role}, {change.severity}: {money(present)} to {money(cents)} {terms.currency}"
        self._tell(by, "allowance changed", said, now)

    def add_kind(self, name: str, usual: int | None, by: Actor) -> Kind:
        """Add a kind of remedy.

        Raises:
            Refused: it has no name or one that is taken, its cost is out of bounds, or the role does not allow it.
        """
        allowed(by, "manage")
        wanted, now = kind_name(name), self._clock()
        cost = None if usual is None else checked(usual)
        with self._store.transaction():
            self._free(wanted, 0)
            kind = self._store.remedies.add_kind(wanted, cost)
            self._tell(by, "remedy kind added", self._said(kind), now)
        return kind

    def change_kind(self, kind_id: int, by: Actor, *, name: str, usual: int | None, active: bool) -> Kind:
        """Change a kind; remedies that were given keep it under its new name. The same values change nothing.

        Raises:
            Refused: there is no such kind, the name is missing or taken, the cost is out of bounds, it is the last one
                that may be given, or the role does not allow it.
        """
        allowed(by, "manage")
        wanted, now = kind_name(name), self._clock()
        cost = None if usual is None else checked(usual)
        with self._store.transaction():
            known: Mapping[int, Kind] = {kind.id: kind for kind in self._store.remedies.kinds()}
            if kind_id not in known:
                raise Refused("there is no such kind of remedy")
            before, kind = known[kind_id], Kind(id=kind_id, name=wanted, usual=cost, active=active)
            if kind == before:
                return kind
            self._free(wanted, kind_id)
            if not active and not any(each.active for each in known.values() if each.id != kind_id):
                raise Refused("it is the last kind that may be given; add another one first")
            self._store.remedies.change_kind(kind)
            self._tell(by, "remedy kind changed", f"{self._said(before)} to {self._said(kind)}", now)
        return kind

    def set_currency(self, code: str, by: Actor) -> str:
        """Set the currency, while nothing was given.

        Raises:
            Refused: it is no currency, something was given in the old one, or the role does not allow it.
        """
        allowed(by, "manage")
        wanted, now = currency_of(code), self._clock()
        with self._store.transaction():
            present = self._store.remedies.allowances().currency
            if wanted == present:
                return present
            if self._store.remedies.any():
                raise Refused(f"remedies were given in {present}, and their amounts would mean something else")
            self._store.remedies.set_currency(wanted)
            self._tell(by, "currency changed", f"{present} to {wanted}", now)
        return wanted

    def _free(self, name: str, own: int) -> None:
        for kind in self._store.remedies.kinds():
            if kind.name.casefold() == name.casefold() and kind.id != own:
                raise Refused(f"there is a kind of that name: {kind.name}")

    def _said(self, kind: Kind) -> str:
        usual = "no usual cost" if kind.usual is None else f"usually {money(kind.usual)}"
        return f"{kind.name} ({usual}{'' if kind.active else ', not given any more'})"

    def _tell(self, by: Actor, act: str, detail: str, now: datetime) -> None:
        self._store.events.add(by, act, now, subject=SUBJECT, detail=detail)
