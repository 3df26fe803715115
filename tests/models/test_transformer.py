"""The scorer for checkpoints: what it says without torch, and what it does with a tiny checkpoint made here."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import models.transformer
from listener.core.errors import Rejected, SettingsError
from listener.core.protocols import Scorer
from listener.core.tools import Tools
from listener.testing import check_scorer
from models.transformer import Transformer, TransformerOptions

TOOLS = Tools(http=None, clock=lambda: datetime(2026, 11, 1, tzinfo=UTC))
HAS_TORCH = importlib.util.find_spec("torch") is not None
with_torch = pytest.mark.skipif(not HAS_TORCH, reason="torch is not installed; see models/README.md")

STARS: Mapping[str, Any] = {
    "1 star": "negative",
    "2 stars": "negative",
    "3 stars": "neutral",
    "4 stars": "positive",
    "5 stars": "positive",
}


def make(model: str, **options: Any) -> Transformer:
    return Transformer(TransformerOptions(model=model, **options), TOOLS)


def test_building_reads_nothing() -> None:
    scorer = make("someone/some-model", revision="abc123")
    assert scorer.name == "someone/some-model@abc123"
    assert isinstance(scorer, Scorer)


def test_importing_it_imports_no_library() -> None:
    code = "import sys, models.transformer; print({'torch', 'transformers', 'tokenizers'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(Path(models.transformer.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_torch_it_says_which_command_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Rejected, match=r"pip install 'listener\[torch\]'"):
        make("someone/some-model").load()


def test_a_label_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(SettingsError, match="'angry'"):
        make("m", labels={"LABEL_0": "angry"})


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"batch": 0}, {"longest": 2}, {"threshold": 1.5}])
def test_a_number_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="must be at least"):
        make("m", **wrong)


def _checkpoint(directory: Path, labels: list[str]) -> str:
    """Write a tiny checkpoint whose answers are random but fixed."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "awful", "lovely", "shop", "the", ".", "@", "user", "http"]
    (directory / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(directory / "vocab.txt")).save_pretrained(directory)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32, initializer_range=0.5, id2label=dict(enumerate(labels)),
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(directory)
    return str(directory)


@with_torch
def test_a_checkpoint_is_read_with_its_labels_mapped_and_added_up(tmp_path: Path) -> None:
    scorer = make(_checkpoint(tmp_path, list(STARS)), labels=STARS)
    verdicts = scorer.read(["awful shop.", "", "lovely " * 200, "\ud800 the shop"])
    assert verdicts[0].parts == 1
    assert verdicts[2].parts > 5
    assert (verdicts[1].certainty, verdicts[1].confidence) == ("unsure", 0.0)
    for verdict in verdicts:
        found = verdict.probabilities
        assert found.negative + found.neutral + found.positive == pytest.approx(1, abs=1e-4)
    assert scorer.name == f"transformer:{tmp_path.name}"


@with_torch
def test_a_checkpoint_keeps_the_contract_of_scorers(tmp_path: Path) -> None:
    where = _checkpoint(tmp_path, ["negative", "neutral", "positive"])
    check_scorer(lambda tools: Transformer(TransformerOptions(model=where), tools))


@with_torch
def test_order_is_kept_whatever_the_lengths(tmp_path: Path) -> None:
    scorer = make(_checkpoint(tmp_path, ["Negative", "Neutral", "Positive"]), batch=3)
    texts = ["lovely " * (1 + number * 5 % 20) for number in range(20)]
    together = scorer.read(texts)
    for text, verdict in zip(texts, together, strict=True):
        assert scorer.read([text])[0].confidence == pytest.approx(verdict.confidence, abs=1e-4)


@with_torch
def test_labels_that_are_not_mapped_are_named(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="LABEL_A, LABEL_B"):
        make(_checkpoint(tmp_path, ["LABEL_A", "LABEL_B"])).load()


@with_torch
def test_offline_a_checkpoint_that_is_not_there_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no checkpoint on this disk"):
        make(str(tmp_path / "none")).load()
