"""Which cases the inbox lists: filters as they stand in the address, and how many cases there are beside each view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from listener.core.case import Status, Wanted
from listener.core.colleague import Colleague
from listener.core.route import SEVERITIES, Severity
from listener.core.tools import Clock
from listener.web.desk import Store

View = Literal["todo", "mine", "unclaimed", "waiting", "snoozed", "resolved", "all"]

VIEWS: Mapping[View, tuple[Status, ...]] = {
    "todo": ("open", "acknowledged"),
    "mine": ("open", "acknowledged", "snoozed", "waiting"),
    "unclaimed": ("open",),
    "waiting": ("waiting",),
    "snoozed": ("snoozed",),
    "resolved": ("resolved",),
    "all": ("open", "acknowledged", "snoozed", "waiting", "resolved"),
}

TITLES: Mapping[View, str] = {
    "todo": "To do",
    "mine": "Mine",
    "unclaimed": "Unclaimed",
    "waiting": "Answered",
    "snoozed": "Snoozed",
    "resolved": "Resolved",
    "all": "All",
}

NOBODY = "nobody"
"""In the filter by colleague: cases that nobody has."""

LAST_PAGE = 10_000
WORKING: tuple[Status, ...] = ("open", "acknowledged", "snoozed", "waiting")
MANY = 5_000
REST = timedelta(seconds=30)

Tally = Mapping[tuple[str, str, str, int | None], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is listed.

    Args:
        view: which statuses, and whose.
        brand: of this brand; empty: of all.
        severity: of this severity; empty: of all.
        assignee: handle of the colleague who has it, "nobody", or empty for all.
        q: words in the headline or the author's handle.
        page: counted from one.
    """

    view: View = "todo"
    brand: str = ""
    severity: Severity | Literal[""] = ""
    assignee: str = ""
    q: str = ""
    page: int = 1

    @property
    def narrow(self) -> bool:
        """Whether more than the view is asked for."""
        return bool(self.brand or self.severity or self.assignee or self.q)

    @property
    def query(self) -> str:
        """The filters as they stand in the address; what is not said is left out."""
        return urlencode(self._said())

    def _said(self) -> dict[str, str]:
        said = {
            "view": "" if self.view == "todo" else self.view, "brand": self.brand, "severity": self.severity,
            "assignee": self.assignee, "q": self.q, "page": str(self.page) if self.page > 1 else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    def to(self, path: str = "/cases", **changes: str | int) -> str:
        """An address with these filters and some changes; another view or filter begins at its first page."""
        changed = replace(self, **{**({"page": 1} if changes else {}), **changes})  # type: ignore[arg-type]
        said = changed.query
        return f"{path}?{said}" if said else path

    @property
    def saved(self) -> str:
        """What a saved view keeps: all but the page."""
        return replace(self, page=1).query

    @property
    def unpaged(self) -> Mapping[str, str]:
        """The filters by name, without the page."""
        return replace(self, page=1)._said()

    def wanted(self, me: Colleague | None, colleagues: Iterable[Colleague]) -> Wanted:
        """The filters as the store takes them.

        Args:
            me: whose the view "mine" is.
            colleagues: for the handle.
        """
        whose: int | None = {each.handle: each.id for each in colleagues}.get(self.assignee, -1)
        whose = 0 if self.assignee == NOBODY else whose if self.assignee else None
        if self.view == "mine":
            whose = me.id if me else -1
        if self.view == "unclaimed":
            whose = 0
        return Wanted(
            statuses=VIEWS[self.view], brand=self.brand or None, severity=self.severity or None, assignee=whose,
            words=tuple(self.q.split())[:8],
        )  # fmt: skip


def filters(
    view: View = "todo", brand: str = "", severity: Severity | Literal[""] = "", assignee: str = "", q: str = "",
    page: int = 1,
) -> Filters:  # fmt: skip
    """The filters in a request's address."""
    return Filters(
        view=view, brand=brand, severity=severity, assignee=assignee, q=q[:200], page=max(1, min(page, LAST_PAGE))
    )


def read(query: str) -> Filters:
    """Filters from their written form; what does not make sense is left out."""
    said = dict(parse_qsl(query))
    view, severity = said.get("view"), said.get("severity")
    return Filters(
        view=next((known for known in VIEWS if known == view), "todo"),
        severity=next((known for known in SEVERITIES if known == severity), ""),
        brand=said.get("brand", ""),
        assignee=said.get("assignee", ""),
        q=said.get("q", ""),
        page=_page(said.get("page", "")),
    )


def _page(said: str) -> int:
    """A page's number; longer ones than any page has are not even read."""
    return max(1, min(int(said), LAST_PAGE)) if said.isdecimal() and len(said) <= len(str(LAST_PAGE)) else 1


def count_of(tally: Tally, asked: Filters, wanted: Wanted) -> int | None:
    """How many cases filters find; None where words are asked for, which only the list itself can say."""
    if asked.q:
        return None
    whose = wanted.assignee
    return sum(
        n
        for (status, brand, severity, assignee), n in tally.items()
        if status in wanted.statuses
        and wanted.brand in {None, brand}
        and wanted.severity in {None, severity}
        and (whose is None or whose == (assignee or 0))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many cases there are beside each choice of the list.

    Args:
        views: by view, within the brand and severity that are asked for.
        brands: by brand, within the view.
        severities: by severity, within the view and the brand.
        ever: whether there ever was a case.
    """

    views: Mapping[View, int]
    brands: Mapping[str, int]
    severities: Mapping[str, int]
    ever: bool


def counts(tally: Tally, asked: Filters, me: Colleague | None) -> Counts:
    """Count what the filters leave, each choice beside the others."""
    views: Counter[View] = Counter()
    brands: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for (status, brand, severity, assignee), n in tally.items():
        mine = me is not None and assignee == me.id
        inside = {view for view in VIEWS if status in VIEWS[view]}
        inside -= set() if mine else {"mine"}
        inside -= set() if assignee is None else {"unclaimed"}
        here, level = asked.brand in {"", brand}, asked.severity in {"", severity}
        if here and level:
            views.update(dict.fromkeys(inside, n))
        if asked.view in inside:
            brands[brand] += n if level else 0
            severities[severity] += n if here else 0
    return Counts(
        views={view: views[view] for view in VIEWS}, brands=dict(sorted(brands.items())), severities=severities,
        ever=bool(tally),
    )  # fmt: skip


class Tallies:
    """Counts cases once for each state of the database: every change of a case leaves an event.

    Resolved ones, of which there are ever more, are counted anew at most every half minute once they are many.

    Args:
        store: what is counted.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Nothing is counted yet."""
        self._store = store
        self._clock = clock
        self._working: tuple[int, Tally] = (-1, {})
        self._ended: tuple[int, datetime, Tally] = (-1, clock(), {})

    def now(self) -> Tally:
        """The counts as they are.

        Raises:
            StoreError: the database cannot be read.
        """
        # Asked first: an event that comes in between is counted again, never overlooked.
        newest, now = self._store.events.newest_id(), self._clock()
        if self._working[0] != newest:
            self._working = (newest, self._store.views.tally(WORKING))
        known, at, ended = self._ended
        many = sum(ended.values()) > MANY
        if known != newest and not (many and timedelta(0) <= now - at < REST):
            ended = self._store.views.tally(("resolved",))
            self._ended = (newest, now, ended)
        return {**self._working[1], **ended}
