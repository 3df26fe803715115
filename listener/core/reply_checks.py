"""What an act on a reply asks first: in which state it is, with whom it lies, and what a role allows.

`replying.py` calls these before it changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from listener.core.colleague import Colleague, lacking
from listener.core.errors import Refused
from listener.core.reply import Reply, ReplyState

_MEANING: Mapping[ReplyState, str] = {
    "draft": "it is a draft",
    "asked": "it is with marketing",
    "in review": "it is in review",
    "approved": "it is approved and about to be posted; take it back first",
    "cleared": "it is approved, to be given by hand; take it back first",
    "posting": "it is being posted",
    "posted": "it stands already",
    "unknown": "it was handed over and may stand already; look there first",
    "failed": "it was refused",
    "by hand": "it was answered by hand",
    "discarded": "it was thrown away",
}


def state_words(state: ReplyState) -> str:
    """A state in words, for a refusal."""
    return _MEANING[state]


def in_state(reply: Reply, state: ReplyState, otherwise: str) -> None:
    """Go on only in this state.

    Raises:
        Refused: it is in another.
    """
    if reply.state != state:
        raise Refused(f"{otherwise}: {state_words(reply.state)}", resource=reply.public_id)


def may(by: Colleague, right: Literal["reply", "approve"]) -> None:
    """Go on only with this right.

    Raises:
        Refused: the role has not got it.
    """
    if not by.may(right):
        raise Refused(lacking(by.role, right))


def lies_with(reply: Reply, by: Colleague) -> None:
    """Go on only as the marketer who was asked.

    Raises:
        Refused: another colleague was, or the role cannot advise any more.
    """
    if reply.asked_of != by.id or not by.may("advise"):
        raise Refused("it is with another colleague in marketing", resource=reply.public_id)
