"""The stop of all posting: anybody who answers or advises pulls it, who approves lets posting go on."""

from __future__ import annotations

from listener.casework.permission import allowed
from listener.core.colleague import lacking
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.reply import Stop, reason_text
from listener.core.tools import Clock
from listener.store import Store


class Stops:
    """Stops posting and lets it go on.

    Args:
        store: the database.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock

    def stop(self, by: Actor, why: str) -> None:
        """Stop all posting at once, for everybody; what is handed over already cannot be called back.

        Raises:
            Refused: nothing was said why, it is stopped already, or the role does not allow it.
        """
        me = allowed(by, "read")
        if not (me.may("reply") or me.may("advise")):
            raise Refused(lacking(me.role, "reply"))
        said, now = reason_text(why), self._clock()
        with self._store.transaction():
            if not self._store.replies.stop(me.name, said, now):
                raise Refused("posting is stopped already")
            self._store.events.add(by, "posting stopped", now, subject="posting", detail=said)

    def go_on(self, by: Actor) -> None:
        """Let posting go on.

        Raises:
            Refused: it is not stopped, or the role does not allow it.
        """
        allowed(by, "approve")
        now = self._clock()
        with self._store.transaction():
            if not self._store.replies.go_on(now):
                raise Refused("posting is not stopped")
            self._store.events.add(by, "posting goes on", now, subject="posting")

    def stopped(self) -> Stop | None:
        """The stop that stands, or None."""
        return self._store.replies.stopped()
