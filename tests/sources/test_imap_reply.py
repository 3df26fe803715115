"""Answers by mail: written, handed over once, delivered into a real mailbox, and looked up after a doubtful end."""

from __future__ import annotations

import logging
import ssl
import time
from contextlib import nullcontext
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.mention import Author, Post
from listener.core.protocols import Budget
from listener.core.query import Place
from listener.core.reply import Approval, ReplyLimits, digest
from listener.core.tools import Tools
from listener.http import AddressGuard
from listener.testing import HOSTILE, START, FakeClock
from sources._mailsend import Sender, compose, own_ids
from sources.imap import Mailbox, MailboxOptions
from tests.servers.dovecot import HOST, PASSWORD, Dovecot
from tests.servers.smtp import CLOSE, HANG, Delivering, OddSmtp
from tests.sinks import SmtpSink, free_port

pytestmark = pytest.mark.servers

OURS = "service@brackholm.example"
KNOWN = "first@customer.example"
POST = Post(
    source="imap",
    realm="box",
    external_id=KNOWN,
    kind="mail",
    author=Author(handle="kim@customer.example", name="Kim Larsen"),
    title="Parcel",
    text="My parcel is broken.\nAgain.",
    published_at=START - timedelta(hours=1),
    root=KNOWN,
)


def approved(text: str = "We are sorry. A new one is on its way.") -> Approval:
    return Approval(text=text, digest=digest(text), who="Ann", colleague=1, at=START)


def mailbox(smtp_port: int, user: str = OURS, imap_port: int = 1, secret: str = PASSWORD, **options: Any) -> Mailbox:
    guard = AddressGuard(allow_private=True, resolver=lambda _host, _port: ["127.0.0.1"])
    told = {
        "host": "127.0.0.1", "port": imap_port, "security": "none", "user": user, "smtp_host": "127.0.0.1",
        "smtp_port": smtp_port, "smtp_security": "none", "smtp_deadline": 10.0, "from_name": "Brackholm service",
    }  # fmt: skip
    return Mailbox(MailboxOptions(**(told | options)), Tools(http=None, clock=FakeClock(), secret=secret, guard=guard))


def words(raw: bytes | str) -> str:
    """The text of a mail."""
    return str(made(raw).get_content()).replace("\r\n", "\n")


def made(raw: bytes | str) -> EmailMessage:
    data = raw.encode() if isinstance(raw, str) else raw
    return cast("EmailMessage", message_from_bytes(data, policy=policy.default))


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_an_answer_goes_out_in_the_thread(smtp_sink: SmtpSink) -> None:
    post = Post(**{name: getattr(POST, name) for name in POST.__slots__} | {"in_reply_to": "b@x", "root": "a@x"})
    posted = mailbox(smtp_sink.port).reply(post, approved("Sorry!\n\n.A dot, and Größe ✓ https://b.example/x "), "k1")
    (arrival,) = smtp_sink.accepted
    sent = made(arrival.raw)
    assert sent["Message-ID"] == f"<{posted.external_id}>"
    assert sent["From"] == f"Brackholm service <{OURS}>"
    assert (sent["To"], sent["Subject"], sent["Cc"], sent["Bcc"]) == ("kim@customer.example", "Re: Parcel", None, None)
    assert sent["In-Reply-To"] == f"<{KNOWN}>"
    assert sent["References"].split() == ["<a@x>", "<b@x>", f"<{KNOWN}>"]
    assert (sent["Auto-Submitted"], sent["Date"].datetime) == (None, START)
    assert words(arrival.raw) == (
        "Sorry!\n\n.A dot, and Größe ✓ https://b.example/x\n\n"
        "On 2026-11-14 at 08:00 UTC, Kim Larsen wrote:\n> My parcel is broken.\n> Again.\n"
    )


def test_the_same_key_gives_the_same_id(smtp_sink: SmtpSink) -> None:
    box = mailbox(smtp_sink.port)
    ids = [box.reply(POST, approved(), key).external_id for key in ("k1", "k1", "k2", "k\r\n<x>")]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(one.endswith("@brackholm.example") and one.isascii() and " " not in one for one in ids)
    assert all(own_ids(OURS).fullmatch(one) for one in ids), "so that we know our own mails again"


def test_a_subject_is_marked_as_an_answer_once() -> None:
    sender = Sender(address=OURS, name="", user="", secret="", copy=False)
    for title, subject in (
        ("Re: Parcel", "Re: Parcel"),
        ("AW: Paket", "AW: Paket"),
        ("", "Re: your message"),
        ("Grüße ✓ " * 20, f"Re: {'Grüße ✓ ' * 20}".strip()),
        ("=?utf-8?q?x?=", "Re: =?utf-8?q?x?="),
        ("word " * 90, f"Re: {'word ' * 90}".strip()),
    ):
        raw = compose(Post(source="imap", external_id="x@y", title=title), "t", sender, "k@b", START)
        assert made(raw)["Subject"] == subject
        assert max(map(len, raw.split(b"\r\n"))) < 998


NASTY = st.text(max_size=60) | st.sampled_from(
    ["\r\nBcc: victim@x.example", "a\nb", "<x>", '"', HOSTILE, "\ud800", "é" * 80]
)


@settings(max_examples=150)
@given(title=NASTY, text=NASTY, name=NASTY, known=NASTY, root=NASTY, own=NASTY)
def test_no_words_become_headers(title: str, text: str, name: str, known: str, root: str, own: str) -> None:
    post = Post(
        source="imap", external_id=known, title=title, text=text, root=root, in_reply_to=known,
        author=Author(handle="kim@customer.example", name=name),
    )  # fmt: skip
    sender = Sender(address=OURS, name=own, user="", secret="", copy=False)
    raw = compose(post, text, sender, "k@brackholm.example", START)
    raw.decode("ascii")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    head = {line.partition(b":")[0] for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] != b" "}
    usual = {b"From", b"To", b"Subject", b"Date", b"Message-ID", b"In-Reply-To", b"References", b"MIME-Version"}
    assert head <= usual | {b"Content-Type", b"Content-Transfer-Encoding"}
    assert [address.addr_spec for address in made(raw)["From"].addresses][-1:] == [OURS]


def test_the_words_arrive_as_approved(smtp_sink: SmtpSink) -> None:
    text = "  two  spaces\ttab\n\n\n\nmany lines\n.\n..\nFrom here\n" + "long " * 500 + "\u2028\U0001f600 \u202e"
    mailbox(smtp_sink.port).reply(POST, approved(text), "k")
    assert words(smtp_sink.accepted[0].raw).startswith(text.rstrip() + "\n\nOn 2026")


def test_a_long_mail_is_quoted_in_part(smtp_sink: SmtpSink) -> None:
    post = Post(source="imap", external_id=KNOWN, text="x" * 20_000, author=POST.author)
    mailbox(smtp_sink.port).reply(post, approved(), "k")
    assert words(smtp_sink.accepted[0].raw).endswith("x […]\n")


# --- whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handle", "options", "why"),
    [
        ("kim@customer.example", {}, None),
        ("kim@grüße.example", {}, None),
        ("kim@customer.example", {"smtp_host": ""}, "no `smtp_host` is set"),
        ("kim@customer.example", {"user": "kim"}, "`address` is no mail address"),
        ("", {}, "a machine wrote this mail"),
        ("kim", {}, "no address that a mail can be sent to"),
        ("kim@", {}, "no address that a mail can be sent to"),
        ("kím@customer.example", {}, "no address that a mail can be sent to"),
        ("a@b.example>\r\nRCPT TO:<victim@x.example", {}, "no address that a mail can be sent to"),
        ("kim@customer.example,per@x.example", {}, "no address that a mail can be sent to"),
        ("no-reply@customer.example", {}, "nobody reads"),
        ("mailer-daemon@customer.example", {}, "nobody reads"),
        (OURS, {}, "our own address"),
        ("help@brackholm.example", {"aliases": ("Help@brackholm.example",)}, "our own address"),
    ],
)
def test_who_cannot_be_answered_is_told_and_not_written_to(handle: str, options: Any, why: str | None) -> None:
    post = Post(source="imap", external_id="x", author=Author(handle=handle))
    with OddSmtp() as smtp:
        box = mailbox(smtp.port, **options)
        told = box.can_reply(post)
        if why is None:
            assert told is None
            assert box.limits(post) == ReplyLimits()
            box.reply(post, approved(), "k")
            assert len(smtp.mails) == 1
            return
        assert why in (told or "")
        with pytest.raises(Rejected, match=r".+"):
            box.reply(post, approved(), "k")
        assert smtp.said == []


def test_only_the_customer_and_ourselves_get_it() -> None:
    with OddSmtp() as smtp:
        mailbox(smtp.port, copy_to_self=True).reply(POST, approved(), "k")
        mailbox(smtp.port).reply(POST, approved(), "k")
    to = [said for said in smtp.said if said.startswith("RCPT")]
    assert to == ["RCPT TO:<kim@customer.example>", f"RCPT TO:<{OURS}>", "RCPT TO:<kim@customer.example>"]


# --- servers in a bad mood ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "error", "sent"),
    [
        ({"greeting": b"554 not you\r\n"}, Rejected, 0),
        ({"greeting": b"421 too busy\r\n"}, Unavailable, 0),
        ({"greeting": b"SSH-2.0-x\r\n"}, Unavailable, 0),
        ({"greeting": CLOSE}, Unavailable, 0),
        ({"EHLO": CLOSE}, Unavailable, 0),
        ({"AUTH": b"535 5.7.8 wrong\r\n"}, Unauthorized, 0),
        ({"AUTH": b"454 4.7.0 later\r\n"}, Unavailable, 0),
        ({"EHLO": b"250-x\r\n250 AUTH GSSAPI\r\n"}, Unauthorized, 0),
        ({"MAIL": b"550 5.7.1 not this sender\r\n"}, Rejected, 0),
        ({"MAIL": b"530 sign in first\r\n"}, Unauthorized, 0),
        ({"MAIL": b"421 4.7.0 Too many messages, slow down\r\n"}, RateLimited, 0),
        ({"RCPT": b"550 5.1.1 no such mailbox\r\n"}, Rejected, 0),
        ({"RCPT": b"450 4.2.0 greylisted\r\n"}, Unavailable, 0),
        ({"RCPT": b"452 4.5.3 too many recipients\r\n"}, RateLimited, 0),
        ({"RCPT": b"421 bye\r\n"}, Unavailable, 0),
        ({"RCPT": CLOSE}, Unavailable, 0),
        ({"DATA": b"451 not now\r\n"}, Unavailable, 0),
        ({"DATA": b"554 no\r\n"}, Rejected, 0),
        ({"DATA": b"250 what?\r\n"}, Unavailable, 0),
        ({"DATA": CLOSE}, Unavailable, 0),
        ({"end": b"451 4.3.0 try again\r\n"}, Unavailable, 1),
        ({"end": b"452 4.7.1 over your limit\r\n"}, RateLimited, 1),
        ({"end": b"421 closing\r\n"}, Unavailable, 1),
        ({"end": b"554 5.7.1 spam\r\n"}, Rejected, 1),
        ({"end": CLOSE}, Unclear, 1),
        ({"end": b"hm\r\n"}, Unclear, 1),
        ({"end": b"354 more?\r\n"}, Unclear, 1),
        ({"end": b"5" * 9_000 + b"\r\n"}, Unclear, 1),
        ({"end": b"250-a\r\n250\r\n"}, None, 1),
        ({"QUIT": CLOSE}, None, 1),
        ({"QUIT": HANG}, None, 1),
    ],
)
def test_each_answer_of_a_mail_server_has_its_meaning(answers: Any, error: type | None, sent: int) -> None:
    with OddSmtp(**answers) as smtp:
        box = mailbox(smtp.port, secret="s3cret-pw")
        if error is None:
            assert box.reply(POST, approved(), "k").external_id.startswith("listener.")
        else:
            with pytest.raises(AdapterError) as problem:
                box.reply(POST, approved(), "k")
            assert type(problem.value) is error, problem.value
            assert "s3cret-pw" not in f"{problem.value!r}{problem.value.__cause__!r}{problem.value.__context__!r}"
    assert len(smtp.mails) == sent


def test_silence_before_the_end_of_a_mail_is_certain() -> None:
    for silent in ("greeting", "EHLO", "RCPT", "DATA"):
        begun = time.monotonic()
        with OddSmtp(**{silent: HANG}) as smtp, pytest.raises(Unavailable):
            mailbox(smtp.port, smtp_deadline=0.3).reply(POST, approved(), "k")
        assert time.monotonic() - begun < 3
        assert smtp.mails == []


def test_silence_after_the_end_of_a_mail_is_unclear() -> None:
    with OddSmtp(end=HANG) as smtp, pytest.raises(Unclear, match="gave no answer"):
        mailbox(smtp.port, smtp_deadline=0.3).reply(POST, approved(), "k")
    assert len(smtp.mails) == 1


@pytest.mark.parametrize(("breaks_at", "error"), [(b"Subject", Unavailable), (b".\r\n", Unclear)])
def test_a_line_that_breaks_leaves_doubt_only_once_the_mail_was_ended(
    monkeypatch: pytest.MonkeyPatch, breaks_at: bytes, error: type[AdapterError]
) -> None:
    class Client:
        esmtp_features: ClassVar[dict[str, str]] = {}

        def docmd(self, command: str, _about: str = "") -> tuple[int, bytes]:
            return (354 if command == "DATA" else 250), b"go on"

        def send(self, data: bytes) -> None:
            if data == breaks_at or breaks_at in data.partition(b"\r\n\r\n")[0]:
                raise BrokenPipeError("the line broke")

    # Loopback takes any mail whole before it breaks.
    monkeypatch.setattr("sources._mailsend.sending", lambda *_: nullcontext(Client()))
    with pytest.raises(error):
        mailbox(1).reply(POST, approved(), "k")


def test_a_late_answer_counts() -> None:
    with OddSmtp(end=(0.8, b"250 taken at last\r\n")) as smtp:
        assert mailbox(smtp.port).reply(POST, approved(), "k")


def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    with pytest.raises(Unavailable, match="Connection refused"):
        mailbox(free_port()).reply(POST, approved(), "k")


def test_nothing_leaves_before_the_connection_is_secured() -> None:
    with OddSmtp() as smtp, pytest.raises(Rejected, match="offers no STARTTLS"):
        mailbox(smtp.port, smtp_security="starttls").reply(POST, approved(), "k")
    assert [said.split()[0] for said in smtp.said] == ["ehlo"]


def test_a_server_that_cannot_sign_in_is_not_told_the_password() -> None:
    with OddSmtp(EHLO=b"250 odd.example\r\n") as smtp:
        mailbox(smtp.port).reply(POST, approved(), "k")
    assert not any(said.startswith("AUTH") for said in smtp.said)


# --- real servers ---------------------------------------------------------------------------------------------------


def test_starttls_and_passwords_work_with_a_real_server(tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    sink = SmtpSink()
    controller = Controller(
        sink, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True, auth_required=True,
        authenticator=lambda _server, _session, _envelope, _way, data: AuthResult(
            success=data.password == "pässword".encode(), handled=False
        ),
    )  # fmt: skip
    controller.start()
    try:
        right = {"smtp_host": HOST, "smtp_security": "starttls", "ca_file": str(tmp_path / "ca.pem")}
        mailbox(controller.port, secret="pässword", **right).reply(POST, approved(), "k")
        with pytest.raises(Unauthorized, match="refused the password"):
            mailbox(controller.port, secret="wrong", **right).reply(POST, approved(), "k")
        for wrong in ({"ca_file": ""}, {"smtp_host": "mail.elsewhere.example"}):
            with pytest.raises(Unavailable, match="certificate verify failed"):
                mailbox(controller.port, secret="pässword", **(right | wrong)).reply(POST, approved(), "k")
    finally:
        controller.stop()
    assert len(sink.accepted) == 1


def test_an_answer_stands_in_the_customers_mailbox_once(dovecot: Dovecot) -> None:
    ours, customer = dovecot.name(), dovecot.name()
    post = Post(source="imap", external_id=KNOWN, title="Parcel", text="Broken.", author=Author(handle=customer))
    with Delivering(dovecot) as smtp:
        box = mailbox(smtp.port, ours, dovecot.port, sent_folder="Sent", copy_to_self=True)
        assert box.find(post, approved(), "k") is None
        posted = box.reply(post, approved(), "k")
        (delivered,) = dovecot.mails(customer)
        assert made(delivered)["Message-ID"] == f"<{posted.external_id}>"
        assert approved().text in words(delivered)
        assert [made(raw)["Message-ID"] for raw in dovecot.mails(ours, "Sent")] == [f"<{posted.external_id}>"]
        assert box.find(post, approved(), "k") == posted
        assert box.find(post, approved(), "other") is None
        place = Place(name="post", source="imap")
        assert box.poll(place, (), None, Budget()).posts == ()  # our copy is no customer's word
        answer = EmailMessage()
        answer["From"], answer["Subject"], answer["Message-ID"] = customer, "Re: Parcel", "<next@customer.example>"
        answer["In-Reply-To"], answer["References"] = f"<{posted.external_id}>", f"<{KNOWN}> <{posted.external_id}>"
        answer.set_content("Thank you.\n\nOn 2026-11-14 at 08:00 UTC, Brackholm wrote:\n> We are sorry.\n")
        dovecot.put(ours, answer)
        (heard,) = box.poll(place, (), None, Budget()).posts
        assert (heard.in_reply_to, heard.root, heard.text) == (posted.external_id, KNOWN, "Thank you.")


def test_a_doubtful_answer_is_found_where_the_server_took_it(dovecot: Dovecot) -> None:
    ours, customer = dovecot.name(), dovecot.name()
    post = Post(source="imap", external_id=KNOWN, author=Author(handle=customer))
    with OddSmtp(end=HANG) as smtp:
        box = mailbox(smtp.port, ours, dovecot.port, copy_to_self=True, smtp_deadline=0.3)
        with pytest.raises(Unclear):
            box.reply(post, approved(), "k")
        assert box.find(post, approved(), "k") is None
        dovecot.put(ours, smtp.mails[0])
    found = box.find(post, approved(), "k")
    assert found is not None
    assert f"<{found.external_id}>" == made(smtp.mails[0])["Message-ID"]


def test_what_cannot_be_looked_up_is_told(dovecot: Dovecot) -> None:
    with pytest.raises(Rejected, match="set `sent_folder` or `copy_to_self`"):
        mailbox(1, dovecot.name(), dovecot.port).find(POST, approved(), "k")
    with pytest.raises(Unavailable):
        mailbox(1, OURS, free_port(), sent_folder="Sent").find(POST, approved(), "k")


def test_a_missing_copy_makes_no_error_of_a_sent_answer(
    dovecot: Dovecot, smtp_sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    ours = dovecot.name()
    for port, folder in ((dovecot.port, "Nowhere"), (free_port(), "Sent")):
        with caplog.at_level(logging.WARNING):
            mailbox(smtp_sink.port, ours, port, sent_folder=folder).reply(POST, approved(), "k")
        assert f"no copy could be put into {folder}" in caplog.text
    assert len(smtp_sink.accepted) == 2


def test_a_copy_that_the_server_kept_is_not_doubled(dovecot: Dovecot) -> None:
    ours, customer = dovecot.name(), dovecot.name()
    post = Post(source="imap", external_id=KNOWN, author=Author(handle=customer))
    with Delivering(dovecot) as smtp:
        smtp.on_delivered = lambda: dovecot.put(ours, dovecot.mails(customer)[0], folder="Sent")
        mailbox(smtp.port, ours, dovecot.port, sent_folder="Sent").reply(post, approved(), "k")
    assert len(dovecot.mails(ours, "Sent")) == 1
