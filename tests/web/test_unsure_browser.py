"""A sitting at the unsure lane in a real Chromium: one key each, undo, pages that come by themselves, no traps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from listener.core.event import Actor
from listener.testing import FakeScorer, make_post
from listener.web import Server
from tests.web import hostile
from tests.web.stage import Stage
from tests.web.test_accessibility import axe
from tests.web.test_browser import Witness

__all__ = ["axe"]

pytestmark = pytest.mark.browser

MANY = 60


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """More unsure mentions than two pages hold, some of them hostile."""
    with Stage(tmp_path, scorer=FakeScorer(table={"hm": (0.3, 0.5, 0.2)})) as made:
        bad = list(hostile.texts())[:10]
        made.hear(*(make_post(f"{n}", f"hm acme {n} {bad[n] if n < 10 else ''}", title=f"{n}") for n in range(MANY)))
        made.work()
        yield made


@pytest.fixture
def screen(chromium: Browser, server: Server, stage: Stage) -> Iterator[Page]:
    """Dana's screen, watched for everything that a page must not do."""
    page = stage.page(chromium, server.url, "agent", "dana", viewport={"width": 1280, "height": 800})
    witness = Witness(origin=server.url)
    witness.watch(page)
    yield page
    if not page.is_closed():
        assert page.evaluate("window.__violations") == []
        assert not page.evaluate("window.__pwned")
        page.close()
    assert (witness.dialogs, witness.strangers) == ([], [])
    assert [each for each in witness.complaints if "409" not in each] == []


def labels(stage: Stage) -> dict[int, str | None]:
    """What each mention is by now; None where it is not about us."""
    rows = stage.store.db.read("SELECT id, label FROM mentions WHERE certainty IS NOT 'unsure'")
    return {row["id"]: row["label"] for row in rows}


def focused(screen: Page) -> int:
    """The mention that has the focus."""
    return int(screen.evaluate("document.activeElement.dataset.mention || 0"))


def test_a_sitting_by_keys_alone(screen: Page, server: Server, stage: Stage) -> None:
    screen.goto(f"{server.url}/unsure")
    keys = screen.keyboard
    assert focused(screen) == 60
    for key, said in (("3", "negative"), ("2", "neutral"), ("1", "positive"), ("0", "not about us")):
        keys.press(key)
        expect(screen.locator("#said")).to_contain_text(f"Settled as {said}")
    assert focused(screen) == 56
    keys.press("s")
    assert focused(screen) == 55
    keys.press("k")
    assert focused(screen) == 56
    expect(screen.locator("#left")).to_have_text("56")
    expect(screen.locator(".top .badge b")).to_have_text("56")
    assert labels(stage) == {60: "negative", 59: "neutral", 58: "positive", 57: None}
    keys.press("z")
    expect(screen.locator("#said")).to_have_text("Taken back.")
    assert focused(screen) == 57
    keys.press("u")
    expect(screen.locator("#mention-58")).to_be_focused()
    assert labels(stage) == {60: "negative", 59: "neutral"}
    shown = screen.evaluate("[...document.querySelectorAll('#lane .mention')].map((each) => +each.dataset.mention)")
    assert shown[:3] == [58, 57, 56]


def test_the_next_pages_come_before_they_are_needed(screen: Page, server: Server, stage: Stage) -> None:
    screen.goto(f"{server.url}/unsure")
    for left in range(MANY, 0, -1):
        expect(screen.locator(f"#mention-{left}")).to_be_focused()
        screen.keyboard.press("s" if left == 33 else "1")
    expect(screen.locator("#left")).to_have_text("1")
    assert len(labels(stage)) == MANY - 1
    expect(screen.locator("#mention-33")).to_be_focused()
    screen.keyboard.press("2")
    expect(screen.locator("#through")).to_be_visible()
    expect(screen.locator("#left")).to_have_text("0")
    assert set(labels(stage).values()) == {"positive", "neutral"}


def test_buttons_do_the_same_in_place(screen: Page, server: Server, stage: Stage) -> None:
    screen.goto(f"{server.url}/unsure")
    screen.locator("#mention-59 button", has_text="negative").click()
    expect(screen.locator("#mention-59")).to_have_count(0)
    expect(screen.locator("#mention-58")).to_be_focused()
    expect(screen.locator("#left")).to_have_text("59")
    screen.locator("#mention-58 .skip-one").click()
    assert focused(screen) == 57
    assert labels(stage) == {59: "negative"}


def test_what_another_settled_first_is_said_and_not_overruled(screen: Page, server: Server, stage: Stage) -> None:
    screen.goto(f"{server.url}/unsure")
    stage.settling.settle(60, "positive", Actor(colleague=stage.colleague("agent", "bob"), via="page"))
    screen.keyboard.press("1")
    expect(screen.locator("#said")).to_contain_text("settled already: positive")
    assert focused(screen) == 59
    screen.keyboard.press("z")
    expect(screen.locator("#said")).to_contain_text("nothing to take back")
    assert labels(stage) == {60: "positive"}


def test_what_could_not_be_kept_comes_back(screen: Page, server: Server, stage: Stage) -> None:
    screen.goto(f"{server.url}/unsure")
    stage.hear(make_post("59", "hm acme, edited", title="59"))
    screen.keyboard.press("1")
    expect(screen.locator("#said")).to_contain_text("Its author changed it meanwhile")
    expect(screen.locator("#mention-60")).to_contain_text("edited")
    assert labels(stage) == {}
    screen.keyboard.press("k")
    screen.keyboard.press("2")
    expect(screen.locator("#left")).to_have_text("59")


def test_no_key_settles_anything_for_who_switched_them_off(screen: Page, server: Server, stage: Stage) -> None:
    dana = stage.colleague("agent", "dana")
    with stage.store.transaction():
        stage.store.db.write("UPDATE colleagues SET shortcuts = 0 WHERE id = ?", (dana.id,))
    screen.goto(f"{server.url}/unsure")
    for key in ("1", "0", "s", "z"):
        screen.keyboard.press(key)
    assert screen.locator(".lane kbd").count() == 0
    screen.locator("#mention-60 button", has_text="positive").click()
    expect(screen.locator("#left")).to_have_text("59")
    assert labels(stage) == {60: "positive"}


def test_without_scripts_the_buttons_are_forms(chromium: Browser, server: Server, stage: Stage) -> None:
    page = stage.page(chromium, server.url, "agent", "dana", java_script_enabled=False)
    page.goto(f"{server.url}/unsure")
    page.locator("#mention-60 button", has_text="not about us").click()
    assert page.url.endswith("#mention-59")
    expect(page.locator("#mention-60")).to_have_count(0)
    page.locator("button", has_text="Undo").click()
    expect(page.locator("#mention-60")).to_be_visible()
    page.close()
    assert labels(stage) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(chromium: Browser, axe: str, server: Server, stage: Stage, scheme: str, width: int) -> None:
    page = stage.page(
        chromium, server.url, "lead", viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    found = []
    for path in ("/unsure?before=6", "/unsure?brand=Nobody", "/unsure?before=1"):
        page.goto(server.url + path)
        page.evaluate(axe)
        for fault in page.evaluate("axe.run()")["violations"]:
            found += [(path, fault["id"], node["html"][:120]) for node in fault["nodes"]]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
    assert found == []
