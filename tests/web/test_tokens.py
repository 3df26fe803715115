"""Tokens: what programs may with them, how they end, and what the API says of itself."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx2
import pytest

from listener.casework.tokens import MOST
from listener.core.errors import Refused
from listener.core.event import OPERATOR, Actor
from listener.web import Server
from tests.web.stage import Stage


def made_on_the_page(web: httpx2.Client, **fields: object) -> str:
    """Make a token by the form; gives its secret."""
    answer = web.post("/account/tokens", data={"name": "a script", "rights": ["read"], "days": "30", **fields})
    [secret] = re.findall(r'value="(lst_[\w-]{43})"', answer.text)
    return str(secret)


def program(server: Server, secret: str) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {secret}"}, trust_env=False)


def test_a_token_is_shown_once_kept_as_a_digest_and_used_for_the_api_and_metrics(
    web: httpx2.Client, server: Server, stage: Stage
) -> None:
    secret = made_on_the_page(web)
    page = web.get("/account").text
    assert secret not in page
    assert f"{secret[:8]}…" in page
    assert "last used never" in page
    assert secret not in {value for row in stage.store.db.read("SELECT * FROM tokens") for value in row}
    with program(server, secret) as script:
        me = script.get("/api/v1/self").json()
        assert (me["handle"], me["role"], me["rights"]) == ("lead", "lead", ["read"])
        assert script.get("/metrics").status_code == 200
        assert script.get("/api/v1/cases").status_code == 200
        assert script.get("/cases").status_code == 303, "pages are for browsers"
    assert "last used" in web.get("/account").text
    assert "last used never" not in web.get("/account").text


def test_a_token_does_not_hide_behind_a_cookie(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "admin") as admin:
        assert admin.get("/api/v1/cases").status_code == 200
        assert admin.get("/api/v1/cases", headers={"authorization": "Bearer lst_guess"}).status_code == 401


def test_what_a_program_does_is_in_the_log_under_its_makers_name(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "admin") as admin:
        secret = made_on_the_page(admin, rights=["read", "manage"])
    with program(server, secret) as script:
        made = script.post("/api/v1/colleagues", json={"handle": "eve", "name": "Eve", "role": "agent"})
        assert made.status_code == 201
        assert made.json()["url"].startswith(f"{server.url}/welcome/")
        assert script.post("/api/v1/colleagues", json={"handle": "eve", "name": "E", "role": "agent"}).json() == {
            "error": "That cannot be done now. Somebody signs in as eve already."
        }
        assert script.post("/api/v1/colleagues/eve/role", json={"role": "viewer"}).json()["role"] == "viewer"
        assert script.post("/api/v1/colleagues/eve/link").json()["handle"] == "eve"
        assert script.post("/api/v1/colleagues/eve/close").json()["left_at"] is not None
        assert "/welcome/" in script.post("/api/v1/colleagues/eve/reopen").json()["url"]
        people = script.get("/api/v1/colleagues").json()["colleagues"]
        assert {one["handle"] for one in people} == {"admin", "eve"}
        events = script.get("/api/v1/audit").json()["events"]
        assert (events[0]["who"], events[0]["via"], events[0]["act"]) == ("Admin", "api", "account reopened")
        assert secret not in str(events)


def test_no_token_does_more_than_its_maker(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "agent") as agent:
        answer = agent.post("/account/tokens", data={"name": "x", "rights": ["manage"], "days": "7"})
        assert answer.status_code == 409
        assert "never do more than its maker" in answer.text
        assert 'value="manage"' not in agent.get("/account").text
        secret = made_on_the_page(agent, rights=["read", "work"])
    with program(server, secret) as script:
        assert script.post("/api/v1/cases/x/claim").status_code in {404, 409}
        stage.accounts.change_role(OPERATOR, "agent", "viewer")
        assert script.post("/api/v1/cases/x/claim").status_code == 403
        assert script.get("/api/v1/self").json()["rights"] == ["read"]


def test_a_token_cannot_make_tokens_or_change_its_makers_account(stage: Stage) -> None:
    lead = stage.colleague("lead")
    _, secret = stage.tokens.make(Actor(colleague=lead, via="page"), "t", ["read", "note"], timedelta(days=1))
    found = stage.tokens.find(secret)
    assert found is not None
    by = Actor(colleague=found, via="api")
    with pytest.raises(Refused, match="signed in"):
        stage.tokens.make(by, "more", ["read"], timedelta(days=1))
    with pytest.raises(Refused, match="signed in"):
        stage.accounts.rename(by, "Mallory")
    with pytest.raises(Refused, match="signed in"):
        stage.accounts.change_password(by, "x", "copper lantern seven rows", browser="")


@pytest.mark.parametrize("end", ["time", "revoke", "close"])
def test_a_token_ends_by_time_by_hand_and_with_its_account(
    web: httpx2.Client, server: Server, stage: Stage, end: str
) -> None:
    secret = made_on_the_page(web, days="7")
    with program(server, secret) as script:
        assert script.get("/api/v1/self").status_code == 200
        if end == "time":
            stage.clock.forward(timedelta(days=7))
        elif end == "revoke":
            [path] = re.findall(r'action="(/account/tokens/\d+/revoke)"', web.get("/account").text)
            assert web.post(path).status_code == 303
            assert web.post(path).status_code == 409
        else:
            stage.accounts.close(OPERATOR, "lead")
        answer = script.get("/api/v1/self")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_nobody_revokes_anothers_token(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "lead") as lead, stage.signed_in(server.url, "agent") as agent:
        made_on_the_page(lead)
        [path] = re.findall(r'action="(/account/tokens/\d+/revoke)"', lead.get("/account").text)
        assert agent.post(path).status_code == 409


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rights": []}, "at least one thing"),
        ({"rights": ["everything"]}, "there is no such right"),
        ({"name": ""}, "a name has 1 to 80 characters"),
    ],
)
def test_a_senseless_token_is_refused_in_words(web: httpx2.Client, fields: dict[str, object], words: str) -> None:
    answer = web.post("/account/tokens", data={"name": "x", "rights": ["read"], "days": "7", **fields})
    assert answer.status_code == 409
    assert words.lower() in answer.text.lower()
    assert web.post("/account/tokens", data={"name": "x", "rights": "read", "days": "3650"}).status_code == 400


def test_there_is_an_end_to_how_many_tokens_one_has(stage: Stage) -> None:
    by = Actor(colleague=stage.colleague("lead"), via="page")
    for n in range(MOST):
        stage.tokens.make(by, f"t{n}", ["read"], timedelta(days=1))
    with pytest.raises(Refused, match="revoke one first"):
        stage.tokens.make(by, "one more", ["read"], timedelta(days=1))
    stage.clock.forward(timedelta(days=1))
    stage.tokens.make(by, "one more", ["read"], timedelta(days=1))


def test_the_api_describes_all_of_itself(web: httpx2.Client) -> None:
    described = web.get("/api/v1/openapi.json").json()
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path, operations in described["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in operations.items():
            where = (path, method)
            assert operation["tags"], where
            assert operation["security"] == [{"token": []}], where
            assert operation["x-rights"], where
            assert "right" in operation["description"], where
            assert {"4XX", "5XX"} <= set(operation["responses"]), where
            [good] = {code for code in operation["responses"] if code in {"200", "201", "204"}} - {"200"} or {"200"}
            if good != "204":
                assert operation["responses"][good]["content"]["application/json"]["schema"], where
