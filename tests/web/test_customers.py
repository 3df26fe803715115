"""The pages of customers: the panel beside a case, linking two handles by hand, and taking it back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from listener.core.customer import Voice
from listener.testing import START, make_post
from listener.web import Server
from tests.web.stage import Stage

HERE = Voice(source="fake", realm="fake.example", handle="ann_b")
THERE = Voice(source="elsewhere", realm="", handle="Ann_B")


@pytest.fixture
def desk(stage: Stage, server: Server, cases: tuple[str, str]) -> httpx2.Client:
    """Signed in once the cases are there: a session does not outlast the days between them."""
    return stage.signed_in(server.url)


@pytest.fixture
def cases(stage: Stage) -> tuple[str, str]:
    """Two cases of one person under two names; the first is resolved."""
    stage.hear(make_post("1", "acme is broken", author="ann_b"))
    stage.work()
    [first] = stage.store.cases.unresolved()
    with stage.store.transaction():
        stage.store.cases.change(replace(first, status="resolved", outcome="answered", resolved_at=START))
    stage.clock.forward(timedelta(days=2))
    there = make_post("2", "acme is broken again", author="Ann_B")
    stage.hear(replace(there, source=THERE.source, realm="", published_at=stage.clock()))
    stage.work()
    [second] = stage.store.cases.unresolved()
    return first.public_id, second.public_id


def part(page: httpx2.Response) -> str:
    """The panel of the customer, as text."""
    found = re.search(r'<section class="customer-part" id="customer".*?</section>', page.text, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group())) if found else ""


def link(desk: httpx2.Client, case: str = "") -> httpx2.Response:
    return desk.post("/customers/link", data={"one": THERE.written, "other": HERE.written, "case": case})


def test_an_author_alone_shows_who_it_may_be_and_links_nobody(
    desk: httpx2.Client, cases: tuple[str, str], stage: Stage
) -> None:
    said = part(desk.get(f"/cases/{cases[1]}"))
    assert "None of theirs but this one." in said
    assert "Perhaps the same person" in said
    assert "the same handle; 1 case" in said
    assert "1 judged mention: 1 negative." in said
    assert stage.store.customers.page() == ()


def test_a_link_shows_the_earlier_case_and_unlinking_hides_it(desk: httpx2.Client, cases: tuple[str, str]) -> None:
    done = link(desk, cases[1])
    assert (done.status_code, done.headers["location"]) == (303, f"/cases/{cases[1]}#customer")
    page = desk.get(f"/cases/{cases[1]}")
    assert f'href="/cases/{cases[0]}"' in page.text
    assert "answered, 2 d ago" in part(page)
    assert "linked by Agent" in part(page)
    [public_id] = re.findall(r'action="/customers/([\w-]+)/unlink"', page.text)[:1]
    ended = desk.post(f"/customers/{public_id}/unlink", data={"voice": HERE.written, "case": cases[1]})
    assert ended.headers["location"] == f"/customers/{public_id}"
    assert "taken apart" in desk.get(ended.headers["location"]).text
    assert "Perhaps the same person" in part(desk.get(f"/cases/{cases[1]}"))


def test_the_page_of_a_customer_tells_what_was_done_and_takes_it_back(
    desk: httpx2.Client, cases: tuple[str, str]
) -> None:
    where = link(desk).headers["location"]
    desk.post(f"{where}/rename", data={"name": "Ms Berg"})
    page = desk.get(where)
    assert '<h1><bdi dir="auto">Ms Berg</bdi></h1>' in page.text
    assert "authors linked" in page.text
    assert "elsewhere and fake" in page.text
    [event] = re.findall(r'action="/customers/undo/(\d+)"', page.text)
    assert desk.post(f"/customers/undo/{event}").status_code == 303
    assert "Ms Berg" not in desk.get(where).text
    assert "customers/undo" not in desk.get(where).text


def test_notes_on_a_customer_stand_beside_each_of_their_cases(desk: httpx2.Client, cases: tuple[str, str]) -> None:
    where = link(desk).headers["location"]
    desk.post(f"{where}/note", data={"text": "prefers <b>e-mail</b>"})
    for case in cases:
        assert "prefers &lt;b&gt;e-mail&lt;/b&gt;" in desk.get(f"/cases/{case}").text


def test_the_search_finds_and_links(desk: httpx2.Client, cases: tuple[str, str]) -> None:
    page = desk.get("/customers", params={"q": "ann", "for": THERE.written, "case": cases[1]})
    assert f'value="{HERE.written}"' in page.text
    assert page.text.count(">Same person</button>") == 1
    link(desk)
    assert "Customers found" in desk.get("/customers", params={"q": "ANN"}).text
    assert "belongs to a customer" in desk.get("/customers", params={"q": "ann"}).text
    assert "Nobody is called that" in desk.get("/customers", params={"q": "zzz"}).text


def test_without_customers_the_page_says_how_one_comes_to_be(desk: httpx2.Client) -> None:
    assert "No customer yet" in desk.get("/customers").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/customers/nobody", 404),
        ("/customers?for=nobody", 400),
        ("/api/v1/customers/nobody", 404),
        ("/api/v1/cases/nobody/customer", 404),
    ],
)
def test_what_is_not_there_is_said(desk: httpx2.Client, path: str, status: int) -> None:
    assert desk.get(path).status_code == status


def test_who_may_not_link_sees_no_button_and_is_refused(stage: Stage, server: Server, cases: tuple[str, str]) -> None:
    marketer = stage.signed_in(server.url, "marketer")
    page = marketer.get(f"/cases/{cases[1]}")
    assert "Perhaps the same person" in page.text
    assert "/customers/link" not in page.text
    assert link(marketer).status_code == 403


def test_a_refused_link_says_why(desk: httpx2.Client, cases: tuple[str, str]) -> None:
    link(desk)
    again = link(desk)
    assert again.status_code == 409
    assert "They are linked already." in again.text


def test_a_strange_case_leads_nowhere_else(desk: httpx2.Client, cases: tuple[str, str]) -> None:
    assert link(desk, "//evil.example").headers["location"].startswith("/customers/")


def test_hostile_names_are_text(stage: Stage, desk: httpx2.Client) -> None:
    hostile = '<script>alert("x")</script>'
    stage.hear(make_post("9", "acme is broken", author=hostile))
    stage.work()
    case = next(each for each in stage.store.cases.unresolved() if each.author == hostile)
    for path in (f"/cases/{case.public_id}", f"/customers?q={hostile}"):
        page = desk.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text


def test_programs_link_and_unlink(desk: httpx2.Client, cases: tuple[str, str]) -> None:
    alone = desk.get(f"/api/v1/cases/{cases[1]}/customer").json()
    assert (alone["id"], alone["name"], alone["cases"]) == (None, "Ann_B", [])
    [suggested] = alone["suggestions"]
    assert (suggested["evidence"], suggested["cases"]) == (["the same handle"], 1)
    one = alone["voices"][0]["voice"]
    made = desk.post("/api/v1/customers/link", json={"one": one, "other": suggested["voice"]}).json()
    where = f"/api/v1/customers/{made['customer']['id']}"
    assert [case["outcome"] for case in desk.get(where).json()["cases"]] == [None, "answered"]
    assert desk.post(f"{where}/rename", json={"name": "Ms Berg"}).json()["customer"]["name"] == "Ms Berg"
    assert desk.post(f"{where}/note", json={"text": "hello"}).status_code == 200
    assert [each["name"] for each in desk.get("/api/v1/customers?q=berg").json()["customers"]] == ["Ms Berg"]
    ended = desk.post(f"{where}/unlink", json=one).json()
    assert ended["customer"]["voices"] == []
    assert desk.get(where).json()["ended_at"] is not None
    back = desk.post(f"/api/v1/customers/undo/{ended['event']}").json()
    assert len(back["customer"]["voices"]) == 2
    assert desk.post("/api/v1/customers/link", json={"one": one, "other": one}).status_code == 409
    assert desk.post(f"{where}/unlink", json={"source": "", "handle": ""}).status_code == 409
