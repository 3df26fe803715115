"""Customers for programs: the panel of a case, one customer, the search, and every act. Ids are the opaque ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Path
from starlette.exceptions import HTTPException

from listener.casework import Panel, Settled
from listener.core.case import Case
from listener.core.customer import Customer, Profile, Suggestion, Voice
from listener.core.errors import Refused
from listener.core.mention import line
from listener.web.auth import MayLink, MayNote, MayRead
from listener.web.desk import Desk

BASE = "/api/v1/customers"
ROWS = 100
EventPath = Annotated[int, Path(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceJson:
    """An author: a handle on a network."""

    source: str
    handle: str
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedJson:
    """An author with what their newest post says of them; `linked_at` is null where nobody linked them."""

    voice: VoiceJson
    name: str
    url: str | None
    followers: int | None
    linked_at: datetime | None
    linked_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionJson:
    """Another author who may be the same person, and why; only a colleague links them."""

    voice: VoiceJson
    name: str
    evidence: list[str]
    cases: int
    customer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirCaseJson:
    """One of a customer's cases."""

    id: str
    brand: str
    status: str
    outcome: str | None
    headline: str
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerNoteJson:
    """A note on a customer."""

    who: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerJson:
    """A customer; `id` is null where an author stands alone, `ended_at` is set once merged or taken apart."""

    id: str | None
    name: str
    voices: list[LinkedJson]
    cases: list[TheirCaseJson]
    mentions: int
    mood: str
    notes: list[CustomerNoteJson]
    suggestions: list[SuggestionJson]
    ended_at: datetime | None
    merged_into: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRowJson:
    """A customer in a list."""

    id: str
    name: str
    voices: list[VoiceJson]
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersJson:
    """Customers found, and authors whose handle or name begins with the words."""

    customers: list[CustomerRowJson]
    authors: list[SuggestionJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledJson:
    """What an act came to, and the event by which it can be taken back."""

    customer: CustomerRowJson
    event: EventPath


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkJson:
    """Two authors who are the same person."""

    one: VoiceJson
    other: VoiceJson


@dataclass(frozen=True, slots=True, kw_only=True)
class IntoJson:
    """Into which customer."""

    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameJson:
    """What to call them."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWordsJson:
    """The text of a note."""

    text: str


def add_customers_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/customers`, and the customer of a case."""
    _add_reading(web, desk)
    _add_acts(web, desk)


def _add_reading(web: FastAPI, desk: Desk) -> None:
    @web.get(BASE)
    def list_customers(by: MayRead, q: str = "", page: int = 1) -> CustomersJson:
        page = max(1, min(page, 10_000))
        return CustomersJson(
            customers=[_row(each) for each in desk.customers.page(q, ROWS, (page - 1) * ROWS)],
            authors=[_suggestion(each) for each in desk.customers.authors(q)],
        )

    @web.get(BASE + "/{public_id}")
    def show_customer(by: MayRead, public_id: str) -> CustomerJson:
        panel = desk.customers.find(public_id)
        if panel is None:
            raise HTTPException(404)
        return _whole(panel)

    @web.get("/api/v1/cases/{public_id}/customer")
    def show_customer_of_case(by: MayRead, public_id: str) -> CustomerJson:
        case = desk.store.cases.find(public_id)
        if case is None:
            raise HTTPException(404)
        return _whole(desk.customers.of_case(case))


def _add_acts(web: FastAPI, desk: Desk) -> None:
    acts = desk.customers

    @web.post(BASE + "/link")
    def link_authors(by: MayLink, body: LinkJson) -> SettledJson:
        return _settled(acts.link(_voice_of(body.one), _voice_of(body.other), by))

    @web.post(BASE + "/{public_id}/unlink")
    def unlink_author(by: MayLink, public_id: str, body: VoiceJson) -> SettledJson:
        return _settled(acts.unlink(public_id, _voice_of(body), by))

    @web.post(BASE + "/{public_id}/merge")
    def merge_customers(by: MayLink, public_id: str, body: IntoJson) -> SettledJson:
        return _settled(acts.merge(public_id, body.into, by))

    @web.post(BASE + "/{public_id}/rename")
    def rename_customer(by: MayLink, public_id: str, body: NameJson) -> SettledJson:
        return _settled(acts.rename(public_id, body.name, by))

    @web.post(BASE + "/{public_id}/note")
    def note_customer(by: MayNote, public_id: str, body: CustomerWordsJson) -> SettledJson:
        return _settled(acts.note(public_id, body.text, by))

    @web.post(BASE + "/undo/{event}")
    def undo_customer(by: MayNote, event: EventPath) -> SettledJson:
        return _settled(acts.undo(event, by))


def _voice_of(body: VoiceJson) -> Voice:
    source, realm, handle = line(body.source), line(body.realm, 1000), line(body.handle)
    if not source or not handle:
        raise Refused("an author has a source and a handle")
    return Voice(source=source, realm=realm, handle=handle)


def _voice(voice: Voice) -> VoiceJson:
    return VoiceJson(source=voice.source, realm=voice.realm, handle=voice.handle)


def _row(customer: Customer) -> CustomerRowJson:
    return CustomerRowJson(
        id=customer.public_id,
        name=customer.name,
        voices=[_voice(voice) for voice in customer.voices],
        changed_at=customer.changed_at,
    )


def _settled(settled: Settled) -> SettledJson:
    return SettledJson(customer=_row(settled.customer), event=settled.event)


def _suggestion(found: Suggestion) -> SuggestionJson:
    return SuggestionJson(
        voice=_voice(found.profile.voice),
        name=found.profile.name,
        evidence=list(found.evidence),
        cases=found.cases,
        customer=found.customer,
    )


def _linked(panel: Panel, profile: Profile) -> LinkedJson:
    link = panel.links.get(profile.voice.key)
    return LinkedJson(
        voice=_voice(profile.voice),
        name=profile.name,
        url=profile.url,
        followers=profile.followers,
        linked_at=link.at if link else None,
        linked_by=link.who if link else None,
    )


def _case(case: Case) -> TheirCaseJson:
    return TheirCaseJson(
        id=case.public_id,
        brand=case.brand,
        status=case.status,
        outcome=case.outcome,
        headline=case.headline,
        opened_at=case.opened_at,
        resolved_at=case.resolved_at,
    )


def _whole(panel: Panel) -> CustomerJson:
    customer = panel.customer
    return CustomerJson(
        id=customer.public_id if customer else None,
        name=panel.name,
        voices=[_linked(panel, profile) for profile in panel.profiles],
        cases=[_case(case) for case in panel.cases],
        mentions=len(panel.said),
        mood=panel.mood,
        notes=[CustomerNoteJson(who=note.who, at=note.at, text=note.text) for note in panel.notes],
        suggestions=[_suggestion(each) for each in panel.suggestions],
        ended_at=customer.ended_at if customer else None,
        merged_into=customer.merged_into if customer else None,
    )
