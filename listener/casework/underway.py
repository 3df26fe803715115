"""Whether an answer to a case is under way, which holds up whatever would end the case."""

from __future__ import annotations

from listener.core.case import Case
from listener.core.errors import Refused
from listener.store import Store


def settled(store: Store, case: Case) -> None:
    """Refuse where an answer is under way: it would be forgotten, or posted for a case that ended.

    Raises:
        Refused: there is one.
    """
    reply = store.replies.live(case.id)
    if reply is not None:
        words = {
            "draft": "a draft of an answer",
            "cleared": "an answer that is approved, to be given by hand",
            "failed": "an answer that was refused there",
        }
        found = words.get(reply.state, f"an answer ({reply.state})")
        raise Refused(f"there is {found}: send it, or throw it away first", resource=case.public_id)
