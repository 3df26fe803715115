"""What a mail says: who wrote it, when, and which of its words are the author's own."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.errors import MessageError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.core.mention import Post, normalise
from listener.testing import HOSTILE
from sources._maildial import BROKEN
from sources._mailread import Letter, Reading, parsed, post_of, words
from sources._mailtext import from_html, written

READING = Reading(realm="box", ours=frozenset({"service@brackholm.example"}), own_ids=re.compile(r"own\d@x"))
ARRIVED = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)


def read(raw: bytes | str) -> Post | str | None:
    message = parsed(raw if isinstance(raw, bytes) else raw.encode())
    return post_of(Letter(head=message, texts=(message,), arrived=ARRIVED), READING)


def post(raw: bytes | str) -> Post:
    found = read(raw)
    assert isinstance(found, Post), found
    return normalise(found)


def mail(body: str = "Hello", **headers: str) -> str:
    told = {"From": "kim@customer.example"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join(f"{name}: {value}\r\n" for name, value in told.items()) + f"\r\n{body}"


# --- who, and when --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "handle", "name"),
    [
        ({"From": "Kim Larsen <KIM@Customer.example>"}, "kim@customer.example", "Kim Larsen"),
        ({"From": '"Larsen, Kim" <kim@customer.example>'}, "kim@customer.example", "Larsen, Kim"),
        ({"From": "=?utf-8?q?S=C3=B8ren?= <kim@customer.example>"}, "kim@customer.example", "Søren"),
        ({"From": "kim@customer.example (Kim)"}, "kim@customer.example", "Kim"),
        ({"From": "Kim <kim@customer.example>, Per <per@x.example>"}, "kim@customer.example", "Kim"),
        ({"From": "Undisclosed"}, "", "Undisclosed"),
        ({"From": ""}, "", ""),
        ({"From": "", "Sender": "kim@customer.example"}, "kim@customer.example", ""),
        ({"From": "a@b.example", "Reply-To": "Kim <kim@c.example>"}, "kim@c.example", "Kim"),
        ({"From": "Form <form@b.example>", "Reply-To": "kim@c.example"}, "kim@c.example", "Form"),
        ({"From": "Kim <kim@c.example>", "Reply-To": "no-reply@c.example"}, "kim@c.example", "Kim"),
        ({"From": "Kim <kim@c.example>", "Reply-To": "service@brackholm.example"}, "kim@c.example", "Kim"),
        ({"From": "Shop <no-reply@b.example>"}, "", "Shop (no-reply@b.example)"),
        ({"From": "DoNotReply@b.example"}, "", "donotreply@b.example"),
        ({"From": "Stars <a@b.example>", "Auto-Submitted": "auto-generated"}, "", "Stars (a@b.example)"),
        ({"From": "Stars <a@b.example>", "Precedence": "bulk"}, "", "Stars (a@b.example)"),
        ({"From": "Stars <a@b.example>", "List-Unsubscribe": "<https://b.example>"}, "", "Stars (a@b.example)"),
        ({"From": "Kim <kim@c.example>", "List-Unsubscribe": "<x>", "List-Id": "<help>"}, "kim@c.example", "Kim"),
        ({"From": "Kim <kim@c.example>", "Auto-Submitted": "no"}, "kim@c.example", "Kim"),
    ],
)
def test_the_author_is_whom_an_answer_would_reach(headers: dict[str, str], handle: str, name: str) -> None:
    author = post(mail(**headers)).author
    assert (author.handle, author.name) == (handle, name)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"From": "service@brackholm.example"}, None),
        ({"From": "Service <SERVICE@brackholm.example>", "Reply-To": "service@brackholm.example"}, None),
        ({"Auto-Submitted": "auto-replied", "Subject": "Away"}, "an automatic answer: Away"),
        (
            {"Auto-Submitted": "auto-generated", "Subject": "Automatic reply: Parcel"},
            "an automatic answer: Automatic reply: Parcel",
        ),
        ({"Auto-Submitted": "auto-generated", "In-Reply-To": "<own1@x>"}, "an automatic answer: without a subject"),
        ({"Message-ID": "<own1@x>"}, None),
        ({"X-Autoreply": "yes"}, "an automatic answer: without a subject"),
        ({"Return-Path": "<>", "Subject": "Undelivered"}, "a notice of the mail system: Undelivered"),
        ({"Content-Type": "multipart/report; boundary=x"}, "a notice of the mail system: without a subject"),
    ],
)
def test_our_own_and_automatic_answers_are_nobodys_words(headers: dict[str, str], why: str | None) -> None:
    assert read(mail(**headers)) == why


@pytest.mark.parametrize(
    ("headers", "hour", "day"),
    [
        ({"Date": "Sat, 14 Nov 2026 08:30:00 +0100"}, 7, 14),
        ({"Date": "Sat, 14 Nov 2026 08:30:00"}, 8, 14),
        ({"Date": "Fri, 13 Nov 2026 10:00:00 +0000"}, 10, 13),
        ({}, 9, 14),
        ({"Date": "yesterday"}, 9, 14),
        ({"Date": "Thu, 01 Jan 1970 00:00:00 +0000"}, 9, 14),
        ({"Date": "Sat, 14 Nov 2037 08:30:00 +0000"}, 9, 14),
        ({"Date": "Fri, 99 Foo 99999 99:99:99 +9999"}, 9, 14),
        ({"Date": "Mon, 02 Nov 2026 07:00:00 +0000", "Received": "x by y; Mon, 02 Nov 2026 08:00:00 +0000"}, 7, 2),
        ({"Received": "x; Sat, 14 Nov 2037 08:00:00 +0000"}, 9, 14),
    ],
)
def test_a_date_is_believed_within_a_day_of_the_arrival(headers: dict[str, str], hour: int, day: int) -> None:
    found = post(mail(**headers)).published_at
    assert found is not None
    assert (found.year, found.day, found.hour) == (2026, day, hour)


@pytest.mark.parametrize(
    ("headers", "known", "answered", "root"),
    [
        ({"Message-ID": "<A@b>"}, "A@b", None, "A@b"),
        ({"Message-ID": " < a@b > (comment)"}, "a@b", None, "a@b"),
        ({"Message-ID": "bare@b"}, "bare@b", None, "bare@b"),
        ({"Message-ID": "<c@b>", "In-Reply-To": "<b@b>", "References": "<a@b>\r\n <b@b>"}, "c@b", "b@b", "a@b"),
        ({"Message-ID": "<c@b>", "In-Reply-To": "Your message of today <b@b>"}, "c@b", "b@b", "b@b"),
        ({"Message-ID": "<c@b>", "References": "<a@b><b@b>"}, "c@b", "b@b", "a@b"),
    ],
)
def test_a_thread_has_one_root(headers: dict[str, str], known: str, answered: str | None, root: str) -> None:
    found = post(mail(**headers))
    assert (found.external_id, found.in_reply_to, found.root) == (known, answered, root)


def test_a_mail_without_an_id_is_known_by_what_it_says() -> None:
    same = [post(mail("Hello", Date="x", Received=received)).external_id for received in ("a", "b")]
    other = post(mail("Hello!", Date="x")).external_id
    assert same[0] == same[1] != other
    assert same[0].startswith("no-id:")


# --- charsets and parts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "said", "text"),
    [
        ("utf-8", "Größe ✓".encode(), "Größe ✓"),
        ("iso-8859-1", "Größe “x” €".encode("cp1252"), "Größe “x” €"),
        ("us-ascii", "Größe".encode(), "Größe"),
        ("us-ascii", "Größe".encode("cp1252"), "Größe"),
        ("utf-8", "Größe".encode("cp1252"), "Größe"),
        ("gb2312", "質量差".encode("gb18030"), "質量差"),
        ("shift_jis", "髙い①".encode("cp932"), "髙い①"),
        ("koi8-r", "Плохо".encode("koi8-r"), "Плохо"),
        ("iso-2022-jp", "だめ".encode("iso-2022-jp"), "だめ"),
        ("no-such-thing", "Größe".encode(), "Größe"),
        ("rot13", b"uryyb", "uryyb"),
        ("unicode_escape", rb"\u0041", r"\u0041"),
        ("x\0y", b"hello", "hello"),
        ("", b"hello", "hello"),
    ],
)
def test_charsets_are_read_as_they_are_not_as_they_say(charset: str, said: bytes, text: str) -> None:
    raw = mail(Content_Type=f'text/plain; charset="{charset}"', Content_Transfer_Encoding="8bit").encode()
    assert post(raw.removesuffix(b"Hello") + said).text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?b?R3LDtsOfZQ==?= =?utf-8?q?_x?=", "Größe x"),
        ("=?utf-8?b?4pw=?= =?utf-8?b?kw==?=", "✓"),
        ("=?iso-8859-1?q?Gr=F6=DFe?= now", "Größe now"),
        ("=?gb2312?b?1srBv7Lu?=", "质量差"),
        ("=?what?q?x=ff?=", "xÿ"),
        ("=?utf-8?b?!!!?=", None),
        ("Größe roh", "Größe roh"),
        ("=?utf-8?q?a=0D=0ABcc:_x@y.example?=", "a\r\nBcc: x@y.example"),
    ],
)
def test_headers_are_decoded_as_far_as_they_can_be(value: str, text: str | None) -> None:
    found = words(value)
    assert text is None or found == text
    assert "\n" not in post(mail(Subject=value)).title


def multipart(kind: str, *parts: str) -> str:
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return mail(f"{body}--b--\r\n", Content_Type=f'multipart/{kind}; boundary="b"')


PLAIN = "Content-Type: text/plain\r\n\r\n{}"
HTML = "Content-Type: text/html\r\n\r\n{}"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (multipart("alternative", PLAIN.format("plain"), HTML.format("<b>html</b>")), "plain"),
        (multipart("alternative", PLAIN.format(" "), HTML.format("<b>html</b>")), "html"),
        (multipart("alternative", PLAIN.format("Your program shows no HTML."), HTML.format("<b>so</b>")), "so"),
        (multipart("alternative", PLAIN.format("It shows no HTML.")), "It shows no HTML."),
        (
            multipart("mixed", PLAIN.format("one"), "Content-Type: image/png\r\n\r\nx", PLAIN.format("two")),
            "one\n\ntwo",
        ),
        (multipart("mixed", PLAIN.format("one"), f"Content-Disposition: attachment\r\n{PLAIN.format('x')}"), "one"),
        (multipart("mixed", PLAIN.format("one"), f"Content-Type: message/rfc822\r\n\r\n{mail('x')}"), "one"),
        (mail("<p>Bad &amp; late<script>x</script></p>", Content_Type="text/html"), "Bad & late"),
        (mail("=42ad=\r\n!", Content_Transfer_Encoding="quoted-printable"), "Bad!"),
        (mail("QmFk", Content_Transfer_Encoding="base64"), "Bad"),
    ],
)
def test_the_text_is_found_among_the_parts(raw: str, text: str) -> None:
    assert post(raw).text == text


# --- the author's own words -----------------------------------------------------------------------------------------

WROTE = "On Mon, 3 Nov 2026 at 09:12, Brackholm <service@brackholm.example> wrote:"
LONG = "It never came and nobody picks up the phone. " * 12


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"Where is it?\n\n{WROTE}\n> Dear Kim\n> sorry\n", "Where is it?"),
        (f"{WROTE}\n> Which number?\n\nNumber 123.\n\n> And the colour?\nRed.\n", "Number 123.\n\nRed."),
        ("No!\n\n-----Original Message-----\nFrom: S\nSent: Monday\nTo: Kim\nSubject: Re: x\n\nDear Kim\n", "No!"),
        ("No!\n\n________________________________\nFrom: S\nSent: Monday\nTo: Kim\n\nDear Kim\n", "No!"),
        ("Nein!\n\nAm 03.11.2026 um 09:12 schrieb Service <s@b.example>:\n> Guten Tag\n\n-- \nKim", "Nein!"),
        ("Non !\n\nLe lun. 3 nov. 2026 à 09:12, Service <s@b.example> a écrit :\n> Bonjour\n", "Non !"),
        (f"{LONG}\n\n{WROTE}\n> x", LONG.strip()),
        (f"> {LONG}\nStill not.", "Still not."),
        ("> all is quoted", "> all is quoted"),
        ("", ""),
    ],
)
def test_quoted_mails_are_left_out_of_answers(text: str, own: str) -> None:
    assert written(text, answer=True) == own


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Bad.\n\nBest regards,\nKim\n+47 123", "Bad."),
        ("Bad.\n\nMit freundlichen Grüßen\nKim Maier", "Bad."),
        ("Bad.\n-- \nKim Larsen\nOslo", "Bad."),
        ("Bad.\n\nSent from my iPhone", "Bad."),
        ("Hello,\n\nThanks, but I want my money back.", None),
        ("Bad.\n\nThanks for nothing\nKim", None),
        ("Skidt.\n\nTak for ingenting\nKim", None),
        ("- late\n- broken\n- rude", None),
        ("Warning: your kettle burns. Confidential: no.", None),
        ("Name: Kim\nSubject: Broken\nDate: 3 Nov\nMessage: it burns", None),
        (f"As you told me:\n> no refund\n{WROTE}", None),
        ("--\nfirst line", None),
        ("x\n--\n" + "many lines\n" * 30, None),
    ],
)
def test_only_what_is_surely_a_signature_is_cut(text: str, own: str | None) -> None:
    assert written(text) == (text.strip() if own is None else own)


def test_what_is_forwarded_stays() -> None:
    text = f"See below.\n\n{WROTE}\n> You are out of luck"
    assert written(text, title="Fwd: your answer", answer=True) == text
    marked = "See below.\n\n---------- Forwarded message ---------\nFrom: S\nTo: Kim\n\nOut of luck"
    assert written(marked, answer=True) == marked


def test_quotes_in_html_are_marked() -> None:
    html = f"<div>No.<p>Never.</p></div><div>{WROTE.replace('<', '&lt;')}<br><blockquote>Dear <b>Kim</b>"
    text = from_html(f"{html}<blockquote>older</blockquote>newer</blockquote></div><p>PS: no</p>")
    assert written(text, answer=True).split() == ["No.", "Never.", "PS:", "no"]
    assert "> Dear Kim" in text
    assert from_html("</blockquote><p>a</p></blockquote><blockquote>").split("\n")[0].strip() == "a"


def test_hostile_text_stays_text() -> None:
    said = HOSTILE.encode("utf-8", "replace").decode()
    found = post(mail(said, Subject="x", Content_Type="text/plain; charset=utf-8")).text
    assert "<b>bold</b>" in found
    assert written(f"\ue0000\ue001 \ue002 {said}", answer=True)


@pytest.mark.parametrize("unit", ["On ", "On\n", "Am schrieb ", "> ", ">\n\n", "_\n", "\n", "From: ", "Sent from my\n"])
def test_no_text_takes_long(unit: str) -> None:
    begun = time.thread_time()  # of the processor: the machine may be busy
    for text in (unit * 30_000, (unit * 60)[:199] + "\n" + (unit * 10_000)):
        written(text, answer=True)
    assert time.thread_time() - begun < 3


# --- anything -------------------------------------------------------------------------------------------------------

PIECES = [
    b"From: ", b"To: ", b"Subject: ", b"Reply-To: ", b"Message-ID: <", b"References: ", b"Date: ", b"Received: ",
    b"Content-Type: multipart/mixed; boundary=x", b"Content-Type: text/html; charset=", b"Content-Type: text/plain",
    b"Content-Transfer-Encoding: base64", b"\r\n", b"\r\n\r\n", b"--x\r\n", b"--x--", b"=?utf-8?q?", b"?=", b"<", b">",
    b"@", b"\"", b"(", b";", b"\xff", b"\0", b"kim@x.example", b"> ", WROTE.encode(), b"\xe2\x80\xa8", b"=ED=A0=80",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=40))
def test_any_bytes_are_a_post_or_none(pieces: list[bytes]) -> None:
    try:
        found: Any = read(b"".join(pieces))
    except (MessageError, *BROKEN):
        return  # told as a mail that cannot be read
    if isinstance(found, Post):
        kept = normalise(found)
        kept.text.encode()
        assert "\n" not in kept.title + kept.author.handle + kept.external_id
