"""Which words carried a verdict: the page, the JSON, what is kept, and what happens when the model cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from listener.core.errors import Unavailable
from listener.testing import FakeScorer, make_post
from listener.web import Server
from tests.web import hostile
from tests.web.stage import Stage
from tests.web.test_accessibility import axe
from tests.web.test_hostile_texts import ours, read
from tests.web.test_pages import only_case, text_of

__all__ = ["axe", "ours"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        made.hear(
            make_post("1", "The acme kettle is broken, sadly.", title="Kettle", rating=0.0),
            make_post("2", "acme opens at nine"),
        )
        made.work()
        yield made


def test_the_words_are_marked_once_somebody_asked(web: httpx2.Client, stage: Stage) -> None:
    asked = stage.scorer
    assert isinstance(asked, FakeScorer)
    before = len(asked.batches)
    link = '<a class="which" href="/mentions/1/words">Which words?</a>'
    case = only_case(stage)
    for path in ("/mentions", case):
        assert link in text_of(web.get(path))
    assert len(asked.batches) == before
    page = text_of(web.get("/mentions/1/words"))
    assert 'The model reads “negative” mainly in <bdi dir="auto">“broken”</bdi>&nbsp;(90)' in page
    assert 'is <mark class="carried much">broken</mark>, sadly.' in page
    assert "The stars are not words" in page
    assert f'href="{case}#mention-1"' in page
    for path in ("/mentions", case):
        page = text_of(web.get(path))
        assert link not in page
        assert '<mark class="carried much">broken</mark>' in page
    assert len(asked.batches) == before + 1
    assert "No single words make this “neutral”" in text_of(web.get("/mentions/2/words"))


def test_programs_get_the_weights(web: httpx2.Client) -> None:
    told = web.get("/api/v1/mentions/1/words").json()
    assert (told["label"], told["scorer"], told["text"]) == (
        "negative", "table@1", "Kettle\nThe acme kettle is broken, sadly.",
    )  # fmt: skip
    first, *others = told["words"]
    assert (first["words"], told["text"][first["start"] : first["end"]]) == ("broken", "broken")
    assert first["weight"] > 0.5
    assert [each["weight"] for each in others] == [0] * 6


def test_another_text_or_another_scorer_is_asked_anew(web: httpx2.Client, stage: Stage) -> None:
    web.get("/mentions/1/words")
    stage.scorer = FakeScorer(revision="2")
    web.get("/mentions/1/words")
    assert stage.scorer.batches == [15]
    stage.hear(make_post("1", "I love acme", title="Kettle"))
    assert "Which words?" in text_of(web.get("/mentions"))
    stage.work()
    assert "“love”" in text_of(web.get("/mentions/1/words"))
    assert len(stage.store.db.read("SELECT * FROM word_weights")) == 1


def test_no_word_is_kept_and_weights_go_with_the_post(web: httpx2.Client, stage: Stage) -> None:
    web.get("/mentions/1/words")
    [row] = stage.store.db.read("SELECT * FROM word_weights")
    assert "broken" not in str(tuple(row))
    with stage.store.transaction():
        for table in ("case_words", "case_mentions", "verdicts", "mentions"):
            if table not in {"case_words"}:
                stage.store.db.write(f"DELETE FROM {table}")
        stage.store.db.write("DELETE FROM posts")
    assert stage.store.db.read("SELECT * FROM word_weights") == []


def test_a_model_that_cannot_be_asked_is_said_on_the_page(web: httpx2.Client, stage: Stage) -> None:
    def fail(_texts: Sequence[str]) -> None:
        raise Unavailable("out of memory")

    for scorer in (FakeScorer(on_read=fail), FakeScorer(on_read=lambda _: 1 / 0 and None)):
        stage.scorer = scorer
        answer = web.get("/mentions/2/words")
        assert answer.status_code == 409
        assert "The model cannot be asked now" in answer.text
    assert web.get("/mentions/4711/words").status_code == 404


def test_what_was_not_judged_yet_has_no_words(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("3", "acme, again"))
    assert "It was not judged yet" in web.get("/mentions/3/words").text
    assert web.get("/api/v1/mentions/3/words").status_code == 409


def test_long_texts_are_shown_around_what_is_marked(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("3", f"acme {'It is a grey box. ' * 150} It is broken. {'We live in Leeds. ' * 150}"))
    stage.work()
    page = web.get("/mentions/3/words").text
    assert '<mark class="carried much">broken</mark>' in page
    assert page.count("grey box") < 40


@pytest.mark.sources  # it reads the templates
def test_hostile_texts_are_shown_as_text(
    web: httpx2.Client, stage: Stage, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    every = [f"q{n}q broken {text[:3000]} acme broken" for n, text in enumerate(hostile.texts())]
    stage.hear(*(make_post(f"h{n}", text, title=text[:200]) for n, text in enumerate(every)))
    stage.work()
    faults, seen = [], set()
    for row in stage.store.db.read("SELECT id FROM mentions WHERE id > 2"):
        answer = web.get(f"/mentions/{row['id']}/words")
        assert answer.status_code == 200
        found = read(answer, ours)
        faults += found.faults
        seen |= found.marks
    assert faults == []
    assert seen == set(range(len(every)))


@pytest.mark.browser
def test_the_link_fills_itself_in_on_the_page_and_works_without_scripts(
    chromium: Browser, server: Server, stage: Stage
) -> None:
    page = stage.page(chromium, server.url, "agent", "dana", viewport={"width": 1280, "height": 800})
    page.goto(server.url + only_case(stage))
    page.locator("a.which").first.click()
    expect(page.locator("mark.much")).to_have_text("broken")
    assert page.url == server.url + only_case(stage)
    page.goto(server.url + "/mentions")
    page.locator("a.which").first.click()
    expect(page.locator(".carried-by")).to_have_count(2)
    page.close()
    plain = stage.page(chromium, server.url, "agent", "dana", java_script_enabled=False)
    stage.hear(make_post("3", "acme is broken, again"))
    stage.work()
    plain.goto(server.url + "/mentions")
    plain.locator("a.which").first.click()
    expect(plain.locator("mark.much")).to_have_text("broken")
    plain.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Browser, axe: str, server: Server, stage: Stage, scheme: str) -> None:
    page = stage.page(
        chromium, server.url, "lead", viewport={"width": 1280, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    found = []
    for path in ("/mentions/1/words", "/mentions"):
        page.goto(server.url + path)
        page.evaluate(axe)
        for fault in page.evaluate("axe.run()")["violations"]:
            found += [(path, fault["id"], node["html"][:120]) for node in fault["nodes"]]
    page.close()
    assert found == []


def test_of_a_post_about_two_brands_the_words_are_those_about_each(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("9", "The acme lid arrived broken, but I love globex."))
    stage.work()
    acme, globex = (stage.store.trails.judged(brand=brand)[0].mention.id for brand in ("Acme", "Globex"))
    stage.scorer = FakeScorer()
    for mention, label, word, brand in ((acme, "negative", "broken", "Acme"), (globex, "positive", "love", "Globex")):
        told = web.get(f"/api/v1/mentions/{mention}/words").json()
        assert (told["label"], told["part"], told["words"][0]["words"]) == (label, True, word)
        page = text_of(web.get(f"/mentions/{mention}/words"))
        assert f"Of several brands, only what speaks about <bdi>{brand}</bdi> was read: its own clauses." in page
        assert f'<mark class="carried much">{word}</mark>' in page
        assert page.count("<mark") == 1
        listed = text_of(web.get("/mentions")).partition(f'id="words-{mention}"')[2]
        assert f'<mark class="carried much">{word}</mark>' in listed
    assert f'href="/mentions/{acme}/words">Which words?' in text_of(web.get("/mentions")), "the words of another brand"


def test_where_a_pattern_decides_the_page_says_so(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("9", "Left acme for globex today."))
    stage.work()
    mention = stage.store.trails.judged(brand="Acme")[0].mention.id
    told = web.get(f"/api/v1/mentions/{mention}/words").json()
    assert (told["part"], told["about"]) == (False, "left one for the other")
    said = "The post names several brands: left one for the other."
    assert said in text_of(web.get(f"/mentions/{mention}/words"))
