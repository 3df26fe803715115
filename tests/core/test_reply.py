"""What an answer must keep to, and what is kept of words, links and reasons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.errors import Refused
from listener.core.reply import (
    LONGEST_REPLY,
    ReplyLimits,
    digest,
    measure,
    misfits,
    reason_text,
    reply_link,
    reply_text,
)

LIMITS = ReplyLimits(limit=20, link_length=5, opening="@kim ")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0), ("@kim sorry", 10), ("see https://a.example/very/long/path", 9),
        ("HTTPS://A.example http://b.example", 11), ("ä😀", 2), ("https:// is no link", 19),
    ],
)  # fmt: skip
def test_a_text_is_as_long_as_its_place_counts_it(text: str, length: int) -> None:
    assert measure(text, LIMITS) == length


def test_without_a_length_of_links_a_text_is_as_long_as_it_is() -> None:
    assert measure("see https://a.example", ReplyLimits(limit=9)) == 21


@pytest.mark.parametrize(
    ("text", "limits", "said"),
    [
        ("@kim sorry", LIMITS, ()),
        ("", LIMITS, ("it says nothing yet", "it does not name @kim, who would not hear of it")),
        ("@kim  ", LIMITS, ("it says nothing yet",)),
        ("@kim " + "x" * 20, LIMITS, ("it is 5 characters too long: 25 of 20",)),
        ("sorry", LIMITS, ("it does not name @kim, who would not hear of it",)),
        ("sorry, @kim", LIMITS, ()),
        ("see https://a.example", ReplyLimits(links="they are cut off"), ("it holds a link: they are cut off",)),
        ("x" * (LONGEST_REPLY + 1), ReplyLimits(), (f"it is 1 characters too long: {LONGEST_REPLY + 1} of 20000",)),
        ("sorry", ReplyLimits(), ()),
    ],
)  # fmt: skip
def test_what_stands_against_posting_a_text_is_said_in_words(
    text: str, limits: ReplyLimits, said: tuple[str, ...]
) -> None:
    assert misfits(text, limits) == said


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc\n\n ", "a\nb\nc"), ("\n a", "\n a"), ("nul\0l", "null"), ("half \ud800", "half ?"), ("", ""),
        ("\u202eevil", "\u202eevil"),
    ],
)  # fmt: skip
def test_words_are_kept_as_they_are_posted(typed: str, kept: str) -> None:
    assert reply_text(typed) == kept
    assert reply_text(kept) == kept


@given(st.text())
def test_any_words_can_be_kept_and_told_apart(text: str) -> None:
    kept = reply_text(text)
    assert reply_text(kept) == kept
    assert len(digest(kept)) == 64
    assert digest(kept) != digest(kept + "!")


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "forum.example/1", "https://", "http://a b", "ftp://a", "https://a\nb", "\ud800"]
)
def test_what_is_no_link_is_refused(link: str) -> None:
    with pytest.raises(Refused, match="begins with https://"):
        reply_link(link)


def test_a_link_may_be_left_out() -> None:
    assert (reply_link("  "), reply_link(" https://a.example/1 ")) == ("", "https://a.example/1")


def test_a_reason_has_words() -> None:
    assert reason_text(" too long ") == "too long"
    with pytest.raises(Refused, match="say why"):
        reason_text(" \n")
    with pytest.raises(Refused, match="at most"):
        reason_text("x" * 6000)
