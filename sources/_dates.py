"""Reads dates as people and exports write them; pure, called by `sources._cells` and `sources.replay`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FORMATS = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%a %b %d %H:%M:%S %z %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip


def moment(written: str, date_format: str = "") -> datetime | None:
    """A written date as aware UTC, one without a zone taken as UTC; None for an empty one.

    Args:
        written: ISO 8601, seconds or milliseconds since 1970, a mail header's date, or one of a few usual forms.
        date_format: the only `strptime` format to try.

    Raises:
        ValueError: it is not understood.
    """
    if not written:
        return None
    try:
        found = _as(written, date_format) if date_format else _guessed(written)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"the date {written[:40]!r} is not understood: set date_format") from None


def _as(written: str, pattern: str) -> datetime:
    return datetime.strptime(written, pattern)  # noqa: DTZ007 moment() adds the zone


def _guessed(written: str) -> datetime:
    if re.fullmatch(r"\d{9,10}(\.\d+)?", written):
        return datetime.fromtimestamp(float(written), UTC)
    if re.fullmatch(r"\d{12,13}", written):
        return datetime.fromtimestamp(int(written) / 1000, UTC)
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        pass
    for pattern in _FORMATS:
        try:
            return _as(written, pattern)
        except ValueError:
            continue
    return parsedate_to_datetime(written)
