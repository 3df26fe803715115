"""The trends say when mentions were judged again, by whom, and how many changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from listener.core.rescore import Scope
from listener.pipeline.rescore import rescore
from listener.testing import FakeScorer, make_post
from listener.web import Server
from tests.web.stage import Stage
from tests.web.test_accessibility import axe
from tests.web.test_pages import text_of

__all__ = ["axe"]


def again(stage: Stage, brand: str | None) -> None:
    """Judge everything again by another scorer."""
    stage.scorer = FakeScorer(table={"acme": (0.9, 0.05, 0.05), "globex": (0.9, 0.05, 0.05)}, revision="<b>2")
    stage.store.rescores.begin("table@<b>2", Scope(brand=brand), stage.clock())
    while (now := rescore(stage.store, stage.scorer, stage.rules, stage.clock)) and now.finished_at is None:
        pass


def heard(stage: Stage) -> None:
    stage.hear(make_post("1", "acme opens"), make_post("2", "globex opens"), make_post("3", "acme is broken"))
    stage.work()
    stage.clock.forward(timedelta(days=2))


def trends(server: Server, stage: Stage) -> str:
    """The page, for somebody who has just signed in."""
    with stage.signed_in(server.url, "lead") as web:
        return text_of(web.get("/trends"))


def test_the_day_is_marked_on_the_charts_of_what_was_judged_again(server: Server, stage: Stage) -> None:
    heard(stage)
    assert "Judged again" not in trends(server, stage)
    again(stage, "Acme")
    page = trends(server, stage)
    assert "Judged again by <bdi>table@&lt;b&gt;2</bdi> on" in page
    assert "<bdi>Acme</bdi> only: 1 of 2 mentions changed." in page
    assert page.count('<path class="again"') == 1
    stage.clock.forward(timedelta(days=40))
    assert "Judged again" not in trends(server, stage)


def test_what_changed_nothing_is_not_marked(server: Server, stage: Stage) -> None:
    heard(stage)
    stage.store.rescores.begin("table@1", Scope(), stage.clock())
    while (now := rescore(stage.store, stage.scorer, stage.rules, stage.clock)) and now.finished_at is None:
        pass
    assert "Judged again" not in trends(server, stage)


@pytest.mark.browser
def test_axe_finds_nothing(chromium: Browser, axe: str, server: Server, stage: Stage) -> None:
    heard(stage)
    again(stage, None)
    page = stage.page(chromium, server.url, "lead")
    page.goto(f"{server.url}/trends")
    page.evaluate(axe)
    found = [fault["id"] for fault in page.evaluate("axe.run()")["violations"]]
    page.close()
    assert found == []
