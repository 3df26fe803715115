"""Any text at all becomes fit to store: no exception, no controls, the same when cleaned again."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.mention import (
    MAX_TEXT,
    Author,
    Engagement,
    Post,
    clean,
    fingerprint,
    line,
    normalise,
    web_address,
)
from listener.store import Store, open_store
from listener.testing import make_post
from tests.kit import add_posts

ODD = st.sampled_from([
    "\x00", "\x01", "\x0b", "\x0c", "\x1b[31m", "\x85", "\xa0", "\u2028", "\ud800", "\udfff", "\ufffe", "\uffff",
    "\u202e", "\u200b", "e\x01\u0301", "e\u0301", "\r\n", "\r", "\n \n\n", "  ", "\t", "\u3000", "𝅘𝅥𝅮", "क़", "<b>", "'",
])  # fmt: skip
TEXTS = st.lists(st.one_of(ODD, st.text(st.characters(), max_size=6)), max_size=12).map("".join)
CONTROLS = {"Cc", "Cs"}


def _fit(text: str) -> bool:
    return all(ch == "\n" or unicodedata.category(ch) not in CONTROLS for ch in text)


@given(TEXTS)
def test_clean_text_holds_no_controls_and_no_surrogates(text: str) -> None:
    assert _fit(clean(text))


@given(TEXTS, st.integers(1, 30))
def test_cleaning_clean_text_changes_nothing(text: str, limit: int) -> None:
    once = clean(text, limit)
    assert clean(once, limit) == once
    single = line(text, limit)
    assert line(single, limit) == single


@given(TEXTS, st.integers(1, 30))
def test_the_limit_holds(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit
    assert len(line(text, limit)) <= limit


@given(TEXTS)
def test_a_line_has_no_line_ends(text: str) -> None:
    assert len(line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", ""),
        ("  plain  ", "plain"),
        ("two  blanks", "two blanks"),
        ("tab\tand\u00a0hard\u3000blank", "tab and hard blank"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n \n\nb", "a\n\nb"),
        ("e\u0301", "é"),
        ("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m"),
        ("half \ud83d of a pair", "half of a pair"),
        ("page\x0cbreak, vertical\x0btab, next\x85line", "page\nbreak, vertical\ntab, next\nline"),
        ("x" * (MAX_TEXT * 5), "x" * MAX_TEXT),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("one\ntwo", "one two"), ("plain", "plain"), (" a\u2028b ", "a b"), ("", "")],
)
def test_line(raw: str, expected: str) -> None:
    assert line(raw) == expected


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("https://acme.example/a?b=c#d", True),
        ("HTTP://acme.example", True),
        ("https://ünï.example/ß", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//acme.example", False),
        ("https://", False),
        ("https://a b.example", False),
        ("https://a.example/\x00", False),
        ("https://\ud800", False),
        ('https://a.example/"onclick=', False),
        ("https://a.example/\n", False),
        ("https://a.example/" + "x" * 2_000, False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_are_kept(raw: str | None, kept: bool) -> None:
    assert web_address(raw) == (raw if kept else None)


@given(st.one_of(st.none(), TEXTS, TEXTS.map("https://{}".format)))
def test_an_address_is_whole_or_none(url: str | None) -> None:
    address = web_address(url)
    assert address is None or (address == url and web_address(address) == address)


MOMENTS = st.one_of(
    st.none(), st.datetimes(), st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-14))]))
)
COUNTS = st.integers(-(10**30), 10**30)
POSTS = st.builds(
    Post,
    source=st.just("fake"),
    realm=TEXTS,
    external_id=TEXTS.map("id{}".format),
    url=st.one_of(st.none(), TEXTS),
    author=st.builds(Author, handle=TEXTS, name=TEXTS, url=st.one_of(st.none(), TEXTS), followers=COUNTS),
    title=TEXTS,
    text=TEXTS,
    published_at=MOMENTS,
    rating=st.one_of(st.none(), st.floats()),
    in_reply_to=st.one_of(st.none(), TEXTS),
    root=st.one_of(st.none(), TEXTS),
    engagement=st.builds(Engagement, likes=COUNTS, replies=COUNTS, shares=COUNTS),
)


@given(POSTS)
def test_any_post_is_normalised_once_and_for_all(raw: Post) -> None:
    post = normalise(raw)
    assert normalise(post) == post
    assert post.rating is None or 0 <= post.rating <= 1
    assert post.published_at is None or post.published_at.tzinfo is UTC


@pytest.fixture(scope="module")
def kept() -> Iterator[Store]:
    """One store for all examples: opening one takes far longer than keeping a post."""
    store = open_store(":memory:")
    yield store
    store.close()


@given(POSTS)
def test_any_post_comes_back_from_the_store_as_it_went_in(kept: Store, raw: Post) -> None:
    number = sum(kept.mentions.counts().values()) + 1
    post = normalise(replace(raw, source=f"fake{number}"))
    add_posts(kept, post)
    mention = kept.mentions.find(number)
    assert mention is not None
    assert mention.post == post


@pytest.mark.parametrize("external_id", ["", "  ", "\x00", "\ud800"])
def test_a_post_without_an_id_is_refused(external_id: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        normalise(Post(source="fake", external_id=external_id))


def test_long_ids_that_differ_only_at_the_end_stay_apart() -> None:
    first, second = (normalise(make_post("x" * 3_000 + end, root="r" * 3_000 + end)) for end in "ab")
    assert first.external_id != second.external_id
    assert first.root != second.root
    assert len(first.external_id) <= 1_000


def test_a_reply_still_points_to_a_post_with_a_long_id() -> None:
    parent = normalise(make_post("x" * 3_000))
    assert normalise(make_post("2", in_reply_to="x" * 3_000)).in_reply_to == parent.external_id


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(None, None), (0.5, 0.5), (7, 1.0), (-1.0, 0.0), (float("inf"), 1.0), (float("nan"), None)],
)
def test_ratings_stay_within_bounds_and_nonsense_is_no_rating(raw: float | None, expected: float | None) -> None:
    assert normalise(make_post("1", rating=raw)).rating == expected


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    naive = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - that is the point
    assert normalise(make_post("1", published_at=naive)).published_at == naive.replace(tzinfo=UTC)


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    ends = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    assert normalise(make_post("1", published_at=ends)).published_at is None


def test_the_fingerprint_follows_the_words_and_the_stars_only() -> None:
    post = make_post("1", "Acme is fine", title="Hm", rating=1.0)
    same = make_post("2", "Acme is fine", title="Hm", rating=1.0, engagement=Engagement(likes=9), author="bob")
    assert fingerprint(post) == fingerprint(same)
    others = [
        make_post("1", "Acme is fine!", title="Hm", rating=1.0),
        make_post("1", "Acme is fine", title="Hmm", rating=1.0),
        make_post("1", "Acme is fine", title="Hm", rating=0.0),
        make_post("1", "Acme is fine", title="Hm"),
        make_post("1", "Hm", title="Acme is fine", rating=1.0),
    ]
    assert len({fingerprint(post), *map(fingerprint, others)}) == 6
