"""What a browser is sent for each page of a busy desk: at most 150 kB compressed, 60 kB of it scripts, all from us."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Request

from listener.core.campaign import Draft
from listener.core.event import Actor
from listener.core.mention import Author
from listener.testing import START, make_post
from listener.web import Server, make_web, serve
from listener.web.auth import for_programs
from tests.web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HEAVIEST = 150_000
SCRIPTS = 60_000

MACHINES = {"/healthz", "/readyz", "/cases/stream"}


def prose(draw: random.Random, words: int) -> str:
    """Text that compresses like text: 4,000 words, some of them far more common than others."""
    return " ".join(f"w{int(draw.paretovariate(0.6)) % 4000:x}ing" for _ in range(words))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """More of everything than a page shows: cases, mentions of one case, campaigns, customers, colleagues, events."""
    draw = random.Random(5)
    with Stage(tmp_path_factory.mktemp("weight")) as made:
        for n in range(120):
            made.hear(
                make_post(
                    f"one {n}", f"acme is broken {prose(draw, 60)}", author=Author(handle=f"@ann{n}", name=f"Ann {n}"),
                    title=prose(draw, 8), url=f"https://forum.example/{n}", published_at=START,
                )
            )  # fmt: skip
            made.hear(make_post(f"same {n}", f"acme burn {prose(draw, 60)}", author=Author(handle="@often")))
        made.work()
        lead = Actor(colleague=made.colleague("lead"), via="page")
        for n in range(30):
            made.colleague("agent", f"agent-{n}")
            draft = Draft(
                name=f"Campaign {n}", brand="Acme", starts_at="2026-11-01", ends_at="2027-01-01",
                terms="" if n < 2 else f"w{n}", promises=prose(draw, 80), wording=prose(draw, 80),
            )  # fmt: skip
            made.campaigns.register(draft, lead)
        cases = made.store.cases.unresolved(1000)
        for case in cases[:60]:
            for _ in range(4):
                made.casework.note(case.public_id, lead, prose(draw, 30))
        voices = [made.customers.of_case(case).profiles[0].voice for case in cases[:60]]
        for one, other in zip(voices[::2], voices[1::2], strict=True):
            made.customers.link(one, other, lead)
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def pages(stage: Stage) -> dict[str, str]:
    """An address for every route that shows a page; that of the case with the most mentions."""
    case = max(stage.store.cases.unresolved(1000), key=lambda each: each.mentions)
    assert case.mentions > 100
    lead = Actor(colleague=stage.colleague("lead"), via="page")
    there = {"cases": case.public_id, "campaigns": stage.campaigns.page(lead)[0].campaign.public_id}
    there["customers"] = stage.customers.page()[0].public_id
    found = {}
    for route in make_web(stage).routes:
        if isinstance(route, APIRoute) and "GET" in route.methods and not for_programs(route.path):
            noun = route.path.split("/")[1]
            found[route.path] = route.path.replace("{public_id}", there.get(noun, "")).replace("{secret}", "gone")
    found["a list with everything"] = "/cases?view=all&q=w&page=2"
    found["not there"] = "/nowhere"
    return {path: address for path, address in found.items() if path not in MACHINES}


def test_every_page_stays_light_and_asks_nobody_else(chromium: Browser, server: Server, stage: Stage) -> None:
    sent: dict[str, dict[str, int]] = defaultdict(dict)
    strangers, plain = [], []
    shown = pages(stage)
    assert len(shown) >= 20
    for path, address in shown.items():
        # A browser of its own for each page, which has nothing in its cache.
        page = stage.page(chromium, server.url, "admin")
        finished: list[Request] = []
        page.on("requestfinished", lambda each, finished=finished: finished.append(each))
        page.on("request", lambda each: strangers.append(each.url) if not each.url.startswith(server.url) else None)
        page.goto(server.url + address, wait_until="load")
        for request in finished:
            answer = request.response()
            if answer is None or answer.status in {303, 307}:
                continue
            size = request.sizes()["responseBodySize"]
            sent[path][urlsplit(request.url).path] = size
            if size > 2_000 and answer.header_value("content-encoding") != "gzip":
                plain.append(request.url)
        page.close()
    weights = {path: sum(sizes.values()) for path, sizes in sent.items()}
    scripts = {path: sum(n for name, n in sizes.items() if name.endswith(".js")) for path, sizes in sent.items()}
    assert strangers == []
    assert plain == []
    assert all(0 < weight <= HEAVIEST for weight in weights.values()), weights
    assert all(0 < weight <= SCRIPTS for weight in scripts.values()), scripts
    # So that this means something: these pages were full, and came with their style and scripts.
    assert weights["/cases/{public_id}"] > 15_000
    assert {"/static/listener.css", "/static/listener.js"} <= sent["/cases"].keys()


def test_all_scripts_together_stay_light(server: Server, stage: Stage) -> None:
    folder = Path(__file__).parents[2] / "listener/web/static"
    with stage.signed_in(server.url) as web:
        sizes = {}
        for file in folder.glob("*.js"):
            with web.stream("GET", f"/static/{file.name}", headers={"accept-encoding": "gzip"}) as answer:
                sizes[file.name] = len(b"".join(answer.iter_raw()))
    assert 0 < sum(sizes.values()) <= SCRIPTS, sizes
