"""axe-core finds nothing on any page, in light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from listener.core.errors import Unavailable
from listener.core.mention import Author
from listener.testing import FakeScorer, make_post
from listener.web import Server, make_web, serve
from tests.web.stage import Stage

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / ".servers/axe.min.js"


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's source; `make servers` brings it."""
    if not AXE.exists():
        pytest.skip(f"axe-core is not at {AXE.relative_to(AXE.parents[1])}: run `make servers`")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Every kind of mention, case, message and place there is, as sample data and with a trouble."""
    scorer = FakeScorer(table={"broken": (0.9, 0.08, 0.02), "hm": (0.5, 0.4, 0.1), "love": (0.02, 0.08, 0.9)})
    with Stage(tmp_path_factory.mktemp("axe"), scorer=scorer) as made:
        made.settings = replace(made.settings, listener=replace(made.settings.listener, sample_data=True))
        made.troubles = ("The step judge makes no progress.",)
        made.channels["desk"].fail(Unavailable("mail.example does not answer"))
        ann = Author(handle="@ann", name="Ann", followers=7)
        made.hear(
            make_post("1", "Acme is broken", author=ann, rating=0.0, url="https://forum.example/1", title="Acme again"),
            make_post("2", "hm, acme"),
            make_post("3", "love acme", author=Author(handle="@bob")),
            make_post("4", "acme burn"),
            make_post("5", "globex opens", author=Author(handle="@cy")),
        )
        made.work()
        made.clock.forward(timedelta(hours=1))
        made.hear(make_post("1", "Acme is broken and I burn", author=ann, rating=0.0, url="https://forum.example/1"))
        old = made.clock() - timedelta(days=9)
        made.hear(make_post("6", "acme was broken", published_at=old), place="reviews")
        made.lose("reviews", Unavailable("reviews.example does not answer"))
        made.work()
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(chromium: Browser, axe: str, server: Server, stage: Stage, scheme: str, width: int) -> None:
    cases = (f"/cases/{case.public_id}" for case in stage.store.cases.unresolved())
    size = ViewportSize(width=width, height=800)
    context = chromium.new_context(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    stage.sign_in(context, server.url, "lead")
    page = context.new_page()
    found = []
    for path in ("/cases", *cases, "/mentions", "/trends", "/places", "/cases?status=resolved", "/nowhere"):
        page.goto(server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.evaluate(axe)
        for fault in page.evaluate("axe.run()")["violations"]:
            found += [(path, fault["id"], node["html"][:120]) for node in fault["nodes"]]
    context.close()
    assert found == []
