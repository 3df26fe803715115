"""Figures and times in words, and the sums behind the charts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from listener.core.sentiment import Label
from listener.core.trend import Bucket
from listener.web import words
from listener.web.trends import Mood, bar, brand_trend, round_up, trends_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(seconds=2), "now"), (timedelta(seconds=40), "40 s ago"), (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"), (timedelta(hours=23), "23 h ago"),
        (timedelta(days=13), "13 d ago"), (timedelta(days=19), "2 Nov 2026"), (timedelta(seconds=-90), "in 1 min"),
    ],
)  # fmt: skip
def test_times_are_told_as_people_say_them(back: timedelta, said: str) -> None:
    assert words.ago(NOW - back, NOW) == said


def test_a_moment_in_a_history_is_short_and_complete() -> None:
    assert words.stamp(NOW - timedelta(hours=2), NOW) == "10:00"
    assert words.stamp(NOW - timedelta(days=2), NOW) == "19 Nov, 12:00"
    assert words.stamp(NOW - timedelta(days=400), NOW) == "17 Oct 2025, 12:00"


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.004, "< 1 %"), (0.5, "50 %"), (0.944, "94 %"), (0.996, "> 99 %"), (1, "100 %")]
)
def test_no_share_claims_more_than_it_is(share: float, said: str) -> None:
    assert words.percent(share) == said


def test_a_mood_has_its_sign() -> None:
    assert [words.signed(score) for score in (0.42, -0.5, 0.001, -0.001)] == ["+0.42", "−0.50", "0.00", "0.00"]


def test_stars_are_five() -> None:
    assert [words.stars(rating) for rating in (0, 0.25, 1)] == ["★☆☆☆☆", "★★☆☆☆", "★★★★★"]
    assert words.star_words(0.5) == "3 of 5 stars"


@pytest.mark.parametrize(
    ("length", "said"),
    [(timedelta(hours=48), "2 days"), (timedelta(minutes=90), "90 minutes"), (timedelta(hours=1), "1 hour"),
     (timedelta(seconds=30), "30 seconds")],
)  # fmt: skip
def test_lengths_of_time_use_the_unit_that_fits(length: timedelta, said: str) -> None:
    assert words.span(length) == said


def test_matched_words_are_cut_out_whole_and_in_any_case() -> None:
    pieces = list(words.parts("ACME, acme's and acmex: Acme Stove", ["acme", "Acme Stove", ""]))
    assert [piece for piece, hit in pieces if hit] == ["ACME", "acme", "Acme Stove"]
    assert "".join(piece for piece, _ in pieces) == "ACME, acme's and acmex: Acme Stove"


def test_without_words_the_text_stays_whole() -> None:
    assert list(words.parts("a (b) [c] .*", [])) == [("a (b) [c] .*", False)]
    assert [piece for piece, hit in words.parts("a (b) .* c", [".*", "(b)"]) if hit] == ["(b)", ".*"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "https://a b", "//x", "ftp://x", "", None, 'https://x"y']
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert words.link(url) is None


def test_the_host_of_a_link_is_shown() -> None:
    assert words.site("https://user@evil.example:1/paypal.com") == "evil.example"
    assert words.site("https://[broken") == "https://[broken"


@pytest.mark.parametrize(
    ("n", "top"), [(0, 2), (1, 2), (3, 4), (9, 10), (11, 20), (64, 80), (81, 100), (101, 200), (4001, 6000)]
)
def test_charts_end_at_a_number_that_halves(n: int, top: int) -> None:
    assert round_up(n) == top


def bucket(day: int, label: Label, n: int, unsure: int = 0, source: str = "x", brand: str = "Acme") -> Bucket:
    hour = datetime(2026, 11, day, 7, tzinfo=UTC)
    return Bucket(hour=hour, brand=brand, source=source, label=label, n=n, unsure=unsure)


DAYS = [date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)]


def test_a_bar_is_stacked_with_the_negative_at_the_bottom() -> None:
    made = bar(DAYS[0], Mood(negative=3, neutral=2, positive=5), 20)
    assert made.blocks == (("negative", 85.0, 15.0), ("neutral", 75.0, 10.0), ("positive", 50.0, 25.0))


def test_a_brand_is_summed_by_day_and_source_and_compared() -> None:
    buckets = [
        bucket(17, "neutral", 4), bucket(19, "negative", 3, unsure=1), bucket(21, "positive", 5, source="feed"),
        bucket(21, "negative", 2),
    ]  # fmt: skip
    trend = brand_trend("Acme", buckets, DAYS)
    assert trend.total == Mood(negative=5, positive=5, unsure=1)
    assert trend.before == Mood(neutral=4)
    assert [each.mood.n for each in trend.bars] == [3, 0, 7]
    assert [(source, found.n) for source, found in trend.sources] == [("feed", 5), ("x", 5)]
    assert trend.total.score == 0
    assert Mood().score == 0


def test_the_brand_most_talked_about_comes_first() -> None:
    buckets = [bucket(20, "neutral", 1, brand="Acme"), bucket(20, "neutral", 9, brand="Globex")]
    assert [trend.brand for trend in trends_of(buckets, DAYS)] == ["Globex", "Acme"]
