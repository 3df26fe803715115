"""What a model read in a text (Verdict) and what that means for a brand (Sentiment).

Scorers make verdicts; the judge step turns them into sentiments with the pure rules here. Doubt is kept:
an unsure verdict is never turned into neutral.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from listener.core.clauses import Reading

Label = Literal["negative", "neutral", "positive"]
Certainty = Literal["confident", "unsure"]

LABELS: tuple[Label, Label, Label] = ("negative", "neutral", "positive")

STAR_WEIGHT = 0.5
"""How much a star rating counts beside the text: as much as the text itself. Stars are evidence, not a verdict:
people give one star to the courier and five to the shop in the same review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probabilities:
    """Calibrated probabilities of the three labels; each 0..1, together 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> Label:
        """The likeliest label; on a tie the worse one, since a missed complaint costs more than a false alarm."""
        return max(LABELS, key=lambda label: getattr(self, label))

    @property
    def confidence(self) -> float:
        """Probability of the likeliest label, 0..1."""
        return max(self.negative, self.neutral, self.positive)

    @property
    def score(self) -> float:
        """Mood between -1 (negative) and 1 (positive)."""
        return self.positive - self.negative


UNKNOWN = Probabilities(negative=1 / 3, neutral=1 / 3, positive=1 / 3)
"""What a scorer says of a text it cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the model read in one text, judged once.

    Args:
        probabilities: calibrated, kept whatever the label.
        label: the likeliest label.
        confidence: its probability, 0..1; 0 for a text that says nothing.
        certainty: "confident" where the scorer's threshold is reached, else "unsure".
        scorer: name and revision of who judged, stored with each verdict.
        parts: how many parts a long text was judged in.
        language: BCP-47 tag; None until a scorer tells languages.
        emotion: the likeliest of anger, disgust, fear, joy, sadness, surprise and neutral; None where the scorer has
            no head for it, as for the four below.
        intent: what the author wants, the likeliest first; empty when nothing is likely enough.
        offensive: whether the text insults.
        severity: what somebody has to be told of at once (safety, legal, fraud, breach, discrimination, health), the
            likeliest first; empty for the usual text.
        embedding: 384 signed bytes, a direction that texts of like meaning share.
        space: names what the embedding can be compared with: only embeddings of one space. A scorer that reads all
            texts alike need not say it; then it is the scorer's own name.
    """

    probabilities: Probabilities
    label: Label
    confidence: float
    certainty: Certainty
    scorer: str
    parts: int = 1
    language: str | None = None
    emotion: str | None = None
    intent: tuple[str, ...] | None = None
    offensive: bool | None = None
    severity: tuple[str, ...] | None = None
    embedding: bytes | None = None
    space: str | None = None

    def __post_init__(self) -> None:
        """Name the space of an embedding that came without one; it stays when a head signs the verdict."""
        if self.embedding is not None and self.space is None:
            object.__setattr__(self, "space", self.scorer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """The mood towards one brand.

    Args:
        label: negative, neutral or positive.
        score: -1..1.
        confidence: probability of the label, 0..1.
        certainty: "unsure" asks for a person's eye; it is never rounded to neutral.
        scorer: who judged.
    """

    label: Label
    score: float
    confidence: float
    certainty: Certainty
    scorer: str


def unreadable(scorer: str) -> Verdict:
    """The verdict on a text that says nothing: unsure, with confidence 0."""
    return Verdict(probabilities=UNKNOWN, label="neutral", confidence=0.0, certainty="unsure", scorer=scorer)


def temper(probabilities: Probabilities, rating: float) -> Probabilities:
    """Blend a star rating into a text's probabilities.

    Args:
        probabilities: what the text alone says.
        rating: 0 (worst) .. 1 (best), as on the post.

    Returns:
        The weighted mean of the text and of what the stars alone would say: three stars of five are mixed news,
        shared between neutral and negative, because reviewers give them for "it works, but".
    """
    stars = (
        (0.9, 0.08, 0.02) if rating < 0.2
        else (0.75, 0.2, 0.05) if rating < 0.4
        else (0.3, 0.5, 0.2) if rating < 0.6
        else (0.05, 0.25, 0.7) if rating < 0.9
        else (0.03, 0.07, 0.9)
    )  # fmt: skip
    w = STAR_WEIGHT
    return Probabilities(
        negative=(1 - w) * probabilities.negative + w * stars[0],
        neutral=(1 - w) * probabilities.neutral + w * stars[1],
        positive=(1 - w) * probabilities.positive + w * stars[2],
    )


_STANCES: Mapping[str, tuple[float, float, float, float]] = {
    "left": (0.80, 0.15, 0.05, 0.6),
    "shunned": (0.85, 0.12, 0.03, 0.6),
    "chosen": (0.05, 0.35, 0.60, 0.3),
    "advised": (0.03, 0.12, 0.85, 0.6),
    "asked": (0.06, 0.90, 0.04, 0.6),
    "passing": (0.10, 0.82, 0.08, 0.7),
    "excused": (0.15, 0.80, 0.05, 0.7),
}
"""What a stance alone says: negative, neutral, positive, and how much that counts beside the words."""


def towards(
    verdict: Verdict, rating: float | None, reading: Reading | None = None, part: Verdict | None = None
) -> Sentiment:
    """The sentiment towards the brand of a mention.

    Args:
        verdict: what the model read in the post.
        rating: the post's stars, 0..1; None where there are none or they are another brand's.
        reading: which words of a post about several brands speak about this one; None: all of them.
        part: what the model read in those words; None where a pattern alone speaks.

    Returns:
        With stars, the tempered reading; it is confident when the text was, or when text and stars agree on the
        label. Of a post about several brands, what its own words and a pattern of leaving, advising or comparing say
        together; it is confident only where the words are and the pattern does not speak against them.
    """
    if reading is not None:
        return _own(reading, part, rating, verdict)
    if rating is None:
        probabilities, label, certainty = verdict.probabilities, verdict.label, verdict.certainty
        confidence = verdict.confidence
    else:
        probabilities = temper(verdict.probabilities, rating)
        label, confidence = probabilities.label, probabilities.confidence
        agree = label == verdict.label
        certainty = "confident" if agree and (verdict.certainty == "confident" or confidence >= 0.7) else "unsure"
    return Sentiment(
        label=label,
        score=probabilities.score,
        confidence=confidence,
        certainty=certainty,
        scorer=verdict.scorer,
    )


def _own(reading: Reading, part: Verdict | None, rating: float | None, whole: Verdict) -> Sentiment:
    """The sentiment towards one of several brands of a post."""
    if part is None and reading.stance is None:
        part = whole
    found = part.probabilities if part is not None else UNKNOWN
    if reading.stance == "opposite":
        found = Probabilities(negative=found.positive, neutral=found.neutral, positive=found.negative)
    elif reading.stance is not None:
        negative, neutral, positive, weight = _STANCES[reading.stance]
        if part is None:
            weight = 1.0
        found = Probabilities(
            negative=(1 - weight) * found.negative + weight * negative,
            neutral=(1 - weight) * found.neutral + weight * neutral,
            positive=(1 - weight) * found.positive + weight * positive,
        )
    if rating is not None:
        found = temper(found, rating)
    label = found.label
    agreed = part is not None and part.certainty == "confident" and label == part.label
    # In a post that takes sides, a bare clause is more often cut off from its mood than without one.
    bare = label == "neutral" and whole.label != "neutral"
    vague = not reading.clear and label != "neutral"
    return Sentiment(
        label=label, score=found.score, confidence=found.confidence,
        certainty="confident" if agreed and not bare and not vague else "unsure", scorer=whole.scorer,
    )  # fmt: skip
