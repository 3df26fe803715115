"""The Bluesky source against a real network on loopback, and against a proxy before it that misbehaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.mention import Post
from listener.core.protocols import Budget, Replier
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, digest
from listener.core.tools import Tools
from listener.http import Client
from listener.testing import HOSTILE, check_source
from sources._blueskywalk import Walk, unpack
from sources.bluesky import Bluesky, BlueskyOptions
from tests.servers.bluesky import Account, Network, eventually, moment
from tests.servers.bluesky_proxy import Proxy

pytestmark = pytest.mark.servers

PLACE = Place(name="sky", source="bluesky")
MARKER = "s3cret-k9f2"
"""The secret that `check_source` hands to sources and looks for in all they say."""


@pytest.fixture(scope="module")
def us(bluesky: Network) -> Account:
    return bluesky.account("shop")


@pytest.fixture(scope="module")
def kim(bluesky: Network) -> Account:
    return bluesky.account("kim")


@pytest.fixture
def proxy(bluesky: Network) -> Iterator[Proxy]:
    with Proxy(bluesky) as made:
        yield made


@pytest.fixture
def http() -> Iterator[Client]:
    with Client(longest=15, allow_private=True) as made:
        yield made


def source(http: Client, account: Account, **options: object) -> Bluesky:
    tools = Tools(http=http, clock=lambda: datetime.now(UTC), secret=account.app_password)
    settings: dict[str, object] = {"handle": account.handle, "service": account.pds, **options}
    return Bluesky(BlueskyOptions(**settings), tools)  # type: ignore[arg-type]


def drained(
    make: Callable[[], Bluesky], cursor: Cursor | None = None, *, needs: tuple[Query, ...] = (), posts: int = 500
) -> tuple[dict[str, Post], list[Page]]:
    """All posts of all pages, a new source for each page."""
    found: dict[str, Post] = {}
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(make().poll(PLACE, needs, cursor, Budget(posts=posts)))
        found |= {post.external_id: post for post in pages[-1].posts}
        cursor = pages[-1].cursor
    return found, pages


def heard(http: Client, account: Account, uri: str, **options: object) -> Post:
    """A post, once it reaches the account."""
    bluesky = source(http, account, **options)
    seen = eventually(lambda: drained(lambda: bluesky)[0].get(uri), f"{uri} never came")
    assert seen is not None
    return seen


def approval(text: str, at: datetime | None = None) -> Approval:
    at = at or datetime.now(UTC)
    return Approval(text=text, digest=digest(text), who="Ann", colleague=1, at=at)


def test_bluesky_passes_the_contract(bluesky: Network, proxy: Proxy) -> None:
    shop, mo = bluesky.account("contract", MARKER), bluesky.account("mo")
    tame = HOSTILE.replace("\0", "").replace("\ud800", "")[:290]
    uris = [mo.post(f"Brackholm again, day {day}")["uri"] for day in range(3)]
    uris += [mo.post(text, about=shop)["uri"] for text in (f"@{shop.handle} late", f"@{shop.handle} {tame}"[:290])]
    options = BlueskyOptions(handle=shop.handle, service=proxy.url, search=("Brackholm",))

    def make(tools: Tools) -> Bluesky:
        return Bluesky(options, tools)

    def grow() -> None:
        uri = mo.post(f"@{shop.handle} still late", about=shop)["uri"]
        _indexed(shop, uri)

    for uri in uris:
        _indexed(shop, uri)
    posts = check_source(make, site=proxy, grow=grow, now=datetime.now(UTC), says=[f"@{shop.handle} late", tame[:200]])
    assert set(uris) == {post.external_id for post in posts}


def _indexed(account: Account, uri: str) -> None:
    """Wait until the index shows a post, and the notifications that come with it."""
    eventually(lambda: account.ask("app.bsky.feed.getPosts", uris=[uri])["posts"], f"{uri} is not indexed")


def test_a_mention_an_answer_and_a_quote_become_posts(http: Client, us: Account, kim: Account) -> None:
    ours = us.post("We are open again")
    mention = kim.post(f"Hei @{us.handle}, where is my order?", about=us, langs=["en"])
    answer = kim.post("No you are not", under=ours)
    quote = kim.post("Look", embed={"$type": "app.bsky.embed.record", "record": ours})
    kim.put("app.bsky.feed.like", {"$type": "app.bsky.feed.like", "subject": ours, "createdAt": moment()})
    post = heard(http, us, quote["uri"])
    assert (post.text, post.in_reply_to, post.root) == ("Look", None, None)
    post = heard(http, us, answer["uri"])
    assert (post.in_reply_to, post.root) == (ours["uri"], ours["uri"])
    post = heard(http, us, mention["uri"])
    rkey = mention["uri"].rpartition("/")[2]
    assert (post.source, post.realm, post.kind, post.title) == ("bluesky", "", "post", "")
    assert post.text == f"Hei @{us.handle}, where is my order?"
    assert post.url == f"https://bsky.app/profile/{kim.handle}/post/{rkey}"
    assert (post.author.handle, post.author.url) == (kim.handle, f"https://bsky.app/profile/{kim.handle}")
    assert post.published_at is not None
    assert abs(datetime.now(UTC) - post.published_at) < timedelta(minutes=1)
    found, _ = drained(lambda: source(http, us))
    assert not [uri for uri in found if us.did in uri], "what we wrote ourselves is no news"
    assert not [uri for uri in found if "feed.like" in uri]


def test_a_search_finds_what_mentions_nobody_but_never_ourselves(http: Client, us: Account, kim: Account) -> None:
    ours, theirs = us.post("Zinnober is back"), kim.post("My Zinnober leaks")
    kim.put("app.bsky.feed.like", {"$type": "app.bsky.feed.like", "subject": theirs, "createdAt": moment()})
    _indexed(kim, ours["uri"])
    need = Query(name="z", brand="Zinnober", terms=("Zinnober",))

    def found() -> Post | None:
        posts, _ = drained(lambda: source(http, us, notifications=False), needs=(need,))
        assert ours["uri"] not in posts
        return next((post for post in posts.values() if post.engagement.likes), None)

    post = eventually(found, "the search never found it")
    assert post is not None
    assert (post.external_id, post.engagement.likes) == (theirs["uri"], 1)


def test_who_shows_posts_to_members_only_is_left_out_of_a_search_but_heard_when_speaking_to_us(
    bluesky: Network, http: Client, us: Account
) -> None:
    shy = bluesky.account("shy")
    label = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}
    shy.put("app.bsky.actor.profile", {"$type": "app.bsky.actor.profile", "labels": label}, "self")
    quiet, spoken = shy.post("Zarge broke"), shy.post(f"@{us.handle} Zarge broke", about=us)
    other = us.post("x")
    for uri in (quiet["uri"], spoken["uri"], other["uri"]):
        _indexed(us, uri)
    eventually(lambda: us.ask("app.bsky.actor.getProfile", actor=shy.did).get("labels"), "the label is not indexed")
    found, _ = drained(lambda: source(http, us, search=("Zarge",)))
    assert spoken["uri"] in found
    assert quiet["uri"] not in found


def test_a_long_walk_is_read_in_pages_and_goes_on_where_it_stopped(bluesky: Network, http: Client) -> None:
    shop, crowd = bluesky.account("crowd"), bluesky.account("loud")
    uris = [crowd.post(f"@{shop.handle} complaint {number} about Quirl", about=shop)["uri"] for number in range(8)]
    for uri in uris:
        _indexed(shop, uri)
    eventually(lambda: heard(http, shop, uris[-1]), "the last never came")
    found, pages = drained(lambda: source(http, shop, search=("Quirl",)), posts=3)
    assert set(uris) <= set(found)
    assert len(pages) > 5
    assert all(len(page.posts) <= 3 for page in pages)
    middle = unpack(pages[3].cursor)
    assert middle.token
    assert not middle.newest, "only a finished walk knows what is surely read"
    assert unpack(pages[-1].cursor).track == -1
    new = crowd.post(f"@{shop.handle} once more", about=shop)["uri"]
    _indexed(shop, new)
    later, pages = drained(lambda: source(http, shop), pages[-1].cursor)
    assert new in later


def test_a_token_that_died_sends_the_walk_back_to_the_top(http: Client, us: Account, kim: Account) -> None:
    uri = kim.post(f"@{us.handle} top", about=us)["uri"]
    heard(http, us, uri)
    now = int(datetime.now(UTC).timestamp() * 1000)
    walk = Walk(tracks=("search top",), track=0, floor=now - 60_000, token="dead", top=now, swept=now)
    found, pages = drained(lambda: source(http, us, search=("top",), notifications=False), walk.cursor())
    assert uri in found
    assert unpack(pages[-1].cursor).track == -1


@pytest.mark.parametrize("worn", ["garbage", "expired"])
def test_a_worn_out_session_is_renewed_without_a_new_sign_in(
    http: Client, us: Account, proxy: Proxy, worn: str
) -> None:
    bluesky = source(http, us, service=proxy.url)
    bluesky.poll(PLACE, (), None, Budget())
    proxy.worn = {"*": "garbage" if worn == "garbage" else proxy.expired(us.did)}
    bluesky.poll(PLACE, (), None, Budget())
    assert proxy.calls["com.atproto.server.refreshSession"] == 1
    assert proxy.calls["com.atproto.server.createSession"] == 1
    assert not proxy.worn


def test_a_session_beyond_renewal_is_begun_anew(http: Client, us: Account, proxy: Proxy) -> None:
    bluesky = source(http, us, service=proxy.url)
    bluesky.poll(PLACE, (), None, Budget())
    proxy.worn = {"*": "garbage", "com.atproto.server.refreshSession": "garbage"}
    bluesky.poll(PLACE, (), None, Budget())
    assert proxy.calls["com.atproto.server.createSession"] == 2


def test_a_refused_password_is_named_without_showing_it(http: Client, us: Account) -> None:
    wrong = replace(us, app_password="wrong-pass-word")
    with pytest.raises(Unauthorized, match=f"{us.handle}.*app password") as caught:
        source(http, wrong).poll(PLACE, (), None, Budget())
    assert "wrong-pass" not in repr(caught.value) + str(caught.value)
    bare = replace(us, app_password="")
    with pytest.raises(Unauthorized, match="credential"):
        source(http, bare).poll(PLACE, (), None, Budget())
    assert source(http, bare).can_reply(Post(source="bluesky", external_id="at://x"))


def test_the_last_requests_of_a_limit_are_left_for_answers(http: Client, us: Account, proxy: Proxy) -> None:
    reset = str(int(datetime.now(UTC).timestamp()) + 90)
    proxy.headers = {"RateLimit-Limit": "3000", "RateLimit-Remaining": "40", "RateLimit-Reset": reset}
    page = source(http, us, service=proxy.url, search=("x", "y")).poll(PLACE, (), None, Budget())
    assert proxy.calls["app.bsky.feed.searchPosts"] == 0
    assert not page.more
    assert page.wait is not None
    assert timedelta(seconds=60) < page.wait <= timedelta(seconds=90)


def test_a_limit_that_is_used_up_carries_its_wait(http: Client, us: Account, proxy: Proxy) -> None:
    for method in ("app.bsky.notification.listNotifications", "com.atproto.server.createSession"):
        proxy.moods = {method: "busy"}
        with pytest.raises(RateLimited) as caught:
            source(http, us, service=proxy.url).poll(PLACE, (), None, Budget())
        assert caught.value.retry_after is not None
        assert 50 < caught.value.retry_after <= 60


def test_an_answer_stands_under_the_post_once_and_another_client_reads_it(
    http: Client, us: Account, kim: Account
) -> None:
    start = kim.post("A thread begins")
    mention = kim.post(f"@{us.handle} æøå: where is it?", under=start, about=us, langs=["nb"])
    post = heard(http, us, mention["uri"])
    bluesky: Replier = source(http, us)
    assert bluesky.can_reply(post) is None
    assert (bluesky.limits(post).limit, bluesky.limits(post).opening) == (300, "")
    said = approval("Så dumt! 🙈 See https://shop.example/track?id=7 (or https://shop.example/a).")
    assert bluesky.find(post, said, "r1") is None
    posted = bluesky.reply(post, said, "r1")
    assert posted == bluesky.find(post, said, "r1")
    # Whoever tries again, even after a restart, finds it there.
    assert source(http, us).reply(post, said, "r1") == posted
    answers = eventually(lambda: kim.answers(mention["uri"]), "nobody sees the answer")
    assert [(answer["uri"], answer["record"]["text"]) for answer in answers] == [(posted.external_id, said.text)]
    record = answers[0]["record"]
    assert record["reply"]["root"] == start, "the thread's first post"
    assert record["reply"]["parent"] == mention
    assert record["langs"] == ["nb"]
    assert datetime.fromisoformat(record["createdAt"]) == said.at.replace(
        microsecond=said.at.microsecond // 1000 * 1000
    )
    raw = said.text.encode()
    spans = [raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in record["facets"]]
    assert spans == ["https://shop.example/track?id=7", "https://shop.example/a"]
    assert posted.url == f"https://bsky.app/profile/{us.handle}/post/{posted.external_id.rpartition('/')[2]}"
    later = kim.post("Thanks", under={**posted_ref(us, posted.external_id), "root": start})
    back = heard(http, us, later["uri"])
    assert (back.in_reply_to, back.root) == (posted.external_id, start["uri"])


def posted_ref(account: Account, uri: str) -> dict[str, str]:
    """A record's address and state, as an answer to it names it."""
    record = next(record for record in account.records() if record["uri"] == uri)
    return {"uri": uri, "cid": record["cid"]}


def test_two_answers_approved_in_one_second_are_two(http: Client, us: Account, kim: Account) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} two", about=us)["uri"])
    bluesky, at = source(http, us), datetime.now(UTC)
    first, second = (bluesky.reply(post, approval(f"answer {key}", at), key) for key in ("r-a", "r-b"))
    assert first != second
    assert {record["value"]["text"] for record in us.records()} >= {"answer r-a", "answer r-b"}


def test_an_author_who_blocks_the_account_is_not_answered(bluesky: Network, http: Client, us: Account) -> None:
    cross = bluesky.account("cross", app=False)
    post = heard(http, us, cross.post(f"@{us.handle} enough of you", about=us)["uri"])
    block = {"$type": "app.bsky.graph.block", "subject": us.did, "createdAt": moment()}
    cross.put("app.bsky.graph.block", block)

    def blocked() -> bool:
        return bool(us.ask("app.bsky.actor.getProfile", actor=cross.did)["viewer"].get("blockedBy"))

    eventually(blocked, "the block is not indexed")
    with pytest.raises(Rejected, match=r"blocks|gone"):
        source(http, us).reply(post, approval("hello?"), "r1")
    assert not written(us, "hello?")


def written(account: Account, text: str) -> int:
    return sum(record["value"]["text"] == text for record in account.records())


def test_a_deleted_post_is_not_answered(http: Client, us: Account, kim: Account) -> None:
    uri = kim.post(f"@{us.handle} gone soon", about=us)["uri"]
    post = heard(http, us, uri)
    kim.delete(uri)
    eventually(lambda: not us.ask("app.bsky.feed.getPosts", uris=[uri])["posts"], "it is still there")
    with pytest.raises(Rejected, match="gone"):
        source(http, us).reply(post, approval("to nobody"), "r1")
    assert not written(us, "to nobody")


def test_a_post_that_admits_no_answers_is_not_answered(http: Client, us: Account, kim: Account) -> None:
    made = kim.post(f"@{us.handle} leave me alone", about=us)
    gate = {"$type": "app.bsky.feed.threadgate", "post": made["uri"], "allow": [], "createdAt": moment()}
    kim.put("app.bsky.feed.threadgate", gate, made["uri"].rpartition("/")[2])
    post = heard(http, us, made["uri"])

    def closed() -> bool:
        viewed = us.ask("app.bsky.feed.getPosts", uris=[made["uri"]])["posts"][0]
        return bool(viewed["viewer"].get("replyDisabled"))

    eventually(closed, "the gate is not indexed")
    with pytest.raises(Rejected, match="no answers"):
        source(http, us).reply(post, approval("let me in"), "r1")
    assert not written(us, "let me in")


@pytest.mark.parametrize(
    ("mood", "error", "stands"),
    [
        ("withheld", Unclear, True), ("cut", Unclear, True), ("broken", Unclear, True), ("page", Unclear, True),
        ("refused early", Unclear, False), ("busy", RateLimited, False),
    ],
)  # fmt: skip
def test_whatever_becomes_of_the_answer_it_never_stands_twice(
    http: Client, us: Account, kim: Account, proxy: Proxy, mood: str, error: type[AdapterError], stands: bool
) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} {mood}", about=us)["uri"])
    bluesky, said = source(http, us, service=proxy.url), approval(f"answer: {mood}")
    proxy.moods = {"com.atproto.repo.createRecord": mood}  # type: ignore[dict-item]
    if mood == "withheld":
        http._longest = 3  # as if the network were slower than our patience
    with pytest.raises(error) as caught:
        bluesky.reply(post, said, "r1")
    http._longest = 15
    assert type(caught.value) is error
    assert proxy.calls["com.atproto.repo.createRecord"] == 1, "sent once"
    found = bluesky.find(post, said, "r1")
    assert (found is not None) == stands
    proxy.moods = {}
    assert written(us, said.text) == stands
    posted = bluesky.reply(post, said, "r1")
    assert found in (None, posted)
    assert written(us, said.text) == 1


def test_a_race_of_two_writes_under_one_key_leaves_one_answer(http: Client, us: Account, kim: Account) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} race", about=us)["uri"])
    bluesky, said = source(http, us), approval("the faster one")
    bluesky.find = lambda *_: None  # type: ignore[method-assign]  # as if both had looked before either wrote
    bluesky.reply(post, said, "r1")
    with pytest.raises((Unclear, Rejected)):
        bluesky.reply(post, said, "r1")
    assert written(us, said.text) == 1


def test_a_session_that_ends_right_before_the_write_sends_nothing(
    http: Client, us: Account, kim: Account, proxy: Proxy
) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} late session", about=us)["uri"])
    bluesky, said = source(http, us, service=proxy.url), approval("second try")
    proxy.after["app.bsky.feed.getPosts"] = lambda: proxy.worn.update({"*": proxy.expired(us.did)})
    with pytest.raises(Unavailable, match="nothing was sent"):
        bluesky.reply(post, said, "r1")
    bluesky.reply(post, said, "r1")
    assert written(us, said.text) == 1


@pytest.mark.parametrize("method", ["com.atproto.server.createSession", "app.bsky.feed.getPosts"])
def test_trouble_before_the_write_says_that_nothing_was_posted(
    http: Client, us: Account, kim: Account, proxy: Proxy, method: str
) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} before", about=us)["uri"])
    proxy.moods = {method: "broken"}
    with pytest.raises(Unavailable) as caught:
        source(http, us, service=proxy.url).reply(post, approval("never"), "r1")
    assert not isinstance(caught.value, RateLimited)
    assert not proxy.calls["com.atproto.repo.createRecord"]


def test_an_answer_of_any_signs_comes_through_as_it_was_approved(http: Client, us: Account, kim: Account) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} <b>&amp; \u202e", about=us)["uri"])
    assert post.text.endswith("<b>&amp; \u202e")
    said = approval(' <script>alert(1)</script> \'"\\ \u202e\u200d👩‍👩‍👧 https://shop.example/ü\n \n\n"')
    source(http, us).reply(post, said, "r1")
    assert written(us, said.text) == 1


def test_an_answer_the_network_will_not_take_is_refused_with_its_words(http: Client, us: Account, kim: Account) -> None:
    post = heard(http, us, kim.post(f"@{us.handle} long", about=us)["uri"])
    with pytest.raises(Rejected, match=r"(?i)grapheme|longer|too big"):
        source(http, us).reply(post, approval("a" * 301), "r1")
