"""The simple scorers that the bundle is measured beside: VADER, TextBlob, and a bag of words on the same tweets.

Called by `models.training.quality`.  The first two have no probabilities: their score stands in for ranking, so their
calibration error says little.
"""

from collections.abc import Sequence

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from listener.core.sentiment import LABELS, Label, Probabilities, Verdict
from models.training.data import Row

_BORDER = 0.05
"""VADER's own published border: below -0.05 negative, above 0.05 positive. TextBlob has none; zero is its middle."""


def verdict(probabilities: Sequence[float], scorer: str) -> Verdict:
    """Return a verdict with three probabilities; whoever has no thresholds is unsure of everything."""
    found = Probabilities(**dict(zip(LABELS, map(float, probabilities), strict=True)))
    return Verdict(
        probabilities=found, label=found.label, confidence=found.confidence, certainty="unsure", scorer=scorer
    )


def _of_score(score: float, border: float, scorer: str) -> Verdict:
    side = (1 - abs(score)) / 2
    probabilities = Probabilities(negative=side + max(0.0, -score), neutral=0.0, positive=side + max(0.0, score))
    label: Label = "negative" if score < -border else "positive" if score > border else "neutral"
    return Verdict(probabilities=probabilities, label=label, confidence=abs(score), certainty="unsure", scorer=scorer)


class Vader:
    """A word list with rules, made for posts."""

    name = "VADER"
    Options = object

    def __init__(self) -> None:
        self._analyzer = SentimentIntensityAnalyzer()

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts."""
        return [_of_score(self._analyzer.polarity_scores(text)["compound"], _BORDER, self.name) for text in texts]


class Blob:
    """A word list of adjectives from reviews."""

    name = "TextBlob"
    Options = object

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts."""
        return [_of_score(TextBlob(text).sentiment.polarity, 0.0, self.name) for text in texts]


class Words:
    """A logistic regression on words and pairs of words, trained on the same tweets."""

    name = "bag of words"
    Options = object

    def __init__(self, rows: Sequence[Row]) -> None:
        counts = CountVectorizer(ngram_range=(1, 2), min_df=2, binary=True)
        self._model = make_pipeline(counts, LogisticRegression(C=0.1, class_weight="balanced", max_iter=300))
        self._model.fit([row.text for row in rows], [row.label for row in rows])

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts."""
        if not texts:
            return []
        return [verdict(row, self.name) for row in self._model.predict_proba(texts)]
