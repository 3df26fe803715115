"""The inbox by plain forms, as a browser without JavaScript sends them: queue, views, acts, undo, races, JSON."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.event import Actor
from listener.core.mention import Author
from listener.core.reply import digest
from listener.store.engine import Connections
from listener.testing import make_post
from listener.web import Server
from listener.web.snooze import snooze_end
from tests.web.stage import Stage

Someone = Callable[..., httpx2.Client]


def text_of(answer: httpx2.Response, status: int = 200) -> str:
    """The page's source with white space folded."""
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def hear(stage: Stage, *texts: str, handle: str = "") -> tuple[Case, ...]:
    """Each text becomes a case of an author of its own, or of the one that is named."""
    known = {case.id for case in stage.store.cases.unresolved(1000)}
    for n, text in enumerate(texts):
        author = Author(handle=f"@{handle or f'ann{n}'}", name=handle.title() or f"Ann {n}")
        stage.hear(make_post(f"{text}-{n}", text, author=author, url="https://forum.example/t"))
    stage.work()
    return tuple(case for case in stage.store.cases.unresolved(1000) if case.id not in known)


@pytest.fixture
def case(stage: Stage) -> Case:
    return hear(stage, "My Acme kettle is broken")[0]


@pytest.fixture
def someone(server: Server, stage: Stage) -> Iterator[Someone]:
    """Signs colleagues in: `someone("agent", "dana")`."""
    with ExitStack() as open_clients:

        def sign_in(role: Role = "agent", handle: str = "") -> httpx2.Client:
            return open_clients.enter_context(stage.signed_in(server.url, role, handle))

        yield sign_in


def do(client: httpx2.Client, case: Case, act: str, **fields: str) -> httpx2.Response:
    """Send a form of the case's page."""
    return client.post(f"/cases/{case.public_id}/{act}", data=fields)


def follow(client: httpx2.Client, answer: httpx2.Response) -> str:
    """The page to which an act leads."""
    assert answer.status_code == 303, answer.text
    return text_of(client.get(answer.headers["location"]))


def now(stage: Stage, case: Case) -> Case:
    return stage.store.cases.get(case.id)


def test_the_whole_path_works_by_plain_forms(stage: Stage, case: Case, someone: Someone) -> None:
    dana = someone("agent", "dana")
    assert "Nobody has it yet" in text_of(dana.get(f"/cases/{case.public_id}"))
    page = follow(dana, do(dana, case, "claim"))
    assert "Claimed: it is yours" in page
    assert "Yours until" in page
    assert "Note kept" in follow(dana, do(dana, case, "note", text="rang them <b>twice</b>"))
    page = text_of(dana.get(f"/cases/{case.public_id}"))
    assert "rang them &lt;b&gt;twice&lt;/b&gt;" in page
    page = follow(dana, do(dana, case, "snooze", until="1h"))
    assert "Snoozed" in page
    assert "Nothing to do" in page
    assert 'Snoozed <span class="n">1</span>' in page
    page = follow(dana, do(dana, case, "resolve", outcome="answered", seen=str(now(stage, case).version)))
    assert "Resolved" in page
    assert (now(stage, case).status, now(stage, case).outcome) == ("resolved", "answered")
    assert "Reopened" in follow(dana, do(dana, case, "reopen"))


def test_every_form_of_a_case_is_there_without_scripts(case: Case, someone: Someone) -> None:
    page = text_of(someone("lead").get(f"/cases/{case.public_id}?view=unclaimed"))
    acts = set(re.findall(rf'action="/cases/{case.public_id}/([a-z-]+)"', page))
    assert acts == {"claim", "snooze", "resolve", "assign", "note", "label", "remedies", "reply"}
    assert f'href="/cases/{case.public_id}/merge?back=view%3Dunclaimed"' in page
    assert f'href="/cases/{case.public_id}/not-us?back=view%3Dunclaimed"' in page
    assert '<input type="hidden" name="back" value="view=unclaimed">' in page


def test_who_comes_second_is_told_who_has_it(case: Case, someone: Someone) -> None:
    dana, bob = someone("agent", "dana"), someone("agent", "bob")
    do(dana, case, "claim")
    page = text_of(do(bob, case, "claim"), 409)
    assert "That was not done:" in page
    assert "Dana has it until" in page
    assert "<bdi>Dana</bdi> until" in text_of(bob.get("/cases"))
    assert f'action="/cases/{case.public_id}/claim"' not in text_of(bob.get(f"/cases/{case.public_id}"))
    for act in ("release", "snooze", "resolve", "not-us"):
        assert do(bob, case, act, until="1h", outcome="answered").status_code == 409


def test_of_two_who_claim_at_once_one_has_it_200_times(stage: Stage, someone: Someone) -> None:
    cases = hear(stage, *(f"Acme {n} is broken" for n in range(200)))
    assert len(cases) == 200
    rivals = [someone("agent", "dana"), someone("agent", "bob")]
    together, codes = threading.Barrier(2), [[0] * len(cases), [0] * len(cases)]

    def run(who: int) -> None:
        for n, case in enumerate(cases):
            together.wait(30)
            codes[who][n] = do(rivals[who], case, "claim").status_code

    threads = [threading.Thread(target=run, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [sorted(pair) for pair in zip(*codes, strict=True)] == [[303, 409]] * len(cases)
    for case, winner in zip(cases, codes[0], strict=True):
        holder = stage.store.colleagues.get(now(stage, case).assignee or 0).handle
        assert holder == ("dana" if winner == 303 else "bob")
        assert [event.act for event in stage.store.events.of_case(case.id)].count("claimed") == 1


def test_a_viewer_reads_and_a_marketer_notes(case: Case, someone: Someone) -> None:
    viewer, marketer = someone("viewer"), someone("marketer")
    page = text_of(viewer.get(f"/cases/{case.public_id}"))
    assert "My Acme kettle is broken" in page
    assert "/claim" not in page
    assert do(viewer, case, "claim").status_code == 403
    assert do(viewer, case, "note", text="x").status_code == 403
    assert do(marketer, case, "claim").status_code == 403
    assert do(marketer, case, "note", text="x").status_code == 303


def test_an_act_can_be_taken_back_from_the_bar_and_from_the_history(stage: Stage, case: Case, someone: Someone) -> None:
    dana = someone("agent", "dana")
    page = follow(dana, do(dana, case, "resolve", outcome="answered"))
    [undo] = re.findall(r'action="(/cases/undo/\d+)"', page)
    assert undo in text_of(dana.get(f"/cases/{case.public_id}"))
    assert "Taken back" in follow(dana, dana.post(undo))
    assert now(stage, case).status == "open"
    assert dana.post(undo).status_code == 409
    do(dana, case, "claim")
    stage.clock.forward(timedelta(minutes=11))
    assert "/cases/undo/" not in text_of(dana.get(f"/cases/{case.public_id}"))


def test_nobody_takes_back_what_another_did(case: Case, someone: Someone) -> None:
    dana, bob = someone("agent", "dana"), someone("agent", "bob")
    done = do(dana, case, "claim").headers["location"]
    assert "/cases/undo/" in text_of(dana.get(done))
    assert "/cases/undo/" not in text_of(bob.get(done))
    assert bob.post(f"/cases/undo/{done.rpartition('=')[2]}").status_code == 409


def test_a_wrong_label_is_corrected_counted_and_taken_back(stage: Stage, case: Case, someone: Someone) -> None:
    dana = someone("agent", "dana")
    [mention] = stage.store.mentions.of_case(case.id)
    page = follow(dana, do(dana, case, "label", mention=str(mention.id), label="positive"))
    assert "Label corrected" in page
    assert "A colleague settled it" in page
    assert stage.store.trends.totals() == {("Acme", "positive"): 1}
    [undo] = set(re.findall(r'action="(/cases/undo/\d+)"', page))
    dana.post(undo)
    assert stage.store.trends.totals()["Acme", "negative"] == 1
    assert do(dana, case, "label", mention="999999", label="positive").status_code == 409
    assert do(dana, case, "label", mention="x", label="positive").status_code == 400


def test_a_lead_gives_a_case_to_a_colleague(stage: Stage, case: Case, someone: Someone) -> None:
    lead = someone("lead")
    stage.colleague("agent", "dana")
    assert "Assigned <bdi>to Dana</bdi>" in follow(lead, do(lead, case, "assign", to="dana"))
    assert "choose who is to have it" in text_of(do(lead, case, "assign", to="nobody-at-all"), 409)
    assert "Take over" in text_of(lead.get(f"/cases/{case.public_id}"))


def test_merging_offers_the_same_author_first_and_leads_links_on(stage: Stage, someone: Someone) -> None:
    dana = someone("agent", "dana")
    hear(stage, "Acme lamp is broken too", handle="zoe")
    stage.hear(make_post("thread", "Acme stool is broken", author=Author(handle="@ann"), root="r1"))
    stage.hear(make_post("thread2", "Acme table is broken", author=Author(handle="@ann"), root="r2"))
    stage.work()
    found = {case.headline: case for case in stage.store.cases.unresolved()}
    stool, table = found["Acme stool is broken"], found["Acme table is broken"]
    page = text_of(dana.get(f"/cases/{stool.public_id}/merge"))
    assert page.index("Acme table is broken") < page.index("Acme lamp is broken too")
    assert "same author" in page
    assert "Acme lamp" not in text_of(dana.get(f"/cases/{stool.public_id}/merge?q=nothing+has+this"))
    page = follow(dana, do(dana, stool, "merge", into=table.public_id))
    assert "Merged" in page
    assert "Acme stool is broken" in page
    answer = dana.get(f"/cases/{stool.public_id}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/cases/{table.public_id}")


def test_not_about_us_proposes_words_and_shows_what_they_would_remove(
    stage: Stage, case: Case, someone: Someone
) -> None:
    dana = someone("agent", "dana")
    hear(stage, "Acme stadium is broken", "The Acme stadium is burnt", handle="fan")
    [stadium, *_] = [each for each in stage.store.cases.unresolved() if "stadium" in each.headline]
    page = text_of(dana.get(f"/cases/{stadium.public_id}/not-us"))
    assert 'value="stadium"> <bdi>stadium</bdi> <span class="n">2</span>' in page
    assert 'value="acme"' not in page
    page = text_of(dana.get(f"/cases/{stadium.public_id}/not-us?word=stadium&more=%22quoted%22"))
    assert "They would have removed 2 mentions of 3" in page
    assert "# in the [[brand]] with name = &#34;Acme&#34;: exclude = [&#34;stadium&#34;" in page
    assert "Ended as not about us" in follow(dana, do(dana, stadium, "not-us"))
    assert now(stage, stadium).outcome == "not us"
    assert "not about us" in text_of(dana.get(f"/cases/{stadium.public_id}"))


def test_a_resolution_that_overlooked_new_words_is_refused(stage: Stage, case: Case, someone: Someone) -> None:
    dana = someone("agent", "dana")
    seen = str(now(stage, case).version)
    hear(stage, "Acme: and now it burns too", handle="ann0")
    page = text_of(do(dana, case, "resolve", outcome="answered", seen=seen), 409)
    assert "the conversation changed since you opened it" in page


@pytest.mark.parametrize(
    ("choice", "at", "end"),
    [
        ("1h", "", "2026-11-15T15:30"),
        ("3h", "", "2026-11-15T17:30"),
        ("tomorrow", "", "2026-11-16T09:00"),
        ("monday", "", "2026-11-16T09:00"),
        ("custom", "2026-11-20T08:15", "2026-11-20T08:15"),
        ("custom", "2026-11-20T08:15+02:00", "2026-11-20T06:15"),
    ],
)
def test_a_snooze_ends_when_it_says(choice: str, at: str, end: str) -> None:
    sunday = datetime(2026, 11, 15, 14, 30, tzinfo=UTC)
    assert snooze_end(choice, at, sunday) == datetime.fromisoformat(f"{end}+00:00")  # type: ignore[arg-type]
    if choice == "monday":
        assert snooze_end("monday", "", sunday + timedelta(days=1)).isoformat() == "2026-11-23T09:00:00+00:00"


def test_a_snooze_without_a_time_is_refused_in_words(case: Case, someone: Someone) -> None:
    page = text_of(do(someone("agent"), case, "snooze", until="custom", at="whenever"), 409)
    assert "say when it is to come back" in page


def test_views_cut_the_queue_and_count_it(stage: Stage, someone: Someone) -> None:
    dana, bob = someone("agent", "dana"), someone("agent", "bob")
    one, two, three, four = hear(stage, *(f"Acme {n} is broken" for n in range(4)))
    do(dana, one, "claim")
    do(bob, two, "claim")
    do(dana, three, "snooze", until="3h")

    def listed(client: httpx2.Client, query: str) -> set[str]:
        return set(re.findall(r'data-case="([\w-]+)"', text_of(client.get(f"/cases?{query}"))))

    ids = {each.public_id for each in (one, two, four)}
    assert listed(dana, "") == ids
    assert listed(dana, "view=mine") == {one.public_id, three.public_id}
    assert listed(dana, "view=unclaimed") == {four.public_id}
    assert listed(dana, "view=snoozed") == {three.public_id}
    assert listed(dana, "view=all") == ids | {three.public_id}
    assert listed(dana, "assignee=bob") == {two.public_id}
    assert listed(dana, "assignee=nobody") == {four.public_id}
    assert listed(dana, "assignee=no-such") == set()
    assert listed(dana, f"q=BROKEN+{four.headline.split()[1]}") == {four.public_id}
    page = text_of(dana.get("/cases"))
    for title, n in (("To do", 3), ("Mine", 2), ("Unclaimed", 1), ("Snoozed", 1)):
        assert f'{title} <span class="n">{n}</span>' in page


def test_the_queue_shows_what_breaks_next_first(stage: Stage, someone: Someone) -> None:
    hear(stage, "Acme is broken", "Acme burn")
    page = text_of(someone("agent").get("/cases"))
    assert page.index("Acme burn") < page.index("Acme is broken")


def test_a_view_is_saved_under_a_name_listed_with_its_count_and_deleted(
    stage: Stage, case: Case, someone: Someone
) -> None:
    dana, bob = someone("agent", "dana"), someone("agent", "bob")
    back = "severity=high&brand=Acme"
    assert dana.post("/views", data={"name": " Angry <b> ", "back": back}).headers["location"] == (
        "/cases?brand=Acme&severity=high"
    )
    link = (
        '<a href="/cases?brand=Acme&amp;severity=high"><bdi dir="auto">Angry &lt;b&gt;</bdi> <span class="n">1</span>'
    )
    assert link in text_of(dana.get("/cases"))
    assert "Angry" not in text_of(bob.get("/cases"))
    dana.post("/views/delete", data={"name": "Angry <b>"})
    assert "Angry" not in text_of(dana.get("/cases"))
    assert dana.post("/views", data={"name": "  "}).status_code == 409


def test_the_list_says_how_the_answer_of_each_case_stands(stage: Stage, case: Case, someone: Someone) -> None:
    ann, lea = someone(), someone("lead")
    me = Actor(colleague=stage.colleague(), via="page")

    def says(client: httpx2.Client) -> str:
        page = client.get("/cases?view=all").text
        found = re.search(r'<span class="chip answer[^"]*">(.*?)</span>', page)
        return re.sub(r"<[^>]+>", "", found[1]) if found else ""

    assert says(ann) == ""
    reply = stage.replies.begin(case.public_id, me)
    assert (says(ann), says(lea)) == ("draft by you", "draft by Agent")
    reply = stage.replies.save(reply.public_id, me, "Sorry.", version=reply.version)
    stage.replies.submit(reply.public_id, me, version=reply.version, heard=reply.heard)
    assert says(ann) == "in review"
    leading = Actor(colleague=stage.colleague("lead"), via="page")
    stage.replies.clear(reply.public_id, leading, digest("Sorry."), heard=reply.heard)
    assert says(ann) == "approved, by hand"
    for state, words in (("approved", "approved"), ("unknown", "unknown whether posted"), ("failed", "answer refused")):
        stage.store.db.write("UPDATE replies SET state = ?", (state,))
        assert says(lea) == words
    stage.store.db.write("UPDATE replies SET state = 'cleared'")
    stage.replies.by_hand(reply.public_id, me, "")
    assert says(ann) == "given by hand"
    stage.casework.claim(case.public_id, me)
    assert says(ann) == "", "another answer is to be written"
    dropped = stage.replies.begin(case.public_id, me)
    stage.replies.discard(dropped.public_id, me)
    assert says(ann) == ""


def test_a_list_asks_as_often_for_forty_cases_with_answers_as_for_one(
    stage: Stage, case: Case, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = Connections._run

    def counting(self: Connections, connection: Any, sql: str, values: Sequence[object]) -> list[Any]:
        asked.append(sql)
        return run(self, connection, sql, values)

    client, me = someone("lead"), Actor(colleague=stage.colleague("lead"), via="page")
    stage.replies.begin(case.public_id, me)
    client.get("/cases?view=all")
    monkeypatch.setattr(Connections, "_run", counting)
    client.get("/cases?view=all")
    one = len(asked)
    for each in hear(stage, *(f"My Acme kettle {n} is broken" for n in range(40))):
        stage.replies.begin(each.public_id, me)
    client.get("/cases?view=all")
    asked.clear()
    page = client.get("/cases?view=all").text
    assert page.count("draft by") == 40
    assert len(asked) == one


def test_filters_that_make_no_sense_are_dropped_from_what_forms_carry(case: Case, someone: Someone) -> None:
    dana = someone("agent")
    answer = do(dana, case, "claim", back="view=//evil.example&page=-3&brand=Acme&x=1")
    assert re.fullmatch(rf"/cases/{case.public_id}\?brand=Acme&done=\d+", answer.headers["location"])
    answer = do(dana, case, "snooze", until="1h", then="//evil.example", back="")
    assert re.fullmatch(r"/cases\?done=\d+", answer.headers["location"])


def test_after_a_case_left_the_list_the_next_one_opens(stage: Stage, someone: Someone) -> None:
    one, two = hear(stage, "Acme 1 is broken", "Acme 2 is broken")
    answer = do(someone("agent"), one, "resolve", outcome="no answer needed", then=two.public_id)
    assert answer.headers["location"].startswith(f"/cases/{two.public_id}?done=")


@pytest.mark.parametrize("act", ["claim", "release", "snooze", "resolve", "reopen", "note", "not-us", "merge", "label"])
def test_a_case_that_is_not_there_is_a_page_that_says_so(someone: Someone, act: str) -> None:
    fields = {"outcome": "answered", "mention": "1", "label": "positive", "text": "x", "until": "1h"}
    answer = someone("lead").post(f"/cases/nothing/{act}", data=fields)
    assert answer.status_code == 404


def test_the_page_says_what_the_source_allows_and_leads_to_the_original(
    stage: Stage, case: Case, someone: Someone
) -> None:
    page = text_of(someone("agent").get(f"/cases/{case.public_id}"))
    assert 'href="https://forum.example/t"' in page
    assert "Answering there" in page
    assert "open the original and answer there" in page


def test_who_else_looks_at_a_case_is_said_and_forgotten(stage: Stage, case: Case, someone: Someone) -> None:
    dana, bob = someone("agent", "dana"), someone("agent", "bob")
    path = f"/cases/{case.public_id}"
    assert "looking at it too" not in text_of(dana.get(path))
    assert "Dana is looking at it too" in text_of(bob.get(path))
    stage.clock.forward(timedelta(minutes=3))
    assert "looking at it too" not in text_of(bob.get(path))


def test_programs_do_the_same_as_pages(stage: Stage, case: Case, someone: Someone) -> None:
    dana, bob = someone("agent", "dana"), someone("agent", "bob")
    base = f"/api/v1/cases/{case.public_id}"
    done = dana.post(f"{base}/claim").json()
    assert (done["case"]["status"], done["case"]["assignee"]) == ("acknowledged", "dana")
    refused = bob.post(f"{base}/claim")
    assert refused.status_code == 409
    assert "Dana has it until" in refused.json()["error"]
    assert dana.post(f"{base}/note", json={"text": "hello"}).status_code == 200
    assert dana.post(f"{base}/snooze", json={"until": "2026-11-20T09:00"}).status_code in {200, 409}
    done = dana.post(f"{base}/resolve", json={"outcome": "answered"}).json()
    assert done["case"]["outcome"] == "answered"
    back = dana.post(f"/api/v1/undo/{done['event']}").json()
    assert back["case"]["status"] != "resolved"
    whole = dana.get(base).json()
    assert [note["text"] for note in whole["notes"]] == ["hello"]
    assert whole["events"][-1]["act"] == "undone"
    assert dana.post("/api/v1/cases/nothing/claim").status_code == 404
    assert dana.post(f"{base}/resolve", json={"outcome": "whatever"}).status_code == 400
    assert dana.post("/api/v1/views", json={"name": "a", "query": "view=mine&x=1"}).json()["query"] == "view=mine"
    assert dana.get("/api/v1/views").json() == {"views": [{"name": "a", "query": "view=mine"}]}
    assert dana.delete("/api/v1/views/a").status_code == 204


@pytest.mark.parametrize("page", ["9" * 5000, "0", "-1", "٣"])
def test_an_odd_page_number_among_the_filters_stops_no_act(
    someone: Someone, stage: Stage, case: Case, page: str
) -> None:  # fmt: skip
    answer = do(someone(), case, "claim", back=f"page={page}")
    assert answer.status_code == 303, answer.text[:500]
    assert stage.store.cases.get(case.id).status == "acknowledged"
