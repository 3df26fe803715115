"""The detector's moves in little room tell what the library's own table tells."""

import random

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models._codes import KNOWN, SAME
from models._languages import Languages
from models._walk import Walk


def test_a_walk_goes_where_the_table_leads() -> None:
    source = np.random.default_rng(5)
    states, rows = 40, 30
    table = np.zeros((rows, 256), np.uint32)
    table[:, :200] = source.integers(0, states, (rows, 200))
    of = source.integers(0, rows, states).astype(np.uint16)
    features = source.integers(-1, 9, states).astype(np.int32)
    walk = Walk(table.ravel(), of, features)
    for _ in range(20):
        text, state, wanted = source.bytes(50), 0, []
        for letter in text:
            state = table[of[state], letter]
            wanted.append(features[state])
        assert walk.features(text) == {at: wanted.count(at) for at in set(wanted) if at >= 0}


def test_an_empty_text_has_no_features() -> None:
    table = np.zeros((1, 256), np.uint32)
    assert not Walk(table.ravel(), np.zeros(1, np.uint16), np.full(1, -1, np.int32)).features(b"")


@pytest.fixture(scope="module")
def library() -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(sorted(KNOWN | SAME.keys()))
    return found


def test_languages_are_ranked_as_by_the_library(library: LanguageIdentifier) -> None:
    ours, source = Languages(("en", "de"))._detector, random.Random(7)
    odd = ["".join(chr(source.randrange(1, 0xD7FF)) for _ in range(40)) for _ in range(50)]
    plain = ["Das Paket kam kaputt an.", "खराब सेवा", "خدمة سيئة", "THE PARCEL IS LATE", "商品が壊れて", ""]
    for text in (*plain, *odd):
        assert dict(ours.rank(text)) == pytest.approx(dict(library.rank(text)))
