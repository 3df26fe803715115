"""Remedies on the pages of their cases: given, proposed, decided on, done, withdrawn. One stage, a case a test."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import count

import httpx2
import pytest

from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.remedy import Remedy
from listener.testing import FakeScorer, make_post
from listener.web import Server, make_web, serve
from tests.web.stage import Stage

AUTHORS = count()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("remedies"), scorer=FakeScorer(table={"broken": (0.9, 0.08, 0.02)})) as made:
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def case(stage: Stage) -> Case:
    """A new case that is severe enough for an allowance of 100.00."""
    return complaint(stage, f"author {next(AUTHORS)}")


def complaint(stage: Stage, author: str) -> Case:
    """The case of a complaint."""
    known = {case.id for case in stage.store.cases.unresolved(1000)}
    stage.hear(make_post(author, "acme is broken", author=author))
    stage.work()
    [case] = [case for case in stage.store.cases.unresolved(1000) if case.id not in known]
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


def only(stage: Stage, case: Case) -> Remedy:
    """The one remedy of a case."""
    [found] = stage.remedies.of_case(case)
    return found


def test_the_case_says_how_much_one_may_give(
    ann: httpx2.Client, web: httpx2.Client, root: httpx2.Client, case: Case
) -> None:
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
    assert only(stage, case).state == "withdrawn"
    assert "EUR 25.50 given" not in said(ann.get(f"/cases/{case.public_id}"))


def test_the_usual_cost_is_taken_where_none_is_typed(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    assert give(ann, case, kind="voucher", amount=" ").status_code == 303
    assert only(stage, case).cents == 1000


def test_a_form_that_is_sent_twice_gives_once(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    path = f"/cases/{case.public_id}"
    data = form(ann.get(path))
    first, again = (ann.post(f"{path}/remedies", data=data) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert only(stage, case).cents == 2500


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
    path = f"/remedies/{only(stage, case).public_id}/decide"
    assert web.post(path, data={"decision": "decline"}).status_code == 409
    assert "say why" in said(web.post(path, data={"decision": "decline"})).lower()
    assert web.post(path, data={"decision": "approve", "why": "of course"}).headers["location"] == "/remedies"
    assert only(stage, case).why == "of course"
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
    answer = web.post(f"/remedies/{only(stage, case).public_id}/decide", data=data)
    assert answer.headers["location"].startswith(f"{path}?view=all&done=")
    assert "Declined: refund, EUR 129.00" in said(web.get(answer.headers["location"]))


@pytest.mark.parametrize("case_typed", ["//evil.example", "../admin", "a\r\nx: y", "\u202e"])
def test_a_forms_case_leads_nowhere_else(ann: httpx2.Client, case: Case, stage: Stage, case_typed: str) -> None:
    give(ann, case)
    answer = ann.post(f"/remedies/{only(stage, case).public_id}/finish", data={"case": case_typed})
    assert answer.headers["location"] == "/remedies"


def test_it_is_done_with_its_outcome_or_withdrawn(ann: httpx2.Client, case: Case, stage: Stage) -> None:
    give(ann, case)
    path = f"/remedies/{only(stage, case).public_id}"
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


def test_what_is_not_there_is_not_found(ann: httpx2.Client, web: httpx2.Client) -> None:
    assert ann.post("/cases/nowhere/remedies", data={"what": "x"}).status_code == 404
    for act in ("decide", "withdraw", "finish"):
        assert web.post(f"/remedies/nothing/{act}", data={"decision": "approve"}).status_code == 404
        assert web.post(f"/remedies/nothing/{act}", data={"case": "nowhere"}).status_code == 404
