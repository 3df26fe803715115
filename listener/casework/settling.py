"""What colleagues do with unsure mentions: say in one key what the label is, or that it is not about us; take it back.

Works for mentions with a case and without. What a colleague said stands like any correction: it outlives every judging.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from listener.casework.cases import Casework
from listener.casework.permission import allowed
from listener.casework.undo import taken_back
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import Mention, facts
from listener.core.rules import Rules
from listener.core.sentiment import Label
from listener.core.tools import Clock
from listener.core.work import held_back
from listener.store import Store
from listener.store.corrections import NOT_US, settled
from listener.store.lane import Way, thawed

GRACE = timedelta(seconds=20)
"""A complaint that a colleague recognised is routed after this long, so that a slip of the finger tells nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What settling came to.

    Args:
        mention: as it is now.
        label: what was said; None: it is not about us.
        event: by which it can be taken back.
        case: its case as it is now; None without one.
    """

    mention: Mention
    label: Label | None
    event: int
    case: Case | None


class Settling:
    """Does what colleagues ask for.

    Args:
        store: the database.
        clock: says the present.
        rules: gives the operator's rules in force.
        casework: ends a case that held nothing else.
    """

    def __init__(self, store: Store, clock: Clock, rules: Callable[[], Rules], casework: Casework) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._rules = rules
        self._casework = casework

    def settle(self, mention_id: int, label: Label | None, by: Actor, seen: str = "") -> Decided:
        """Say what an unsure mention's label is.

        A fresh one that no case holds is routed as if the scorer had been sure; nobody is told of an old one.

        Args:
            mention_id: its row id.
            label: negative, neutral or positive; None: it is not about us.
            by: who says so.
            seen: the state that the colleague read; empty does not compare.

        Raises:
            Refused: there is no such mention, it is settled already, its author changed it meanwhile, another
                colleague has the case that would end, or the role does not allow it.
        """
        me, now = allowed(by, "correct"), self._clock()
        with self._store.transaction():
            mention = self._unsure(mention_id, seen)
            case = self._store.cases.of_mention(mention_id)
            if label is None and case is not None and case.mentions == 1 and case.status != "resolved":
                done = self._casework.not_us(case.public_id, by)
                return self._decided(mention_id, None, done.event, done.case)
            before = self._store.lane.way(mention_id)
            kept = self._store.corrections.add(mention, label, me.id, now)
            self._move(mention, label, before, case, now)
            leaned = mention.sentiment.label if mention.sentiment else ""
            event = self._store.events.add(
                by, "settled", now, case=case, subject=f"mention {mention_id}",
                detail=f"unsure {leaned} to {label or NOT_US}", undo={"settled": kept, **before.frozen()},
            )  # fmt: skip
            return self._decided(mention_id, label, event, case)

    def undo(self, event_id: int, by: Actor) -> Decided:
        """Take back what one settled; a case that was opened by it meanwhile stays.

        Raises:
            Refused: it was another's, too long ago, taken back before, or the mention changed since.
        """
        allowed(by, "correct")
        now = self._clock()
        with self._store.transaction():
            event = self._store.events.undoable(event_id)
            if event is not None and event.event.act == "not us" and "corrections" in event.undo:
                return self._reopen(event_id, cast("list[int]", event.undo["corrections"]), by)
            found = taken_back(event, by, now, part="settled", instead="the label can still be changed by hand")
            correction = cast("int", found.undo["settled"])
            known = self._store.lane.settlement(correction)
            if known is None or not known.holds:
                raise Refused("the mention changed since; look at it again", resource=found.event.subject)
            self._store.corrections.take_back(correction, now)
            self._store.lane.put_back(known.mention, thawed(found.undo))
            case = self._store.cases.of_mention(known.mention)
            made = self._store.events.add(
                by, "undone", now, case=case, subject=found.event.subject, detail="settled", undoes=event_id
            )
            return self._decided(known.mention, known.label, made, case)

    def _reopen(self, event_id: int, corrections: list[int], by: Actor) -> Decided:
        done = self._casework.undo(event_id, by)
        known = self._store.lane.settlement(corrections[0])
        assert known is not None
        return self._decided(known.mention, None, done.event, done.case)

    def _unsure(self, mention_id: int, seen: str) -> Mention:
        mention = self._store.mentions.find(mention_id)
        if mention is None:
            raise Refused("there is no such mention")
        if seen and seen != mention.fingerprint:
            raise Refused("its author changed it meanwhile: read it once more", resource=f"mention {mention_id}")
        if mention.sentiment is None or mention.sentiment.certainty != "unsure":
            said = mention.sentiment.label if mention.sentiment else NOT_US
            raise Refused(f"it is settled already: {said}", resource=f"mention {mention_id}")
        return mention

    def _move(self, mention: Mention, label: Label | None, way: Way, case: Case | None, now: datetime) -> None:
        """Send a complaint that nobody was told of to the routes, and keep from them what is not about us."""
        if label is None:
            self._store.lane.halt(mention.id)
        elif way.step is None and case is None and self._concerns(mention, label, now):
            self._store.lane.route(mention.id, now + GRACE)

    def _concerns(self, mention: Mention, label: Label, now: datetime) -> bool:
        """Whether a route takes the mention now, and it is news still."""
        rules, sentiment = self._rules(), settled(label)
        fresh = now - (mention.post.published_at or mention.seen_at) <= rules.horizon
        if not fresh or held_back(mention, sentiment) is not None:
            return False
        return bool(rules.route.taken_by(facts(mention, sentiment)))

    def _decided(self, mention_id: int, label: Label | None, event: int, case: Case | None) -> Decided:
        mention = self._store.mentions.find(mention_id)
        assert mention is not None
        return Decided(mention=mention, label=label, event=event, case=case)
