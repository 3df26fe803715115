"""Remedies as JSON: the same acts and figures as on the pages, for programs. Amounts are whole cents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from listener.casework import Given, Wished
from listener.casework.remedy_terms import Change
from listener.core.colleague import Role
from listener.core.remedy import Remedy, RemedyState
from listener.core.remedy_figures import Figures, Month, Total
from listener.core.remedy_terms import Kind, rows_of
from listener.core.route import Severity
from listener.web.auth import MayApprove, MayManage, MayRead, MayWork
from listener.web.desk import Desk
from listener.web.remedies import ROWS, KindPath, month_of

BASE = "/api/v1/remedies"


@dataclass(frozen=True, slots=True, kw_only=True)
class WishJson:
    """What a customer is to be given. `id` is yours: the same sent twice is given once. `kind` is the name of a kind;
    `cents` null takes its usual cost."""

    id: str
    kind: str
    what: str
    cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyJson:
    """A remedy. `given_by` and `decided_by` are handles; figures count by `counted_at`, when it was promised."""

    id: str
    case: str
    kind: str
    cents: int
    what: str
    state: RemedyState
    given_by: str
    role: Role
    severity: Severity
    at: datetime
    counted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    why: str
    outcome: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenJson:
    """A remedy after an act on it, and the event by which the act can be taken back: `/api/v1/undo/{event}`."""

    remedy: RemedyJson
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRemediesJson:
    """What a case was given, oldest first, and how much the one who asks may give; null is without limit."""

    currency: str
    remedies: list[RemedyJson]
    allowance: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthJson:
    """A month: what stands by kind and role, everything by state, the newest first (`page`), and what waits now."""

    month: str
    currency: str
    given: Total
    kinds: list[Total]
    roles: list[Total]
    states: list[Total]
    remedies: list[RemedyJson]
    waiting: list[RemedyJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyJson:
    """A word to a decision; declining takes one."""

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeJson:
    """What came of it."""

    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceJson:
    """How much a role gives on one case of a severity without asking."""

    role: Role
    severity: Severity
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsJson:
    """The house's terms. Admins have no limit."""

    currency: str
    kinds: list[Kind]
    allowances: list[AllowanceJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKindJson:
    """A kind of remedy to be added; `usual` null: it has no usual cost."""

    name: str
    usual: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindJson:
    """A kind of remedy as it shall be."""

    name: str
    usual: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyJson:
    """Three letters, as in EUR."""

    currency: str


def add_remedies_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/remedies` and `/api/v1/cases/{id}/remedies`."""
    _add_case(web, desk)
    _add_terms(web, desk)
    _add_acts(web, desk)


def _remedy(desk: Desk, remedy: Remedy, handles: Mapping[int, str], case: str = "") -> RemedyJson:
    return RemedyJson(
        id=remedy.public_id,
        case=case or desk.remedies.case_of(remedy).public_id,
        kind=remedy.kind,
        cents=remedy.cents,
        what=remedy.what,
        state=remedy.state,
        given_by=handles.get(remedy.given_by, ""),
        role=remedy.role,
        severity=remedy.severity,
        at=remedy.at,
        counted_at=remedy.counted_at,
        decided_by=handles.get(remedy.decided_by or 0),
        decided_at=remedy.decided_at,
        why=remedy.why,
        outcome=remedy.outcome,
        done_at=remedy.done_at,
    )


def _handles(desk: Desk) -> dict[int, str]:
    return {each.id: each.handle for each in desk.store.colleagues.all()}


def _given(desk: Desk, given: Given) -> GivenJson:
    return GivenJson(remedy=_remedy(desk, given.remedy, _handles(desk), given.case.public_id), event=given.event)


def _add_case(web: FastAPI, desk: Desk) -> None:
    path = "/api/v1/cases/{public_id}/remedies"

    @web.get(path)
    def show_case_remedies(by: MayRead, public_id: str) -> CaseRemediesJson:
        case = desk.store.cases.find(public_id)
        if case is None:
            raise HTTPException(404)
        terms, handles, me = desk.remedies.allowances(), _handles(desk), by.colleague
        return CaseRemediesJson(
            currency=terms.currency,
            remedies=[_remedy(desk, each, handles) for each in desk.remedies.of_case(case)],
            allowance=terms.of(me.role, case.severity) if me else 0,
        )

    @web.post(path, status_code=201, responses={200: {"model": GivenJson, "description": "Given already"}})
    def give_remedy(by: MayWork, public_id: str, body: WishJson, response: Response) -> GivenJson:
        if desk.store.cases.find(public_id) is None:
            raise HTTPException(404)
        wished = Wished(key=body.id, kind=body.kind, cents=body.cents, what=body.what)
        given = desk.remedies.give(public_id, wished, by)
        response.status_code = 201 if given.fresh else 200
        return _given(desk, given)


def _add_acts(web: FastAPI, desk: Desk) -> None:
    def did(public_id: str, act: Callable[[], Given]) -> GivenJson:
        if desk.remedies.find(public_id) is None:
            raise HTTPException(404)
        return _given(desk, act())

    @web.get(BASE)
    def list_remedies(by: MayRead, month: str = "", page: int = 1) -> MonthJson:
        chosen = month_of(month) or Month.of(desk.clock())
        handles, found = _handles(desk), desk.remedies.figures(chosen)
        entries = desk.remedies.page(chosen, ROWS, (max(1, min(page, 10_000)) - 1) * ROWS)
        return _month(
            desk, chosen, found,
            [_remedy(desk, each.remedy, handles) for each in entries],
            [_remedy(desk, each.entry.remedy, handles, each.entry.case) for each in desk.remedies.waiting(by)],
        )  # fmt: skip

    @web.post(BASE + "/{public_id}/approve")
    def approve_remedy(by: MayApprove, public_id: str, body: WhyJson) -> GivenJson:
        return did(public_id, lambda: desk.remedies.approve(public_id, by, body.why))

    @web.post(BASE + "/{public_id}/decline")
    def decline_remedy(by: MayApprove, public_id: str, body: WhyJson) -> GivenJson:
        return did(public_id, lambda: desk.remedies.decline(public_id, by, body.why))

    @web.post(BASE + "/{public_id}/withdraw")
    def withdraw_remedy(by: MayWork, public_id: str) -> GivenJson:
        return did(public_id, lambda: desk.remedies.withdraw(public_id, by))

    @web.post(BASE + "/{public_id}/finish")
    def finish_remedy(by: MayWork, public_id: str, body: OutcomeJson) -> GivenJson:
        return did(public_id, lambda: desk.remedies.finish(public_id, by, body.outcome))


def _month(
    desk: Desk, month: Month, found: Figures, remedies: list[RemedyJson], waiting: list[RemedyJson]
) -> MonthJson:
    return MonthJson(
        month=str(month),
        currency=desk.remedies.allowances().currency,
        given=found.given,
        kinds=list(found.kinds),
        roles=list(found.roles),
        states=list(found.states),
        remedies=remedies,
        waiting=waiting,
    )


def _add_terms(web: FastAPI, desk: Desk) -> None:
    terms = desk.remedies.terms

    def shown() -> TermsJson:
        found = terms.allowances()
        cells = [(role, severity, cents) for role, row in rows_of(found) for severity, cents in row]
        return TermsJson(
            currency=found.currency,
            kinds=list(terms.kinds()),
            allowances=[AllowanceJson(role=role, severity=severity, cents=cents) for role, severity, cents in cells],
        )

    @web.get(BASE + "/terms")
    def show_terms(by: MayRead) -> TermsJson:
        return shown()

    @web.put(BASE + "/terms/allowances")
    def set_allowances(by: MayManage, body: list[AllowanceJson]) -> TermsJson:
        terms.allow(tuple(Change(role=each.role, severity=each.severity, cents=each.cents) for each in body), by)
        return shown()

    @web.put(BASE + "/terms/currency")
    def set_currency(by: MayManage, body: CurrencyJson) -> TermsJson:
        terms.set_currency(body.currency, by)
        return shown()

    @web.post(BASE + "/terms/kinds", status_code=201)
    def add_kind(by: MayManage, body: NewKindJson) -> Kind:
        return terms.add_kind(body.name, body.usual, by)

    @web.put(BASE + "/terms/kinds/{kind_id}")
    def change_kind(by: MayManage, kind_id: KindPath, body: KindJson) -> Kind:
        return terms.change_kind(kind_id, by, name=body.name, usual=body.usual, active=body.active)
