"""Fit the multilingual map from the trained encoder's states to meanings: what the whole base says of the same texts.

Run as `python -m models.training.multi_meaning` after `.multi_grave`.  As `models.training.meaning`, in eight
languages: the base is multilingual-e5-small with all its layers and its whole vocabulary.  Its vectors lie in a narrow
cone, and those of a language beside each other: what sets a language apart is told by stories that our own rows tell in
all of them, and taken away.  Rewrites the map in the bundle and nothing else.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from models._heads import width
from models._text import plain
from models.training.data import data_directory, read_rows
from models.training.examples import ALL, ROWS, own
from models.training.export import bundle_tensors
from models.training.fit import encode, load_tokenizer
from models.training.meaning import fitted, rewrite, states
from models.training.mixture import kept_back
from models.training.multi_base import TOKENIZER, WEIGHTS, base_weights, source, tensors_of
from models.training.multi_own import labelled
from models.training.multi_rows import splits
from models.training.multi_train import RECIPE, SEVERAL, STATE, load
from models.training.network import Network, published_name

BELOW = (0, 4, 7)
"""Layers beside the last: the words alone, the last of those that were held still, and one above. With all twelve
topics are found worse (EXPERIMENTS.md, m15); one layer more than these would fill the bundle's 30 MB."""
TWEETS, ENGLISH = 800, 1500
"""Of each other language, and English ones, beside our own rows."""
ASKED = "query: "
"""What the base was taught to read before a text that is compared with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that is fitted on.

    Attributes:
        text: cleaned.
        language: its code.
        story: whether it tells what some text in every other language tells too.
    """

    text: str
    language: str
    story: bool = False


def texts(data: Path) -> list[Text]:
    """Return what is fitted on; nothing is judged by any of it."""
    found = [Text(text=plain(row.text), language=row.language, story=True) for row in labelled("fit")]
    for code, split in splits(data).items():
        # Hardly any English ones are left, and English has enough others.
        its = [row.text for row in split.train] if code != "en" else []
        random.Random(5).shuffle(its)
        found += [Text(text=text, language=code) for text in its[:TWEETS]]
    mine = [plain(each.text) for path in sorted(ROWS.glob("*-train.jsonl")) for each in own(path)]
    rows = read_rows(data / "semeval" / "train.jsonl")
    english = [row.text for row, kept in zip(rows, kept_back(rows), strict=True) if not kept]
    random.Random(5).shuffle(english)
    return found + [Text(text=text, language="en") for text in dict.fromkeys([*mine, *english[:ENGLISH]])]


def whole_base() -> Network:
    """Return the base with all its layers and its whole vocabulary."""
    found = tensors_of(source(WEIGHTS).read_bytes())
    layers = sum(name.endswith("query.bias") for name in found)
    network = Network(width(ALL), layers=layers, vocabulary=len(found[published_name("words.weight")]))
    state = network.state_dict()
    for name in state:
        if not name.startswith(("head.", "meaning.")):
            state[name] = torch.from_numpy(found[published_name(name)])
    network.load_state_dict(state)
    return network.eval()


def apart(wanted: np.ndarray, chosen: Sequence[Text]) -> np.ndarray:
    """Return directions without what all have in common, and without what sets their language apart, (texts, 384).

    Args:
        wanted: what the base says of the texts.
        chosen: the texts, of each language at least one story.
    """
    found: np.ndarray = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
    told, story = np.array([each.language for each in chosen]), np.array([each.story for each in chosen])
    for code in sorted(set(told)):
        found[told == code] -= found[story & (told == code)].mean(axis=0)
    return found - found.mean(axis=0)


def main() -> int:
    """Fit the map and write it, if the float weights at hand are those of the bundle."""
    torch.set_num_threads(1)
    network = load()
    mine = bundle_tensors({name: found.numpy() for name, found in network.state_dict().items()}, RECIPE.longest)
    shipped = load_file(SEVERAL / "weights.safetensors")
    # The vocabulary is stored in the four bits that it came in.
    strange = [
        name
        for name in mine
        if not name.startswith(("meaning.", "words.")) and not np.array_equal(mine[name], shipped[name])
    ]
    if strange:
        raise SystemExit(f"{STATE} is not what the bundle was made of: {', '.join(strange[:3])}")
    chosen = texts(data_directory())
    said = [each.text for each in chosen]
    tokenizer = load_tokenizer(base_weights(()) / "tokenizer.json", RECIPE.longest)
    seen = states(network, encode(tokenizer, said), (*BELOW, len(network.layers)))
    whole = whole_base()
    asked = encode(load_tokenizer(source(TOKENIZER), RECIPE.longest), [ASKED + text for text in said])
    wanted = apart(states(whole, asked, (len(whole.layers),)), chosen)
    print(f"{len(chosen)} texts; bundle revision {rewrite(fitted(seen, wanted), BELOW, SEVERAL)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
