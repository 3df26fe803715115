"""Rows that the network was not trained on, by domain, and what it says of them.

Called by `models.training.calibrate` (development rows) and `.quality` (test rows). Of our own rows' writers every
other one is for the first, the rest for the second.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from models._heads import OFFENSIVE, SENTIMENT, width
from models.training.borders import Judged
from models.training.data import Row, read_rows
from models.training.examples import ALL, ROWS, Example, comments, marks, own, reviews, some, tweets
from models.training.fit import Recipe, load_tokenizer, logits_of
from models.training.mixture import kept_back
from models.training.network import Network
from models.training.weights import base_weights

COMMENTS = 2000
"""So many comments are judged, drawn by a seed: as many as there are development tweets."""


def tweets_kept_back(data: Path) -> Iterator[Example]:
    """Yield the tweets that were kept from training."""
    rows = read_rows(data / "semeval" / "train.jsonl")
    return _tweets([row for row, is_kept_back in zip(rows, kept_back(rows), strict=True) if is_kept_back])


def _tweets(rows: Iterable[Row]) -> Iterator[Example]:
    for row in rows:
        targets = {SENTIMENT.name: marks(SENTIMENT, [SENTIMENT.labels[row.label]])}
        yield Example(text=row.text, targets=targets, weight={}, source="semeval")


def development(data: Path) -> Mapping[str, list[Example]]:
    """Return the rows that thresholds may be chosen by, by domain; the development tweets are not among them."""
    return {
        "tweets": list(tweets_kept_back(data)),
        "comments": some(comments(data / "goemotions" / "dev.tsv"), COMMENTS),
        "films": list(reviews(data / "sst5" / "dev.txt")),
        "own": [each for each in own_rows() if each.writer not in judges()],
        "offensive": [*tweets(data / "tweeteval" / "offensive", "val"), *_civil()],
    }


def _civil() -> Iterator[Example]:
    # Complaints share many words with insults; in our own rows hardly anybody insults.
    for each in own_rows():
        if each.writer not in judges():
            yield replace(each, targets={OFFENSIVE.name: (0.0,)})


def own_rows() -> list[Example]:
    """Return our own rows whose writers were not trained on."""
    return [each for path in sorted(ROWS.glob("*-dev.jsonl")) for each in own(path)]


def judges() -> set[str]:
    """Return the writers by whose rows the bundle is judged: every other one of those that were not trained on."""
    return set(sorted({each.writer for each in own_rows()})[1::2])


def tests(data: Path) -> Mapping[str, list[Example]]:
    """Return the rows that decided nothing, by domain."""
    own_tests = [each for each in own_rows() if each.writer in judges()]
    return {
        "tweets": list(_tweets(read_rows(data / "semeval" / "dev.jsonl"))),
        "Reddit comments": some(comments(data / "goemotions" / "test.tsv"), COMMENTS),
        "film review sentences": list(reviews(data / "sst5" / "test.txt")),
        "own: messages to brands": [each for each in own_tests if each.source != "sentiment"],
        "own: hard cases": [each for each in own_tests if each.source == "sentiment"],
        "offensive tweets": list(tweets(data / "tweeteval" / "offensive", "val")),
    }


def load(state: Path) -> Network:
    """Load saved float weights."""
    network = Network(width(ALL))
    network.load_state_dict(load_file(state))
    return network.eval()


def judged(network: Network, examples: Sequence[Example], base: Path | None = None) -> dict[str, Judged]:
    """Return by head what the network says of the examples that have a target for it.

    Args:
        network: trained.
        examples: texts and what is known of them.
        base: directory with the tokenizer, where it is not the English one.
    """
    tokenizer = load_tokenizer((base or base_weights()) / "tokenizer.json", Recipe().longest)
    logits = logits_of(network, tokenizer, [each.text for each in examples])
    found = {}
    for head in ALL:
        chosen = [at for at, each in enumerate(examples) if head.name in each.targets]
        if chosen:
            found[head.name] = Judged(
                logits=logits[head.name][chosen].double().numpy(),
                wanted=np.array([examples[at].targets[head.name] for at in chosen]),
                writers=tuple(examples[at].writer for at in chosen),
            )
    return found
