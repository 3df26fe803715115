"""The trends say what it was about, by brand; the mentions carry their topics, and can be listed by one."""

from __future__ import annotations

from dataclasses import replace

import httpx2

from listener.core.topic import Topic
from listener.testing import START, make_post
from tests.web.stage import Stage
from tests.web.test_pages import text_of

TOPICS = (
    Topic(name="delivery", description="Parcels & couriers", phrases=("late parcel",)),
    Topic(name="<b>made</b>", description="How it is made", phrases=("fell apart",)),
)


def heard(stage: Stage) -> None:
    """Three posts on two topics."""
    stage.rules = replace(stage.rules, topics=TOPICS)
    stage.hear(
        make_post("1", "acme: late parcel, broken"),
        make_post("2", "I love acme, no late parcel ever"),
        make_post("3", "The acme kettle fell apart"),
        make_post("4", "acme, what a day"),
    )
    stage.work()


def test_trends_say_what_it_was_about(web: httpx2.Client, stage: Stage) -> None:
    heard(stage)
    page = text_of(web.get("/trends"))
    row = page.partition("<bdi>delivery</bdi></a></th>")[2]
    assert row.startswith("<td>2</td>")
    assert "negative 1, neutral 1, positive 0" in row.partition("</tr>")[0]
    assert "&lt;b&gt;made&lt;/b&gt;" in page
    assert "<b>made</b>" not in page
    assert page.index("<bdi>delivery</bdi>") < page.index("&lt;b&gt;made"), "the most mentions first"


def test_without_topics_the_trends_say_how_to_write_them(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme broken"))
    stage.work()
    assert "<code>[[topic]]</code> with a name" in text_of(web.get("/trends"))


def test_the_trends_of_one_brand(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme broken"), make_post("2", "globex broken"))
    stage.work()
    both, one = text_of(web.get("/trends")), text_of(web.get("/trends", params={"brand": "Acme", "days": "7"}))
    assert ("Read what was said about <bdi>Globex</bdi>" in both, "about <bdi>Globex</bdi>" in one) == (True, False)
    assert 'href="/trends?days=30&amp;brand=Acme"' in one
    assert "Nothing was counted" in text_of(web.get("/trends", params={"brand": "Nobody"}))


def test_mentions_carry_their_topics_and_are_listed_by_one(web: httpx2.Client, stage: Stage) -> None:
    heard(stage)
    page = text_of(web.get("/mentions"))
    assert 'class="chip topic negative"' in page
    assert "100 % near “late parcel”" in page
    listed = text_of(web.get("/mentions", params={"topic": "delivery", "label": "negative"}))
    assert "acme: late parcel" in " ".join(listed.replace("<mark>", "").replace("</mark>", "").split())
    assert "no late parcel ever" not in listed
    assert "No mention fits" in text_of(web.get("/mentions", params={"topic": "weather"}))


def test_the_rollup_is_read_by_span(stage: Stage) -> None:
    heard(stage)
    assert stage.store.trends.topics(START.replace(year=2025), START.replace(year=2025, month=12)) == {}
