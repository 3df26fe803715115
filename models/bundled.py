"""The scorer that comes along: a small English transformer, run by OpenVINO, without network, GPU or torch.

Found by the entry point `bundled` in `listener.scorers`; called by `listener.pipeline.judge`.  Its weights stand in the
directory `bundled/` beside this file, what they are good for in `bundled/MODEL_CARD.md`.
"""

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from listener.core.errors import Rejected, SettingsError
from listener.core.sentiment import LABELS, Label, Probabilities, Verdict, unreadable
from listener.core.tools import Tools
from models._answers import answers_of, signed
from models._familiar import is_familiar
from models._pack import fill_rows, pack
from models._parts import parts_of
from models._text import cut, mask

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from models._graph import Encoder

Floats = NDArray[np.float32]

_DIRECTORY = Path(__file__).with_name("bundled")
_ENDS = (".", "!", "?", "…", "。", "！", "？")
_ROWS = 12
"""Rows of 80 tokens run at once: about 32 tweets; more is no faster and takes more memory."""
_TEXTS = 256
"""Texts held as tokens at once, so that memory does not grow with the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledOptions:
    """Settings of the bundled scorer.

    Attributes:
        threads: processor threads; one is best, since other steps need the other cores.
        precision: how to multiply: `auto` for the fastest on this processor, or `int8`, `bf16`, `f32`.
    """

    threads: int = 1
    precision: Literal["auto", "int8", "bf16", "f32"] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The bundle's `config.json`.

    Attributes:
        language: what the weights read, as in "en".
        revision: first digits of the weights' SHA-256.
        width, heads, layers, epsilon: the encoder's dimensions.
        longest: tokens in a part, the two framing ones included.
        temperature: what the sentiment's logits are divided by, so that probabilities are true.
        bias: what is added to them then, by label.
        thresholds: for each label the probability from which on a verdict is confident.
        marks: for each label of the other heads the probability from which on it is said.
        outputs: the heads and their labels in the order of the outputs.
        files: SHA-256 of the weights and the tokenizer.
        labels: of the sentiment, in the order of its outputs.
    """

    language: str
    revision: str
    labels: tuple[str, ...]
    width: int
    heads: int
    layers: int
    epsilon: float
    longest: int
    temperature: float
    bias: tuple[float, ...]
    thresholds: dict[str, float]
    marks: dict[str, dict[str, float]]
    outputs: dict[str, list[str]]
    files: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """One text on its way through the encoder."""

    parts: tuple[tuple[int, ...], ...]
    familiar: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """Everything that takes time and memory."""

    tokenizer: "Tokenizer"
    encoder: "Encoder"
    words: NDArray[np.int8]
    scales: Floats
    positions: Floats
    ends: frozenset[int]
    frame: tuple[int, int]
    continuing: frozenset[int]
    unknown: int


class Bundled:
    """Judges English texts with the bundled weights.

    Nothing is loaded before the first `read` or an explicit `load()`; both take under two seconds.  Every text is
    read: names and links are masked, a text over 8,000 characters is read from both ends, one over 78 tokens in
    parts (see `models._parts.together`).  A verdict is confident when the probability of its label reaches the
    bundle's threshold for that label and the text looks like English (see `models._familiar`); else it is unsure.
    """

    Options: ClassVar[type[BundledOptions]] = BundledOptions

    def __init__(self, options: BundledOptions, tools: Tools) -> None:
        """Keep the options; load nothing.

        Args:
            options: how to run.
            tools: unused, since the bundle needs neither network nor secrets.

        Raises:
            SettingsError: fewer threads than one.
        """
        if options.threads < 1:
            raise SettingsError(f"threads is {options.threads}, but must be at least 1", resource="scorer bundled")
        self._options = options
        self._config: Config | None = None
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Name and revision, as in "bundled-en@1f3a9c0b2d4e".

        Raises:
            Rejected: the bundle is damaged.
        """
        return f"bundled-{self.config.language}@{self.config.revision}"

    @property
    def config(self) -> Config:
        """The bundle's configuration, read once.

        Raises:
            Rejected: the bundle is damaged.
        """
        if self._config is None:
            self._config = _read_config(_DIRECTORY / "config.json")
        return self._config

    @property
    def precision(self) -> str:
        """How this processor multiplies: int8, bf16 or f32; loads the model."""
        return self._ready().encoder.precision

    def load(self) -> None:
        """Load now what the first `read` would load.

        Raises:
            Rejected: the bundle is damaged or OpenVINO is missing.
        """
        self._ready()

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts.

        Args:
            texts: any strings whatever.

        Returns:
            As many verdicts in the same order. A text without a readable token is unsure with confidence 0.

        Raises:
            Rejected: the bundle is damaged or OpenVINO is missing; never for odd text.
        """
        loaded = self._ready()
        verdicts: list[Verdict] = []
        for start in range(0, len(texts), _TEXTS):
            prepared = self._prepare(loaded, texts[start : start + _TEXTS])
            verdicts.extend(self._judge(loaded, prepared))
        return verdicts

    def _ready(self) -> _Loaded:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _load(_DIRECTORY, self.config, self._options)
        return self._loaded

    def _prepare(self, loaded: _Loaded, texts: Sequence[str]) -> list[_Text]:
        masked = [mask(cut(text)) for text in texts]
        encoded = loaded.tokenizer.encode_batch(masked, add_special_tokens=False)
        room = self.config.longest - len(loaded.frame)
        first, last = loaded.frame
        prepared = []
        for text, found in zip(masked, encoded, strict=True):
            says_something = any(token != loaded.unknown for token in found.ids)
            pieces = parts_of(found.ids, room, loaded.ends) if says_something else ()
            prepared.append(
                _Text(
                    parts=tuple((first, *piece, last) for piece in pieces),
                    familiar=is_familiar(text, found.ids, loaded.continuing, loaded.unknown),
                )
            )
        return prepared

    def _judge(self, loaded: _Loaded, texts: Sequence[_Text]) -> list[Verdict]:
        parts = [part for text in texts for part in text.parts]
        logits, meanings = self._outputs(loaded, parts)
        verdicts, start = [], 0
        for text in texts:
            stop = start + len(text.parts)
            verdicts.append(self._verdict(text, logits[start:stop], meanings[start:stop]))
            start = stop
        return verdicts

    def _outputs(self, loaded: _Loaded, parts: Sequence[tuple[int, ...]]) -> tuple[Floats, Floats]:
        logits = np.empty((len(parts), sum(map(len, self.config.outputs.values()))), np.float32)
        meanings = np.empty((len(parts), self.config.width), np.float32)
        rows = fill_rows([len(part) for part in parts], self.config.longest)
        for start in range(0, len(rows), _ROWS):
            chosen = rows[start : start + _ROWS]
            packed = pack([[parts[part] for part in row] for row in chosen])
            words = loaded.words[packed.tokens] * loaded.scales[packed.tokens][:, :, None]
            states = words + loaded.positions[packed.positions]
            said, meant = loaded.encoder.run(states, packed.blocked, packed.pool)
            for number, row in enumerate(chosen):
                logits[row], meanings[row] = said[number, : len(row)], meant[number, : len(row)]
        return logits, meanings

    def _verdict(self, text: _Text, logits: Floats, meanings: Floats) -> Verdict:
        if not text.parts:
            return unreadable(self.name)
        lengths = [len(part) for part in text.parts]
        config = self.config
        bias = np.asarray(config.bias, np.float32)
        found = answers_of(logits, lengths, temperature=config.temperature, bias=bias, marks=config.marks)
        negative, neutral, positive = (float(found.sentiment[config.labels.index(label)]) for label in LABELS)
        probabilities = Probabilities(negative=negative, neutral=neutral, positive=positive)
        label: Label = probabilities.label
        sure = text.familiar and probabilities.confidence >= config.thresholds[label]
        return Verdict(
            probabilities=probabilities,
            label=label,
            confidence=probabilities.confidence,
            certainty="confident" if sure else "unsure",
            scorer=self.name,
            parts=len(text.parts),
            emotion=found.emotion,
            intent=found.intent,
            offensive=found.offensive,
            severity=found.severity,
            embedding=signed(meanings, lengths),
        )


def _read_config(path: Path) -> Config:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Config(**{**found, "labels": tuple(found["labels"]), "bias": tuple(found["bias"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(path) from error


def _verified(directory: Path, name: str, config: Config) -> bytes:
    try:
        content = (directory / name).read_bytes()
    except OSError as error:
        raise _damaged(directory / name) from error
    # The tokenizer's library raises bare exceptions on a damaged file, so none is handed to it.
    if hashlib.sha256(content).hexdigest() != config.files.get(name):
        raise _damaged(directory / name)
    return content


def _damaged(path: Path) -> Rejected:
    return Rejected(f"{path} is missing or damaged: install Listener again", resource="scorer bundled")


def _load(directory: Path, config: Config, options: BundledOptions) -> _Loaded:
    # The tokenizer would start a thread for each core; one batch of it takes milliseconds.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from safetensors.numpy import load
        from tokenizers import Tokenizer

        from models._graph import Encoder, Shape, best_precision, processor_flags
    except ImportError as error:
        message = f"{error.name} is missing: install Listener again with its dependencies"
        raise Rejected(message, resource="scorer bundled") from error
    tensors = load(_verified(directory, "weights.safetensors", config))
    tokenizer: Tokenizer = Tokenizer.from_str(_verified(directory, "tokenizer.json", config).decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    shape = Shape(width=config.width, heads=config.heads, layers=config.layers, epsilon=config.epsilon)
    precision = best_precision(processor_flags()) if options.precision == "auto" else options.precision
    vocabulary = tokenizer.get_vocab()
    number = vocabulary.__getitem__
    return _Loaded(
        tokenizer=tokenizer,
        encoder=Encoder(tensors, shape, precision=precision, threads=options.threads),
        words=tensors["words.weight"],
        scales=tensors["words.scale"],
        positions=tensors["positions"],
        ends=frozenset(number(mark) for mark in _ENDS),
        frame=(number("[CLS]"), number("[SEP]")),
        continuing=frozenset(at for word, at in vocabulary.items() if word.startswith("##")),
        unknown=number("[UNK]"),
    )
