"""What colleagues teach about one brand: a light head that moves the scorer's probabilities, and when it may.

The numbers of a head are fitted and applied in `listener/fitting.py`; here are the nouns and the pure decisions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from listener.core.sentiment import LABELS, Label, Probabilities, Verdict

ENOUGH = 40
"""Fewer corrections teach nothing that holds for others."""
OF_TWO = 8
"""So many of each of two labels at least."""
TOLERANCE = 0.01
"""What the standard rows may lose: one point."""
BY_CHANCE = 2.0
"""Standard errors that the macro recall must gain: of forty heads that learnt nothing, one gains so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A text that a colleague labelled, with what the scorer read in it.

    Args:
        key: names the text, so that the same words count once and order plays no part.
        label: what the colleague said.
        verdict: what the scorer read; its embedding is known.
    """

    key: str
    label: Label
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """A brand's corrections as they teach one scorer's head.

    Args:
        lessons: each text once, by its newest correction.
        unread: corrections of texts that this scorer did not read, or found no meaning in; they teach nothing.
    """

    lessons: tuple[Lesson, ...]
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How good labels are on some rows; shares 0..1.

    Args:
        rows: how many.
        macro_recall: mean recall of the labels that occur.
        negative_recall: negatives that were called negative; None without negatives.
        right: labels that are right.
        confident: labels that are confident.
        confident_right: of the confident ones those that are right; None when none is confident.
    """

    rows: int
    macro_recall: float
    negative_recall: float | None
    right: float
    confident: float
    confident_right: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A head beside the scorer alone.

    Args:
        held_before, held_after: on the corrections, each judged by a head that has not seen it.
        standard_before, standard_after: on the standard rows, likewise.
        mended, spoilt: corrections that are right with the head alone, and right with the scorer alone.
        errors: how much the macro recall on the corrections gained, in standard errors.
    """

    held_before: Figures
    held_after: Figures
    standard_before: Figures
    standard_after: Figures
    mended: int
    spoilt: int
    errors: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandHead:
    """What moves a scorer's probabilities for one brand.

    Args:
        brand: whose mentions it moves.
        version: counts up within the brand.
        scorer: name and revision of the scorer it belongs to; with another one it is not used.
        weights: numbers of `listener/fitting.py`, little-endian float32.
        spaces: of the meanings it learnt from, in the order in which its weights speak of them; it moves no verdict
            in another one.
        thresholds: from which probability on the scorer is sure, by language and label; see `thresholds_of()`.
        measured: how good it was when it was made.
        made_at: when.
        made_by: who had it made, in words.
        standing: whether it is the brand's head now.
    """

    brand: str
    version: int
    scorer: str
    weights: bytes
    spaces: tuple[str, ...]
    thresholds: Mapping[str, Mapping[Label, float]]
    measured: Measured
    made_at: datetime
    made_by: str
    standing: bool = True

    @property
    def name(self) -> str:
        """As sentiments name who judged: the scorer, the brand and the version."""
        short = re.sub(r"\W+", "-", self.brand.casefold()).strip("-")[:40] or "brand"
        return f"{self.scorer}+{short}.{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How often a brand's labels were right where a colleague looked.

    Args:
        brand: the brand.
        looked: labels that colleagues settled or corrected.
        right: of these, as it was judged.
        confident: of these, those that were sure.
        confident_right: of the sure ones, as it was judged.
        taught: further ones that were judged again by a head which had learnt from them; they prove nothing.
    """

    brand: str
    looked: int
    right: int
    confident: int
    confident_right: int
    taught: int


class Heads(Protocol):
    """Heads of brands; used by `pipeline/judge.py` and `pipeline/rescore.py`."""

    def standing(self, scorer: str | None = None) -> Mapping[str, BrandHead]:
        """The heads that stand, by brand; only those of one scorer when it is named."""
        ...


def spaces_of(lessons: Sequence[Lesson]) -> tuple[str, ...]:
    """The spaces of meaning in which a head can learn: where a handful of lessons lies, by name."""
    found = Counter(lesson.verdict.space for lesson in lessons)
    return tuple(sorted(space for space, number in found.items() if space is not None and number >= OF_TWO))


def missing(lessons: Sequence[Lesson]) -> str | None:
    """What is missing to teach a head, in words; None when there is enough."""
    found = Counter(lesson.label for lesson in lessons)
    if len(lessons) < ENOUGH:
        return f"{ENOUGH - len(lessons)} more corrections are needed: there are {len(lessons)} of {ENOUGH}"
    second = found.most_common(2)[1][1] if len(found) > 1 else 0
    if second < OF_TWO:
        counted = ", ".join(f"{found[label]} {label}" for label in LABELS)
        return f"two labels need {OF_TWO} corrections each: there are {counted}"
    return None


def worse(measured: Measured) -> str | None:
    """Why a head is refused, in words; None when it is better where it learnt and harms nothing elsewhere."""
    held = _fallen("corrections", measured.held_before, measured.held_after, 0.0)
    standard = _fallen("standard rows", measured.standard_before, measured.standard_after, TOLERANCE)
    if held or standard:
        return held or standard
    if measured.errors < BY_CHANCE:
        return f"chance would do as well: of the corrections it mends {measured.mended} and spoils {measured.spoilt}"
    return None


def gain(changes: Mapping[Label, Sequence[int]]) -> float:
    """How much a macro recall gained, in standard errors.

    Args:
        changes: for each label that occurs, row by row: 1 where only the new labels are right, -1 where only the old
            ones were, else 0.
    """
    total = variance = 0.0
    for rows in changes.values():
        mean = sum(rows) / len(rows)
        total += mean
        # As if one more row had gone each way: nothing is certain from a handful.
        variance += (sum((row - mean) ** 2 for row in rows) + 2) / len(rows) ** 2
    return float(total / variance**0.5) if variance else 0.0


def _fallen(where: str, before: Figures, after: Figures, tolerance: float) -> str | None:
    pairs = (
        ("macro recall", before.macro_recall, after.macro_recall),
        ("negative recall", before.negative_recall, after.negative_recall),
    )
    for what, was, now in pairs:
        if was is not None and now is not None and now < was - tolerance - 1e-9:
            return f"{what} on the {where} falls from {was:.3f} to {now:.3f}"
    return None


def thresholds_of(sure: Iterable[tuple[str | None, Label, float]]) -> dict[str, dict[Label, float]]:
    """From which probability on a scorer is sure, by language and label, as its confident verdicts show.

    Args:
        sure: language, label and confidence of confident verdicts. The lowest is never lower than the scorer's own
            threshold; a language it never was sure in has none.
    """
    lowest: dict[str, dict[Label, float]] = {}
    for language, label, confidence in sure:
        own = lowest.setdefault(language or "", {})
        own[label] = min(confidence, own.get(label, 1.0))
    return lowest


def moved(verdict: Verdict, probabilities: Probabilities, head: BrandHead) -> Verdict:
    """What a verdict becomes once a head moved its probabilities.

    It is confident where the scorer's threshold is reached. A scorer that was not sure in spite of its threshold had
    another reason, as a language it cannot read, which no head knows better.
    """
    label, confidence = probabilities.label, probabilities.confidence
    floors = head.thresholds.get(verdict.language or "", {})
    if verdict.certainty == "unsure" and verdict.confidence >= floors.get(verdict.label, 2.0):
        sure = False
    elif verdict.certainty == "confident" and label == verdict.label and confidence >= verdict.confidence:
        sure = True
    else:
        sure = confidence >= floors.get(label, 2.0)
    return replace(
        verdict, probabilities=probabilities, label=label, confidence=confidence,
        certainty="confident" if sure else "unsure", scorer=head.name,
    )  # fmt: skip
