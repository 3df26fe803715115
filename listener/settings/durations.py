"""Durations as people write them: "30s", "15m", "1h30m", "7d". Read by settings, written by the printed defaults."""

from __future__ import annotations

import re
from datetime import timedelta

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = r"(\d{1,9}(?:\.\d{1,6})?)(ms|[smhdw])"
_WHOLE = re.compile(rf"(?:{_PART}\s*)+", re.ASCII)
_EACH = re.compile(_PART, re.ASCII)
_MOST = 10 * 365 * 86400.0


def duration(text: object) -> timedelta:
    """Read a duration such as "15m", "1h30m" or "0s".

    Raises:
        ValueError: it is not text, has no unit, or is longer than ten years.
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str):
        raise ValueError('a duration is text with a unit, such as "30s", "15m", "48h" or "7d"')
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f'{text[:40]!r} is not a duration: write "30s", "15m", "48h", "7d" or "1h30m"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _EACH.findall(text))
    if seconds > _MOST:
        raise ValueError(f"{text[:40]!r} is longer than ten years")
    return timedelta(seconds=seconds)


def duration_text(span: timedelta) -> str:
    """Write a duration so that `duration()` reads it back; whole milliseconds are kept."""
    left = round(span.total_seconds() * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, round(_SECONDS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    if parts and parts[0] in {"1d", "2d"}:  # "48h" reads better than "2d" beside clocks, and so people write it
        hours = 24 * int(parts[0][0]) + (int(parts.pop(1)[:-1]) if len(parts) > 1 and parts[1].endswith("h") else 0)
        parts[0] = f"{hours}h"
    return "".join(parts) or "0s"
