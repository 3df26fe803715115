"""The marketer's page: volume and sentiment by brand, day by day, and what people speak of.

Sums and geometry are pure; the templates draw.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from listener.core.sentiment import LABELS, Label
from listener.core.trend import Bucket
from listener.web.auth import MayRead
from listener.web.pages import Pages

Touched = Mapping[tuple[str, str, Label], int]
"""Mentions by brand, topic and label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """Mentions counted by sentiment; `unsure` of them want a person's eye and are part of the three."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0
    unsure: int = 0

    @property
    def n(self) -> int:
        """All of them."""
        return self.negative + self.neutral + self.positive

    def share(self, label: Label) -> float:
        """The part of a label, 0..1; 0 for no mentions."""
        part: int = getattr(self, label)
        return part / self.n if self.n else 0.0

    @property
    def score(self) -> float:
        """Mood between -1 and 1: the positive share less the negative one."""
        return self.share("positive") - self.share("negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stacked bar: for each label its upper edge and height, in per cent of the chart's height."""

    day: date
    mood: Mood
    blocks: tuple[tuple[Label, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandTrend:
    """One brand over a span: its days, its total, the span before, and where it was said.

    Args:
        brand: the brand.
        top: the round number at the top of the chart.
        bars: a bar a day, oldest first, days without mentions included.
        total: the span.
        before: the span of the same length before it.
        sources: by source, the most mentions first.
        topics: by topic of the operator's, the most mentions first.
    """

    brand: str
    top: int
    bars: tuple[Bar, ...]
    total: Mood
    before: Mood
    sources: tuple[tuple[str, Mood], ...]
    topics: tuple[tuple[str, Mood], ...] = ()


def mood(buckets: Iterable[Bucket]) -> Mood:
    """Add buckets up."""
    n: Counter[str] = Counter()
    for bucket in buckets:
        n[bucket.label] += bucket.n
        n["unsure"] += bucket.unsure
    return Mood(negative=n["negative"], neutral=n["neutral"], positive=n["positive"], unsure=n["unsure"])


def round_up(n: int) -> int:
    """The next number that halves well, for the top of a chart: 2, 4, 6, 8, 10, 20, 40, 60 ..."""
    size = 1
    while True:
        for step in (2, 4, 6, 8, 10):
            if n <= step * size:
                return step * size
        size *= 10


def bar(day: date, found: Mood, top: int) -> Bar:
    """Stack a day's moods, the negative ones at the bottom, where their heights compare."""
    blocks: list[tuple[Label, float, float]] = []
    edge = 100.0
    for label in LABELS:
        height = 100.0 * found.share(label) * found.n / top
        edge -= height
        blocks.append((label, round(edge, 3), round(height, 3)))
    return Bar(day=day, mood=found, blocks=tuple(blocks))


def topics_of(brand: str, touched: Touched) -> tuple[tuple[str, Mood], ...]:
    """What is said about a brand, by topic, the most mentions first."""
    names = {topic for of, topic, _ in touched if of == brand}
    found = [(topic, Mood(**{label: touched.get((brand, topic, label), 0) for label in LABELS})) for topic in names]
    return tuple(sorted(found, key=lambda pair: (-pair[1].n, pair[0])))


def brand_trend(
    brand: str, buckets: Sequence[Bucket], days: Sequence[date], touched: Touched = MappingProxyType({})
) -> BrandTrend:
    """One brand's figures; buckets before the first day are the span it is compared with."""
    by_day: Mapping[date, list[Bucket]] = _grouped(buckets)
    moods = [mood(by_day.get(day, ())) for day in days]
    within = [bucket for bucket in buckets if bucket.hour.date() >= days[0]]
    by_source: defaultdict[str, list[Bucket]] = defaultdict(list)
    for bucket in within:
        by_source[bucket.source].append(bucket)
    top = round_up(max(found.n for found in moods))
    return BrandTrend(
        brand=brand,
        top=top,
        bars=tuple(bar(day, found, top) for day, found in zip(days, moods, strict=True)),
        total=mood(within),
        before=mood(bucket for bucket in buckets if bucket.hour.date() < days[0]),
        sources=tuple(
            sorted(((name, mood(found)) for name, found in by_source.items()), key=lambda pair: (-pair[1].n, pair[0]))
        ),
        topics=topics_of(brand, touched),
    )


def _grouped(buckets: Sequence[Bucket]) -> Mapping[date, list[Bucket]]:
    by_day: defaultdict[date, list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        by_day[bucket.hour.date()].append(bucket)
    return by_day


def trends_of(
    buckets: Sequence[Bucket], days: Sequence[date], touched: Touched = MappingProxyType({})
) -> tuple[BrandTrend, ...]:
    """Every brand's figures, the most talked about first."""
    by_brand: defaultdict[str, list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        by_brand[bucket.brand].append(bucket)
    found = [brand_trend(brand, of_brand, days, touched) for brand, of_brand in by_brand.items()]
    return tuple(sorted(found, key=lambda trend: (-trend.total.n, trend.brand)))


def add_trends(web: FastAPI, pages: Pages) -> None:
    """Serve `/trends`."""
    desk = pages.desk

    @web.get("/trends", include_in_schema=False)
    def trends(by: MayRead, days: Literal["7", "14", "30"] = "14", brand: str = "") -> HTMLResponse:
        today = desk.clock().astimezone(UTC).date()
        span = [today - timedelta(days=back) for back in reversed(range(int(days)))]
        midnight = datetime(span[0].year, span[0].month, span[0].day, tzinfo=UTC)
        buckets = desk.store.trends.buckets(midnight - timedelta(days=len(span)), midnight + timedelta(days=len(span)))
        again = desk.store.rescores.marked(midnight, midnight + timedelta(days=len(span)))
        found = trends_of(buckets, span, desk.store.trends.topics(midnight, midnight + timedelta(days=len(span))))
        return pages.show(
            "trends.html", by=by, trends=[trend for trend in found if brand in {"", trend.brand}], days=len(span),
            first=span[0], today=today, brand=brand, brands=sorted(trend.brand for trend in found if trend.total.n),
            again=again, checks=desk.teaching.standing(),
        )  # fmt: skip
