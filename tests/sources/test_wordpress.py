"""The feed source against a real WordPress: validators, 304, new posts and comments, hostile words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.core.errors import Rejected
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place
from listener.core.tools import Answer, Tools
from listener.http import Client
from sources.feed import Feed, FeedOptions
from tests.servers.wordpress import WordPress

pytestmark = pytest.mark.servers
PLACE = Place(name="blog", source="feed")


class Watched(Client):
    """The client, remembering each status."""

    def __init__(self) -> None:
        super().__init__(allow_private=True)
        self.statuses: list[int] = []

    def get(self, *args: Any, **kwargs: Any) -> Answer:
        answer = super().get(*args, **kwargs)
        self.statuses.append(answer.status)
        return answer


@pytest.fixture
def http() -> Iterator[Watched]:
    with Watched() as made:
        yield made


def poll(url: str, http: Client, cursor: Cursor | None = None) -> Page:
    tools = Tools(http=http, clock=lambda: datetime.now(UTC))
    return Feed(FeedOptions(url=url), tools).poll(PLACE, (), cursor, Budget())


def test_posts_arrive_once_and_a_new_one_with_the_next_poll(wordpress: WordPress, http: Watched) -> None:
    wordpress.publish("Parcel lost", "<p>Three weeks &amp; <b>nobody</b> answers.</p>")
    first = poll(wordpress.feed, http)
    lost = next(post for post in first.posts if post.title == "Parcel lost")
    assert lost.text == "Three weeks & nobody answers."
    assert lost.url is not None
    assert lost.author.handle == "admin"
    assert lost.published_at is not None
    assert abs(datetime.now(UTC) - lost.published_at) < timedelta(minutes=5)

    second = poll(wordpress.feed, http, first.cursor)
    assert (http.statuses, second.posts) == ([200, 304], ())

    # Its validators count in seconds: within the same one it would rightly be believed that nothing changed.
    while datetime.now(UTC) <= lost.published_at + timedelta(seconds=1):
        time.sleep(0.05)
    wordpress.publish("It came", "Thank you, <script>alert(1)</script>all is well.")
    third = poll(wordpress.feed, http, second.cursor)
    fresh = {post.external_id for post in third.posts} - {post.external_id for post in first.posts}
    assert [post.title for post in third.posts if post.external_id in fresh] == ["It came"]


def test_comments_arrive_with_their_authors(wordpress: WordPress, http: Watched) -> None:
    post = wordpress.publish("Ask us", "Anything.")
    wordpress.comment(post, "Kari", "Where is my refund? {{7*7}} @everyone")
    page = poll(wordpress.comments_feed, http)
    comment = next(post for post in page.posts if "refund" in post.text)
    assert comment.author.handle == "Kari"
    assert comment.text == "Where is my refund? {{7*7}} @everyone"


def test_a_page_given_instead_of_the_feed_is_named(wordpress: WordPress, http: Watched) -> None:
    with pytest.raises(Rejected, match='HTML page called "Log In'):
        poll(f"{wordpress.url}/wp-login.php", http)
