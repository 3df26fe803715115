"""How often labels were right where somebody looked: on the trends page, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from listener.core.event import OPERATOR
from tests.casework.test_teaching import TABLE, Meaningful, teach
from tests.web.stage import Stage
from tests.web.test_pages import text_of
from tests.web.test_watchers import figures


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path, scorer=Meaningful(table=TABLE)) as made:
        teach(made)
        yield made


def test_the_page_and_its_twin_tell_accuracy_and_the_head(web: httpx2.Client, stage: Stage) -> None:
    page = text_of(web.get("/trends"))
    assert "Of 80 labels that people looked at, 50 % were right as judged (confident ones: 100 % of 20)." in page
    assert web.get("/api/v1/accuracy").json()["brands"][0]["head"] is None
    stage.teaching.retrain("Acme", OPERATOR)
    page = text_of(web.get("/trends"))
    assert "Corrections move what is judged: version 1 of" in page
    assert "not used" not in page
    [told] = web.get("/api/v1/accuracy").json()["brands"]
    assert (told["brand"], told["looked"], told["right"], told["confident_right"]) == ("Acme", 80, 40, 20)
    assert (told["head"]["used"], told["head"]["name"]) == (True, "table@1+acme.1")
    assert told["head"]["held_after"]["macro_recall"] > told["head"]["held_before"]["macro_recall"]
    stage.scorer = Meaningful(table=TABLE, revision="2")
    assert "not used</strong>: it belongs to another revision of the model" in text_of(web.get("/trends"))
    assert web.get("/api/v1/accuracy").json()["brands"][0]["head"]["used"] is False


def test_metrics_tell_corrections_and_the_head_in_use(web: httpx2.Client, stage: Stage) -> None:
    told = {"listener_corrections Acme right": 40, "listener_corrections Acme wrong": 40}
    assert figures(web).items() >= {**told, "listener_head_version Acme": 0}.items()
    stage.teaching.retrain("Acme", OPERATOR)
    assert figures(web)["listener_head_version Acme"] == 1
    stage.scorer = Meaningful(table=TABLE, revision="2")
    assert figures(web)["listener_head_version Acme"] == 0
