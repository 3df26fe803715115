"""An event: one thing somebody or Listener itself did, kept for ever.

A case's history and the audit log are made of events.

An event holds no words of a customer, so that forgetting a person never has to touch the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from listener.core.colleague import Colleague

Via = Literal["page", "api", "command", "listener"]

CaseAct = Literal[
    "opened", "grown", "returned", "claimed", "released", "lapsed", "assigned", "snoozed", "woke", "resolved",
    "reopened", "noted", "merged", "corrected", "settled", "not us", "overdue", "undone",
    "drafted", "asked marketing", "advised", "sent to review", "sent back", "approved", "approval withdrawn",
    "handed over", "answered", "answer unknown", "answer refused", "answered by hand", "draft discarded",
    "draft restored", "silent",
    "answer returned", "automatic answer",
    "remedy given", "remedy proposed", "remedy approved", "remedy declined", "remedy withdrawn", "remedy done",
    "remedy outcome",
]  # fmt: skip
"""What happens to cases. *grown*: a mention joined; *returned*: one joined after resolving; *lapsed*: a claim ran out;
*woke*: a snooze ended; *reopened*: by a colleague; *settled*: an unsure label, by
a colleague; *advised*: marketing gave a draft back, or its time was up; *silent*:
the customer had nothing more to say; *answer returned*: it did not arrive; *automatic answer*: their mailbox answered
by itself."""


AccountAct = Literal[
    "signed in", "sign-in failed", "signed out", "sessions ended", "colleague invited", "colleague joined",
    "role changed", "account closed", "account reopened", "link made", "password changed", "name changed",
    "shortcuts changed", "duty changed", "token made", "token revoked",
]  # fmt: skip
"""What happens to colleagues and to the ways in; each is kept with the colleague it is about as its subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and by which way they came.

    Args:
        colleague: None for Listener itself, for commands on the machine, and for somebody who is not signed in.
        via: page, api, command or listener.
    """

    colleague: Colleague | None
    via: Via

    @property
    def name(self) -> str:
        """As the log shows it."""
        if self.colleague is not None:
            return self.colleague.name
        return {"command": "the operator", "listener": "Listener"}.get(self.via, "somebody")


LISTENER = Actor(colleague=None, via="listener")
OPERATOR = Actor(colleague=None, via="command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was done.

    Args:
        id: row id; grows with time.
        at: when.
        who: the name at that time.
        colleague: row id of the colleague; None for Listener and the operator.
        via: page, api, command or listener.
        act: a verb in the past: a CaseAct, or as in "signed in", "token made".
        case: row id of the case it is about; None without one.
        subject: what else it is about, as in "colleague dana" or "campaign 3"; may be empty.
        detail: more in words, never a customer's; may be empty.
        undoes: row id of the event it took back; None for most.
        version: of the case after it; None without a case.
    """

    id: int
    at: datetime
    who: str
    colleague: int | None
    via: Via
    act: str
    case: int | None
    subject: str
    detail: str
    undoes: int | None = None
    version: int | None = None
