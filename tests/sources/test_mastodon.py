"""Mastodon against a server with state on loopback: timelines, whose posts are taken in, and what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized
from listener.core.mention import Post
from listener.core.protocols import Budget, Replier
from listener.core.query import Cursor, Page, Place
from listener.core.tools import Tools
from listener.http import Client
from listener.testing import HOSTILE, START, Asked, Site, Told, check_source
from sources._mastodonposts import same_words
from sources._mastodonwalk import back
from sources.mastodon import Mastodon, MastodonOptions
from tests.servers.mastodon import Instance

PLACE = Place(name="town", source="mastodon")


@pytest.fixture
def http() -> Iterator[Client]:
    with Client(longest=10, allow_private=True) as made:
        yield made


class Desk:
    """Our own account on the instance, and a customer's."""

    def __init__(self, instance: Instance, http: Client) -> None:
        self.instance = instance
        self.brand, self.kim = instance.member(), instance.member()
        self.tag = f"acme{self.brand.name}"
        self.tools = Tools(http=http, clock=lambda: datetime.now(UTC), secret=self.brand.token)

    def source(self, **options: Any) -> Mastodon:
        given = {"instance": self.instance.url, "tags": (self.tag,), **options}
        return Mastodon(MastodonOptions(**given), self.tools)

    def poll(self, cursor: Cursor | None = None, budget: Budget | None = None, **options: Any) -> Page:
        return self.source(**options).poll(PLACE, (), cursor, budget or Budget())

    def drained(self, cursor: Cursor | None = None, **options: Any) -> tuple[list[Post], Cursor | None]:
        """All posts of all pages, a new source for each; oldest first."""
        posts: list[Post] = []
        for _ in range(200):
            page = self.poll(cursor, **options)
            posts, cursor = [*posts, *page.posts], page.cursor
            if not page.more:
                return posts, cursor
        raise AssertionError("it never ends")


@pytest.fixture
def desk(mastodon: Instance, http: Client) -> Desk:
    return Desk(mastodon, http)


def texts(posts: Any) -> list[str]:
    return [post.text for post in posts]


def test_a_status_becomes_a_post_with_all_that_is_told_of_it(desk: Desk) -> None:
    first = desk.kim.post(f"My parcel is <lost> & gone #{desk.tag}", spoiler_text="Rant about #acme")
    desk.kim.post(f"Still nothing #{desk.tag}", in_reply_to_id=first["id"])
    desk.brand.ask(f"/api/v1/statuses/{first['id']}/favourite", {})
    lost, still = desk.poll().posts
    assert (lost.source, lost.realm, lost.external_id) == ("mastodon", desk.instance.host, first["id"])
    assert (lost.text, lost.title) == (f"My parcel is <lost> & gone #{desk.tag}", "Rant about #acme")
    assert lost.author.handle == f"{desk.kim.name}@{desk.instance.host}"
    assert (lost.author.name, lost.author.followers, lost.kind) == (desk.kim.name, 0, "post")
    assert (lost.url, lost.published_at is not None) == (first["url"], True)
    assert (lost.engagement.likes, lost.engagement.replies, lost.engagement.shares) == (1, 1, 0)
    assert (still.kind, still.in_reply_to) == ("comment", first["id"])


def test_a_mention_of_our_account_is_heard(desk: Desk) -> None:
    desk.kim.post(f"@{desk.brand.name} where is my parcel?\n\nThree weeks!")
    (post,) = desk.poll(tags=(), notifications=True).posts
    assert post.text == f"@{desk.brand.name} where is my parcel?\n\nThree weeks!"


def test_a_post_in_two_timelines_comes_once(desk: Desk) -> None:
    desk.kim.post(f"@{desk.brand.name} hello #{desk.tag} #{desk.tag}too")
    assert len(desk.poll(tags=(desk.tag, f"#{desk.tag}TOO"), notifications=True).posts) == 1


def test_posts_between_two_polls_come_in_order_and_none_is_lost(desk: Desk) -> None:
    desk.kim.post(f"0 #{desk.tag}")
    _, cursor = desk.drained()
    for number in range(1, 96):
        desk.kim.post(f"{number} #{desk.tag}")
    posts, cursor = desk.drained(cursor)
    assert [int(text.split()[0]) for text in texts(posts)] == list(range(1, 96))
    desk.kim.post(f"96 #{desk.tag}")
    assert texts(desk.drained(cursor)[0]) == [f"96 #{desk.tag}"]


def test_posts_that_arrive_between_two_pages_are_not_lost(desk: Desk) -> None:
    desk.kim.post(f"first #{desk.tag}")
    _, cursor = desk.drained()
    for number in range(12):
        desk.kim.post(f"{number} #{desk.tag}")
    seen: list[str] = []
    for number in range(12, 20):
        page = desk.poll(cursor, Budget(posts=5))
        assert len(page.posts) <= 5
        seen, cursor = [*seen, *texts(page.posts)], page.cursor
        desk.kim.post(f"{number} #{desk.tag}")
    seen += texts(desk.drained(cursor)[0])
    assert [int(text.split()[0]) for text in seen] == list(range(20))


def test_the_first_poll_takes_the_newest_page_and_remembers(desk: Desk) -> None:
    for number in range(45):
        desk.kim.post(f"{number} #{desk.tag}")
    posts, cursor = desk.drained()
    assert [int(text.split()[0]) for text in texts(posts)] == list(range(5, 45))
    assert desk.drained(cursor)[0] == []


def test_what_comes_into_an_empty_timeline_is_all_news(desk: Desk) -> None:
    _, cursor = desk.drained(notifications=True)
    for number in range(50):
        desk.kim.post(f"@{desk.brand.name} {number}")
    assert len(desk.drained(cursor, notifications=True)[0]) == 50


def test_our_own_posts_boosts_and_private_words_are_not_taken_in(desk: Desk) -> None:
    answered = desk.kim.post(f"public #{desk.tag}")
    desk.kim.post(f"@{desk.brand.name} unlisted", visibility="unlisted")
    desk.kim.post(f"@{desk.brand.name} for followers", visibility="private")
    desk.kim.post(f"@{desk.brand.name} for you alone", visibility="direct")
    desk.brand.post(f"Ours #{desk.tag}", in_reply_to_id=answered["id"])
    desk.kim.ask(f"/api/v1/statuses/{answered['id']}/reblog", {})
    posts = desk.poll(notifications=True).posts
    assert sorted(texts(posts)) == [f"@{desk.brand.name} unlisted", f"public #{desk.tag}"]


def test_a_deleted_post_ends_no_walk_and_a_deleted_mark_loses_nothing(desk: Desk) -> None:
    newest = desk.kim.post(f"1 #{desk.tag}")
    _, cursor = desk.drained()
    desk.kim.delete(newest["id"])
    desk.kim.post(f"2 #{desk.tag}")
    gone = desk.kim.post(f"3 #{desk.tag}")
    desk.kim.post(f"4 #{desk.tag}")
    desk.kim.delete(gone["id"])
    assert [text[0] for text in texts(desk.drained(cursor)[0])] == ["2", "4"]


def test_a_tag_can_be_read_without_a_token(desk: Desk) -> None:
    desk.kim.post(f"hello #{desk.tag}")
    desk.tools = replace(desk.tools, secret=None)
    assert len(desk.poll().posts) == 1
    with pytest.raises(Unauthorized, match="give the place a credential"):
        desk.poll(notifications=True)


def test_a_wrong_token_is_told(desk: Desk) -> None:
    desk.tools = replace(desk.tools, secret="nobody")
    with pytest.raises(Unauthorized, match="check the credential"):
        desk.poll()


@pytest.mark.parametrize(
    "options",
    [{"instance": "town.example", "tags": ("a",)}, {"instance": "https://", "tags": ("a",)},
     {"instance": "https://town.example"}, {"instance": "https://town.example", "tags": ("#", " ")}],
)  # fmt: skip
def test_options_that_can_never_work_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=r"`instance`|`tags`"):
        MastodonOptions(**options)


@pytest.mark.parametrize("cursor", ["", "null", "[]", '{"v": 7}', '{"v": 1}', '{"v": 1, "host": "H", "stands": 3}'])
def test_a_cursor_that_cannot_be_read_starts_anew(desk: Desk, cursor: str) -> None:
    desk.kim.post(f"hello #{desk.tag}")
    assert len(desk.poll(Cursor(cursor.replace("H", desk.instance.host))).posts) == 1


def test_the_cursor_of_another_instance_starts_anew(desk: Desk) -> None:
    desk.kim.post(f"hello #{desk.tag}")
    cursor = desk.poll().cursor
    assert cursor is not None
    moved = Cursor(cursor.replace(desk.instance.host, "elsewhere.example"))
    assert len(desk.poll(moved).posts) == 1


def test_a_tag_given_later_starts_with_its_newest_page(desk: Desk) -> None:
    desk.kim.post(f"one #{desk.tag}")
    desk.kim.post(f"other #{desk.tag}too")
    _, cursor = desk.drained()
    assert texts(desk.drained(cursor, tags=(desk.tag, f"{desk.tag}too"))[0]) == [f"other #{desk.tag}too"]


# --- an instance that says what a test wants ------------------------------------------------------------------------


class Town:
    """A timeline as an instance tells it, newest first, with ids that tell the time, and a `Link` where there is more.

    It gives no more than `most` at once, whatever is asked for.
    """

    def __init__(self, most: int = 40) -> None:
        self.statuses: list[dict[str, Any]] = []
        self.most = most

    def add(self, at: datetime, text: str = "acme", **more: Any) -> dict[str, Any]:
        id_ = str((int(at.timestamp() * 1000) << 16) + len(self.statuses))
        account = {"id": "7", "acct": "kim@far.example", "display_name": "Kim", "url": "https://far.example/@kim"}
        status = {"id": id_, "content": text, "visibility": "public", "created_at": at.isoformat(), "account": account}
        self.statuses.append({**status, **more})
        return self.statuses[-1]

    def __call__(self, asked: Asked) -> Told:
        if asked.path.endswith("/verify_credentials"):
            return _told({"id": "1", "acct": "acme"})
        if asked.path.endswith("/instance"):
            return _told({"configuration": {"statuses": {"max_characters": 5000, "characters_reserved_per_url": 30}}})
        if "/timelines/tag/" not in asked.path:
            return Told(status=404)
        found = sorted(self.statuses, key=lambda status: int(status.get("id") or 0))
        count = min(self.most, int(asked.params["limit"]))
        if "min_id" in asked.params:
            page = [status for status in found if int(status.get("id") or 0) > int(asked.params["min_id"])][:count]
        else:
            page = found[-count:]
        link = '<https://town.example/x?max_id=1>; rel="next", ' if len(page) == count else ""
        return Told(body=json.dumps(page[::-1]).encode(), headers={"Link": f'{link}<https://a.example/>; rel="prev"'})


def _told(value: Any) -> Told:
    return Told(body=json.dumps(value).encode())


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def site(town: Town) -> Iterator[Site]:
    with Site(town) as made:
        yield made


def make(site: Site, tools: Tools, **options: Any) -> Mastodon:
    return Mastodon(MastodonOptions(**{"instance": site.url, "tags": ("acme",), **options}), tools)


def drained(site: Site, http: Client, cursor: Cursor | None = None, **options: Any) -> tuple[list[Post], Cursor | None]:
    tools = Tools(http=http, clock=lambda: START, secret="t")
    posts: list[Post] = []
    for _ in range(200):
        page = make(site, tools, **options).poll(PLACE, (), cursor, Budget())
        posts, cursor = [*posts, *page.posts], page.cursor
        if not page.more:
            return posts, cursor
    raise AssertionError("it never ends")


def test_mastodon_passes_the_contract(town: Town, site: Site) -> None:
    for number in range(7):
        town.add(START - timedelta(minutes=50 - number), f"<p>acme {number}</p>")
    hostile = HOSTILE.replace("\0", "").replace("\ud800", "").replace("\x1b", "").replace("\x07", "").replace("\r", "")
    town.add(START - timedelta(minutes=4), f"<p>{hostile.replace('&', '&amp;').replace('<', '&lt;')}</p>")
    with Site(town) as elsewhere:
        check_source(
            lambda tools: make(site, tools),
            site=site,
            grow=lambda: town.add(START - timedelta(minutes=1), "grown"),
            elsewhere=lambda tools: make(elsewhere, tools),
            says=["@everyone @here @channel <!channel> <@U123> <b>bold</b>"],
        )
    assert isinstance(make(site, Tools(http=None, clock=lambda: START)), Replier)


def test_a_post_of_another_instance_that_arrives_late_is_met(town: Town, site: Site, http: Client) -> None:
    town.add(START - timedelta(minutes=1), "newest")
    _, cursor = drained(site, http)
    town.add(START - timedelta(minutes=50), "late")
    town.add(START - timedelta(hours=3), "too late")
    assert texts(drained(site, http, cursor)[0]) == ["late", "newest"]
    assert texts(drained(site, http, cursor, overlap=timedelta(0))[0]) == []


def test_an_edit_within_the_overlap_is_noticed(town: Town, site: Site, http: Client) -> None:
    status = town.add(START - timedelta(minutes=10), "fine")
    _, cursor = drained(site, http)
    status["content"] = "awful"
    assert texts(drained(site, http, cursor)[0]) == ["awful"]


def test_an_instance_that_gives_less_than_asked_for_is_read_whole(town: Town, site: Site, http: Client) -> None:
    town.add(START - timedelta(hours=9), "0")
    _, cursor = drained(site, http)
    town.most = 15
    for number in range(1, 71):
        town.add(START - timedelta(minutes=100 - number), str(number))
    asked = len(site.asked)
    assert texts(drained(site, http, cursor)[0]) == [str(number) for number in range(71)]
    assert sum("/tag/" in one.path for one in site.asked[asked:]) == 5


def test_an_instance_that_knows_no_min_id_is_not_asked_for_ever(town: Town, site: Site, http: Client) -> None:
    for number in range(60):
        town.add(START - timedelta(minutes=100 - number), str(number))
    _, cursor = drained(site, http)
    site.answer = lambda asked: town(replace(asked, params={"limit": "40"}))
    drained(site, http, cursor)
    assert len(site.asked) < 20


@pytest.mark.parametrize(
    ("id_", "earlier"),
    [("113000000000000000", "112999764070400000"), ("0", "0"), ("1795326538359", "1795326538359"),
     ("01JD8Z", "01JD8Z"), ("", ""), ("9" * 60, "9" * 60), ("²", "²")],
)  # fmt: skip
def test_ids_are_set_back_where_they_tell_the_time(id_: str, earlier: str) -> None:
    assert back(id_, timedelta(hours=1)) == earlier


PAGE = (
    '<p><span class="h-card" translate="no"><a href="https://town.example/@acme" class="u-url mention">'
    "@<span>acme</span></a></span> my parcel is <strong>lost</strong>:<br />see "
    '<a href="https://shop.example/orders/1?a=b&amp;c=d" rel="nofollow" target="_blank">'
    '<span class="invisible">https://</span><span class="ellipsis">shop.example/orders</span>'
    '<span class="invisible">/1?a=b&amp;c=d</span></a></p><p>Thanks &lt;3 '
    '<a href="https://town.example/tags/acme" class="mention hashtag" rel="tag">#<span>acme</span></a></p>'
)
"""A status as Mastodon's web formatter writes it (docs.joinmastodon.org, Status#content), by hand."""


def test_a_page_as_an_instance_writes_it_is_read_as_people_read_it(town: Town, site: Site, http: Client) -> None:
    town.add(START, PAGE)
    (post,) = drained(site, http)[0]
    said = "@acme my parcel is lost:\nsee https://shop.example/orders/1?a=b&c=d\n\nThanks <3 #acme"
    assert post.text == said
    assert same_words(post.text, said.replace("@acme", "@acme@town.example"))


def test_odd_statuses_are_taken_as_far_as_they_go(town: Town, site: Site, http: Client) -> None:
    town.statuses += [{"content": "no id"}, {"id": True}, {"id": "x" * 5000}]  # type: ignore[dict-item]
    town.add(START, "", account=None, created_at=7, spoiler_text=3, favourites_count="many", url=["u"], uri=None)
    town.add(START, "<p>deep" + "<b>" * 3000, in_reply_to_id=12, reblogs_count=-4, created_at="yesterday")
    town.add(START, "boost", reblog={"id": "1"})
    town.add(START, "secret", visibility="direct")
    town.add(START, "nobody knows who sees it", visibility=None)
    site.answer = lambda asked: _told(town.statuses) if "/tag/" in asked.path else town(asked)
    page = make(site, Tools(http=http, clock=lambda: START, secret="t")).poll(PLACE, (), None, Budget())
    assert [(post.text, post.in_reply_to, post.published_at, post.url) for post in page.posts] == [
        ("deep", "12", None, None), ("", None, None, None),
    ]  # fmt: skip
    assert page.rejected == ("an entry without an id",) * 3


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'"x"', b"<html>", b"[" * 100_000])
def test_an_answer_that_is_no_timeline_is_an_error(town: Town, http: Client, body: bytes) -> None:
    with (
        Site(lambda asked: Told(body=body) if "/tag/" in asked.path else town(asked)) as site,
        pytest.raises(AdapterError, match="not a timeline"),
    ):
        drained(site, http)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"id": 3}', b'{"id": "", "acct": "a"}'])
def test_an_account_that_is_none_is_an_error(http: Client, body: bytes) -> None:
    with Site(lambda _: Told(body=body)) as site, pytest.raises(AdapterError, match="not an account"):
        drained(site, http)


def test_an_instance_that_is_gone_for_good_says_so(http: Client) -> None:
    with Site(lambda _: Told(status=410)) as site, pytest.raises(Rejected, match="gone for good"):
        drained(site, http)


def test_the_moment_of_a_reset_is_waited_for(town: Town, http: Client) -> None:
    reset = (datetime.now(UTC) + timedelta(seconds=90)).isoformat(timespec="milliseconds")
    limited = Told(status=429, headers={"X-RateLimit-Reset": reset})
    with (
        Site(lambda asked: limited if "/tag/" in asked.path else town(asked)) as site,
        pytest.raises(RateLimited) as caught,
    ):
        drained(site, http)
    assert 60 < (caught.value.retry_after or 0) < 92, "their clock counts in whole seconds"


def test_full_pages_without_posts_for_us_do_not_use_up_the_instances_patience(
    town: Town, site: Site, http: Client
) -> None:
    town.add(START - timedelta(hours=20), "old")
    _, cursor = drained(site, http)
    for number in range(1_100):
        town.add(START - timedelta(seconds=20_000 - number), "ours", account={"id": "1"})
    site.asked.clear()
    page = make(site, Tools(http=http, clock=lambda: START, secret="t")).poll(PLACE, (), cursor, Budget())
    assert (texts(page.posts), page.more, len(site.asked) <= 27) == (["old"], True, True)
    town.add(START, "news")
    assert texts(drained(site, http, page.cursor)[0])[-1] == "news"
