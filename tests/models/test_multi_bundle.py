"""The multilingual bundle with its real weights: eight languages, strangers, hostile texts, size, laziness."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import models.bundled
from listener.core.errors import Rejected, SettingsError
from listener.core.sentiment import LABELS, Verdict
from listener.core.tools import Tools
from models._bundle import Bundle
from models._words import widened
from models.bundled import Bundled, BundledOptions

pytestmark = pytest.mark.model

TOOLS = Tools(http=None, clock=lambda: datetime(2026, 11, 1, tzinfo=UTC))
SEVERAL = Path(models.bundled.__file__).with_name("bundled_multi")


@pytest.fixture(scope="module")
def scorer() -> Bundled:
    return Bundled(BundledOptions(), TOOLS)


PLAIN = [
    ("de", "Furchtbarer Service, nie wieder! Das Paket kam kaputt an und niemand antwortet.", "negative"),
    ("de", "Ich liebe diesen Mantel, vielen Dank, ich bin so glücklich damit!", "positive"),
    ("fr", "Quelle honte, le colis est arrivé cassé et personne ne répond au téléphone.", "negative"),
    ("fr", "J'adore ce magasin, merci beaucoup, une équipe formidable !", "positive"),
    ("es", "Pésima atención, el paquete llegó roto y nadie contesta. Qué vergüenza.", "negative"),
    ("es", "Me encanta este abrigo, muchas gracias, estoy muy feliz con la compra.", "positive"),
    ("pt", "Péssimo atendimento, o pacote chegou quebrado e ninguém atende o telefone.", "negative"),
    ("pt", "Adorei o casaco, muito obrigada, estou muito feliz com a compra!", "positive"),
    ("it", "Servizio pessimo, il pacco è arrivato rotto e nessuno risponde. Vergogna.", "negative"),
    ("it", "Adoro questo cappotto, grazie mille, sono felicissima!", "positive"),
    ("ar", "خدمة سيئة جدا، وصل الطرد مكسورا ولا أحد يرد على الهاتف", "negative"),
    ("ar", "أحب هذا المتجر كثيرا، شكرا لكم، أنا سعيد جدا", "positive"),
    ("hi", "बहुत खराब सेवा, कोई जवाब नहीं देता, मैं बहुत दुखी हूँ", "negative"),
    ("hi", "मुझे यह दुकान बहुत पसंद है, धन्यवाद, मैं बहुत खुश हूँ", "positive"),
]


@pytest.mark.parametrize(("language", "text", "label"), PLAIN)
def test_plain_praise_and_complaint_are_told_apart(scorer: Bundled, language: str, text: str, label: str) -> None:
    (verdict,) = scorer.read([text])
    assert (verdict.language, verdict.label) == (language, label)


@pytest.mark.parametrize(
    "text", ["bahut bekar service hai yaar, koi jawab nahi deta", "mujhe ye nahi chahiye, ganda kaam"]
)
def test_romanised_hindi_is_told_and_never_called_praise_with_confidence(scorer: Bundled, text: str) -> None:
    (verdict,) = scorer.read([text])
    assert verdict.language == "hi"
    assert (verdict.label, verdict.certainty) != ("positive", "confident")


@pytest.mark.parametrize(
    ("text", "intent", "severity"),
    [
        ("Wann öffnet der Laden am Sonntag?", "question", ()),
        ("¿A qué hora abren el domingo?", "question", ()),
        ("J'adore ce magasin, merci !", "praise", ()),
        # Word of a contract sounds like law to the head, which errs on the side of telling somebody.
        ("Vou cancelar o contrato.", "leave", ("legal",)),
        ("Il fornello ha preso fuoco e mi sono bruciato la mano.", "complaint", ("safety",)),
        ("Ma fille a été malade deux jours après avoir mangé votre poulet.", "complaint", ("health",)),
    ],
)
def test_what_was_learnt_in_english_carries_over(
    scorer: Bundled, text: str, intent: str, severity: tuple[str, ...]
) -> None:
    (verdict,) = scorer.read([text])
    assert intent in (verdict.intent or ())
    assert (verdict.severity or ())[:1] == severity


@pytest.mark.parametrize(
    "text",
    [
        "De klantenservice is waardeloos, ik wacht al zes weken en niemand antwoordt.",
        "Obsługa klienta jest beznadziejna, czekam od sześciu tygodni.",
        "Обслуживание ужасное, больше никогда.",
        "商品が壊れていました。もう買いません。",
        "고객 서비스가 형편없어요",
    ],
)
def test_a_language_that_no_bundle_reads_is_unsure(scorer: Bundled, text: str) -> None:
    (verdict,) = scorer.read([text])
    assert (verdict.language, verdict.certainty) == ("unknown", "unsure")


def test_a_configured_language_that_no_bundle_reads_is_told_and_unsure() -> None:
    scorer = Bundled(BundledOptions(languages=("nl", "en")), TOOLS)
    dutch, english = scorer.read(
        ["Ik ben heel erg blij met mijn nieuwe jas, dank je wel!", "I love it, thank you so much!"]
    )
    assert (dutch.language, dutch.certainty) == ("nl", "unsure")
    assert (english.language, english.certainty) == ("en", "confident")


def test_a_language_that_cannot_be_told_is_refused_with_those_that_can() -> None:
    with pytest.raises(SettingsError, match=r"xx.*must be of.*en"):
        Bundled(BundledOptions(languages=("en", "xx")), TOOLS)


def test_mixed_languages_keep_their_order(scorer: Bundled) -> None:
    texts = ["I love it, thank you so much!", *(text for _, text, _ in PLAIN), "Where is my order?", ""]
    together = scorer.read(texts)
    assert [verdict.language for verdict in together] == ["en", *(code for code, _, _ in PLAIN), "en", "unknown"]
    alone = [scorer.read([text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert (one.label, one.confidence) == (other.label, pytest.approx(other.confidence, abs=0.05))


def test_every_verdict_is_signed_by_both_bundles(scorer: Bundled) -> None:
    revisions = [
        json.loads((path / "config.json").read_text())["revision"] for path in (SEVERAL.with_name("bundled"), SEVERAL)
    ]
    assert scorer.name == f"bundled-en@{revisions[0]}+multi@{revisions[1]}"
    assert {verdict.scorer for verdict in scorer.read(["fine", "Das ist ein schöner Tag.", ""])} == {scorer.name}


def test_the_second_bundle_is_loaded_by_the_first_text_that_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    ready = Bundle._ready

    def told(bundle: Bundle) -> object:
        loaded.append(bundle.config.language)
        return ready(bundle)

    monkeypatch.setattr(Bundle, "_ready", told)
    scorer = Bundled(BundledOptions(), TOOLS)
    scorer.read(["Where is my order?", "ok", ""])
    assert set(loaded) == {"en"}
    scorer.read(["Wo ist meine Bestellung geblieben?"])
    assert set(loaded) == {"en", "multi"}


HOSTILE = {
    "a megabyte": "das ist schrecklich " * 52_000,
    "a megabyte without a space": "ß" * 500_000,
    "combining marks": "é un disastro e" + "\u0301" * 10_000,
    "bidi": "\u202e\u2066خدمة سيئة\u2069\u202c " * 500,
    "surrogates": "sehr \ud83d schlechter Dienst \udc00",
    "NUL": "muy\0 mal\0 servicio",
    "tokens": "<s> </s> <unk> <pad> das ist nicht gut",
    "every plane": "è pessimo " + "".join(map(chr, range(0, 0x110000, 37))),
    "Devanagari": "खराब सेवा। " * 2000,
    "Arabic marks": "سيئ" + "\u064b" * 5000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_text_is_judged_in_bounded_time(name: str) -> None:
    bundle = Bundle(SEVERAL, precision="auto", threads=1)
    bundle.load()
    started = time.monotonic()
    (verdict,) = bundle.read([HOSTILE[name][:8000]], ["de"], "x")
    assert time.monotonic() - started < 10
    assert sum(_three(verdict)) == pytest.approx(1, abs=1e-3)


def test_a_text_of_unknown_signs_says_nothing() -> None:
    bundle = Bundle(SEVERAL, precision="auto", threads=1)
    for text in ("", " ", "\0", "\ud800", "ᚠᚢᚦ ᚠᚢᚦ", "商品が"):
        (verdict,) = bundle.read([text], ["unknown"], "x")
        assert (verdict.certainty, verdict.confidence) == ("unsure", 0.0)


def test_int8_and_float_agree() -> None:
    texts, codes = [text for _, text, _ in PLAIN], [code for code, _, _ in PLAIN]
    small, whole = (
        np.array([_three(each) for each in Bundle(SEVERAL, precision=precision, threads=1).read(texts, codes, "x")])
        for precision in ("int8", "f32")
    )
    assert np.abs(small - whole).max() < 0.12
    assert (small.argmax(axis=1) == whole.argmax(axis=1)).all()


def test_each_bundle_s_meanings_lie_in_a_space_of_its_own(scorer: Bundled) -> None:
    english, several = scorer.spaces
    texts = ["The parcel arrived broken.", "Das Paket kam kaputt an."]
    assert [verdict.space for verdict in scorer.read(texts)] == [english.name, several.name]
    assert (english.languages, "de" in several.languages) == (("en",), True)
    assert scorer.name == f"bundled-{english.name}+{several.name}"


def test_a_text_can_be_given_a_meaning_in_either_space(scorer: Bundled) -> None:
    english, several = scorer.spaces
    german = scorer.read(["Das Paket kam kaputt an."])[0].embedding
    texts = ["Das Paket kam kaputt an.", "", "The parcel arrived broken."] * 90
    found = scorer.meanings(texts, several.name)
    assert (found[0], found[1], len(found)) == (german, None, 270)
    assert scorer.meanings(texts[:1], english.name) != found[:1]
    with pytest.raises(Rejected, match="no space en@0"):
        scorer.meanings(texts, "en@0")


def test_a_text_points_the_way_of_its_translation(scorer: Bundled) -> None:
    texts = [
        "The parcel arrived broken.",
        "Das Paket kam kaputt an.",
        "El paquete llegó roto.",
        "Ich backe gern Kuchen.",
    ]
    english, german, spanish, cake = (
        np.frombuffer(meaning or b"", np.int8).astype(float)
        for meaning in scorer.meanings(texts, scorer.spaces[1].name)
    )

    def likeness(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    assert likeness(german, spanish) > likeness(german, cake) + 0.1
    assert likeness(english, german) > likeness(english, cake) + 0.1


ABOUT = {
    "my parcel has not arrived": [
        "Seit zwei Wochen warte ich auf das Päckchen.",
        "Le facteur n'est jamais passé avec mon colis.",
        "El repartidor dejó la caja en la calle.",
        "Il corriere ha perso il mio pacco.",
        "A encomenda ainda não chegou.",
        "لم تصل الشحنة بعد",
    ],
    "the app keeps crashing": [
        "Die App stürzt beim Öffnen ab.",
        "L'application plante à chaque fois.",
        "La aplicación se cierra sola.",
        "L'app si blocca appena la apro.",
        "O aplicativo trava toda hora.",
        "التطبيق يتوقف عن العمل كل يوم",
    ],
}


def _directions(scorer: Bundled, texts: list[str]) -> np.ndarray:
    found = np.stack([np.frombuffer(each or b"", np.int8) for each in scorer.meanings(texts, scorer.spaces[1].name)])
    return found / np.linalg.norm(found.astype(float), axis=1, keepdims=True)


def test_what_a_post_is_about_is_told_across_languages_by_english_phrases(scorer: Bundled) -> None:
    phrases = _directions(scorer, list(ABOUT))
    for number, posts in enumerate(ABOUT.values()):
        assert ((_directions(scorer, posts) @ phrases.T).argmax(axis=1) == number).all()


def test_texts_that_have_nothing_in_common_do_not_point_the_same_way(scorer: Bundled) -> None:
    found = _directions(scorer, [*(posts[at] for posts in ABOUT.values() for at in (0, 3)), "Ich backe gern Kuchen."])
    likeness = found @ found.T
    assert abs(likeness[:2, 2:].mean()) < 0.4
    assert abs(likeness[4, :4].mean()) < 0.4


def test_the_bundle_stays_below_thirty_megabytes() -> None:
    assert sum(path.stat().st_size for path in SEVERAL.iterdir()) < 30_000_000


def test_four_bits_are_widened_in_the_order_they_were_stored_in() -> None:
    low, high = np.arange(16, dtype=np.uint8), np.arange(16, dtype=np.uint8)[::-1]
    found = widened((low | high << 4)[None], np.array([[0.5]], np.float32))
    assert found.tolist() == [[(each - 8) / 2 for each in (*range(16), *reversed(range(16)))]]


def _three(verdict: Verdict) -> list[float]:
    return [getattr(verdict.probabilities, label) for label in LABELS]


def test_heads_that_are_wrong_too_often_in_a_language_say_nothing_there(scorer: Bundled) -> None:
    hindi, arabic, german = scorer.read(
        [
            "बहुत खराब सेवा, कोई जवाब नहीं देता, मैं बहुत दुखी हूँ",
            "اخرس يا حمار، خدمة سيئة جدا",
            "Ihr seid doch alles Vollidioten.",
        ]
    )
    assert (hindi.emotion, hindi.intent, hindi.offensive, hindi.severity) == (None, None, None, None)
    assert arabic.offensive is None
    assert arabic.intent is not None
    assert german.offensive is True


def test_a_text_in_an_unknown_language_says_no_more_than_its_mood() -> None:
    bundle = Bundle(SEVERAL, precision="auto", threads=1)
    (verdict,) = bundle.read(["Klantenservice is waardeloos, ik wacht al zes weken."], ["unknown"], "x")
    assert (verdict.emotion, verdict.intent, verdict.offensive) == (None, None, None)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das Kinderbett ist zusammengebrochen, unsere Tochter hat sich den Arm gebrochen."),
        ("fr", "Ma fille a fini aux urgences après avoir mangé vos crevettes."),
        ("es", "Me han vaciado la cuenta con una tarjeta que yo no pedí."),
        ("it", "Il mio avvocato vi porterà in tribunale."),
        ("pt", "O fogão explodiu e queimou a mão do meu filho."),
        ("ar", "انفجرت البطارية واحترقت يد ابني"),
    ],
)
def test_a_grave_matter_is_told_in_its_language(language: str, text: str) -> None:
    (verdict,) = Bundle(SEVERAL, precision="auto", threads=1).read([text], [language], "x")
    assert verdict.severity
