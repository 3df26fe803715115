"""Which words of a post speak about which brand: clauses, and patterns of leaving, advising and comparing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.clauses import BRANDS, UNCLEAR, Reading, readings
from listener.core.sentiment import towards
from listener.core.stances import Stance
from listener.testing import verdict

TWO = {"Acme": ("Acme",), "Northwind": ("Northwind",)}
GOOD, BAD, PLAIN = verdict(0.02, 0.03, 0.95), verdict(0.95, 0.03, 0.02), verdict(0.05, 0.9, 0.05)


def read(text: str) -> dict[str, tuple[Stance | None, str]]:
    """Stance and text for each brand that is read apart."""
    return {brand: (reading.stance, reading.text) for brand, reading in readings(text, TWO).items()}


@pytest.mark.parametrize(
    ("text", "acme", "northwind"),
    [
        ("left Acme for Northwind, so glad", ("left", ""), ("chosen", "Northwind, so glad.")),
        ("Switched from Acme to Northwind. Bliss!", ("left", ""), ("chosen", "Bliss!")),
        ("I came to Northwind from Acme, happy now", ("left", ""), ("chosen", "Northwind, happy now.")),
        ("Northwind won me over from Acme", ("left", ""), ("advised", "Northwind won me over from Acme.")),
        ("Northwind is better than Acme", ("opposite", "Northwind is better."), (None, "Northwind is better.")),
        (
            "Northwind is better than Acme, love it",
            ("opposite", "Northwind is better."),
            (None, "Northwind is better. love it."),
        ),
        ("Acme is even worse than Northwind", (None, "Acme is even worse."), (None, "Acme is even worse.")),
        ("Acme is not as good as Northwind", (None, "Acme is not as good."), ("opposite", "Acme is not as good.")),
        ("Acme is as good as Northwind, truly", (None, "Acme is as good. truly."), (None, "Acme is as good.")),
        (
            "Northwind beats Acme hands down",
            ("opposite", "Northwind is better. hands down."),
            ("advised", "Northwind is better. hands down."),
        ),
        ("Unlike Acme, Northwind cares", ("opposite", "Northwind cares."), (None, "Northwind cares.")),
        ("I prefer Northwind to Acme", ("shunned", ""), ("advised", "")),
        ("Northwind instead of Acme rubbish", ("shunned", "rubbish."), ("advised", "")),
        ("Buy Northwind instead of Acme, please", ("shunned", ""), ("advised", "please.")),
        ("Why can't Acme be like Northwind?", ("shunned", ""), ("advised", "")),
        ("If you are tired of Acme, try Northwind", ("shunned", ""), ("advised", "")),
        ("Avoid Acme. Go with Northwind.", ("shunned", "Avoid Acme."), ("advised", "Go with Northwind.")),
        ("Acme fails because Northwind fails", ("excused", "Acme fails."), (None, "Northwind fails.")),
        (
            "I bought a Northwind at Acme and it broke",
            ("passing", "I bought a Northwind at Acme and it broke."),
            (None, "I bought a Northwind at Acme and it broke."),
        ),
        ("Acme is a joy. Does Northwind deliver?", (None, "Acme is a joy."), ("asked", "Does Northwind deliver?")),
        (
            "Acme is fine - really fine - but Northwind is late",
            (None, "Acme is fine, really fine."),
            (None, "Northwind is late."),
        ),
        ("Acme was great but Northwind is late", (None, "Acme was great."), (None, "Northwind is late.")),
        (
            "Acme was great. Can't say the same of Northwind.",
            (None, "Acme was great."),
            ("opposite", "Acme was great."),
        ),
        (
            "Acme is fine, Northwind is fine, both are cheap",
            (None, "Acme is fine. both are cheap."),
            (None, "Northwind is fine. both are cheap."),
        ),
        (
            "Lovely people. Acme came early. They stayed for hours. Northwind never came.",
            (None, "Acme came early. They stayed for hours."),
            (None, "Northwind never came."),
        ),
    ],
)
def test_each_brand_gets_its_own_words(
    text: str, acme: tuple[Stance | None, str], northwind: tuple[Stance | None, str]
) -> None:
    assert read(text) == {"Acme": acme, "Northwind": northwind}


@pytest.mark.parametrize(
    "text",
    [
        "Acme and Northwind are both wonderful",
        "sort it out @acme @northwind",
        "nothing works #acme #northwind",
        "Nobody is named here.",
        "Only Acme is named.",
        "Stayed with Acme and then with Northwind, loved it",
        "Which is better, Acme or Northwind?",
        "",
    ],
)
def test_brands_named_side_by_side_share_the_mood_of_the_post(text: str) -> None:
    assert read(text) == {}


def test_where_nothing_tells_them_apart_it_says_so() -> None:
    found = readings("Northwind kicked my Acme over the fence", TWO)
    assert found == {"Acme": UNCLEAR, "Northwind": UNCLEAR}
    sentiment = towards(BAD, None, UNCLEAR)
    assert (sentiment.label, sentiment.certainty) == ("negative", "unsure")


def test_one_brand_or_a_list_of_many_is_not_taken_apart() -> None:
    assert readings("Acme is bad", {"Acme": ("Acme",)}) == {}
    many = {f"b{number}": (f"b{number}",) for number in range(BRANDS + 1)}
    assert readings("b0 is bad, b1 is good", many) == {}


def test_a_brand_without_words_of_its_own_gets_the_whole_post() -> None:
    found = readings("It broke. Northwind mended it.", {"Acme": (), "Northwind": ("Northwind",)})
    assert found == {}


def test_without_any_words_nothing_is_found() -> None:
    assert readings("It broke.", {"Acme": (), "Northwind": ()}) == {}


@pytest.mark.parametrize(
    "text", ["A parcel from Acme to Northwind", "Acme and Acme again, then Northwind", "Unlike Acme they care of it"]
)
def test_what_looks_like_a_pattern_is_none(text: str) -> None:
    assert all(reading.stance is None for reading in readings(text, TWO).values())


def test_unlike_somebody_nobody_named_here() -> None:
    assert read("Northwind cares. Unlike Acme, they said.")["Acme"][0] is None


def test_a_question_without_a_pattern_is_no_switch() -> None:
    assert read("Has anyone moved from Acme to Northwind?") == {"Acme": (None, ""), "Northwind": (None, "")}


@pytest.mark.parametrize(
    ("stance", "part", "label", "certainty"),
    [
        (None, GOOD, "positive", "confident"),
        (None, PLAIN, "neutral", "unsure"),
        ("left", None, "negative", "unsure"),
        ("left", BAD, "negative", "confident"),
        ("chosen", GOOD, "positive", "confident"),
        ("chosen", BAD, "negative", "confident"),
        ("shunned", GOOD, "negative", "unsure"),
        ("advised", PLAIN, "positive", "unsure"),
        ("opposite", GOOD, "negative", "unsure"),
        ("passing", BAD, "neutral", "unsure"),
        ("asked", BAD, "neutral", "unsure"),
    ],
)
def test_words_and_stance_say_together_what_is_meant(
    stance: Stance | None, part: object, label: str, certainty: str
) -> None:
    found = towards(BAD, None, Reading(text="x" if part else "", stance=stance), part)  # type: ignore[arg-type]
    assert (found.label, found.certainty) == (label, certainty)


def test_stars_of_ones_own_temper_ones_own_words() -> None:
    found = towards(BAD, 1.0, Reading(text="x"), GOOD)
    assert found.score > towards(BAD, 0.0, Reading(text="x"), GOOD).score


@given(st.text(max_size=300), st.text(max_size=20))
def test_no_text_breaks_it(text: str, word: str) -> None:
    for reading in readings(f"{text} Acme {word} Northwind {text}", {**TWO, "third": (word,)}).values():
        assert not any("\ue000" <= character <= "\ue005" for character in reading.text)


@pytest.mark.parametrize("text", ["Acme Northwind " * 5000, "Acme " + "a, " * 9000 + "Northwind", "left " * 9000])
def test_a_long_text_takes_no_time(text: str) -> None:
    started = time.perf_counter()
    readings(f"Northwind {text}", TWO)
    assert time.perf_counter() - started < 2


def test_a_mood_that_is_said_of_several_brands_alike_is_unsure_for_the_one_without_words_of_its_own() -> None:
    found = readings("I love Acme. Acme and Northwind were a disaster on Monday.", TWO)["Northwind"]
    assert (found.text, found.clear) == ("Acme and Northwind were a disaster on Monday.", False)
    assert towards(BAD, None, found, BAD).certainty == "unsure"
    assert towards(PLAIN, None, found, PLAIN).certainty == "confident"
