"""What colleagues do with cases: claim, assign, note, snooze, resolve, merge, correct, and take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from listener.casework.permission import allowed
from listener.casework.underway import settled
from listener.casework.undo import taken_back
from listener.core import casework as rules
from listener.core.case import Case, Outcome
from listener.core.colleague import Colleague, Right
from listener.core.errors import Refused
from listener.core.event import Actor, CaseAct
from listener.core.note import note_text
from listener.core.remedy import restored
from listener.core.remedy_terms import DECIDES
from listener.core.sentiment import Label
from listener.core.tools import Clock
from listener.store import Store
from listener.store.events import Undo

CLAIM_LEASE = timedelta(hours=1)
NEWS = "the conversation changed since you opened it: read the newest mention first"

_KEPT = (
    "status", "assignee", "claimed_until", "snoozed_until", "outcome", "merged_into", "resolved_at",
    "acknowledged_at", "replied_at",
)  # fmt: skip
"""The parts of a case that an act changes and that taking it back restores."""

_TAKES: Mapping[str, Right] = {
    "noted": "note", "corrected": "correct", "not us": "correct", "remedy approved": DECIDES,
    "remedy declined": DECIDES,
}  # fmt: skip
"""The right that an act took, and that taking it back takes as well; other acts take "work"."""

_TIMES = frozenset(name for name in _KEPT if name.endswith(("_until", "_at")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an act came to: the case as it is now, and the event by which it can be taken back."""

    case: Case
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What was done beside a case, without changing the case itself.

    Args:
        act: what it is called.
        detail: more in words, never a customer's.
        undo: by what it is taken back.
        subject: what else it is about; may be empty.
    """

    act: CaseAct
    detail: str = ""
    undo: Mapping[str, object]
    subject: str = ""


class Casework:
    """Does what colleagues ask for.

    Args:
        store: the database.
        clock: says the present.
        lease: gives how long a claim holds without further work.
    """

    def __init__(self, store: Store, clock: Clock, lease: Callable[[], timedelta] = lambda: CLAIM_LEASE) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._lease = lease

    def claim(self, public_id: str, by: Actor) -> Done:
        """Take a case: of two who try at once, one has it and the other hears who.

        Raises:
            Refused: there is no such case, it is resolved, another has it, or the role does not allow it.
        """
        return self._act(
            public_id, by, "claimed",
            lambda case, me, now, holder: rules.claim(case, me, now, self._lease(), holder),
        )  # fmt: skip

    def release(self, public_id: str, by: Actor) -> Done:
        """Give a claim back.

        Raises:
            Refused: nobody has it, or another does.
        """
        return self._act(public_id, by, "released", rules.release)

    def assign(self, public_id: str, by: Actor, to: Colleague) -> Done:
        """Give a case to a colleague.

        Raises:
            Refused: either of them may not, it is resolved, or another has it.
        """
        return self._act(
            public_id, by, "assigned",
            lambda case, me, now, holder: rules.assign(case, to, me, now, self._lease(), holder),
            detail=f"to {to.name}",
        )  # fmt: skip

    def snooze(self, public_id: str, by: Actor, until: datetime) -> Done:
        """Put a case aside until a time.

        Raises:
            Refused: the time is not ahead, it is resolved, or another has it.
        """
        return self._act(
            public_id, by, "snoozed",
            lambda case, me, now, holder: rules.snooze(case, until, me, now, holder),
            detail=f"until {until:%Y-%m-%d %H:%M} UTC",
        )  # fmt: skip

    def resolve(self, public_id: str, by: Actor, outcome: Outcome, seen: int | None = None) -> Done:
        """End a case.

        Args:
            public_id: of the case.
            by: who.
            outcome: how it ended.
            seen: the version that the colleague looked at; None does not compare.

        Raises:
            Refused: it is resolved already, another has it, or its customer wrote since the colleague looked.
        """

        def change(case: Case, me: Colleague, now: datetime, holder: Colleague | None) -> Case:
            self._unchanged(case, seen)
            settled(self._store, case)
            return rules.resolve(case, outcome, me, now, holder)

        return self._act(public_id, by, "resolved", change, detail=outcome)

    def reopen(self, public_id: str, by: Actor) -> Done:
        """Take a resolved case up again.

        Raises:
            Refused: it is not resolved, was merged, or its customer has a newer one.
        """

        def change(case: Case, me: Colleague, now: datetime, _: Colleague | None) -> Case:
            if case.outcome == "not us":
                self._store.corrections.ours_again(case.id, now)
            return rules.reopen(case, me, now, self._lease())

        return self._act(public_id, by, "reopened", change)

    def note(self, public_id: str, by: Actor, text: str) -> Done:
        """Tell the colleagues something about a case.

        Raises:
            Refused: there is no such case, the note is empty or too long, or the role does not allow it.
        """
        kept = note_text(text)

        def add(case: Case, me: Colleague, now: datetime) -> Aside:
            note = self._store.notes.add(kept, colleague=me.id, who=me.name, now=now, case=case.id)
            return Aside(act="noted", undo={"note": note})

        return self.beside(public_id, by, "note", add)

    def beside(
        self, public_id: str, by: Actor, right: Right, act: Callable[[Case, Colleague, datetime], Aside]
    ) -> Done:
        """Do something beside a case, which renews the claim of who has it.

        Args:
            public_id: of the case.
            by: who.
            right: what their role must allow.
            act: does it, in the transaction.

        Raises:
            Refused: there is no such case, the role does not allow it, or `act` refuses.
        """
        me, now = allowed(by, right), self._clock()
        with self._store.transaction():
            case = self._case(public_id)
            done = act(case, me, now)
            worked = self._worked_on(case, me, now)
            return self._told(worked, case, by, done.act, now, detail=done.detail, also=done.undo, subject=done.subject)

    def merge(self, public_id: str, by: Actor, into: str) -> Done:
        """Move a case's mentions into another one and end it; links to it lead on.

        The worse severity and the stricter promises of the two hold; taking the merge back leaves them.

        Raises:
            Refused: they cannot be merged, see `listener.core.casework.mergeable()`.
        """
        me, now = allowed(by, "work"), self._clock()
        with self._store.transaction():
            case, target = self._case(public_id), self._case(into)
            settled(self._store, case)
            rules.mergeable(case, target, me, now, self._holder(case))
            moved = self._store.cases.move(None, case.id, target.id)
            ended = rules.resolve(case, "merged", me, now, self._holder(case))
            ended = self._store.cases.change(replace(ended, merged_into=target.id, mentions=0))
            grown = self._store.cases.change(rules.took_in(target, case, len(moved), now))
            self._store.events.add(by, "merged", now, case=grown, detail=f"took in {len(moved)} mentions")
            return self._told(ended, case, by, "merged", now, also={"moved": list(moved), "into": target.id})

    def correct(self, public_id: str, by: Actor, mention_id: int, label: Label) -> Done:
        """Say what a mention's label is; the correction outlives every re-scoring.

        Raises:
            Refused: the mention is not in the case, or the role does not allow it.
        """
        me, now = allowed(by, "correct"), self._clock()
        with self._store.transaction():
            case = self._case(public_id)
            mention = self._store.mentions.find(mention_id)
            if mention is None or self._store.cases.of_mention(mention_id) != case:
                raise Refused("that mention is not in this case", resource=public_id)
            before = mention.sentiment.label if mention.sentiment else "not judged"
            kept = self._store.corrections.add(mention, label, me.id, now)
            worked, said = self._worked_on(case, me, now), f"{before} to {label}"
            return self._told(worked, case, by, "corrected", now, detail=said, also={"corrections": [kept]})

    def not_us(self, public_id: str, by: Actor) -> Done:
        """End a case that is about something else with the same name; its mentions are counted nowhere.

        Raises:
            Refused: it is resolved already, another has it, or the role does not allow it.
        """
        me, now = allowed(by, "correct"), self._clock()
        with self._store.transaction():
            case = self._case(public_id)
            settled(self._store, case)
            ended = self._store.cases.change(rules.resolve(case, "not us", me, now, self._holder(case)))
            mentions = self._store.mentions.of_case(case.id, case.mentions)
            kept = [self._store.corrections.add(mention, None, me.id, now) for mention in mentions]
            halted = self._store.lane.halt_all([mention.id for mention in mentions])
            return self._told(ended, case, by, "not us", now, also={"corrections": kept, "halted": halted})

    def undo(self, event_id: int, by: Actor) -> Done:
        """Take back what one did, while nothing happened to the case since.

        Raises:
            Refused: it was another's act, too long ago, taken back before, the case changed since, or the role does
                not allow it (any more).
        """
        now = self._clock()
        with self._store.transaction():
            found = taken_back(
                self._store.events.undoable(event_id), by, now, part="case",
                instead="the case can still be changed by hand",
            )  # fmt: skip
            allowed(by, _TAKES.get(found.event.act, "work"))
            case = self._store.cases.get(cast("int", found.undo["case"]))
            if case.version != found.event.version:
                raise Refused("the case changed since; look at it again", resource=case.public_id)
            returned = self._restore(found.undo, by, now)
            before = _thawed(case, found.undo, now)
            back = self._store.cases.change(before if returned is None else replace(before, mentions=returned))
            event = self._store.events.add(by, "undone", now, case=back, detail=found.event.act, undoes=event_id)
            return Done(case=back, event=event)

    def _restore(self, undo: Undo, by: Actor, now: datetime) -> int | None:
        """Take back what an act did beside the case itself; gives how many mentions came back from a merge."""
        if "note" in undo:
            self._store.notes.take_back(cast("int", undo["note"]), now)
        if "remedy" in undo:
            remedy = self._store.remedies.get(cast("int", undo["remedy"]))
            self._store.remedies.change(restored(remedy, cast("Undo", undo["was"])))
        for correction in cast("list[int]", undo.get("corrections", [])):
            self._store.corrections.take_back(correction, now)
        self._store.lane.resume(cast("list[Undo]", undo.get("halted", [])))
        if "moved" in undo:
            moved = cast("list[int]", undo["moved"])
            target = self._store.cases.get(cast("int", undo["into"]))
            if target.merged_into is not None:
                raise Refused("the case it went into was merged on: take that back first", resource=target.public_id)
            # What left the target meanwhile, as a call that was taken back, is not there to be given back.
            gone = self._store.cases.move(moved, target.id, cast("int", undo["case"]))
            left = self._store.cases.change(replace(target, mentions=target.mentions - len(gone), changed_at=now))
            self._store.events.add(by, "undone", now, case=left, detail=f"gave {len(gone)} mentions back")
            return len(gone)
        return None

    def _act(
        self, public_id: str, by: Actor, act: CaseAct,
        change: Callable[[Case, Colleague, datetime, Colleague | None], Case], detail: str = "",
    ) -> Done:  # fmt: skip
        me, now = allowed(by, "work"), self._clock()
        with self._store.transaction():
            case = self._case(public_id)
            changed = self._store.cases.change(change(case, me, now, self._holder(case)))
            return self._told(changed, case, by, act, now, detail=detail)

    def _told(
        self, changed: Case, before: Case, by: Actor, act: CaseAct, now: datetime, *, detail: str = "",
        also: Mapping[str, object] | None = None, subject: str = "",
    ) -> Done:  # fmt: skip
        undo = {**_frozen(before), **(also or {})}
        event = self._store.events.add(by, act, now, case=changed, subject=subject, detail=detail, undo=undo)
        return Done(case=changed, event=event)

    def _worked_on(self, case: Case, me: Colleague, now: datetime) -> Case:
        """The case after work that changes nothing of it: a claim of one's own is renewed."""
        if case.held(now) and case.assignee == me.id:
            case = replace(case, claimed_until=now + self._lease())
        return self._store.cases.change(case)

    def _case(self, public_id: str) -> Case:
        case = self._store.cases.find(public_id)
        if case is None:
            raise Refused("there is no such case", resource=public_id)
        return case

    def _holder(self, case: Case) -> Colleague | None:
        return None if case.assignee is None else self._store.colleagues.get(case.assignee)

    def _unchanged(self, case: Case, seen: int | None) -> None:
        """Refuse where a customer's new words came in since the colleague looked."""
        if seen is None or seen == case.version:
            return
        news = [event for event in self._store.events.of_case(case.id) if event.act in {"grown", "returned"}]
        if news and (news[-1].version or 0) > seen:
            raise Refused(NEWS, resource=case.public_id)


def _frozen(case: Case) -> dict[str, object]:
    """The changeable parts of a case as JSON values."""
    kept = {name: getattr(case, name) for name in _KEPT}
    frozen = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}
    return {**frozen, "case": case.id, "mentions": case.mentions}


def _thawed(case: Case, undo: Undo, now: datetime) -> Case:
    """The case with those parts as they were."""
    kept: dict[str, Any] = {name: undo[name] for name in (*_KEPT, "mentions")}
    for name, value in kept.items():
        if name in _TIMES and value is not None:
            kept[name] = datetime.fromisoformat(value)
    return replace(case, **kept, changed_at=now)
