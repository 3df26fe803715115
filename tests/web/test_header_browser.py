"""The header of every page in Chromium: one line on a desk, nothing cut off on a phone, all of it by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from listener.web import Server
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

BUSY = """
(() => {
  const nav = document.querySelector(".top nav");
  const count = (link, words) => {
    const badge = document.createElement("span");
    badge.className = "badge"; badge.textContent = words;
    link.querySelector(".badge")?.remove(); link.append(" ", badge);
  };
  count(nav.querySelector("[href='/replies']"), "12");
  count(nav.querySelector("[href='/unsure']"), "999+");
  count(nav.querySelector("[href='/campaigns']"), "3");
  count(nav.querySelector(".more-count"), "14");
  document.querySelector(".who bdi").textContent = "Maximiliane von Hohenstein-Oettingen";
  document.querySelector(".standing").textContent = "12 of 24 places down";
})()
"""
"""A desk with more to do than most, for a colleague with a long name."""


@pytest.fixture
def admin(chromium: Browser, server: Server, stage: Stage) -> Iterator[Page]:
    """Somebody who sees every entry, without scripts."""
    page = stage.page(chromium, server.url, "admin", viewport={"width": 1280, "height": 800})
    page.goto(server.url + "/trends")
    yield page
    page.close()


def test_the_header_is_one_line_on_a_desk_however_much_there_is_to_do(admin: Page, server: Server) -> None:
    for path in ("/cases", "/trends", "/places"):
        admin.goto(server.url + path)
        admin.evaluate(BUSY)
        tops = {round(each.bounding_box()["y"]) // 20 for each in admin.locator(".top > *").all()}  # type: ignore[index]
        assert len(tops) == 1, path
        assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_of_the_header_is_cut_off_on_a_phone(admin: Page, width: int) -> None:
    admin.set_viewport_size({"width": width, "height": 800})
    admin.evaluate(BUSY)
    for menu in ("#elsewhere", "#me"):
        admin.locator(menu).locator("summary").click()
        for link in admin.locator(f"{menu} a").all():
            box = link.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
    assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_behind_more_is_reached_by_keyboard_without_scripts(
    chromium: Browser, server: Server, stage: Stage
) -> None:
    page = stage.page(chromium, server.url, "admin", java_script_enabled=False)
    page.goto(server.url + "/trends")
    page.get_by_role("link", name="Customers").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Remedies")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(server.url + "/remedies")
    expect(page.locator("#elsewhere summary")).to_have_text("Remedies")
    page.close()


def test_a_menu_closes_when_one_goes_on_elsewhere(admin: Page) -> None:
    more, me = admin.locator("#elsewhere"), admin.locator("#me")
    more.locator("summary").click()
    me.locator("summary").click()
    expect(more).not_to_have_attribute("open", "")
    expect(me).to_have_attribute("open", "")
    admin.keyboard.press("Escape")
    expect(me).not_to_have_attribute("open", "")
    expect(me.locator("summary")).to_be_focused()
