"""Which brands a post is about: whole words in any script, phrases, exclusions, places."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.query import Match, Matchbook, Place, Query
from listener.testing import make_post

SHOP = Place(name="shop", source="fake")


def found(text: str, *terms: str, exclude: tuple[str, ...] = (), title: str = "") -> tuple[str, ...] | None:
    """The words that matched, or None."""
    book = Matchbook([Query(name="q", brand="B", terms=terms, exclude=exclude)])
    matches = book.mentions(make_post("1", text or " ", title=title), SHOP)
    return matches[0].words if matches else None


@pytest.mark.parametrize(
    ("text", "term", "words"),
    [
        ("I love Acme.", "acme", ("Acme",)),
        ("ACME and acme", "Acme", ("ACME", "acme")),
        ("acme acme", "acme", ("acme",)),
        ("(acme)", "acme", ("acme",)),
        ("acme's parcel", "acme", ("acme",)),
        ("acme-shop", "acme", ("acme",)),
        ("#acme @acme", "acme", ("acme",)),
        ("acmes", "acme", None),
        ("bacme", "acme", None),
        ("acme2", "acme", None),
        ("the acme  shop", "acme shop", ("acme shop",)),
        ("the acme\nshop", " acme   shop ", ("acme shop",)),
        ("the acme, shop", "acme shop", None),
        # Terms that begin or end with what is no letter.
        ("I write C++ daily", "C++", ("C++",)),
        ("C++, mostly", "C++", ("C++",)),
        ("ends with C++", "C++", ("C++",)),
        ("ABC++", "C++", None),
        ("thanks @acme!", "@acme", ("@acme",)),
        ("write to mail@acme.example", "@acme", None),
        ("#acmefail", "#acme", None),
        ("AT&T is down", "AT&T", ("AT&T",)),
        ("Yahoo! said", "Yahoo!", ("Yahoo!",)),
        # What means something in a pattern means itself in a term.
        ("a.me", "a.me", ("a.me",)),
        ("acme", "a.me", None),
        ("what (a|b)* is", "(a|b)*", ("(a|b)*",)),
        (r"path \d+", r"\d+", (r"\d+",)),
        ("123", r"\d+", None),
        ("[x]", "[x]", ("[x]",)),
        # Other scripts.
        ("Ich mag Überall sehr", "überall", ("Überall",)),
        ("Мне нравится Акме!", "акме", ("Акме",)),
        ("Акмеизм", "акме", None),
        ("アクメのサービスは最悪", "アクメ", ("アクメ",)),
        ("昨日Acmeで買った", "acme", ("Acme",)),
        ("楽天市場で買った", "楽天", ("楽天",)),
        ("애크미는 별로", "애크미", ("애크미",)),
        ("ฉันเกลียดแอคมีมาก", "แอคมี", ("แอคมี",)),
        ("昨日Acmesで買った", "acme", None),
    ],
)
def test_terms_are_whole_words(text: str, term: str, words: tuple[str, ...] | None) -> None:
    assert found(text, term) == words


def test_a_term_typed_with_loose_accents_finds_the_usual_spelling() -> None:
    assert found("Café Noir", unicodedata.normalize("NFD", "Café Noir")) == ("Café Noir",)


def test_the_longer_of_two_terms_is_shown() -> None:
    assert found("acme shop", "acme", "acme shop") == ("acme shop",)


@pytest.mark.parametrize("terms", [(), ("",), ("  ",)])
def test_a_query_without_terms_finds_nothing(terms: tuple[str, ...]) -> None:
    assert found("anything at all", *terms) is None


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("acme rocks", True),
        ("acme climbing gear", False),
        ("Climbing  Gear, acme", False),
        ("climbing at acme", True),
    ],
)
def test_exclusions_take_the_match_back(text: str, matches: bool) -> None:
    assert (found(text, "acme", exclude=("climbing gear",)) is not None) == matches


def test_the_title_is_searched_too() -> None:
    assert found("was late", "acme", title="My Acme parcel") == ("Acme",)
    assert found("gear", "acme", title="acme climbing", exclude=("climbing gear",)) is None


def test_a_query_listens_to_its_places_only() -> None:
    here = Query(name="here", brand="A", terms=("acme",), places=("shop",))
    there = Query(name="there", brand="B", terms=("acme",), places=("street",))
    book = Matchbook([here, there])
    assert book.needs(SHOP) == (here,)
    assert [match.brand for match in book.mentions(make_post("1", "acme"), SHOP)] == ["A"]


def test_several_queries_of_a_brand_make_one_match() -> None:
    book = Matchbook(
        [
            Query(name="one", brand="A", terms=("acme",)),
            Query(name="two", brand="B", terms=("bolt",)),
            Query(name="three", brand="A", terms=("acme", "rocket")),
        ]
    )
    assert book.mentions(make_post("1", "acme rocket bolt"), SHOP) == (
        Match(brand="A", queries=("one", "three"), words=("acme", "rocket")),
        Match(brand="B", queries=("two",), words=("bolt",)),
    )


def test_every_post_of_a_brands_own_place_is_about_it() -> None:
    book = Matchbook([Query(name="q", brand="B", terms=("bolt",))])
    own = Place(name="reviews", source="fake", brand="A")
    assert book.mentions(make_post("1", "no word of it"), own) == (Match(brand="A", queries=(), words=()),)
    assert [m.brand for m in book.mentions(make_post("1", "bolt"), own)] == ["A", "B"]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("\U00010400cme", "\U00010428CME"),
        ("ſtraße", "Straße"),
        ("Kelvin", "\u212aelvin"),
        ("-acme", "-Acme"),
        ("]x", "]X"),
    ],
)
def test_either_case_of_a_first_letter_is_found(term: str, text: str) -> None:
    assert found(f"so {text} it is", term, "other", "^x") is not None
    assert found(f"so {text} it is", term) is not None


TERMS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)


@given(TERMS)
def test_any_term_finds_itself_between_blanks(term: str) -> None:
    assert found(f"so {unicodedata.normalize('NFC', term)} it is", term) is not None


@given(TERMS, st.text(max_size=40))
def test_no_term_and_no_text_fail(term: str, text: str) -> None:
    found(text, term, exclude=(term[::-1],))
