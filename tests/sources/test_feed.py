"""The feed source against a server on loopback: formats, validators, redirects, pauses, long and odd feeds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from listener.core.errors import Rejected, Unavailable
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Tools
from listener.http import Client
from listener.testing import HOSTILE, Asked, FakeClock, Site, Told, check_source
from sources.feed import Feed, FeedOptions

DATA = Path(__file__).parents[1] / "data" / "feed"
PLACE = Place(name="talk", source="feed")


def rss(*items: str, channel: str = "") -> bytes:
    return f'<rss version="2.0"><channel><title>t</title>{channel}{"".join(items)}</channel></rss>'.encode()


def item(guid: str = "", text: str = "words", link: str = "", title: str = "", date: str = "") -> str:
    parts = {'guid isPermaLink="false"': guid, "description": text, "link": link, "title": title, "pubDate": date}
    return f"<item>{''.join(f'<{k}>{escape(v)}</{k}>' for k, v in parts.items() if v)}</item>"


class Server:
    """A feed that can be changed; honours validators as servers do."""

    def __init__(self, body: bytes = b"", **headers: str) -> None:
        self.body = body
        self.status = 200
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def __call__(self, asked: Asked) -> Told:
        etag = self.headers.get("ETag")
        if etag and asked.headers.get("if-none-match") == etag:
            return Told(status=304, headers=self.headers)
        return Told(status=self.status, headers=self.headers, body=self.body)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def site(server: Server) -> Iterator[Site]:
    with Site(server) as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tools(clock: FakeClock) -> Iterator[Tools]:
    with Client(longest=5, allow_private=True) as http:
        yield Tools(http=http, clock=clock)


@pytest.fixture
def feed(site: Site, tools: Tools) -> Feed:
    return Feed(FeedOptions(url=f"{site.url}/feed"), tools)


def poll(feed: Feed, cursor: Cursor | None = None, posts: int = 500, needs: tuple[Query, ...] = ()) -> Page:
    return feed.poll(PLACE, needs, cursor, Budget(posts=posts))


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml", "rdf.xml", "feed.json"])
def test_every_format_passes_the_contract(name: str) -> None:
    server = Server((DATA / name).read_bytes())
    with Site(server) as site:
        check_source(
            lambda tools: Feed(FeedOptions(url=f"{site.url}/a?b=c"), tools),
            elsewhere=lambda tools: Feed(FeedOptions(url=f"{site.url}/other"), tools),
            site=site,
        )


def test_hostile_text_and_a_new_entry_pass_the_contract() -> None:
    hostile = HOSTILE.encode("utf-8", "ignore").decode().translate({0: None, 7: None, 27: None})
    entries = [item("1", f"<p>{escape(hostile)}</p>"), item("2", "&lt;script&gt;alert(1)&lt;/script&gt;")]
    server = Server(rss(*entries))

    def grow() -> None:
        server.body = rss(item("3", "new"), *entries)

    with Site(server) as site:
        posts = check_source(
            lambda tools: Feed(FeedOptions(url=site.url), tools), grow=grow, says=[hostile, "<script>alert(1)</script>"]
        )
    assert {post.external_id for post in posts} == {"1", "2"}


def test_rss_entries_become_posts(server: Server, feed: Feed, site: Site) -> None:
    server.body = (DATA / "rss.xml").read_bytes()
    page = poll(feed)
    first, second, third = page.posts
    assert first.external_id == "talk-1"
    assert first.realm == f"{site.url}/feed"
    assert (first.source, first.kind, first.url) == ("feed", "article", "https://talk.example/t/1")
    assert first.title == "Parcel & patience lost"
    assert first.text.split("\n")[0] == "Three weeks and no parcel."
    assert "called twice" in first.text
    assert "alert" not in first.text
    assert first.author.handle == "Kari"
    assert first.published_at == datetime(2026, 11, 14, 7, 30, tzinfo=UTC)
    assert first.engagement.replies == 4
    assert second.external_id.startswith("digest:")
    assert (second.author.name, second.published_at) == ("Ola", None)
    assert (third.url, third.published_at) == ("https://talk.example/t/3", None)
    assert "{{x}} ${HOME} @everyone <script>" in third.text
    assert page.wait == timedelta(hours=1)


def test_atom_entries_become_posts(server: Server, feed: Feed) -> None:
    server.body = (DATA / "atom.xml").read_bytes()
    first, second = poll(feed).posts
    assert (first.title, first.text, first.url) == (
        "A good service",
        "They answered in an hour.",
        "https://blog.example/2026/good",
    )
    assert (first.author.name, first.author.url) == ("Ines", "https://blog.example/ines")
    assert first.published_at == datetime(2026, 11, 13, 5, tzinfo=UTC)
    assert second.text == "Same here: 2 < 3 days."
    assert second.published_at == datetime(2026, 11, 14, 7, 30, tzinfo=UTC)


def test_json_feed_items_become_posts(server: Server, feed: Feed) -> None:
    server.body = (DATA / "feed.json").read_bytes()
    page = poll(feed)
    first, second, third = page.posts
    assert (first.text, first.author.name) == ("Short & plain <3", "Uma")
    assert first.published_at == datetime(2026, 11, 14, 8, tzinfo=UTC)
    assert (second.external_id, second.title, second.text) == ("2", "With HTML", "One\ntwo")
    assert third.external_id.startswith("digest:")
    assert page.rejected == ("entry 4 cannot be read (AttributeError)",)


def test_both_validators_are_sent_and_304_brings_nothing(server: Server, feed: Feed, site: Site) -> None:
    server.body = rss(item("1"))
    server.headers = {"ETag": '"a"', "Last-Modified": "Sat, 14 Nov 2026 08:00:00 GMT"}
    first = poll(feed)
    second = poll(feed, first.cursor)
    assert (len(first.posts), second.posts, second.more) == (1, (), False)
    assert site.asked[1].headers["if-none-match"] == '"a"'
    assert site.asked[1].headers["if-modified-since"] == "Sat, 14 Nov 2026 08:00:00 GMT"


def test_validators_of_one_answer_are_never_mixed_with_another(server: Server, feed: Feed, site: Site) -> None:
    server.body = rss(item("1"))
    server.headers = {"ETag": '"a"', "Last-Modified": "Sat, 14 Nov 2026 08:00:00 GMT"}
    first = poll(feed)
    server.body, server.headers = rss(item("2")), {"Last-Modified": "Sat, 14 Nov 2026 09:00:00 GMT"}
    second = poll(feed, first.cursor)
    poll(feed, second.cursor)
    assert "if-none-match" not in site.asked[2].headers
    assert site.asked[2].headers["if-modified-since"] == "Sat, 14 Nov 2026 09:00:00 GMT"


def test_an_unchanged_body_brings_nothing_though_its_validators_change(server: Server, feed: Feed) -> None:
    server.body, server.headers = rss(item("1")), {"ETag": '"a"'}
    first = poll(feed)
    server.headers = {"ETag": '"b"'}
    assert poll(feed, first.cursor).posts == ()


def test_once_a_day_the_whole_feed_is_asked_for(server: Server, feed: Feed, clock: FakeClock) -> None:
    server.body, server.headers = rss(item("1")), {"ETag": '"a"'}
    first = poll(feed)
    server.body = rss(item("2"), item("1"))  # a server whose validator missed the change
    clock.forward(timedelta(hours=23))
    second = poll(feed, first.cursor)
    assert second.posts == ()
    clock.forward(timedelta(hours=2))
    assert {post.external_id for post in poll(feed, second.cursor).posts} == {"1", "2"}


def test_a_new_query_sees_what_the_feed_still_shows(server: Server, feed: Feed) -> None:
    server.body, server.headers = rss(item("1")), {"ETag": '"a"'}
    first = poll(feed)
    query = Query(name="q", brand="Acme", terms=("acme",))
    again = poll(feed, first.cursor, needs=(query,))
    assert len(again.posts) == 1
    assert poll(feed, again.cursor, needs=(query,)).posts == ()


def test_a_changed_address_starts_anew(server: Server, site: Site, feed: Feed, tools: Tools) -> None:
    server.body, server.headers = rss(item("1")), {"ETag": '"a"'}
    first = poll(feed)
    other = Feed(FeedOptions(url=f"{site.url}/other"), tools)
    assert len(poll(other, first.cursor).posts) == 1


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "[]", "1", '{"v": 99}', '{"v": 1, "feed": 3}', '{"v":1,"moved_since":"?"}', '{"v":1,"whole":"x"}'],
)
def test_a_cursor_that_cannot_be_read_starts_anew(server: Server, feed: Feed, cursor: str) -> None:
    server.body = rss(item("1"))
    assert len(poll(feed, Cursor(cursor)).posts) == 1


@pytest.mark.parametrize(
    ("headers", "ttl", "wait"),
    [
        ({}, "", None),
        ({"Cache-Control": "max-age=600"}, "", 600),
        ({"Cache-Control": "max-age=600, no-cache"}, "", None),
        ({"Cache-Control": "max-age=600"}, "60", 3600),
        ({"Cache-Control": "max-age=9999999"}, "", 86400),
        ({"Retry-After": "900"}, "5", 900),
        ({"Expires": "0"}, "", None),
        ({}, "soon", None),
    ],
)
def test_the_longest_wish_for_a_pause_is_obeyed_up_to_a_day(
    server: Server, feed: Feed, headers: dict[str, str], ttl: str, wait: int | None
) -> None:
    server.body, server.headers = rss(item("1"), channel=f"<ttl>{ttl}</ttl>" if ttl else ""), headers
    first = poll(feed)
    expected = None if wait is None else timedelta(seconds=wait)
    assert first.wait == expected
    assert poll(feed, first.cursor).wait == expected, "the feed's own wish holds for an unchanged feed, too"


def test_expires_is_measured_by_the_servers_own_clock(server: Server, feed: Feed) -> None:
    now = datetime.now(UTC)  # the test server stamps its answers with the real time
    server.body, server.headers = rss(item("1")), {"Expires": f"{now + timedelta(hours=2):%a, %d %b %Y %H:%M:%S} GMT"}
    wait = poll(feed).wait
    assert wait is not None
    assert abs(wait - timedelta(hours=2)) < timedelta(minutes=1)


def test_a_feed_that_is_gone_for_good_says_so(server: Server, feed: Feed) -> None:
    server.status = 410
    with pytest.raises(Rejected, match=r"gone for good \(410\): remove the place"):
        poll(feed)


class Moved:
    """`/feed` redirects to `/new` for good; `/new` has the feed until it is switched off."""

    def __init__(self) -> None:
        self.status = 301
        self.alive = True

    def __call__(self, asked: Asked) -> Told:
        if asked.path == "/new" and not self.alive:
            return Told(status=404)
        if asked.path == "/feed" and self.status:
            return Told(status=self.status, headers={"Location": "/new"})
        return Told(body=rss(item("1")))


def _polled_for_days(moved: Moved, tools: Tools, clock: FakeClock) -> tuple[Site, Page, Feed]:
    with Site(moved) as site:
        feed = Feed(FeedOptions(url=f"{site.url}/feed"), tools)
        page = poll(feed)
        for _ in range(3):
            clock.forward(timedelta(hours=10))
            page = poll(feed, page.cursor)
        site.asked.clear()
        page = poll(feed, page.cursor)
        moved.alive, moved.status = False, 0
        poll(feed, page.cursor)
    return site, page, feed


def test_a_permanent_redirect_is_believed_after_three_times_over_a_day(tools: Tools, clock: FakeClock) -> None:
    site, page, _ = _polled_for_days(Moved(), tools, clock)
    paths = [asked.path for asked in site.asked]
    assert paths[0] == "/new", "the new address is asked directly"
    assert paths[1:] == ["/new", "/feed"], "where that fails, the configured address is asked again"
    assert page.posts == ()


def test_a_temporary_redirect_is_never_believed(tools: Tools, clock: FakeClock) -> None:
    moved = Moved()
    moved.status = 302
    site, _, _ = _polled_for_days(moved, tools, clock)
    assert [asked.path for asked in site.asked][:2] == ["/feed", "/new"]


def test_posts_keep_their_realm_after_a_move(tools: Tools) -> None:
    with Site(Moved()) as site:
        page = poll(Feed(FeedOptions(url=f"{site.url}/feed"), tools))
        assert page.posts[0].realm == f"{site.url}/feed"


def test_credentials_are_sent_but_are_no_part_of_the_realm(server: Server, site: Site, tools: Tools) -> None:
    server.body = rss(item("1"))
    url = site.url.replace("http://", "http://me:word@") + "/feed"
    page = poll(Feed(FeedOptions(url=url), tools))
    assert page.posts[0].realm == f"{site.url}/feed"
    secret = Tools(http=tools.http, clock=tools.clock, secret="me:word")
    poll(Feed(FeedOptions(url=f"{site.url}/feed"), secret))
    assert site.asked[0].headers["authorization"] == site.asked[1].headers["authorization"] == "Basic bWU6d29yZA=="
    poll(Feed(FeedOptions(url=f"{site.url}/feed"), Tools(http=tools.http, clock=tools.clock, secret="tok")))
    assert site.asked[2].headers["authorization"] == "Bearer tok"


def test_a_burst_of_a_thousand_entries_comes_in_pages_and_whole(server: Server, site: Site, tools: Tools) -> None:
    server.body = rss(*(item(str(n), f"number {n}") for n in range(1_000)))
    found, cursor, pages = set(), None, 0
    feed = Feed(FeedOptions(url=site.url), tools)
    while True:
        if pages == 4:
            feed = Feed(FeedOptions(url=site.url), tools)  # a restart in between
        page = poll(feed, cursor, posts=100)
        found |= {post.external_id for post in page.posts}
        cursor, pages = page.cursor, pages + 1
        if not page.more:
            break
    assert (len(found), pages, len(site.asked)) == (1_000, 10, 2)
    assert poll(feed, cursor).posts == ()


def test_entries_that_share_an_id_are_all_kept(server: Server, feed: Feed) -> None:
    server.body = rss(item("same", link="https://a.example/1"), item("same", link="https://a.example/2"), item("own"))
    ids = [post.external_id for post in poll(feed).posts]
    assert len(set(ids)) == 3
    assert "same" not in ids


def test_an_entry_listed_twice_counts_once_and_the_upper_one_stands(server: Server, feed: Feed) -> None:
    server.body = rss(item("1", "newer"), item("1", "older"))
    assert [post.text for post in poll(feed).posts] == ["newer"]


def test_entries_without_id_link_or_date_are_told_apart_by_their_text(server: Server, feed: Feed) -> None:
    server.body = rss(item(text="one"), item(text="two"), item(text="one"))
    first = poll(feed)
    assert sorted(post.text for post in first.posts) == ["one", "two"]
    server.body = rss(item(text="three"), item(text="two"), item(text="one"))
    again = {post.external_id for post in poll(feed, first.cursor).posts}
    assert {post.external_id for post in first.posts} <= again


def test_an_edit_keeps_the_id(server: Server, feed: Feed) -> None:
    server.body = rss(item("1", "five stars"))
    first = poll(feed)
    server.body = rss(item("1", "one star"))
    second = poll(feed, first.cursor)
    assert [post.external_id for post in (*first.posts, *second.posts)] == ["1", "1"]
    assert second.posts[0].text == "one star"


HTML = b"<!DOCTYPE html><html><head><title>Down for\n maintenance</title></head><body>Back soon</body></html>"


def test_a_page_instead_of_a_feed_is_named(server: Server, feed: Feed) -> None:
    server.body = HTML
    with pytest.raises(Rejected, match='HTML page called "Down for maintenance" instead of a feed'):
        poll(feed)


def test_a_page_that_names_its_feed_is_quoted(server: Server, feed: Feed, site: Site) -> None:
    server.body = b"<html><head><link href='http://[' type='application/rss+xml'></head></html>"
    with pytest.raises(Rejected, match="HTML page"):
        poll(feed)
    server.body = b"<html><head><link href='/blog.xml' rel=alternate type='application/rss+xml'></head></html>"
    with pytest.raises(Rejected, match=f"perhaps {site.url}/blog.xml"):
        poll(feed)


@pytest.mark.parametrize("url", ["", "http://[", "talk.example/feed", "file:///etc/passwd", "javascript:alert(1)"])
def test_an_address_that_is_none_is_rejected_by_the_poll(tools: Tools, url: str) -> None:
    with pytest.raises(Rejected):
        poll(Feed(FeedOptions(url=url), tools))


def test_a_page_where_a_feed_was_before_may_pass(server: Server, feed: Feed) -> None:
    server.body = rss(item("1"))
    first = poll(feed)
    server.body = HTML
    with pytest.raises(Unavailable, match="HTML page"):
        poll(feed, first.cursor)


@pytest.mark.parametrize(
    "body", [b"plain words", b'{"error": "no"}', b"{", b"\x00\x01\x02", b"<?xml version='1.0'?><x/>"]
)
def test_what_is_no_feed_says_so(server: Server, feed: Feed, body: bytes) -> None:
    server.body = body
    with pytest.raises(Rejected, match="no feed"):
        poll(feed)


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_answer_is_no_error_and_forgets_nothing(server: Server, feed: Feed, body: bytes) -> None:
    server.body, server.headers = rss(item("1")), {"ETag": '"a"'}
    first = poll(feed)
    server.body, server.headers = body, {"ETag": '"b"'}
    empty = poll(feed, first.cursor)
    assert (empty.posts, json.loads(empty.cursor or "")["etag"]) == ((), '"a"')
    assert poll(feed).cursor is None


def test_a_feed_without_entries_is_no_error(server: Server, feed: Feed) -> None:
    server.body = rss()
    assert poll(feed).posts == ()


@pytest.mark.parametrize(
    ("declared", "real", "content_type"),
    [
        ("", "latin-1", "text/xml; charset=utf-8"),
        ("utf-8", "latin-1", "text/xml"),
        ("", "utf-8", "text/xml; charset=nonsense"),
        ("utf-8", "utf-8", "image/png"),
        ("utf-16", "utf-16", "application/rss+xml"),
    ],
)
def test_a_wrong_charset_is_tolerated(server: Server, feed: Feed, declared: str, real: str, content_type: str) -> None:
    head = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    server.body = (head + rss(item("1", "Größe")).decode()).encode(real)
    server.headers = {"Content-Type": content_type}
    assert poll(feed).posts[0].text == "Größe"


def test_malformed_feeds_are_read_as_far_as_they_go(server: Server, feed: Feed) -> None:
    server.body = (
        b"\n\n<rss version='2.0'><channel><item><guid>1</guid><description>A & B &eacute;</description></item><item>"
    )
    assert poll(feed).posts[0].text == "A & B é"


def test_an_own_document_type_is_cut_off(server: Server, feed: Feed) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    server.body = (
        f'<?xml version="1.0"?><!-- c --><!DOCTYPE rss [<!ENTITY l0 "ha">{levels}<!ENTITY f SYSTEM "file:///etc/passwd">]>'.encode()
        + rss(item("1", "before &l8; &f; after").replace("&amp;", "&"))
    )
    text = poll(feed).posts[0].text
    assert len(text) < 100
    assert "root:" not in text


def test_a_bomb_is_refused_and_the_feed_reads_on_afterwards(server: Server, feed: Feed) -> None:
    server.body, server.headers = gzip.compress(bytes(50_000_000)), {"Content-Encoding": "gzip"}
    with pytest.raises(Rejected, match="larger than 5,000,000 bytes"):
        poll(feed)
    server.body, server.headers = rss(item("1")), {}
    assert len(poll(feed).posts) == 1


def test_more_entries_than_the_limit_are_a_gap(server: Server, feed: Feed) -> None:
    server.body = rss(*(item(str(n)) for n in range(5_010)))
    page = poll(feed, posts=10_000)
    assert len(page.posts) == 5_000
    assert page.gap == "10 entries above the limit were not read"
