"""What a machine on the other side says to an answer of ours: that it did not arrive, or that its reader is away.

Sources hand echoes over in their pages; `listener/pipeline/echoes.py` heeds them. An echo is no customer's word: it is
never judged and opens nothing, it only ever tells of an answer that we know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from listener.core.case import Case
from listener.core.reply import Posted, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """What a machine says to an answer of ours.

    Args:
        realm: the name space of the id, as in the post that was answered.
        external_id: of our answer, as in `Posted`; an echo of an id that we do not know is nobody's.
        kind: *returned*: it did not arrive; *away*: it arrived, and the customer's mailbox answered by itself.
        why: why it did not arrive, in our own words; may be empty.
        said: the same in the words of the other side, one line, without addresses; may be empty.
    """

    realm: str
    external_id: str
    kind: Literal["returned", "away"]
    why: str = ""
    said: str = ""

    @property
    def reason(self) -> str:
        """Why it did not arrive, as the answer keeps it."""
        told = f"it did not arrive: {self.why}" if self.why else "it did not arrive"
        return f'{told}. The mail system said: "{self.said}"' if self.said else told


def returned(reply: Reply, echo: Echo, now: datetime, *, alone: bool) -> Reply | None:
    """An answer that came back: one that failed, which can be changed and sent again; None where that is known.

    One of which nobody knew whether it was taken was taken, for it came back.

    Args:
        reply: as it is.
        echo: says that it came back, and why.
        now: the present.
        alone: whether the case has no other answer under way; else this one stays as it is, with the reason.
    """
    if reply.state == "unknown":
        reply = replace(reply, posted=Posted(external_id=echo.external_id))
    elif reply.state != "posted" or reply.why:
        return None
    if not alone:
        return replace(reply, why=echo.reason, changed_at=now)
    # It keeps the other side's name for it: its customer may have got it all the same, and answer it.
    return replace(
        reply, state="failed", approval=None, key="", due_at=None, posted_at=None, why=echo.reason, changed_at=now
    )


def unheard(case: Case, reply: Reply, now: datetime, lease: timedelta) -> Case:
    """The case of an answer that came back: it waits for us again, and the clock that the answer stopped runs on.

    Args:
        case: as it is.
        reply: as it was while it stood.
        now: the present.
        lease: how long the claim holds of who has it.
    """
    stopped = case.replied_at is not None and case.replied_at == reply.posted_at
    back = replace(case, replied_at=None if stopped else case.replied_at, changed_at=now)
    if case.status in {"open", "acknowledged"}:
        return back
    back = replace(back, snoozed_until=None, resolved_at=None, outcome=None)
    if case.assignee is None or case.status == "resolved":
        return replace(back, status="open", assignee=None, claimed_until=None)
    return replace(back, status="acknowledged", claimed_until=now + lease)
