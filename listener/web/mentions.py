"""What was judged, newest first: the very posts behind the figures."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from listener.web.auth import MayRead
from listener.web.pages import Pages

ROWS = 40

LABELS = ("negative", "neutral", "positive")


def add_mentions(web: FastAPI, pages: Pages) -> None:
    """Serve `/mentions`."""
    desk = pages.desk

    @web.get("/mentions", include_in_schema=False)
    def mentions(
        by: MayRead,
        brand: str = "",
        label: Literal["", "negative", "neutral", "positive"] = "",
        certainty: Literal["", "confident", "unsure"] = "",
        topic: str = "",
        page: int = 1,
    ) -> HTMLResponse:
        page = max(1, min(page, 1_000))
        found = desk.store.trails.judged(
            brand=brand or None,
            label=label or None,
            certainty=certainty or None,
            topic=topic or None,
            limit=ROWS + 1,
            offset=(page - 1) * ROWS,
        )
        totals = desk.store.trends.totals()
        return pages.show(
            "mentions.html",
by=by,
            trails=found[:ROWS],
            more=len(found) > ROWS,
            brands=sorted({name for name, _ in totals}),
            counts={each: sum(n for (of, what), n in totals.items() if what == each and brand in {"", of})
                    for each in LABELS},
            brand=brand,
            label=label,
            certainty=certainty,
            topic=topic,
            page=page,
        )  # fmt: skip
