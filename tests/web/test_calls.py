"""The form by which a call is logged: quick, remembered, private, and taken back."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from listener.web import Server
from tests.web.stage import Stage


@pytest.fixture
def desk(stage: Stage, server: Server) -> httpx2.Client:
    return stage.signed_in(server.url)


def form(page: httpx2.Response) -> dict[str, str]:
    """The form as it comes, with the words and the mood that a colleague adds."""
    [key] = re.findall(r'name="key" value="([^"]+)"', page.text)
    [brand] = re.findall(r'name="brand" value="(\w+)" required checked', page.text)
    return {"key": key, "brand": brand, "words": "the parcel never came", "mood": "negative", "way": "phone"}


def log(desk: httpx2.Client, **fields: str) -> httpx2.Response:
    return desk.post("/calls/new", data={**form(desk.get("/calls/new")), **fields}, follow_redirects=True)


def test_a_call_is_logged_routed_and_leads_to_its_case(stage: Stage, desk: httpx2.Client) -> None:
    page = log(desk, topic="delivery", customer="+46 70 123", call_back="1")
    assert "Logged:" in page.text
    assert "being routed" in page.text
    stage.work()
    [case] = stage.store.cases.unresolved()
    assert (case.author, case.severity) == ("+46 70 123", "high")
    assert len(stage.channels["desk"].messages) == 1
    assert f'<a href="/cases/{case.public_id}">its case</a>' in desk.get(str(page.url)).text
    shown = desk.get(f"/cases/{case.public_id}").text
    assert "Wants to be called back" in shown


@pytest.mark.parametrize("path", ["/cases", "/cases/{case}", "/mentions"])
def test_a_call_is_marked_private_wherever_it_is_read(stage: Stage, desk: httpx2.Client, path: str) -> None:
    log(desk)
    stage.work()
    [case] = stage.store.cases.unresolved()
    assert "private: never quote" in desk.get(path.format(case=case.public_id)).text


def test_a_case_of_calls_says_that_nobody_answers_in_public(stage: Stage, desk: httpx2.Client) -> None:
    log(desk)
    stage.work()
    [case] = stage.store.cases.unresolved()
    assert "Told in private" in desk.get(f"/cases/{case.public_id}").text


def test_no_mood_is_chosen_beforehand(desk: httpx2.Client) -> None:
    page = desk.get("/calls/new")
    assert not re.search(r'name="mood"[^>]*checked', page.text)
    refused = desk.post("/calls/new", data={**form(page), "mood": ""})
    assert refused.status_code in {400, 409}


def test_the_form_remembers_the_brand_and_the_topics(desk: httpx2.Client) -> None:
    log(desk, brand="Globex", topic="delivery")
    page = desk.get("/calls/new")
    assert form(page)["brand"] == "Globex"
    assert '<option value="delivery">' in page.text


def test_what_was_refused_keeps_what_was_typed(desk: httpx2.Client) -> None:
    page = log(desk, words="  ", topic="delivery", call_back="1", mood="positive")
    assert page.status_code == 409
    assert "A call needs words" in page.text
    assert 'value="delivery"' in page.text
    assert re.search(r'name="call_back"[^>]*checked', page.text)
    assert re.search(r'name="mood" value="positive"[^>]*checked', page.text)


def test_sent_twice_it_is_logged_once(stage: Stage, desk: httpx2.Client) -> None:
    filled = form(desk.get("/calls/new"))
    first, second = (desk.post("/calls/new", data=filled) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert stage.store.db.read("SELECT count(*) FROM posts")[0][0] == 1


def test_a_call_is_taken_back(stage: Stage, desk: httpx2.Client) -> None:
    page = log(desk)
    stage.work()
    [event] = re.findall(r'action="/calls/undo/(\d+)"', page.text)
    back = desk.post(f"/calls/undo/{event}", follow_redirects=True)
    assert "Taken back." in back.text
    assert f"/calls/undo/{event}" not in back.text
    assert stage.store.cases.unresolved() == ()


def test_the_words_of_a_caller_are_text(stage: Stage, desk: httpx2.Client) -> None:
    page = log(desk, words="<script>alert(1)</script>", topic='"><script>', customer="<i>")
    assert "<script>alert" not in page.text
    assert '"><script>' not in page.text


def test_marketers_do_not_log_calls(stage: Stage, server: Server) -> None:
    marketer = stage.signed_in(server.url, "marketer")
    assert marketer.get("/calls/new").status_code == 403
    assert 'href="/calls/new"' not in marketer.get("/cases").text


def test_the_form_is_one_step_from_everywhere(desk: httpx2.Client) -> None:
    assert 'href="/calls/new"' in desk.get("/mentions").text


def test_without_a_brand_the_form_says_what_to_do(tmp_path: Path) -> None:
    # The page is rendered, since a configuration without brands has nothing to route either.
    with Stage(tmp_path, '[[channel]]\nname = "desk"\nadapter = "console"\n') as stage:
        assert stage.calls.brands == ()


def test_programs_log_calls_once(stage: Stage, desk: httpx2.Client) -> None:
    call = {"id": "pbx-1", "brand": "Acme", "words": "the parcel never came", "mood": "negative"}
    first, second = (desk.post("/api/v1/calls", json=call) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["waiting"] is True
    stage.work()
    [found] = desk.get("/api/v1/calls").json()
    assert found["case"] == stage.store.cases.unresolved()[0].public_id
    assert desk.post("/api/v1/calls", json={**call, "words": "else"}).status_code == 409
    gone = desk.post(f"/api/v1/calls/undo/{found['event']}").json()
    assert gone["taken_back_at"] is not None
    assert stage.store.cases.unresolved() == ()
