"""The pages of campaigns and their JSON: registered, changed, withdrawn, read; and what is said of a misfit."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from listener.casework.campaigns import EXAMPLES
from listener.core.campaign import Campaign, Draft
from listener.core.colleague import Role
from listener.core.event import Actor
from listener.testing import START, make_post
from listener.web import Server
from tests.web.stage import Stage

DAY = timedelta(days=1)
FORM = {
    "name": "Free returns", "brand": "Acme", "starts_at": f"{START - DAY:%Y-%m-%dT%H:%M}",
    "ends_at": f"{START + 3 * DAY:%Y-%m-%dT%H:%M}", "terms": "free returns\r\ngratis", "promises": "Nothing to pay.",
    "known_issues": "Slow labels.", "wording": "We are sorry.",
}  # fmt: skip
API = "/api/v1/campaigns"
BRIEF = {**FORM, "terms": ["free returns"], "starts_at": f"{START - DAY:%Y-%m-%dT%H:%M}Z"}


def client(stage: Stage, server: Server, role: Role, handle: str = "") -> httpx2.Client:
    return stage.signed_in(server.url, role, handle)


@pytest.fixture
def mia(stage: Stage, server: Server) -> httpx2.Client:
    return client(stage, server, "marketer", "mia")


@pytest.fixture
def ann(stage: Stage, server: Server) -> httpx2.Client:
    return client(stage, server, "agent", "ann")


def register(stage: Stage, **changes: Any) -> Campaign:
    """A campaign that Mia registered."""
    by = Actor(colleague=stage.colleague("marketer", "mia"), via="page")
    return stage.campaigns.register(Draft(**{**FORM, **changes}), by)


def said(answer: httpx2.Response) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def values(answer: httpx2.Response) -> dict[str, str]:
    """What the fields of a form hold."""
    found = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', answer.text)
    found += re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n([^<]*)</textarea>', answer.text)
    found += re.findall(r'<select[^>]* name="(\w+)".*?<option selected>([^<]*)', answer.text, re.DOTALL)
    return {name: html.unescape(value) for name, value in found}


def test_without_campaigns_the_page_says_what_a_brief_is_for(mia: httpx2.Client, ann: httpx2.Client) -> None:
    assert "A brief tells the people who answer customers" in said(mia.get("/campaigns"))
    assert "/campaigns/new" in mia.get("/campaigns").text
    theirs = ann.get("/campaigns")
    assert "/campaigns/new" not in theirs.text
    assert "Marketers, leads and admins register campaigns" in said(theirs)


def test_a_campaign_is_registered_by_a_form_and_found_where_it_leads(mia: httpx2.Client, stage: Stage) -> None:
    assert mia.get("/campaigns/new").status_code == 200
    answer = mia.post("/campaigns/new", data=FORM)
    assert answer.status_code == 303
    (campaign,) = stage.store.campaigns.page()
    assert answer.headers["location"] == f"/campaigns/{campaign.public_id}"
    assert campaign.brief.terms == ("free returns", "gratis")
    page = said(mia.get(answer.headers["location"]))
    for word in ("Free returns", "Nothing to pay.", "Slow labels.", "We are sorry.", "gratis", "running", "version 1"):
        assert word in page


def test_a_form_that_does_not_fit_keeps_what_was_typed_and_says_why_beside_it(mia: httpx2.Client, stage: Stage) -> None:
    typed = {**FORM, "name": "", "ends_at": "never", "wording": '</textarea><script>"&'}
    answer = mia.post("/campaigns/new", data=typed)
    assert answer.status_code == 422
    assert stage.store.campaigns.page() == ()
    kept = values(answer)
    assert {name: kept[name] for name in FORM} == {**typed, "terms": "free returns\r\ngratis"}
    assert re.search(r'id="name"[^>]*aria-invalid="true" aria-describedby="name-hint name-error"', answer.text)
    assert re.search(r'<p class="field-error" id="name-error">Give it a name', answer.text)
    assert re.search(r'<p class="field-error" id="ends_at-error">Write a date', answer.text)
    assert "2 fields need a look" in said(answer)
    assert 'href="#ends_at"' in answer.text
    assert "<script>" not in answer.text.partition("<form")[2]


def test_a_preview_saves_nothing_and_shows_examples(mia: httpx2.Client, stage: Stage) -> None:
    stage.hear(*(make_post(str(n), f"acme free returns {n}") for n in range(5)), make_post("x", "acme <b>else</b>"))
    answer = mia.post("/campaigns/new", data={"act": "preview", "brand": "Acme", "terms": "free returns"})
    assert answer.status_code == 200
    assert "5 mentions of the 6 heard in the last 30 days would carry this brief if it ran now" in said(answer)
    assert answer.text.count('class="example"') == EXAMPLES
    assert "<mark>free returns</mark>" in answer.text
    assert values(answer)["terms"] == "free returns"
    assert stage.store.campaigns.page() == ()
    every = mia.post("/campaigns/new", data={"act": "preview", "brand": "Acme"})
    assert "6 mentions of the 6" in said(every)
    assert "&lt;b&gt;else" in every.text
    assert mia.post("/campaigns/new", data={"act": "preview"}).status_code == 422


def test_a_change_is_a_new_version(mia: httpx2.Client, stage: Stage) -> None:
    path = f"/campaigns/{register(stage).public_id}"
    form = values(mia.get(f"{path}/edit"))
    assert form["version"] == "1"
    assert form["starts_at"] == FORM["starts_at"]
    assert mia.post(f"{path}/edit", data={**form, "wording": "Sorry."}).status_code == 303
    page = said(mia.get(path))
    assert "version 2, changed" in page
    assert "version 2: approved wording" in page


def test_of_two_who_edit_at_once_the_second_sees_what_differs_and_may_then_save(
    mia: httpx2.Client, web: httpx2.Client, stage: Stage
) -> None:
    path = f"/campaigns/{register(stage).public_id}/edit"
    mine, theirs = values(mia.get(path)), values(web.get(path))
    assert web.post(path, data={**theirs, "wording": "Theirs", "known_issues": ""}).status_code == 303
    answer = mia.post(path, data={**mine, "wording": "Mine"})
    assert answer.status_code == 409
    assert "Approved wording Theirs Mine" in said(answer)
    assert "Known issues (empty) Slow labels." in said(answer)
    assert "Promises Nothing to pay. Nothing" not in said(answer)
    again = values(answer)
    assert (again["wording"], again["version"]) == ("Mine", "2")
    assert mia.post(path, data=again).status_code == 303
    (campaign,) = stage.store.campaigns.page()
    assert (campaign.version, campaign.brief.wording) == (3, "Mine")


def test_a_withdrawal_can_be_taken_back(mia: httpx2.Client, stage: Stage) -> None:
    path = f"/campaigns/{register(stage).public_id}"
    assert mia.post(f"{path}/withdraw").status_code == 303
    page = mia.get(path)
    assert "Take the withdrawal back" in said(page)
    assert f"{path}/edit" not in page.text
    assert mia.post(f"{path}/withdraw").status_code == 409
    assert mia.post(f"{path}/restore").status_code == 303
    assert "running" in said(mia.get(path))


def test_the_list_says_what_runs_what_comes_and_what_is_over(ann: httpx2.Client, stage: Stage) -> None:
    register(stage)
    register(stage, name="Winter sale", starts_at=f"{START + DAY:%Y-%m-%dT%H:%M}")
    register(stage, name="Summer", starts_at="2026-06-01T00:00", ends_at="2026-07-01T00:00")
    page = said(ann.get("/campaigns"))
    assert re.search(r"Running now 1 .*Free returns.*To come 1 .*Winter sale.*Over 1 .*Summer", page)
    assert "Withdrawn" not in page


def test_an_agent_is_asked_to_read_a_brief_until_they_did(ann: httpx2.Client, stage: Stage) -> None:
    stage.colleague("agent", "ann")
    campaign = register(stage)
    assert '<span class="badge">1<' in ann.get("/campaigns").text
    assert "You have not read its brief" in said(ann.get("/campaigns"))
    answer = ann.post(f"/campaigns/{campaign.public_id}/read", data={"version": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/campaigns/{campaign.public_id}")
    assert 'class="badge"' not in ann.get("/campaigns").text
    assert "You read it now" in said(ann.get(f"/campaigns/{campaign.public_id}"))


def test_a_version_that_is_no_longer_the_brief_cannot_be_marked_as_read(
    ann: httpx2.Client, mia: httpx2.Client, stage: Stage
) -> None:
    path = f"/campaigns/{register(stage).public_id}"
    mia.post(f"{path}/edit", data={**FORM, "version": "1", "wording": "Sorry."})
    answer = ann.post(f"{path}/read", data={"version": "1"})
    assert answer.status_code == 409
    assert "read it as it is now" in said(answer)
    assert ann.post(f"{path}/read", data={"version": "two"}).status_code == 400


@pytest.mark.parametrize(
    ("case", "leads"),
    [("abc-_9", "/cases/abc-_9"), ("//evil.example", None), ("../x", None), ("", None), ("-", None), ("é", None)],
)
def test_after_reading_on_a_case_one_is_back_at_the_case_and_nowhere_else(
    ann: httpx2.Client, stage: Stage, case: str, leads: str | None
) -> None:
    path = f"/campaigns/{register(stage).public_id}"
    answer = ann.post(f"{path}/read", data={"version": "1", "case": case})
    assert answer.headers["location"] == (leads or path)


def test_leads_and_the_owner_see_who_has_not_read_it_and_others_do_not(
    mia: httpx2.Client, ann: httpx2.Client, web: httpx2.Client, stage: Stage, server: Server
) -> None:
    other = client(stage, server, "marketer", "max")
    path = f"/campaigns/{register(stage).public_id}"
    for page in ("/campaigns", path):
        for who in (mia, web):
            assert re.search(r"(Not read yet|Not yet, though on duty).* Ann ?, Lead", said(who.get(page)))
        for who in (ann, other):
            assert not re.search(r"Not read yet|Not yet, though", said(who.get(page)))
    for who in (ann, web):
        who.post(f"{path}/read", data={"version": "1"})
    assert "Everybody on duty has read this version" in said(mia.get(path))
    assert "Not read yet" not in said(web.get("/campaigns"))


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_who_may_not_write_campaigns_is_told_who_may(stage: Stage, server: Server, role: Role) -> None:
    path = f"/campaigns/{register(stage).public_id}"
    with client(stage, server, role) as who:
        assert f"{path}/edit" not in who.get(path).text
        for answer in (
            who.get("/campaigns/new"), who.post("/campaigns/new", data=FORM), who.get(f"{path}/edit"),
            who.post(f"{path}/edit", data={**FORM, "version": "1"}), who.post(f"{path}/withdraw"),
            who.post(f"{path}/restore"),
        ):  # fmt: skip
            assert answer.status_code == 403
            assert "marketer or lead or admin" in said(answer)
    (campaign,) = stage.store.campaigns.page()
    assert campaign.version == 1


def test_a_viewer_sees_a_brief_and_no_button_to_mark_it(stage: Stage, server: Server) -> None:
    path = f"/campaigns/{register(stage).public_id}"
    with client(stage, server, "viewer") as who:
        page = who.get(path)
        assert "Nothing to pay." in page.text
        assert "I have read it" not in page.text
        assert who.post(f"{path}/read", data={"version": "1"}).status_code == 403


def test_what_is_not_there_is_nowhere(web: httpx2.Client) -> None:
    posts = ("edit", "withdraw", "restore", "read")
    assert web.get("/campaigns/nobody").status_code == web.get("/campaigns/nobody/edit").status_code == 404
    for act in posts:
        assert web.post(f"/campaigns/nobody/{act}", data={**FORM, "version": "1"}).status_code == 404
        answer = web.post(f"{API}/nobody/{act}", json={"version": 1})
        assert answer.status_code in {404, 405}
    assert web.put(f"{API}/nobody", json={"version": 1, "brief": BRIEF}).status_code == 404


def test_programs_do_the_same(mia: httpx2.Client, ann: httpx2.Client, stage: Stage) -> None:
    stage.colleague("agent", "ann")
    answer = mia.post(API, json=BRIEF)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["version"], made["owner"], made["unread"]) == ("running", 1, "Mia", ["Ann"])
    assert made["brief"]["terms"] == ["free returns"]
    path = f"{API}/{made['id']}"
    assert ann.post(f"{path}/read", json={"version": 1}).json()["read_at"]
    assert ann.get(path).json()["unread"] is None
    assert mia.get(path).json()["unread"] == []
    changed = mia.put(path, json={"version": 1, "brief": {**BRIEF, "name": "Other"}})
    assert (changed.json()["version"], changed.json()["unread"]) == (2, ["Ann"])
    stale = mia.put(path, json={"version": 1, "brief": {**BRIEF, "name": "Third"}})
    assert stale.status_code == 409
    assert "Somebody changed the brief" in stale.json()["error"]
    assert ann.post(f"{path}/read", json={"version": 1}).status_code == 409
    assert mia.post(f"{path}/withdraw").json()["state"] == "withdrawn"
    assert mia.get(API, params={"state": "running"}).json() == {"campaigns": []}
    assert mia.post(f"{path}/restore").json()["state"] == "running"
    assert len(mia.get(API).json()["campaigns"]) == 1


def test_programs_are_told_which_field_does_not_fit(mia: httpx2.Client) -> None:
    answer = mia.post(API, json={**BRIEF, "name": "", "ends_at": BRIEF["starts_at"]})
    assert answer.status_code == 422
    assert list(answer.json()["problems"]) == ["name", "ends_at"]
    assert mia.post(API, json={**BRIEF, "ends_at": "never"}).status_code == 400
    assert mia.post(f"{API}/preview", json={"brand": "Nobody"}).status_code == 422


def test_programs_preview(mia: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme free returns"), make_post("2", "acme"))
    found = mia.post(f"{API}/preview", json={"brand": "Acme", "terms": ["free returns"]}).json()
    assert found == {"looked_at": 2, "carried": 1, "full": False}


def test_a_case_carries_the_brief_and_the_list_tells_leads(
    ann: httpx2.Client, web: httpx2.Client, stage: Stage
) -> None:
    stage.colleague("agent", "ann")
    campaign = register(stage)
    stage.hear(make_post("1", "acme free returns broken", author="kim"), make_post("2", "acme broken", author="lou"))
    stage.work()
    cases = {case.author: case.public_id for case in stage.store.cases.unresolved()}
    page = ann.get(f"/cases/{cases['kim']}")
    assert "What marketing promised" in said(page)
    assert f'action="/campaigns/{campaign.public_id}/read"' in page.text
    assert "What marketing promised" not in said(ann.get(f"/cases/{cases['lou']}"))
    assert said(web.get("/cases")).count("1 brief is not read yet: Free returns by 2 colleagues on duty") == 1
    assert "not read yet" not in said(ann.get("/cases"))
