"""Counts of mentions over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from listener.core.sentiment import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How many mentions of a brand from a source had one label in one hour; `unsure` of them want a person's eye."""

    hour: datetime
    brand: str
    source: str
    label: Label
    n: int
    unsure: int
