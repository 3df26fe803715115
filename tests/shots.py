"""Takes pictures of every page into .shots/, at 1280 and 390 pixels, light and dark: `make shots`.

The demo's posts walk through the real steps, at the times at which they were written. A table of words stands in for
the model, so that the pictures need no weights and stay the same; `--model` uses the configured one.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from listener.app import utc_now
from listener.casework import Wished
from listener.core.campaign import Draft
from listener.core.casework import promised
from listener.core.colleague import Colleague, Role
from listener.core.customer import Voice
from listener.core.errors import Unavailable
from listener.core.event import OPERATOR, Actor
from listener.core.mention import Author, Engagement, Post
from listener.core.protocols import Scorer
from listener.core.reply import digest
from listener.core.replying import Posting
from listener.core.route import SLA
from listener.core.sentiment import Verdict, unreadable
from listener.core.tools import Tools
from listener.registry import build_scorer
from listener.settings import load
from listener.telemetry import set_up_logging
from listener.testing import FakeScorer, verdict
from listener.web import make_web, serve
from tests.browser import open_chromium
from tests.replier import FakeReplier
from tests.web.stage import Stage

ROOT = Path(__file__).parent.parent
OUT = ROOT / ".shots"
NOW = datetime(2026, 11, 15, 9, 30, tzinfo=UTC)
WIDTHS: Mapping[int, int] = {1280: 760, 390: 1200}
WHOLE = {"case", "trends", "account", "colleagues", "campaign"}
"""Pages that are photographed in their whole length as well."""

COLLEAGUES: tuple[tuple[Role, str, str], ...] = (
    ("lead", "dana", "Dana Okafor"), ("agent", "ben", "Ben Azikiwe"), ("marketer", "mia", "Mia Lindqvist"),
    ("admin", "root", "Rosa Ottesen"),
)  # fmt: skip

BRIEF = {
    "name": "Free returns in November",
    "brand": "Brackholm",
    "starts_at": "2026-11-01T00:00",
    "ends_at": "2026-11-30T23:59",
    "terms": "",
    "promises": "Everything bought in November may be returned free of charge until 31 January.",
    "known_issues": "Returns of tents take ten days at present: the depot is full.",
    "wording": "Of course you can send it back, and it costs you nothing. The label is in your account.",
}

BAD = frozenset({
    "broken", "broke", "refund", "waiting", "worst", "terrible", "awful", "never", "late", "lost", "missing", "rude",
    "ignored", "useless", "disappointed", "wrong", "complaint", "angry", "faulty", "leak", "leaking", "smell", "unsafe",
    "burnt", "shame", "disgrace", "ridiculous", "scam", "still", "cancelled", "failed", "failing", "fails", "error",
    "poor", "cheap", "split", "torn", "cracked", "unacceptable", "fed",
})  # fmt: skip
GOOD = frozenset({
    "love", "lovely", "great", "brilliant", "thank", "thanks", "best", "perfect", "kind", "helped", "happy",
    "excellent", "superb", "dry", "warm", "recommend", "glad", "favourite", "proud", "comfortable", "quick",
    "wonderful", "amazing", "sorted", "gem", "hero",
})  # fmt: skip


class WordTable(FakeScorer):
    """Counts words of two lists; a tie is doubt."""

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge by the lists."""
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Verdict:
        words = ["".join(filter(str.isalpha, word)) for word in text.casefold().split()]
        if not any(words):
            return unreadable("words@1")
        bad, good = sum(word in BAD for word in words), sum(word in GOOD for word in words)
        # Two more words of one kind than of the other make it about 90 per cent sure.
        weights = (3.0**bad, 1.8 if bad or good else 6.0, 3.0**good)
        negative, neutral, positive = (weight / sum(weights) for weight in weights)
        return verdict(negative, neutral, positive, scorer="words@1", sure=0.55)


def demo_posts() -> Iterator[Post]:
    """The demo's posts with their dates moved to the two weeks before `NOW`."""
    lines = (ROOT / "config/demo/brackholm.ndjson").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    last = max(datetime.fromisoformat(row["published_at"]) for row in rows if row["published_at"])
    for row in rows:
        published = row["published_at"] and datetime.fromisoformat(row["published_at"]) + (NOW - last)
        made = {"author": Author(**row["author"]), "engagement": Engagement(**row["engagement"])}
        yield Post(**{**row, **made, "published_at": published})


def play(stage: Stage) -> None:
    """Let two weeks pass: posts are heard as they appear, one channel fails for a while, one place goes down."""
    stage.clock.now = NOW - timedelta(days=15)
    for post in demo_posts():
        stage.clock.now = max(stage.clock.now, post.published_at or stage.clock.now)
        stage.hear(post, place="sample")
        if len(stage.channels["console"].tried) == 30:
            stage.channels["console"].fail(Unavailable("mail.example.org does not answer: timed out after 20 s"))
        stage.work()
        stage.clock.forward(timedelta(seconds=6))
        stage.send()
    for minutes, place in ((140, "Hacker News"), (9, "Mastodon, #python"), (4, "Planet Python")):
        stage.clock.now = NOW - timedelta(minutes=minutes)
        stage.hear(*(replace(post, realm=place) for post in _python_posts()), place=place)
        stage.work()
    for minutes in (47, 12):
        stage.clock.now = NOW - timedelta(minutes=minutes)
        stage.lose("Hacker News", Unavailable("hn.algolia.com does not answer: the name could not be resolved"))
    stage.clock.now = NOW
    stage.send()


def _python_posts() -> Iterator[Post]:
    for n, text in enumerate((
        "The new Python release notes read like a love letter to people who debug for a living.",
        "Packaging in Python is broken again and nobody can tell me which tool is the wrong one.",
        "A short tour of Python's data classes, with more tables than strictly needed.",
    )):  # fmt: skip
        yield Post(source="feed", external_id=str(n), kind="article", title=text[:40], text=text,
                   author=Author(name="A. Pythonista"), published_at=NOW - timedelta(days=9 - n))  # fmt: skip


def catch_up(stage: Stage, dana: Actor) -> None:
    """What is older than a few days was answered in its time; the rest came in this morning."""
    worth = _worth_a_look(stage)
    fresh = 0
    for case in stage.store.cases.unresolved(1000):
        if case.public_id != worth and case.opened_at < NOW - timedelta(days=3):
            stage.casework.resolve(case.public_id, dana, "answered")
            continue
        fresh += 1
        sla = SLA(acknowledge=timedelta(minutes=30), reply=timedelta(hours=4), resolve=timedelta(days=3))
        with stage.store.transaction():
            stage.store.cases.change(promised(case, sla, NOW - timedelta(minutes=37 - 4 * min(fresh, 8))))


def work(stage: Stage) -> Mapping[str, Mapping[str, str]]:
    """Let the colleagues do a morning's work; gives the addresses of the pages by who looks at them."""
    dana, ben, mia, root = (Actor(colleague=_joined(stage, *each), via="page") for each in COLLEAGUES)
    catch_up(stage, dana)
    worth = _worth_a_look(stage)
    campaign = stage.campaigns.register(Draft(**BRIEF), mia)
    stage.campaigns.register(
        Draft(**{**BRIEF, "name": "Winter boots", "terms": "boots", "starts_at": "2026-11-20T08:00"}), mia
    )
    others = [case.public_id for case in stage.store.cases.unresolved(40) if case.public_id != worth]
    stage.casework.claim(worth, ben)
    stage.casework.note(worth, ben, "Called the depot: the parcel is there, it goes out this afternoon.")
    for case in others[1:3]:
        stage.casework.claim(case, dana)
    stage.casework.snooze(others[3], ben, NOW + timedelta(hours=5))
    for case in others[4:8]:
        stage.casework.resolve(case, dana, "answered")
    answer(stage, worth, others[1], (dana, ben, mia))
    by_hand = answer_by_hand(stage, others[10:], (dana, ben))
    make_right(stage, (worth, others[0], others[8], others[9]), (dana, ben))
    customer = stage.customers.link(_voice(stage, worth), _voice(stage, others[9]), ben).customer
    _, welcome = stage.accounts.invite(root, "noor", "Noor Haddad", "agent")
    stage.tokens.make(root, "Prometheus", ["read"], timedelta(days=90))
    return {
        "": {"sign-in": "/sign-in", "welcome": f"/welcome/{welcome}"},
        "ben": {
            "cases": "/cases", "case": f"/cases/{worth}", "empty": "/cases?view=snoozed&q=nothing",
            "merge": f"/cases/{worth}/merge", "not-us": f"/cases/{others[0]}/not-us?word=stove",
            "draft": f"/cases/{worth}#reply", "by-hand": f"/cases/{by_hand}#reply",
            "customers": "/customers", "customer": f"/customers/{customer.public_id}", "call": "/calls/new",
        },
        "dana": {
            "mentions": "/mentions", "trends": "/trends", "places": "/places", "missing": "/nowhere",
            "answer": f"/cases/{worth}#reply", "answers": "/replies", "remedies": "/remedies",
            "remedy": f"/cases/{worth}#remedies", "unsure": "/unsure",
        },
        "mia": {
            "campaigns": "/campaigns", "campaign": f"/campaigns/{campaign.public_id}", "campaign-new": "/campaigns/new"
        },
        "root": {"colleagues": "/colleagues", "account": "/account", "audit": "/audit"},
    }  # fmt: skip


def answer(stage: Stage, worth: str, another: str, who: tuple[Actor, Actor, Actor]) -> None:
    """Ben writes, Mia betters it, and it waits for Dana; she has answered somebody else already."""
    dana, ben, mia = who
    stage.posting = Posting(on=True, hold=timedelta(0))
    stage.repliers["sample"] = Platforms()
    assert mia.colleague is not None
    draft = stage.replies.begin(worth, ben)
    draft = stage.replies.save(draft.public_id, ben, "Sorry about the wait, the van broke down.", version=draft.version)
    asked = stage.replies.ask(draft.public_id, ben, mia.colleague, "May I promise the free return here too?")
    better = stage.replies.save(
        asked.public_id, mia, "You waited, and that is our fault: the van broke down. Your parcel leaves this "
        "afternoon, and whatever you do not like goes back for free until 31 January.", version=asked.version,
    )  # fmt: skip
    back = stage.replies.hand_back(better.public_id, mia)
    stage.replies.submit(back.public_id, ben, version=back.version, heard=NOW)
    first = stage.replies.begin(another, dana)
    text = "That should not happen. A new one is on its way to you."
    first = stage.replies.save(first.public_id, dana, text, version=first.version)
    stage.replies.approve(first.public_id, dana, digest(text), heard=NOW)
    stage.post()
    stage.posting = Posting(on=True)


def answer_by_hand(stage: Stage, cases: Sequence[str], who: tuple[Actor, Actor]) -> str:
    """Ben writes to a reviewer where no program may answer, and Dana approves it: gives the case."""
    dana, ben = who
    platforms = stage.repliers["sample"]
    assert isinstance(platforms, Platforms)
    for each in cases:
        draft = stage.replies.begin(each, ben)
        [mention] = stage.store.mentions.of_case(draft.case, 1)
        if mention.post.kind == "review":
            platforms.closed.add(mention.post.external_id)
            break
        stage.replies.discard(draft.public_id, ben)
    text = "We are sorry: that must not happen. Write to us with your order, and the new one leaves today."
    draft = stage.replies.save(draft.public_id, ben, text, version=draft.version)
    stage.replies.submit(draft.public_id, ben, version=draft.version, heard=NOW)
    stage.replies.clear(draft.public_id, dana, digest(text), heard=NOW)
    return each


def make_right(stage: Stage, cases: tuple[str, str, str, str], who: tuple[Actor, Actor]) -> None:
    """What was given this morning: within an allowance, above it, done, declined and withdrawn."""
    dana, ben = who
    worth, second, third, fourth = cases

    def give(case: str, kind: str, cents: int, what: str, by: Actor = ben) -> str:
        wished = Wished(key=what, kind=kind, cents=cents, what=what)
        return stage.remedies.give(case, wished, by).remedy.public_id

    done = give(worth, "refund", 1495, "the postage, since the parcel came late")
    stage.remedies.finish(done, ben, "They wrote that it arrived, and thanked us.")
    give(worth, "voucher", 2500, "a voucher for the next order")
    give(worth, "replacement", 24900, "a new tent: the seams of the old one leak")
    give(second, "refund", 18000, "the whole order, which never came")
    stage.remedies.decline(
        give(third, "voucher", 30000, "a voucher, as asked for by phone"), dana, "Not what went wrong."
    )
    stage.remedies.withdraw(give(fourth, "replacement", 3900, "a new flask", dana), dana)


@dataclass(slots=True)
class Platforms(FakeReplier):
    """Takes answers to everything but what is closed."""

    closed: set[str] = field(default_factory=set)

    def can_reply(self, post: Post) -> str | None:
        """Why not there."""
        return "reviews there are answered in the shop's own console" if post.external_id in self.closed else None


def _joined(stage: Stage, role: Role, handle: str, name: str) -> Colleague:
    """Somebody who chose a password."""
    _, secret = stage.accounts.invite(OPERATOR, handle, name, role)
    stage.accounts.welcome(
        secret, handle=handle, name=name, password="copper lantern seven rows", address="192.0.2.1", browser="a phone"
    )  # fmt: skip
    return stage.accounts.find(handle)


def _voice(stage: Stage, case: str) -> Voice:
    """The author of a case."""
    found = stage.store.cases.find(case)
    assert found is not None
    source, realm, handle = stage.store.cases.voice(found.id).split("\x1f")
    return Voice(source=source, realm=realm, handle=handle)


def shoot(browser: Browser, stage: Stage, url: str, pages: Mapping[str, Mapping[str, str]]) -> None:
    """Photograph each page at each width in each scheme, as its reader sees it."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme, width, who in product(schemes, WIDTHS, pages):
        context = browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, java_script_enabled=False
        )
        if who:
            stage.sign_in(context, url, stage.accounts.find(who).role, who)
        page = context.new_page()
        for name, path in pages[who].items():
            page.goto(url + path)
            page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png")
            if name in WHOLE:
                page.screenshot(path=OUT / f"{name}-{width}-{scheme}-whole.png", full_page=True)
        context.close()


def _worth_a_look(stage: Stage) -> str:
    """A case with several mentions, else any."""
    cases = stage.store.cases.unresolved(1000)
    return max(cases, key=lambda case: (case.severity == "crisis", min(case.mentions, 3), case.id)).public_id


def main() -> int:
    """Fill a database, serve it, take the pictures."""
    set_up_logging("critical")
    config = ROOT / "config/demo.toml"
    scorer: Scorer = WordTable()
    if "--model" in sys.argv:
        scorer = build_scorer(load(config, environ={}), Tools(http=None, clock=utc_now))
    OUT.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Stage(Path(folder), config, NOW, scorer) as stage,
    ):
        play(stage)
        server = serve(make_web(stage), "127.0.0.1", 0)
        server.start()
        pages = work(stage)
        try:
            with open_chromium() as browser:
                shoot(browser, stage, server.url, pages)
        finally:
            server.stop()
    print(f"Pictures of {sum(map(len, pages.values()))} pages are in {OUT.relative_to(ROOT)}/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
