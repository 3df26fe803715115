"""What the shipped weights say of rows that nobody tuned to: what has to be told at once, what authors want, and mood.

    python -m models.training.blind

The rows stand in tests/data/severity and tests/data/intent; one author wrote them who had seen neither the rows nor the
marks that the weights were made with. Prints a table for the model card; measured, never tuned to.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from listener.core.sentiment import LABELS, Verdict
from models._heads import INTENT, SEVERITY
from models.bundled import Bundled, BundledOptions

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
Row = dict[str, object]


def rows(name: str) -> list[Row]:
    """Read the blind rows of a folder."""
    text = (DATA / name / "blind.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def line(label: str, truth: Sequence[bool], said: Sequence[bool]) -> str:
    """Return a line of the table: how many there are, recall, precision."""
    both = sum(one and other for one, other in zip(truth, said, strict=True))
    recall, precision = (f"{both / of:.3f}" if of else "–" for of in (sum(truth), sum(said)))
    return f"| {label} | {sum(truth)} | {recall} | {precision} |"


def table(name: str, labels: Sequence[str], found: Sequence[Row], said: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of one head."""
    given = [set(map(str, row["labels"])) for row in found]  # type: ignore[call-overload]
    heard = [set(each) for each in said]
    lines = [line(f"{name}: {label}", [label in one for one in given], [label in one for one in heard])
             for label in labels]  # fmt: skip
    if name == SEVERITY.name:
        lines.append(line(f"{name}: any of them", [bool(one) for one in given], [bool(one) for one in heard]))
    return lines


def moods(found: Sequence[Row], verdicts: Sequence[Verdict]) -> list[str]:
    """Return the lines of the sentiment, and how often confident ones were right."""
    labelled = [(str(row["sentiment"]), verdict) for row, verdict in zip(found, verdicts, strict=True)
                if row.get("sentiment")]  # fmt: skip
    lines = [
        line(f"sentiment: {label}", [truth == label for truth, _ in labelled], [v.label == label for _, v in labelled])
        for label in LABELS
    ]
    sure = [truth == verdict.label for truth, verdict in labelled if verdict.certainty == "confident"]
    return [*lines, f"\nConfident: {len(sure)} of {len(labelled)}, {sum(sure) / max(1, len(sure)):.1%} of these right."]


def main() -> None:
    """Judge both sets and print the tables."""
    scorer = Bundled(BundledOptions(), None)  # type: ignore[arg-type]
    print(f"Scorer: {scorer.name}\n\n| what | rows | recall | precision |\n| --- | --: | --: | --: |")
    severity, intent = rows("severity"), rows("intent")
    grave = scorer.read([str(row["text"]) for row in severity])
    wanted = scorer.read([str(row["text"]) for row in intent])
    print("\n".join(table(SEVERITY.name, SEVERITY.labels, severity, [v.severity or () for v in grave])))
    print("\n".join(table(INTENT.name, INTENT.labels, intent, [v.intent or () for v in wanted])))
    print("\n".join(moods([*severity, *intent], [*grave, *wanted])))


if __name__ == "__main__":
    main()
