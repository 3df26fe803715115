"""Customers and calls in a real Chromium: a call in a few keys, two handles linked and unlinked, and axe-core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from listener.core.call import Told
from listener.core.customer import Voice
from listener.core.event import Actor
from listener.core.mention import Author
from listener.testing import START, make_post
from listener.web import Server, make_web, serve
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / ".servers/axe.min.js"
HERE = Voice(source="fake", realm="fake.example", handle="ann_b")
ELSEWHERE = Voice(source="mastodon", realm="", handle="AnnBerg")
WITHOUT_SCRIPTS = {"java_script_enabled": False}


def told(stage: Stage, key: str, **fields: object) -> None:
    """A call that the agent logged, routed."""
    plain = {"brand": "Acme", "words": "the parcel never came", "mood": "negative", "customer": "+46 70 123 45 67"}
    agent = Actor(colleague=stage.colleague(), via="page")
    stage.calls.log(Told(key=key, **{**plain, **fields}), agent)  # type: ignore[arg-type]
    stage.work()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A person who wrote under two names, once resolved, once open; another who may be her; and a call."""
    with Stage(tmp_path) as made:
        ann = Author(handle="ann_b", name="Ann Berg", followers=12, url="https://ann.example/")
        made.hear(*(make_post(f"{n}", f"acme is broken, part {n}", author=ann) for n in range(6)))
        made.work()
        [first] = made.store.cases.unresolved()
        with made.store.transaction():
            made.store.cases.change(replace(first, status="resolved", outcome="answered", resolved_at=START))
        made.clock.forward(timedelta(days=2))
        for n, (source, handle) in enumerate((("mastodon", "AnnBerg"), ("blog", "ann.berg.writes"))):
            post = make_post(f"new-{n}", "acme is broken again", author=Author(handle=handle, name="Ann Berg"))
            made.hear(replace(post, source=source, realm="", published_at=made.clock()))
        made.work()
        told(made, "1", topic="delivery", call_back=True)
        yield made


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def case_of(stage: Stage, author: str) -> str:
    """The address of the unresolved case of an author."""
    return next(f"/cases/{case.public_id}" for case in stage.store.cases.unresolved() if case.author == author)


def keys(page: Page, *presses: str) -> None:
    """Press keys one after the other."""
    for press in presses:
        page.keyboard.press(press)


def test_a_call_is_logged_with_a_few_keys(chromium: Browser, stage: Stage, server: Server) -> None:
    page = stage.page(chromium, server.url)
    page.goto(f"{server.url}/calls/new")
    expect(page.locator("#words")).to_be_focused()
    page.keyboard.type("nobody picks up")
    keys(page, "Tab", "Space", "Tab")  # the mood: bad
    page.keyboard.type("hotline")
    keys(page, "Enter")
    expect(page.get_by_text("Logged:")).to_be_visible()
    stage.work()
    link = page.get_by_role("status").get_by_role("link", name="its case")
    expect(link).to_be_visible(timeout=8000)
    link.click()
    expect(page.get_by_text("private: never quote").first).to_be_visible()
    [found, _] = stage.calls.latest(Actor(colleague=stage.colleague(), via="page"))
    assert (found.brand, found.topic, found.words, found.mood) == ("Acme", "hotline", "nobody picks up", "negative")
    page.close()


@pytest.mark.parametrize("options", [{}, WITHOUT_SCRIPTS], ids=["scripts", "no scripts"])
def test_two_handles_are_linked_and_unlinked(
    chromium: Browser, stage: Stage, server: Server, options: dict[str, bool]
) -> None:
    page = stage.page(chromium, server.url, **options)
    page.goto(server.url + case_of(stage, "AnnBerg"))
    panel = page.locator("#customer")
    expect(panel).to_contain_text("None of theirs but this one.")
    page.get_by_role("button", name="ann_b on fake is the same person").click()
    expect(panel).to_contain_text("linked by Agent")
    earlier = panel.get_by_role("link", name="acme is broken, part")
    expect(earlier).to_be_visible()
    expect(panel.get_by_role("img")).to_be_visible()
    page.get_by_role("button", name="Unlink ann_b on fake").click()
    expect(page.locator("#customer")).to_contain_text("taken apart")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#customer").get_by_role("link", name="acme is broken, part")).to_be_visible()
    page.close()


def test_a_handle_is_found_and_linked_by_keys_alone(chromium: Browser, stage: Stage, server: Server) -> None:
    page = stage.page(chromium, server.url)
    page.goto(server.url + case_of(stage, "+46 70 123 45 67"))
    page.get_by_label("Another handle of theirs").focus()
    page.keyboard.type("ann_b")
    keys(page, "Enter")
    button = page.get_by_role("button", name="ann_b on fake is the same person as +46 70 123 45 67")
    button.focus()
    keys(page, "Enter")
    expect(page.locator("#customer").get_by_role("link", name="acme is broken, part")).to_be_visible()
    assert case_of(stage, "+46 70 123 45 67") in page.url
    page.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's source; `make servers` brings it."""
    if not AXE.exists():
        pytest.skip(f"axe-core is not at {AXE.relative_to(AXE.parents[1])}: run `make servers`")
    return AXE.read_text(encoding="utf-8")


def shown(stage: Stage) -> tuple[str, ...]:
    """Every page of customers and calls, in each of its states."""
    agent = Actor(colleague=stage.colleague(), via="page")
    customer = stage.customers.link(ELSEWHERE, HERE, agent).customer.public_id
    stage.customers.note(customer, "prefers e-mail", agent)
    blog = Voice(source="blog", realm="", handle="ann.berg.writes")
    caller = Voice(source="call", realm="", handle="+46 70 123 45 67")
    other = stage.customers.link(blog, caller, agent).customer.public_id
    both = f"/customers?q=ann&for={ELSEWHERE.written}"
    told(stage, "2", words="they are lovely", mood="positive", customer="")
    apart = [case_of(stage, author) for author in ("AnnBerg", "ann.berg.writes", "+46 70 123 45 67")]
    done = next(call.event for call in stage.calls.latest(agent))
    return (
        *apart, f"/customers/{customer}", f"/customers/{other}", "/customers", both, "/customers?q=zzz", "/calls/new",
        f"/calls/new?done={done}",
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_on_customers_and_calls(
    chromium: Browser, axe: str, stage: Stage, server: Server, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport=ViewportSize(width=width, height=800), color_scheme="dark" if scheme == "dark" else "light"
    )
    paths = shown(stage)
    stage.sign_in(context, server.url)
    page = context.new_page()
    found = []
    for path in paths:
        page.goto(server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.evaluate(axe)
        for fault in page.evaluate("axe.run()")["violations"]:
            found += [(path, fault["id"], node["html"][:120]) for node in fault["nodes"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} pixels wide"
    context.close()
    assert found == []
