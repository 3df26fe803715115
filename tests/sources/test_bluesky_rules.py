"""The pure parts of the Bluesky source: record keys, links, odd records, and the walk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.mention import normalise
from listener.core.query import Cursor
from listener.core.reply import Approval, digest
from listener.testing import HOSTILE
from sources._blueskypost import answer, closed, links, members_only, moment, read, record_key
from sources._blueskywalk import MENTIONS, OVERLAP, PAGES, SWEEP, SWEEP_EVERY, Walk, named_tracks, token_moment, unpack
from sources.bluesky import BlueskyOptions

AT = datetime(2026, 11, 14, 9, 0, 0, 250_000, tzinfo=UTC)
NOW = int(AT.timestamp() * 1000)
URI = "at://did:plc:abc/app.bsky.feed.post/3kabc"
VIEW: dict[str, Any] = {
    "uri": URI,
    "cid": "bafy",
    "author": {"did": "did:plc:abc", "handle": "kim.example", "displayName": "Kim"},
    "record": {"text": "late again", "createdAt": "2026-11-14T08:00:00Z"},
    "indexedAt": "2026-11-14T08:00:01.5Z",
    "likeCount": 3, "replyCount": 2, "repostCount": 4, "quoteCount": 1,
}  # fmt: skip


def approval(text: str = "Sorry!", at: datetime = AT) -> Approval:
    return Approval(text=text, digest=digest(text), who="Ann", colleague=1, at=at)


def test_a_record_key_is_a_tid_of_the_approvals_moment() -> None:
    key = record_key(approval(), "r1")
    assert len(key) == 13
    assert key[0] in "234567abcdefghij"
    number = 0
    for sign in key:
        number = number << 5 | "234567abcdefghijklmnopqrstuvwxyz".index(sign)
    assert (
        timedelta()
        <= datetime.fromtimestamp((number >> 10) / 1e6, UTC) - AT.replace(microsecond=0)
        < timedelta(seconds=1)
    )


@given(st.text(), st.integers(86_400_000_000, 7_258_118_400_000_000))
def test_a_record_key_is_the_same_for_ever_and_loses_nothing_with_the_fractions(key: str, micros: int) -> None:
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
    whole = record_key(approval(at=at.replace(microsecond=0)), key)
    assert record_key(approval(at=at), key) == whole
    assert len(whole) == 13
    assert set(whole) <= set("234567abcdefghijklmnopqrstuvwxyz")


def test_ten_thousand_answers_approved_in_one_second_have_keys_of_their_own() -> None:
    keys = {record_key(approval(), f"listener-{number}") for number in range(10_000)}
    assert len(keys) >= 9_999  # 30 bits: two alike are possible, one pair at a time


@given(
    st.lists(
        st.sampled_from(["æ", "👩‍👩‍👧", " ", "https://a.example/ü?q=(1)", "http://b.example", ".", ")", "\ud800", "x"])
    )
)
def test_links_are_counted_in_bytes(parts: list[str]) -> None:
    text = "".join(parts)
    raw = text.encode("utf-8", "surrogatepass")
    for facet in links(text):
        said = raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode("utf-8", "surrogatepass")
        assert said == facet["features"][0]["uri"]
        assert said.startswith("http")


def test_a_link_ends_before_the_sentence_does() -> None:
    ends = [facet["features"][0]["uri"] for facet in links("See https://a.example/b. (Or http://c.example/d(e)?)")]
    assert ends == ["https://a.example/b", "http://c.example/d(e)"]


def test_a_view_becomes_a_post() -> None:
    post = read(VIEW)
    assert post is not None
    assert (post.external_id, post.url) == (URI, "https://bsky.app/profile/kim.example/post/3kabc")
    assert (post.author.handle, post.author.name, post.text) == ("kim.example", "Kim", "late again")
    assert post.published_at == datetime(2026, 11, 14, 8, tzinfo=UTC)
    assert (post.engagement.likes, post.engagement.replies, post.engagement.shares) == (3, 2, 5)
    assert moment(VIEW) == NOW - 3_598_750


@pytest.mark.parametrize(
    ("claimed", "published"),
    [
        ("2031-01-01T00:00:00Z", "2026-11-14T08:00:01.500+00:00"),
        ("2019-05-01T10:00:00+02:00", "2019-05-01T08:00:00+00:00"),
        ("soon", "2026-11-14T08:00:01.500+00:00"),
    ],
)
def test_nobody_dates_a_post_into_the_future_and_imports_keep_their_age(claimed: str, published: str) -> None:
    post = read({**VIEW, "record": {"text": "x", "createdAt": claimed}})
    assert post is not None
    assert post.published_at == datetime.fromisoformat(published)


def test_a_handle_that_is_none_gives_way_to_the_did() -> None:
    for handle in ("handle.invalid", "<script>", None, 7, "a b.example"):
        post = read({**VIEW, "author": {"did": "did:plc:abc", "handle": handle}})
        assert post is not None
        assert (post.author.handle, post.url) == ("did:plc:abc", "https://bsky.app/profile/did:plc:abc/post/3kabc")


def test_a_post_of_pictures_alone_says_what_they_show() -> None:
    embed = {"images": [{"alt": "a broken kettle"}, {"alt": ""}, "odd"]}
    post = read({**VIEW, "record": {"text": "", "embed": embed}})
    assert post is not None
    assert post.text == "a broken kettle"


_NAMES = [*VIEW, "text", "reply", "parent", "root", "labels", "embed", "images", "langs"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(HOSTILE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(VIEW)), _JSON))
def test_odd_records_raise_nothing(odd: dict[str, Any]) -> None:
    raw = {**VIEW, **odd}
    post = read(raw)
    if post is not None:
        normalise(post)
    moment(raw)
    members_only(raw)
    answer(approval(), {**raw, "uri": URI, "cid": "bafy"})


def test_only_a_standing_label_asks_for_members_only() -> None:
    def labelled(*labels: object) -> bool:
        return members_only({"author": {"labels": list(labels)}})

    assert labelled({"val": "x"}, {"val": "!no-unauthenticated"})
    assert not labelled({"val": "!no-unauthenticated", "neg": True})
    assert not labelled("odd")


def test_a_post_whose_author_shuts_us_out_says_so() -> None:
    assert closed(VIEW) is None
    assert closed({**VIEW, "viewer": {"replyDisabled": False}, "author": {"viewer": {"blockedBy": False}}}) is None
    assert "no answers" in str(closed({**VIEW, "viewer": {"replyDisabled": True}}))
    assert closed({**VIEW, "author": {"viewer": {"blockedBy": True}}}) == "its author blocks this account"
    assert closed({**VIEW, "author": {"viewer": {"blocking": "at://x"}}}) == "this account blocks its author"


@pytest.mark.parametrize(
    "wrong", [{"handle": ""}, {"handle": "a b"}, {"handle": "shop.example", "service": "bsky.social"}]
)
def test_options_that_can_never_work_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"`(handle|service)`"):
        BlueskyOptions(**wrong)  # type: ignore[arg-type]


def test_an_answer_to_a_first_post_has_it_as_root_and_parent() -> None:
    record = answer(
        approval("See https://a.example"), {**VIEW, "record": {"text": "x", "langs": ["nb", 7, "en", "de", "fr"]}}
    )
    assert record["reply"] == {"root": {"uri": URI, "cid": "bafy"}, "parent": {"uri": URI, "cid": "bafy"}}
    assert record["langs"] == ["nb", "en", "de"]
    assert record["createdAt"] == "2026-11-14T09:00:00.250Z"


def test_each_term_is_searched_once_and_phrases_in_quotes() -> None:
    named = named_tracks(True, ("Acme", "acme", "Acme  Home", 'from:"kim"', "#acme", " "))
    assert named == (MENTIONS, 'search "#acme"', "search Acme", 'search "Acme Home"', 'search "from: kim"')


def test_a_walk_goes_back_to_the_floor_and_only_its_end_moves_it() -> None:
    walk = Walk().begun((MENTIONS, "search a"), NOW)
    assert (walk.floor, walk.track) == (NOW - SWEEP, 0)
    walk, gap = walk.next([NOW - 5, NOW - 9], "t1", NOW)
    assert (walk.token, walk.track, gap) == ("t1", 0, None)
    assert unpack(walk.cursor()) == walk
    assert unpack(walk.cursor()).begun((MENTIONS, "search a"), NOW + 60_000) == walk, "it goes on where it stopped"
    walk, _ = walk.next([NOW - SWEEP - 1], "t2", NOW)
    assert (walk.token, walk.track) == ("", 1), "below the floor"
    walk, _ = walk.next([], "", NOW)
    assert walk.track == 2
    ended = walk.ended()
    assert (ended.newest, ended.track, ended.top) == (NOW - 5, -1, 0)
    assert ended.begun((MENTIONS, "search a"), NOW).floor == NOW - 5 - OVERLAP
    assert ended.begun((MENTIONS, "search a"), NOW + SWEEP_EVERY).floor == NOW - 5 - SWEEP
    assert ended.begun((MENTIONS,), NOW).floor == NOW - SWEEP, "other tracks start anew"


def test_one_old_entry_among_new_ones_does_not_end_a_walk() -> None:
    walk = Walk().begun((MENTIONS,), NOW)
    walk, _ = walk.next([NOW - 1, NOW - 2 * SWEEP], "t", NOW)
    assert walk.track == 0


def test_pages_without_a_mention_are_walked_over_until_their_token_is_below_the_floor() -> None:
    walk = Walk().begun((MENTIONS,), NOW)
    walk, _ = walk.next([], (AT - timedelta(hours=1)).isoformat(), NOW)
    assert walk.track == 0
    walk, gap = walk.next([], (AT - timedelta(hours=49)).isoformat().replace("+00:00", "Z"), NOW)
    assert (walk.track, gap) == (1, None)
    assert token_moment("1795326342182__bafy") is None
    assert token_moment("T") is None


def test_a_walk_is_given_up_with_a_gap_and_circles_end() -> None:
    walk = Walk().begun(("search a",), NOW)
    gap = None
    for number in range(PAGES):
        assert gap is None
        walk, gap = walk.next([NOW - number], f"t{number}", NOW)
    assert gap is not None
    assert gap.startswith("page limit reached for search a: older than 2026-11-14")
    walk = Walk(tracks=("search a",), track=0, token="same")
    assert walk.next([NOW], "same", NOW)[0].track == 1


def test_a_date_in_the_future_does_not_hide_what_comes_until_then() -> None:
    walk, _ = Walk().begun((MENTIONS,), NOW).next([NOW + 10**9], "", NOW)
    assert walk.ended().newest == NOW


@pytest.mark.parametrize("cursor", ["", "no json", "[]", '{"v": 2}', '{"v": 1}', json.dumps({"v": 1, "tracks": 7})])
def test_a_cursor_that_cannot_be_read_starts_anew(cursor: str) -> None:
    assert unpack(Cursor(cursor)) == Walk()
