"""Calibrate the multilingual bundle and say how good it is, beside a logistic regression on the frozen encoder.

Run as `python -m models.training.multi_quality` after `.multi_grave`.  Temperature and bias come from rows that were
kept from training; thresholds from these and the validation rows; figures from the validation rows, and in Hindi,
where these are useless, from the rows kept from training.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from listener.core.sentiment import LABELS, Verdict
from listener.core.tools import Tools
from listener.evaluate import Report, bootstrap, report
from models._bundle import Bundle
from models._heads import SENTIMENT
from models.bundled import Bundled, BundledOptions
from models.training.borders import Floats, Judged, best_temper, pooled, threshold
from models.training.calibrate import RIGHT
from models.training.data import Row, data_directory
from models.training.examples import Example
from models.training.export import read_config, write_config
from models.training.fit import encode, judge, load_tokenizer
from models.training.held import judged, tweets_kept_back
from models.training.multi_base import base_weights
from models.training.multi_rows import LANGUAGES, read, splits, tweets
from models.training.multi_train import RECIPE, SEVERAL, load
from models.training.network import Network, from_base
from models.training.quality import MARK, is_sure, number, perfect_error, table
from models.training.rivals import verdict

CARD = SEVERAL / "README.md"
ENGLISH = 300
"""English tweets by which it is calibrated, of those that were kept from training."""
_BATCH = 256
Sets = Mapping[str, Sequence[Row]]


def chosen_by(data: Path) -> dict[str, list[Example]]:
    """Return by language the rows that were kept from training."""
    found = {code: list(tweets(split.held, code)) for code, split in splits(data).items()}
    return {**found, "en": list(tweets_kept_back(data))[:ENGLISH]}


def judged_by(data: Path) -> dict[str, tuple[Row, ...]]:
    """Return by language the rows that figures come from."""
    found = {code: read(data, code, "val") for code in LANGUAGES}
    return {**found, "hi": splits(data)["hi"].held}


def calibrate(network: Network, data: Path) -> dict[str, object]:
    """Return temperature, bias and thresholds; the marks are set by `.multi_grave`."""
    base = base_weights(())
    held = {code: judged(network, rows, base)[SENTIMENT.name] for code, rows in chosen_by(data).items()}
    shares = dict.fromkeys(held, 1 / len(held))
    temperature, bias = best_temper(held, shares)
    both = {code: _joined(found, _of(network, base, read(data, code, "val"))) for code, found in held.items()}
    pool = pooled(both, shares, temperature, bias)
    return {
        "temperature": temperature,
        "bias": bias.tolist(),
        "thresholds": {label: threshold(pool, at, RIGHT) for at, label in enumerate(LABELS)},
    }


def _of(network: Network, base: Path, rows: Sequence[Row]) -> Judged | None:
    return judged(network, list(tweets(rows, "val")), base)[SENTIMENT.name] if rows else None


def _joined(one: Judged, other: Judged | None) -> Judged:
    if other is None:
        return one
    return Judged(
        logits=np.concatenate([one.logits, other.logits]),
        wanted=np.concatenate([one.wanted, other.wanted]),
        writers=one.writers + other.writers,
    )


def frozen(data: Path, rows: Sets) -> dict[str, list[Verdict]]:
    """Return what a logistic regression on the base encoder's vectors says, trained on the same tweets."""
    network = from_base(base_weights(()), 1).eval()
    train = [row for code, split in splits(data).items() for row in split.train if code != "en"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    model.fit(vectors(network, [row.text for row in train]), [row.label for row in train])
    found = {}
    for code, its in rows.items():
        said = model.predict_proba(vectors(network, [row.text for row in its]))
        found[code] = [verdict(each, "frozen encoder") for each in said]
    return found


def vectors(network: Network, texts: Sequence[str]) -> Floats:
    """Return the base's vector of each text (texts, 384): its untrained map to a meaning changes nothing."""
    tokenizer = load_tokenizer(base_weights(()) / "tokenizer.json", RECIPE.longest)
    found: Floats = judge(network, encode(tokenizer, texts))[1].double().numpy()
    return found


def cells(scorer: str, code: str, found: Report, verdicts: Sequence[Verdict], truth: Sequence[str]) -> list[str]:
    """Return a line of the table."""
    low, high = bootstrap(found.confusion, rounds=300)
    sure = [said.label == label for said, label in zip(verdicts, truth, strict=True) if is_sure(said)]
    return [
        scorer, code, str(found.rows), f"{found.macro_f1:.3f}", f"{found.macro_recall:.3f} ({low:.3f}–{high:.3f})",
        number(found.negative_recall), number(found.negative_precision),
        f"{found.ece:.3f} ({perfect_error(verdicts):.3f})",
        f"{len(sure) / len(truth):.0%}, {sum(sure) / len(sure):.1%} right" if sure else "–",
    ]  # fmt: skip


def main() -> int:
    """Calibrate unless told to measure only; measure, the simple rival too unless told to be quick; write the card."""
    data = data_directory()
    if "--measure-only" not in sys.argv[1:]:
        write_config({**read_config(SEVERAL), **calibrate(load(), data)}, SEVERAL)
    rows = judged_by(data)
    bundle = Bundle(SEVERAL, precision="auto", threads=1)
    whole = Bundled(BundledOptions(), Tools(http=None, clock=lambda: datetime.now(UTC)))
    said = {
        "this bundle": {code: by_bundle(bundle, code, its) for code, its in rows.items()},
        "the scorer, which tells the language": {code: list(by_scorer(whole, its)) for code, its in rows.items()},
    }
    if "--quick" not in sys.argv[1:]:
        said["logistic regression on the frozen encoder"] = frozen(data, rows)
    lines, figures = [], {}
    for scorer, by_code in said.items():
        found = {}
        for code, its in rows.items():
            truth = [LABELS[row.label] for row in its]
            found[code] = report(scorer, truth, by_code[code], 0.0)
            lines.append(cells(scorer, code, found[code], by_code[code], truth))
        mean = float(np.mean([each.macro_f1 for each in found.values()]))
        lines.append([scorer, "mean", "", f"**{mean:.3f}**", "", "", "", "", ""])
        figures[scorer] = {"mean macro F1": mean, **{code: asdict(each) for code, each in found.items()}}
    _write(lines, {"revision": read_config(SEVERAL)["revision"], "precision": bundle.precision, **figures})
    return 0


def by_bundle(bundle: Bundle, code: str, rows: Sequence[Row]) -> list[Verdict]:
    """Return what the bundle says of rows whose language is known."""
    texts = [row.text for row in rows]
    parts = (texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH))
    return [said for part in parts for said in bundle.read(part, [code] * len(part), bundle.name)]


def by_scorer(scorer: Bundled, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Return what the whole scorer says, which has to tell the language first."""
    return scorer.read([row.text for row in rows])


def _write(lines: Sequence[Sequence[str]], figures: Mapping[str, object]) -> None:
    head = (
        "scorer", "language", "rows", "macro F1", "macro recall (95 %)", "negative recall", "negative precision",
        "calibration error (of a perfect scorer)", "confident",
    )  # fmt: skip
    text = table(head, lines)
    print(text)
    (SEVERAL / "quality.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    before, _, after = CARD.read_text(encoding="utf-8").split(MARK)
    CARD.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
