"""How long a server asks us to wait, as it writes it in its headers. Called by `client.py` and by sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 86_400.0
"""Seconds: a server that asks for more than a day is asked again after a day."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asks us to wait, from `Retry-After` as seconds or as a date; None when it does not.

    A date is compared with the server's own `Date`, since our clock and theirs may differ.

    Args:
        headers: of the answer, names in lower case.
        now: our moment, used when the server sends no date.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return min(float(value), LONGEST_WAIT)
    return _until(http_date(value), headers, now)


def until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until `X-RateLimit-Reset` or `RateLimit-Reset`, where it names a moment; None for seconds counted there.

    Mastodon writes an ISO time, X, GitHub and Bluesky seconds since 1970. It stands on every answer, so it is of use
    only where nothing is left.

    Args:
        headers: of the answer, names in lower case.
        now: our moment, used when the server sends no date.
    """
    value = (headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset", "")).strip()
    try:
        moment = datetime.fromtimestamp(int(value), UTC) if re.fullmatch(r"\d{10}", value) else _iso_time(value)
    except (ValueError, OverflowError):
        return None
    return _until(moment, headers, now)


def http_date(value: str) -> datetime | None:
    """The moment an HTTP header names, as aware UTC; None when it names none."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _until(moment: datetime | None, headers: Mapping[str, str], now: datetime) -> float | None:
    if moment is None:
        return None
    seconds = (moment - (http_date(headers.get("date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _iso_time(value: str) -> datetime | None:
    """The moment of an ISO time with its zone; raises ValueError for what is none."""
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else None
