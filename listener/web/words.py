"""Figures and times in words, for the templates: every filter and test the pages use. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from listener.core.mention import web_address
from listener.core.remedy_terms import money
from listener.core.trail import Trail
from listener.pipeline.parts import words_of

STEPS = (
    (timedelta(minutes=1), timedelta(seconds=1), "s"),
    (timedelta(hours=1), timedelta(minutes=1), "min"),
    (timedelta(days=1), timedelta(hours=1), "h"),
    (timedelta(days=14), timedelta(days=1), "d"),
)

SLIGHT = 0.02
"""Words that weigh less are not marked."""
STRETCH = 400
"""Most characters that are shown between two marked words."""


def ago(moment: datetime, now: datetime) -> str:
    """A time as people say it: "12 min ago", "in 3 h", "2 Nov 2026" beyond two weeks."""
    span = abs(now - moment)
    if span < timedelta(seconds=5):
        return "now"
    for below, unit, name in STEPS:
        if span < below:
            n = f"{span // unit} {name}"
            return f"in {n}" if moment > now else f"{n} ago"
    return f"{moment.day} {moment:%b %Y}"


def stamp(moment: datetime, now: datetime) -> str:
    """A time in a history: "14:05" today, "7 Nov, 14:05" in other days, with the year in other years; in UTC."""
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}, {moment:%H:%M}"


def absolute(moment: datetime) -> str:
    """A time in full, in UTC, as in "Sat 21 Nov 2026, 14:05:09 UTC"."""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M:%S} UTC"


def span(length: timedelta) -> str:
    """A length of time in words, as in "2 days" or "90 minutes"."""
    minutes = round(length.total_seconds() / 60)
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            return counted(minutes // size, name)
    return counted(round(length.total_seconds()), "second")


def lasted(length: timedelta) -> str:
    """How long something took, roughly: "40 s", "12 min", "3 h", "5 d"."""
    for below, unit, name in STEPS:
        if length < below:
            return f"{max(0, length // unit)} {name}"
    return f"{length // timedelta(days=1)} d"


def number(n: int) -> str:
    """A whole number with groups of three."""
    return f"{n:,}"


def counted(n: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 case", "12 cases"."""
    return f"{number(n)} {noun if n == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """A share in per cent that never claims certainty: "94 %", "> 99 %", "< 1 %"."""
    if 0.99 < share < 1:
        return "> 99 %"
    if 0 < share < 0.01:
        return "< 1 %"
    return f"{round(share * 100)} %"


def signed(score: float) -> str:
    """A mood between -1 and 1 with its sign, as in "+0.42"; a true minus, so that columns line up."""
    return "0.00" if abs(score) < 0.005 else f"{score:+.2f}".replace("-", "−")


def stars(rating: float) -> str:
    """Filled and empty stars of five."""
    full = round(1 + 4 * rating)
    return "★" * full + "☆" * (5 - full)


def star_words(rating: float) -> str:
    """A rating in words, as in "2 of 5 stars"."""
    return f"{1 + 4 * rating:.3g} of 5 stars"


def parts(text: str, words: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Cut a text at the words that matched.

    Args:
        text: what the post says.
        words: the very words that matched.

    Yields:
        Each piece, and whether it is one of the words.
    """
    wanted = sorted({word for word in words if word}, key=len, reverse=True)
    if not wanted:
        yield text, False
        return
    pattern = "|".join(re.escape(word) for word in wanted)
    for n, piece in enumerate(re.split(rf"(?<!\w)({pattern})(?!\w)", text, flags=re.IGNORECASE)):
        if piece:
            yield piece, n % 2 == 1


def link(url: str | None) -> str | None:
    """The address if a browser may be sent there (http or https), else None: checked again at the last moment."""
    return web_address(url)


def site(url: str) -> str:
    """The host of an address, shown beside a link so that nobody is sent anywhere unawares."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def lapse(milliseconds: int) -> str:
    """How long a try took: "213 ms", "4.0 s"."""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def carriers(trail: Trail) -> tuple[tuple[str, int], ...]:
    """The words that carried a verdict most, three at most, with their weights in points of a hundred."""
    if trail.weighing is None:
        return ()
    text = words_of(trail.mention.post)
    heavy = [word for word in trail.weighing.telling if word.weight >= SLIGHT][:3]
    return tuple((text[word.start : word.end][:60], round(100 * word.weight)) for word in heavy)


def weighed(trail: Trail) -> Iterator[tuple[str, str]]:
    """Cut a mention's text at the words that were weighed.

    Yields:
        Each piece with how much it carried: "much", "some" or "little", "against" where it speaks for another label,
        empty where it says nothing; long stretches of these are cut in the middle.
    """
    text, done = words_of(trail.mention.post), 0
    words = trail.weighing.words if trail.weighing else ()
    most = max((abs(word.weight) for word in words), default=0.0)
    for word in words:
        strength = _strength(word.weight, most)
        if strength and word.end <= len(text):
            yield _cut(text[done : word.start]), ""
            yield text[word.start : word.end], strength
            done = word.end
    yield _cut(text[done:]), ""


def _cut(stretch: str) -> str:
    half = STRETCH // 2
    return stretch if len(stretch) <= STRETCH else f"{stretch[:half]} … {stretch[-half:]}"


def _strength(weight: float, most: float) -> str:
    if abs(weight) < SLIGHT or abs(weight) < 0.1 * most:
        return ""
    if weight < 0:
        return "against"
    return "much" if weight >= 0.6 * most else "some" if weight >= 0.3 * most else "little"


FILTERS = {
    function.__name__: function
    for function in (
        absolute, ago, carriers, counted, lapse, lasted, link, money, number, parts, percent, signed, site, span, stamp,
        star_words, stars, weighed,
    )
}  # fmt: skip
