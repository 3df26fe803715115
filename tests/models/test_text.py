"""The form in which the model reads a post, and whether it can know anything about it."""

import pytest

from models._text import HEAD, TAIL, clean, cut, mask


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("@some_one hello", "@user hello"),
        ("thanks @some.one!", "thanks @user.one!"),
        ("mail me at a@example.org", "mail me at a@example.org"),
        ("see https://example.org/a?b=c&d=1 now", "see http now"),
        ("see HTTP://EXAMPLE.ORG, please", "see http please"),
        ("at www.example.org", "at http"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("awful 😡😡 😡", "awful  angry "),
        ("thank you ❤️", "thank you  love "),
        ("nice 👍🏽", "nice  thumbs up "),
        ("a\0b\ud800c", "a b c"),
        ("\u202eevil\u202c", "evil"),
        ("", ""),
    ],
)
def test_text_is_read_in_the_form_of_the_training_rows(text: str, read: str) -> None:
    assert mask(text) == read


def test_masking_twice_changes_nothing() -> None:
    text = "@a look at https://example.org 😡 and 😂 &amp; go"
    assert mask(mask(text)) == mask(text)


def test_emoji_that_people_use_both_ways_stay_as_they_are() -> None:
    assert mask("so good 😭🔥") == "so good 😭🔥"


def test_a_text_within_bounds_is_read_whole() -> None:
    text = "x" * (HEAD + TAIL)
    assert cut(text) is text


def test_a_longer_text_is_read_from_both_ends() -> None:
    found = cut("a" * HEAD + "b" * 1_000_000 + "c" * TAIL)
    assert found == "a" * HEAD + "\n" + "c" * TAIL


def test_clean_keeps_names_and_links() -> None:
    assert clean("@a &gt; https://example.org") == "@a > https://example.org"
