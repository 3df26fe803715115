"""Run a scorer over labelled rows and say how good it is.

Pure figures over core nouns; called by the command `listener evaluate` and by `models.training.quality`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from listener.core.errors import ListenerError
from listener.core.protocols import Scorer
from listener.core.sentiment import LABELS, Label, Verdict

_BATCH = 256
_BINS = 15
_PRECISE = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A text and the label that people gave it."""

    text: str
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often which label was taken for which.

    Args:
        labels: the order of rows and columns.
        matrix: counts; rows are the truth, columns the scorer's label.
    """

    labels: tuple[Label, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InLanguage:
    """How good a scorer is on the rows that it took for one language.

    Args:
        language: as the verdicts name it; None where the scorer tells none.
        rows: how many.
        macro_f1: mean F1 of the labels that occur in them, 0..1.
        confident: share of confident verdicts, 0..1.
    """

    language: str | None
    rows: int
    macro_f1: float
    confident: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How good a scorer is on labelled rows; all figures are shares 0..1 unless said otherwise.

    Args:
        scorer: who judged.
        rows: how many texts were judged.
        macro_recall: mean recall of the labels that occur in the rows.
        macro_f1: mean F1 of the labels that occur in the rows.
        negative_recall: negatives that were called negative; None without negatives.
        negative_precision: texts called negative that were; None when none was called so.
        negative_recall_at_p90: highest recall of negatives at any threshold on their probability that leaves the
            precision at 0.90 or more; None without negatives.
        negative_auc: chance that a negative is given a higher probability of it than another text, ties counting
            half; None when all rows are negative or none is.
        ece: expected calibration error of the label's probability over 15 bins of equal size.
        confusion: counts, truth in rows.
        languages: the same by language, the most frequent first.
        texts_per_second: rows through the scorer's wall time.
    """

    scorer: str
    rows: int
    macro_recall: float
    macro_f1: float
    negative_recall: float | None
    negative_precision: float | None
    negative_recall_at_p90: float | None
    negative_auc: float | None
    ece: float
    confusion: Confusion
    languages: tuple[InLanguage, ...]
    texts_per_second: float

    def as_json(self) -> str:
        """Return the report as one JSON object."""
        return json.dumps(asdict(self), indent=2)


def read_rows(path: Path) -> Iterator[Labelled]:
    """Yield the rows of a JSON-lines file of `{"text", "label"}`; other keys are ignored, empty lines too.

    Raises:
        ListenerError: the file cannot be read, or a line is no such row; says which line and what is wrong with it.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _row(line, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise ListenerError("cannot be read", resource=str(path)) from error


def _row(line: str, where: str) -> Labelled:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise ListenerError("not a JSON object", resource=where) from error
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise ListenerError('needs a "text" that is a string', resource=where)
    label = found.get("label")
    if label not in LABELS:
        raise ListenerError(f'"label" is {label!r}, but must be one of {", ".join(LABELS)}', resource=where)
    return Labelled(text=found["text"], label=label)


def evaluate(scorer: Scorer, rows: Sequence[Labelled], *, timer: Callable[[], float] = time.perf_counter) -> Report:
    """Judge every row and compare.

    Args:
        scorer: who judges; it gets 256 texts at a time.
        rows: at least one.
        timer: says seconds.

    Returns:
        The report.

    Raises:
        ListenerError: there are no rows, or the scorer returned another number of verdicts than it got texts.
        AdapterError: the scorer cannot work.
    """
    if not rows:
        raise ListenerError("no labelled rows to judge")
    verdicts: list[Verdict] = []
    scorer.read([])  # loading is not judging
    started = timer()
    for start in range(0, len(rows), _BATCH):
        verdicts.extend(scorer.read([row.text for row in rows[start : start + _BATCH]]))
    seconds = timer() - started
    if len(verdicts) != len(rows):
        raise ListenerError(f"{len(verdicts)} verdicts for {len(rows)} texts", resource=scorer.name)
    return report(scorer.name, [row.label for row in rows], verdicts, seconds)


def report(scorer: str, truth: Sequence[Label], verdicts: Sequence[Verdict], seconds: float) -> Report:
    """Compare verdicts with the truth, row by row."""
    confusion = confuse(truth, [verdict.label for verdict in verdicts])
    ranked = [
        (verdict.probabilities.negative, label == "negative") for verdict, label in zip(verdicts, truth, strict=True)
    ]
    right = [(verdict.confidence, verdict.label == label) for verdict, label in zip(verdicts, truth, strict=True)]
    negative = LABELS.index("negative")
    return Report(
        scorer=scorer,
        rows=len(truth),
        macro_recall=macro_recall(confusion),
        macro_f1=_macro_f1(confusion),
        negative_recall=_recall(confusion, negative),
        negative_precision=_precision(confusion, negative),
        negative_recall_at_p90=recall_at_precision(ranked, _PRECISE),
        negative_auc=auc(ranked),
        ece=calibration_error(right, _BINS),
        confusion=confusion,
        languages=by_language(truth, verdicts),
        texts_per_second=len(truth) / seconds if seconds > 0 else 0.0,
    )


def by_language(truth: Sequence[Label], verdicts: Sequence[Verdict]) -> tuple[InLanguage, ...]:
    """Return the figures of each language that the verdicts name, the most frequent first."""
    rows: dict[str | None, list[int]] = {}
    for at, verdict in enumerate(verdicts):
        rows.setdefault(verdict.language, []).append(at)
    return tuple(
        InLanguage(
            language=language,
            rows=len(its),
            macro_f1=_macro_f1(confuse([truth[at] for at in its], [verdicts[at].label for at in its])),
            confident=sum(verdicts[at].certainty == "confident" for at in its) / len(its),
        )
        for language, its in sorted(rows.items(), key=lambda pair: -len(pair[1]))
    )


def confuse(truth: Sequence[Label], said: Sequence[Label]) -> Confusion:
    """Count pairs of true and said labels."""
    number = {label: at for at, label in enumerate(LABELS)}
    counts = [[0] * len(LABELS) for _ in LABELS]
    for true, given in zip(truth, said, strict=True):
        counts[number[true]][number[given]] += 1
    return Confusion(labels=LABELS, matrix=tuple(tuple(row) for row in counts))


def macro_recall(confusion: Confusion) -> float:
    """Return the mean recall of the labels that occur; 0 when none does."""
    recalls = [found for at in range(len(LABELS)) if (found := _recall(confusion, at)) is not None]
    return sum(recalls) / len(recalls) if recalls else 0.0


def _recall(confusion: Confusion, at: int) -> float | None:
    row = confusion.matrix[at]
    return row[at] / sum(row) if any(row) else None


def _precision(confusion: Confusion, at: int) -> float | None:
    column = [row[at] for row in confusion.matrix]
    return column[at] / sum(column) if any(column) else None


def _macro_f1(confusion: Confusion) -> float:
    found = []
    for at in range(len(LABELS)):
        recall, precision = _recall(confusion, at), _precision(confusion, at)
        if recall is not None:
            found.append(2 * recall * precision / (recall + precision) if recall and precision else 0.0)
    return sum(found) / len(found) if found else 0.0


def recall_at_precision(ranked: Sequence[tuple[float, bool]], precision: float) -> float | None:
    """Return the highest recall at any threshold that keeps a precision.

    Args:
        ranked: for each text the probability of the label and whether it has it.
        precision: to be kept, 0..1.

    Returns:
        The recall, 0 when no threshold keeps the precision; None when no text has the label.
    """
    wanted = sum(has for _, has in ranked)
    if not wanted:
        return None
    best = hits = 0
    ordered = sorted(ranked, reverse=True)
    for count, (probability, has) in enumerate(ordered, 1):
        hits += has
        # A threshold cannot part equal probabilities.
        whole = count == len(ordered) or ordered[count][0] < probability
        if whole and hits >= precision * count:
            best = hits
    return best / wanted


def auc(ranked: Sequence[tuple[float, bool]]) -> float | None:
    """Return the area under the ROC curve from mean ranks; None when all texts have the label or none has."""
    ordered = sorted(ranked)
    with_it = sum(has for _, has in ordered)
    without = len(ordered) - with_it
    if not with_it or not without:
        return None
    total, start = 0.0, 0
    while start < len(ordered):
        stop = start
        while stop < len(ordered) and ordered[stop][0] == ordered[start][0]:
            stop += 1
        mean_rank = (start + 1 + stop) / 2
        total += mean_rank * sum(has for _, has in ordered[start:stop])
        start = stop
    return (total - with_it * (with_it + 1) / 2) / (with_it * without)


def calibration_error(right: Sequence[tuple[float, bool]], bins: int) -> float:
    """Return the mean distance between confidence and the share that was right, over bins of equal size.

    Args:
        right: for each text the confidence and whether the label was right.
        bins: how many; their sizes differ by one at most.
    """
    # By confidence alone: sorting equal ones by being right would part hits from misses.
    ordered = sorted(right, key=lambda pair: pair[0])
    total = 0.0
    for number in range(bins):
        part = ordered[number * len(ordered) // bins : (number + 1) * len(ordered) // bins]
        total += abs(sum(confidence for confidence, _ in part) - sum(hit for _, hit in part))
    return total / len(ordered) if ordered else 0.0


def bootstrap(confusion: Confusion, *, rounds: int = 1000, seed: int = 1, share: float = 0.95) -> tuple[float, float]:
    """Return the interval that holds the macro recall of resampled rows.

    Args:
        confusion: counts of the judged rows; they are all that the macro recall depends on.
        rounds: how many times to draw as many rows again, with replacement.
        seed: of the draw.
        share: of the rounds inside the interval, 0..1.
    """
    dice = random.Random(seed)  # noqa: S311 - statistics, not secrets
    width = len(LABELS)
    cells = range(width * width)
    weights = [count for row in confusion.matrix for count in row]
    found = []
    for _ in range(rounds):
        drawn = dice.choices(cells, weights, k=sum(weights))
        counts = [drawn.count(cell) for cell in cells]
        matrix = tuple(tuple(counts[at : at + width]) for at in range(0, width * width, width))
        found.append(macro_recall(Confusion(labels=LABELS, matrix=matrix)))
    found.sort()
    aside = int(rounds * (1 - share) / 2)
    return found[aside], found[rounds - 1 - aside]
