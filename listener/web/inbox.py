"""The staff's work: the list of cases beside the one that is open. What a case shows is in `case_page.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from listener.casework.undo import own
from listener.core.case import Case
from listener.core.colleague import Colleague
from listener.core.event import Actor, Event
from listener.core.mention import Mention
from listener.core.reply import ENDED, ReplyState
from listener.web.auth import MayRead
from listener.web.case_page import CasePage, case_page
from listener.web.clocks import Chip, chip
from listener.web.composer import composer
from listener.web.customers import customer_panel
from listener.web.desk import Desk, Store
from listener.web.filters import Counts, Filters, Tallies, count_of, counts, filters, read
from listener.web.history import DONE, may_undo
from listener.web.pages import Pages
from listener.web.remedy_panel import remedy_panel
from listener.web.stream import Broadcast, Lookers, add_stream

ROWS = 40

Asked = Annotated[Filters, Depends(filters)]
EventId = Annotated[int, Query(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case in the list.

    Args:
        case: the case.
        mention: its newest; None when none is left.
        holder: who has it; None for nobody.
        chip: what breaks next; None when nothing does.
        answer: how our answer stands; None for none, and once the customer wrote after it.
        writer: who wrote it; None where nobody did.
    """

    case: Case
    mention: Mention | None
    holder: Colleague | None
    chip: Chip | None
    answer: ReplyState | None = None
    writer: Colleague | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved view beside the list.

    Args:
        name: as its colleague calls it.
        address: of the list it stands for.
        count: how many cases it finds; None where only the list can say.
        current: whether it is what the list shows.
    """

    name: str
    address: str
    count: int | None
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """How things stand when no case is on the page."""

    judged: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list as it is shown.

    Args:
        asked: the filters.
        rows: a page of cases.
        more: whether another page follows.
        counts: how many there are beside each choice.
        views: the colleague's saved ones.
        colleagues: those who may have a case.
        quiet: how things stand when the list is empty; None when it is not.
    """

    asked: Filters
    rows: tuple[Row, ...]
    more: bool
    counts: Counts
    views: tuple[View, ...]
    colleagues: tuple[Colleague, ...]
    quiet: Quiet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JustDone:
    """What the reader did a moment ago, with the way to take it back where there is one."""

    words: str
    detail: str
    undo: int | None


class Inbox:
    """Makes the pages of the inbox.

    Args:
        pages: renders them.
        lookers: who looks at which case.
    """

    def __init__(self, pages: Pages, lookers: Lookers) -> None:
        """Keep the parts."""
        self._pages = pages
        self._desk: Desk = pages.desk
        self._lookers = lookers
        self._tallies = Tallies(pages.desk.store, pages.desk.clock)

    def listing(self, asked: Filters, by: Actor) -> Listing:
        """The list for somebody.

        Raises:
            StoreError: the database cannot be read.
        """
        store, now = self._desk.store, self._desk.clock()
        colleagues = store.colleagues.all()
        by_id = {each.id: each for each in colleagues}
        wanted = asked.wanted(by.colleague, colleagues)
        found = store.cases.page(wanted, limit=ROWS + 1, offset=(asked.page - 1) * ROWS)
        counted = counts(self._tallies.now(), asked, by.colleague)
        # Counting everything that was ever heard takes a while; only these empty lists say it.
        told = not found and (asked.view == "todo" or not counted.ever)
        return Listing(
            asked=asked,
            rows=self._rows(found[:ROWS], by_id, now),
            more=len(found) > ROWS,
            counts=counted,
            views=self._views(asked, by, colleagues),
            colleagues=tuple(each for each in colleagues if each.may("work")),
            quiet=quiet(store) if told else None,
        )

    def _rows(self, cases: Sequence[Case], colleagues: Mapping[int, Colleague], now: datetime) -> tuple[Row, ...]:
        """Cases with what stands beside them: one query for each kind of thing, whatever the number of cases."""
        ids = [case.id for case in cases]
        newest, answers = self._desk.store.trails.newest_of(ids), self._desk.store.replies.latest_of(ids)
        return tuple(
            Row(
                case=case,
                mention=newest.get(case.id),
                holder=colleagues.get(case.assignee or 0),
                chip=chip(case, now),
                answer=stands(case, answers),
                writer=colleagues.get(answers.get(case.id, ("", 0))[1]),
            )
            for case in cases
        )

    def _views(self, asked: Filters, by: Actor, colleagues: Sequence[Colleague]) -> tuple[View, ...]:
        kept = [(view.name, read(view.query)) for view in self._desk.views.of(by)]
        tally = self._tallies.now()
        return tuple(
            View(
                name=name,
                address=meant.to(),
                count=count_of(tally, meant, meant.wanted(by.colleague, colleagues)),
                current=meant.saved == asked.saved,
            )
            for name, meant in kept
        )

    def show(
        self,
        by: Actor,
        asked: Filters,
        case: Case | None = None,
        *,
        done: int = 0,
        refusal: str = "",
        status: int = 200,
        instead: Mapping[str, object] | None = None,
    ) -> HTMLResponse:  # fmt: skip
        """The page: the list, and the case that is open.

        Args:
            by: who reads.
            asked: what is listed.
            case: the one that is open; None for none.
            done: the event that the reader caused a moment ago; 0 for none.
            refusal: why something the reader wanted was refused; empty when nothing was.
            status: of the answer.
            instead: panels that stand there instead of the usual ones, as with a form that keeps what was typed.
        """
        opened: CasePage | None = None
        if case is not None:
            others = self._lookers.look(case.public_id, by.colleague, self._desk.clock())
            opened = case_page(self._desk, case, by, others)
        page = self._pages.show(
            "cases.html", by=by, listing=self.listing(asked, by), asked=asked, opened=opened,
            done=self._done(done, by), refusal=refusal,
            **{**panels(self._desk, case, by), **(instead or {})},
        )  # fmt: skip
        page.status_code = status
        return page

    def _done(self, event_id: int, by: Actor) -> JustDone | None:
        if event_id < 1:
            return None
        found = self._desk.store.events.since(event_id - 1, 1)
        event: Event | None = found[0][0] if found and found[0][0].id == event_id else None
        if event is None or event.case is None or event.act not in DONE or not own(event, by):
            return None
        undo = may_undo(event, self._desk.store.cases.get(event.case), by.colleague, self._desk.clock())
        return JustDone(words=DONE[event.act], detail=event.detail, undo=event.id if undo else None)


def stands(case: Case, answers: Mapping[int, tuple[ReplyState, int]]) -> ReplyState | None:
    """How the answer to a case stands; one that ended says nothing of what its customer said afterwards."""
    state = answers[case.id][0] if case.id in answers else None
    over = state in ENDED and case.status not in {"waiting", "resolved"}
    return None if over else state


def quiet(store: Store) -> Quiet:
    """How things stand when no case is on the page."""
    waiting = store.mentions.counts()
    return Quiet(judged=sum(store.trends.totals().values()), waiting=waiting.get("judge", 0) + waiting.get("route", 0))


def panels(desk: Desk, case: Case | None, by: Actor) -> Mapping[str, object]:
    """What other parts of the desk show on a case's page: its customer and the briefs that apply."""
    return {
        "composer": composer(desk, case, by) if case else None,
        "customer": customer_panel(desk, case, by) if case else None,
        "briefs": desk.campaigns.of_case(case.id, by) if case else (),
        "unread": desk.campaigns.unread(by),
        "remedies": remedy_panel(desk, case, by) if case else None,
    }


def add_inbox(web: FastAPI, pages: Pages) -> Inbox:
    """Serve `/cases`, `/cases/{id}` and `/cases/stream`; gives what makes them, for the acts on cases."""
    desk = pages.desk
    broadcast = Broadcast(desk.store.events)
    inbox = Inbox(pages, Lookers(broadcast.say))
    add_stream(web, broadcast)

    @web.get("/cases", include_in_schema=False)
    def cases(by: MayRead, asked: Asked, done: EventId = 0) -> HTMLResponse:
        return inbox.show(by, asked, done=done)

    @web.get("/cases/{public_id}", include_in_schema=False, response_model=None)
    def case(by: MayRead, asked: Asked, public_id: str, done: EventId = 0) -> Response:
        found = desk.store.cases.find(public_id)
        if found is None:
            raise HTTPException(404)
        if found.merged_into is not None:
            return RedirectResponse(asked.to(f"/cases/{desk.store.cases.get(found.merged_into).public_id}"))
        return inbox.show(by, asked, found, done=done)

    return inbox
