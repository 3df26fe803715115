"""The JSON twins of accounts: who one is, who the colleagues are, and for admins inviting, roles, closing, the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, get_args

from fastapi import FastAPI, Query, Request

from listener.casework.accounts import Standing
from listener.core.colleague import Colleague, Right, Role
from listener.core.event import Event, Via
from listener.web.auth import MayManage, MayRead
from listener.web.colleagues import FURTHEST, welcome_url
from listener.web.desk import Desk
from listener.web.pages import address

ROWS = 100
RIGHT_ORDER: tuple[Right, ...] = get_args(Right)
TAGS: list[str | Enum] = ["colleagues"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfJson:
    """Who asks, and what they may: the role's rights, or those of the token."""

    handle: str
    name: str
    role: Role
    rights: list[Right]
    on_duty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ColleagueJson:
    """A colleague; `joined` says whether they chose a password, `left_at` when the account was closed."""

    handle: str
    name: str
    role: Role
    on_duty: bool
    joined: bool
    left_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColleaguesJson:
    """Every account, open ones first, by name."""

    colleagues: list[ColleagueJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationJson:
    """Somebody to invite: the handle they sign in under, their name, and a role."""

    handle: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleJson:
    """The role that somebody is to have."""

    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkJson:
    """A one-time link to pass on; it is shown this once."""

    handle: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventJson:
    """One thing that was done; `case` is the public id of the case it is about."""

    id: int
    at: datetime
    who: str
    via: Via
    act: str
    case: str | None
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditJson:
    """A page of the log, newest first; `next` is the address of the next page, null on the last one."""

    events: list[EventJson]
    next: str | None


def colleague_json(colleague: Colleague, joined: bool) -> ColleagueJson:
    """A colleague for programs."""
    return ColleagueJson(
        handle=colleague.handle, name=colleague.name, role=colleague.role, on_duty=colleague.on_duty, joined=joined,
        left_at=colleague.left_at,
    )  # fmt: skip


def _listed(standing: Standing) -> ColleagueJson:
    return colleague_json(standing.colleague, standing.joined)


def _event_json(event: Event, case: str) -> EventJson:
    return EventJson(
        id=event.id, at=event.at, who=event.who, via=event.via, act=event.act, case=case or None,
        subject=event.subject, detail=event.detail,
    )  # fmt: skip


def add_account_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/self`, `/api/v1/colleagues` and `/api/v1/audit`."""

    @web.get("/api/v1/self", tags=TAGS)
    def show_self(by: MayRead) -> SelfJson:
        """Who one is, and what one may."""
        me = by.colleague
        assert me is not None
        rights = [right for right in RIGHT_ORDER if me.may(right)]
        return SelfJson(handle=me.handle, name=me.name, role=me.role, rights=rights, on_duty=me.on_duty)

    @web.get("/api/v1/colleagues", tags=TAGS)
    def list_colleagues(by: MayRead) -> ColleaguesJson:
        """Everybody who has an account."""
        return ColleaguesJson(colleagues=[_listed(standing) for standing in desk.accounts.all()])

    _add_management(web, desk)
    _add_audit(web, desk)


def _add_management(web: FastAPI, desk: Desk) -> None:
    accounts = desk.accounts

    def link(request: Request, made: tuple[Colleague, str]) -> LinkJson:
        return LinkJson(handle=made[0].handle, url=welcome_url(request, desk.settings, made[1]))

    @web.post("/api/v1/colleagues", tags=TAGS, status_code=201)
    def invite_colleague(by: MayManage, request: Request, invited: InvitationJson) -> LinkJson:
        """Make an account, and the link by which its owner chooses a password."""
        return link(request, accounts.invite(by, invited.handle, invited.name, invited.role))

    @web.post("/api/v1/colleagues/{handle}/link", tags=TAGS)
    def make_link(by: MayManage, request: Request, handle: str) -> LinkJson:
        """Make a link to choose a new password."""
        return link(request, accounts.reset(by, handle))

    @web.post("/api/v1/colleagues/{handle}/role", tags=TAGS)
    def set_role(by: MayManage, handle: str, wanted: RoleJson) -> ColleagueJson:
        """Give somebody another role."""
        return colleague_json(accounts.change_role(by, handle, wanted.role), joined=True)

    @web.post("/api/v1/colleagues/{handle}/close", tags=TAGS)
    def close_account(by: MayManage, handle: str) -> ColleagueJson:
        """Close an account: its sessions, links and tokens end."""
        return colleague_json(accounts.close(by, handle), joined=False)

    @web.post("/api/v1/colleagues/{handle}/reopen", tags=TAGS)
    def reopen_account(by: MayManage, request: Request, handle: str) -> LinkJson:
        """Open a closed account again."""
        return link(request, accounts.reopen(by, handle))


def _add_audit(web: FastAPI, desk: Desk) -> None:
    @web.get("/api/v1/audit", tags=TAGS)
    def show_audit(
        by: MayManage, who: str = "", act: str = "", before: Annotated[int | None, Query(ge=0, le=FURTHEST)] = None
    ) -> AuditJson:  # fmt: skip
        """What people, programs and commands did, newest first."""
        found = desk.store.events.page(who=who, act=act, before=before, limit=ROWS + 1)
        older = found[ROWS - 1][0].id if len(found) > ROWS else None
        following = address("/api/v1/audit", who=who, act=act, before=older) if older else None
        return AuditJson(events=[_event_json(event, case) for event, case in found[:ROWS]], next=following)
