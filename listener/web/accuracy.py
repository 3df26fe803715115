"""How often labels were right where a colleague looked, by brand, and what corrections taught: the figures as JSON.

The page `/trends` shows the same (`_accuracy.html`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from listener.casework import Standing
from listener.core.head import Figures
from listener.web.auth import MayRead
from listener.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadJson:
    """What corrections taught about a brand. `used` is false when it belongs to another scorer; the figures are of
    the time when it was made: on corrections that were held back from it, and on standard rows, before and after."""

    version: int
    name: str
    used: bool
    made_at: datetime
    made_by: str
    held_before: Figures
    held_after: Figures
    standard_before: Figures
    standard_after: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyJson:
    """Of `looked` labels that colleagues looked at, `right` were right as judged; `confident` of them were sure, of
    which `confident_right` were right. `taught` further ones were judged by a head that had learnt from them."""

    brand: str
    looked: int
    right: int
    confident: int
    confident_right: int
    taught: int
    head: HeadJson | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuraciesJson:
    """Every brand of which a colleague settled a label."""

    brands: list[AccuracyJson]


def add_accuracy(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/accuracy`."""

    @web.get("/api/v1/accuracy")
    def accuracy(by: MayRead) -> AccuraciesJson:
        return AccuraciesJson(brands=[_json(brand, each) for brand, each in desk.teaching.standing().items()])


def _json(brand: str, found: Standing) -> AccuracyJson:
    of, head = found.accuracy, found.head
    return AccuracyJson(
        brand=brand,
        looked=of.looked if of else 0,
        right=of.right if of else 0,
        confident=of.confident if of else 0,
        confident_right=of.confident_right if of else 0,
        taught=of.taught if of else 0,
        head=None
        if head is None
        else HeadJson(
            version=head.version, name=head.name, used=found.used, made_at=head.made_at, made_by=head.made_by,
            held_before=head.measured.held_before, held_after=head.measured.held_after,
            standard_before=head.measured.standard_before, standard_after=head.measured.standard_after,
        ),
    )  # fmt: skip
