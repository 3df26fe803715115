"""10,000 hostile texts in every field that people fill: each is shown as text, and none becomes part of a page.

All pages are parsed over HTTP, a sample of them is opened in Chromium. `LISTENER_HOSTILE=100000` draws more texts.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser

from listener.casework import Wished
from listener.core.call import Told
from listener.core.campaign import Draft
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import Author
from listener.testing import START, make_post
from listener.web import Server, make_web, serve
from tests.web import hostile
from tests.web.stage import Stage
from tests.web.test_browser import Witness

WHOLE = int(os.environ.get("LISTENER_HOSTILE", "10000"))
SAMPLE = 200
"""Pages that are opened in a browser."""

# They read the templates in the source tree, which the run against the wheel does not have.
pytestmark = pytest.mark.sources

TEMPLATES = Path(__file__).parents[2] / "listener/web/templates"

EXTRA = (
    "=cmd|' /C calc'!A0", "+1+cmd", "@SUM(1+1)*cmd", "-2+3", "\tname", "2026-01-01 [critical ] forged=1",
    "\r\nX-Pwned: 1\r\n\r\n<b>", "%0d%0aX-Pwned:%201", "\nlevel=critical event=forged", "\x1b]0;title\x07",
    "';alert(1);//", "\";alert(1);//", "</option></select><svg/onload=window.__pwned=1>", "</datalist><b>",
    "expression(window.__pwned=1)", "background:url(javascript:window.__pwned=1)", "url(//evil.example/x)",
    "<plaintext>", "<xmp>", "<noembed>", "<listing>", "<frameset onload=window.__pwned=1>", "<bdo dir=rtl>",
    "<a target=_blank href=https://evil.example>x</a>", "<svg><style><!--</style><img src=x onerror=window.__pwned=1>",
    "<math><mi//xlink:href=\"data:x,<script>window.__pwned=1</script>\">", "<isindex action=javascript:1 type=image>",
    "<button type=submit form=sign-out>x</button>", "<input name=key value=forged>", "<meta charset=utf-7>",
    "+ADw-script+AD4-window.__pwned=1+ADw-/script+AD4-", "<div hx-get=//evil.example hx-trigger=load>",
    "<div data-stream=//evil.example/s id=live>", "<main id=main tabindex=-1>", "\u2028<b>\u2029",
)  # fmt: skip

OPENINGS = (
    "", "\"", "'", "\">", "'>", "`", "-->", "]]>", "</textarea>", "</title>", "</bdi>", "</script>", "</style>", "</p>",
    "</select>", "\\\"", "\u202e", "\u2066", "&quot;>", "&#39;", "<", "<!--", "<![CDATA[", "{{", "{%", "\x00", "\ufeff",
)  # fmt: skip

TWISTS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    str.swapcase,
    lambda text: text.replace("<", "<\x00"),
    lambda text: text.replace(" ", "\n"),
    lambda text: text.replace(" ", "/"),
    lambda text: text.replace("=", " =\t"),
    lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    lambda text: text.replace("<", "&amp;lt;"),
    lambda text: quote(text.encode("utf-8", "replace")),
    lambda text: "".join(f"&#{ord(each)}" for each in text[:300]),
    lambda text: text.replace("a", "a\u0301\u0327"),
    lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text: text * 2,
    lambda text: text[::-1],
)


def texts() -> Iterator[str]:
    """Hostile texts without end, each with its number and with a tag and attributes that no page of ours has."""
    draw = random.Random(7)
    known = [text for text in (*hostile.texts(), *EXTRA) if len(text) < 600]
    long = [text for text in hostile.texts() if len(text) >= 600]
    for n in count():
        vector = draw.choice(long) if n % 400 == 0 else draw.choice(TWISTS)(draw.choice(OPENINGS) + draw.choice(known))
        yield f"q{n}q{vector}" + draw.choice(("<xq>", '" xq="', "' xq='", '"><xq y="', " xq "))


class Filled:
    """A stage with a hostile text in each field that takes one.

    Args:
        stage: what is filled.
        whole: how many texts.
    """

    def __init__(self, stage: Stage, whole: int) -> None:
        """Fill it."""
        self.stage, self._texts = stage, texts()
        self.taken: dict[int, str] = {}
        self.by: dict[str, Actor] = {}
        self._posts(whole * 27 // 100)
        self._people(whole // 400)
        self._calls(whole // 100)
        self._campaigns(whole // 160)
        self._cases = stage.store.cases.unresolved(100_000)
        self._remedies(whole // 200)
        self._customers(whole // 200)
        while len(self.taken) < whole:
            case = self._cases[len(self.taken) % len(self._cases)].public_id
            self._keep("note", lambda text, case=case: stage.casework.note(case, self._lead, text[:4000]))

    @property
    def _lead(self) -> Actor:
        return self.by.setdefault("lead", Actor(colleague=self.stage.colleague("lead"), via="page"))

    def _next(self, where: str, longest: int = 20_000) -> str:
        text = next(self._texts)[:longest]
        self.taken[int(text[1:].partition("q")[0])] = where
        return text

    def _keep(self, where: str, act: Callable[[str], object]) -> None:
        """Give a text to a field that may refuse it; a refused one does not count."""
        text = self._next(where)
        try:
            act(text)
        except Refused:
            del self.taken[int(text[1:].partition("q")[0])]

    def _posts(self, many: int) -> None:
        """Posts of few authors, so that a case holds many of them."""
        for first in range(0, many, 300):
            posts, handle = [], ""
            for n in range(first, min(first + 300, many)):
                handle = handle if n % 20 else self._next("handle", 200)
                author = Author(
                    handle=handle, name=self._next("author", 150), url=hostile.LINKS[n % len(hostile.LINKS)]
                )
                posts.append(
                    make_post(
                        f"{n}", f"{self._next('text')} acme is broken", author=author, title=self._next("title", 300),
                        url=hostile.LINKS[(n + 5) % len(hostile.LINKS)], published_at=START,
                    )
                )  # fmt: skip
            self.stage.hear(*posts)
        self.stage.work()

    def _people(self, many: int) -> None:
        """Colleagues with their names, tokens and saved views."""
        for n in range(many):
            me = Actor(colleague=self.stage.colleague("agent", f"agent-{n}"), via="page")
            self._keep("colleague", lambda text, me=me: self.stage.accounts.rename(me, text[:70]))
            for _ in range(2):
                self._keep("view", lambda text, me=me: self.stage.views.save(me, text[:40], f"q={quote(text[:90])}"))
            self._keep(
                "token",
                lambda text, me=me: self.stage.tokens.make(me, text[:70], ["read"], timedelta(days=1)),
            )

    def _calls(self, many: int) -> None:
        for n in range(many):
            who = f"agent-{n % 10}"
            by = Actor(colleague=self.stage.colleague("agent", who), via="page")
            told = Told(
                key=f"call {n}", brand="Acme", words=self._next("call", 4000), mood="negative",
                topic=self._next("topic", 150), customer=self._next("caller", 150),
            )  # fmt: skip
            self.stage.calls.log(told, by)
        self.stage.work()

    def _campaigns(self, many: int) -> None:
        """Briefs; some are of every mention."""
        for n in range(many):
            draft = Draft(
                name=self._next("campaign", 90), brand="Acme", starts_at="2026-11-01", ends_at="2027-01-01",
                terms="" if n % 20 == 0 else self._next("term", 90).replace("\n", " ").replace("\r", " "),
                promises=self._next("promises", 4000), known_issues=self._next("issues", 4000),
                wording=self._next("wording", 4000),
            )  # fmt: skip
            self.stage.campaigns.register(draft, self._lead)

    def _remedies(self, many: int) -> None:
        """Kinds, and remedies with what they are and what came of them."""
        remedies, admin = self.stage.remedies, Actor(colleague=self.stage.colleague("admin"), via="page")
        for n in range(5):
            self._keep("kind", lambda text, n=n: remedies.terms.add_kind(text[:60], 100 + n, admin))
        kinds = remedies.kinds()
        for n in range(many):
            wished = Wished(key=f"remedy {n}", kind=kinds[n % len(kinds)].name, cents=n, what=self._next("remedy", 500))
            made = remedies.give(self._cases[n % 7].public_id, wished, self._lead).remedy.public_id
            self._keep("outcome", lambda text, made=made: remedies.finish(made, self._lead, text[:500]))

    def _customers(self, many: int) -> None:
        """Customers, two authors each, with a name and a note."""
        panels = [self.stage.customers.of_case(case) for case in self._cases[:many]]
        voices = list(
            {panel.profiles[0].voice.key: panel.profiles[0].voice for panel in panels if panel.profiles}.values()
        )
        for one, other in zip(voices[::2], voices[1::2], strict=False):
            made = self.stage.customers.link(one, other, self._lead).customer.public_id
            self._keep("customer", lambda text, made=made: self.stage.customers.rename(made, text[:90], self._lead))
            self._keep("customer note", lambda text, made=made: self.stage.customers.note(made, text[:900], self._lead))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with Stage(tmp_path_factory.mktemp("hostile")) as made:
        yield Filled(made, WHOLE)


@pytest.fixture(scope="module")
def server(filled: Filled) -> Iterator[Server]:
    server = serve(make_web(filled.stage), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def paths(stage: Stage, colleagues: int) -> Iterator[tuple[str, str]]:
    """Every page that shows what somebody wrote, with the handle of the one who opens it."""
    cases = stage.store.cases.unresolved(100_000)
    yield from (("admin", f"/cases?view=all&page={n + 1}") for n in range(len(cases) // 50 + 1))
    yield from (
        ("admin", f"/mentions?page={n + 1}") for n in range(sum(stage.store.mentions.counts().values()) // 50 + 1)
    )
    yield from (("admin", f"/cases/{case.public_id}") for case in cases)
    admin = Actor(colleague=stage.colleague("admin"), via="page")
    yield "admin", "/campaigns"
    for each in stage.campaigns.page(admin):
        yield "admin", f"/campaigns/{each.campaign.public_id}"
    for each in stage.campaigns.page(admin)[::5]:
        yield "admin", f"/campaigns/{each.campaign.public_id}/edit"
    yield from (("admin", f"/customers?page={n}") for n in (1, 2, 3))
    yield from (("admin", f"/customers/{each.public_id}") for each in stage.customers.page(limit=1000))
    yield from (("admin", path) for path in ("/colleagues", "/audit", "/trends", "/places", "/account", "/calls/new"))
    yield from (("admin", path) for path in ("/remedies", "/remedies/terms"))
    for n in range(colleagues):
        yield from ((f"agent-{n}", path) for path in ("/cases", "/account", "/calls/new"))


class Reader(HTMLParser):
    """Reads a page and keeps what our templates cannot have written."""

    def __init__(self, tags: frozenset[str], attributes: frozenset[str]) -> None:
        """Nothing is read yet."""
        super().__init__()
        self._tags, self._attributes = tags, attributes
        self.faults: list[str] = []
        self.marks: set[int] = set()
        self.ids: Counter[str] = Counter()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        self._inside = tag
        said = {name: value or "" for name, value in attrs}
        wrong = [name for name in said if name not in self._attributes or name.startswith("on") or name == "style"]
        if tag not in self._tags or wrong or len(said) != len(attrs):
            self.faults.append(f"<{tag} {attrs}>"[:300])
        if tag in {"script", "link"}:
            if not (said.get("src") or said.get("href", "")).startswith("/static/"):
                self.faults.append(f"<{tag} {attrs}>"[:300])
        elif "href" in said and not self._leads(said):
            self.faults.append(f"href {said['href']}"[:300])
        for name in ("src", "action"):
            if name in said and not re.match(r"/(?![/\\])", said[name]):
                self.faults.append(f"{name} {said[name]}"[:300])
        self.ids.update([said["id"]] if "id" in said else [])
        for value in said.values():
            self._mark(value)

    @staticmethod
    def _leads(said: dict[str, str]) -> bool:
        if re.match(r"https?://[^\s<>\"']+\Z", said["href"]):
            return said.get("rel") == "noopener noreferrer nofollow ugc"
        return re.match(r"#|\?|/(?![/\\])", said["href"]) is not None

    def handle_data(self, data: str) -> None:
        """Words between elements."""
        if self._inside in {"script", "style"} and data.strip():
            self.faults.append(f"inside <{self._inside}>: {data[:200]}")
        self._mark(data)

    def handle_endtag(self, tag: str) -> None:
        """The end of an element."""
        self._inside = ""

    def handle_comment(self, data: str) -> None:
        """No template of ours leaves a comment in its page."""
        self.faults.append(f"<!--{data[:200]}")

    def unknown_decl(self, data: str) -> None:
        """Nor a declaration."""
        self.faults.append(f"<![{data[:200]}")

    def handle_pi(self, data: str) -> None:
        """Nor an instruction."""
        self.faults.append(f"<?{data[:200]}")

    def _mark(self, text: str) -> None:
        self.marks.update(int(n) for n in re.findall(r"q(\d+)q", text))


@pytest.fixture(scope="module")
def ours() -> tuple[frozenset[str], frozenset[str]]:
    """The elements and attributes that our templates write."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in TEMPLATES.glob("*.html")).lower()
    tags = frozenset(re.findall(r"<([a-z][a-z0-9]*)", source))
    attributes = frozenset(re.findall(r"[\s}\"]([a-z][a-z-]*)=\"", source))
    bare = {
        "required",
        "checked",
        "selected",
        "open",
        "hidden",
        "autofocus",
        "defer",
        "data-newest",
        "novalidate",
        "readonly",
    }
    return tags, attributes | {name for name in bare if name in source}


def read(page: httpx2.Response, ours: tuple[frozenset[str], frozenset[str]]) -> Reader:
    """What a page holds; its headers are ours too."""
    reader = Reader(*ours)
    reader.feed(page.text)
    reader.close()
    reader.faults += [f"id {name} twice" for name, n in reader.ids.items() if n > 1]
    reader.faults += [f"header {name}" for name in ("set-cookie", "x-pwned", "refresh") if name in page.headers]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert page.headers["x-content-type-options"] == "nosniff"
    return reader


@pytest.mark.slow
def test_every_hostile_text_is_shown_as_text_and_becomes_part_of_no_page(
    filled: Filled, server: Server, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    assert len(filled.taken) >= WHOLE
    assert not ours[1] & {"onload", "onerror", "onclick", "style", "srcdoc", "xq"}
    assert not ours[0] & {"iframe", "object", "embed", "base", "style", "img", "math", "xq"}
    clients: dict[str, httpx2.Client] = {}
    faults, seen, pages = [], set(), 0
    for who, path in paths(filled.stage, WHOLE // 400):
        if who not in clients:
            clients[who] = filled.stage.signed_in(server.url, "admin" if who == "admin" else "agent", who)
        answer = clients[who].get(path)
        assert answer.status_code == 200, path
        found = read(answer, ours)
        faults += [(path, fault) for fault in found.faults]
        seen |= found.marks
        pages += 1
    for client in clients.values():
        client.close()
    assert "\n".join(sorted({fault for _, fault in faults})[:20]) == "", len(faults)
    unseen = Counter(filled.taken[n] for n in filled.taken.keys() - seen)
    assert unseen == Counter(), f"of {len(filled.taken)} texts on {pages} pages"


ASKED = (
    "/cases?q={}", "/cases?brand={}", "/cases?assignee={}&q={}", "/mentions?brand={}", "/customers?q={}",
    "/audit?who={}&act={}", "/sign-in?next={}&show=1", "/cases/{}", "/{}", "/cases/{case}?back={}&q={}",
    "/cases/{case}/merge?q={}&back={}",
)  # fmt: skip
"""Addresses that show what they were asked for."""

TYPED = ("/sign-in", "/calls/new", "/campaigns/new", "/customers/link", "/colleagues", "/account/name", "/views")
"""Forms that come back with what was typed, as long as something of it is wrong."""


def whole(text: str) -> str:
    """What a browser sends of a text."""
    return text[:3000].encode("utf-8", "replace").decode("utf-8")


def test_no_text_that_is_sent_back_becomes_part_of_a_page(
    filled: Filled, server: Server, ours: tuple[frozenset[str], frozenset[str]]
) -> None:
    case = filled.stage.store.cases.unresolved()[0].public_id
    draw, faults, marks = texts(), [], set()
    names = (
        "handle", "password", "words", "topic", "customer", "brand", "mood", "name", "terms", "promises", "wording",
        "starts_at", "ends_at", "known_issues", "one", "other", "role", "back", "key", "next",
    )  # fmt: skip
    with filled.stage.signed_in(server.url, "admin") as client:
        for address in (*ASKED * 20, *TYPED * 8):
            if address in TYPED:
                answer = client.post(address, data={name: whole(next(draw)) for name in names})
            else:
                text = quote(whole(next(draw))[:180], safe="")
                answer = client.get(address.replace("{case}", case).replace("{}", text))
            if "html" in answer.headers.get("content-type", ""):
                found = read(answer, ours)
                faults += [f"{address}: {fault}" for fault in found.faults]
                marks |= found.marks
    assert "\n".join(sorted(set(faults))[:20]) == ""
    assert len(marks) > 150


LOOK = """
(() => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  document.querySelectorAll("main *").forEach((each) => ["mouseover", "focus"].forEach(
    (kind) => each.dispatchEvent(new Event(kind))));
  const strange = [...document.querySelectorAll("*")].filter((each) => each.localName.startsWith("xq")
    || [...each.attributes].some((one) => /^(on|style$|xq|srcdoc)/.test(one.name))
    || ["iframe", "object", "embed", "base", "style", "img", "math"].includes(each.localName));
  return [strange.map((each) => each.outerHTML.slice(0, 200)), window.__violations, Boolean(window.__pwned)];
})()
"""


@pytest.mark.slow
@pytest.mark.browser
def test_a_sample_of_their_pages_runs_nothing_in_a_browser(chromium: Browser, filled: Filled, server: Server) -> None:
    known = [path for who, path in paths(filled.stage, 0) if who == "admin"]
    sample = known[:: max(1, len(known) // SAMPLE)]
    witness = Witness(origin=server.url)
    page = filled.stage.page(chromium, server.url, "admin")
    witness.watch(page)
    faults = []
    for path in sample:
        page.goto(server.url + path)
        strange, violations, pwned = page.evaluate(LOOK)
        if strange or violations or pwned:
            faults.append((path, strange[:3], violations[:3], pwned))
    page.close()
    assert faults == []
    assert witness.dialogs == []
    assert witness.strangers == []
    assert witness.complaints == []
    assert WHOLE < 10_000 or len(sample) >= SAMPLE
