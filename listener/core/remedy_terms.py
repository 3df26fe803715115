"""The house's terms for remedies: what kinds there are, in which currency, and how much each role gives without asking.

Money is whole hundredths ("cents") everywhere; `cents_of()` reads what people type, `money()` writes it. Admins change
the terms on a page; every change is an event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from listener.core.colleague import RIGHTS, ROLES, Right, Role
from listener.core.errors import Refused
from listener.core.mention import line
from listener.core.route import SEVERITIES, Severity

MOST = 100_000_000
"""Cents: a million. Beyond it somebody mistyped."""

LIMITED: tuple[Role, ...] = tuple(role for role in ROLES if "work" in RIGHTS[role] and role != "admin")
"""The roles with an allowance. An admin has none: they set the allowances, so a limit of their own would be a form to
fill in first; and without somebody who may always decide, a remedy above every allowance would wait for ever."""

DECIDES: Right = "approve"
"""Whoever approves answers decides on remedies too, those above somebody's allowance."""

LONGEST_KIND = 60
_TYPED = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,2})?")
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of remedy.

    Args:
        id: row id.
        name: as colleagues call it, at most 60 characters, unique whatever its case.
        usual: what one usually costs, in cents; None where that differs too much.
        active: whether it may be given; kinds are never deleted, since remedies name them.
    """

    id: int
    name: str
    usual: int | None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """How much each role gives on one case without asking.

    Args:
        cents: by role and severity.
        currency: its three letters, as in EUR.
    """

    cents: Mapping[tuple[Role, Severity], int] = field(default_factory=dict)
    currency: str = "EUR"

    def of(self, role: Role, severity: Severity) -> int | None:
        """The allowance of a role on a case of a severity; None is without limit, 0 is nothing."""
        return None if role == "admin" else self.cents.get((role, severity), 0)

    def deciders(self, total: int, severity: Severity) -> str:
        """Which roles may decide that a case of a severity is given so much in all, in words."""
        able = [
            role
            for role in ROLES
            if DECIDES in RIGHTS[role] and (role == "admin" or self.cents.get((role, severity), 0) >= total)
        ]
        return " or ".join(("an " if role[0] in "aeiou" else "a ") + role for role in able)


def rows_of(allowances: Allowances) -> tuple[tuple[Role, tuple[tuple[Severity, int], ...]], ...]:
    """The allowances as a table: a row for each limited role, a cell for each severity, the mildest first."""
    mildest = tuple(reversed(SEVERITIES))
    return tuple((role, tuple((each, allowances.of(role, each) or 0) for each in mildest)) for role in LIMITED)


def money(cents: int, currency: str = "") -> str:
    """An amount in words: "45.00", "EUR 1,234.50"."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    shown = f"{sign}{cents // 100:,}.{cents % 100:02}"
    return f"{currency} {shown}" if currency else shown


def cents_of(text: str) -> int:
    """What somebody typed as an amount: "45", "45.5", "45,50".

    Raises:
        Refused: it is none, or beyond a million; thousands are not grouped, since 1.234 would be two amounts.
    """
    typed = text.strip()
    if not _TYPED.fullmatch(typed):
        raise Refused("write an amount as 45 or 45.50, without a currency and without grouping thousands")
    whole, _, rest = typed.replace(",", ".").partition(".")
    return checked(int(whole) * 100 + int(rest.ljust(2, "0") or 0))


def checked(cents: int) -> int:
    """An amount that may be kept.

    Raises:
        Refused: it is less than nothing, or beyond a million.
    """
    if not 0 <= cents <= MOST:
        raise Refused(f"an amount is between 0 and {money(MOST)}")
    return cents


def kind_name(text: str) -> str:
    """What a kind is to be called, in the form that is kept.

    Raises:
        Refused: nothing of it can be shown, or it is too long.
    """
    name = line(text)
    if not any(sign.isprintable() and not sign.isspace() for sign in name):
        raise Refused("a kind needs a name, as in “voucher”")
    if len(name) > LONGEST_KIND:
        raise Refused(f"the name of a kind has at most {LONGEST_KIND} characters; this one has {len(name)}")
    return name


def currency_of(text: str) -> str:
    """The currency of that code.

    Raises:
        Refused: it is not three letters.
    """
    code = text.strip().upper()
    if not _CODE.fullmatch(code):
        raise Refused("a currency is three letters, as in EUR")
    return code
