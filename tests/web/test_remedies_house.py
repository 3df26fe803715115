"""Remedies of the whole house: the figures of a month, the admins' terms, and the same as JSON."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from listener.core.case import Case
from listener.testing import FakeScorer
from listener.web import Server
from tests.web.stage import Stage
from tests.web.test_remedies import ann, client, complaint, give, root, said

__all__ = ["ann", "root"]

API = "/api/v1/remedies"


@pytest.fixture
def case(stage: Stage) -> Case:
    """A case that is severe enough for an allowance of 100.00."""
    stage.scorer = FakeScorer(table={"broken": (0.9, 0.08, 0.02)})
    return complaint(stage, "kim")


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
