"""A colleague: somebody who signs in, the role they have, and what each role may do."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from listener.core.errors import Refused

Role = Literal["viewer", "marketer", "agent", "lead", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

Right = Literal[
    "read", "note", "work", "assign", "correct", "call", "link", "campaign", "reply", "advise", "approve", "manage"
]
"""What can be allowed; `MEANINGS` says what each is."""

MEANINGS: Mapping[Right, str] = {
    "read": "read pages, cases and figures",
    "note": "write notes",
    "work": "claim, snooze and resolve cases, and give remedies",
    "assign": "give cases to others and take them over",
    "correct": "correct labels and say that a post is not about us",
    "call": "log a call",
    "link": "link a customer's handles",
    "campaign": "write campaigns",
    "reply": "write answers, and send them where no review is needed",
    "advise": "improve a draft that was handed to marketing",
    "approve": "approve answers in review and remedies above an allowance, and let posting go on after it was stopped",
    "manage": "manage colleagues, set allowances and read the audit log",
}

_AGENT: frozenset[Right] = frozenset({"read", "note", "work", "correct", "call", "link", "reply"})
_MARKETER: frozenset[Right] = frozenset({"read", "note", "correct", "campaign", "advise"})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    "viewer": frozenset({"read"}),
    "marketer": _MARKETER,
    "agent": _AGENT,
    "lead": _AGENT | _MARKETER | {"assign", "approve"},
    "admin": frozenset(get_args(Right)),
}


ROLE_MEANINGS: Mapping[Role, str] = {
    "viewer": "reads everything",
    "marketer": "writes campaigns, notes and corrections",
    "agent": "answers customers: claims, notes, snoozes and resolves cases, logs calls",
    "lead": "does all that agents and marketers do, and gives cases to others",
    "admin": "does everything, and manages colleagues",
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
        only: the rights of the token they came with; None: all that the role allows.
    """

    id: int
    handle: str
    name: str
    role: Role
    on_duty: bool
    shortcuts: bool
    created_at: datetime
    left_at: datetime | None = None
    only: frozenset[Right] | None = None

    def may(self, right: Right) -> bool:
        """Whether the role allows it, and the token where there is one; nothing once the account is closed."""
        return self.left_at is None and right in RIGHTS[self.role] and (self.only is None or right in self.only)


_HANDLE = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_NAME = 80


def handle_of(text: str) -> str:
    """What somebody wants to sign in under, in the form that is kept.

    Raises:
        Refused: it is empty, too long, or holds other characters than are allowed; says which are.
    """
    handle = text.strip().lower()
    if not _HANDLE.fullmatch(handle):
        raise Refused("a handle is 1 to 64 letters from a to z, digits, or . _ @ + - and begins with a letter or digit")
    return handle


def name_of(text: str) -> str:
    """What somebody wants to be called, in the form that is kept: one line.

    Raises:
        Refused: nothing of it can be shown, or it is too long.
    """
    name = " ".join("".join(character for character in text if character.isprintable()).split())
    if not name or len(name) > _NAME:
        raise Refused(f"a name has 1 to {_NAME} characters")
    return name


def role_of(text: str) -> Role:
    """The role of that name.

    Raises:
        Refused: there is no such role; names those there are.
    """
    for role in ROLES:
        if role == text:
            return role
    raise Refused(f"there is no such role; the roles are {', '.join(ROLES)}")


def rights_of(names: Collection[str]) -> frozenset[Right]:
    """The rights of those names.

    Raises:
        Refused: one is no right; names those there are.
    """
    known: tuple[Right, ...] = get_args(Right)
    found = frozenset(right for right in known if right in names)
    if len(found) != len(set(names)):
        raise Refused(f"there is no such right; the rights are {', '.join(known)}")
    return found


def lacking(role: Role, right: Right) -> str:
    """Why a role does not allow something, with the roles that do, in words."""
    allowed = [other for other in ROLES if right in RIGHTS[other]]
    return f"a {role} may not do that; it takes the role {' or '.join(allowed)}"
