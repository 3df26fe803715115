"""Lets channels know what colleagues ask of each other: advice on a draft, a review, a decision about a remedy.

Called within the acts that ask, so that a request and word of it are stored together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from listener.core.case import Case
from listener.core.notification import RequestKind, Told
from listener.store import Store

_ASKS: dict[str, RequestKind] = {
    "asked marketing": "advice", "sent to review": "review", "remedy proposed": "remedy",
}  # fmt: skip


class Requests:
    """Puts word of requests into the outbox.

    Args:
        store: the database.
        told: gives which channels hear of which requests.
    """

    def __init__(self, store: Store, told: Callable[[], Told] = Told) -> None:
        """Keep them."""
        self._store = store
        self._told = told

    def heed(self, act: str, subject: str, case: Case, now: datetime) -> None:
        """Let channels know if an act asks something of a colleague. Call it in the act's transaction.

        Args:
            act: as its event names it.
            subject: public id of the answer or the remedy.
            case: to which it belongs.
            now: the present.
        """
        kind = _ASKS.get(act)
        if kind is not None:
            self._store.requests.put(kind, subject, case, self._told().of(kind), now)
