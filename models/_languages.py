"""Which language a text is in: one of those that the operator listens in, or unknown.

Called by `models.bundled`, which picks the bundle by it.  Loading takes a second and 25 MB; telling, a tenth of a
millisecond.
"""

import io
import lzma
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

from models._codes import KNOWN, SAME
from models._walk import Walk

UNKNOWN = "unknown"
LIKELY = 0.5
"""From which probability on a language is told."""
LETTERS = 3
"""Fewer tell no language."""
WORDS = 4
"""Fewer that tell no language lean to none: "lamp" is no reason to load weights for seven languages."""
READ = 600
"""Characters that are looked at; more tell nothing new."""
STRANGER = 0.05
"""How likely a language is beside a configured one before a word is read: a stream is mostly in those it was
configured for, and short texts look like many. A whole sentence overrules it."""
SMALL_WORDS = 0.2
"""From which share of words of romanised Hindi on a text in Latin letters is Hindi."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What its Latin spelling is told by: the detector knows Hindi in Devanagari alone. None is a word of the others.
_ROMANISED = _set(
    "aaj aap aapke aapko aapki abhi acha accha achha agar aisa aise apna apne apni aur baar baat bahut bahot bhai "
    "bhi chahiye dekh diya dono gaya gayi ghar gya hai hain hoga hota hoti hua hum hume humko jaan kaam kab kabhi "
    "kaha kaise kar karke karna karne karo karte karta kaun kiya kisi kitna kitne kya kyu kyun kyunki lagta lekin "
    "liye log lekar magar matlab mein mera mere meri mujhe nahi nahin nhi pata raha rahe rahi rha sabhi sahi sath "
    "saath sirf tak tere teri thi toh tum tumhara unka uske wala wale wali waise yaad yaar yeh zyada"
)
_WEAK = _set("aa ap ek h hi hu jo k ka kal ke ki ko koi kr kuch mai mat na pe pr sab se tera tha to ye yar")
"""Small words of it that other languages have too; they count beside a word of the list above."""
_ENGLISH = _set(
    "again after and are aren at back be because but by can could did didn does doesn don't even ever for from "
    "get got had has have haven how i i'm i've if is isn it it's its just like more my never not of only our out "
    "please really should still than thank thanks that the their them then there these they this those to too up "
    "us very was we were what when where who why with won't would you your"
)
"""Words that hold English sentences together and are no words of French, German, Italian, Portuguese or Spanish."""
ENGLISH_WORDS = 0.25
"""From which share of these on a short text, of which the detector is not sure, is English."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ASIDE = re.compile(r"@user\b|\bhttp\b|\bRT\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a text seems to be written in.

    Attributes:
        language: one of the configured ones, as in "pt", or "unknown".
        likeliest: of the configured ones, whatever its probability; None where there is too little to go by.
    """

    language: str
    likeliest: str | None


class _Detector(LanguageIdentifier):  # type: ignore[misc]  # the library ships no types
    """The library's detector of some languages; it keeps no table of the others, and its moves in little room."""

    def __init__(self, wanted: Set[str]) -> None:
        # The library would unpack its model into a temporary file, and a sandbox may have none.
        with (
            lzma.open(MODEL_DIR / MODEL_FILE) as packed,
            np.load(io.BytesIO(packed.read()), allow_pickle=False) as model,
        ):
            self._walk = Walk(model["nextmove"], model["nextmove_row"], model["out_feat"])
            classes = model["classes"].tolist()
            columns = [at for at, name in enumerate(classes) if name in wanted]
            super().__init__(
                model["ptc"][:, columns].copy(), model["pc"][columns], [classes[at] for at in columns], (), (),
                norm_probs=True, tk_row=(),
            )  # fmt: skip

    def _raw_score(self, text: bytes) -> NDArray[np.float32]:
        visits = self._walk.features(text)
        if not visits:
            return np.zeros(len(self.nb_classes), np.float32)
        score: NDArray[np.float32] = self._sparse_score(visits, self.nb_ptc)
        return score


class Languages:
    """Tells a configured language from the others and from strangers."""

    def __init__(self, configured: Sequence[str]) -> None:
        """Load the detector.

        Args:
            configured: codes of the languages that are listened in, of `KNOWN`.
        """
        self._configured = tuple(configured)
        self._detector = _Detector(KNOWN | SAME.keys())
        names = [SAME.get(name, name) for name in self._detector.nb_classes]
        self._weights = np.array([1.0 if name in configured else STRANGER for name in names])
        self._columns = {code: np.array([name == code for name in names]) for code in configured}

    def tell(self, text: str) -> Told:
        """Tell the language of a text.

        Args:
            text: with names and links masked; any string whatever.

        Returns:
            What it seems to be; unknown when it has too few letters or no configured language is likely enough.
        """
        text = _ASIDE.sub(" ", text[:READ])
        words = _WORD.findall(text)
        if sum(map(len, words)) < LETTERS or not self._configured:
            return Told(language=UNKNOWN, likeliest=None)
        if "hi" in self._configured and _is_romanised_hindi(words):
            return Told(language="hi", likeliest="hi")
        chances = self._chances(" ".join(words))
        found = {code: float(chances[column].sum()) for code, column in self._columns.items()}
        likeliest = max(found, key=found.__getitem__)
        if found[likeliest] >= LIKELY:
            return Told(language=likeliest, likeliest=likeliest)
        if "en" in self._configured and _share(words, _ENGLISH) >= ENGLISH_WORDS:
            return Told(language="en", likeliest="en")
        return Told(language=UNKNOWN, likeliest=likeliest if len(words) >= WORDS else None)

    def _chances(self, text: str) -> NDArray[np.float64]:
        found = dict(self._detector.rank(text))
        chances = np.array([found[name] for name in self._detector.nb_classes]) * self._weights
        result: NDArray[np.float64] = chances / chances.sum()
        return result


def _is_romanised_hindi(words: Sequence[str]) -> bool:
    strong = _share(words, _ROMANISED)
    both = strong + _share(words, _WEAK)
    return strong > 0 and both >= SMALL_WORDS and both * len(words) > 1.5


def _share(words: Sequence[str], of: frozenset[str]) -> float:
    return sum(word.lower().replace("’", "'") in of for word in words) / len(words)
