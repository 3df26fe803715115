"""What colleagues give customers to make it right: at once within their allowance, above it after an approval.

Each act is one transaction with its event in the case's history, and is taken back there like any other act on a case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from listener.casework.cases import Aside, Casework, Done
from listener.casework.permission import allowed
from listener.casework.remedy_terms import RemedyTerms
from listener.casework.requests import Requests
from listener.core import remedy as rules
from listener.core.case import Case
from listener.core.casework import mine_or_free
from listener.core.colleague import Colleague, Right
from listener.core.errors import Refused
from listener.core.event import Actor, CaseAct
from listener.core.mention import line
from listener.core.remedy import Remedy
from listener.core.remedy_figures import Entry, Figures, Month, figures
from listener.core.remedy_terms import DECIDES, Allowances, Kind, money
from listener.core.tools import Clock
from listener.store import Store

LONGEST_KEY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Done):
    """What an act on a remedy came to: the remedy as it is now, its case, and the event that takes it back.

    Args:
        remedy: as it is now.
        fresh: False where the same form was sent before, so that nothing was given twice.
    """

    remedy: Remedy
    fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """What a colleague fills in.

    Args:
        key: tells this form from others of the same colleague, so that sending it twice gives once.
        kind: name of a kind, whatever its case.
        cents: what it costs; None takes the kind's usual cost.
        what: in words.
    """

    key: str
    kind: str
    cents: int | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A remedy that waits for a decision, as somebody sees it.

    Args:
        entry: the remedy and its case.
        given: what the case was given so far, in cents.
        deciders: the roles whose allowance is enough, in words.
        mine: whether the one who looks may approve it.
        own: whether the one who looks proposed it.
    """

    entry: Entry
    given: int
    deciders: str
    mine: bool
    own: bool


class Remedies:
    """Does what colleagues ask for.

    Args:
        store: the database.
        clock: says the present.
        casework: does what is done beside a case.
        requests: lets channels know of what waits for a decision; None: nobody hears of it.
    """

    def __init__(self, store: Store, clock: Clock, casework: Casework, requests: Requests | None = None) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._casework = casework
        self._requests = requests or Requests(store)
        self.terms = RemedyTerms(store, clock)

    def give(self, public_id: str, wished: Wished, by: Actor) -> Given:
        """Give something on a case, or propose it where it is above one's allowance.

        Args:
            public_id: of the case; of one that was merged, the case it went into is meant.
            wished: what.
            by: who.

        Raises:
            Refused: there is no such case, it is not about us, another colleague has it, the wish does not fit, or
                the role does not allow it.
        """
        me, key = allowed(by, "work"), _key(wished.key)
        made: list[Remedy] = []

        def act(case: Case, me: Colleague, now: datetime) -> Aside:
            mine_or_free(case, me, now, None if case.assignee is None else self._store.colleagues.get(case.assignee))
            if case.outcome == "not us":
                raise Refused("the case is not about us, so there is nothing to make right", resource=case.public_id)
            kept = rules.wish(self._kind(wished.kind), wished.cents, wished.what)
            terms = self._store.remedies.allowances()
            allowance = terms.of(me.role, case.severity)
            weighed = rules.weigh(kept, self._store.remedies.of_case(case.id), allowance, terms.currency)
            remedy = self._store.remedies.add(case.id, kept, weighed, me, case.severity, key, now)
            made.append(remedy)
            told: CaseAct = "remedy given" if remedy.stands else "remedy proposed"
            self._requests.heed(told, remedy.public_id, case, now)
            undo = {"remedy": remedy.id, "was": rules.kept(replace(remedy, state="withdrawn"))}
            return Aside(
                act=told, detail=f"{_named(remedy, terms)}: {weighed.why}", undo=undo, subject=remedy.subject
            )  # fmt: skip

        with self._store.transaction():
            known = self._store.remedies.known(me.id, key)
            if known is not None:
                return self._again(known, wished)
            done = self._casework.beside(self._root(public_id).public_id, by, "work", act)
        return Given(case=done.case, event=done.event, remedy=made[0])

    def approve(self, public_id: str, by: Actor, why: str = "") -> Given:
        """Let a proposed remedy be given.

        Raises:
            Refused: there is no such remedy, it does not wait, it is one's own, one's allowance does not cover all that
                the case is given, or the role does not allow it.
        """

        def change(remedy: Remedy, case: Case, me: Colleague, now: datetime) -> Remedy:
            return rules.approve(
                remedy, me, why, now, given=self._store.remedies.of_case(case.id), severity=case.severity,
                allowances=self._store.remedies.allowances(),
            )  # fmt: skip

        return self._change(public_id, by, DECIDES, "remedy approved", change)

    def decline(self, public_id: str, by: Actor, why: str) -> Given:
        """Decide against a proposed remedy.

        Raises:
            Refused: there is no such remedy, it does not wait, it is one's own, no reason is given, or the role does
                not allow it.
        """
        return self._change(
            public_id, by, DECIDES, "remedy declined", lambda remedy, _, me, now: rules.decline(remedy, me, why, now)
        )

    def withdraw(self, public_id: str, by: Actor) -> Given:
        """Take a remedy away before the customer has it.

        Raises:
            Refused: there is no such remedy, it is too late, it is another's, or the role does not allow it.
        """
        return self._change(
            public_id, by, "work", "remedy withdrawn", lambda remedy, _case, me, _now: rules.withdraw(remedy, me)
        )

    def finish(self, public_id: str, by: Actor, outcome: str = "") -> Given:
        """Say that the customer has it, and what came of it; later words replace earlier ones.

        Raises:
            Refused: there is no such remedy, nobody promised it, the words are known, or the role does not allow it.
        """
        found = self._store.remedies.find(public_id)
        act: CaseAct = "remedy outcome" if found and found.state == "done" else "remedy done"
        return self._change(
            public_id, by, "work", act, lambda remedy, _case, _me, now: rules.finish(remedy, outcome, now)
        )

    def of_case(self, case: Case) -> tuple[Remedy, ...]:
        """The remedies of a case and of those that were merged into it, oldest first."""
        return self._store.remedies.of_case(case.id)

    def find(self, public_id: str) -> Remedy | None:
        """The remedy behind a link."""
        return self._store.remedies.find(public_id)

    def case_of(self, remedy: Remedy) -> Case:
        """The case in which a remedy stands now: where its own was merged, the one it went into."""
        return self._end(self._store.cases.get(remedy.case))

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that may be given."""
        return tuple(kind for kind in self._store.remedies.kinds() if kind.active)

    def allowances(self) -> Allowances:
        """How much each role gives without asking, and in which currency."""
        return self._store.remedies.allowances()

    def waiting(self, by: Actor) -> tuple[Waiting, ...]:
        """What waits for a decision, the oldest first, as somebody sees it."""
        terms = self._store.remedies.allowances()
        return tuple(self._seen(entry, by, terms) for entry in self._store.remedies.waiting())

    def to_decide(self, by: Actor | None) -> int:
        """How many wait for a decision that somebody may take; 0 for who decides on nothing."""
        me = by.colleague if by else None
        if me is None or not me.may(DECIDES):
            return 0
        return sum(entry.remedy.given_by != me.id for entry in self._store.remedies.waiting())

    def figures(self, month: Month) -> Figures:
        """What was given in a month."""
        return figures(self._store.remedies.tallies(month.first, month.next.first))

    def page(self, month: Month, limit: int = 50, offset: int = 0) -> tuple[Entry, ...]:
        """What counts in a month, newest first."""
        return self._store.remedies.page(month.first, month.next.first, limit, offset)

    def any(self) -> bool:
        """Whether anything was ever given or proposed."""
        return self._store.remedies.any()

    def names(self) -> dict[int, str]:
        """Colleagues' names by row id."""
        return {each.id: each.name for each in self._store.colleagues.all()}

    def _seen(self, entry: Entry, by: Actor, terms: Allowances) -> Waiting:
        me, remedy = by.colleague, entry.remedy
        case = self.case_of(remedy)
        given = self._store.remedies.of_case(case.id)
        total = rules.total_with(remedy, given)
        allowance = terms.of(me.role, case.severity) if me else 0
        own = me is not None and me.id == remedy.given_by
        return Waiting(
            entry=replace(entry, case=case.public_id),
            given=total - remedy.cents,
            deciders=terms.deciders(total, case.severity),
            mine=me is not None and me.may(DECIDES) and not own and (allowance is None or total <= allowance),
            own=own,
        )

    def _change(
        self, public_id: str, by: Actor, right: Right, act: CaseAct,
        change: Callable[[Remedy, Case, Colleague, datetime], Remedy],
    ) -> Given:  # fmt: skip
        allowed(by, right)
        changed: list[Remedy] = []

        def do(case: Case, me: Colleague, now: datetime) -> Aside:
            remedy = self._store.remedies.find(public_id)
            assert remedy is not None
            changed.append(self._store.remedies.change(change(remedy, case, me, now)))
            undo = {"remedy": remedy.id, "was": rules.kept(remedy)}
            detail = _named(remedy, self._store.remedies.allowances())
            return Aside(act=act, detail=detail, undo=undo, subject=remedy.subject)

        with self._store.transaction():
            found = self._store.remedies.find(public_id)
            if found is None:
                raise Refused("there is no such remedy", resource=public_id)
            done = self._casework.beside(self.case_of(found).public_id, by, right, do)
        return Given(case=done.case, event=done.event, remedy=changed[0])

    def _again(self, known: Remedy, wished: Wished) -> Given:
        """What a form gave that was sent before.

        Raises:
            Refused: it says something else now.
        """
        said = rules.words(wished.what, "")
        cost = known.cents if wished.cents is None else wished.cents
        if (known.kind.casefold(), known.cents, known.what) != (line(wished.kind).casefold(), cost, said):
            raise Refused("another remedy was given under this key; give each one a key of its own")
        first = self._store.events.of_subject(known.subject)[-1]
        return Given(case=self.case_of(known), event=first.id, remedy=known, fresh=False)

    def _kind(self, name: str) -> Kind:
        wanted = line(name).casefold()
        for kind in self._store.remedies.kinds():
            if kind.name.casefold() == wanted:
                return kind
        raise Refused("choose a kind of remedy")

    def _root(self, public_id: str) -> Case:
        case = self._store.cases.find(public_id)
        if case is None:
            raise Refused("there is no such case", resource=public_id)
        return self._end(case)

    def _end(self, case: Case) -> Case:
        while case.merged_into is not None:
            case = self._store.cases.get(case.merged_into)
        return case


def _named(remedy: Remedy, terms: Allowances) -> str:
    return f"{remedy.kind}, {money(remedy.cents, terms.currency)}"


def _key(text: str) -> str:
    key = line(text)
    if not key or len(key) > LONGEST_KEY:
        raise Refused(f"a remedy needs a key of 1 to {LONGEST_KEY} characters, by which a repeat is known")
    return key
