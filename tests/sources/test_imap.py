"""Mailboxes read from a real Dovecot, and from servers that only pretend to be one."""

from __future__ import annotations

import itertools
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from listener.core.errors import AdapterError, Rejected, Unauthorized, Unavailable
from listener.core.mention import Post, normalise
from listener.core.protocols import Budget, Replier
from listener.core.query import Cursor, Page, Place
from listener.core.tools import Tools
from listener.http import AddressGuard
from listener.testing import HOSTILE, START, FakeClock, check_source
from sources._mailcursor import Reached, after, unpack
from sources.imap import Mailbox, MailboxOptions
from tests.servers.dovecot import HOST, PASSWORD, Dovecot
from tests.sinks import eventually, free_port

pytestmark = pytest.mark.servers

PLACE = Place(name="post", source="imap")
_numbers = itertools.count(1)


def mail(text: str = "My parcel is broken.", **headers: str) -> EmailMessage:
    """A mail as a customer's program writes it; `message_id` and such become headers."""
    made = EmailMessage()
    told = {"From": "Kim Larsen <Kim@Customer.example>", "To": "service@brackholm.example", "Subject": "Parcel"}
    told |= {"Message-ID": f"<m{next(_numbers)}@customer.example>", "Date": "Sat, 14 Nov 2026 08:30:00 +0000"}
    told |= {name.rstrip("_").replace("_", "-").title().replace("-Id", "-ID"): value for name, value in headers.items()}
    for name, value in told.items():
        if value:
            made[name] = value
    made.set_content(text)
    return made


def mailbox(
    server: Dovecot, user: str, secret: str = PASSWORD, clock: FakeClock | None = None, **options: Any
) -> Mailbox:
    """A mailbox of the server; nothing is known of it but the options."""
    guard = AddressGuard(allow_private=True, resolver=lambda _host, _port: ["127.0.0.1"])
    tools = Tools(http=None, clock=clock or FakeClock(), secret=secret, guard=guard)
    told = {"host": "127.0.0.1", "port": server.port, "security": "none", "user": user} | options
    return Mailbox(MailboxOptions(**told), tools)


def poll(source: Mailbox, cursor: Cursor | None = None, posts: int = 500, seconds: float = 20) -> Page:
    return source.poll(PLACE, (), cursor, Budget(posts=posts, seconds=seconds))


def drained(make: Callable[[], Mailbox], cursor: Cursor | None = None, posts: int = 7) -> tuple[list[str], list[Page]]:
    """All ids in order, a new source for each page."""
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(poll(make(), cursor, posts))
        cursor = pages[-1].cursor
        assert len(pages) < 100
    return [post.external_id for page in pages for post in page.posts], pages


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.name()


# --- what comes ---------------------------------------------------------------------------------------------------


def test_a_mailbox_passes_the_contract(dovecot: Dovecot, user: str) -> None:
    hostile = HOSTILE.encode("utf-8", "replace").decode()
    other = dovecot.name()
    mails = [mail(), mail(), mail(), mail(f"Hello {hostile}"), mail("same id", message_id="<same@x.example>")]
    dovecot.put(user, *mails)
    dovecot.put(other, mails[-1])
    found = check_source(
        lambda tools: Mailbox(MailboxOptions(host="127.0.0.1", port=dovecot.port, security="none", user=user), tools),
        grow=lambda: dovecot.put(user, mail("and another")),
        elsewhere=lambda tools: Mailbox(
            MailboxOptions(host="127.0.0.1", port=dovecot.port, security="none", user=other), tools
        ),
        says=["My parcel is broken.", hostile.replace("\0", "").partition("\x1b")[0].partition("\r")[0]],
    )
    assert len(found) == 5
    assert isinstance(mailbox(dovecot, user), Replier)


def test_a_mail_becomes_a_post(dovecot: Dovecot, user: str) -> None:
    first = mail(message_id="<first@customer.example>")
    second = mail(
        "Still broken.\n\nOn Sat, 14 Nov 2026 at 08:40, Brackholm <service@brackholm.example> wrote:\n> We are sorry\n",
        message_id="<second@customer.example>",
        subject="Re: Parcel",
        in_reply_to="<ours@brackholm.example>",
        references="<first@customer.example> <ours@brackholm.example>",
    )
    dovecot.put(user, first, second, at=datetime(2026, 11, 14, 8, 31, tzinfo=UTC))
    one, two = poll(mailbox(dovecot, user)).posts
    assert (one.source, one.kind, one.realm) == ("imap", "mail", f"{user}@127.0.0.1/INBOX")
    assert (one.external_id, one.in_reply_to, one.root) == ("first@customer.example", None, "first@customer.example")
    assert (one.author.handle, one.author.name) == ("kim@customer.example", "Kim Larsen")
    assert (one.title, one.text, one.url) == ("Parcel", "My parcel is broken.", None)
    assert one.published_at == datetime(2026, 11, 14, 8, 30, tzinfo=UTC)
    assert (two.text, two.in_reply_to, two.root) == ("Still broken.", "ours@brackholm.example", one.external_id)


def test_reading_marks_nothing_as_read(dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, mail(), mail("x" * 5_000))
    assert len(poll(mailbox(dovecot, user, max_bytes=1_000)).posts) == 2
    with dovecot.client(user) as client:
        assert all(b"\\Seen" not in flags for flags in client.get_flags(client.search("ALL")).values())


def test_the_first_poll_reads_the_newest_mails_only(dovecot: Dovecot, user: str) -> None:
    mails = [mail() for _ in range(9)]
    dovecot.put(user, *mails)
    ids, pages = drained(lambda: mailbox(dovecot, user, newest=4), posts=3)
    assert ids == [one["Message-ID"].strip("<>") for one in mails[5:]]
    assert [page.gap for page in pages] == [None, None]


def test_many_pages_hold_each_mail_once_and_in_order(dovecot: Dovecot, user: str) -> None:
    mails = [mail() for _ in range(40)]
    dovecot.put(user, *mails[:30])
    ids, pages = drained(lambda: mailbox(dovecot, user))
    with dovecot.client(user) as client:
        client.delete_messages(client.search("ALL")[10:30])
        client.expunge()
    assert poll(mailbox(dovecot, user), pages[-1].cursor).posts == ()  # `n:*` would bring the last one again
    dovecot.put(user, *mails[30:])
    more, _ = drained(lambda: mailbox(dovecot, user), pages[-1].cursor)
    assert ids + more == [one["Message-ID"].strip("<>") for one in mails]


def test_an_empty_folder_is_read_from_then_on(dovecot: Dovecot, user: str) -> None:
    page = poll(mailbox(dovecot, user))
    assert (page.posts, page.more) == ((), False)
    dovecot.put(user, mail("first of all"))
    assert [post.text for post in poll(mailbox(dovecot, user), page.cursor).posts] == ["first of all"]


def test_a_page_ends_when_its_time_is_up(dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, mail(), mail(), mail())
    page = poll(mailbox(dovecot, user), seconds=0)
    assert (len(page.posts), page.more) == (1, True)


def test_a_folder_made_anew_is_read_again_from_a_day_before(dovecot: Dovecot, user: str) -> None:
    clock = FakeClock()
    old, lately = mail("old"), [mail(f"lately {n}") for n in range(5)]

    def fill() -> None:
        dovecot.put(user, old, folder="Cases", at=START - timedelta(days=9))
        dovecot.put(user, *lately, folder="Cases", at=START - timedelta(hours=3))

    with dovecot.client(user) as client:
        client.create_folder("Cases")
        fill()
        ids, pages = drained(lambda: mailbox(dovecot, user, clock=clock, folder="Cases"))
        assert len(ids) == 6
        was = client.folder_status("Cases", ["UIDVALIDITY"])

        def anew() -> bool:
            client.delete_folder("Cases")
            client.create_folder("Cases")
            return bool(client.folder_status("Cases", ["UIDVALIDITY"]) != was)

        eventually(anew, "another UIDVALIDITY")
    fill()
    again, told = drained(lambda: mailbox(dovecot, user, clock=clock, folder="Cases"), pages[-1].cursor, posts=2)
    assert again == ids[1:]
    assert "UIDVALIDITY" in (told[0].gap or "")
    assert "2026-11-13" in (told[0].gap or "")
    assert [page.gap for page in told[1:]] == [None, None]
    assert unpack(told[-1].cursor).since is None
    dovecot.put(user, mail("new"), folder="Cases", at=START - timedelta(days=20))
    late, _ = drained(lambda: mailbox(dovecot, user, clock=clock, folder="Cases"), told[-1].cursor)
    assert len(late) == 1


def test_a_cursor_that_nobody_understands_begins_again() -> None:
    for text in ("", "x", "[]", '{"v": 2}', '{"v": 1}', '{"v": 1, "validity": "x", "uid": 1}', "[" * 9_999):
        assert unpack(Cursor(text)) == Reached()


def test_far_apart_uids_are_found_in_few_searches() -> None:
    class Client:
        asked = 0

        def search(self, criteria: list[str]) -> list[int]:
            self.asked += 1
            low, _, high = criteria[1].partition(":")
            return [uid for uid in (3, 4_000_000_000) if int(low) <= uid <= int(high)]

    client = Client()
    assert after(client, Reached(validity=1, uid=1), 4_000_000_000) == ([3], False)
    assert after(client, Reached(validity=1, uid=3), 4_000_000_000) == ([4_000_000_000], True)
    assert after(client, Reached(validity=1, uid=4_000_000_000), 4_000_000_000) == ([], True)
    assert client.asked < 25


def test_a_server_that_keeps_its_next_uid_to_itself_is_asked_for_all_that_follow() -> None:
    class Client:
        def search(self, criteria: list[str]) -> list[int]:
            assert criteria == ["UID", "6:*"]
            return [5, 9, 7]

    assert after(Client(), Reached(validity=1, uid=5), None) == ([7, 9], True)


def test_a_mailbox_without_an_address_hears_everybody(dovecot: Dovecot) -> None:
    dovecot.put("kiosk", mail("nobody's", from_="Somebody"), mail())
    page = poll(mailbox(dovecot, "kiosk"))
    assert [(post.author.handle, post.author.name) for post in page.posts] == [
        ("", "Somebody"),
        ("kim@customer.example", "Kim Larsen"),
    ]


# --- odd mails ------------------------------------------------------------------------------------------------------


BROKEN = [
    b"",
    b"\r\n\r\n",
    b"no header at all",
    b"\xff\xfe\x00\x01" * 50,
    b"From: \xff\xfe <\x80@\x81>\r\nSubject: =?utf-8?b?////?= =?x?q?=ZZ?= =?utf-8?z?a?=\r\n\r\nx",
    b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx\r\n----\r\n",
    b"Content-Type: text/plain; charset=\"rot13\"\r\nFrom: a@b.example\r\n\r\nuryyb",
    b"From: a@b.example\r\nContent-Type: text/html; charset=\x00utf-7\r\n\r\n<a" * 3,
    b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
    b"From: a@b.example\r\nContent-Type: text/plain; charset*=x''%ff; charset*0=a; charset*1*=b\r\n\r\nx",
    b"From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n" * 60,
    b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(400)),
    b"References: " + b"<a@b>" * 9_000 + b"\r\nFrom: " + b"a@b.example, " * 3_000 + b"\r\n\r\nx",
    b"Subject: " + b"=?utf-8?q?=00=1b=5b31m?= " * 2_000 + b"\r\nDate: Fri, 99 Foo 99999 99:99:99 +9999\r\n\r\nx",
]  # fmt: skip


def test_broken_mails_cost_only_themselves(dovecot: Dovecot, user: str) -> None:
    for raw in BROKEN:
        with suppress(Exception):  # some are too broken to be delivered at all
            dovecot.put(user, raw)
    dovecot.put(user, mail("a whole one"))
    begun = time.monotonic()
    for most in (300_000, 100):
        page = poll(mailbox(dovecot, user, max_bytes=most))
        assert page.posts[-1].text.startswith("a whole one")
        assert not page.more
        assert len(page.posts) + len(page.rejected) > len(BROKEN) - 3
        for post in page.posts:
            normalise(post)
    assert time.monotonic() - begun < 10


def test_of_a_huge_mail_only_its_words_are_fetched(dovecot: Dovecot, user: str) -> None:
    huge = EmailMessage()
    huge["From"], huge["Subject"], huge["Message-ID"] = "kim@customer.example", "Pictures", "<huge@x>"
    huge.make_mixed()
    for n, text in enumerate(["It came like this:", "And the box was wét as well."]):
        part = EmailMessage()
        part.set_content(text, cte="base64" if n else "7bit")
        huge.attach(part)
        picture = EmailMessage()
        picture.set_content(b"\xff\xd8" * 400_000, "image", "jpeg", filename=f"{n}.jpg", disposition="inline")
        huge.attach(picture)
    notes = EmailMessage()
    notes.set_content("not to be read", filename="log.txt", disposition="attachment")
    huge.attach(notes)
    dovecot.put(user, huge, mail("x" * 70 + "\n" + "y " * 40_000))
    one, two = poll(mailbox(dovecot, user, max_bytes=20_000)).posts
    assert one.text == "It came like this:\n\nAnd the box was wét as well."
    assert (one.external_id, one.title, one.author.handle) == ("huge@x", "Pictures", "kim@customer.example")
    assert 10_000 < len(two.text) <= 20_000


def test_the_better_half_of_a_huge_mail_is_read(dovecot: Dovecot, user: str) -> None:
    both = mail("In plain words.")
    both.add_alternative("<p>In <b>coloured</b> words.</p>" + "<i></i>" * 5_000, subtype="html")
    dovecot.put(user, both)
    assert [post.text for post in poll(mailbox(dovecot, user, max_bytes=2_000)).posts] == ["In plain words."]


def test_our_own_mails_and_automatic_answers_are_no_posts(dovecot: Dovecot, user: str) -> None:
    dovecot.put(
        user,
        mail("our own", from_=f"Service <{user.upper()}>"),
        mail("our alias", from_="<help@brackholm.example>"),
        mail("a form on our pages", from_=user, reply_to="Kim <kim@customer.example>"),
        mail("away", auto_submitted="auto-replied", subject="Out of office"),
        mail("undelivered", return_path="<>", subject="Undelivered"),
        mail("a review site", from_="Stars <no-reply@stars.example>", auto_submitted="auto-generated"),
    )
    page = poll(mailbox(dovecot, user, aliases=("help@brackholm.example",)))
    assert [(post.author.handle, post.text) for post in page.posts] == [
        ("kim@customer.example", "a form on our pages"),
        ("", "a review site"),
    ]
    assert page.posts[1].author.name == "Stars (no-reply@stars.example)"
    assert [why.partition(": ")[2] for why in page.rejected] == [
        "an automatic answer: Out of office",
        "a notice of the mail system: Undelivered",
    ]


# --- connections ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_checks_the_name_and_the_authority(dovecot: Dovecot, user: str, security: str) -> None:
    dovecot.put(user, mail())
    port = dovecot.tls_port if security == "tls" else dovecot.port
    right = {"host": HOST, "port": port, "security": security, "ca_file": str(dovecot.ca_file)}
    assert len(poll(mailbox(dovecot, user, **right)).posts) == 1
    for wrong in ({"host": "mail.elsewhere.example"}, {"ca_file": ""}):
        with pytest.raises(Unavailable, match="certificate verify failed"):
            poll(mailbox(dovecot, user, **(right | wrong)))


def test_a_wrong_password_is_told_without_it(dovecot: Dovecot, user: str) -> None:
    for secret, why in (
        ("wr0ng-w0rd", "refused"),
        ("wröng-wörd", "refused"),
        (f"{PASSWORD}\r\nx NOOP", "one line each"),
    ):
        with pytest.raises(Unauthorized, match=why) as problem:
            poll(mailbox(dovecot, user, secret))
        assert (
            secret not in f"{problem.value!r} {problem.value} {problem.value.__cause__} {problem.value.__context__!r}"
        )


def test_a_missing_folder_is_told(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(Rejected, match="folder Nowhere cannot be opened"):
        poll(mailbox(dovecot, user, folder="Nowhere"))


def test_a_server_that_is_not_there_is_unavailable(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+: Connection refused"):
        poll(mailbox(dovecot, user, port=free_port()))
    with pytest.raises(Rejected, match=r"ca_file /nowhere\.pem"):
        poll(mailbox(dovecot, user, port=dovecot.tls_port, security="tls", ca_file="/nowhere.pem"))


def guarded(answer: str, port: int, **options: Any) -> Mailbox:
    """A mailbox under the guard as it is by default."""
    guard = AddressGuard(ports=(993, 143), resolver=lambda _host, _port: [answer])
    tools = Tools(http=None, clock=FakeClock(), secret="x", guard=guard)
    return Mailbox(MailboxOptions(host="mail.shop.example", port=port, user="u", **options), tools)


def test_connections_go_where_the_guard_allows() -> None:
    with pytest.raises(Rejected, match="port 1993 is not among `source_ports`"):
        poll(guarded("93.184.216.34", 1993))
    with pytest.raises(Unavailable, match="allow_private_sources = true"):
        poll(guarded("127.0.0.1", 993))
    with pytest.raises(Rejected, match="would show the password"):
        poll(guarded("93.184.216.34", 143, security="none"))


# --- servers that are none ------------------------------------------------------------------------------------------


@contextmanager
def pretender(talk: Callable[[socketserver.StreamRequestHandler], None]) -> Iterator[int]:
    """A server that does what a function does; gives its port."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError, ValueError):
                talk(self)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close = True, False

    with Server(("127.0.0.1", 0), Talk) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def says(*lines: bytes) -> Callable[[socketserver.StreamRequestHandler], None]:
    """A server that says one line on each command, then hangs up; `TAG` is the command's."""

    def talk(stream: socketserver.StreamRequestHandler) -> None:
        stream.wfile.write(lines[0])
        for said in lines[1:]:
            tag, command = stream.rfile.readline(9_999).split()[:2]
            while command == b"CAPABILITY":
                stream.wfile.write(b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n" % tag)
                tag, command = stream.rfile.readline(9_999).split()[:2]
            stream.wfile.write(said.replace(b"TAG", tag))

    return talk


GREETING = b"* OK [CAPABILITY IMAP4rev1] hello\r\n"
SELECTED = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 3] .\r\nTAG OK done\r\n"
FOUND = b"* SEARCH 1 2\r\nTAG OK done\r\n"
LISTED = (
    b"".join(
        b'* %d FETCH (UID %d RFC822.SIZE 100 INTERNALDATE "14-Nov-2026 08:00:00 +0000")\r\n' % (n, n) for n in (1, 2)
    )
    + b"TAG OK done\r\n"
)
OK = b"TAG OK done\r\n"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ((b"",), Unavailable),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), Unavailable),
        ((b"* BYE too many connections\r\n",), Unavailable),
        ((b"x" * 2_000_000,), Unavailable),
        ((GREETING, b"TAG NO [AUTHENTICATIONFAILED] no\r\n"), Unauthorized),
        ((GREETING, b"TAG NO [UNAVAILABLE] later\r\n"), Unavailable),
        ((GREETING, b"* BYE\r\n"), Unavailable),
        ((GREETING, OK, b"TAG NO [NONEXISTENT] none\r\n"), Rejected),
        ((GREETING, OK, b"TAG NO [SERVERBUG] oh\r\n"), Unavailable),
        ((GREETING, OK, b"* OK [UIDVALIDITY x] .\r\nTAG OK .\r\n"), Unavailable),
        ((GREETING, OK, SELECTED, b"* SEARCH a b\r\nTAG OK\r\n"), Unavailable),
        ((GREETING, OK, SELECTED, FOUND, b"* 1 FETCH ((((\r\nTAG OK\r\n"), Unavailable),
        ((GREETING, OK, SELECTED, FOUND, LISTED, b"* 1 FETCH (UID 1 BODY[]<0> {100}\r\nFrom"), Unavailable),
    ],
)
def test_servers_that_are_none_are_our_errors(dovecot: Dovecot, lines: tuple[bytes, ...], error: type) -> None:
    with pretender(says(*lines)) as port, pytest.raises(AdapterError) as problem:
        poll(mailbox(dovecot, "u", port=port, secret="s3cret"))
    assert type(problem.value) is error, problem.value
    assert "s3cret" not in str(problem.value)


def test_no_server_may_fill_the_memory(dovecot: Dovecot) -> None:
    huge = b"* 1 FETCH (UID 1 BODY[]<0> {9999999999}\r\n"
    told = says(GREETING, OK, SELECTED, FOUND, LISTED, huge)
    with pretender(told) as port, pytest.raises(Unavailable, match="announced 9999999999 bytes"):
        poll(mailbox(dovecot, "u", port=port))


def test_no_password_leaves_before_the_connection_is_secured(dovecot: Dovecot) -> None:
    heard: list[bytes] = []

    def listen(stream: socketserver.StreamRequestHandler) -> None:
        stream.wfile.write(GREETING)
        while line := stream.rfile.readline(9_999):
            heard.append(line)
            stream.wfile.write(b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n" % line.split()[0])

    with pretender(listen) as port, pytest.raises(Unavailable, match="STARTTLS"):
        poll(mailbox(dovecot, "u", port=port, security="starttls"))
    assert not any(b"LOGIN" in line for line in heard)


def test_a_server_that_drips_is_cut_off(dovecot: Dovecot) -> None:
    def drip(stream: socketserver.StreamRequestHandler) -> None:
        while True:
            stream.wfile.write(b"*")
            time.sleep(0.05)

    begun = time.monotonic()
    with pretender(drip) as port, pytest.raises(Unavailable):
        poll(mailbox(dovecot, "u", port=port), seconds=-4)
    assert time.monotonic() - begun < 4


def test_a_mail_that_the_server_keeps_back_is_passed_over_at_the_third_time(dovecot: Dovecot) -> None:
    refused = b"TAG NO [SERVERBUG] corrupted\r\n"
    whole = b"* 2 FETCH (UID 2 BODY[]<0> {28}\r\nFrom: kim@x.example\r\n\r\nhello)\r\nTAG OK done\r\n"
    cursor = Cursor(json.dumps({"v": 1, "validity": 7, "uid": 0}))
    for _ in range(2):
        with pretender(says(GREETING, OK, SELECTED, FOUND, LISTED, refused, OK)) as port:
            page = poll(mailbox(dovecot, "u", port=port), cursor)
        assert (page.posts, page.rejected, page.more) == ((), (), False)
        assert page.cursor is not None
        cursor = page.cursor
    with pretender(says(GREETING, OK, SELECTED, FOUND, LISTED, refused, whole, OK)) as port:
        page = poll(mailbox(dovecot, "u", port=port), cursor)
    assert [why.partition(": ")[2][:20] for why in page.rejected] == ["cannot be fetched: f"]
    assert [post.text for post in page.posts] == ["hello"]
    assert unpack(page.cursor).uid == 2
    assert isinstance(page.posts[0], Post)
