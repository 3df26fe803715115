"""Fit the multilingual heads of few rows anew, on the trained encoder held still.

Run as `python -m models.training.multi_heads` after `.multi_train`: seen once among tweets, the rows for intent,
severity, insult and emotion left their heads unsure.  A logistic regression an answer takes a minute.
"""

import copy
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models._heads import HEADS, SENTIMENT, SEVERITY, Head, places
from models.training.borders import Floats
from models.training.data import data_directory
from models.training.examples import ROWS, Example, own, some
from models.training.fit import encode, judge, load_tokenizer
from models.training.mixture import WORDS, others
from models.training.multi_base import base_weights
from models.training.multi_rows import splits, tweets
from models.training.multi_train import RECIPE, STATE, export, load
from models.training.network import Network
from models.training.teach import TAUGHT

TEXTS, TWEETS = 7000, 1500
"""Rows of other sources than our own, and tweets in other languages, which stand for texts that are not grave."""
STRENGTH = 0.03
"""Inverse of the penalty: low, since few rows have to carry over to other languages."""


def examples(data: Path) -> list[Example]:
    """Return our own training rows once, some of the other English ones, and tweets in other languages as not grave."""
    mine = [
        each for path in sorted(ROWS.glob("*-train.jsonl")) for each in own(path) if len(each.text.split()) <= WORDS
    ]
    sources = {each.source for each in mine}
    said = json.loads(TAUGHT.read_text(encoding="utf-8"))
    rest = [each for each in others(data, said) if each.source not in sources and set(each.targets) - {SENTIMENT.name}]
    harmless = [
        Example(text=each.text, targets={SEVERITY.name: (0.0,) * len(SEVERITY.labels)}, weight={}, source=code)
        for code, split in splits(data).items()
        for each in tweets(split.train, code)
    ]
    return [*mine, *some(iter(rest), TEXTS), *some(iter(harmless), TWEETS)]


def vectors(network: Network, texts: Sequence[str]) -> Floats:
    """Return the mean state of each text (texts, 384)."""
    plain = copy.deepcopy(network)
    torch.nn.init.eye_(plain.meaning.weight)
    tokenizer = load_tokenizer(base_weights(()) / "tokenizer.json", RECIPE.longest)
    found: Floats = judge(plain, encode(tokenizer, texts))[1].double().numpy()
    return found


def fitted(found: Floats, wanted: Floats, scaler: StandardScaler) -> tuple[Floats, float]:
    """Return weights and bias of one answer, for vectors as they are."""
    model = LogisticRegression(C=STRENGTH, max_iter=300).fit(scaler.transform(found), wanted > 0)
    weight = model.coef_[0] / scaler.scale_
    return weight, float(model.intercept_[0] - (weight * scaler.mean_).sum())


def refit(network: Network, head: Head, place: slice, rows: Sequence[Example], found: Floats) -> None:
    """Fit each answer of a head on the rows that have a target for it."""
    chosen = [at for at, each in enumerate(rows) if head.name in each.targets]
    wanted = np.array([rows[at].targets[head.name] for at in chosen])
    scaler = StandardScaler().fit(found[chosen])
    for at in range(len(head.labels)):
        weight, bias = fitted(found[chosen], wanted[:, at], scaler)
        network.head.weight.data[place.start + at] = torch.tensor(weight, dtype=torch.float32)
        network.head.bias.data[place.start + at] = bias
    print(f"{head.name}: {len(chosen)} rows, {wanted.sum(axis=0).astype(int).tolist()} with each answer", flush=True)


def main() -> int:
    """Fit all heads but the sentiment; keep the weights; write the bundle."""
    torch.set_num_threads(1)
    network = load()
    rows = examples(data_directory())
    found = vectors(network, [each.text for each in rows])
    for head, place in places(HEADS):
        if head is not SENTIMENT:
            refit(network, head, place, rows, found)
    save_file(network.state_dict(), STATE)
    print(f"bundle revision {export()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
