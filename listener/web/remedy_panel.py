"""What a case shows of remedies: what was given, what waits, and how much the reader may give without asking."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from listener.core.case import Case
from listener.core.event import Actor
from listener.core.remedy import Remedy, left, total_with
from listener.core.remedy_terms import DECIDES, Allowances, Kind
from listener.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The form as it stands; nothing of it is checked."""

    kind: str = ""
    amount: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One remedy as a page shows it.

    Args:
        remedy: the remedy.
        who: name of who gave or proposed it.
        decider: name of who approved or declined it; empty for nobody.
        may_decide: whether the reader may approve it; every decider may decline it.
        may_decline: whether the reader may decline it.
        may_withdraw: whether the reader may take it away.
        may_finish: whether the reader may say that the customer has it, and what came of it.
        deciders: who could approve it, in words; empty unless it waits and the reader may not.
    """

    remedy: Remedy
    who: str
    decider: str = ""
    may_decide: bool = False
    may_decline: bool = False
    may_withdraw: bool = False
    may_finish: bool = False
    deciders: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyPanel:
    """What a case shows of remedies.

    Args:
        remedies: oldest first.
        given: what stands, in cents.
        currency: of every amount.
        kinds: those that may be given.
        may_give: whether the reader may give or propose anything here.
        limited: whether the reader's role has an allowance.
        allowance: how much it is on a case of this severity, in cents.
        left: what is left of it on this case, in cents.
        key: names the form, so that sending it twice gives once.
        typed: what stands in the form.
    """

    remedies: tuple[Shown, ...]
    given: int
    currency: str
    kinds: tuple[Kind, ...]
    may_give: bool
    limited: bool
    allowance: int
    left: int
    key: str
    typed: Typed


def remedy_panel(desk: Desk, case: Case, by: Actor, typed: Typed | None = None) -> RemedyPanel:
    """The remedies of a case, for its page.

    Raises:
        StoreError: the database cannot be read.
    """
    me, remedies = by.colleague, desk.remedies.of_case(case)
    terms, names = desk.remedies.allowances(), desk.remedies.names() if remedies else {}
    allowance = terms.of(me.role, case.severity) if me else 0
    return RemedyPanel(
        remedies=tuple(_shown(each, remedies, case, by, terms, names) for each in remedies),
        given=sum(each.cents for each in remedies if each.stands),
        currency=terms.currency,
        kinds=desk.remedies.kinds(),
        may_give=me is not None and me.may("work") and case.outcome != "not us",
        limited=allowance is not None,
        allowance=allowance or 0,
        left=left(remedies, allowance) or 0,
        key=secrets.token_urlsafe(9),
        typed=typed or Typed(),
    )


def _shown(
    remedy: Remedy, given: tuple[Remedy, ...], case: Case, by: Actor, terms: Allowances, names: dict[int, str]
) -> Shown:
    me = by.colleague
    who, decider = names.get(remedy.given_by, ""), names.get(remedy.decided_by or 0, "")
    if me is None:
        return Shown(remedy=remedy, who=who, decider=decider)
    own, waits = me.id == remedy.given_by, remedy.state == "proposed"
    total, allowance = total_with(remedy, given), terms.of(me.role, case.severity)
    decides = waits and not own and me.may(DECIDES)
    covers = decides and (allowance is None or total <= allowance)
    return Shown(
        remedy=remedy,
        who=who,
        decider=decider,
        may_decide=covers,
        may_decline=decides,
        # What another proposed is declined, with a reason, rather than withdrawn.
        may_withdraw=me.may("work") and ((waits and own) or (remedy.state == "promised" and (own or me.may(DECIDES)))),
        may_finish=remedy.stands and me.may("work"),
        deciders=terms.deciders(total, case.severity) if waits and not covers else "",
    )
