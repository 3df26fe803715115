"""The map to meanings is put into a bundle whole, and nothing else changes. Needs the training's libraries."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from safetensors.numpy import load_file, save_file

from models.training.meaning import fitted, rewrite
from models.training.multi_meaning import Text, apart

BUNDLE = {"head.weight": np.ones((2, 4), np.float32), "meaning.weight": np.ones((4, 4), np.int8)}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    directory = tmp_path / "bundle"
    directory.mkdir()
    save_file(BUNDLE, directory / "weights.safetensors")
    config = {"revision": "old", "near": 0.2, "files": {"weights.safetensors": "x", "tokenizer.json": "y"}}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return directory


def test_a_map_that_lies_in_memory_by_columns_is_written_as_it_is(bundle: Path) -> None:
    wanted = np.arange(1, 49, dtype=np.float32).reshape(12, 4).T
    revision = rewrite(wanted, (0, 3), bundle)
    found = load_file(bundle / "weights.safetensors")
    assert np.abs(found["meaning.weight"] * found["meaning.scale"][:, None] - wanted).max() < 0.2
    assert (found["head.weight"] == BUNDLE["head.weight"]).all()
    config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    assert (config["revision"], config["meant"], config["near"]) == (revision, [0, 3], 0.2)
    assert config["files"]["weights.safetensors"].startswith(revision)
    assert {path.name for path in bundle.iterdir()} == {"weights.safetensors", "config.json"}
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


def test_a_map_finds_the_directions_that_states_were_made_from() -> None:
    dice = np.random.default_rng(1)
    states, hidden = dice.standard_normal((400, 6)), dice.standard_normal((6, 3))
    found = states @ fitted(states, states @ hidden).T
    wanted = states @ hidden
    cosines = (found * wanted).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    assert np.median(cosines) > 0.99


def test_a_story_points_the_same_way_in_every_language_once_these_are_told_apart_by_stories() -> None:
    stories = np.random.default_rng(2).standard_normal((6, 4))
    stories /= np.linalg.norm(stories, axis=1, keepdims=True)
    english, german = np.tile([2.0, 0.0], (6, 1)), np.tile([0.0, 2.0], (6, 1))
    wanted = np.concatenate([np.hstack([stories, english]), np.hstack([stories, german])])
    # The last of each language is no story: what people tweet of differs between languages.
    wanted[-1, :4] = -wanted[-1, :4]
    chosen = [Text(text="", language=code, story=at < 5) for code in ("en", "de") for at in range(6)]
    found = apart(wanted, chosen)
    assert found[:5] == pytest.approx(found[6:11])
    assert found[5, 4:] == pytest.approx(found[11, 4:])
    assert found[5, :4] != pytest.approx(found[11, :4])
    assert found.mean(axis=0) == pytest.approx(0)
