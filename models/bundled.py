"""The scorer that comes along: two small transformers, run by OpenVINO, without network, GPU or torch.

Found by the entry point `bundled` in `listener.scorers`; called by `listener.pipeline.judge`.  One bundle of weights
reads English (`bundled/MODEL_CARD.md`), one several languages (`bundled_multi/README.md`); `_languages.py` tells which.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from listener.core.errors import Rejected, SettingsError
from listener.core.meaning import Space
from listener.core.sentiment import Verdict
from listener.core.tools import Tools
from models._bundle import Bundle, Config, Precision
from models._codes import KNOWN
from models._heap import return_what_is_free
from models._recent import Recent
from models._text import cut, plain

if TYPE_CHECKING:
    from models._languages import Languages, Told

_DIRECTORY = Path(__file__).with_name("bundled")
_SEVERAL = Path(__file__).with_name("bundled_multi")
_TEXTS = 256
"""Texts held as tokens at once, so that memory does not grow with the batch."""
_TOLD_BY = 2000
"""Characters of a text that may be looked at to tell its language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledOptions:
    """Settings of the bundled scorer.

    Attributes:
        threads: processor threads; one is best, since other steps need the other cores.
        precision: how to multiply: `auto` for the fastest on this processor, or `int8`, `bf16`, `f32`.
        languages: what is listened in; every text is one of these or "unknown". The eight of the default are read;
            a text in another is told and unsure.
    """

    threads: int = 1
    precision: Precision = "auto"
    languages: tuple[str, ...] = ("en", "ar", "de", "es", "fr", "hi", "it", "pt")


class Bundled:
    """Judges texts with the bundled weights: English with its own, seven more languages with the multilingual ones.

    Nothing is loaded before the first `read` or an explicit `load()`; both take about two seconds.  The multilingual
    weights are loaded at the first text that asks for them.  Every text is read: names and links are masked, a text
    over 8,000 characters is read from both ends, one over a bundle's length in parts (see `models._parts.together`).  A
    verdict is confident when the probability of its label reaches the bundle's threshold for that label, the text's
    language is told, and its weights read that language; else it is unsure.
    """

    Options: ClassVar[type[BundledOptions]] = BundledOptions

    def __init__(self, options: BundledOptions, tools: Tools) -> None:
        """Keep the options; load nothing.

        Args:
            options: how to run.
            tools: unused, since the bundles need neither network nor secrets.

        Raises:
            SettingsError: fewer threads than one, or a language that cannot be told.
        """
        if options.threads < 1:
            raise SettingsError(f"threads is {options.threads}, but must be at least 1", resource="scorer bundled")
        if strange := sorted(set(options.languages) - KNOWN):
            raise SettingsError(
                f"languages names {', '.join(strange)}, but must be of {', '.join(sorted(KNOWN))}",
                resource="scorer bundled",
            )
        self._options = options
        self._bundles = tuple(
            Bundle(directory, precision=options.precision, threads=options.threads)
            for directory in (_DIRECTORY, _SEVERAL)
            # Whoever needs the space may leave the second one out; then all but English is unsure.
            if directory is _DIRECTORY or directory.is_dir()
        )
        self._languages: Languages | None = None
        self._recent = Recent()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Names and revisions of the bundles, as in "bundled-en@1f3a9c0b2d4e+multi@5a6b7c8d9e0f".

        Raises:
            Rejected: a bundle is damaged.
        """
        return f"bundled-{'+'.join(bundle.name for bundle in self._bundles)}"

    @property
    def config(self) -> Config:
        """The configuration of the English bundle.

        Raises:
            Rejected: the bundle is damaged.
        """
        return self._bundles[0].config

    @property
    def precision(self) -> str:
        """How this processor multiplies: int8, bf16 or f32; loads the English model."""
        return self._bundles[0].precision

    def load(self) -> None:
        """Load now what the first `read` of an English text would load.

        Raises:
            Rejected: a bundle is damaged, or OpenVINO or py3langid is missing.
        """
        self._ready()

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge texts.

        Args:
            texts: any strings whatever.

        Returns:
            As many verdicts in the same order, each with its language. A text without a readable token is unsure with
            confidence 0.

        Raises:
            Rejected: a bundle is damaged, or OpenVINO or py3langid is missing; never for odd text.
        """
        languages = self._ready()
        verdicts: list[Verdict] = []
        for start in range(0, len(texts), _TEXTS):
            verdicts.extend(self._known(languages, [cut(text) for text in texts[start : start + _TEXTS]]))
        return verdicts

    @property
    def spaces(self) -> Sequence[Space]:
        """The spaces of its embeddings: one for each bundle.

        Raises:
            Rejected: a bundle is damaged.
        """
        return tuple(bundle.space for bundle in self._bundles)

    def meanings(self, texts: Sequence[str], space: str) -> Sequence[bytes | None]:
        """Return what texts mean in one of the spaces, whatever their language; None for one that says nothing.

        Raises:
            Rejected: the bundle is damaged or OpenVINO is missing, or there is no such space.
        """
        bundle = next((bundle for bundle in self._bundles if bundle.name == space), None)
        if bundle is None:
            raise Rejected(f"there is no space {space}: restart Listener after new weights", resource="scorer bundled")
        found: list[bytes | None] = []
        for start in range(0, len(texts), _TEXTS):
            portion = [cut(text) for text in texts[start : start + _TEXTS]]
            found.extend(each.embedding for each in bundle.read(portion, ["unknown"] * len(portion), self.name))
        return found

    def _known(self, languages: "Languages", texts: Sequence[str]) -> list[Verdict]:
        """Judge each different text once, and none that was judged lately."""
        known = {text: verdict for text in set(texts) if (verdict := self._recent.find(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        for text, verdict in zip(new, self._judge(languages, new), strict=True):
            known[text] = verdict
            self._recent.keep(text, verdict)
        return [known[text] for text in texts]

    def _ready(self) -> "Languages":
        if self._languages is None:
            with self._lock:
                if self._languages is None:
                    return_what_is_free()
                    # Side by side: both mostly unpack and compile outside of Python.
                    with ThreadPoolExecutor(max_workers=1) as aside:
                        loading = aside.submit(_load_languages, self._options.languages)
                        self._bundles[0].load()
                        self._languages = loading.result()
        return self._languages

    def _judge(self, languages: "Languages", texts: Sequence[str]) -> list[Verdict]:
        told = [languages.tell(plain(text[:_TOLD_BY])) for text in texts]
        dealt: dict[Bundle, list[int]] = {}
        for row, each in enumerate(told):
            dealt.setdefault(self._reader_of(each), []).append(row)
        found: dict[int, Verdict] = {}
        for bundle, rows in dealt.items():
            verdicts = bundle.read([texts[row] for row in rows], [told[row].language for row in rows], self.name)
            found.update(zip(rows, verdicts, strict=True))
        return [found[row] for row in range(len(texts))]

    def _reader_of(self, told: "Told") -> Bundle:
        """Return the bundle for a text; what is too short to tell is read as English, which is at hand."""
        if told.likeliest is None:
            return self._bundles[0]
        able = (bundle for bundle in self._bundles if told.likeliest in bundle.config.languages)
        return next(able, self._bundles[-1])


def _load_languages(configured: tuple[str, ...]) -> "Languages":
    try:
        from models._languages import Languages
    except ImportError as error:
        message = f"{error.name} is missing: install Listener again with its dependencies"
        raise Rejected(message, resource="scorer bundled") from error
    return Languages(configured)
