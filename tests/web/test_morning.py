"""A colleague's morning, in one go in a real browser: from the link in a message to a case that is resolved."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from listener.core.campaign import Draft
from listener.core.event import OPERATOR, Actor
from listener.pipeline.watch import watch
from listener.testing import START, FakeChannel, make_post
from listener.web import Server
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

PASSWORD = "copper lantern seven rows"
DAY = timedelta(days=1)


def alerted(stage: Stage) -> str:
    """Somebody complains; gives the path that the desk's message links to."""
    stage.hear(make_post("1", "acme, your free returns are broken", author="kim"))
    stage.work()
    channel = stage.channels["desk"]
    assert isinstance(channel, FakeChannel)
    [message] = channel.messages
    [case] = stage.store.cases.unresolved()
    assert message.cases[0].case.public_id == case.public_id
    return f"/cases/{case.public_id}"


def hired(stage: Stage) -> None:
    """An agent with a password, and a campaign that runs."""
    _, secret = stage.accounts.invite(OPERATOR, "ann", "Ann", "agent")
    stage.accounts.welcome(secret, handle="ann", name="Ann", password=PASSWORD, address="here", browser="first")
    draft = Draft(
        name="Free returns", brand="Acme", starts_at=(START - DAY).isoformat(), ends_at=(START + DAY).isoformat(),
        terms="free returns", promises="Nothing to pay until Sunday.",
    )  # fmt: skip
    stage.campaigns.register(draft, Actor(colleague=stage.colleague("marketer"), via="page"))


def pressed(page: Page, menu: str, button: str) -> None:
    """Open one of the case's menus and press a button in it."""
    bar = page.locator(".acts, .bar").first
    bar.get_by_text(menu, exact=True).first.click()
    bar.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_link_in_a_message_to_a_resolved_case(
    chromium: Browser, server: Server, stage: Stage, scripts: bool
) -> None:
    hired(stage)
    path = alerted(stage)
    context = chromium.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{server.url}{path}")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/cases/"))
    page.get_by_label("Handle").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.url}{path}")

    page.get_by_role("button", name="Claim", exact=True).click()
    expect(page.locator(".state")).to_contain_text("Yours until")
    brief = page.get_by_role("article", name=re.compile("Free returns"))
    expect(brief).to_contain_text("Nothing to pay until Sunday.")
    brief.get_by_role("button", name="I have read it").click()
    expect(brief).to_contain_text("You read it")
    page.locator("#note-text").fill("The courier confirms it.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".notes li")).to_contain_text("The courier confirms it.")
    pressed(page, "Snooze", "for 1 hour")
    expect(page.locator("#done")).to_contain_text("Snoozed")
    assert [case.status for case in stage.store.cases.unresolved()] == []

    stage.clock.forward(timedelta(hours=1))
    assert watch(stage.store, stage.rules, stage.clock) == 1
    page.goto(f"{server.url}/cases")
    page.get_by_role("link", name="acme, your free returns are broken").first.click()
    expect(page.locator(".state")).to_contain_text("Yours until")
    pressed(page, "Resolve", "answered")
    expect(page.locator("#done")).to_contain_text("Resolved")
    [event] = [event for event in stage.store.events.of_case(1) if event.act == "resolved"]
    assert (event.who, event.detail) == ("Ann", "answered")
    acts = [event.act for event in stage.store.events.of_case(1)]
    assert acts == ["opened", "claimed", "noted", "snoozed", "woke", "resolved"]
    context.close()
