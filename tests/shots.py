"""Takes pictures of every page into .shots/, at 1280 and 390 pixels, light and dark: `make shots`.

The demo's posts walk through the real steps, at the times at which they were written. A table of words stands in for
the model, so that the pictures need no weights and stay the same; `--model` uses the configured one.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from listener.app import utc_now
from listener.core.errors import Unavailable
from listener.core.mention import Author, Engagement, Post
from listener.core.protocols import Scorer, Tools
from listener.core.sentiment import Verdict, unreadable
from listener.registry import build_scorer
from listener.settings import load
from listener.telemetry import set_up_logging
from listener.testing import FakeScorer, verdict
from listener.web import make_web, serve
from tests.browser import open_chromium
from tests.web.stage import Stage

ROOT = Path(__file__).parent.parent
OUT = ROOT / ".shots"
NOW = datetime(2026, 11, 15, 9, 30, tzinfo=UTC)
WIDTHS: Mapping[int, int] = {1280: 760, 390: 1200}

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


def shoot(browser: Browser, stage: Stage, url: str, paths: Mapping[str, str]) -> None:
    """Photograph each page at each width in each scheme, whole."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        for width, height in WIDTHS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=False
            )
            stage.sign_in(context, url, "lead", "Dana Okafor")
            page = context.new_page()
            for name, path in paths.items():
                page.goto(url + path)
                page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png")
                if name in {"case", "trends"}:
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
        paths = {
            "cases": "/cases",
            "case": f"/cases/{_worth_a_look(stage)}",
            "mentions": "/mentions",
            "trends": "/trends",
            "places": "/places",
            "empty": "/cases?status=resolved",
            "missing": "/nowhere",
        }
        try:
            with open_chromium() as browser:
                shoot(browser, stage, server.url, paths)
        finally:
            server.stop()
    print(f"Pictures of {len(paths)} pages are in {OUT.relative_to(ROOT)}/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
