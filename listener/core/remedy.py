"""A remedy: what a customer is given to make it right, with its cost, who decided on it and what came of it.

Staff may be more than fair without asking: within the allowance of their role a remedy is promised at once, above it
somebody whose allowance is enough decides. Pure rules from one state to the next, as `casework.py` has for cases;
`listener/casework/remedies.py` writes the results. The house's kinds and allowances are in `remedy_terms.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from listener.core.colleague import Colleague, Role
from listener.core.errors import Refused
from listener.core.mention import clean
from listener.core.remedy_terms import DECIDES, Allowances, Kind, checked, money
from listener.core.route import Severity

RemedyState = Literal["proposed", "promised", "done", "declined", "withdrawn"]
"""*proposed*: above the allowance, waits for a decision; *promised*: may be told to the customer; *done*: they have it;
*declined*: somebody decided against it; *withdrawn*: taken away by who gave it, or by who may decide."""
REMEDY_STATES: tuple[RemedyState, ...] = get_args(RemedyState)

LONGEST_WORDS = 500
_CHANGING = ("state", "counted_at", "decided_by", "decided_at", "why", "outcome", "done_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Something a customer is given.

    Args:
        id: row id, used by the store.
        public_id: opaque id used in links.
        case: row id of the case it was given on.
        kind: name of its kind, as the kind is called now.
        cents: what it costs us, in hundredths of the house's currency.
        what: what it is, in words.
        state: proposed, promised, done, declined or withdrawn.
        given_by: row id of the colleague who gave or proposed it.
        role: their role at that time.
        severity: of the case at that time.
        at: when it was given or proposed.
        counted_at: when it was promised; while it never was, as `at`. Figures of a month count by this.
        decided_by: row id of who approved or declined it; None where nobody had to or did not yet.
        decided_at: when they did.
        why: what they said to it; may be empty.
        outcome: what came of it, in words; may be empty.
        done_at: when the customer had it; None until then.
    """

    id: int
    public_id: str
    case: int
    kind: str
    cents: int
    what: str
    state: RemedyState
    given_by: int
    role: Role
    severity: Severity
    at: datetime
    counted_at: datetime
    decided_by: int | None = None
    decided_at: datetime | None = None
    why: str = ""
    outcome: str = ""
    done_at: datetime | None = None

    @property
    def subject(self) -> str:
        """How events name it."""
        return f"remedy {self.public_id}"

    @property
    def stands(self) -> bool:
        """Whether it costs us something: it was promised, and nobody took it away."""
        return self.state in {"promised", "done"}

    @property
    def alone(self) -> bool:
        """Whether it stands without anybody's approval, so that it counts against the allowance."""
        return self.stands and self.decided_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a colleague wants to give, checked.

    Args:
        kind: what kind of thing.
        cents: what it costs.
        what: in words.
    """

    kind: Kind
    cents: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Whether a remedy is given at once, and why: promised or proposed, with the reason in words."""

    state: Literal["promised", "proposed"]
    why: str


def wish(kind: Kind, cents: int | None, what: str) -> Wish:
    """What a colleague wants to give, in the form that is kept.

    Args:
        kind: of the house's kinds.
        cents: what it costs; None takes the kind's usual cost.
        what: in words.

    Raises:
        Refused: the kind is not given any more, the cost is out of bounds, or missing where there is no usual one, or
            the words are missing or too many.
    """
    if not kind.active:
        raise Refused(f"{kind.name} is not given any more; choose another kind")
    if cents is None:
        cents = kind.usual
    if cents is None:
        raise Refused(f"say what it costs: {kind.name} has no usual cost")
    return Wish(kind=kind, cents=checked(cents), what=words(what, "say in a few words what the customer gets"))


def weigh(wanted: Wish, given: Iterable[Remedy], allowance: int | None, currency: str) -> Weighed:
    """Whether a colleague gives something at once or asks for it.

    Args:
        wanted: what they want to give.
        given: every remedy of the case, of whatever state and by whomever.
        allowance: theirs on a case of this severity; None is without limit.
        currency: for the words.
    """
    spent = sum(each.cents for each in given if each.alone)
    if allowance is None:
        return Weighed(state="promised", why="there is no limit for that role")
    if spent + wanted.cents <= allowance:
        return Weighed(state="promised", why=f"within the allowance of {money(allowance, currency)}")
    before = f", of which {money(spent, currency)} is given" if spent else ""
    return Weighed(state="proposed", why=f"above the allowance of {money(allowance, currency)}{before}")


def left(given: Iterable[Remedy], allowance: int | None) -> int | None:
    """How much of an allowance is left on a case with these remedies; None is without limit."""
    spent = sum(each.cents for each in given if each.alone)
    return None if allowance is None else max(0, allowance - spent)


def total_with(remedy: Remedy, given: Iterable[Remedy]) -> int:
    """What a case is given in all, in cents, once a remedy that waits is approved."""
    return remedy.cents + sum(each.cents for each in given if each.stands and each.id != remedy.id)


def approve(
    remedy: Remedy, by: Colleague, why: str, now: datetime, *, given: Iterable[Remedy], severity: Severity,
    allowances: Allowances,
) -> Remedy:  # fmt: skip
    """Let a proposed remedy be given.

    Args:
        remedy: as it is.
        by: who decides; never who proposed it.
        why: a word of theirs; may be empty.
        now: the present.
        given: every remedy of the case.
        severity: of the case.
        allowances: the house's.

    Raises:
        Refused: it does not wait, it is one's own, or one's allowance does not cover all that the case is given.
    """
    _waits(remedy)
    if by.id == remedy.given_by:
        raise Refused("somebody else has to decide on what you proposed", resource=remedy.public_id)
    allowance, total = allowances.of(by.role, severity), total_with(remedy, given)
    if allowance is not None and total > allowance:
        raise Refused(
            f"with it the case is given {money(total, allowances.currency)}, more than your allowance of "
            f"{money(allowance, allowances.currency)}; it takes {allowances.deciders(total, severity)}",
            resource=remedy.public_id,
        )
    return replace(
        remedy, state="promised", decided_by=by.id, decided_at=now, counted_at=now, why=words(why, "")
    )  # fmt: skip


def decline(remedy: Remedy, by: Colleague, why: str, now: datetime) -> Remedy:
    """Decide against a proposed remedy.

    Raises:
        Refused: it does not wait, it is one's own (withdraw it instead), or no reason is given.
    """
    _waits(remedy)
    if by.id == remedy.given_by:
        raise Refused("it is your own: withdraw it instead", resource=remedy.public_id)
    said = words(why, "say why, so that the colleague can tell the customer something")
    return replace(remedy, state="declined", decided_by=by.id, decided_at=now, why=said)


def withdraw(remedy: Remedy, by: Colleague) -> Remedy:
    """Take a remedy away before the customer has it.

    Raises:
        Refused: it is not proposed or promised, or it is another's and one may not decide.
    """
    if remedy.state not in {"proposed", "promised"}:
        raise Refused(f"it is {remedy.state}, so there is nothing to withdraw", resource=remedy.public_id)
    if by.id != remedy.given_by and not by.may(DECIDES):
        raise Refused("another colleague gave it: ask them, or a lead", resource=remedy.public_id)
    return replace(remedy, state="withdrawn")


def finish(remedy: Remedy, outcome: str, now: datetime) -> Remedy:
    """Say that the customer has it and what came of it; said again, the later words stand.

    Raises:
        Refused: nobody promised it, the words are too many, or they change nothing.
    """
    if not remedy.stands:
        raise Refused(f"it is {remedy.state}: only what was promised can be done", resource=remedy.public_id)
    said = words(outcome, "")
    if remedy.state == "done" and said == remedy.outcome:
        raise Refused("that is known already", resource=remedy.public_id)
    return replace(remedy, state="done", outcome=said, done_at=remedy.done_at or now)


def kept(remedy: Remedy) -> dict[str, object]:
    """The changeable parts of a remedy as JSON values, by which an act is taken back."""
    found = {name: getattr(remedy, name) for name in _CHANGING}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}


def restored(remedy: Remedy, was: Mapping[str, object]) -> Remedy:
    """The remedy with those parts as they were."""
    parts: dict[str, Any] = {name: was[name] for name in _CHANGING}
    for name, value in parts.items():
        if name.endswith("_at") and value is not None:
            parts[name] = datetime.fromisoformat(value)
    return replace(remedy, **parts)


def words(text: str, missing: str) -> str:
    """What somebody wrote, fit to be kept.

    Args:
        text: as it was typed.
        missing: what to say when there is nothing; empty: nothing is fine.

    Raises:
        Refused: there is nothing though there must be, or it is too long.
    """
    kept = clean(text)
    if len(kept) > LONGEST_WORDS:
        raise Refused(f"at most {LONGEST_WORDS} characters; these are {len(kept):,}")
    if missing and not any(sign.isprintable() and not sign.isspace() for sign in kept):
        raise Refused(missing)
    return kept


def _waits(remedy: Remedy) -> None:
    if remedy.state != "proposed":
        raise Refused(f"it does not wait for a decision: it is {remedy.state}", resource=remedy.public_id)
