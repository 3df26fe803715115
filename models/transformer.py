"""A scorer for any text-classification checkpoint of the Hub or of the disk, through `transformers` and torch.

Found by the entry point `transformer` in `listener.scorers`; called by `listener.pipeline.judge`.  Needs the extra:
pip install 'listener[torch]'.  Reads the disk and the local Hub cache only, unless `offline = false`.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from listener.core.errors import Rejected, SettingsError, Unavailable
from listener.core.sentiment import LABELS, Label, Probabilities, Verdict, unreadable
from listener.core.tools import Tools
from models._parts import together
from models._text import clean, cut, hide

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerOptions:
    """Settings of a checkpoint.

    Attributes:
        model: a directory, or a name on the Hub.
        labels: the checkpoint's labels to ours, as in {"1 star" = "negative", "2 stars" = "negative", …}; several may
            share one of ours, and their probabilities are added up. May be left out when they are ours already.
        revision: commit of the Hub repository; worth setting, since a branch can change under you.
        offline: never ask the Hub; a checkpoint that is not on the disk is an error.
        hide_names: whether user names and links become `@user` and `http`, as models of tweets expect.
        threshold: probability from which on a verdict is confident; measure it with `listener evaluate`.
        longest: tokens in a part of a longer text.
        batch: parts run at once.
        threads: processor threads.
    """

    model: str
    labels: Mapping[str, Label] = field(default_factory=dict)
    revision: str = "main"
    offline: bool = True
    hide_names: bool = True
    threshold: float = 0.8
    longest: int = 128
    batch: int = 32
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """Everything that takes time and memory; the first two come from libraries without types."""

    tokenizer: Any
    network: Any
    columns: NDArray[np.int64]
    longest: int


class Transformer:
    """Judges texts with a checkpoint; nothing is loaded before the first `read` or `load()`.

    Texts are cut and cleaned like the bundled scorer's. Longer ones are judged in parts, which are combined as
    `models._parts.together` says.
    """

    Options: ClassVar[type[TransformerOptions]] = TransformerOptions

    def __init__(self, options: TransformerOptions, tools: Tools) -> None:
        """Keep the options; load nothing.

        Args:
            options: which checkpoint, and how to read it.
            tools: unused; the Hub is reached by its own library, and only if `offline` is false.

        Raises:
            SettingsError: a number is out of range, or a label is none of ours.
        """
        self._resource = f"scorer transformer ({options.model})"
        strange = sorted(set(options.labels.values()) - set(LABELS))
        if strange:
            raise SettingsError(f"labels maps to {strange[0]!r}; use {', '.join(LABELS)}", resource=self._resource)
        if min(options.threads, options.batch) < 1 or options.longest < 8 or not 0 <= options.threshold <= 1:
            raise SettingsError(
                "threads and batch must be at least 1, longest at least 8, threshold between 0 and 1",
                resource=self._resource,
            )
        self._options = options
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The checkpoint and its revision, as in "someone/some-model@main"; a directory has only its name."""
        if os.path.isdir(self._options.model):  # noqa: PTH112 - a Hub name is no path
            return f"transformer:{os.path.basename(os.path.normpath(self._options.model))}"  # noqa: PTH119
        return f"{self._options.model}@{self._options.revision}"

    def load(self) -> None:
        """Load now what the first `read` would load.

        Raises:
            Rejected: torch is missing, or the checkpoint is none, or its labels are not all mapped.
            Unavailable: the Hub was asked and did not answer.
        """
        self._ready()

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts.

        Args:
            texts: any strings whatever.

        Returns:
            As many verdicts in the same order; an empty text is unsure with confidence 0.

        Raises:
            Rejected, Unavailable: as `load` does; never for odd text.
        """
        loaded = self._ready()
        cleaned = [self._clean(text) for text in texts]
        spoken = [number for number, text in enumerate(cleaned) if text]
        verdicts = [unreadable(self.name)] * len(texts)
        if not spoken:
            return verdicts
        parts, owners = self._parts(loaded, [cleaned[number] for number in spoken])
        probabilities = self._probabilities(loaded, parts)
        for position, number in enumerate(spoken):
            mine = [at for at, owner in enumerate(owners) if owner == position]
            verdicts[number] = self._verdict(probabilities[mine], [len(parts[at]) for at in mine])
        return verdicts

    def _clean(self, text: str) -> str:
        text = clean(cut(text))
        return (hide(text) if self._options.hide_names else text).strip()

    def _ready(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self._options, self._resource)
        return self._loaded

    def _parts(self, loaded: _Loaded, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        found = loaded.tokenizer(
            list(texts), truncation=True, max_length=loaded.longest, return_overflowing_tokens=True
        )
        return found["input_ids"], found["overflow_to_sample_mapping"]

    def _probabilities(self, loaded: _Loaded, parts: Sequence[list[int]]) -> Floats:
        import torch

        result = np.zeros((len(parts), len(LABELS)), np.float32)
        order = sorted(range(len(parts)), key=lambda part: len(parts[part]))
        with torch.inference_mode():
            for start in range(0, len(order), self._options.batch):
                chosen = order[start : start + self._options.batch]
                batch = loaded.tokenizer.pad({"input_ids": [parts[part] for part in chosen]}, return_tensors="pt")
                logits = loaded.network(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
                found = torch.softmax(logits.float(), dim=-1).numpy()
                for column, ours in enumerate(loaded.columns):
                    result[chosen, ours] += found[:, column]
        return result

    def _verdict(self, found: Floats, lengths: Sequence[int]) -> Verdict:
        negative, neutral, positive = (float(value) for value in together(found, lengths))
        probabilities = Probabilities(negative=negative, neutral=neutral, positive=positive)
        return Verdict(
            probabilities=probabilities,
            label=probabilities.label,
            confidence=probabilities.confidence,
            certainty="confident" if probabilities.confidence >= self._options.threshold else "unsure",
            scorer=self.name,
            parts=len(lengths),
        )


def _load(options: TransformerOptions, resource: str) -> _Loaded:
    if options.offline:
        # Read when the Hub's library is imported; without it, a missing file is looked for on the network.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise Rejected(
            f"{error.name} is missing; this scorer needs it: pip install 'listener[torch]'", resource=resource
        ) from error
    torch.set_num_threads(options.threads)
    where = {"revision": options.revision, "local_files_only": options.offline, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(options.model, **where)
        network = AutoModelForSequenceClassification.from_pretrained(options.model, **where).eval()
    except (OSError, ValueError) as error:
        if options.offline:
            raise Rejected(
                "no checkpoint on this disk; give a directory, download it once, or set offline = false",
                resource=resource,
            ) from error
        raise Unavailable("the checkpoint could not be read", resource=resource) from error
    most = min(options.longest, int(getattr(network.config, "max_position_embeddings", options.longest)))
    return _Loaded(
        tokenizer=tokenizer,
        network=network,
        columns=_columns(network.config.id2label, options.labels, resource),
        longest=min(most, int(tokenizer.model_max_length)),
    )


def _columns(theirs: Mapping[int, str], table: Mapping[str, Label], resource: str) -> NDArray[np.int64]:
    """Return our label's index for each of the checkpoint's outputs."""
    ours: dict[str, str] = {str(label): label for label in LABELS} if not table else dict(table)
    names = [theirs[number] for number in range(len(theirs))]
    known = [ours.get(name, ours.get(name.lower())) for name in names]
    if None in known:
        raise Rejected(f"the checkpoint's labels are {', '.join(names)}; map each of them in labels", resource=resource)
    return np.array([LABELS.index(label) for label in known if label in LABELS], np.int64)
