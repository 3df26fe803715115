"""The contract every scorer passes: `check_scorer` gives it plain and hostile texts and looks at what comes back.

Called by scorers' tests, ours and strangers'; each broken rule is an AssertionError that says which.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

from listener.core.protocols import Scorer
from listener.core.sentiment import LABELS, Verdict
from listener.core.tools import Tools
from listener.testing._fakes import FakeClock
from listener.testing._sources import _no_network

MakeScorer = Callable[[Tools], Scorer]

PLAIN = (
    "I love the new coat, thank you so much!",
    "Does anyone know when the store opens on Sunday?",
    "Worst service ever. The parcel was crushed and nobody answers.",
    "word " * 2_000,
)

ODD: Mapping[str, str] = {
    "a NUL": "bad\0service",
    "lone surrogates": "\ud83d bad \udc00",
    "emoji alone": "😡😡😡",
    "writing turned around": "\u202e\u2066gnp.exe\u2069\u202c",
    "ten thousand combining marks": "e" + "\u0301" * 10_000,
    "a megabyte": "terrible service " * 62_000,
    "a megabyte without a space": "a" * 1_000_000,
    "markup": "<script>alert(1)</script> [CLS] {{x}} ${HOME} %s",
    "broken escapes": "&#xD800; &#0; &amp;amp; \\ud800 &",
}

EMPTY = ("", " ", "\n\t")


def check_scorer(make: MakeScorer, *, seconds: float = 30.0) -> tuple[Verdict, ...]:
    """Check a scorer against the contract; raises AssertionError with the rule that is broken.

    Args:
        make: builds the scorer from its tools.
        seconds: the longest that one odd text may take, on a slow and busy machine.

    Returns:
        The verdicts on four plain texts: praise, a question, a complaint and a long one.
    """
    with _no_network():
        scorer = make(Tools(http=None, clock=FakeClock()))
        assert scorer.name, "a scorer has a name, which is stored with each verdict"
    assert isinstance(getattr(type(scorer), "Options", None), type), "a scorer's class has Options"
    assert len(scorer.read([])) == 0, "no texts make no verdicts"
    plain = _read(scorer, PLAIN)
    _check_order(scorer)
    for verdict in _read(scorer, EMPTY):
        assert verdict.certainty == "unsure", "an empty text is unsure"
        assert verdict.confidence == 0, "an empty text has confidence 0"
    for what, text in ODD.items():
        started = time.monotonic()
        _read(scorer, [text])
        taken = time.monotonic() - started
        assert taken <= seconds, f"a text with {what} took {taken:.1f} s"
    return plain


def _read(scorer: Scorer, texts: Sequence[str]) -> tuple[Verdict, ...]:
    verdicts = tuple(scorer.read(texts))
    assert len(verdicts) == len(texts), f"{len(texts)} texts got {len(verdicts)} verdicts"
    for verdict in verdicts:
        _check_verdict(scorer, verdict)
    return verdicts


def _check_verdict(scorer: Scorer, verdict: Verdict) -> None:
    three = [getattr(verdict.probabilities, label) for label in LABELS]
    assert all(0 <= value <= 1 for value in three), f"probabilities lie between 0 and 1, not {three}"
    assert math.isclose(sum(three), 1, abs_tol=1e-3), f"probabilities add up to 1, not {sum(three)}"
    assert verdict.label in LABELS, f"{verdict.label!r} is none of {', '.join(LABELS)}"
    assert 0 <= verdict.confidence <= 1, f"confidence lies between 0 and 1, not at {verdict.confidence}"
    assert verdict.scorer == scorer.name, f"a verdict of {scorer.name} says it is of {verdict.scorer}"
    assert verdict.parts >= 1, "a text has at least one part"


def _check_order(scorer: Scorer) -> None:
    texts = [PLAIN[number % 3] * (1 + number % 5) for number in range(40)]
    together = _read(scorer, texts)
    again = _read(scorer, list(reversed(texts)))
    for text, one, other in zip(texts, together, reversed(again), strict=True):
        apart = abs(one.probabilities.score - other.probabilities.score)
        assert apart < 0.1, f"verdicts stand in the order of their texts; {text[:40]!r} got another one"
