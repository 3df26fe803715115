"""The lane of unsure mentions over HTTP: plain forms, the JSON twin, and texts of people with bad intent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from listener.testing import FakeScorer, make_post
from listener.web import Server
from tests.web import hostile
from tests.web.stage import Stage
from tests.web.test_hostile_texts import ours, read
from tests.web.test_pages import text_of

__all__ = ["ours"]

NEUTRAL = (0.3, 0.5, 0.2)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Three unsure mentions, the last of another brand, and a sure one."""
    table = {"hm": NEUTRAL, "broken": (0.95, 0.04, 0.01)}
    with Stage(tmp_path, scorer=FakeScorer(table=table)) as made:
        made.hear(
            make_post("1", "hm, acme pans", url="https://forum.example/1", rating=0.5),
            make_post("2", "hm, acme lids", title="Lids"),
            make_post("3", "acme is broken"),
            make_post("4", "hm, globex"),
        )
        made.work()
        yield made


def cards(page: httpx2.Response | str) -> list[int]:
    """The mentions on the page."""
    return [int(n) for n in re.findall(r'id="mention-(\d+)"', page if isinstance(page, str) else page.text)]


def test_the_lane_shows_newest_first_what_the_model_leaned_to(web: httpx2.Client) -> None:
    answer = web.get("/unsure")
    page = text_of(answer)
    assert cards(answer) == [4, 2, 1]
    for said in (
        'Unsure <span class="n" id="left">3</span>', "unsure: neutral", "negative 30 %, neutral 50 %, positive 20 %",
        "Lids", "3 of 5 stars", 'href="https://forum.example/1"', '<b>3</b><span class="unseen"> to settle</span>',
    ):  # fmt: skip
        assert said in page, said
    assert "acme is broken" not in page


def test_the_lane_can_be_of_one_brand(web: httpx2.Client) -> None:
    page = text_of(web.get("/unsure?brand=Globex"))
    assert cards(page) == [4]
    assert '<span class="n" id="left">1</span>' in page
    assert "Nothing is unsure about <bdi>Nobody</bdi>" in text_of(web.get("/unsure?brand=Nobody"))


def test_settling_without_scripts_leads_to_the_next_one_and_offers_undo(web: httpx2.Client, stage: Stage) -> None:
    answer = web.post("/unsure/4", data={"label": "positive", "then": "2", "brand": ""})
    assert answer.status_code == 303
    where, _, anchor = answer.headers["location"].partition("#")
    assert anchor == "mention-2"
    page = text_of(web.get(where))
    assert cards(page) == [2, 1]
    assert "Settled: unsure neutral to positive" in page
    undo = re.search(r'action="(/unsure/undo/\d+)"', page)
    assert undo is not None
    answer = web.post(undo[1])
    assert answer.status_code == 303
    page = text_of(web.get(answer.headers["location"].partition("#")[0]))
    assert "Taken back" in page
    assert cards(page) == [4, 2, 1]


def test_where_one_was_is_kept(web: httpx2.Client) -> None:
    answer = web.post("/unsure/2", data={"label": "not us", "brand": "Acme", "before": "3", "then": "1"})
    assert re.fullmatch(r"/unsure\?brand=Acme&before=3&done=\d+#mention-1", answer.headers["location"])
    answer = web.post("/unsure/1", data={"label": "neutral", "before": "//evil.example", "then": "x#y"})
    assert re.fullmatch(r"/unsure\?done=\d+", answer.headers["location"])


def test_what_is_refused_is_said_on_the_page(web: httpx2.Client) -> None:
    web.post("/unsure/4", data={"label": "positive"})
    answer = web.post("/unsure/4", data={"label": "negative"})
    assert answer.status_code == 409
    assert "It is settled already: positive." in answer.text
    assert web.post("/unsure/1", data={"label": "neutral", "state": "another"}).status_code == 409
    assert web.post("/unsure/4711", data={"label": "positive"}).status_code == 404
    assert web.post("/unsure/1", data={"label": "angry"}).status_code == 400


def test_long_lanes_have_pages_and_long_texts_an_end(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(*(make_post(f"more {n}", f"hm acme {n} " + "x" * 3000) for n in range(40)))
    stage.work()
    first = web.get("/unsure")
    assert len(cards(first)) == 25
    assert "x" * 2001 not in first.text
    older = web.get(f"/unsure?before={cards(first)[-1]}")
    assert len(cards(older)) == 18
    assert not set(cards(first)) & set(cards(older))
    assert "Nothing older is unsure" in web.get("/unsure?before=1").text


def test_an_empty_lane_says_so(web: httpx2.Client) -> None:
    for mention in (4, 2, 1):
        web.post(f"/unsure/{mention}", data={"label": "neutral"})
    page = text_of(web.get("/unsure"))
    assert "Nothing is unsure" in page
    assert "to settle" not in page


def test_who_may_not_correct_reads_and_is_offered_no_button(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "viewer") as viewer:
        page = text_of(viewer.get("/unsure"))
        assert cards(page) == [4, 2, 1]
        assert '<button class="label' not in page
        assert 'href="/unsure"' not in text_of(viewer.get("/mentions"))
        assert viewer.post("/unsure/4", data={"label": "positive"}).status_code == 403


def test_programs_list_settle_and_take_back(web: httpx2.Client, stage: Stage) -> None:
    told = web.get("/api/v1/unsure?brand=Acme&limit=1").json()
    assert told["left"] == 2
    [found] = told["mentions"]
    assert (found["mention"]["id"], found["brand"], found["case"]) == (2, "Acme", None)
    done = web.post("/api/v1/unsure/2", json={"label": "not us", "state": found["state"]}).json()
    assert (done["mention"], done["label"], done["left"]) == (2, "not us", 2)
    assert stage.store.trends.totals() == {("Acme", "neutral"): 1, ("Acme", "negative"): 1, ("Globex", "neutral"): 1}
    refused = web.post("/api/v1/unsure/2", json={"label": "positive"})
    assert (refused.status_code, "settled already: not about us" in refused.json()["error"]) == (409, True)
    back = web.post(f"/api/v1/unsure/undo/{done['event']}").json()
    assert (back["mention"], back["left"]) == (2, 3)
    assert web.post("/api/v1/unsure/4711", json={"label": "positive"}).status_code == 404
    assert web.get(f"/api/v1/unsure?before={found['mention']['id']}").json()["mentions"][0]["mention"]["id"] == 1


@pytest.mark.sources  # it reads the templates
def test_hostile_texts_are_shown_as_text(
    web: httpx2.Client, stage: Stage, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    every = [f"q{n}q{text[:1500]} hm acme" for n, text in enumerate(hostile.texts())]
    posts = [make_post(f"h{n}", text, title=text[:200], url=hostile.LINKS[n % 9]) for n, text in enumerate(every)]
    stage.hear(*posts)
    stage.work()
    before, faults, seen = 2**40, [], set()
    while cards(answer := web.get(f"/unsure?before={before}")):
        found = read(answer, ours)
        faults += found.faults
        seen |= found.marks
        before = cards(answer)[-1]
    assert faults == []
    assert seen == set(range(len(every)))
