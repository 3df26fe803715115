"""How good the bundle is, beside simpler scorers, all in one run.

Run as `python -m models.training.quality` after `.calibrate`.  Writes `models/bundled/quality.json` and the table
between the marks in `models/bundled/MODEL_CARD.md`.  This is the only place where development rows are judged.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from listener.core.protocols import Tools
from listener.core.sentiment import LABELS, Probabilities, Verdict
from listener.evaluate import Labelled, Report, bootstrap, confuse, evaluate, macro_recall, report
from models.bundled import Bundled, BundledOptions
from models.training.calibrate import Folds, read_folds, softmax
from models.training.data import Row, data_directory, read_rows, refuse_overlap
from models.training.export import BUNDLE, read_config

CARD = BUNDLE / "MODEL_CARD.md"
MARK = "<!-- quality -->"


def _verdict(probabilities: Sequence[float], scorer: str) -> Verdict:
    found = Probabilities(**dict(zip(LABELS, map(float, probabilities), strict=True)))
    return Verdict(
        probabilities=found, label=found.label, confidence=found.confidence, certainty="unsure", scorer=scorer
    )


class Vader:
    """VADER with its own published borders: below -0.05 negative, above 0.05 positive.

    It has no probabilities; its compound score stands in for ranking, so its calibration error says little.
    """

    name = "VADER"
    Options = object

    def __init__(self) -> None:
        self._analyzer = SentimentIntensityAnalyzer()

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts."""
        return [self._judge(text) for text in texts]

    def _judge(self, text: str) -> Verdict:
        compound = self._analyzer.polarity_scores(text)["compound"]
        side = (1 - abs(compound)) / 2
        probabilities = Probabilities(
            negative=side + max(0.0, -compound), neutral=0.0, positive=side + max(0.0, compound)
        )
        label = "negative" if compound <= -0.05 else "positive" if compound >= 0.05 else "neutral"
        return Verdict(
            probabilities=probabilities,
            label=label,
            confidence=abs(compound),
            certainty="unsure",
            scorer=self.name,
        )


class Words:
    """A logistic regression on words and pairs of words, trained on the same rows."""

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
        return [_verdict(row, self.name) for row in self._model.predict_proba(texts)]


def folds_recall(folds: Folds) -> list[float]:
    """Return the macro recall of each fold."""
    said = folds.logits.argmax(axis=1)
    return [
        macro_recall(
            confuse(
                [LABELS[at] for at in folds.labels[folds.folds == fold]],
                [LABELS[at] for at in said[folds.folds == fold]],
            )
        )
        for fold in np.unique(folds.folds)
    ]


def calibrated(folds: Folds) -> Report:
    """Return the report on the out-of-fold rows, with the bundle's temperature."""
    probabilities = softmax(folds.logits, float(read_config()["temperature"]))  # type: ignore[arg-type]
    verdicts = [_verdict(row, "out of fold") for row in probabilities]
    return report("out of fold", [LABELS[at] for at in folds.labels], verdicts, 0.0)


def figures_of(found: Report) -> dict[str, object]:
    """Return a report's figures but the speed, which a busy machine falsifies."""
    return {name: value for name, value in asdict(found).items() if name != "texts_per_second"}


def row_of(name: str, found: Report) -> str:
    """Return a line of the table."""
    low, high = bootstrap(found.confusion)
    figures = (
        found.macro_f1,
        found.negative_recall,
        found.negative_precision,
        found.negative_recall_at_p90,
        found.negative_auc,
        found.ece,
    )
    cells = " | ".join("–" if figure is None else f"{figure:.3f}" for figure in figures)
    return f"| {name} | {found.macro_recall:.3f} ({low:.3f}–{high:.3f}) | {cells} |"


def table(reports: dict[str, Report], recalls: Sequence[float], certain: str) -> str:
    """Return the table in Markdown, with what it was measured on."""
    first = next(iter(reports.values()))
    spread = ", ".join(f"{recall:.3f}" for recall in recalls)
    head = (
        "| scorer | macro recall | macro F1 | negative recall | negative precision | negative recall at precision 0.90 "
        "| negative AUC | calibration error |"
    )
    folds = (
        f"Cross-validation on the training rows, {len(recalls)} of 5 folds: macro recall {np.mean(recalls):.3f} "
        f"(folds: {spread})."
    )
    lines = [
        f"{first.rows:,} development tweets, judged once; 95 % bootstrap intervals in brackets.",
        "",
        head,
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *(row_of(name, found) for name, found in reports.items()),
        "",
        folds,
        "",
        certain,
    ]
    return "\n".join(lines)


def certainty_line(scorer: Bundled, rows: Sequence[Labelled]) -> str:
    """Say how many development verdicts are confident, and how many of these are right."""
    verdicts = scorer.read([row.text for row in rows])
    sure = [
        (verdict.label, verdict.label == row.label)
        for verdict, row in zip(verdicts, rows, strict=True)
        if verdict.certainty == "confident"
    ]
    right = sum(hit for _, hit in sure) / len(sure)
    negative = [hit for label, hit in sure if label == "negative"]
    return (
        f"On the development tweets {len(sure) / len(rows):.0%} of all verdicts are confident and {right:.1%} of these "
        f"right; of the {len(negative)} confident negatives {sum(negative) / max(1, len(negative)):.1%} are right."
    )


def main() -> int:
    """Judge the development rows with all scorers; write the figures."""
    data = data_directory()
    train, dev = (read_rows(data / "semeval" / f"{name}.jsonl") for name in ("train", "dev"))
    refuse_overlap(train, dev)
    rows = [Labelled(text=row.text, label=LABELS[row.label]) for row in dev]
    bundled = Bundled(BundledOptions(), Tools(http=None, clock=lambda: datetime.now(UTC)))
    scorers = {"bundled": bundled, "bag of words": Words(train), "VADER": Vader()}
    reports = {name: evaluate(scorer, rows) for name, scorer in scorers.items()}  # type: ignore[arg-type]
    folds = read_folds()
    recalls = folds_recall(folds)
    written = {
        "revision": read_config()["revision"],
        "precision": bundled.precision,
        "development": {name: figures_of(found) for name, found in reports.items()},
        "folds": recalls,
        "out of fold": figures_of(calibrated(folds)),
    }
    (BUNDLE / "quality.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    text = table(reports, recalls, certainty_line(bundled, rows))
    print(text)
    before, _, after = CARD.read_text(encoding="utf-8").split(MARK)
    CARD.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
