"""A first network, trained on the tweets' sentiment alone, and what it says of tweets without such a label.

Run as `python -m models.training.teach` after `.crossvalidate`; `.mixture` takes its probabilities as soft targets.
Keeps the weights in `.train/teacher.safetensors` and the probabilities in `.train/taught.json`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from models._heads import SENTIMENT, places, width
from models.training.data import data_directory, read_rows, refuse_overlap
from models.training.examples import ALL, tweets
from models.training.fit import Recipe, encode, fit, judge, load_tokenizer
from models.training.mixture import moods
from models.training.network import Network
from models.training.weights import WORK, base_weights

STATE = WORK / "teacher.safetensors"
TAUGHT = WORK / "taught.json"
PLACE = next(place for head, place in places(ALL) if head is SENTIMENT)


def unlabelled(data: Path) -> list[str]:
    """Return the tweets that other sets hold: offensive, with an emotion, ironic or not."""
    return [
        each.text for kind in ("offensive", "emotion", "irony") for each in tweets(data / "tweeteval" / kind, "train")
    ]


def probabilities(state: Path, texts: Sequence[str]) -> list[list[float]]:
    """Return what the saved network says of each text's sentiment."""
    network = Network(width(ALL))
    network.load_state_dict(load_file(state))
    encoded = encode(load_tokenizer(base_weights() / "tokenizer.json", Recipe().longest), texts)
    logits, _ = judge(network.eval(), encoded)
    found: list[list[float]] = torch.softmax(logits[:, PLACE], dim=-1).tolist()
    return found


def main() -> int:
    """Train the teacher unless it is there; let it judge the tweets that have no sentiment."""
    data = data_directory()
    if not STATE.is_file():
        rows = read_rows(data / "semeval" / "train.jsonl")
        refuse_overlap(rows, read_rows(data / "semeval" / "dev.jsonl"))
        save_file(fit(moods(rows), base_weights(), Recipe(), lambda line: print(line, flush=True)).state_dict(), STATE)
    texts = unlabelled(data)
    said = zip(texts, probabilities(STATE, texts), strict=True)
    TAUGHT.write_text(json.dumps({text: [round(each, 4) for each in found] for text, found in said}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
