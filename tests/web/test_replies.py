"""Answers over HTTP: plain forms from the draft to the posted answer, `/replies`, the stop, and the JSON twins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import httpx2
import pytest

from listener.core.case import Case
from listener.core.colleague import Role
from listener.core.event import Actor
from listener.core.mention import Author
from listener.core.reply import Reply, ReplyLimits, digest
from listener.core.replying import NEWS, STALE
from listener.testing import make_post
from listener.web import Server
from listener.web.wordings import difference
from tests.replier import FakeReplier
from tests.web import hostile
from tests.web.stage import Stage
from tests.web.test_hostile_texts import ours, read

__all__ = ["ours"]

HOLD = timedelta(seconds=11)

Someone = Callable[..., httpx2.Client]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A complaint at a place that can be answered; posting is switched on."""
    with Stage(tmp_path) as made:
        made.posting = replace(made.posting, on=True)
        made.repliers["forum"] = FakeReplier()
        kim = Author(handle="@kim", name="Kim")
        made.hear(make_post("1", "acme is broken", author=kim, url="https://forum.example/1"))
        made.work()
        yield made


@pytest.fixture
def case(stage: Stage) -> Case:
    [case] = stage.store.cases.unresolved()
    return case


@pytest.fixture
def someone(stage: Stage, server: Server) -> Iterator[Someone]:
    """Signs a colleague in."""
    with ExitStack() as clients:
        yield lambda role="agent", handle="": clients.enter_context(stage.signed_in(server.url, role, handle))


@pytest.fixture
def ann(someone: Someone) -> httpx2.Client:
    return someone("agent", "ann")


@pytest.fixture
def lea(someone: Someone) -> httpx2.Client:
    return someone("lead", "lea")


def html_of(answer: httpx2.Response) -> str:
    """The page, as it is: blanks count in a draft."""
    assert answer.status_code == 200, answer.text.partition("<h1")[2][:3000]
    return answer.text


def place(stage: Stage) -> FakeReplier:
    """The place that is answered."""
    found = stage.repliers["forum"]
    assert isinstance(found, FakeReplier)
    return found


def actor(stage: Stage, role: Role, handle: str) -> Actor:
    """A colleague at a page."""
    return Actor(colleague=stage.colleague(role, handle), via="page")


def live(stage: Stage, case: Case) -> Reply:
    """The answer under way."""
    found = stage.store.replies.live(case.id)
    assert found is not None
    return found


def press(client: httpx2.Client, page: str, button: str, **fields: str) -> httpx2.Response:
    """Press a button of a page as a browser without scripts does: with all fields of its form."""
    for form in re.findall(r"<form[^>]*>.*?</form>", page, re.DOTALL):
        for attributes, words in re.findall(r"<button([^>]*)>(.*?)</button>", form, re.DOTALL):
            if (
                re.sub(r"<[^>]+>", "", words).strip() != button
                or " hidden" in attributes
                or 'type="button"' in attributes
            ):
                continue
            sent = dict(re.findall(r'<input type="hidden"[^>]* name="([^"]+)" value="([^"]*)"', form))
            sent |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL))
            sent |= dict(re.findall(r'name="([^"]+)" value="([^"]*)"', attributes))
            action = re.search(r'formaction="([^"]+)"', attributes) or re.search(r'action="([^"]+)"', form)
            assert action is not None
            return client.post(action[1], data={**sent, **fields})
    raise AssertionError(f"there is no button {button!r}")


def buttons(page: str) -> set[str]:
    """What can be pressed in the answer's part of a case."""
    part = page.partition('id="reply"')[2].partition("</section>")[0]
    found = re.findall(r"<button(?![^>]*hidden)[^>]*>(.*?)</button>", part, re.DOTALL)
    return {re.sub(r"<[^>]+>", "", words).strip() for words in found}


def shown(client: httpx2.Client, case: Case) -> str:
    """The case's page."""
    answer = client.get(f"/cases/{case.public_id}")
    assert answer.status_code == 200
    return html_of(answer)


def follow(client: httpx2.Client, answer: httpx2.Response) -> str:
    """The page that a form led to."""
    assert answer.status_code == 303, answer.text.partition("<h1")[2][:3000]
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    return html_of(page)


def refused(answer: httpx2.Response) -> str:
    """The page that says why not."""
    assert answer.status_code == 409
    return answer.text


def test_an_answer_goes_from_the_draft_through_review_to_the_post_without_scripts(
    stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client
) -> None:
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    assert "Yours until" in page
    assert {"Send to review", "Keep the draft", "Throw away", "Hand it to marketing"} <= buttons(page)
    assert "Send" not in buttons(page), "the case is too severe to send alone"
    page = follow(ann, press(ann, page, "Keep the draft", text="Sorry, Kim."))
    assert "Sorry, Kim.</textarea>" in page
    assert "11 of 500" in page
    page = follow(ann, press(ann, page, "Send to review", text="Sorry, Kim. Ours."))
    assert "It takes another pair of eyes" in page
    assert buttons(page) == {"Take it back from review", "Throw away"}
    page = shown(lea, case)
    assert "Sent to review by <bdi>Ann</bdi>" in page
    assert '<span class="badge">1<span class="unseen"> for you to see to</span></span>' in page
    page = follow(lea, press(lea, page, "Approve and post", text="Sorry, Kim. It is ours."))
    assert "Approved by <bdi>Lea</bdi>" in page
    assert "It is posted" in page
    assert stage.store.replies.wordings(1)[-1].text == "Sorry, Kim. It is ours."
    assert place(stage).stood == []
    stage.clock.forward(HOLD)
    stage.post()
    assert [each.text for each in place(stage).stood] == ["Sorry, Kim. It is ours."]
    page = shown(ann, case)
    assert "Our answer" in page
    assert "approved by <bdi>Lea</bdi>" not in page, "who approved it wrote its last words"
    assert 'href="https://forum.example/a1"' in page
    assert "the customer has the word until" in page


def test_who_may_send_alone_sends_and_takes_back_within_the_hold(stage: Stage, case: Case, lea: httpx2.Client) -> None:
    page = follow(lea, press(lea, shown(lea, case), "Begin an answer"))
    page = follow(lea, press(lea, page, "Send", text="Sorry."))
    assert buttons(page) == {"Take back"}
    page = follow(lea, press(lea, page, "Take back"))
    stage.clock.forward(HOLD)
    stage.post()
    assert (live(stage, case).state, place(stage).stood) == ("draft", [])
    assert "Sorry.</textarea>" in page


def test_the_words_in_the_field_are_those_that_are_approved(
    stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client
) -> None:
    stage.replies.begin(case.public_id, actor(stage, "agent", "ann"))
    page = follow(ann, press(ann, shown(ann, case), "Send to review", text="Sorry.\r\n\r\nOurs. "))
    old = shown(lea, case)
    reply = live(stage, case)
    stage.replies.save(reply.public_id, actor(stage, "lead", "lars"), "Never.", version=reply.version)
    page = refused(press(lea, old, "Approve and post"))
    assert STALE in page
    assert "Sorry.\n\nOurs.</textarea>" in page, "what she read stays in the field"
    assert "<bdi>Lars</bdi> changed the draft meanwhile" in page
    assert live(stage, case).state == "in review"
    page = follow(lea, press(lea, page, "Approve and post"))
    approval = live(stage, case).approval
    assert approval is not None
    assert (approval.text, approval.digest) == ("Sorry.\n\nOurs.", digest("Sorry.\n\nOurs."))


def test_somebody_elses_change_is_shown_beside_the_words_that_were_typed(
    stage: Stage, case: Case, ann: httpx2.Client
) -> None:
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    reply = live(stage, case)
    stage.replies.save(reply.public_id, actor(stage, "lead", "lea"), "Sorry, it is late.", version=reply.version)
    page = refused(press(ann, page, "Keep the draft", text="Sorry, it is broken."))
    assert STALE in page
    assert "Sorry, it is broken.</textarea>" in page
    assert '<div class="text" id="their-words" dir="auto">Sorry, it is late.</div>' in page
    assert "<del> late</del><ins> broken</ins>" in page
    assert live(stage, case).text == "Sorry, it is late."
    page = follow(ann, press(ann, page, "Keep the draft"))
    assert live(stage, case).text == "Sorry, it is broken."
    assert "changed the draft meanwhile" not in page


def test_words_typed_while_it_ceased_to_be_a_draft_are_there_to_be_copied(
    stage: Stage, case: Case, ann: httpx2.Client
) -> None:
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    lea, reply = actor(stage, "lead", "lea"), live(stage, case)
    reply = stage.replies.save(reply.public_id, lea, "Sorry.", version=reply.version)
    stage.replies.approve(reply.public_id, lea, digest("Sorry."), heard=reply.heard)
    page = refused(press(ann, page, "Keep the draft", text="My <b>words"))
    assert STALE in page
    assert "Your words, which were not kept" in page
    assert "My &lt;b&gt;words</textarea>" in page
    assert "Take back" in buttons(page)


def test_what_the_customer_wrote_meanwhile_is_shown_and_has_to_be_read(
    stage: Stage, case: Case, ann: httpx2.Client
) -> None:
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    stage.clock.forward(timedelta(minutes=3))
    stage.hear(make_post("2", "acme, and now the <b>bell</b> too is broken", author=Author(handle="@kim", name="Kim")))
    stage.work()
    page = refused(press(ann, page, "Send to review", text="Sorry about the pan."))
    assert NEWS in page
    assert '<blockquote dir="auto">acme, and now the &lt;b&gt;bell&lt;/b&gt; too is broken</blockquote>' in page
    assert "Sorry about the pan.</textarea>" in page
    page = follow(ann, press(ann, page, "I have read it", text="Sorry about both."))
    assert "I have read it" not in buttons(page)
    follow(ann, press(ann, page, "Send to review"))
    assert live(stage, case).text == "Sorry about both."


def test_marketing_is_asked_with_a_clock_sees_it_and_gives_it_back(
    stage: Stage, case: Case, ann: httpx2.Client, someone: Someone
) -> None:
    stage.accounts.set_duty(actor(stage, "marketer", "away"), on_duty=False)
    mia = someone("marketer", "mia")
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    choices = re.findall(
        r'<option value="([^"]+)">([^<]+)</option>', page.partition('id="ask-of"')[2].partition("</select>")[0]
    )
    assert [handle for handle, _ in choices][:2] == ["mia", "away"] or choices[-1][0] == "away"
    assert "(off duty)" in dict(choices)["away"]
    page = follow(
        ann, press(ann, page, "Hand it to marketing", text="Sorry, but.", of="mia", question="Too <i>much</i>?")
    )
    assert "<bdi>Mia</bdi> has it until" in page
    assert buttons(page) == {"Fetch it back", "Throw away"}
    board = html_of(mia.get("/replies"))
    assert '<span class="badge">1<span class="unseen"> for you to see to</span></span>' in board
    assert "Asked of you" in board
    assert "Too &lt;i&gt;much&lt;/i&gt;?" in board
    page = shown(mia, case)
    assert buttons(page) == {"Give it back", "Keep the draft"}
    page = follow(mia, press(mia, page, "Give it back", text="Sorry."))
    assert "Sorry, but" not in page.partition("</textarea>")[0].partition("<textarea")[2]
    assert "<del>, but</del>" in shown(ann, case)
    assert live(stage, case).state == "draft"


def test_a_review_sends_back_with_a_word_why(stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client) -> None:
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    follow(ann, press(ann, page, "Send to review", text="Sorry."))
    assert "Say why" in refused(press(lea, shown(lea, case), "Send it back")).replace("say why", "Say why")
    follow(lea, press(lea, shown(lea, case), "Send it back", why="name the <pan>"))
    assert "name the &lt;pan&gt;" in shown(ann, case)


def test_everything_that_stands_against_an_answer_is_said_in_words(
    stage: Stage, case: Case, lea: httpx2.Client
) -> None:
    place(stage).limit = ReplyLimits(limit=10, link_length=23, links="they are cut off there", opening="@kim ")
    page = follow(lea, press(lea, shown(lea, case), "Answer"))
    assert "@kim</textarea>" in page.replace("@kim </textarea>", "@kim</textarea>")
    assert "they begin with <bdi>@kim</bdi>" in page
    page = refused(press(lea, page, "Send", text="see https://a.example/long"))
    for said in (
        "17 characters too long: 27 of 10",
        "it holds a link: they are cut off there",
        "it does not name @kim",
    ):
        assert page.count(said) >= 2, said
    assert '<span id="reply-count" class="over">27 of 10</span>' in page
    assert live(stage, case).text == "see https://a.example/long", "the words are kept all the same"


def test_where_nothing_can_be_posted_the_answer_is_given_by_hand(stage: Stage, case: Case, lea: httpx2.Client) -> None:
    stage.repliers.clear()
    page = follow(lea, press(lea, shown(lea, case), "Answer"))
    assert '<strong>By hand:</strong> <bdi dir="auto">there is no interface for answers there' in page
    assert not {"Send", "Approve and post"} & buttons(page)
    assert '<a class="button" href="https://forum.example/1"' in page
    page = refused(press(lea, page, "It stands there", text="Sorry.", url="javascript:alert(1)"))
    assert "begins with https://" in page
    assert "Sorry.</textarea>" in page
    page = follow(lea, press(lea, page, "It stands there", url="https://forum.example/9"))
    assert "given by hand" in page
    assert 'href="https://forum.example/9"' in page
    assert stage.store.cases.get(case.id).status == "waiting"


def test_what_a_lead_approved_is_given_by_hand_by_who_wrote_it(
    stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client
) -> None:
    stage.repliers.clear()
    stage.posting = replace(stage.posting, alone={"lead": "high"})
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    page = follow(ann, press(ann, page, "Send to review", text="Sorry, Kim."))
    assert "another pair of eyes, and is then given by hand" in page
    page = shown(lea, case)
    assert {"Approve, to be given by hand", "Send it back", "It stands there"} <= buttons(page)
    assert "Approve and post" not in buttons(page)
    page = follow(lea, press(lea, page, "Approve, to be given by hand"))
    assert "approved, to be given by hand" in page
    page = shown(ann, case)
    assert "Approved by <bdi>Lea</bdi>" in page
    assert buttons(page) == {"Copy the words", "Take back", "It stands there"}
    assert 'readonly dir="auto">\nSorry, Kim.</textarea>' in page
    assert '<a class="button" href="https://forum.example/1"' in page
    assert '<span class="badge">1<span' in page, "it waits for who sent it to review"
    board = html_of(ann.get("/replies"))
    assert "Approved, to be given by hand" in board
    page = follow(ann, press(ann, page, "It stands there", url="https://forum.example/9"))
    assert "given by hand" in page
    assert "approved by <bdi>Lea</bdi>" in page
    assert stage.store.cases.get(case.id).status == "waiting"
    assert "approved by <bdi>Lea</bdi>" in html_of(ann.get("/replies"))


def test_an_approval_by_hand_is_taken_back_and_given_anew_for_other_words(
    stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client
) -> None:
    stage.repliers.clear()
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    old = follow(ann, press(ann, page, "Send to review", text="Sorry."))
    page = follow(lea, press(lea, shown(lea, case), "Approve, to be given by hand"))
    kim = Author(handle="@kim", name="Kim")
    stage.clock.forward(timedelta(minutes=1))
    stage.hear(make_post("2", "acme is still broken", author=kim, url="https://forum.example/2"))
    stage.work()
    page = shown(ann, case)
    assert "take the answer back if it does not fit any more" in page
    assert live(stage, case).approval is not None
    page = follow(ann, press(ann, page, "Take back"))
    assert live(stage, case).approval is None
    assert "The customer wrote since you read the conversation" in page
    late = press(lea, old, "Take it back from review")
    assert late.status_code == 409


def test_while_posting_is_off_pages_say_so_and_how_to_switch_it_on(
    stage: Stage, case: Case, lea: httpx2.Client
) -> None:
    stage.posting = replace(stage.posting, on=False)
    page = follow(lea, press(lea, shown(lea, case), "Answer"))
    assert "posting is switched off here ([replies] post = true switches it on)" in page
    assert "Send" not in buttons(page)
    board = html_of(lea.get("/replies"))
    assert "<code>post = true</code> under <code>[replies]</code>" in board
    assert "Stop all posting" not in board


def test_an_unknown_outcome_is_loud_and_says_what_to_look_at(
    stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client
) -> None:
    place(stage).how, place(stage).hidden = "silence", True
    by = actor(stage, "lead", "lea")
    reply = stage.replies.save(stage.replies.begin(case.public_id, by).public_id, by, "Sorry.", version=1)
    stage.replies.approve(reply.public_id, by, digest("Sorry."), heard=reply.heard)
    stage.clock.forward(HOLD)
    stage.post()
    page = shown(ann, case)
    assert "nobody knows whether it stands" in page
    assert "the connection ended" in page
    assert 'Look <a href="https://forum.example/1"' in page
    assert buttons(page) == {"It stands there"}
    assert "Nobody knows whether these stand" in html_of(ann.get("/replies"))
    page = shown(lea, case)
    assert buttons(page) == {"It stands there", "It is not there: hand it over once more"}
    place(stage).how = "takes"
    follow(lea, press(lea, page, "It is not there: hand it over once more"))
    stage.post()
    assert [each.text for each in place(stage).stood] == ["Sorry."]


def test_who_hands_an_old_answer_over_again_is_told_that_it_may_stand_twice(
    stage: Stage, case: Case, lea: httpx2.Client
) -> None:
    place(stage).how, place(stage).hidden = "silence", True
    by = actor(stage, "lead", "lea")
    reply = stage.replies.save(stage.replies.begin(case.public_id, by).public_id, by, "Sorry.", version=1)
    stage.replies.approve(reply.public_id, by, digest("Sorry."), heard=reply.heard)
    stage.clock.forward(timedelta(minutes=59))
    stage.post()
    assert "It is not there: hand it over once more" in buttons(shown(lea, case))
    stage.clock.forward(timedelta(minutes=1))
    stage.post()
    page = shown(lea, case)
    assert "It is not there: hand it over once more" not in buttons(page)
    assert "It is not there: hand it over once more, though it may then stand twice" in buttons(page)
    assert "the place may have forgotten its key" in page


def test_a_draft_is_taken_up_again_on_a_case_that_waits_which_is_ones_own_then(
    stage: Stage, case: Case, lea: httpx2.Client
) -> None:
    stage.repliers.clear()
    by = actor(stage, "lead", "lea")
    done = stage.replies.begin(case.public_id, by)
    stage.replies.by_hand(done.public_id, by, "")
    second = stage.replies.begin(case.public_id, by)
    stage.replies.discard(second.public_id, by)
    waits = replace(stage.store.cases.get(case.id), status="waiting", claimed_until=None)
    stage.store.cases.change(replace(waits, snoozed_until=stage.clock() + timedelta(days=7)))
    page = follow(lea, press(lea, shown(lea, case), "Take it up again"))
    assert "Yours until" in page
    assert stage.store.cases.get(case.id).status == "acknowledged"


def test_a_refused_answer_says_why_and_is_changed_and_sent_in_one_go(
    stage: Stage, case: Case, lea: httpx2.Client
) -> None:
    place(stage).how = "refuses"
    page = follow(lea, press(lea, shown(lea, case), "Answer"))
    follow(lea, press(lea, page, "Send", text="Sorry."))
    stage.clock.forward(HOLD)
    stage.post()
    page = shown(lea, case)
    assert "It was refused there and is not posted." in page
    assert "422: too long" in page
    assert "422: too long" in html_of(lea.get("/replies"))
    place(stage).how = "takes"
    page = follow(lea, press(lea, page, "Send", text="Oh."))
    stage.clock.forward(HOLD)
    stage.post()
    assert [each.text for each in place(stage).stood] == ["Oh."]


def test_a_draft_is_thrown_away_and_taken_up_again(stage: Stage, case: Case, ann: httpx2.Client) -> None:
    page = follow(ann, press(ann, shown(ann, case), "Answer"))
    page = follow(ann, press(ann, page, "Throw away", text="Sorry."))
    assert "Your draft was thrown away" in page
    page = follow(ann, press(ann, page, "Take it up again"))
    assert "Sorry.</textarea>" in page


def test_the_stop_is_seen_on_every_page_and_lets_go_on_by_who_may_approve(
    stage: Stage, case: Case, ann: httpx2.Client, lea: httpx2.Client, someone: Someone
) -> None:
    assert "Say why" in refused(ann.post("/replies/stop", data={"why": ""}))
    assert "All posting is stopped" in follow(
        ann, press(ann, html_of(ann.get("/replies")), "Stop all posting now", why="a <wrong> word")
    )
    for path in ("/cases", "/mentions", "/account", f"/cases/{case.public_id}"):
        page = html_of(someone("viewer").get(path))
        assert "<strong>All posting is stopped</strong> by <bdi>Ann</bdi>" in page, path
        assert "a &lt;wrong&gt; word" in page
    assert ann.post("/replies/go-on").status_code == 403
    assert "stopped already" in refused(lea.post("/replies/stop", data={"why": "too"}))
    page = follow(lea, press(lea, html_of(lea.get("/replies")), "Let posting go on"))
    assert "All posting is stopped" not in page
    assert "not stopped" in refused(lea.post("/replies/go-on"))
    assert refused(someone("viewer").post("/replies/stop", data={"why": "no"}))


def test_the_board_says_what_waits_for_whom_and_what_was_answered(stage: Stage, case: Case, lea: httpx2.Client) -> None:
    assert "No answer has been written yet" in html_of(lea.get("/replies"))
    page = follow(lea, press(lea, shown(lea, case), "Answer"))
    follow(lea, press(lea, page, "Send", text="Sorry, <Kim>."))
    board = html_of(lea.get("/replies"))
    assert "About to be posted" in board
    stage.clock.forward(timedelta(minutes=12))
    stage.post()
    board = html_of(lea.get("/replies"))
    assert "Lately answered" in board
    assert "written by <bdi>Lea</bdi>" in board
    assert "12 min after we heard of it" in board
    assert "Sorry, &lt;Kim&gt;." in board
    assert f'href="/cases/{case.public_id}#answer-' in board


def test_an_earlier_mention_can_be_answered(stage: Stage, case: Case, ann: httpx2.Client) -> None:
    stage.hear(make_post("2", "acme is still broken", author=Author(handle="@kim", name="Kim")))
    stage.work()
    page = follow(ann, press(ann, shown(ann, case), "Answer this one"))
    assert "acme is broken</blockquote>" in page
    assert live(stage, case).mention == 1


def test_who_was_signed_out_gets_their_words_back(stage: Stage, case: Case, outside: httpx2.Client) -> None:
    stage.replies.begin(case.public_id, actor(stage, "agent", "ann"))
    path = f"/replies/{live(stage, case).public_id}/send"
    answer = outside.post(path, data={"text": "my <b>words", "version": "1"})
    assert answer.status_code == 401
    assert "my &lt;b&gt;words</textarea>" in answer.text
    assert 'href="/sign-in?next=' in answer.text
    assert outside.post(path).status_code == 303
    assert outside.post("/cases/x/note", data={"text": "my words"}).status_code == 303


def test_what_is_not_there_is_404(stage: Stage, lea: httpx2.Client) -> None:
    for path in ("/cases/none/reply", "/replies/none/save", "/replies/none/again", "/api/v1/replies/none/withdraw"):
        assert lea.post(path).status_code == 404, path
    assert lea.get("/api/v1/replies/none").status_code == 404
    assert lea.get("/api/v1/cases/none/replies").status_code == 404


def test_a_program_does_the_same_with_the_same_rights(
    stage: Stage, case: Case, server: Server, someone: Someone
) -> None:
    token = stage.tokens.make(actor(stage, "lead", "lea"), "bot", ["read", "reply"], timedelta(days=1))[1]
    with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}, trust_env=False) as program:
        begun = program.post(f"/api/v1/cases/{case.public_id}/replies", json={})
        assert begun.status_code == 201
        one = begun.json()
        path = f"/api/v1/replies/{one['id']}"
        one = program.put(path, json={"text": "Sorry, see https://a.example/x", "version": one["version"]}).json()
        assert (one["length"], one["most"], one["misfits"], one["by_hand"]) == (34, 500, [], None)
        stale = program.put(path, json={"text": "x", "version": 1})
        assert (stale.status_code, stale.json()["error"]) == (409, f"That cannot be done now. S{STALE[1:]}.")
        sent = program.post(f"{path}/send", json={"digest": one["digest"], "heard": one["newest"]}).json()
        assert (sent["state"], sent["approved"]["who"], sent["approved"]["digest"]) == (
            "approved",
            "Lea",
            one["digest"],
        )
        assert program.post(f"{path}/again").status_code == 403
        clear = program.post(f"{path}/clear", json={"digest": one["digest"], "heard": one["newest"]})
        assert clear.status_code == 403
        assert [each["id"] for each in program.get("/api/v1/replies").json()["replies"]] == [one["id"]]
        assert program.get("/api/v1/replies?state=draft").json()["replies"] == []
        stage.clock.forward(HOLD)
        stage.post()
        whole = program.get(path).json()
        assert (whole["reply"]["state"], whole["reply"]["url"]) == ("posted", "https://forum.example/a1")
        assert [each["text"] for each in whole["wordings"]] == ["Sorry, see https://a.example/x"]
        assert program.get(f"/api/v1/cases/{case.public_id}/replies").json()["replies"][0]["state"] == "posted"
        assert program.get("/api/v1/posting").json() == {"on": True, "hold_seconds": 10.0, "stopped": None}
        stopped = program.post("/api/v1/posting/stop", json={"why": "wrong"}).json()["stopped"]
        assert (stopped["who"], stopped["why"]) == ("Lea", "wrong")
        assert program.post("/api/v1/posting/go-on").status_code == 403


def test_a_program_approves_what_is_to_be_given_by_hand(
    stage: Stage, case: Case, server: Server, someone: Someone
) -> None:
    stage.repliers.clear()
    ann = actor(stage, "agent", "ann")
    reply = stage.replies.begin(case.public_id, ann)
    reply = stage.replies.save(reply.public_id, ann, "Sorry.", version=reply.version)
    stage.replies.submit(reply.public_id, ann, version=reply.version, heard=reply.heard)
    token = stage.tokens.make(actor(stage, "lead", "lea"), "bot", ["read", "reply", "approve"], timedelta(days=1))[1]
    with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}, trust_env=False) as program:
        path = f"/api/v1/replies/{reply.public_id}"
        one = program.get(path).json()["reply"]
        assert program.post(f"{path}/clear", json={"digest": "0", "heard": one["newest"]}).status_code == 409
        done = program.post(f"{path}/clear", json={"digest": one["digest"], "heard": one["newest"]}).json()
        assert (done["state"], done["approved"]["digest"]) == ("cleared", one["digest"])
        assert [each["id"] for each in program.get("/api/v1/replies?state=cleared").json()["replies"]] == [one["id"]]
        given = program.post(f"{path}/by-hand", json={"url": "https://forum.example/9"}).json()
        assert (given["state"], given["approved"]["who"]) == ("by hand", "Lea")


@pytest.mark.sources  # it reads the templates
def test_no_hostile_text_becomes_part_of_a_page(
    stage: Stage, case: Case, lea: httpx2.Client, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    by, mia = actor(stage, "lead", "lea"), stage.colleague("marketer", "mia")
    reply = stage.replies.begin(case.public_id, by)
    faults = []
    for n, text in enumerate(islice(hostile.texts(), 40)):
        reply = stage.replies.save(reply.public_id, by, text[:4000], version=reply.version)
        reply = stage.replies.ask(reply.public_id, by, mia, text[:900])
        faults += read(lea.get(f"/cases/{case.public_id}"), ours).faults
        reply = stage.replies.hand_back(reply.public_id, by)
        clash = lea.post(
            f"/replies/{reply.public_id}/save",
            data={"text": text[:4000].encode("utf-8", "replace").decode() + "!", "version": "1"},
        )
        faults += read(clash, ours).faults
        if n % 10 == 0:
            stage.stops.stop(by, text[:900].strip() or "x")
            faults += read(lea.get("/replies"), ours).faults
            stage.stops.go_on(by)
    assert faults == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "new", [("added", "new")]),
        ("old", "", [("removed", "old")]),
        ("same", "same", [("same", "same")]),
        ("We are sorry, but it is late.", "We are sorry: it is late.",
         [("same", "We are sorry"), ("removed", ", but"), ("added", ":"), ("same", " it is late.")]),
        ("a" + " a" * 2000, "b" + " b" * 2000, [("removed", "a" + " a" * 2000), ("added", "b" + " b" * 2000)]),
    ],
)  # fmt: skip
def test_a_difference_is_told_word_by_word(before: str, after: str, said: list[tuple[str, str]]) -> None:
    assert [(each.change, each.text) for each in difference(before, after)] == said
