"""Two pages beside a case: into which case to merge it, and that it is not about us."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from listener.core.case import Case, Wanted
from listener.core.query import Query as Listened
from listener.web.auth import MayCorrect, MayWork
from listener.web.case_page import akin
from listener.web.filters import read
from listener.web.inbox import ROWS
from listener.web.pages import Pages

MOST_WORDS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A case into which another could be merged, and why it is offered."""

    case: Case
    why: str


def choices(pages: Pages, case: Case, words: str) -> tuple[Choice, ...]:
    """Cases of the same brand into which one could be merged: the same author's first, then what words find."""
    desk = pages.desk
    same = [Choice(case=other, why="same author") for other in akin(desk, case)]
    known = {case.id} | {choice.case.id for choice in same}
    wanted = Wanted(
        statuses=("open", "acknowledged", "snoozed", "waiting"), brand=case.brand, words=tuple(words.split())[:8]
    )
    found = [other for other in desk.store.cases.page(wanted, limit=ROWS) if other.id not in known]
    return (*same, *(Choice(case=other, why="has the words" if words else "") for other in found))


def patch(brand: str, words: Sequence[str], queries: Sequence[Listened]) -> str:
    """What to write into the configuration, as TOML: each query that took the mentions, with its words so far."""
    written = []
    for query in queries:
        table = "brand" if query.name == brand else "query"
        exclude = ", ".join(json.dumps(word, ensure_ascii=False) for word in (*query.exclude, *words))
        name = json.dumps(query.name, ensure_ascii=False)
        written.append(f"# in the [[{table}]] with name = {name}:\nexclude = [{exclude}]\n")
    return "\n".join(written)


def add_apart(web: FastAPI, pages: Pages) -> None:
    """Serve `/cases/{id}/merge` and `/cases/{id}/not-us`."""
    desk = pages.desk

    def found(public_id: str) -> Case:
        case = desk.store.cases.find(public_id)
        if case is None:
            raise HTTPException(404)
        return case

    @web.get("/cases/{public_id}/merge", include_in_schema=False)
    def merge(by: MayWork, public_id: str, q: str = "", back: str = "") -> HTMLResponse:
        case = found(public_id)
        return pages.show(
            "merge.html", by=by, case=case, choices=choices(pages, case, q[:200]), q=q[:200], asked=read(back)
        )

    @web.get("/cases/{public_id}/not-us", include_in_schema=False)
    def not_us(
        by: MayCorrect, public_id: str, word: Annotated[list[str] | None, Query()] = None, more: str = "",
        back: str = "",
    ) -> HTMLResponse:  # fmt: skip
        case = found(public_id)
        words = [*(word or ()), *more.split(",")][:MOST_WORDS]
        proposal = desk.exclusions.propose(public_id, [each[:80] for each in words])
        took = [query for query in desk.settings.queries if query.name in proposal.queries]
        return pages.show(
            "not-us.html", by=by, case=case, proposal=proposal, asked=read(back),
            patch=patch(case.brand, proposal.words, took) if proposal.words else "",
        )  # fmt: skip
