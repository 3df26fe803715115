"""Fit the multilingual heads but the sentiment once more, with our own rows in eight languages among the others.

Run as `python -m models.training.multi_grave` after `.multi_heads`.  English rows alone taught a head of grave matters
that is wrong about other languages both ways: it found half of the grave rows and called a tenth of the tweets grave.
The encoder is held still, and the sentiment is not touched.  Marks and silences are set by rows unseen by their fit.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models._heads import EMOTION, HEADS, INTENT, OFFENSIVE, SEVERITY, Head, places
from models._text import plain
from models.training.borders import Floats, Judged, mark_of_balance, sigmoid
from models.training.data import data_directory
from models.training.examples import ROWS, Example, comments, marks, own, some, tweets
from models.training.export import read_config, write_config
from models.training.mixture import WORDS
from models.training.multi_heads import vectors
from models.training.multi_own import Labelled, labelled
from models.training.multi_rows import LANGUAGES, english, splits
from models.training.multi_train import SEVERAL, STATE, load, renew_heads
from models.training.network import Network

TWEETS, ENGLISH, COMMENTS, RUDE, FELT = 900, 800, 1000, 3000, 500
"""Ordinary tweets of each language, of English, comments; tweets labelled for insults, and for emotions."""
STRENGTH = {SEVERITY.name: 0.003, OFFENSIVE.name: 0.01, INTENT.name: 0.03, EMOTION.name: 0.01}
"""Inverse of the penalty, chosen by the folds below."""
TRUE = 12.0
"""A grave row counts like so many others."""
OURS = {SEVERITY.name: 6.0, OFFENSIVE.name: 15.0, INTENT.name: 5.0, EMOTION.name: 5.0}
"""How much one of our rows in eight languages counts; an ordinary one half as much beside grave ones."""
LOOKS_GRAVE = 0.01
"""This share of a language's tweets, which look gravest to a head fitted without them, teaches nothing: some are."""
FOLDS = 5
CALM = 0.05
"""So many ordinary tweets of a language may be called grave."""
RUDE_MARK = 0.27
"""From which probability on a text insults: two of three insults in the folds, 2 to 7 % of tweets."""
RIGHT = 0.5
"""A head that is right about no more of our rows in a language says nothing there."""
UNTOLD = ("hi",)
"""Languages in which nothing is called grave: in Hindi, half of it romanised, the blind rows showed a coin's toss (5 of
8 grave rows found, 10 of 18 ordinary ones called grave) where the folds had promised better."""
FITTED = (SEVERITY, OFFENSIVE, INTENT, EMOTION)
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text that is fitted on or judged by.

    Attributes:
        example: the text and what is known of it.
        language: its code.
        family: of one of our rows in eight languages; None for all others.
        kept: from fitting, to judge by.
    """

    example: Example
    language: str = "en"
    family: int | None = None
    kept: bool = False


def _ours(row: Labelled) -> Row:
    targets = {SEVERITY.name: marks(SEVERITY, row.labels)}
    if row.offensive is not None and row.emotion is not None:
        targets[OFFENSIVE.name] = (float(row.offensive),)
        targets[INTENT.name] = marks(INTENT, row.intent)
        targets[EMOTION.name] = marks(EMOTION, [row.emotion])
    example = Example(text=plain(row.text), targets=targets, weight={}, source="languages")
    return Row(example=example, language=row.language, family=row.family)


def _ordinary(text: str, code: str, *, civil: bool, kept: bool) -> Row:
    # Hardly anybody insults in a tweet that somebody called neutral or positive.
    targets = {SEVERITY.name: (0.0,) * len(SEVERITY.labels)} | ({OFFENSIVE.name: (0.0,)} if civil else {})
    return Row(example=Example(text=text, targets=targets, weight={}, source="tweets"), language=code, kept=kept)


def rows_of(data: Path) -> list[Row]:
    """Return everything that is fitted on or judged by; of XLM-T the training split alone."""
    found = [_ours(row) for row in labelled("fit")]
    for path in [*sorted(ROWS.glob("*-train.jsonl")), *sorted(ROWS.glob("*-dev.jsonl"))]:
        its = (each for each in own(path) if len(each.text.split()) <= WORDS)
        found += [Row(example=each, kept=path.stem.endswith("-dev")) for each in its]
    for code, split in splits(data).items():
        found += [_ordinary(row.text, code, civil=row.label > 0, kept=False) for row in split.train[:TWEETS]]
        found += [_ordinary(row.text, code, civil=row.label > 0, kept=True) for row in split.held]
    for at, each in enumerate(some(iter(english(data)), ENGLISH)):
        found.append(_ordinary(each.text, "en", civil=False, kept=at % 2 > 0))
    for each in some(comments(data / "goemotions" / "train.tsv"), COMMENTS):
        harmless = {**each.targets, SEVERITY.name: (0.0,) * len(SEVERITY.labels)}
        found.append(Row(example=Example(text=each.text, targets=harmless, weight={}, source="comments")))
    for name, count in (("offensive", RUDE), ("emotion", FELT)):
        found += [Row(example=each) for each in some(tweets(data / "tweeteval" / name, "train"), count)]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A head's rows and what the encoder makes of them.

    Attributes:
        head: whose.
        states: (rows, 384).
        wanted: (rows, labels), 0 or 1.
        rows: what they are.
    """

    head: Head
    states: Floats
    wanted: Mask
    rows: Sequence[Row]

    def weights(self, label: int) -> Floats:
        """Return how much each row counts for an answer."""
        ours = np.array([row.family is not None for row in self.rows])
        found = np.where(ours, OURS[self.head.name], 1.0)
        if self.head is SEVERITY:
            found = np.where(ours & ~self.wanted[:, label], found / 2, found)
            found = np.where(self.wanted[:, label], found * TRUE, found)
        return np.asarray(found, np.float64)

    def fitted(self, chosen: Mask) -> tuple[Floats, Floats]:
        """Return weights (labels, 384) and bias (labels,), fitted on some of the rows."""
        scaler = StandardScaler().fit(self.states[chosen])
        scaled, found = scaler.transform(self.states[chosen]), []
        for label in range(len(self.head.labels)):
            model = LogisticRegression(C=STRENGTH[self.head.name], max_iter=300)
            model.fit(scaled, self.wanted[chosen, label], sample_weight=self.weights(label)[chosen])
            found.append((model.coef_[0] / scaler.scale_, model.intercept_[0]))
        weight = np.array([each for each, _ in found])
        return weight, np.array([bias for _, bias in found]) - weight @ scaler.mean_

    def free(self) -> Mask:
        """Return which rows may be fitted on."""
        return np.array([not row.kept for row in self.rows])

    def folds(self) -> Floats:
        """Return the logits of our rows in eight languages by fits that had not seen their family; 0 elsewhere."""
        families = np.array([-1 if row.family is None else row.family % FOLDS for row in self.rows])
        found = np.zeros(self.wanted.shape)
        for fold in range(FOLDS):
            weight, bias = self.fitted(self.free() & (families != fold))
            found[families == fold] = self.states[families == fold] @ weight.T + bias
        return found

    def of(self, code: str, *, ours: bool) -> Mask:
        """Return our rows in a language, or the tweets of it that were kept from fitting."""
        return np.array([
            row.language == code and (row.family is not None if ours else row.kept and row.example.source == "tweets")
            for row in self.rows
        ])  # fmt: skip


def fit_of(head: Head, rows: Sequence[Row], states: Floats) -> Fit:
    """Return the rows that have a target for a head."""
    chosen = [at for at, row in enumerate(rows) if head.name in row.example.targets]
    wanted = np.array([rows[at].example.targets[head.name] for at in chosen]) > 0
    return Fit(head=head, states=states[chosen], wanted=wanted, rows=[rows[at] for at in chosen])


def without_grave(rows: Sequence[Row], states: Floats) -> Mask:
    """Return which rows stay when the tweets that look gravest to a head fitted without tweets are left out."""
    whole = fit_of(SEVERITY, rows, states)
    tweeted = np.array([row.example.source in {"tweets", "comments"} for row in whole.rows])
    weight, bias = whole.fitted(whole.free() & ~tweeted)
    looks = (states @ weight.T + bias).max(axis=1)
    stays = np.ones(len(rows), bool)
    for code in LANGUAGES:
        its = np.array([
            row.language == code and row.example.source == "tweets" and not row.kept for row in rows
        ])  # fmt: skip
        stays &= ~(its & (looks > np.quantile(looks[its], 1 - LOOKS_GRAVE)))
    return stays


def right(fit: Fit, said: Floats, code: str) -> float:
    """Return how much of our rows in a language a head was right about in the folds; of insults, how many it found."""
    its = fit.of(code, ours=True)
    if fit.head is OFFENSIVE:
        return float((sigmoid(said[its & fit.wanted[:, 0], 0]) >= RUDE_MARK).mean())
    return float(fit.wanted[its, said[its].argmax(axis=1)].mean())


def grave_marks(fit: Fit, weight: Floats, bias: Floats, folds: Floats) -> dict[str, float]:
    """Return by language from which probability on a matter is called grave; say what the folds found with it."""
    found, every = {}, (fit.states @ weight.T + bias).max(axis=1)
    for code in LANGUAGES:
        border = float(np.quantile(every[fit.of(code, ours=False)], 1 - CALM))
        mark = float(np.ceil(sigmoid(np.array(border)) * 100) / 100)
        its = fit.of(code, ours=True)
        told = sigmoid(folds[its].max(axis=1)) >= mark
        truth = fit.wanted[its].any(axis=1)
        print(f"{code}: mark {mark}, folds: {told[truth].mean():.2f} found, {told[~truth].mean():.2f} of ordinary rows")
        found[code] = mark
    return found


def silences(shares: Mapping[str, Mapping[str, float]]) -> dict[str, list[str]]:
    """Return by language the heads that say nothing there; where a language is unknown, all but grave matters.

    Args:
        shares: by head and language, how much it was right about in the folds.
    """
    found = {code: [SEVERITY.name] for code in UNTOLD}
    for head, by_language in shares.items():
        for code, share in by_language.items():
            if share <= RIGHT:
                found.setdefault(code, []).append(head)
    return {code: sorted(heads) for code, heads in found.items()} | {"unknown": sorted(shares)}


def fit_all(network: Network, rows: Sequence[Row], states: Floats) -> dict[str, object]:
    """Put four new heads into the network; return the settings that go with them."""
    at = dict(places(HEADS))
    said = {EMOTION.name: dict.fromkeys(EMOTION.labels, 0.5), OFFENSIVE.name: {OFFENSIVE.labels[0]: RUDE_MARK}}
    shares: dict[str, dict[str, float]] = {}
    grave: dict[str, float] = {}
    for head in FITTED:
        fit = fit_of(head, rows, states)
        weight, bias = fit.fitted(fit.free())
        folds = fit.folds()
        network.head.weight.data[at[head]] = torch.tensor(weight, dtype=torch.float32)
        network.head.bias.data[at[head]] = torch.tensor(bias, dtype=torch.float32)
        if head is SEVERITY:
            grave = grave_marks(fit, weight, bias, folds)
            said[head.name] = dict.fromkeys(head.labels, float(np.median(list(grave.values()))))
            continue
        shares[head.name] = {code: right(fit, folds, code) for code in LANGUAGES}
        print(head.name, {code: round(share, 2) for code, share in shares[head.name].items()}, flush=True)
        if head is INTENT:
            said[head.name] = _balanced(fit, weight, bias)
    by_language = {code: mark for code, mark in grave.items() if code not in UNTOLD}
    return {
        "marks": {head.name: said[head.name] for head in (EMOTION, OFFENSIVE, INTENT, SEVERITY)},
        "marks_of": {
            code: {SEVERITY.name: dict.fromkeys(SEVERITY.labels, mark)} for code, mark in by_language.items()
        },
        "quiet": silences(shares),
    }  # fmt: skip


def main() -> int:
    """Fit four heads; keep the weights; write heads and marks into the bundle."""
    torch.set_num_threads(1)
    network, rows = load(), rows_of(data_directory())
    states = vectors(network, [row.example.text for row in rows])
    stays = without_grave(rows, states)
    made = fit_all(network, [row for row, kept in zip(rows, stays, strict=True) if kept], states[stays])
    save_file(network.state_dict(), STATE)
    print(f"bundle revision {renew_heads(network)}")
    write_config({**read_config(SEVERAL), **made}, SEVERAL)
    return 0


def _balanced(fit: Fit, weight: Floats, bias: Floats) -> dict[str, float]:
    """Return marks by our English rows of writers who were not fitted on."""
    kept = ~fit.free()
    judged = Judged(logits=fit.states[kept] @ weight.T + bias, wanted=fit.wanted[kept].astype(float), writers=())
    return {label: mark_of_balance(judged, at) for at, label in enumerate(fit.head.labels)}


if __name__ == "__main__":
    sys.exit(main())
