"""What marketing runs: the list, a campaign with its brief, the form to write it, and who has not read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from listener.casework.campaigns import Carried, Preview, oversees
from listener.core.campaign import FIELDS, Campaign, Draft, Outdated, State, Unfit
from listener.core.event import Actor
from listener.web.auth import MayCampaign, MayNote, MayRead
from listener.web.pages import Pages

Act = Literal["save", "preview"]

GROUPS: tuple[tuple[State, str], ...] = (
    ("running", "Running now"), ("announced", "To come"), ("over", "Over"), ("withdrawn", "Withdrawn"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field in which what was typed differs from what somebody else saved."""

    field: str
    saved: str
    typed: str


def typed(
    name: Annotated[str, Form()] = "", brand: Annotated[str, Form()] = "", starts_at: Annotated[str, Form()] = "",
    ends_at: Annotated[str, Form()] = "", terms: Annotated[str, Form()] = "", promises: Annotated[str, Form()] = "",
    known_issues: Annotated[str, Form()] = "", wording: Annotated[str, Form()] = "",
) -> Draft:  # fmt: skip
    """The form as it was sent."""
    return Draft(
        name=name, brand=brand, starts_at=starts_at, ends_at=ends_at, terms=terms, promises=promises,
        known_issues=known_issues, wording=wording,
    )  # fmt: skip


Typed = Annotated[Draft, Depends(typed)]


def differences(present: Campaign, draft: Draft) -> tuple[Difference, ...]:
    """Where a form differs from the brief as it is now, field by field."""
    saved = Draft.of(present.brief)
    pairs = ((field, getattr(saved, field), getattr(draft, field).replace("\r\n", "\n")) for field in FIELDS)
    return tuple(Difference(field=FIELDS[name], saved=one, typed=two) for name, one, two in pairs if one != two)


def back_to(public_id: str, case: str) -> RedirectResponse:
    """Back to where the form stood: a case or the campaign."""
    known = case.replace("-", "").replace("_", "")
    whole = known.isascii() and known.isalnum()
    return RedirectResponse(f"/cases/{case}" if whole else f"/campaigns/{public_id}", 303)


def grouped(found: Sequence[Carried]) -> tuple[tuple[State, str, tuple[Carried, ...]], ...]:
    """Campaigns by where they stand: what comes next first, what is past by its end."""
    # They come with the last end first.
    soonest = sorted(found, key=lambda each: each.campaign.brief.starts_at)
    return tuple(
        (state, title, tuple(each for each in (soonest if state == "announced" else found) if each.state == state))
        for state, title in GROUPS
    )


class _Forms:
    """The form in its states: empty, with entries and what is wrong with them, with a preview, with differences."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def show(
        self, by: Actor, draft: Draft, *, campaign: Campaign | None = None, problems: dict[str, str] | None = None,
        preview: Preview | None = None, outdated: Outdated | None = None, seen: int = 0, status: int = 200,
    ) -> HTMLResponse:  # fmt: skip
        brands = self._pages.desk.campaigns.brands
        if campaign and campaign.brief.brand not in brands:
            brands = (*brands, campaign.brief.brand)
        page = self._pages.show(
            "campaign-form.html", by=by, draft=draft, campaign=campaign, problems=problems or {}, preview=preview,
            fields=FIELDS, brands=brands, seen=seen,
            differences=differences(outdated.present, draft) if outdated else (),
        )  # fmt: skip
        page.status_code = status
        return page

    def preview(self, by: Actor, draft: Draft, campaign: Campaign | None = None, seen: int = 0) -> HTMLResponse:
        try:
            found = self._pages.desk.campaigns.preview(draft)
        except Unfit as unfit:
            return self.show(by, draft, campaign=campaign, problems=unfit.problems, seen=seen, status=422)
        return self.show(by, draft, campaign=campaign, preview=found, seen=seen)


def add_campaigns(web: FastAPI, pages: Pages) -> None:
    """Serve `/campaigns` and what is below it."""
    _add_reading(web, pages)
    _add_writing(web, pages, _Forms(pages))
    _add_ending(web, pages)


def _found(pages: Pages, public_id: str, by: Actor) -> Carried:
    found = pages.desk.campaigns.find(public_id, by)
    if found is None:
        raise HTTPException(404)
    return found


def _add_reading(web: FastAPI, pages: Pages) -> None:
    desk = pages.desk

    @web.get("/campaigns", include_in_schema=False)
    def campaigns(by: MayRead) -> HTMLResponse:
        found = desk.campaigns.page(by)
        return pages.show(
            "campaigns.html", by=by, groups=grouped(found), any=bool(found), unread=desk.campaigns.unread(by)
        )

    # Before the next one, which would take "new" for an id.
    @web.get("/campaigns/new", include_in_schema=False)
    def new_campaign(by: MayCampaign) -> HTMLResponse:
        brands = desk.campaigns.brands
        return _Forms(pages).show(by, Draft(brand=brands[0] if len(brands) == 1 else ""))

    @web.get("/campaigns/{public_id}", include_in_schema=False)
    def campaign(public_id: str, by: MayRead) -> HTMLResponse:
        found = _found(pages, public_id, by)
        writes = by.colleague is not None and by.colleague.may("campaign")
        one = found.campaign
        return pages.show(
            "campaign.html",
            by=by,
            found=found,
            readers=desk.campaigns.readers(one),
            unread=next((each for each in desk.campaigns.unread(by) if each.campaign.id == one.id), None),
            oversees=oversees(by, one),
            writes=writes,
            preview=_preview(pages, one) if writes and found.state in {"announced", "running"} else None,
            events=desk.campaigns.history(one),
        )

    @web.post("/campaigns/{public_id}/read", include_in_schema=False)
    def read_brief(
        public_id: str, by: MayNote, version: Annotated[int, Form()], case: Annotated[str, Form()] = ""
    ) -> RedirectResponse:
        _found(pages, public_id, by)
        desk.campaigns.read(public_id, by, version)
        return back_to(public_id, case)


def _preview(pages: Pages, campaign: Campaign) -> Preview | None:
    try:
        return pages.desk.campaigns.preview(Draft.of(campaign.brief))
    except Unfit:
        return None  # The configuration no longer has its brand.


def _add_writing(web: FastAPI, pages: Pages, forms: _Forms) -> None:
    desk = pages.desk

    @web.post("/campaigns/new", include_in_schema=False, response_model=None)
    def register_campaign(
        by: MayCampaign, draft: Typed, act: Annotated[Act, Form()] = "save"
    ) -> HTMLResponse | RedirectResponse:
        if act == "preview":
            return forms.preview(by, draft)
        try:
            made = desk.campaigns.register(draft, by)
        except Unfit as unfit:
            return forms.show(by, draft, problems=unfit.problems, status=422)
        return RedirectResponse(f"/campaigns/{made.public_id}", 303)

    @web.get("/campaigns/{public_id}/edit", include_in_schema=False)
    def edit_campaign(public_id: str, by: MayCampaign) -> HTMLResponse:
        campaign = _found(pages, public_id, by).campaign
        return forms.show(by, Draft.of(campaign.brief), campaign=campaign, seen=campaign.version)

    @web.post("/campaigns/{public_id}/edit", include_in_schema=False, response_model=None)
    def change_campaign(
        public_id: str, by: MayCampaign, draft: Typed, version: Annotated[int, Form()],
        act: Annotated[Act, Form()] = "save",
    ) -> HTMLResponse | RedirectResponse:  # fmt: skip
        campaign = _found(pages, public_id, by).campaign
        if act == "preview":
            return forms.preview(by, draft, campaign, version)
        try:
            desk.campaigns.change(public_id, draft, by, version)
        except Unfit as unfit:
            return forms.show(by, draft, campaign=campaign, problems=unfit.problems, seen=version, status=422)
        except Outdated as outdated:
            # Saving again after the comparison is meant.
            now = outdated.present
            return forms.show(by, draft, campaign=now, outdated=outdated, seen=now.version, status=409)
        return RedirectResponse(f"/campaigns/{public_id}", 303)


def _add_ending(web: FastAPI, pages: Pages) -> None:
    desk = pages.desk

    @web.post("/campaigns/{public_id}/withdraw", include_in_schema=False)
    def withdraw_campaign(public_id: str, by: MayCampaign) -> RedirectResponse:
        _found(pages, public_id, by)
        desk.campaigns.withdraw(public_id, by)
        return RedirectResponse(f"/campaigns/{public_id}", 303)

    @web.post("/campaigns/{public_id}/restore", include_in_schema=False)
    def restore_campaign(public_id: str, by: MayCampaign) -> RedirectResponse:
        _found(pages, public_id, by)
        desk.campaigns.restore(public_id, by)
        return RedirectResponse(f"/campaigns/{public_id}", 303)
