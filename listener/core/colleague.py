"""A colleague: somebody who signs in, the role they have, and what each role may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Role = Literal["viewer", "marketer", "agent", "lead", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

Right = Literal["read", "note", "work", "assign", "correct", "call", "link", "campaign", "manage"]
"""What can be allowed: read pages; write notes; claim, snooze and resolve cases; give cases to others and take them
over; correct labels and say "not us"; log a call; link customers' handles; write campaigns; manage colleagues, tokens
and read the audit log."""

_AGENT: frozenset[Right] = frozenset({"read", "note", "work", "correct", "call", "link"})
_MARKETER: frozenset[Right] = frozenset({"read", "note", "correct", "campaign"})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    "viewer": frozenset({"read"}),
    "marketer": _MARKETER,
    "agent": _AGENT,
    "lead": _AGENT | _MARKETER | {"assign"},
    "admin": frozenset(get_args(Right)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who signs in.

    Args:
        id: row id, used by the store.
        handle: the name they sign in with, unique whatever its case.
        name: as others see it.
        role: viewer, marketer, agent, lead or admin.
        on_duty: whether they answer customers at present.
        shortcuts: whether single keys do something on their pages.
        created_at: when the account was made.
        left_at: when it was closed; None while it is open.
    """

    id: int
    handle: str
    name: str
    role: Role
    on_duty: bool
    shortcuts: bool
    created_at: datetime
    left_at: datetime | None = None

    def may(self, right: Right) -> bool:
        """Whether the role allows it; nothing is allowed once the account is closed."""
        return self.left_at is None and right in RIGHTS[self.role]


def lacking(role: Role, right: Right) -> str:
    """Why a role does not allow something, with the roles that do, in words."""
    allowed = [other for other in ROLES if right in RIGHTS[other]]
    return f"a {role} may not do that; it takes the role {' or '.join(allowed)}"
