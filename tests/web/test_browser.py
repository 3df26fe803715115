"""Hostile posts in a real Chromium: nothing runs, nothing leaves, nothing breaks; and the pages' weight."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect

from listener.core.errors import Unavailable
from listener.core.mention import clean
from listener.web import Server, make_web, serve
from tests.web import hostile
from tests.web.stage import CONFIG, Stage

pytestmark = pytest.mark.browser

HEAVIEST = 150_000
"""Bytes of a page with everything it loads, compressed."""

SCRIPT = 60_000

LISTEN = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""

MEET = """async () => {
  // Everything that opens is opened, and everything a mouse can meet is met.
  document.querySelectorAll("details").forEach((d) => { d.open = true; });
  document.querySelectorAll("main *").forEach((e) => ["mouseover", "mouseenter", "focus"].forEach(
    (kind) => e.dispatchEvent(new Event(kind))));
  await new Promise((done) => setTimeout(done));  // A violation is told a moment after it.
  const shown = [...document.querySelectorAll(".mention .text")].map((e) => e.innerText);
  return { pwned: Boolean(window.__pwned), violations: window.__violations, shown };
}"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """200 hostile posts, all of them cases, at a place with a hostile error."""
    with Stage(
        tmp_path_factory.mktemp("hostile"),
        CONFIG + '\n[[place]]\nname = "<img src=x onerror=x>"\nsource = "replay"\npath = "x"\n',
    ) as made:
        made.channels["desk"].fail(Unavailable("<script>window.__pwned=1</script> \x1b[31m"))
        made.hear(*hostile.posts())
        made.lose("reviews", Unavailable("<img src=x onerror=window.__pwned=1>{{7*7}}"))
        made.work()
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, lambda: ("<script>window.__pwned=1</script>",)), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def paths(stage: Stage) -> tuple[str, ...]:
    cases = stage.store.cases.unresolved(1000)
    lists = (f"/{name}?page={page}" for name in ("cases", "mentions") for page in range(1, 7))
    return (
        *lists,
        "/places",
        "/trends",
        "/cases?brand=%3Cscript%3E",
        "/%3Cscript%3E",
        "/cases?q=%3Cimg+src%3Dx+onerror%3Dx%3E&view=all",
        *(f"/cases/{c.public_id}" for c in cases),
        *(f"/cases/{c.public_id}/not-us?word=%3Cscript%3E&more=%22%5D%2C" for c in cases[::20]),
        *(f"/cases/{c.public_id}/merge?q=%3Cb%3E" for c in cases[::40]),
    )


@dataclass
class Witness:
    """What a page did beside showing itself."""

    origin: str
    dialogs: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to everything a page can do; what it asks of others, Chromium finds nowhere: see `tests.browser`."""
        page.add_init_script(LISTEN)
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on("popup", lambda popup: self.strangers.append(popup.url))
        page.on("request", self._asked)

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        # A page that is meant to answer 404 is told of by the browser as an error.
        if message.type in {"error", "warning"} and "404" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.strangers.append(request.url)


def wait_until(page: Page, true: Callable[[], bool]) -> None:
    """Wait for a condition with a deadline; the policy forbids the evaluated strings of playwright's own wait."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def test_200_hostile_posts_run_nothing_and_reach_nobody(
    chromium: Browser, server: Server, stage: Stage, paths: tuple[str, ...]
) -> None:
    assert len(hostile.posts()) == 200
    witness = Witness(origin=server.url)
    page = stage.page(chromium, server.url)
    witness.watch(page)
    pwned, violations, shown = [], [], []
    for path in paths:
        page.goto(server.url + path)
        seen = page.evaluate(MEET)
        pwned += [path] if seen["pwned"] else []
        violations += seen["violations"]
        shown += seen["shown"]
    page.close()
    assert len(paths) > 150
    assert pwned == []
    assert violations == []
    assert witness.dialogs == []
    assert witness.strangers == []
    assert witness.complaints == []
    together = "\n".join(shown)
    for text in hostile.MARKUP + hostile.TEMPLATES:
        assert clean(text) in together


def test_hostile_cases_that_open_in_place_run_nothing(chromium: Browser, server: Server, stage: Stage) -> None:
    witness = Witness(origin=server.url)
    page = stage.page(chromium, server.url, viewport={"width": 1280, "height": 800})
    witness.watch(page)
    page.goto(server.url + "/cases?page=2")
    seen = set()
    for _ in range(40):
        page.keyboard.press("j")
        chosen = page.evaluate("document.activeElement.closest('.case').dataset.case")
        page.keyboard.press("Enter")
        expect(page.locator(f"#case-{chosen}")).to_be_visible()
        seen.add(chosen)
    assert len(seen) == 40
    assert page.evaluate("window.__pwned") is None
    assert page.evaluate("window.__violations") == []
    page.close()
    assert (witness.dialogs, witness.strangers, witness.complaints) == ([], [], [])


def test_the_canary_sings_where_text_is_not_text(chromium: Browser, server: Server, stage: Stage) -> None:
    page = stage.page(chromium, server.url)
    witness = Witness(origin=server.url)
    witness.watch(page)
    page.goto(server.url + "/trends")
    page.evaluate(
        "document.querySelector('main').innerHTML = '<img src=\"//evil.example/p.gif\" onerror=\"window.__pwned=1\">'"
    )
    wait_until(page, lambda: len(page.evaluate("window.__violations")) >= 2)
    assert page.evaluate("window.__pwned") is None
    page.close()


def test_no_link_leads_to_a_script(chromium: Browser, server: Server, stage: Stage, paths: tuple[str, ...]) -> None:
    page = stage.page(chromium, server.url, java_script_enabled=False)
    schemes, bare = set(), []
    for path in paths[::12]:
        page.goto(server.url + path)
        for link in page.locator("a").all():
            href = link.get_attribute("href") or ""
            schemes.add(href.split(":", 1)[0] if ":" in href else "")
            if href.startswith("http") and link.get_attribute("rel") != "noopener noreferrer nofollow ugc":
                bare.append(href)
    page.close()
    assert schemes <= {"", "http", "https"}
    assert bare == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_post_however_wide_makes_the_page_scroll_sideways(
    chromium: Browser, server: Server, stage: Stage, paths: tuple[str, ...], width: int
) -> None:
    page = stage.page(chromium, server.url, viewport={"width": width, "height": 800}, java_script_enabled=True)
    wide = []
    for path in (*paths[::7], "/places", "/trends", "/trends?days=30"):
        page.goto(server.url + path)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(path)
    page.close()
    assert wide == []


def test_the_list_renews_itself_and_keeps_the_readers_place(chromium: Browser, tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        server = serve(make_web(stage), "127.0.0.1", 0)
        server.start()
        page = stage.page(chromium, server.url)
        try:
            stage.hear(hostile.posts()[0])
            stage.work()
            page.goto(server.url + "/cases")
            page.locator("h2 a").first.focus()
            was = page.evaluate("document.activeElement.href")
            stage.hear(hostile.posts()[60])
            stage.work()
            expect(page.locator(".case")).to_have_count(2, timeout=20_000)
            assert page.evaluate("document.activeElement.href") == was
            assert "2 cases to do" in page.title()
            server.stop()
            expect(page.locator("#pulse")).to_contain_text("does not answer", timeout=20_000)
        finally:
            page.close()
            server.stop()


def test_the_keyboard_reaches_the_content_first_and_every_link_shows_its_focus(
    chromium: Browser, server: Server, stage: Stage
) -> None:
    page = stage.page(chromium, server.url)
    page.goto(server.url + "/cases")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(8):
        page.keyboard.press("Tab")
        outlined = page.evaluate(
            "['', '::after'].some((part) => getComputedStyle(document.activeElement, part).outlineStyle !== 'none')"
        )
        assert outlined, page.evaluate("document.activeElement.outerHTML")
    page.close()


def test_pages_stay_light(server: Server, stage: Stage) -> None:
    folder = Path(__file__).parents[2] / "listener/web/static"
    files = {file.name: len(gzip.compress(file.read_bytes())) for file in folder.iterdir() if file.suffix != ".md"}
    assert sum(size for name, size in files.items() if name.endswith(".js")) <= SCRIPT
    with stage.signed_in(server.url) as web:
        case = f"/cases/{stage.store.cases.unresolved()[0].public_id}"
        for path in ("/cases", case, "/mentions", "/trends", "/places"):
            answer = web.get(path, headers={"accept-encoding": "gzip"})
            weight = int(answer.headers["content-length"]) + sum(files.values())
            assert answer.headers["content-encoding"] == "gzip"
            assert weight <= HEAVIEST, path
