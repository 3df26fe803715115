"""Campaigns as JSON: the same acts as on the pages, for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from listener.casework.campaigns import Carried, oversees
from listener.core.campaign import Campaign, Draft, State, Unfit
from listener.core.event import Actor
from listener.web.auth import MayCampaign, MayNote, MayRead
from listener.web.desk import Desk

BASE = "/api/v1/campaigns"


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefJson:
    """What marketing writes; times without a zone are UTC."""

    name: str
    brand: str
    starts_at: datetime
    ends_at: datetime
    terms: list[str] = field(default_factory=list)
    promises: str = ""
    known_issues: str = ""
    wording: str = ""

    def draft(self) -> Draft:
        """As it is checked."""
        return Draft(
            name=self.name, brand=self.brand, starts_at=self.starts_at.isoformat(), ends_at=self.ends_at.isoformat(),
            terms="\n".join(self.terms), promises=self.promises, known_issues=self.known_issues, wording=self.wording,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeJson:
    """A new version of a brief; `version` is the one that it was made from."""

    version: int
    brief: BriefJson


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingJson:
    """The version that was read."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsJson:
    """What a preview is made of."""

    brand: str
    terms: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignJson:
    """A campaign. `read_at` is when the one who asks read this version; `unread` names the colleagues on duty who have
    not, for those who oversee it, and is null for others."""

    id: str
    state: State
    brief: BriefJson
    version: int
    owner: str
    created_at: datetime
    changed_at: datetime
    announced_at: datetime | None
    withdrawn_at: datetime | None
    read_at: datetime | None
    unread: list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignsJson:
    """Campaigns, those that end last first."""

    campaigns: list[CampaignJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewJson:
    """How many mentions of the brand in the last 30 days would carry the brief; `full`: there were more to look at."""

    looked_at: int
    carried: int
    full: bool


def add_campaigns_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/campaigns` and what is below it."""

    @web.exception_handler(Unfit)
    def unfit(_request: Request, problem: Unfit) -> JSONResponse:
        return JSONResponse({"error": "The brief cannot be kept as it is", "problems": problem.problems}, 422)

    @web.get(BASE)
    def list_campaigns(by: MayRead, state: State | None = None) -> CampaignsJson:
        found = [each for each in desk.campaigns.page(by) if state in {None, each.state}]
        return CampaignsJson(campaigns=_campaigns(desk, found, by))

    @web.post(BASE, status_code=201)
    def register(brief: BriefJson, by: MayCampaign) -> CampaignJson:
        return _one(desk, desk.campaigns.register(brief.draft(), by).public_id, by)

    @web.post(f"{BASE}/preview")
    def preview(terms: TermsJson, by: MayCampaign) -> PreviewJson:
        found = desk.campaigns.preview(Draft(brand=terms.brand, terms="\n".join(terms.terms)))
        return PreviewJson(looked_at=found.looked_at, carried=found.carried, full=found.full)

    @web.get(BASE + "/{public_id}")
    def show_campaign(public_id: str, by: MayRead) -> CampaignJson:
        return _one(desk, public_id, by)

    @web.put(BASE + "/{public_id}")
    def change(public_id: str, changed: ChangeJson, by: MayCampaign) -> CampaignJson:
        _one(desk, public_id, by)
        desk.campaigns.change(public_id, changed.brief.draft(), by, changed.version)
        return _one(desk, public_id, by)

    _add_acts(web, desk)


def _add_acts(web: FastAPI, desk: Desk) -> None:
    @web.post(BASE + "/{public_id}/withdraw")
    def withdraw(public_id: str, by: MayCampaign) -> CampaignJson:
        _one(desk, public_id, by)
        desk.campaigns.withdraw(public_id, by)
        return _one(desk, public_id, by)

    @web.post(BASE + "/{public_id}/restore")
    def restore(public_id: str, by: MayCampaign) -> CampaignJson:
        _one(desk, public_id, by)
        desk.campaigns.restore(public_id, by)
        return _one(desk, public_id, by)

    @web.post(BASE + "/{public_id}/read")
    def read(public_id: str, reading: ReadingJson, by: MayNote) -> CampaignJson:
        _one(desk, public_id, by)
        desk.campaigns.read(public_id, by, reading.version)
        return _one(desk, public_id, by)


def _one(desk: Desk, public_id: str, by: Actor) -> CampaignJson:
    found = desk.campaigns.find(public_id, by)
    if found is None:
        raise HTTPException(404)
    return _campaigns(desk, [found], by)[0]


def _campaigns(desk: Desk, found: list[Carried], by: Actor) -> list[CampaignJson]:
    unread = {each.campaign.id: [who.name for who in each.colleagues] for each in desk.campaigns.unread(by)}
    return [_campaign(each, unread.get(each.campaign.id, []) if oversees(by, each.campaign) else None)
            for each in found]  # fmt: skip


def _campaign(found: Carried, unread: list[str] | None) -> CampaignJson:
    one = found.campaign
    return CampaignJson(
        id=one.public_id,
        state=found.state,
        brief=_brief(one),
        version=one.version,
        owner=found.owner,
        created_at=one.created_at,
        changed_at=one.changed_at,
        announced_at=one.announced_at,
        withdrawn_at=one.withdrawn_at,
        read_at=found.read_at,
        unread=unread,
    )


def _brief(campaign: Campaign) -> BriefJson:
    brief = campaign.brief
    return BriefJson(
        name=brief.name, brand=brief.brand, starts_at=brief.starts_at, ends_at=brief.ends_at, terms=list(brief.terms),
        promises=brief.promises, known_issues=brief.known_issues, wording=brief.wording,
    )  # fmt: skip
