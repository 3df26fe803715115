"""The page of a case whose answer did not arrive: it says so, why in the mail system's words, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from listener.core.case import Case
from listener.core.echo import Echo
from listener.core.event import Actor
from listener.core.mention import Author
from listener.core.query import Place
from listener.core.reply import digest
from listener.pipeline.echoes import heed
from listener.testing import make_post
from tests.replier import FakeReplier
from tests.web.stage import Stage

HOSTILE = '550 5.1.1 <script>alert(1)</script> & "quotes" ]]> {{ 7 * 7 }}'
WHY = "there is no such mailbox (5.1.1)"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A complaint that was answered at a place."""
    with Stage(tmp_path) as made:
        made.posting = replace(made.posting, on=True)
        made.repliers["forum"] = FakeReplier()
        made.hear(make_post("1", "acme is broken", author=Author(handle="@kim", name="Kim")))
        made.work()
        [case] = made.store.cases.unresolved()
        ann = Actor(colleague=made.colleague("admin", "ann"), via="page")
        draft = made.replies.begin(case.public_id, ann)
        draft = made.replies.save(draft.public_id, ann, "Sorry, a new one comes.", version=draft.version)
        made.replies.approve(draft.public_id, ann, digest(draft.text), heard=draft.heard)
        made.clock.forward(timedelta(seconds=11))
        made.post()
        yield made


def now(stage: Stage) -> Case:
    return stage.store.cases.get(1)


def comes_back(stage: Stage) -> None:
    """The answer did not arrive."""
    reply = stage.store.replies.of_case(1)[0]
    assert reply.posted is not None
    echo = Echo(realm="fake.example", external_id=reply.posted.external_id, kind="returned", why=WHY, said=HOSTILE)
    with stage.store.transaction():
        place = Place(name="forum", source="fake")
        assert heed(stage.store, FakeReplier(), stage.rules, place, (echo,), stage.clock()) == 1


def test_the_case_says_that_its_answer_did_not_arrive_and_why(stage: Stage, web: httpx2.Client) -> None:
    comes_back(stage)
    page = web.get(f"/cases/{now(stage).public_id}").text
    assert "It was sent and came back:" in page
    assert f"it did not arrive: {WHY}" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "The answer did not arrive" in page, "so says its history"
    assert "Our answer</strong>" not in page, "it is no part of the conversation that the customer knows"


def test_it_stands_among_the_answers_that_wait_for_somebody(stage: Stage, web: httpx2.Client) -> None:
    comes_back(stage)
    page = web.get("/replies").text
    assert f"it did not arrive: {WHY}" in page
    assert "<script>alert(1)" not in page


def test_beside_a_new_draft_the_conversation_says_which_answer_did_not_arrive(stage: Stage, web: httpx2.Client) -> None:
    ann = Actor(colleague=stage.colleague("admin", "ann"), via="page")
    stage.replies.begin(now(stage).public_id, ann)
    comes_back(stage)
    page = web.get(f"/cases/{now(stage).public_id}").text
    assert "Our answer</strong>" in page
    assert f"It did not arrive: {WHY}" in page
    assert "<script>alert(1)" not in page
