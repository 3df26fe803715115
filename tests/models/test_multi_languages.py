"""Telling languages: the configured ones, romanised Hindi, strangers and texts too short to tell."""

import pytest

from models._codes import KNOWN
from models._languages import UNKNOWN, Languages

EIGHT = ("en", "ar", "de", "es", "fr", "hi", "it", "pt")


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages(EIGHT)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I have now been waiting six weeks for the replacement part.", "en"),
        ("refund please", "en"),
        ("my order 😡", "en"),
        ("The zip broke.", "en"),
        ("Das Paket kam kaputt an und niemand antwortet.", "de"),
        ("Le colis est arrivé cassé et personne ne répond.", "fr"),
        ("Atención al cliente pésima, no vuelvo.", "es"),
        ("O pacote chegou quebrado e ninguém atende o telefone.", "pt"),
        ("Il pacco è arrivato rotto e nessuno risponde.", "it"),
        ("خدمة سيئة جدا ولن أعود", "ar"),
        ("यह बहुत खराब सेवा है", "hi"),
        ("bahut bekar service hai yaar, koi jawab nahi deta", "hi"),
    ],
)
def test_the_language_of_a_plain_sentence_is_told(languages: Languages, text: str, language: str) -> None:
    assert languages.tell(text).language == language


@pytest.mark.parametrize(
    "text",
    [
        "De klantenservice is waardeloos, ik wacht al zes weken.",
        "Kundtjänsten är usel, jag har väntat i sex veckor.",
        "Obsługa klienta jest beznadziejna, czekam od sześciu tygodni.",
        "Müşteri hizmetleri berbat, altı haftadır bekliyorum.",
        "Обслуживание ужасное, больше никогда.",
        "商品が壊れていました。もう買いません。",
        "고객 서비스가 형편없어요",
        "Serviciul clienți este groaznic, aștept de șase săptămâni.",
    ],
)
def test_a_language_that_nobody_listens_in_is_unknown(languages: Languages, text: str) -> None:
    assert languages.tell(text).language == UNKNOWN


@pytest.mark.parametrize(
    "text", ["", " ", "ok", ":-)", "😡😡😡", "12345 67890", "@user http", "\ud800", "\0", "\u202e"]
)
def test_too_few_letters_tell_no_language(languages: Languages, text: str) -> None:
    told = languages.tell(text)
    assert (told.language, told.likeliest) == (UNKNOWN, None)


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "é" * 5000, "e" + "\u0301" * 10_000, "".join(map(chr, range(0x10FFFF)))]
)
def test_odd_text_raises_nothing(languages: Languages, text: str) -> None:
    assert languages.tell(text).language in {*EIGHT, UNKNOWN}


def test_the_operator_decides_which_languages_there_are() -> None:
    dutch = Languages(("nl", "en"))
    assert dutch.tell("De klantenservice is waardeloos, ik wacht al zes weken.").language == "nl"
    assert dutch.tell("Das Paket kam kaputt an und niemand antwortet.").language == UNKNOWN
    assert Languages(()).tell("Plain words of English.").language == UNKNOWN


def test_english_words_make_no_hindi(languages: Languages) -> None:
    assert languages.tell("Ye olde shop: ask koi and ji to see the hi-fi, to be fair.").language == "en"


def test_the_detector_knows_every_code_that_may_be_configured() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    assert set(LanguageIdentifier.from_model_file(MODEL_FILE).nb_classes) >= KNOWN
