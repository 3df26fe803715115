"""The bundled scorer with its real weights: agreement with the float model, odd and long texts, order, damage."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import models.bundled
from listener.core.errors import Rejected, SettingsError
from listener.core.occlusion import weigh
from listener.core.sentiment import LABELS, Verdict
from listener.core.tools import Tools
from listener.testing import check_scorer
from models.bundled import Bundled, BundledOptions

pytestmark = pytest.mark.model

TOOLS = Tools(http=None, clock=lambda: datetime(2026, 11, 1, tzinfo=UTC))
REFERENCE = Path(__file__).with_name("reference.json")
STORY = "We went to the shop on Tuesday and looked at three lamps in the window. "


def make(precision: str = "auto") -> Bundled:
    return Bundled(BundledOptions(precision=precision), TOOLS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scorer() -> Bundled:
    return make()


def _three(verdict: Verdict) -> list[float]:
    return [getattr(verdict.probabilities, label) for label in LABELS]


def _table(verdicts: list[Verdict]) -> np.ndarray:
    return np.array([_three(verdict) for verdict in verdicts])


@pytest.mark.parametrize("precision", ["auto", "int8", "bf16", "f32"])
def test_bundle_agrees_with_the_float_weights_it_was_made_from(precision: str) -> None:
    scorer = make(precision)
    rows = json.loads(REFERENCE.read_text(encoding="utf-8"))
    logits = np.array([row["logits"][:3] for row in rows]) / scorer.config.temperature + scorer.config.bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = _table(list(scorer.read([row["text"] for row in rows])))
    assert np.abs(found - expected).max() < 0.1
    assert np.abs(found - expected).mean() < 0.01
    clear = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 0.05
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[clear].all()


def test_it_keeps_the_contract_of_scorers() -> None:
    verdicts = check_scorer(lambda tools: Bundled(BundledOptions(), tools))
    assert [verdict.label for verdict in verdicts[:3]] == ["positive", "neutral", "negative"]


def test_name_carries_the_revision_of_the_weights(scorer: Bundled) -> None:
    import hashlib

    weights = Path(models.bundled.__file__).with_name("bundled") / "weights.safetensors"
    assert scorer.name.startswith(f"bundled-en@{hashlib.sha256(weights.read_bytes()).hexdigest()[:12]}")
    assert all(verdict.scorer == scorer.name for verdict in scorer.read(["fine", ""]))


def test_plain_praise_question_and_complaint_are_told_apart(scorer: Bundled) -> None:
    verdicts = scorer.read(
        [
            "I love the new coat, thank you so much!",
            "Does anyone know when the store in Leeds opens on Sunday?",
            "Worst service ever. The parcel was crushed and nobody answers.",
        ]
    )
    assert [verdict.label for verdict in verdicts] == ["positive", "neutral", "negative"]
    assert [verdict.certainty for verdict in verdicts] == ["confident", "confident", "confident"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I have now been waiting six weeks for the replacement part.", "complaint"),
        ("Does the large one fit two people?", "question"),
        ("Thank you so much, the driver was wonderful!", "praise"),
        ("Could you please add a dark mode to the app?", "idea"),
        ("I have had enough, I am cancelling my contract and switching to another provider.", "leave"),
        ("Can I please talk to a real human being? Have a manager call me.", "person"),
        ("Win a free phone! Click here and follow us for a giveaway http://prize.example", "spam"),
    ],
)
def test_what_the_author_wants_is_told(scorer: Bundled, text: str, intent: str) -> None:
    assert intent in (scorer.read([text])[0].intent or ())


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("The heater caught fire last night and burned my hand.", "safety"),
        ("My lawyer will sue you, see you in court.", "legal"),
        ("Somebody took 900 from my account with a card I never ordered, this is fraud.", "fraud"),
        ("You leaked my password and home address to strangers.", "breach"),
        ("The manager refused to serve us because we are black.", "discrimination"),
        ("My daughter was sick for two days after eating your chicken.", "health"),
    ],
)
def test_a_grave_matter_is_told_of(scorer: Bundled, text: str, severity: str) -> None:
    assert severity in (scorer.read([text])[0].severity or ())


def test_an_everyday_text_is_not_grave(scorer: Bundled) -> None:
    verdicts = scorer.read(["When do you open on Sunday?", "I love these socks!", "New opening hours from Monday."])
    assert [verdict.severity for verdict in verdicts] == [(), (), ()]


def test_a_complaint_in_civil_words_is_no_neutral_text(scorer: Bundled) -> None:
    verdicts = scorer.read(
        [
            "I have now been waiting six weeks for the replacement part.",
            "The delivery window was eight until noon. It is now a quarter past six.",
            "My claim was submitted in January and I have yet to be given a decision.",
        ]
    )
    assert [verdict.label for verdict in verdicts] == ["negative"] * 3


def test_a_plain_account_of_a_purchase_is_no_complaint(scorer: Bundled) -> None:
    verdicts = scorer.read(["I bought the blue one on Monday.", "We stayed three nights at the Grand in May."])
    assert [verdict.label for verdict in verdicts] == ["neutral"] * 2


def test_emotion_and_insult_are_told(scorer: Bundled) -> None:
    angry, glad = scorer.read(["I am so angry at you, fucking idiots", "I am so happy, thank you!"])
    assert (angry.emotion, angry.offensive) == ("anger", True)
    assert (glad.emotion, glad.offensive) == ("joy", False)


def test_texts_of_like_meaning_point_the_same_way(scorer: Bundled) -> None:
    late, waiting, sweet = (
        np.frombuffer(verdict.embedding or b"", np.int8).astype(float)
        for verdict in scorer.read(
            ["My parcel has not arrived.", "The package was never delivered.", "This cake recipe needs two eggs."]
        )
    )
    assert len(late) == 384

    def likeness(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    assert likeness(late, waiting) > likeness(late, sweet) + 0.2


def test_probabilities_are_kept_and_add_up(scorer: Bundled) -> None:
    for verdict in scorer.read(["fine", "awful", "where is it?", STORY * 20]):
        assert sum(_three(verdict)) == pytest.approx(1, abs=1e-4)
        assert verdict.confidence == max(_three(verdict)) == getattr(verdict.probabilities, verdict.label)


def test_length_and_order_are_kept_whatever_the_lengths(scorer: Bundled) -> None:
    texts = [("I hate this. ", "I love this! ")[number % 2] * (1 + number * 7 % 24) for number in range(300)]
    verdicts = scorer.read(texts)
    assert [verdict.label for verdict in verdicts] == ["negative", "positive"] * 150


def test_no_texts_no_verdicts(scorer: Bundled) -> None:
    assert list(scorer.read([])) == []


def test_the_same_texts_get_the_same_verdicts(scorer: Bundled) -> None:
    texts = ["The zip broke.", "Lovely!", STORY * 10]
    assert list(scorer.read(texts)) == list(scorer.read(texts))


def test_company_hardly_matters(scorer: Bundled) -> None:
    texts = [row["text"] for row in json.loads(REFERENCE.read_text(encoding="utf-8"))]
    together = _table(list(scorer.read(texts)))
    alone = _table([scorer.read([text])[0] for text in texts])
    assert np.abs(together - alone).max() < 0.03


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\0", "\u200b", "\ud800", "🪿🪿", "\u202e\u202c", "ᚠᚢᚦ ᚠᚢᚦ"])
def test_a_text_that_says_nothing_is_unsure_with_confidence_0(scorer: Bundled, text: str) -> None:
    (verdict,) = scorer.read([text])
    assert (verdict.certainty, verdict.confidence) == ("unsure", 0.0)


HOSTILE = {
    "a megabyte": "terrible service " * 62_000,
    "a megabyte without a space": "a" * 1_000_000,
    "a megabyte of emoji": "😡" * 250_000,
    "combining marks": "e" + "\u0301" * 10_000,
    "marks on every letter": "z\u0351\u0300\u0315\u035e" * 4_000,
    "bidi": "\u202e\u2066bad\u2069\u202c " * 500,
    "surrogates": "\ud83d bad \udc00",
    "NUL": "bad\0 service\0",
    "brackets": "[CLS] [SEP] [PAD] [MASK] [UNK]",
    "markup": "<script>alert(1)</script>" * 100,
    "entities": "&amp;" * 3_000 + "&#xD800;&#0;&#9999999999;",
    "at signs": "@" * 20_000,
    "names": "@a" * 10_000,
    "links": "https://" * 5_000,
    "full stops": "." * 20_000,
    "every plane": "".join(map(chr, range(0, 0x110000, 37))),
    "controls": "".join(map(chr, range(32))),
    "Japanese": "商品が壊れていました。" * 500,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_text_is_judged_in_bounded_time(scorer: Bundled, name: str) -> None:
    scorer.load()
    started = time.monotonic()
    (verdict,) = scorer.read([HOSTILE[name]])
    assert time.monotonic() - started < 10
    assert 0 <= verdict.confidence <= 1
    assert not np.isnan(_three(verdict)).any()


def test_odd_texts_do_not_change_their_neighbours(scorer: Bundled) -> None:
    plain = "The zip broke on the first wear. Very disappointed."
    (alone,) = scorer.read([plain])
    texts = [text for odd in HOSTILE.values() for text in (odd[:3000], plain)]
    for verdict in scorer.read(texts)[1::2]:
        assert verdict.label == alone.label
        assert verdict.confidence == pytest.approx(alone.confidence, abs=0.03)


def test_a_long_text_is_judged_in_parts_to_its_end(scorer: Bundled) -> None:
    calm, angry = scorer.read([STORY * 12, STORY * 12 + "Then the lamp caught fire. I am furious and disgusted!"])
    assert calm.parts > 1
    assert angry.parts > 1
    assert angry.probabilities.negative > calm.probabilities.negative + 0.2


def test_praise_then_anger_is_not_neutral(scorer: Bundled) -> None:
    glad = "I love this shop, the staff are wonderful and kind, thank you so much! " * 6
    angry = "But the delivery was a disaster, the box was crushed and nobody answers. I hate it. " * 6
    (verdict,) = scorer.read([glad + angry])
    assert verdict.label != "neutral"
    assert verdict.certainty == "unsure"


def test_the_end_of_a_very_long_text_is_read(scorer: Bundled) -> None:
    calm, angry = scorer.read([STORY * 2000, STORY * 2000 + "This is awful, I hate it and want my money back. " * 60])
    assert angry.probabilities.negative > calm.probabilities.negative + 0.2


@pytest.mark.parametrize(
    "text",
    [
        "Zeer slechte service, nooit meer! Het pakket kwam kapot aan en niemand antwoordt.",
        "Paczka przyszła uszkodzona i nikt nie odbiera telefonu, co za wstyd.",
        "Paketet var trasigt och ingen svarar i telefonen, usel service.",
        "商品が壊れていました。もう買いません。",
        "Обслуживание ужасное, больше никогда.",
    ],
)
def test_a_text_in_a_language_that_no_bundle_reads_is_unsure(scorer: Bundled, text: str) -> None:
    assert scorer.read([text])[0].certainty == "unsure"


def test_emoji_of_a_plain_mood_are_read(scorer: Bundled) -> None:
    angry, glad = scorer.read(["my order 😡", "my order 😍"])
    assert (angry.label, glad.label) == ("negative", "positive")


def test_building_loads_nothing_and_loading_is_quick() -> None:
    code = (
        "import sys, time, models.bundled as b\n"
        "scorer = b.Bundled(b.BundledOptions(), None)\n"
        "scorer.name\n"
        "loaded = {'openvino', 'tokenizers', 'safetensors', 'transformers', 'torch'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        "started = time.monotonic(); scorer.load(); print(time.monotonic() - started)\n"
        "assert not {'transformers', 'torch'} & set(sys.modules)\n"
    )
    assert float(_child(code)) < 5


NO_NETWORK = """
import socket, sys
def refuse(*given, **named):
    print("socket", given, file=sys.stderr)
    raise SystemExit(3)
for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname", "socketpair"):
    setattr(socket, name, refuse)
"""


def test_importing_and_judging_ask_nobody() -> None:
    code = NO_NETWORK + (
        "import threading, models.bundled as b\n"
        "print(b.Bundled(b.BundledOptions(), None).read(['awful'])[0].label)\n"
        "import openvino\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "assert threading.active_count() == 1\n"
    )
    assert _child(code) == "negative"


def test_memory_stays_bounded_over_texts_of_every_length() -> None:
    code = (
        "import random, models.bundled as b\n"
        "def resident():\n"
        "    with open('/proc/self/status') as lines:\n"
        "        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith('VmRSS'))\n"
        "dice = random.Random(5)\n"
        "words = 'the parcel came late and broken but staff were kind again never lamp refund please . !'.split()\n"
        "text = lambda: ' '.join(dice.choices(words, k=int(500 ** dice.random())))\n"
        "scorer = b.Bundled(b.BundledOptions(), None)\n"
        "for _ in range(4): scorer.read([text() for _ in range(32)])\n"
        "before = resident()\n"
        "for _ in range(5): scorer.read([text() for _ in range(32)])\n"
        "print(before, resident())\n"
    )
    before, after = map(int, _child(code).split())
    assert after < 320
    assert after - before < 40


def _child(code: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment["PYTHONPATH"] = str(Path(models.bundled.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_threads_must_be_at_least_one() -> None:
    with pytest.raises(SettingsError, match="threads is 0"):
        Bundled(BundledOptions(threads=0), TOOLS)


@pytest.mark.parametrize("name", ["weights.safetensors", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("damage", ["gone", "cut short", "nonsense"])
def test_a_damaged_bundle_is_rejected_with_its_cure(
    name: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "bundled"
    shutil.copytree(Path(models.bundled.__file__).with_name("bundled"), copy)
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    if damage != "gone":
        (copy / name).write_bytes(content[: len(content) // 2] if damage == "cut short" else b"nonsense")
    monkeypatch.setattr(models.bundled, "_DIRECTORY", copy)
    with pytest.raises(Rejected, match="install Listener again"):
        make().load()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("My kettle is broken again", {"broken"}),
        ("Not happy with the delivery", {"Not"}),
        ("I love the new app", {"love"}),
        ("I have now been waiting six weeks", {"weeks", "waiting", "six"}),
        ("The staff were wonderful and so patient with me", {"wonderful"}),
        ("Support was useless from start to finish", {"useless"}),
    ],
)
def test_the_word_that_carries_a_verdict_ranks_first(scorer: Bundled, text: str, words: set[str]) -> None:
    heaviest = weigh(text, scorer.name, scorer.read).telling[0]
    assert text[heaviest.start : heaviest.end] in words
