"""Remedies on the pages and as JSON: given, proposed, decided on, done, summed up; and the admins' terms."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx2
import pytest

from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.remedy import Remedy
from listener.testing import FakeScorer, make_post
from listener.web import Server
from tests.web.stage import Stage

API = "/api/v1/remedies"


@pytest.fixture
def case(stage: Stage) -> Case:
    """A case that is severe enough for an allowance of 100.00."""
    stage.scorer = FakeScorer(table={"broken": (0.9, 0.08, 0.02)})
    stage.hear(make_post("1", "acme is broken", author="kim"))
    stage.work()
    [case] = stage.store.cases.unresolved()
    return case


def client(stage: Stage, server: Server, role: Role, handle: str = "") -> httpx2.Client:
    return stage.signed_in(server.url, role, handle)


@pytest.fixture
def ann(stage: Stage, server: Server) -> httpx2.Client:
    return client(stage, server, "agent", "ann")


@pytest.fixture
def root(stage: Stage, server: Server) -> httpx2.Client:
    return client(stage, server, "admin", "root")


def said(answer: httpx2.Response) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def form(answer: httpx2.Response, **fields: str) -> dict[str, str]:
    """The form of a case's page, filled in."""
    [key] = re.findall(r'name="key" value="([^"]+)"', answer.text)
    return {"key": key, "kind": "refund", "amount": "25", "what": "postage", **fields}


def give(web: httpx2.Client, case: Case, **fields: str) -> httpx2.Response:
    """Give something by the form."""
    path = f"/cases/{case.public_id}"
    return web.post(f"{path}/remedies", data=form(web.get(path), **fields))


def only(stage: Stage) -> Remedy:
    """The one remedy there is."""
    [case] = stage.store.cases.unresolved()
    [found] = stage.remedies.of_case(case)
    return found


def test_the_case_says_how_much_one_may_give(
    ann: httpx2.Client, web: httpx2.Client, root: httpx2.Client, case: Case
) -> None:  # noqa: E501
    path = f"/cases/{case.public_id}"
    assert "Give the customer something up to EUR 100.00 without asking" in said(ann.get(path))
    assert "up to EUR 1,000.00 without asking" in said(web.get(path))
    assert "your role has no limit" in said(root.get(path))
    give(ann, case, amount="30")
    assert "EUR 70.00 of EUR 100.00 left without asking" in said(ann.get(path))
    give(ann, case, amount="70")
    assert "your allowance of EUR 100.00 is used up" in said(ann.get(path))


def test_it_is_given_offered_back_and_shown_with_its_history(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    answer = give(ann, case, amount="25,50")
    assert answer.status_code == 303
    page = ann.get(answer.headers["location"])
    text = said(page)
    assert "Given: refund, EUR 25.50: within the allowance of EUR 100.00" in text
    assert "Making it right EUR 25.50 given" in text
    assert "Remedy given by Ann" in text
    [undo] = set(re.findall(r'action="(/cases/undo/\d+)"', page.text))
    assert ann.post(undo).status_code == 303
    assert only(stage).state == "withdrawn"
    assert "EUR 25.50 given" not in said(ann.get(f"/cases/{case.public_id}"))


def test_the_usual_cost_is_taken_where_none_is_typed(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    assert give(ann, case, kind="voucher", amount=" ").status_code == 303
    assert only(stage).cents == 1000


def test_a_form_that_is_sent_twice_gives_once(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    path = f"/cases/{case.public_id}"
    data = form(ann.get(path))
    first, again = (ann.post(f"{path}/remedies", data=data) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert only(stage).cents == 2500


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"amount": "1.234"}, "write an amount as 45 or 45.50"),
        ({"amount": ""}, "refund has no usual cost"),
        ({"kind": ""}, "choose a kind"),
        ({"kind": "<b>horse</b>"}, "choose a kind"),
        ({"what": " "}, "say in a few words"),
        ({"what": "x" * 501}, "at most 500"),
        ({"key": ""}, "a remedy needs a key"),
    ],
)
def test_what_does_not_fit_is_said_and_what_was_typed_is_kept(
    ann: httpx2.Client, case: Case, stage: Stage, fields: dict[str, str], why: str
) -> None:
    answer = give(ann, case, **{"what": 'two "teas" & <i>', **fields})
    assert answer.status_code == 409
    assert why in said(answer)
    assert stage.remedies.of_case(case) == ()
    if "what" not in fields:
        assert 'name="what" value="two &#34;teas&#34; &amp; &lt;i&gt;"' in answer.text
    assert re.search(r'<details class="give" id="give" open', answer.text)


def test_above_the_allowance_it_waits_for_a_lead_who_reads_everything_at_once(
    ann: httpx2.Client, web: httpx2.Client, case: Case, stage: Stage
) -> None:
    answer = give(ann, case, amount="129", what="the kettle")
    mine = said(ann.get(answer.headers["location"]))
    assert "Waits for a decision: refund, EUR 129.00: above the allowance of EUR 100.00" in mine
    assert "It takes a lead or an admin to approve it." in mine
    assert "Approve" not in mine
    page = web.get("/remedies")
    assert "Remedies 1 to decide" in said(page)
    assert "the kettle" in said(page)
    assert "which was given nothing so far" in said(page)
    path = f"/remedies/{only(stage).public_id}/decide"
    assert web.post(path, data={"decision": "decline"}).status_code == 409
    assert "say why" in said(web.post(path, data={"decision": "decline"})).lower()
    assert web.post(path, data={"decision": "approve", "why": "of course"}).headers["location"] == "/remedies"
    assert only(stage).why == "of course"
    shown = said(ann.get(f"/cases/{case.public_id}"))
    assert "approved by Lead" in shown
    assert "of course" in shown
    again = web.post(path, data={"decision": "approve", "case": case.public_id})
    assert again.status_code == 409
    assert "does not wait for a decision" in said(again)


def test_on_the_case_a_decision_leads_back_to_it(
    ann: httpx2.Client, web: httpx2.Client, case: Case, stage: Stage
) -> None:
    give(ann, case, amount="129")
    path = f"/cases/{case.public_id}"
    assert f'name="case" value="{case.public_id}"' in web.get(path).text
    data = {"decision": "decline", "why": "not ours", "case": case.public_id, "back": "view=all"}
    answer = web.post(f"/remedies/{only(stage).public_id}/decide", data=data)
    assert answer.headers["location"].startswith(f"{path}?view=all&done=")
    assert "Declined: refund, EUR 129.00" in said(web.get(answer.headers["location"]))


@pytest.mark.parametrize("case_typed", ["//evil.example", "../admin", "a\r\nx: y", "\u202e"])
def test_a_forms_case_leads_nowhere_else(ann: httpx2.Client, case: Case, stage: Stage, case_typed: str) -> None:
    give(ann, case)
    answer = ann.post(f"/remedies/{only(stage).public_id}/finish", data={"case": case_typed})
    assert answer.headers["location"] == "/remedies"


def test_it_is_done_with_its_outcome_or_withdrawn(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    give(ann, case)
    path = f"/remedies/{only(stage).public_id}"
    assert ann.post(f"{path}/finish", data={"case": case.public_id}).status_code == 303
    told = {"case": case.public_id, "outcome": "She <thanked> us."}
    page = ann.get(ann.post(f"{path}/finish", data=told).headers["location"])
    assert "the customer has it" in said(page)
    assert "She &lt;thanked&gt; us." in page.text
    refused = ann.post(f"{path}/withdraw", data={"case": case.public_id})
    assert (refused.status_code, "there is nothing to withdraw" in said(refused)) == (409, True)
    assert ann.post(f"{path}/withdraw").status_code == 409
    give(ann, case, what="another")
    other = stage.remedies.of_case(case)[-1]
    assert ann.post(f"/remedies/{other.public_id}/withdraw").headers["location"] == "/remedies"


def test_the_figures_are_for_everybody_and_say_what_to_do_when_there_are_none(
    ann: httpx2.Client, web: httpx2.Client, stage: Stage, server: Server, case: Case
) -> None:
    viewer = client(stage, server, "viewer")
    assert "Nothing was given yet" in said(viewer.get("/remedies"))
    give(ann, case, amount="30")
    give(ann, case, kind="voucher", amount="")
    give(web, case, amount="500", what="everything")
    give(ann, case, amount="900", what="too much")
    text = said(viewer.get("/remedies"))
    assert "Given 540.00 EUR, 3 remedies promised or done" in text
    assert "refund 2 530.00 voucher 1 10.00" in text
    assert "lead 1 500.00 agent 2 40.00" in text
    assert "wait for a decision 1 900.00" in text
    assert "Approve" not in text
    assert f'href="/cases/{case.public_id}"' in viewer.get("/remedies").text
    before = viewer.get("/remedies?month=2026-10")
    assert "Nothing was given in October 2026" in said(before)
    assert 'rel="next"' in before.text
    for wrong in ("2026-13", "x", "99999-01", "%00"):
        assert viewer.get(f"/remedies?month={wrong}").status_code == 400
    assert viewer.get("/remedies?page=-4").status_code == 200
    assert viewer.get("/remedies?page=99999999999999999999").status_code == 200


def test_what_is_not_there_is_not_found(ann: httpx2.Client, web: httpx2.Client) -> None:
    assert ann.post("/cases/nowhere/remedies", data={"what": "x"}).status_code == 404
    for act in ("decide", "withdraw", "finish"):
        assert web.post(f"/remedies/nothing/{act}", data={"decision": "approve"}).status_code == 404
        assert web.post(f"/remedies/nothing/{act}", data={"case": "nowhere"}).status_code == 404


# --- the terms ------------------------------------------------------------------------------------------------------


def cells(answer: httpx2.Response) -> dict[str, list[str]]:
    """The table of allowances as its form is sent."""
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', answer.text) for name in ("was", "cents")}


def test_an_admin_changes_an_allowance_and_it_is_told(root: httpx2.Client, ann: httpx2.Client, case: Case) -> None:
    data = cells(root.get("/remedies/terms"))
    assert data["cents"] == ["20.00", "50.00", "100.00", "100.00", "200.00", "500.00", "1000.00", "1000.00"]
    changed = [*data["cents"][:2], "120", *data["cents"][3:]]
    assert root.post("/remedies/terms/allowances", data={**data, "cents": changed}).status_code == 303
    assert "agent, high: 100.00 to 120.00 EUR" in said(root.get("/remedies/terms"))
    assert "up to EUR 120.00 without asking" in said(ann.get(f"/cases/{case.public_id}"))
    stale = root.post("/remedies/terms/allowances", data={**data, "cents": [*data["cents"][:2], "90", *changed[3:]]})
    assert (stale.status_code, "somebody set the allowance" in said(stale).lower()) == (409, True)
    for wrong in ({}, {"cents": ["1"], "was": ["1"]}, {**data, "cents": ["x", *changed[1:]]}):
        assert root.post("/remedies/terms/allowances", data=wrong).status_code == 409


def test_an_admin_adds_and_changes_kinds_and_the_currency(root: httpx2.Client, ann: httpx2.Client, case: Case) -> None:
    assert root.post("/remedies/terms/currency", data={"code": "sek"}).status_code == 303
    assert root.post("/remedies/terms/kinds", data={"name": "free repair", "usual": "12.5"}).status_code == 303
    assert root.post("/remedies/terms/kinds", data={"name": "Refund"}).status_code == 409
    assert root.post("/remedies/terms/kinds/1", data={"name": "money <back>"}).status_code == 303
    assert root.post("/remedies/terms/kinds/77", data={"name": "x"}).status_code == 409
    page = ann.get(f"/cases/{case.public_id}")
    assert "free repair, usually 12.50" in said(page)
    assert "money" not in said(page)
    assert give(ann, case, kind="free repair", amount="").status_code == 303
    assert root.post("/remedies/terms/currency", data={"code": "EUR"}).status_code == 409
    assert "It stays, since remedies were given in it" in said(root.get("/remedies/terms"))
    assert "money &lt;back&gt;" in root.get("/remedies/terms").text
    assert root.get("/audit?act=remedy+given").text.count("<tr>") == 2


# --- as JSON --------------------------------------------------------------------------------------------------------


def test_programs_do_the_same(ann: httpx2.Client, web: httpx2.Client, case: Case) -> None:
    path = f"/api/v1/cases/{case.public_id}/remedies"
    wish: dict[str, Any] = {"id": "shop-1", "kind": "voucher", "what": "late"}
    first, again = ann.post(path, json=wish), ann.post(path, json=wish)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["remedy"]["cents"] == 1000
    assert ann.post(path, json={**wish, "cents": 5}).status_code == 409
    large = ann.post(path, json={"id": "shop-2", "kind": "refund", "what": "all", "cents": 90_000}).json()["remedy"]
    assert large["state"] == "proposed"
    assert ann.post(f"{API}/{large['id']}/approve", json={}).status_code == 403
    assert web.get(API).json()["waiting"][0]["id"] == large["id"]
    approved = web.post(f"{API}/{large['id']}/approve", json={"why": "yes"}).json()
    assert (approved["remedy"]["state"], approved["remedy"]["decided_by"]) == ("promised", "lead")
    assert web.post(f"/api/v1/undo/{approved['event']}").status_code == 200
    assert web.post(f"{API}/{large['id']}/decline", json={}).status_code == 409
    assert web.post(f"{API}/{large['id']}/decline", json={"why": "no"}).json()["remedy"]["state"] == "declined"
    small = first.json()["remedy"]["id"]
    assert ann.post(f"{API}/{small}/finish", json={"outcome": "happy"}).json()["remedy"]["outcome"] == "happy"
    assert ann.post(f"{API}/{small}/withdraw").status_code == 409
    shown = ann.get(path).json()
    assert (shown["currency"], shown["allowance"], len(shown["remedies"])) == ("EUR", 10_000, 2)
    month = web.get(API, params={"month": "2026-11"}).json()
    assert month["given"] == {"name": "given", "n": 1, "cents": 1000}
    assert [each["name"] for each in month["states"]] == ["done", "declined"]
    for answer in (ann.get("/api/v1/cases/x/remedies"), ann.post("/api/v1/cases/x/remedies", json=wish),
                   ann.post(f"{API}/x/finish", json={})):  # fmt: skip
        assert answer.status_code == 404


def test_programs_set_the_terms(root: httpx2.Client, ann: httpx2.Client) -> None:
    terms = ann.get(f"{API}/terms").json()
    assert {"role": "agent", "severity": "low", "cents": 2000} in terms["allowances"]
    assert ann.put(f"{API}/terms/allowances", json=[]).status_code == 403
    changed = root.put(f"{API}/terms/allowances", json=[{"role": "agent", "severity": "low", "cents": 0}]).json()
    assert {"role": "agent", "severity": "low", "cents": 0} in changed["allowances"]
    kind = root.post(f"{API}/terms/kinds", json={"name": "repair"}).json()
    body = {"name": "Repair", "usual": 5, "active": False}
    assert root.put(f"{API}/terms/kinds/{kind['id']}", json=body).json() == {**body, "id": kind["id"]}
    assert root.put(f"{API}/terms/currency", json={"currency": "SEK"}).json()["currency"] == "SEK"
    for wrong in (-1, 2**63, 2**200):
        answer = root.put(f"{API}/terms/allowances", json=[{"role": "lead", "severity": "low", "cents": wrong}])
        assert answer.status_code in {400, 409}
