"""What colleagues keep for themselves in the inbox: saved views."""

from __future__ import annotations

from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.view import MOST_VIEWS, SavedView, view_name
from listener.store import Store


class Views:
    """Keeps each colleague's saved views.

    Args:
        store: the database.
    """

    def __init__(self, store: Store) -> None:
        """Keep it."""
        self._store = store

    def of(self, by: Actor) -> tuple[SavedView, ...]:
        """The colleague's own views, in the order in which they were made; none for who is no colleague."""
        return self._store.views.of(by.colleague.id) if by.colleague else ()

    def save(self, by: Actor, name: str, query: str) -> SavedView:
        """Keep filters under a name; a view of the same name is replaced.

        Raises:
            Refused: the name is empty or too long, or there are too many views.
        """
        me, view = _colleague(by), SavedView(name=view_name(name), query=query)
        with self._store.transaction():
            known = {each.name for each in self._store.views.of(me.id)}
            if view.name not in known and len(known) >= MOST_VIEWS:
                raise Refused(f"{MOST_VIEWS} views are the most; delete one first")
            self._store.views.put(me.id, view)
        return view

    def delete(self, by: Actor, name: str) -> None:
        """Drop a view.

        Raises:
            Refused: there is no view of that name.
        """
        me = _colleague(by)
        with self._store.transaction():
            if not self._store.views.remove(me.id, name):
                raise Refused("there is no such view")


def _colleague(by: Actor) -> Colleague:
    if by.colleague is None:
        raise Refused("that takes a colleague")
    return by.colleague
