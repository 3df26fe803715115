"""What mail systems say to answers of ours: bounces of many makers, warnings, absence notes, and what looks alike."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.core.echo import Echo
from listener.core.mention import Post
from listener.testing import HOSTILE, START
from sources._mailecho import echo_of
from sources._mailread import Letter, Reading, post_of
from sources._mailsend import message_id, own_ids
from tests.bounces import AWAY, LATER, RETURNED, notice

OURS = "service@brackholm.example"
KNOWN = message_id("k1", OURS)
READING = Reading(realm="box", ours=frozenset({OURS}), own_ids=own_ids(OURS))


def letter(raw: bytes) -> Letter:
    mail = message_from_bytes(raw)
    return Letter(head=mail, texts=(mail,), arrived=START)


def echo(raw: bytes) -> Echo | None:
    return echo_of(letter(raw), READING)


@pytest.mark.parametrize("maker", RETURNED)
def test_a_bounce_says_which_answer_did_not_arrive_and_why(maker: str) -> None:
    found = echo(notice(maker, KNOWN))
    assert found is not None
    assert (found.kind, found.realm, found.external_id) == ("returned", "box", KNOWN)
    why, said = RETURNED[maker]
    assert found.why == why
    assert found.said.startswith(said)
    assert "@" not in found.reason, "the log keeps it, so it names nobody"


@pytest.mark.parametrize("maker", LATER)
def test_a_warning_is_no_bounce(maker: str) -> None:
    assert echo(notice(maker, KNOWN)) is None


@pytest.mark.parametrize("maker", AWAY)
def test_an_absence_note_is_an_echo_without_words(maker: str) -> None:
    assert echo(notice(maker, KNOWN)) == Echo(realm="box", external_id=KNOWN, kind="away")


@pytest.mark.parametrize("maker", [*RETURNED, *LATER, *AWAY])
def test_no_notice_is_ever_a_customers_word(maker: str) -> None:
    for raw in (notice(maker, KNOWN), notice(maker, KNOWN).replace(b"Return-Path: <>\r\n", b"")):
        found = post_of(letter(raw), READING)
        assert not isinstance(found, Post)
        assert found is not None


@pytest.mark.parametrize("maker", [*RETURNED, *AWAY])
@pytest.mark.parametrize(
    "known", ["1@customer.example", "listener.0@brackholm.example", KNOWN.replace("brack", "block")]
)
def test_a_notice_about_another_mail_is_no_echo(maker: str, known: str) -> None:
    assert echo(notice(maker, known)) is None


@pytest.mark.parametrize("maker", RETURNED)
def test_the_returned_headers_count_before_what_a_notice_says_it_answers(maker: str) -> None:
    other = notice(maker, KNOWN).replace(f"Message-ID: <{KNOWN}>".encode(), b"Message-ID: <other@customer.example>")
    assert echo(other) is None


@pytest.mark.parametrize("maker", ["exim", "exchange", "gmail"])
def test_without_returned_headers_what_it_answers_counts(maker: str) -> None:
    raw = notice(maker, KNOWN).replace(f"Message-ID: <{KNOWN}>".encode(), b"X-Nothing: 1")
    found = echo(raw)
    assert found is not None
    assert found.external_id == KNOWN


def test_an_id_in_the_words_of_a_notice_is_not_looked_for() -> None:
    plain = notice("qmail", KNOWN).replace(b"--- Below this line is a copy of the message.", b"It was this one:")
    assert echo(plain) is None
    inner = notice("postfix", "other@x").replace(b"We are sorry.", f"Message-ID: <{KNOWN}>".encode())
    assert echo(inner) is None


def test_a_bounce_of_a_mail_that_quotes_our_bounce_is_about_that_mail() -> None:
    outer = notice("postfix", "other@x").replace(b"We are sorry. A new one is on its way.", notice("postfix", KNOWN))
    assert echo(outer) is None


def test_a_copy_to_ourselves_that_came_back_says_nothing_of_the_customers_mail() -> None:
    raw = notice("postfix", KNOWN, to=OURS)
    assert echo(raw) is None
    both = raw.replace(
        b"Action: failed",
        b"Action: failed\r\nStatus: 5.2.2\r\n\r\nFinal-Recipient: rfc822; kim@x.example\r\nAction: failed",
    )
    found = echo(both)
    assert found is not None
    assert found.kind == "returned"


def test_delivered_is_not_returned() -> None:
    for action in (b"delivered", b"relayed", b"expanded", b"delayed"):
        assert echo(notice("postfix", KNOWN).replace(b"Action: failed", b"Action: " + action)) is None


@pytest.mark.parametrize("kind", ["disposition-notification", "feedback-report"])
def test_a_receipt_or_a_complaint_about_a_mail_says_that_it_arrived(kind: str) -> None:
    raw = notice("gmail", KNOWN).replace(b"message/delivery-status", f"message/{kind}".encode())
    assert echo(raw) is None


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"From": "Kim <kim@customer.example>"}, "My mail to you came back: 550 5.1.1 User unknown"),
        ({"From": "postmaster@customer.example", "Subject": "My acme kettle"}, "It is broken. Error 550 5.1.1"),
        ({"From": "Kim <kim@customer.example>", "Subject": "Undelivered Mail"}, "Where is my acme parcel?"),
        ({"From": "Kim <kim@customer.example>", "Precedence": "list", "In-Reply-To": f"<{KNOWN}>"}, "Thanks!"),
        ({"From": "Kim <kim@customer.example>", "X-Auto-Response-Suppress": "OOF", "In-Reply-To": f"<{KNOWN}>"}, "No!"),
        ({"From": "Kim <kim@customer.example>", "In-Reply-To": f"<{KNOWN}>", "Subject": "Re: Parcel"}, "I was away."),
    ],
)  # fmt: skip
def test_a_customers_own_words_stay_theirs(headers: dict[str, str], text: str) -> None:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name] = value
    mail["Message-ID"] = "<1@customer.example>"
    mail.set_content(text)
    assert echo(mail.as_bytes()) is None
    assert isinstance(post_of(letter(mail.as_bytes()), READING), Post)


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@x.example", "Mail Delivery System <mailer-daemon>", "mdaemon@x.example"]
)
def test_a_mail_system_without_any_other_mark_is_known_by_its_name(sender: str) -> None:
    raw = f"From: {sender}\r\nSubject: Acme\r\nMessage-ID: <1@x>\r\n\r\nAcme is broken.\r\n".encode()
    assert post_of(letter(raw), READING) == "a notice of the mail system: Acme"
    assert echo(raw) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_reasons_stay_one_short_line(text: str) -> None:
    said = " ".join(text.split()).replace("\0", "").encode("utf-8", "replace")
    raw = notice("postfix", KNOWN).replace(b"smtp; 550 5.1.1", b"smtp; 550 5.1.1 " + said[:2_000])
    found = echo(raw)
    assert found is not None
    assert len(found.said) <= 300
    assert "\n" not in found.said
    assert found.reason.encode("utf-8")


def test_a_report_without_end_is_looked_at_in_part() -> None:
    block = b"Final-Recipient: rfc822; a@b.example\r\nAction: relayed\r\nStatus: 2.0.0\r\n\r\n"
    raw = notice("postfix", KNOWN)
    assert echo(raw.replace(b"Final-Recipient", block * 5_000 + b"Final-Recipient", 1)) is None
    parts = b"\r\n".join(b"--B\r\nContent-Type: text/plain\r\n\r\nx" for _ in range(5_000))
    bounds = raw.replace(b"4XqP1m6kGvz9sR.1794992711/mail.brackholm.example", b"B")
    assert echo(bounds.replace(b"--B\r\n", parts + b"\r\n--B\r\n", 1)) is None


@settings(max_examples=300, deadline=None)
@given(maker=st.sampled_from([*RETURNED, *LATER, *AWAY]), cut=st.integers(0, 3_000), junk=st.binary(max_size=40))
def test_a_broken_notice_breaks_nothing(maker: str, cut: int, junk: bytes) -> None:
    raw = notice(maker, KNOWN)
    for broken in (raw[:cut], raw[:cut] + junk + raw[cut:], raw[:cut] + junk):
        found = echo(broken)
        assert found is None or found.external_id == KNOWN
