"""Machines that watch are told the truth: the process answers, the work goes on or why not, and the figures."""

from __future__ import annotations

from datetime import timedelta

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from listener.core.errors import Unavailable
from listener.core.event import Actor
from listener.testing import FakeScorer, make_post
from listener.web.watchers import METRICS
from tests.web.stage import Stage
from tests.web.test_topic_pages import heard


def figures(web: httpx2.Client) -> dict[str, float]:
    """Every sample by name and label values, as in "listener_cases open"."""
    answer = web.get("/metrics")
    assert answer.status_code == 200
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_healthz_answers_even_without_a_database(web: httpx2.Client, stage: Stage) -> None:
    stage.store.db.write("ALTER TABLE places RENAME TO gone")
    assert web.get("/healthz").status_code == 200


def test_readyz_says_ready(web: httpx2.Client) -> None:
    answer = web.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")


def test_readyz_says_every_reason_why_not(web: httpx2.Client, stage: Stage) -> None:
    stage.troubles = ("The model is not loaded yet.", "The step judge has not moved for 5 minutes.")
    for place in ("forum", "reviews"):
        stage.lose(place, Unavailable("no answer"))
    answer = web.get("/readyz")
    assert answer.status_code == 503
    assert answer.text.splitlines() == [*stage.troubles, "Every place is down: nothing is heard."]
    assert figures(web)["listener_ready"] == 0


def test_one_place_that_is_down_does_not_stop_the_work(web: httpx2.Client, stage: Stage) -> None:
    stage.lose("forum", Unavailable("no answer"))
    assert web.get("/readyz").status_code == 200
    assert figures(web)["listener_places_down"] == 1
    assert figures(web)["listener_place_up forum"] == 0


def test_a_stream_that_does_not_stand_is_a_figure_and_no_trouble(web: httpx2.Client, stage: Stage) -> None:
    assert not [name for name in figures(web) if name.startswith("listener_place_listening")]
    stage.store.places.listens("forum", since=stage.clock(), why=None)
    stage.store.places.listens("reviews", since=None, why="@: town.example answered 404")
    found = figures(web)
    assert (found["listener_place_listening forum"], found["listener_place_listening reviews"]) == (1, 0)
    assert (web.get("/readyz").status_code, found["listener_places_down"]) == (200, 0)


def test_readyz_says_that_the_database_cannot_be_read(web: httpx2.Client, stage: Stage) -> None:
    stage.store.db.write("ALTER TABLE places RENAME TO gone")
    answer = web.get("/readyz")
    assert answer.status_code == 503
    assert "database cannot be read" in answer.text


def test_metrics_count_what_the_store_holds(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme broken"), make_post("2", "I love acme"), make_post("3", "nobody"))
    stage.work()
    stage.hear(make_post("4", "acme waits"))
    stage.clock.forward(timedelta(seconds=90))
    found = figures(web)
    expected = {
        "listener_ready": 1, "listener_mentions judge": 1, "listener_mentions done": 2, "listener_mentions dead": 0,
        "listener_mentions_judged_total Acme negative": 1, "listener_mentions_judged_total Acme positive": 1,
        "listener_oldest_waiting_seconds judge": 90, "listener_oldest_waiting_seconds route": 0,
        "listener_cases open": 1, "listener_cases resolved": 0, "listener_notifications sent": 1,
        "listener_notifications dead": 0, "listener_places": 2, "listener_places_down": 0, "listener_place_up forum": 1,
        "listener_posts_total stored forum": 3, "listener_posts_total unmatched forum": 1,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_every_metric_is_described_and_given(web: httpx2.Client, stage: Stage) -> None:
    stage.scorer = FakeScorer(table={"broken": (0.95, 0.04, 0.01), "hm": (0.4, 0.5, 0.1)})
    heard(stage)
    stage.hear(make_post("5", "hm acme"))
    stage.work()
    [unsure] = stage.store.trails.unsure()
    stage.settling.settle(unsure.mention.id, "positive", Actor(colleague=stage.colleague("agent", "dana"), via="page"))
    stage.hear(make_post("6", "hm acme, still"))
    stage.work()
    stage.store.places.listens("forum", since=stage.clock(), why=None)
    text = web.get("/metrics").text
    for name, meaning in METRICS.items():
        assert f"# HELP {name} {meaning}" in text
    given = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    assert given == set(METRICS)


def test_metrics_count_topics_with_their_mood(web: httpx2.Client, stage: Stage) -> None:
    heard(stage)
    found = {name: n for name, n in figures(web).items() if name.startswith("listener_topic_mentions_total")}
    assert {name: n for name, n in found.items() if "delivery" in name} == {
        "listener_topic_mentions_total Acme negative delivery": 1,
        "listener_topic_mentions_total Acme neutral delivery": 1,
    }
    assert sum(found.values()) == 3


def test_the_waiting_mention_of_any_priority_is_found(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme old"))
    stage.clock.forward(timedelta(minutes=5))
    stage.hear(make_post("2", "acme one star", rating=0.0))
    assert figures(web)["listener_oldest_waiting_seconds judge"] == 300
