"""Who may: the first question of every act."""

from __future__ import annotations

from listener.core.colleague import Colleague, Right, lacking
from listener.core.errors import Refused
from listener.core.event import Actor


def allowed(by: Actor, right: Right) -> Colleague:
    """The colleague, if their role has the right.

    Raises:
        Refused: it has not, or nobody is signed in.
    """
    if by.colleague is None:
        raise Refused("that takes a colleague")
    if not by.colleague.may(right):
        raise Refused(lacking(by.colleague.role, right))
    return by.colleague
