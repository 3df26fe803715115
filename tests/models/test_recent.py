"""What is copied is judged once: in one call, and in calls one after another."""

import pytest

from listener.core.sentiment import Verdict, unreadable
from models._recent import Recent
from models.bundled import Bundled, BundledOptions


def verdict(name: str) -> Verdict:
    return unreadable(name)


def test_a_verdict_is_found_by_its_very_text_until_newer_ones_push_it_out() -> None:
    recent = Recent(kept=2)
    for text in ("a", "b"):
        recent.keep(text, verdict(text))
    assert recent.find("a") == verdict("a")
    recent.keep("c", verdict("c"))
    assert (recent.find("a"), recent.find("b"), recent.find("A")) == (verdict("a"), None, None)


def test_half_a_character_is_a_text_like_others() -> None:
    recent = Recent()
    recent.keep("\ud800", verdict("half"))
    assert recent.find("\ud800") == verdict("half")


@pytest.mark.model
def test_each_different_text_goes_through_the_weights_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Bundled(BundledOptions(), None)  # type: ignore[arg-type]
    judged: list[str] = []
    judge = scorer._judge
    monkeypatch.setattr(scorer, "_judge", lambda told, texts: judged.extend(texts) or judge(told, texts))
    texts = ["The parcel is late.", "I love it", "The parcel is late.", "The parcel is late."]
    first = scorer.read(texts)
    assert judged == ["The parcel is late.", "I love it"]
    assert scorer.read(texts) == first
    assert len(judged) == 2
    assert [each.label for each in first] == ["negative", "positive", "negative", "negative"]
