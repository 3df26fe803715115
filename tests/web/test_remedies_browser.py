"""A remedy's story in a real Chromium: proposed without scripts, approved in place, done; with axe on every page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from listener.casework import Wished
from listener.core.event import Actor
from listener.testing import FakeScorer
from listener.web import Server, make_web, serve
from tests.web.hostile import MARKUP, SCRIPTS
from tests.web.stage import Stage
from tests.web.test_accessibility import axe
from tests.web.test_campaigns_browser import faults
from tests.web.test_remedies import complaint

__all__ = ["axe"]

pytestmark = pytest.mark.browser

KEYS = count()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("remedies"), scorer=FakeScorer(table={"broken": (0.9, 0.08, 0.02)})) as made:
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def test_an_agent_asks_without_scripts_and_a_lead_decides_in_place(
    chromium: Browser, server: Server, stage: Stage
) -> None:
    case = complaint(stage, "kim")
    ann = stage.page(chromium, server.url, "agent", "ann", java_script_enabled=False)
    ann.goto(f"{server.url}/cases/{case.public_id}")
    part = ann.get_by_role("region", name="Making it right")
    part.get_by_text("up to EUR 100.00 without asking").click()
    part.get_by_label("Kind").select_option("refund")
    part.get_by_label("Cost in EUR").fill("1.234")
    part.get_by_label("What they get").fill("the kettle")
    part.get_by_role("button", name="Give it").click()
    expect(ann.get_by_role("alert")).to_contain_text("write an amount as 45 or 45.50")
    expect(part.get_by_label("What they get")).to_have_value("the kettle")
    part.get_by_label("Cost in EUR").fill("129,50")
    part.get_by_role("button", name="Give it").click()
    expect(part).to_contain_text("refund, EUR 129.50")
    expect(part).to_contain_text("waits for a decision")

    lea = stage.page(chromium, server.url, "lead", "lea")
    lea.goto(f"{server.url}/cases/{case.public_id}")
    expect(lea.locator("#elsewhere > summary")).to_contain_text("1 to decide")
    lea.evaluate("window.__same = true")
    theirs = lea.get_by_role("region", name="Making it right")
    theirs.get_by_label("A word why").fill("of course")
    theirs.get_by_role("button", name="Approve").click()
    expect(theirs).to_contain_text("approved by Lea")
    expect(theirs).to_contain_text("of course")
    expect(lea.locator("#elsewhere a[href='/remedies']")).to_have_text("Remedies")
    assert lea.evaluate("window.__same"), "the page was not loaded anew"
    lea.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(theirs).to_contain_text("waits for a decision")

    lea.goto(f"{server.url}/remedies")
    lea.get_by_role("button", name="Approve").click()
    expect(lea.get_by_role("region", name="Figures of")).to_contain_text("129.50")
    expect(lea.get_by_role("region", name="Waiting for a decision")).to_have_count(0)

    ann.reload()
    part.get_by_role("button", name="The customer has it").click()
    part.get_by_text("Say what came of it").click()
    part.get_by_label("What came of it").fill("She thanked us.")
    part.get_by_role("button", name="Keep it").click()
    expect(part).to_contain_text("She thanked us.")
    for page in (ann, lea):
        page.close()


def test_what_is_typed_outlives_what_others_do(chromium: Browser, server: Server, stage: Stage) -> None:
    case = complaint(stage, "lou")
    ann = stage.page(chromium, server.url, "agent", "ann")
    ann.goto(f"{server.url}/cases/{case.public_id}")
    part = ann.get_by_role("region", name="Making it right")
    part.get_by_text("up to EUR 100.00 without asking").click()
    part.get_by_label("What they get").fill("a new parcel")
    lea = Actor(colleague=stage.colleague("lead", "lea"), via="page")
    stage.remedies.give(case.public_id, Wished(key="k", kind="voucher", cents=None, what="sorry"), lea)
    expect(part).to_contain_text("EUR 90.00 of EUR 100.00 left")
    expect(part.get_by_label("What they get")).to_have_value("a new parcel")
    part.get_by_label("Kind").select_option("other")
    part.get_by_label("Cost in EUR").fill("5")
    part.get_by_role("button", name="Give it").click()
    expect(part).to_contain_text("other, EUR 5.00")
    expect(part.get_by_label("What they get")).to_have_value("")
    ann.close()


@pytest.fixture(scope="module")
def paths(stage: Stage) -> list[str]:
    """Remedies of every state with hostile words, and every page of theirs."""
    case = complaint(stage, "max")
    ann, bob, lea, root = (
        Actor(colleague=stage.colleague(role, handle), via="page")  # type: ignore[arg-type]
        for role, handle in (("agent", "ann"), ("agent", "bob"), ("lead", "lea"), ("admin", "root"))
    )
    kind = stage.remedies.terms.add_kind(MARKUP[6], 100, root)
    texts = (*MARKUP[:4], *(text[:400] for text in SCRIPTS[:4]), "W" * 400)

    def give(by: Actor, cents: int, text: str) -> str:
        wished = Wished(key=f"{next(KEYS)}", kind=kind.name, cents=cents, what=text)
        return stage.remedies.give(case.public_id, wished, by).remedy.public_id

    made = [give(ann, 500, text) for text in texts]
    waits = [give(ann, 90_000, "x" * 300), give(lea, 900_000, MARKUP[1]), give(bob, 20_000, MARKUP[2])]
    stage.remedies.decline(waits[2], lea, MARKUP[3])
    stage.remedies.approve(give(bob, 30_000, "ok"), lea, MARKUP[4])
    stage.remedies.withdraw(made[0], ann)
    stage.remedies.finish(made[1], ann, MARKUP[5])
    stage.remedies.finish(made[2], ann)
    return [f"/cases/{case.public_id}", "/remedies", "/remedies/terms", "/remedies?month=2026-01"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    chromium: Browser, axe: str, server: Server, stage: Stage, paths: list[str], scheme: str, width: int
) -> None:
    options = {"viewport": ViewportSize(width=width, height=800), "color_scheme": scheme}
    page = stage.page(chromium, server.url, "admin", "root", **options)
    found: list[str] = []
    for path in paths:
        page.goto(server.url + path)
        found += faults(page, axe)
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{path} is {wide} pixels wide"] if wide > width else []
        assert page.evaluate("window.__pwned") is None
    page.goto(f"{server.url}/remedies/terms")
    page.get_by_label("agent, low cases, in EUR").fill("x")
    page.get_by_role("button", name="Save the allowances").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    found += faults(page, axe)
    page.close()
    assert found == []
