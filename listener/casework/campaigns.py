"""What colleagues do with campaigns: register, change, withdraw, read the brief; and who has not read it yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from listener.casework.permission import allowed
from listener.core.campaign import (
    FIELDS,
    Campaign,
    Draft,
    Outdated,
    State,
    applies,
    changed_fields,
)
from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.event import Actor, Event
from listener.core.mention import Mention
from listener.core.tools import Clock
from listener.store import Store

PREVIEW = timedelta(days=30)
PREVIEWED = 5000
"""So many mentions of the brand are looked at for a preview."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A campaign as somebody meets it.

    Args:
        campaign: the campaign with its brief.
        state: announced, running, over or withdrawn.
        owner: name of who registered it; empty for nobody.
        read_at: when the one who looks read this version; None when not yet.
        asked: whether the one who looks is to read it: on duty, working on cases, and it is not past.
    """

    campaign: Campaign
    state: State
    owner: str
    read_at: datetime | None
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A brief with the colleagues on duty who have not read it as it now stands."""

    campaign: Campaign
    colleagues: tuple[Colleague, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a brief would be carried by, if its campaign ran now.

    Args:
        looked_at: mentions of the brand that were looked at, the newest ones.
        carried: how many of them would carry it.
        examples: the newest of those.
        full: whether more mentions than could be looked at were heard in the last 30 days.
    """

    looked_at: int
    carried: int
    examples: tuple[Mention, ...]
    full: bool


class Campaigns:
    """Does what colleagues ask for.

    Args:
        store: the database.
        clock: says the present.
        brands: gives the brands we listen for.
    """

    def __init__(self, store: Store, clock: Clock, brands: Callable[[], Sequence[str]]) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._brands = brands

    @property
    def brands(self) -> tuple[str, ...]:
        """The brands a campaign may be for."""
        return tuple(self._brands())

    def register(self, draft: Draft, by: Actor) -> Campaign:
        """Register a campaign.

        Raises:
            Unfit: the brief is incomplete or wrong.
            Refused: the role does not allow it.
        """
        me, now = allowed(by, "campaign"), self._clock()
        brief = draft.fit(self.brands)
        with self._store.transaction():
            campaign = self._store.campaigns.add(brief, me.id, now)
            self._tell(by, "campaign registered", campaign, now, brief.name)
        return campaign

    def change(self, public_id: str, draft: Draft, by: Actor, seen: int) -> Campaign:
        """Give a campaign a new version of its brief, which is to be read again; the same words change nothing.

        Args:
            public_id: of the campaign.
            draft: the brief as it shall be.
            by: who.
            seen: the version that the colleague changed.

        Raises:
            Unfit: the brief is incomplete or wrong.
            Outdated: somebody changed it since; carries it as it is now.
            Refused: there is no such campaign, it is withdrawn, or the role does not allow it.
        """
        allowed(by, "campaign")
        now = self._clock()
        with self._store.transaction():
            campaign = self._campaign(public_id)
            brief = draft.fit((*self.brands, campaign.brief.brand))
            if campaign.withdrawn_at is not None:
                raise Refused("it was withdrawn; take that back first", resource=public_id)
            fields = changed_fields(campaign.brief, brief)
            if not fields:
                return campaign
            if campaign.version != seen:
                raise Outdated(campaign)
            changed = self._store.campaigns.change(campaign, brief, now)
            said = ", ".join(FIELDS[field].lower() for field in fields)
            self._tell(by, "campaign changed", changed, now, f"version {changed.version}: {said}")
        return changed

    def withdraw(self, public_id: str, by: Actor) -> Campaign:
        """End a campaign before its time; what was not told to the teams' channels yet never is.

        Raises:
            Refused: there is no such campaign, it is withdrawn or over, or the role does not allow it.
        """
        allowed(by, "campaign")
        now = self._clock()
        with self._store.transaction():
            campaign = self._campaign(public_id)
            state = campaign.state(now)
            if state in {"over", "withdrawn"}:
                raise Refused(f"it is {state} already", resource=public_id)
            changed = self._store.campaigns.withdraw(campaign, now)
            self._tell(by, "campaign withdrawn", changed, now, campaign.brief.name)
        return changed

    def restore(self, public_id: str, by: Actor) -> Campaign:
        """Take a withdrawal back; teams are told if they were not.

        Raises:
            Refused: there is no such campaign, it is not withdrawn, or the role does not allow it.
        """
        allowed(by, "campaign")
        now = self._clock()
        with self._store.transaction():
            campaign = self._campaign(public_id)
            if campaign.withdrawn_at is None:
                raise Refused("it is not withdrawn", resource=public_id)
            changed = self._store.campaigns.withdraw(campaign, None)
            self._store.outbox.revive(changed, now)
            self._tell(by, "campaign restored", changed, now, campaign.brief.name)
        return changed

    def read(self, public_id: str, by: Actor, version: int) -> Campaign:
        """Record that a colleague read a version of the brief; reading it twice changes nothing.

        Raises:
            Refused: there is no such campaign, the brief changed since, or the role answers no customers.
        """
        me, now = allowed(by, "note"), self._clock()
        with self._store.transaction():
            campaign = self._campaign(public_id)
            if campaign.version != version:
                raise Refused("the brief changed since you opened it: read it as it is now", resource=public_id)
            if self._store.campaigns.read(campaign, me.id, now):
                self._tell(by, "brief read", campaign, now, f"version {version}")
        return campaign

    def find(self, public_id: str, by: Actor) -> Carried | None:
        """One campaign as somebody meets it."""
        campaign = self._store.campaigns.find(public_id)
        return self._met([campaign], by)[0] if campaign else None

    def page(self, by: Actor) -> tuple[Carried, ...]:
        """Campaigns, those that end last first."""
        return self._met(self._store.campaigns.page(), by)

    def carried(self, mentions: Sequence[Mention], by: Actor) -> tuple[Carried, ...]:
        """The briefs that mentions of one brand carry, the campaign that started last first."""
        if not mentions:
            return ()
        times = [mention.post.published_at or mention.seen_at for mention in mentions]
        possible = self._store.campaigns.possible(mentions[0].brand, min(times), max(times))
        return self._met([each for each in possible if any(applies(each, mention) for mention in mentions)], by)

    def of_case(self, case_id: int, by: Actor) -> tuple[Carried, ...]:
        """The briefs that a case carries."""
        return self.carried(self._store.mentions.of_case(case_id), by)

    def readers(self, campaign: Campaign) -> tuple[tuple[str, datetime], ...]:
        """Who read the brief as it now stands, and when, in that order."""
        names = {colleague.id: colleague.name for colleague in self._store.colleagues.all()}
        found = self._store.campaigns.readers([campaign])[campaign.id]
        return tuple((names[colleague], at) for colleague, at in sorted(found.items(), key=lambda each: each[1]))

    def unread(self, by: Actor) -> tuple[Unread, ...]:
        """The briefs that colleagues on duty have not read, as far as somebody has to see to it.

        A lead or an admin sees to all, the owner of a campaign to that one; nobody else is told of others.
        """
        mine = [each for each in self._store.campaigns.asking(self._clock()) if oversees(by, each)]
        if not mine:
            return ()
        read = self._store.campaigns.readers(mine)
        asked = [colleague for colleague in self._store.colleagues.all() if is_asked(colleague)]
        found = (
            Unread(campaign=each, colleagues=tuple(who for who in asked if who.id not in read[each.id]))
            for each in mine
        )
        return tuple(each for each in found if each.colleagues)

    def unread_briefs(self, by: Actor | None) -> int:
        """How many briefs somebody has yet to read; 0 for who is not asked to."""
        if by is None or by.colleague is None or not is_asked(by.colleague):
            return 0
        asking = self._store.campaigns.asking(self._clock())
        read = self._store.campaigns.readers(asking)
        return sum(by.colleague.id not in read[each.id] for each in asking)

    def preview(self, draft: Draft) -> Preview:
        """What the brand and terms of a draft would be carried by.

        Raises:
            Unfit: the brand is none of ours, or the terms are too many or too long.
        """
        now = self._clock()
        brief = draft.trial(self.brands, now)
        mentions = self._store.campaigns.sample(draft.brand, now - PREVIEW, PREVIEWED)
        carried = tuple(mention for mention in mentions if brief.about(mention))
        return Preview(
            looked_at=len(mentions), carried=len(carried), examples=carried[:EXAMPLES], full=len(mentions) == PREVIEWED
        )

    def history(self, campaign: Campaign) -> tuple[Event, ...]:
        """What was done with a campaign, newest first."""
        return self._store.events.of_subject(campaign.subject)

    def _met(self, campaigns: Sequence[Campaign], by: Actor) -> tuple[Carried, ...]:
        if not campaigns:
            return ()
        me, now = by.colleague, self._clock()
        read = self._store.campaigns.readers(campaigns)
        names = {colleague.id: colleague.name for colleague in self._store.colleagues.all()}
        return tuple(
            Carried(
                campaign=each,
                state=each.state(now),
                owner=names.get(each.owner or 0, ""),
                read_at=read[each.id].get(me.id) if me else None,
                asked=me is not None and is_asked(me) and each.asks(now),
            )
            for each in campaigns
        )

    def _tell(self, by: Actor, act: str, campaign: Campaign, now: datetime, detail: str) -> None:
        self._store.events.add(by, act, now, subject=campaign.subject, detail=detail)

    def _campaign(self, public_id: str) -> Campaign:
        campaign = self._store.campaigns.find(public_id)
        if campaign is None:
            raise Refused("there is no such campaign", resource=public_id)
        return campaign


def is_asked(colleague: Colleague) -> bool:
    """Whether a colleague has to know what marketing runs: they are on duty and answer customers."""
    return colleague.on_duty and colleague.may("work")


def oversees(by: Actor, campaign: Campaign) -> bool:
    """Whether somebody is told who has not read a campaign's brief."""
    me = by.colleague
    return me is not None and (me.role in {"lead", "admin"} or me.id == campaign.owner)
