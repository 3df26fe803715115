"""Answers on Mastodon against a server with state: posted once, read back by another client, found when in doubt.

Between the source and the server stands a line that hangs up, holds the answer, refuses or limits, as a test says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.core.errors import RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.mention import Author, Post, clean
from listener.core.protocols import Budget
from listener.core.query import Place
from listener.core.reply import Approval, digest, misfits
from listener.core.tools import Tools
from listener.http import Client
from listener.testing import HOSTILE, START, Asked, FakeClock, Site, Told
from sources._mastodonposts import same_words
from sources._text import plain
from sources.mastodon import Mastodon, MastodonOptions
from tests.servers.mastodon import Instance, Line, Manner

PLACE = Place(name="town", source="mastodon")


def approve(text: str, at: datetime | None = None) -> Approval:
    return Approval(text=text, digest=digest(text), who="Ida", colleague=1, at=at or datetime.now(UTC))


class Desk:
    """Our account behind a line, and a customer's post that was polled through it."""

    def __init__(self, instance: Instance, line: Line, http: Client) -> None:
        self.brand, self.kim, self.line = instance.member(), instance.member(), line
        self.tools = Tools(http=http, clock=lambda: datetime.now(UTC), secret=self.brand.token)
        self.written = self.kim.post(f"@{self.brand.name} where is my parcel?")
        (self.post,) = self.source().poll(PLACE, (), None, Budget()).posts

    def source(self, **options: Any) -> Mastodon:
        """A new one, as after a restart."""
        return Mastodon(MastodonOptions(instance=self.line.url, notifications=True, **options), self.tools)

    def text(self, words: str) -> str:
        return f"{self.source().limits(self.post).opening}{words}"

    def standing(self) -> list[dict[str, Any]]:
        """Our answers under the post, as the customer sees them."""
        return [
            answer
            for answer in self.kim.answers(self.post.external_id)
            if answer["account"]["username"] == self.brand.name
        ]


@pytest.fixture
def line(mastodon: Instance) -> Iterator[Line]:
    with Line(mastodon.url) as made:
        yield made


@pytest.fixture
def http() -> Iterator[Client]:
    with Client(longest=10, allow_private=True) as made:
        yield made


@pytest.fixture
def desk(mastodon: Instance, line: Line, http: Client) -> Desk:
    return Desk(mastodon, line, http)


def test_an_answer_stands_once_under_the_post_and_the_customer_hears_of_it(desk: Desk) -> None:
    posted = desk.source().reply(desk.post, approve(desk.text("we look at once.\n\nIda")), "key-1")
    (answer,) = desk.standing()
    assert (answer["id"], answer["url"], answer["in_reply_to_id"]) == (
        posted.external_id,
        posted.url,
        desk.written["id"],
    )
    assert plain(answer["content"]) == desk.text("we look at once.\n\nIda")
    assert answer["visibility"] == "public"
    assert desk.line.keys == ["key-1"]


def test_the_customer_is_named_so_that_they_hear_of_it(desk: Desk, mastodon: Instance, http: Client) -> None:
    there = Mastodon(MastodonOptions(instance=mastodon.url, notifications=True), desk.tools)
    (post,) = there.poll(PLACE, (), None, Budget()).posts
    assert there.limits(post).opening == f"@{desk.kim.name} "
    there.reply(post, approve(f"@{desk.kim.name} we look."), "key-named")
    (told,) = desk.kim.ask("/api/v1/notifications?types[]=mention")
    assert told["status"]["in_reply_to_id"] == post.external_id


def test_the_customers_answer_names_ours_and_ours_does_not_come_back(desk: Desk) -> None:
    posted = desk.source().reply(desk.post, approve(desk.text("we look.")), "key")
    back = desk.kim.post(f"@{desk.brand.name} thank you", in_reply_to_id=posted.external_id)
    posts = desk.source().poll(PLACE, (), None, Budget()).posts
    assert [(post.external_id, post.in_reply_to) for post in posts] == [
        (desk.written["id"], None), (back["id"], posted.external_id),
    ]  # fmt: skip


def test_the_same_key_twice_is_one_answer(desk: Desk) -> None:
    approved = approve(desk.text("once."))
    first = desk.source().reply(desk.post, approved, "same")
    assert desk.source().reply(desk.post, approved, "same") == first
    assert len(desk.standing()) == 1


@pytest.mark.parametrize("visibility", ["unlisted", "public"])
def test_an_answer_is_as_visible_as_the_post(desk: Desk, visibility: str) -> None:
    quiet = desk.kim.post(f"@{desk.brand.name} quietly", visibility=visibility)
    post = replace(desk.post, external_id=quiet["id"])
    desk.source().reply(post, approve("we look."), "key")
    (answer,) = desk.kim.answers(quiet["id"])
    assert answer["visibility"] == visibility


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda desk: desk.kim.delete(desk.written["id"]), "not there any more"),
        (lambda desk: _hide(desk), "no longer public"),
    ],
)
def test_a_post_that_is_gone_or_private_by_now_is_not_answered(
    desk: Desk, spoil: Callable[[Desk], object], why: str
) -> None:
    spoil(desk)
    with pytest.raises(Rejected, match=why):
        desk.source().reply(desk.post, approve("we look."), "key")
    assert desk.line.writes == []


def _hide(desk: Desk) -> None:
    private = desk.kim.post(f"@{desk.brand.name} between us", visibility="direct")
    desk.post = replace(desk.post, external_id=private["id"])


def test_words_that_were_not_approved_are_not_posted(desk: Desk) -> None:
    with pytest.raises(Rejected, match="not the words"):
        desk.source().reply(desk.post, replace(approve("approved"), text="changed"), "key")
    assert desk.line.writes == []


def test_who_cannot_be_answered_is_told_with_the_reason(desk: Desk) -> None:
    source = desk.source()
    assert source.can_reply(desk.post) is None
    assert "not read from" in str(source.can_reply(replace(desk.post, realm="far.example")))
    assert "not read from" in str(source.can_reply(replace(desk.post, source="feed")))
    source.poll(PLACE, (), None, Budget())
    ours = Author(handle=f"{desk.brand.name}@{desk.post.realm}")
    assert source.can_reply(replace(desk.post, author=ours)) == "it is our own account's"
    desk.tools = replace(desk.tools, secret=None)
    assert "no credential" in str(desk.source().can_reply(desk.post))
    with pytest.raises(Rejected, match="no credential"):
        desk.source().reply(desk.post, approve("we look."), "key")


def test_limits_are_the_options_the_instances_or_the_usual_ones(http: Client) -> None:
    numbers = b'{"max_characters": 5000, "characters_reserved_per_url": 30}'
    told = b'{"id": "1", "acct": "a", "configuration": {"statuses": ' + numbers + b"}}"
    tools = Tools(http=http, clock=FakeClock(), secret="t")

    def told_by(asked: Asked) -> Told:
        return Told(body=b"[]" if "/tag/" in asked.path else told)

    with Site(told_by) as site:
        options = MastodonOptions(instance=site.url, tags=("acme",))
        far = Post(source="mastodon", realm="h", external_id="1", author=Author(handle="kim@far.example"))
        source = Mastodon(options, tools)
        limits = source.limits(far)
        assert (limits.limit, limits.link_length, limits.opening) == (500, 23, "@kim@far.example ")
        source.poll(PLACE, (), None, Budget())
        source.poll(PLACE, (), None, Budget())
        assert (source.limits(far).limit, source.limits(far).link_length) == (5000, 30)
        assert sum(asked.path == "/api/v2/instance" for asked in site.asked) == 1
        assert Mastodon(replace(options, reply_limit=300), tools).limits(far).limit == 300
        nobody = replace(far, author=Author())
        assert source.limits(nobody).opening == ""
        for odd in (
            b'{"id": "1", "acct": "a"}',
            b'{"id": "1", "acct": "a", "configuration": {"statuses": {"max_characters": "x"}}}',
        ):
            told = odd
            fresh = Mastodon(options, tools)
            fresh.poll(PLACE, (), None, Budget())
            assert (fresh.limits(far).limit, fresh.limits(far).link_length) == (500, 23)


def test_hostile_words_are_posted_as_they_are_approved_and_found(desk: Desk) -> None:
    approved = approve(desk.text(clean(HOSTILE).replace("`", "").replace("@everyone", "at everyone")))
    assert misfits(approved.text, desk.source().limits(desk.post)) == ()
    posted = desk.source().reply(desk.post, approved, "key")
    assert desk.kim.ask(f"/api/v1/statuses/{posted.external_id}/source")["text"] == approved.text
    assert desk.source().find(desk.post, approved, "key") == posted


def test_half_a_character_is_refused_before_anything_is_sent(desk: Desk) -> None:
    with pytest.raises(Rejected, match="half a character"):
        desk.source().reply(desk.post, approve("we \ud800 look"), "key")
    assert desk.line.writes == []


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["after", "break", "broken", "mute"])
def test_an_answer_that_was_taken_without_a_word_is_unclear_and_found(desk: Desk, manner: Manner) -> None:
    desk.line.manner = manner
    approved = approve(desk.text("we **look**: https://acme.example/a_long_path?x=1&y=2 & <soon>"))
    with pytest.raises(Unclear):
        desk.source().reply(desk.post, approved, "key")
    assert len(desk.line.writes) == 1, "one call, one write"
    (answer,) = desk.standing()
    found = desk.source().find(desk.post, approved, "key")
    assert found is not None
    assert (found.external_id, found.url) == (answer["id"], answer["url"])


def test_an_answer_that_never_reached_the_instance_is_unclear_and_not_found(desk: Desk) -> None:
    desk.line.manner = "before"
    approved = approve(desk.text("we look."))
    with pytest.raises(Unclear):
        desk.source().reply(desk.post, approved, "key")
    assert desk.source().find(desk.post, approved, "key") is None
    assert len(desk.line.writes) == 1


def test_an_answer_after_the_deadline_is_unclear_and_found(desk: Desk) -> None:
    desk.line.manner = "hold"
    approved = approve(desk.text("we look."))
    with Client(longest=0.5, allow_private=True) as hurried:
        desk.tools = replace(desk.tools, http=hurried)
        started = time.monotonic()
        with pytest.raises(Unclear, match="did not answer within"):
            desk.source().reply(desk.post, approved, "key")
        assert time.monotonic() - started < 5
        assert desk.line.taken.is_set()
        assert desk.source().find(desk.post, approved, "key") is not None
    assert (len(desk.line.writes), len(desk.standing())) == (1, 1)


def test_a_limit_is_passed_on_with_its_wait_and_nothing_is_posted(desk: Desk) -> None:
    desk.line.manner = "limit"
    desk.line.until = (datetime.now(UTC) + timedelta(seconds=100)).isoformat(timespec="milliseconds")
    with pytest.raises(RateLimited) as caught:
        desk.source().reply(desk.post, approve("we look."), "key")
    assert 60 < (caught.value.retry_after or 0) < 102
    assert (len(desk.line.writes), desk.standing()) == (1, [])


def test_a_refusal_says_what_the_instance_says(desk: Desk) -> None:
    with pytest.raises(Rejected, match=r"422: Validation failed: Text is too long \(maximum is 500 characters\)"):
        desk.source().reply(desk.post, approve("x" * 501), "key")
    assert (len(desk.line.writes), desk.standing()) == (1, [])


def test_a_token_that_was_taken_back_is_told(desk: Desk) -> None:
    source = desk.source()
    desk.tools = replace(desk.tools, secret="nobody")
    with pytest.raises(Unauthorized):
        desk.source().reply(desk.post, approve("we look."), "key")
    assert source is not None
    assert desk.standing() == []


def test_an_instance_that_is_not_reached_is_told_as_such(desk: Desk, mastodon: Instance, http: Client) -> None:
    with Line(mastodon.url) as closed:
        source = Mastodon(MastodonOptions(instance=closed.url, notifications=True), desk.tools)
        post = replace(desk.post, realm=closed.url.removeprefix("http://"))
    with pytest.raises(Unavailable):
        source.reply(post, approve("we look."), "key")
    with pytest.raises(Unavailable):
        source.find(post, approve("we look."), "key")


# --- find() takes nothing else for ours -----------------------------------------------------------------------------


def test_what_is_not_our_answer_is_not_found(desk: Desk) -> None:
    approved = approve("we look.")
    find = desk.source().find
    other = desk.brand.post(f"@{desk.kim.name} other words", in_reply_to_id=desk.post.external_id)
    desk.brand.post("we look.", in_reply_to_id=other["id"])
    desk.kim.post("we look.", in_reply_to_id=desk.post.external_id)
    desk.brand.post("we look.")
    assert find(desk.post, approved, "key") is None
    earlier = desk.brand.post("we look.", in_reply_to_id=desk.post.external_id)
    later = replace(approved, at=datetime.now(UTC) + timedelta(minutes=2))
    assert find(desk.post, later, "key") is None, "it was there before"
    found = find(desk.post, approved, "key")
    assert found is not None
    assert found.external_id == earlier["id"]


def test_a_clock_that_is_wrong_by_days_finds_our_answer_all_the_same(desk: Desk) -> None:
    for off in (timedelta(days=3), timedelta(days=-3)):
        clock = FakeClock(datetime.now(UTC) + off)
        desk.tools = replace(desk.tools, clock=clock)
        approved = approve(desk.text(f"off by {off.days} days"), clock.now)
        posted = desk.source().reply(desk.post, approved, f"key{off.days}")
        assert desk.source().find(desk.post, approved, "key") == posted


def test_a_post_that_is_gone_cannot_be_looked_up(desk: Desk) -> None:
    desk.kim.delete(desk.written["id"])
    with pytest.raises(Rejected):
        desk.source().find(desk.post, approve("we look."), "key")


def _find_in(body: bytes, http: Client) -> object:
    def told(asked: Asked) -> Told:
        return Told(body=body if asked.path.endswith("/context") else b'{"id": "1", "acct": "a"}')

    with Site(told) as site:
        options = MastodonOptions(instance=site.url, notifications=True)
        source = Mastodon(options, Tools(http=http, clock=FakeClock(), secret="t"))
        post = Post(source="mastodon", realm="h", external_id="5")
        return source.find(post, approve("we look.", START), "key")


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"descendants": 7}'])
def test_a_thread_that_cannot_be_read_proves_nothing(http: Client, body: bytes) -> None:
    with pytest.raises(Unavailable, match="not a thread"):
        _find_in(body, http)


def test_odd_answers_in_a_thread_are_not_ours(http: Client) -> None:
    assert (
        _find_in(b'{"descendants": [7, {}, {"account": 3}, {"account": {"id": "1"}, "in_reply_to_id": 5}]}', http)
        is None
    )


@pytest.mark.parametrize(
    ("shown", "written", "same"),
    [
        ("@kim we look", "@kim@far.example we look", True),
        ("@kim@far.example:8080 we look", "@kim we look", True),
        ("@kim.b we look", "@kim.b@far.example we look", True),
        ("two\n\nparts  here", "two parts here", True),
        ("cafe\u0301", "caf\u00e9", True),
        ("we look", "we looked", False),
        ("@kim we look", "@kai@far.example we look", False),
        ("", "", True),
    ],
)
def test_texts_are_the_same_whatever_a_page_does_to_them(shown: str, written: str, same: bool) -> None:
    assert same_words(shown, written) is same
