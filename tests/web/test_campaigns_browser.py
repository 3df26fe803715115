"""A campaign's story in a real Chromium: registered, met on a case, read, and no longer unread; with axe on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from listener.core.campaign import Draft
from listener.core.event import Actor
from listener.testing import START, make_post
from listener.web import Server, make_web, serve
from tests.web.hostile import MARKUP
from tests.web.stage import Stage
from tests.web.test_accessibility import axe

__all__ = ["axe"]

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("campaigns")) as made:
        made.colleague("agent", "ann")
        made.colleague("lead", "lea")
        made.hear(make_post("1", "acme, your free returns are broken", author="kim"))
        made.work()
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def faults(page: Page, axe: str) -> list[str]:
    """What axe finds on the page, with every part of it unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    return [f"{page.url}: {fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


def test_a_marketer_registers_an_agent_reads_on_the_case_and_the_lead_sees_it(
    chromium: Browser, server: Server, stage: Stage
) -> None:
    mia = stage.page(chromium, server.url, "marketer", "mia")
    mia.goto(f"{server.url}/campaigns")
    mia.get_by_role("link", name="Register the first campaign").click()
    mia.get_by_label("Name").fill("Free returns")
    mia.get_by_label("Brand").select_option("Acme")
    mia.get_by_label("Starts (UTC)").fill(f"{START - DAY:%Y-%m-%dT%H:%M}")
    mia.get_by_label("Promises").fill("Nothing to pay until Sunday.")
    mia.get_by_label("Terms").fill("free returns")
    mia.get_by_role("button", name="Register it").click()
    expect(mia.get_by_role("alert")).to_contain_text("1 field needs a look: Ends")
    mia.get_by_label("Ends (UTC)").fill(f"{START + 3 * DAY:%Y-%m-%dT%H:%M}")
    mia.get_by_role("button", name="See which mentions it fits").click()
    expect(mia.get_by_text("1 mention of the 1 heard in the last 30 days")).to_be_visible()
    mia.get_by_role("button", name="Register it").click()
    expect(mia.get_by_role("heading", name="Free returns running")).to_be_visible()

    lea = stage.page(chromium, server.url, "lead", "lea")
    lea.goto(f"{server.url}/campaigns")
    unread = lea.get_by_role("region", name="Not read yet")
    expect(unread).to_contain_text("Ann, Lea")

    (case,) = stage.store.cases.unresolved()
    ann = stage.page(chromium, server.url, "agent", "ann", java_script_enabled=False)
    ann.goto(f"{server.url}/cases/{case.public_id}")
    brief = ann.get_by_role("article", name=re.compile("Free returns"))
    expect(brief).to_contain_text("Nothing to pay until Sunday.")
    expect(ann.get_by_role("link", name="Campaigns 1 unread")).to_be_visible()
    brief.get_by_role("button", name="I have read it").click()
    expect(ann).to_have_url(f"{server.url}/cases/{case.public_id}")
    expect(brief).to_contain_text("You read it now")
    expect(ann.get_by_role("link", name="Campaigns", exact=True)).to_be_visible()

    lea.reload()
    expect(unread).to_contain_text("Free returns (running): Lea")
    expect(unread).not_to_contain_text("Ann")
    unread.get_by_role("link", name="Free returns").click()
    lea.get_by_role("button", name="I have read it").click()
    expect(lea.get_by_text("Everybody on duty has read this version")).to_be_visible()
    for page in (mia, ann, lea):
        page.close()


def test_with_scripts_a_brief_that_was_read_folds_up_and_its_number_goes(
    chromium: Browser, server: Server, stage: Stage
) -> None:
    mia = Actor(colleague=stage.colleague("marketer", "mia"), via="page")
    ends = (START + DAY).isoformat()
    made = stage.campaigns.register(
        Draft(name="Gifts", brand="Acme", starts_at=(START - DAY).isoformat(), ends_at=ends, wording="A gift."), mia
    )
    (case,) = stage.store.cases.unresolved()
    bob = stage.page(chromium, server.url, "agent", "bob")
    for other in stage.store.campaigns.asking(stage.clock()):
        if other.id != made.id:
            stage.campaigns.read(other.public_id, Actor(colleague=stage.colleague("agent", "bob"), via="page"), 1)
    bob.goto(f"{server.url}/cases/{case.public_id}")
    bob.evaluate("window.__same = true")
    brief = bob.get_by_role("article", name=re.compile("Gifts"))
    expect(brief.get_by_text("A gift.")).to_be_visible()
    brief.get_by_role("button", name="I have read it").click()
    expect(brief).to_contain_text("You read it now")
    expect(brief.get_by_text("A gift.")).to_be_hidden()
    expect(bob.get_by_role("link", name="Campaigns", exact=True)).to_be_visible()
    assert bob.evaluate("window.__same"), "the page was not loaded anew"
    bob.close()
    stage.campaigns.withdraw(made.public_id, mia)


@pytest.fixture(scope="module")
def paths(stage: Stage) -> list[str]:
    """A campaign of each state, some with hostile words, and every page of theirs."""
    mia = Actor(colleague=stage.colleague("lead", "lea"), via="page")
    made = []
    for name, first, last in (("Comes", 2, 5), ("Runs", -2, 5), ("Past", -9, -5), ("Gone", 1, 3)):
        draft = Draft(
            name=f"{name} {MARKUP[6]}", brand="Acme", starts_at=(START + first * DAY).isoformat(),
            ends_at=(START + last * DAY).isoformat(), terms="free returns\nلا", promises="\n".join(MARKUP[:20]),
            known_issues="\u202eشكرا\n" * 3, wording="W" * 400,
        )  # fmt: skip
        made.append(stage.campaigns.register(draft, mia))
    stage.campaigns.withdraw(made[-1].public_id, mia)
    stage.campaigns.read(made[1].public_id, mia, 1)
    (case,) = stage.store.cases.unresolved()
    own = [f"/campaigns/{each.public_id}" for each in made]
    return ["/campaigns", *own, "/campaigns/new", f"{own[0]}/edit", f"/cases/{case.public_id}"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    chromium: Browser, axe: str, server: Server, stage: Stage, paths: list[str], scheme: str, width: int
) -> None:
    size = ViewportSize(width=width, height=800)
    options = {"viewport": size, "color_scheme": scheme}
    page = stage.page(chromium, server.url, "lead", "lea", **options)
    found: list[str] = []
    for path in paths:
        page.goto(server.url + path)
        found += faults(page, axe)
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{path} is {wide} pixels wide"] if wide > width else []
        assert page.evaluate("window.__pwned") is None
    page.goto(f"{server.url}/campaigns/new")
    page.get_by_role("button", name="Register it").click()
    found += faults(page, axe)
    page.get_by_label("Brand").select_option("Acme")
    page.get_by_role("button", name="See which mentions it fits").click()
    found += faults(page, axe)
    page.goto(server.url + paths[6])
    page.evaluate("document.querySelector('[name=version]').value = '0'")
    page.get_by_label("Approved wording").fill("Mine")
    page.get_by_role("button", name="Save a new version").click()
    expect(page.get_by_role("table")).to_contain_text("As it stands")
    found += faults(page, axe)
    page.close()
    assert found == []
