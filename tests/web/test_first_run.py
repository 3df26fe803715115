"""From the link that a start prints to a second colleague at work, in a browser; and axe-core on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from listener.core.event import OPERATOR
from listener.web import Server
from tests.web.stage import Stage
from tests.web.test_accessibility import axe

__all__ = ["axe"]

pytestmark = pytest.mark.browser

PASSWORD = "copper lantern seven rows"


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def browsers(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    """Two people's browsers."""
    pair = tuple(chromium.new_context(java_script_enabled=request.param) for _ in range(2))
    yield pair[0], pair[1]
    for context in pair:
        context.close()


def choose(page: Page, **fields: str) -> None:
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)


def test_the_first_link_makes_an_admin_who_invites_somebody_who_signs_in(
    browsers: tuple[BrowserContext, BrowserContext], server: Server, stage: Stage
) -> None:
    admin, colleague = (context.new_page() for context in browsers)
    admin.goto(f"{server.url}/welcome/{stage.accounts.first_link()}")
    choose(admin, Your_name="Dana Okafor", Handle="dana", Password=PASSWORD)
    admin.get_by_role("button", name="Make my account").click()
    expect(admin).to_have_url(f"{server.url}/cases")
    expect(admin.locator(".who")).to_contain_text("Dana Okafor")
    admin.locator("#elsewhere > summary").click()
    admin.get_by_role("link", name="Colleagues").click()
    choose(admin, Name="Ben Azikiwe", Handle="ben")
    admin.get_by_label("agent:").check()
    admin.get_by_role("button", name="Invite").click()
    link = admin.get_by_label("To copy").input_value()

    colleague.goto(link)
    choose(colleague, Your_name="Ben Azikiwe", Handle="ben", Password=PASSWORD)
    colleague.get_by_role("button", name="Make my account").click()
    expect(colleague.locator(".who")).to_contain_text("agent")
    colleague.get_by_role("button", name="On duty").click()
    expect(colleague.get_by_role("button", name="Off duty")).to_be_visible()
    colleague.locator("#me > summary").click()
    colleague.get_by_role("button", name="Sign out").click()
    expect(colleague).to_have_url(f"{server.url}/sign-in")

    colleague.goto(f"{server.url}/trends?days=30")
    expect(colleague.get_by_role("heading", name="Sign in")).to_be_visible()
    choose(colleague, Handle="ben", Password="not this one, no")
    colleague.get_by_role("button", name="Sign in").click()
    expect(colleague.get_by_role("alert")).to_contain_text("do not belong together")
    colleague.get_by_role("link", name="Show what I type").click()
    choose(colleague, Handle="ben", Password=PASSWORD)
    assert colleague.get_by_label("Password", exact=True).get_attribute("type") == "text"
    colleague.get_by_role("button", name="Sign in").click()
    expect(colleague).to_have_url(f"{server.url}/trends?days=30")

    admin.goto(f"{server.url}/colleagues")
    admin.locator("main summary").click()
    admin.get_by_role("button", name="Close the account of Ben Azikiwe").click()
    expect(admin.locator(".people .gone")).to_contain_text("Ben Azikiwe")
    colleague.reload()
    expect(colleague.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    chromium: Browser, axe: str, server: Server, stage: Stage, scheme: str, width: int
) -> None:
    first = stage.accounts.first_link()
    size = ViewportSize(width=width, height=800)
    outside = chromium.new_context(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    found = [*faults(outside.new_page(), axe, server, ("/sign-in", f"/welcome/{first}", "/welcome/none"), width)]
    for role in ("viewer", "agent", "admin"):
        stage.colleague(role)
    stage.accounts.invite(OPERATOR, "a-rather-long-handle@department.retailer.example", "Wolfeschlegel" * 5, "agent")
    stage.accounts.close(OPERATOR, "viewer")
    by_token = stage.signed_in(server.url, "admin")
    by_token.post("/account/tokens", data={"name": "a script", "rights": ["read"], "days": "30"})
    by_token.close()
    _, reset = stage.accounts.reset(OPERATOR, "agent")
    found += faults(outside.new_page(), axe, server, (f"/welcome/{reset}", "/sign-in?show=1"), width)
    inside = chromium.new_context(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    stage.sign_in(inside, server.url, "admin")
    page = inside.new_page()
    found += faults(page, axe, server, ("/colleagues", "/account", "/audit", "/audit?act=merged"), width)
    page.goto(f"{server.url}/account")
    page.get_by_label("What the token is for").fill("another script")
    page.get_by_role("button", name="Make a token").click()
    found += faults(page, axe, server, (), width)
    outside.close()
    inside.close()
    assert not found, "\n".join(map(str, found))
    stage.clock.forward(timedelta(hours=1))


def faults(page: Page, axe: str, server: Server, paths: tuple[str, ...], width: int) -> Iterator[tuple[str, str, str]]:
    """What axe-core and the ruler find on pages; without paths, on the page as it is."""
    for path in paths or ("",):
        if path:
            page.goto(server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.evaluate(axe)
        for fault in page.evaluate("axe.run()")["violations"]:
            yield from ((path, fault["id"], node["html"][:160]) for node in fault["nodes"])
        if page.evaluate("document.documentElement.scrollWidth") > width:
            yield path, "wider than the screen", ""
