"""One bundle of weights on the disk: its configuration, and the way of a text through its tokenizer, encoder and heads.

Called by `models.bundled`, which keeps one for English and one for several languages.
"""

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from listener.core.errors import Rejected
from listener.core.meaning import Space
from listener.core.sentiment import LABELS, Label, Probabilities, Verdict, unreadable
from listener.core.topic import THRESHOLD
from models._answers import answers_of, signed
from models._pack import fill_rows, pack
from models._parts import parts_of
from models._text import mask, plain
from models._weights import Weights
from models._words import Words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from models._graph import Encoder

Floats = NDArray[np.float32]
Precision = Literal["auto", "int8", "bf16", "f32"]

_ENDS = (".", "!", "?", "…", "...", "。", "！", "？", "؟", "।")
_ROWS = 12
"""Rows of 80 tokens run at once: about 32 tweets; more is no faster and takes more memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The bundle's `config.json`.

    Attributes:
        language: what the weights are for, as in "en" or "multi".
        languages: those that the weights read.
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
        frame: the tokens before and after a text.
        silent: tokens that say nothing; the first one stands for all that is unknown.
        spoken: whether emoji are read as a word of their mood, because the tokenizer knows none.
        marks_of: by language the marks of heads that have others there.
        quiet: by language (or "unknown") the heads that say nothing there, since they are wrong too often.
        meant: layers below the last whose mean states the meaning is made of too, 0 being the words alone; what a text
            is about stands more plainly there than where the last layer made up its mind about the mood.
        near: from which nearness on a text touches a topic, in this bundle's space of meaning; chosen with
            `tests/bench/bench_topics.py --sweep`.
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
    languages: tuple[str, ...] = ("en",)
    frame: tuple[str, ...] = ("[CLS]", "[SEP]")
    silent: tuple[str, ...] = ("[UNK]",)
    spoken: bool = True
    quiet: dict[str, list[str]] = field(default_factory=dict)
    marks_of: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    meant: tuple[int, ...] = ()
    near: float = THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """One text on its way through the encoder."""

    parts: tuple[tuple[int, ...], ...]
    language: str
    familiar: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """Everything that takes time and memory."""

    tokenizer: "Tokenizer"
    encoder: "Encoder"
    weights: Weights
    words: Words
    positions: Floats
    ends: frozenset[int]
    frame: tuple[int, ...]
    silent: frozenset[int]
    unknown: int


class Bundle:
    """Weights and what turns them into verdicts; loads nothing before it is needed."""

    def __init__(self, directory: Path, *, precision: Precision, threads: int) -> None:
        """Keep where the files are.

        Args:
            directory: with `config.json`, `weights.safetensors` and `tokenizer.json`.
            precision: how to multiply; `auto` for the fastest on this processor.
            threads: processor threads.
        """
        self._directory = directory
        self._precision = precision
        self._threads = threads
        self._config: Config | None = None
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Language and revision, as in "en@1f3a9c0b2d4e".

        Raises:
            Rejected: the bundle is damaged.
        """
        return f"{self.config.language}@{self.config.revision}"

    @property
    def config(self) -> Config:
        """The configuration, read once.

        Raises:
            Rejected: the bundle is damaged.
        """
        if self._config is None:
            self._config = _read_config(self._directory / "config.json")
        return self._config

    @property
    def space(self) -> Space:
        """Where the embeddings of these weights can be compared.

        Raises:
            Rejected: the bundle is damaged.
        """
        return Space(name=self.name, languages=self.config.languages, near=self.config.near)

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

    def read(self, texts: Sequence[str], languages: Sequence[str], scorer: str) -> list[Verdict]:
        """Judge texts.

        Args:
            texts: any strings of at most some thousand characters; a few hundred, so that memory stays bounded.
            languages: of each, as it was told.
            scorer: who signs the verdicts.

        Returns:
            As many verdicts in the same order. A text without a readable token is unsure with confidence 0; one in a
            language that these weights do not read, or that they know few tokens of, is unsure.

        Raises:
            Rejected: the bundle is damaged or OpenVINO is missing; never for odd text.
        """
        loaded = self._ready()
        prepared = self._prepare(loaded, texts, languages)
        parts = [part for text in prepared for part in text.parts]
        logits, meanings = self._outputs(loaded, parts)
        verdicts, start = [], 0
        for text in prepared:
            stop = start + len(text.parts)
            verdicts.append(self._verdict(text, logits[start:stop], meanings[start:stop], scorer))
            start = stop
        loaded.encoder.rest()
        loaded.weights.forget()
        return verdicts

    def _ready(self) -> _Loaded:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _load(self._directory, self.config, self._precision, self._threads)
        return self._loaded

    def _prepare(self, loaded: _Loaded, texts: Sequence[str], languages: Sequence[str]) -> list[_Text]:
        masked = [(mask if self.config.spoken else plain)(text) for text in texts]
        encoded = loaded.tokenizer.encode_batch(masked, add_special_tokens=False)
        room = self.config.longest - len(loaded.frame)
        first, last = loaded.frame
        prepared = []
        for found, language in zip(encoded, languages, strict=True):
            says_something = any(token not in loaded.silent for token in found.ids)
            pieces = parts_of(found.ids, room, loaded.ends) if says_something else ()
            known = 2 * sum(token == loaded.unknown for token in found.ids) <= len(found.ids)
            prepared.append(
                _Text(
                    parts=tuple((first, *piece, last) for piece in pieces),
                    language=language,
                    familiar=known and language in self.config.languages,
                )
            )
        return prepared

    def _outputs(self, loaded: _Loaded, parts: Sequence[tuple[int, ...]]) -> tuple[Floats, Floats]:
        logits = np.empty((len(parts), sum(map(len, self.config.outputs.values()))), np.float32)
        meanings = np.empty((len(parts), self.config.width), np.float32)
        rows = fill_rows([len(part) for part in parts], self.config.longest)
        for start in range(0, len(rows), _ROWS):
            chosen = rows[start : start + _ROWS]
            packed = pack([[parts[part] for part in row] for row in chosen])
            states = loaded.words.states(packed.tokens) + loaded.positions[packed.positions]
            said, meant = loaded.encoder.run(states, packed.blocked, packed.pool)
            for number, row in enumerate(chosen):
                logits[row], meanings[row] = said[number, : len(row)], meant[number, : len(row)]
        return logits, meanings

    def _verdict(self, text: _Text, logits: Floats, meanings: Floats, scorer: str) -> Verdict:
        if not text.parts:
            return replace(unreadable(scorer), language=text.language)
        lengths = [len(part) for part in text.parts]
        config = self.config
        bias = np.asarray(config.bias, np.float32)
        marks = {**config.marks, **config.marks_of.get(text.language, {})}
        found = answers_of(logits, lengths, temperature=config.temperature, bias=bias, marks=marks)
        negative, neutral, positive = (float(found.sentiment[config.labels.index(label)]) for label in LABELS)
        probabilities = Probabilities(negative=negative, neutral=neutral, positive=positive)
        label: Label = probabilities.label
        sure = text.familiar and probabilities.confidence >= config.thresholds[label]
        quiet = config.quiet.get(text.language, ())
        return Verdict(
            probabilities=probabilities,
            label=label,
            confidence=probabilities.confidence,
            certainty="confident" if sure else "unsure",
            scorer=scorer,
            parts=len(text.parts),
            language=text.language,
            emotion=None if "emotion" in quiet else found.emotion,
            intent=None if "intent" in quiet else found.intent,
            offensive=None if "offensive" in quiet else found.offensive,
            severity=None if "severity" in quiet else found.severity,
            embedding=signed(meanings, lengths),
            space=self.name,
        )


def _read_config(path: Path) -> Config:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        several = ("labels", "bias", "languages", "frame", "silent", "meant")
        listed = {name: tuple(found[name]) for name in several if name in found}
        return Config(**{**found, **listed})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise damaged(path) from error


def _verified(directory: Path, name: str, config: Config) -> bytes:
    try:
        content = (directory / name).read_bytes()
    except OSError as error:
        raise damaged(directory / name) from error
    # The tokenizer's library raises bare exceptions on a damaged file, so none is handed to it.
    if hashlib.sha256(content).hexdigest() != config.files.get(name):
        raise damaged(directory / name)
    return content


def _mapped(directory: Path, name: str, config: Config) -> Weights:
    try:
        weights = Weights(directory / name)
    except (OSError, ValueError) as error:
        raise damaged(directory / name) from error
    if weights.digest() != config.files.get(name):
        raise damaged(directory / name)
    return weights


def damaged(path: Path) -> Rejected:
    """Return the error that tells of a bad file and its cure."""
    return Rejected(f"{path} is missing or damaged: install Listener again", resource="scorer bundled")


def _load(directory: Path, config: Config, precision: Precision, threads: int) -> _Loaded:
    # The tokenizer would start a thread for each core; one batch of it takes milliseconds.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from tokenizers import Tokenizer

        from models._graph import Encoder, Shape, best_precision, processor_flags
    except ImportError as error:
        message = f"{error.name} is missing: install Listener again with its dependencies"
        raise Rejected(message, resource="scorer bundled") from error
    weights = _mapped(directory, "weights.safetensors", config)
    tensors = weights.tensors()
    tokenizer: Tokenizer = Tokenizer.from_str(_verified(directory, "tokenizer.json", config).decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    shape = Shape(
        width=config.width, heads=config.heads, layers=config.layers, epsilon=config.epsilon, meant=config.meant
    )
    chosen = best_precision(processor_flags()) if precision == "auto" else precision
    vocabulary = tokenizer.get_vocab()
    silent = [vocabulary[token] for token in config.silent]
    encoder = Encoder(tensors, shape, precision=chosen, threads=threads)
    weights.forget()
    return _Loaded(
        tokenizer=tokenizer,
        encoder=encoder,
        weights=weights,
        words=Words(tensors["words.weight"], tensors["words.scale"]),
        positions=tensors["positions"].copy(),
        ends=frozenset(vocabulary[mark] for mark in _ENDS if mark in vocabulary),
        frame=tuple(vocabulary[token] for token in config.frame),
        silent=frozenset(silent),
        unknown=silent[0],
    )
