"""The composer in a real Chromium: kept while one types, counted, by keyboard; no word is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from listener.core.campaign import Draft
from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.event import Actor
from listener.core.mention import Author
from listener.core.reply import Reply, digest
from listener.testing import START, make_post
from listener.web import Server
from tests.replier import FakeReplier
from tests.web.stage import Stage
from tests.web.test_accessibility import axe
from tests.web.test_browser import Witness

__all__ = ["axe"]

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A complaint at a place that can be answered, and a brief."""
    with Stage(tmp_path) as made:
        made.posting = replace(made.posting, on=True)
        made.repliers["forum"] = FakeReplier()
        kim = Author(handle="@kim", name="Kim")
        made.hear(make_post("1", "acme is broken", author=kim, url="https://forum.example/1"))
        made.work()
        draft = Draft(
            name="Returns", brand="Acme", starts_at=(START - DAY).isoformat(), ends_at=(START + DAY).isoformat(),
            terms="", promises="Free.", wording="It costs you nothing.",
        )  # fmt: skip
        made.campaigns.register(draft, actor(made, "marketer", "mia"))
        yield made


@pytest.fixture
def case(stage: Stage) -> Case:
    [case] = stage.store.cases.unresolved()
    return case


@pytest.fixture
def screen(chromium: Browser, server: Server, stage: Stage, case: Case) -> Iterator[Page]:
    """Ann's screen with the case on it."""
    page = stage.page(chromium, server.url, "agent", "ann", viewport={"width": 1280, "height": 900})
    witness = Witness(origin=server.url)
    witness.watch(page)
    page.goto(f"{server.url}/cases/{case.public_id}")
    yield page
    assert page.evaluate("window.__violations") == []
    page.close()
    assert (witness.dialogs, witness.strangers) == ([], [])
    assert [each for each in witness.complaints if "409" not in each and "401" not in each] == []


def actor(stage: Stage, role: Role, handle: str) -> Actor:
    """A colleague at a page."""
    return Actor(colleague=stage.colleague(role, handle), via="page")


def live(stage: Stage, case: Case) -> Reply:
    """The answer under way."""
    found = stage.store.replies.live(case.id)
    assert found is not None
    return found


def test_an_answer_by_keyboard_alone_is_kept_counted_and_sent_to_review(screen: Page, stage: Stage, case: Case) -> None:
    keys, saved = screen.keyboard, screen.locator("#reply-saved")
    keys.press("r")
    expect(screen.locator("#reply-text")).to_be_focused()
    keys.type("Sorry, see https://a.example/very/long/address")
    expect(screen.locator("#reply-count")).to_have_text("34 of 500")
    expect(saved).to_have_text(re.compile(r"saved \d\d:\d\d"))
    assert live(stage, case).text == "Sorry, see https://a.example/very/long/address"
    screen.locator("#reply-text").fill("x" * 503)
    expect(screen.locator("#reply-count")).to_have_text("503 of 500: 3 too many")
    expect(screen.locator("#reply-misfits")).to_contain_text("it is 3 characters too long")
    screen.locator("#reply-text").fill("Sorry. ")
    screen.get_by_role("button", name="Put the approved wording").click()
    expect(screen.locator("#reply-text")).to_have_value("Sorry. It costs you nothing.")
    screen.get_by_role("button", name="Send to review").click()
    expect(screen.locator("#reply-head")).to_contain_text("in review")
    assert live(stage, case).text == "Sorry. It costs you nothing."


def test_enter_in_a_field_of_the_answer_sends_nothing(screen: Page, stage: Stage, case: Case) -> None:
    screen.keyboard.press("r")
    screen.locator("#reply-text").fill("Sorry.")
    screen.locator("#ask summary").click()
    screen.locator("#ask-question").fill("too long?")
    screen.keyboard.press("Enter")
    expect(screen.locator("#reply-saved")).to_be_attached()
    expect(screen.locator("#reply-text")).to_have_value("Sorry.")
    assert live(stage, case).state == "draft"


def test_somebody_elses_change_is_shown_and_ones_own_words_stay(screen: Page, stage: Stage, case: Case) -> None:
    screen.keyboard.press("r")
    expect(screen.locator("#reply-text")).to_be_focused()
    lea, reply = actor(stage, "lead", "lea"), live(stage, case)
    stage.replies.save(reply.public_id, lea, "Sorry, it is <late>.", version=reply.version)
    screen.locator("#reply-text").fill("Sorry, it is broken.")
    expect(screen.locator(".clash")).to_contain_text("Lea changed the draft meanwhile")
    expect(screen.locator("#their-words")).to_have_text("Sorry, it is <late>.")
    expect(screen.locator("#reply-text")).to_have_value("Sorry, it is broken.")
    assert live(stage, case).text == "Sorry, it is <late>."
    screen.get_by_role("button", name="Keep the draft").click()
    expect(screen.locator(".clash")).to_have_count(0)
    expect(screen.locator("#reply-text")).to_have_value("Sorry, it is broken.")
    assert live(stage, case).text == "Sorry, it is broken."


def test_a_clean_draft_takes_over_what_others_wrote_and_news_stand_above_it(
    screen: Page, stage: Stage, case: Case
) -> None:
    screen.keyboard.press("r")
    expect(screen.locator("#reply-text")).to_be_focused()
    lea, reply = actor(stage, "lead", "lea"), live(stage, case)
    stage.replies.save(reply.public_id, lea, "Sorry, Kim.", version=reply.version)
    stage.clock.forward(timedelta(minutes=1))
    stage.hear(make_post("2", "acme is broken again", author=Author(handle="@kim", name="Kim")))
    stage.work()
    expect(screen.locator("#reply-text")).to_have_value("Sorry, Kim.")
    expect(screen.locator(".news")).to_contain_text("acme is broken again")
    screen.get_by_role("button", name="I have read it", exact=True).last.click()
    expect(screen.locator(".news")).to_have_count(0)


def test_words_survive_a_session_that_ended(screen: Page, server: Server, stage: Stage, case: Case) -> None:
    screen.keyboard.press("r")
    expect(screen.locator("#reply-text")).to_be_focused()
    screen.context.clear_cookies()
    screen.locator("#reply-text").fill("Sorry, all of it.")
    # The page says that one is signed out, or leads to the page to sign in; either way the tab has the words.
    screen.wait_for_function("Object.values(sessionStorage).some((words) => words.includes('all of it'))")
    expect(screen.get_by_text("You are signed out").or_(screen.get_by_label("Password"))).to_be_visible()
    stage.sign_in(screen.context, server.url, "agent", "ann")
    screen.goto(f"{server.url}/cases/{case.public_id}")
    expect(screen.locator("#reply-text")).to_have_value("Sorry, all of it.")
    expect(screen.locator("#reply-saved")).to_contain_text("saved")
    assert live(stage, case).text == "Sorry, all of it."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_on_answers(
    chromium: Browser, axe: str, server: Server, stage: Stage, case: Case, scheme: str, width: int
) -> None:
    lea, mia = actor(stage, "lead", "lea"), stage.colleague("marketer", "mia")
    reply = stage.replies.begin(case.public_id, lea)
    reply = stage.replies.save(reply.public_id, lea, "x" * 501, version=reply.version)
    page = stage.page(
        chromium, server.url, "lead", "lea", viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    found = []

    def look(path: str) -> None:
        page.goto(server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.evaluate(axe)
        for fault in page.evaluate("axe.run()")["violations"]:
            found.extend([(path, fault["id"], node["html"][:120]) for node in fault["nodes"]])

    look(f"/cases/{case.public_id}")
    stage.stops.stop(lea, "wrong")
    reply = stage.replies.ask(reply.public_id, lea, mia, "why?")
    look("/replies")
    reply = stage.replies.hand_back(reply.public_id, lea)
    reply = stage.replies.save(reply.public_id, lea, "Sorry.", version=reply.version)
    reply = stage.replies.submit(reply.public_id, lea, version=reply.version, heard=stage.clock())
    look(f"/cases/{case.public_id}")
    stage.repliers.clear()
    stage.replies.clear(reply.public_id, lea, digest("Sorry."), heard=stage.clock())
    look(f"/cases/{case.public_id}")
    page.close()
    assert found == []
