"""Corrections teach: a light head for one brand, measured before it is kept, refused where it is worse, rolled back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from listener.core.errors import AdapterError, Refused
from listener.core.event import Actor
from listener.core.head import (
    Accuracy,
    BrandHead,
    Figures,
    Lesson,
    Lessons,
    Measured,
    gain,
    missing,
    spaces_of,
    thresholds_of,
    worse,
)
from listener.core.protocols import Scorer
from listener.core.sentiment import LABELS, Label, Verdict
from listener.core.tools import Clock
from listener.evaluate import Labelled, confuse, macro_recall, read_rows
from listener.fitting import fit, through
from listener.pipeline.border import border
from listener.store import Store

STANDARD = Path(__file__).with_name("standard.jsonl")
"""Rows of our own, from which no scorer of ours learnt: what a head must leave as it is."""

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What teaching came to.

    Args:
        head: with its figures; its version is 0 while it is not kept.
        refused: why it is not kept; None when it may be.
        unread: corrections that taught nothing, see `Lessons`.
    """

    head: BrandHead
    refused: str | None
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a brand's labels do, with its head.

    Args:
        accuracy: where colleagues looked; None where nobody did.
        head: the one that stands; None without one.
        used: whether it moves what is judged now: it belongs to the present scorer.
    """

    accuracy: Accuracy | None
    head: BrandHead | None
    used: bool


class Teaching:
    """Makes heads, keeps them and rolls them back.

    Args:
        store: keeps corrections and heads.
        clock: says the present.
        scorer: gives the scorer; it is asked beside the judge step, so it must be safe to ask from two threads.
    """

    def __init__(self, store: Store, clock: Clock, scorer: Callable[[], Scorer]) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._scorer = scorer
        self._one = Lock()
        self._standard: tuple[str, tuple[Lesson, ...]] | None = None

    def retrain(self, brand: str, by: Actor, *, keep: bool = True) -> Taught:
        """Fit a head to a brand's corrections and let it stand, unless it is worse than the scorer alone.

        Args:
            brand: whose corrections.
            by: who asks.
            keep: False only measures.

        Raises:
            Refused: there are too few corrections, or the scorer cannot be asked; says what is missing.
        """
        with self._one:
            name = self._asked()
            known = self._store.heads.lessons(brand, name)
            if lacks := missing(known.lessons):
                raise Refused(f"nothing to teach yet: {lacks}{_unread(known)}", resource=f"brand {brand}")
            standard = self._standard_rows(name)
            taught = self._taught(brand, by, name, known, standard)
            return self._kept(taught, by) if keep and taught.refused is None else taught

    def _taught(
        self, brand: str, by: Actor, name: str, known: Lessons, standard: Sequence[Lesson]
    ) -> Taught:  # fmt: skip
        lessons = sorted(known.lessons, key=lambda lesson: lesson.key)
        spaces = spaces_of(lessons)
        seen = [(v.language, v.label, v.confidence) for v in _verdicts(standard) if v.certainty == "confident"]
        thresholds = thresholds_of((*self._store.heads.sure(name), *seen))

        def head(weights: bytes, measured: Measured) -> BrandHead:
            return BrandHead(
                brand=brand, version=0, scorer=name, weights=weights, spaces=spaces, thresholds=thresholds,
                measured=measured, made_at=self._clock(), made_by=by.name, standing=False,
            )  # fmt: skip

        measured = measure(lessons, standard, lambda weights: head(weights, NOTHING))
        weights = fit(lessons, standard, spaces)
        return Taught(head=head(weights, measured), refused=worse(measured), unread=known.unread)

    def _kept(self, taught: Taught, by: Actor) -> Taught:
        with self._store.transaction():
            head = self._store.heads.add(taught.head)
            self._store.events.add(
                by, "head kept", head.made_at, subject=f"brand {head.brand}", detail=f"{head.name}: {_words(head)}"
            )
        return Taught(head=head, refused=None, unread=taught.unread)

    def roll_back(self, brand: str, version: int | None, by: Actor) -> BrandHead | None:
        """Let an earlier head of a brand stand again.

        Args:
            brand: whose head.
            version: which one; 0: none, the scorer judges alone; None: the one before the one that stands.
            by: who asks.

        Returns:
            The head that stands now; None when the scorer judges alone.

        Raises:
            Refused: there is no such head, or nothing stands that could be rolled back.
        """
        name = self._asked()
        with self._one, self._store.transaction():
            heads = {head.version: head for head in self._store.heads.all(brand) if head.scorer == name}
            now = self._store.heads.standing().get(brand)
            if version is None:
                if now is None:
                    raise Refused("no head stands that could be rolled back", resource=f"brand {brand}")
                version = max((each for each in heads if each < now.version), default=0)
            if version and version not in heads:
                kept = ", ".join(map(str, sorted(heads))) or "none"
                raise Refused(f"no version {version} for the scorer {name}; kept: {kept}", resource=f"brand {brand}")
            self._store.heads.stand(brand, version)
            stands = heads[version].name if version else "the scorer alone"
            detail = f"from {now.name if now else 'the scorer alone'} to {stands}"
            self._store.events.add(by, "head rolled back", self._clock(), subject=f"brand {brand}", detail=detail)
            return heads.get(version)

    def standing(self) -> Mapping[str, Standing]:
        """How the labels of each brand do where somebody looked or something was taught, by brand."""
        try:
            name = self._asked()
        except Refused:
            name = ""
        found = self._store.heads.accuracy()
        heads = self._store.heads.standing()
        return {
            brand: Standing(
                accuracy=found.get(brand), head=heads.get(brand), used=brand in heads and heads[brand].scorer == name
            )
            for brand in sorted({*found, *heads})
        }

    def _asked(self) -> str:
        """The scorer's name."""
        try:
            with border("scorer"):
                return self._scorer().name
        except AdapterError as problem:
            raise Refused(f"the model cannot be asked now: {problem.message}", resource="scorer") from problem

    def _standard_rows(self, name: str) -> tuple[Lesson, ...]:
        """The standard rows as the scorer reads them, once for each scorer."""
        if self._standard is None or self._standard[0] != name:
            rows: list[Labelled] = list(read_rows(STANDARD))
            try:
                with border("scorer"):
                    verdicts = self._scorer().read([row.text for row in rows])
            except AdapterError as problem:
                raise Refused(f"the model cannot be asked now: {problem.message}", resource="scorer") from problem
            read = zip(rows, verdicts, strict=True)
            self._standard = (
                name,
                tuple(
                    Lesson(key=str(number), label=row.label, verdict=verdict)
                    for number, (row, verdict) in enumerate(read)
                ),
            )
        return self._standard[1]


def measure(
    lessons: Sequence[Lesson], standard: Sequence[Lesson], head: Callable[[bytes], BrandHead]
) -> Measured:  # fmt: skip
    """Measure what is taught, on lessons and standard rows that were held back from it, fold by fold.

    Args:
        lessons: in the order of their keys.
        standard: as they are read.
        head: makes a head of weights.
    """
    after: dict[int, Verdict] = {}
    spaces = spaces_of(lessons)
    for (held, rest), (aside, usual) in zip(folds(lessons), folds(standard), strict=True):
        partly = head(fit(rest, usual, spaces))
        after |= {id(each): through(partly, each.verdict) for each in (*held, *aside)}
    taught = [after[id(each)] for each in lessons]
    right = [
        (each.verdict.label == each.label, now.label == each.label) for each, now in zip(lessons, taught, strict=True)
    ]
    truth, of_standard = [each.label for each in lessons], [each.label for each in standard]
    return Measured(
        held_before=figures(truth, _verdicts(lessons)),
        held_after=figures(truth, taught),
        standard_before=figures(of_standard, _verdicts(standard)),
        standard_after=figures(of_standard, [after[id(each)] for each in standard]),
        mended=right.count((False, True)),
        spoilt=right.count((True, False)),
        errors=gain(_by_label(truth, [now - was for was, now in right])),
    )


def folds(lessons: Sequence[Lesson]) -> list[tuple[list[Lesson], list[Lesson]]]:
    """Deal lessons into folds, each label evenly: what is held back and the rest, five times."""
    dealt = [lesson for label in LABELS for lesson in lessons if lesson.label == label]
    return [
        (dealt[fold::FOLDS], [lesson for at, lesson in enumerate(dealt) if at % FOLDS != fold]) for fold in range(FOLDS)
    ]


def figures(truth: Sequence[Label], verdicts: Sequence[Verdict]) -> Figures:
    """How good verdicts are."""
    confusion = confuse(truth, [verdict.label for verdict in verdicts])
    negatives = confusion.matrix[LABELS.index("negative")]
    right = [verdict.label == label for verdict, label in zip(verdicts, truth, strict=True)]
    sure = [hit for hit, verdict in zip(right, verdicts, strict=True) if verdict.certainty == "confident"]
    return Figures(
        rows=len(truth),
        macro_recall=macro_recall(confusion),
        negative_recall=negatives[LABELS.index("negative")] / sum(negatives) if any(negatives) else None,
        right=sum(right) / len(right) if right else 0.0,
        confident=len(sure) / len(right) if right else 0.0,
        confident_right=sum(sure) / len(sure) if sure else None,
    )


_NONE = figures((), ())
NOTHING = Measured(
    held_before=_NONE, held_after=_NONE, standard_before=_NONE, standard_after=_NONE, mended=0, spoilt=0, errors=0.0
)  # fmt: skip
"""Of a head that is not measured yet."""


def _by_label(truth: Sequence[Label], changes: Sequence[int]) -> Mapping[Label, Sequence[int]]:
    pairs = list(zip(truth, changes, strict=True))
    return {label: [change for of, change in pairs if of == label] for label in LABELS if label in truth}


def _verdicts(lessons: Sequence[Lesson]) -> list[Verdict]:
    return [lesson.verdict for lesson in lessons]


def _unread(known: Lessons) -> str:
    if not known.unread:
        return ""
    return f"; {known.unread} more were not read by this scorer: `listener rescore --scorer-changed-only` reads them"


def _words(head: BrandHead) -> str:
    m = head.measured
    return (
        f"macro recall on {m.held_before.rows} corrections {m.held_before.macro_recall:.3f} to "
        f"{m.held_after.macro_recall:.3f}, on {m.standard_before.rows} standard rows "
        f"{m.standard_before.macro_recall:.3f} to {m.standard_after.macro_recall:.3f}"
    )
