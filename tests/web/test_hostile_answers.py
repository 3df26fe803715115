"""10,000 hostile texts through what colleagues write about answers: drafts, questions, reasons, links, remedies.

All of them are looked for on the pages that show them; a sample of the pages is opened in Chromium.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser

from listener.casework import Wished
from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import Author
from listener.core.reply import Reply
from listener.testing import START, make_post
from listener.web import Server, make_web, serve
from listener.web.reply_board import ROWS
from tests.web.stage import Stage
from tests.web.test_browser import Witness
from tests.web.test_hostile_texts import LOOK, ours, read, texts

__all__ = ["ours"]

WHOLE = int(os.environ.get("LISTENER_HOSTILE", "10000"))
CASES = 2 * ROWS
STORIES = 8
"""Cases that hold many answers given by hand, and many remedies."""

UNFIT = re.compile(r"[\s\x00-\x20<>\"'\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""No address holds these; what is left of a text may stand in a link."""

# They read the templates in the source tree, which the run against the wheel does not have.
pytestmark = pytest.mark.sources


class Answered:
    """A stage on which colleagues wrote a hostile text wherever they can about an answer.

    Args:
        stage: where.
        whole: how many texts.
    """

    def __init__(self, stage: Stage, whole: int) -> None:
        """Write what stays; the rest is written round by round."""
        self.stage, self.whole, self._texts = stage, whole, texts()
        self.taken: dict[int, str] = {}
        self.lea = Actor(colleague=stage.colleague("admin", "lea"), via="page")
        self.lars = Actor(colleague=stage.colleague("lead", "lars"), via="page")
        self.mia = stage.colleague("marketer", "mia")
        stage.hear(*(
            make_post(f"{n}", "acme is broken", author=Author(handle=f"@a{n}"), published_at=START)
            for n in range(CASES + STORIES)
        ))  # fmt: skip
        stage.work()
        cases = stage.store.cases.unresolved(1000)
        self.stories, self.drafts = cases[:STORIES], []
        for case in self.stories:
            self._story(case, whole // 8 // STORIES)
        with stage.store.transaction():
            self.drafts = [stage.replies.begin(case.public_id, self.lea) for case in cases[STORIES:]]

    def text(self, where: str, longest: int = 2000) -> str:
        """A hostile text that nobody wrote yet."""
        text = next(self._texts)[:longest]
        self.taken[int(text[1:].partition("q")[0])] = where
        return text

    def _story(self, case: Case, many: int) -> None:
        """Answers given by hand with their links, remedies with what came of them."""
        stage, lea = self.stage, self.lea
        kind = stage.remedies.kinds()[0].name
        with stage.store.transaction():
            for n in range(many // 4):
                reply = self._written(stage.replies.begin(case.public_id, lea), "by hand")
                link = f"https://a{n}.example/" + UNFIT.sub("", self.text("link", 1900))
                stage.replies.by_hand(reply.public_id, lea, link)
                wished = Wished(key=f"{case.id} {n}", kind=kind, cents=1, what=self.text("remedy", 500))
                made = stage.remedies.give(case.public_id, wished, lea).remedy.public_id
                stage.remedies.finish(made, lea, self.text("what came of it", 500))

    def _written(self, reply: Reply, where: str) -> Reply:
        text = self.text(where)
        return self.stage.replies.save(reply.public_id, self.lea, text, version=reply.version)

    def turn(self) -> None:
        """Every draft changes hands: half of them lie with marketing afterwards, half came back from review."""
        replies, half = self.stage.replies, len(self.drafts) // 2
        with self.stage.store.transaction():
            for n, reply in enumerate(self.drafts):
                if reply.state == "asked":
                    reply = replies.hand_back(reply.public_id, self.lea)
                if n < half:
                    asked = self._written(reply, "draft").public_id
                    self.drafts[n] = replies.ask(asked, self.lea, self.mia, self.text("question", 900))
                else:
                    sent = self._written(reply, "in review")
                    replies.submit(sent.public_id, self.lea, version=sent.version, heard=sent.heard)
                    self.drafts[n] = replies.send_back(sent.public_id, self.lars, self.text("why", 900))


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    with Stage(tmp_path_factory.mktemp("answers")) as made:
        yield Answered(made, WHOLE)


@pytest.fixture(scope="module")
def server(answered: Answered) -> Iterator[Server]:
    server = serve(make_web(answered.stage), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def lea(answered: Answered, server: Server) -> Iterator[httpx2.Client]:
    with answered.stage.signed_in(server.url, "admin", "lea") as client:
        yield client


def paths(answered: Answered) -> list[str]:
    """The pages that show an answer or a remedy; those of a few drafts."""
    stage = answered.stage
    drafts = [stage.store.cases.get(reply.case) for reply in answered.drafts[:: CASES // 6]]
    return [
        "/replies",
        "/remedies",
        "/audit",
        "/cases",
        *(f"/cases/{each.public_id}" for each in [*answered.stories, *drafts]),
    ]


def test_every_hostile_text_about_an_answer_is_shown_as_text(
    answered: Answered, lea: httpx2.Client, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    faults: list[str] = []
    seen: set[int] = set()

    def look(path: str) -> None:
        page = lea.get(path)
        assert page.status_code == 200, path
        found = read(page, ours)
        faults.extend(f"{path}: {fault}" for fault in found.faults)
        seen.update(found.marks)

    while len(answered.taken) < WHOLE:
        answered.turn()
        look("/replies")
    for path in paths(answered):
        look(path)
    assert "\n".join(sorted(set(faults))[:20]) == "", len(faults)
    unseen = Counter(answered.taken[n] for n in answered.taken.keys() - seen)
    assert unseen == Counter(), len(answered.taken)


TYPED = ("save", "ask", "send-back", "by-hand", "submit", "send")


def test_what_was_typed_and_not_kept_is_shown_as_text(
    answered: Answered, lea: httpx2.Client, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    """Forms of an older page: each comes back with the words of both."""
    answered.turn()
    faults, marks = [], set()
    for n, act in enumerate(TYPED * 5):
        reply = answered.drafts[n % CASES]
        sent = {name: whole(answered.text("typed", 3000)) for name in ("text", "question", "why", "url", "back")}
        page = lea.post(f"/replies/{reply.public_id}/{act}", data={**sent, "version": "1", "of": "mia"})
        assert page.status_code == 409
        found = read(page, ours)
        faults += [f"{act}: {fault}" for fault in found.faults]
        marks |= found.marks
    assert "\n".join(sorted(set(faults))[:20]) == ""
    assert len(marks) > 2 * len(TYPED * 5)


def whole(text: str) -> str:
    """What a browser sends of a text."""
    return text.encode("utf-8", "replace").decode("utf-8")


def test_no_link_of_an_answer_leads_anywhere_but_to_the_web(answered: Answered) -> None:
    reply = answered.drafts[-1]
    for link in (
        "javascript:alert(1)",
        "JAVASCRIPT:x",
        "data:text/html,x",
        "//a.example",
        "https://a b",
        'https://a"x',
    ):
        with pytest.raises(Refused, match="begins with https"):
            answered.stage.replies.by_hand(reply.public_id, answered.lea, link)


@pytest.mark.browser
def test_a_sample_of_these_pages_runs_nothing_in_a_browser(
    chromium: Browser, answered: Answered, server: Server
) -> None:
    answered.turn()
    witness = Witness(origin=server.url)
    page = answered.stage.page(chromium, server.url, "admin", "lea")
    witness.watch(page)
    faults = []
    for path in paths(answered):
        page.goto(server.url + path)
        strange, violations, pwned = page.evaluate(LOOK)
        if strange or violations or pwned:
            faults.append((path, strange[:3], violations[:3], pwned))
    page.close()
    assert faults == []
    assert witness.dialogs == []
    assert witness.strangers == []
    assert witness.complaints == []
