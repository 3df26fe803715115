"""Hacker News against a search index on loopback that answers as the real one does, bounds and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.core.errors import AdapterError, Rejected
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Tools
from listener.http import Client
from listener.testing import HOSTILE, START, Asked, FakeClock, Site, Told, check_source
from sources.hackernews import HackerNews, HackerNewsOptions

DATA = Path(__file__).parents[1] / "data" / "hackernews"
PLACE = Place(name="hn", source="hackernews")
NEED = Query(name="brackholm", brand="Brackholm", terms=("brackholm",))
NOW = int(START.timestamp())


class Index:
    """A search index: newest first, pages, time bounds, and no more than `reach` results for one search."""

    def __init__(self, *hits: dict[str, Any], reach: int = 1_000) -> None:
        self.hits = list(hits)
        self.reach = reach

    def add(self, number: int, at: int, text: str = "brackholm", **more: object) -> None:
        self.hits.append({"objectID": str(number), "created_at_i": at, "comment_text": text, "author": "a", **more})

    def __call__(self, asked: Asked) -> Told:
        if not asked.path.endswith("/search_by_date"):
            return Told(status=404)
        found = [hit for hit in self.hits if self._found(hit, asked.params)]
        found = sorted(found, key=lambda hit: -hit["created_at_i"])[: self.reach]
        count, page = int(asked.params["hitsPerPage"]), int(asked.params["page"])
        body = {"hits": found[page * count : (page + 1) * count], "nbPages": -(-len(found) // count), "page": page}
        return Told(body=json.dumps(body).encode())

    def _found(self, hit: dict[str, Any], params: Any) -> bool:
        words = params.get("query", "").replace('"', "").split()
        text = " ".join(str(hit.get(key) or "") for key in ("title", "story_text", "comment_text")).casefold()
        bounds = [bound.partition("created_at_i")[2] for bound in params["numericFilters"].split(",")]
        at = hit["created_at_i"]
        inside = all(at <= int(b[2:]) if b.startswith("<=") else at > int(b[1:]) for b in bounds)
        return inside and all(word in text for word in words)


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def site(index: Index) -> Iterator[Site]:
    with Site(index) as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tools(clock: FakeClock) -> Iterator[Tools]:
    with Client(longest=5, allow_private=True) as http:
        yield Tools(http=http, clock=clock)


def source(site: Site, tools: Tools, **options: int) -> HackerNews:
    return HackerNews(HackerNewsOptions(base_url=f"{site.url}/api/v1", **options), tools)


def drained(
    site: Site, tools: Tools, cursor: Cursor | None = None, needs: tuple[Query, ...] = (NEED,), **options: int
) -> tuple[set[str], Cursor | None, list[Page]]:
    """All ids of all pages, a new source for each."""
    ids: set[str] = set()
    pages: list[Page] = []
    while not pages or pages[-1].more:
        page = source(site, tools, **options).poll(PLACE, needs, cursor, Budget(posts=200))
        ids |= {post.external_id for post in page.posts}
        cursor = page.cursor
        pages.append(page)
    return ids, cursor, pages


def test_hacker_news_passes_the_contract(index: Index, site: Site) -> None:
    index.hits = json.loads((DATA / "page.json").read_text())["hits"]
    index.add(5, NOW - 100, f"brackholm {HOSTILE.replace('<', '&lt;').encode('utf-8', 'ignore').decode()}")
    hostile = HOSTILE.replace("\0", "\ufffd").replace("\ud800", "").replace("\r", " ")
    check_source(
        lambda tools: source(site, tools),
        needs=(NEED,),
        site=site,
        grow=lambda: index.add(9, NOW - 5),
        says=[hostile.partition("\x1b")[0]],
    )


def test_hits_become_posts(index: Index, site: Site, tools: Tools) -> None:
    index.hits = json.loads((DATA / "page.json").read_text())["hits"]
    comment, story = source(site, tools).poll(PLACE, (NEED,), None, Budget()).posts
    assert (comment.kind, comment.external_id, comment.realm, comment.title) == ("comment", "41000003", "", "")
    assert comment.text == 'Brackholm\'s support is "gone": see\n\nSecond paragraph'
    assert comment.url == "https://news.ycombinator.com/item?id=41000003"
    assert (comment.in_reply_to, comment.root) == ("41000002", "41000001")
    assert comment.published_at == datetime(2026, 11, 14, 8, 50, tzinfo=UTC)
    assert comment.author.handle == "lena"
    assert (story.kind, story.title, story.text) == ("post", "Ask HN: Brackholm & friends", "Does anyone get replies?")
    assert (story.engagement.likes, story.engagement.replies, story.root) == (12, 3, None)


def test_each_term_is_asked_for_once_and_phrases_in_quotes(site: Site, tools: Tools) -> None:
    needs = (NEED, Query(name="b", brand="B", terms=("Brackholm", "brack  holm as")))
    drained(site, tools, needs=needs)
    assert [asked.params["query"] for asked in site.asked] == ['"brack holm as"', "brackholm"]
    assert {asked.params["tags"] for asked in site.asked} == {"(story,comment)"}


def test_nobody_listening_asks_nothing(site: Site, tools: Tools) -> None:
    assert source(site, tools).poll(PLACE, (), None, Budget()) == Page()
    assert site.asked == []


def test_a_place_of_one_brand_reads_everything(index: Index, site: Site, tools: Tools) -> None:
    index.add(1, NOW - 5, "no word of it")
    place = Place(name="hn", source="hackernews", brand="B")
    assert len(source(site, tools).poll(place, (), None, Budget()).posts) == 1


def test_the_first_poll_reaches_back_48_hours(index: Index, site: Site, tools: Tools) -> None:
    index.add(1, NOW - 47 * 3600)
    index.add(2, NOW - 49 * 3600)
    assert drained(site, tools)[0] == {"1"}


def test_a_late_arrival_within_ten_minutes_is_met(index: Index, site: Site, tools: Tools, clock: FakeClock) -> None:
    index.add(1, NOW - 10)
    _, cursor, _ = drained(site, tools)
    index.add(2, NOW - 500)
    index.add(3, NOW - 10)
    clock.forward(timedelta(minutes=5))
    assert drained(site, tools, cursor)[0] == {"1", "2", "3"}


def test_a_later_arrival_is_met_by_the_daily_sweep(index: Index, site: Site, tools: Tools, clock: FakeClock) -> None:
    index.add(1, NOW - 10)
    _, cursor, _ = drained(site, tools)
    index.add(2, NOW - 20 * 3600)
    clock.forward(timedelta(hours=12))
    ids, cursor, _ = drained(site, tools, cursor)
    assert "2" not in ids
    clock.forward(timedelta(hours=13))
    assert "2" in drained(site, tools, cursor)[0]


def test_a_new_term_sees_its_last_48_hours(index: Index, site: Site, tools: Tools) -> None:
    index.add(1, NOW - 3600, "acme")
    index.add(2, NOW - 10)
    _, cursor, _ = drained(site, tools)
    acme = Query(name="acme", brand="Acme", terms=("acme",))
    assert "1" in drained(site, tools, cursor, needs=(NEED, acme))[0]


@pytest.mark.parametrize("reach", [1_000, 10_000])
def test_a_burst_beyond_what_one_search_shows_is_read_whole(site: Site, tools: Tools, index: Index, reach: int) -> None:
    index.reach = reach
    for number in range(2_500):
        index.add(number, NOW - 20_000 + number * 7)
    ids, cursor, pages = drained(site, tools, pages=100)
    assert len(ids) == 2_500
    assert all(page.gap is None for page in pages)
    assert len(pages) > 10
    assert drained(site, tools, cursor)[0] <= ids


def test_a_walk_that_the_page_limit_stops_tells_of_a_gap(site: Site, tools: Tools, index: Index) -> None:
    for number in range(900):
        index.add(number, NOW - number)
    ids, _, pages = drained(site, tools, pages=3, hits=100)
    assert len(ids) == 300
    assert pages[-1].gap == "page limit reached for 'brackholm': older than 2026-11-14T08:55:01+00:00 was not read"


def test_more_in_one_second_than_a_search_shows_is_a_gap_and_ends(site: Site, tools: Tools, index: Index) -> None:
    for number in range(1_200):
        index.add(number, NOW - 60)
    ids, _, pages = drained(site, tools, pages=50)
    assert len(ids) == 1_000
    assert pages[-1].gap


def test_a_future_date_does_not_hide_what_follows(index: Index, site: Site, tools: Tools, clock: FakeClock) -> None:
    index.add(1, NOW + 10 * 86_400)
    _, cursor, _ = drained(site, tools)
    index.add(2, NOW + 60)
    clock.forward(timedelta(minutes=5))
    assert "2" in drained(site, tools, cursor)[0]


def test_hits_that_are_none_are_told_or_left_out(index: Index, site: Site, tools: Tools) -> None:
    index.add(1, NOW - 1)
    index.hits.append({"created_at_i": NOW - 2, "comment_text": "brackholm without an id"})
    index.add(3, NOW - 3, "brackholm", points="many", parent_id=None, author=None)
    page = source(site, tools).poll(PLACE, (NEED,), None, Budget())
    assert [post.external_id for post in page.posts] == ["1", "3"]
    assert page.rejected == ("a search result without an id",)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"hits": 3}', b"<html>", b'{"hits": [], "nbPages": "x"}'])
def test_an_answer_that_is_none_is_an_error(tools: Tools, body: bytes) -> None:
    with Site(lambda _: Told(body=body)) as site, pytest.raises(AdapterError, match="no search result"):
        source(site, tools).poll(PLACE, (NEED,), None, Budget())


@pytest.mark.parametrize("cursor", ["", "null", "[]", '{"v": 7}', '{"v": 1}', '{"v": 1, "terms": 3}'])
def test_a_cursor_that_cannot_be_read_starts_anew(index: Index, site: Site, tools: Tools, cursor: str) -> None:
    index.add(1, NOW - 40 * 3600)
    assert drained(site, tools, Cursor(cursor))[0] == {"1"}


def test_an_index_that_is_gone_for_good_says_so(tools: Tools) -> None:
    with Site(lambda _: Told(status=410)) as site, pytest.raises(Rejected, match="gone for good"):
        source(site, tools).poll(PLACE, (NEED,), None, Budget())
