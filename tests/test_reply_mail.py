"""An answer by mail from the customer's mail to their next one, in a real Dovecot: sent once, whatever breaks.

A process of its own sends, and is killed at every step around it; another one then goes on with the same database. Mail
knows no key by which a server tells repeats, so only a copy of our own says that an answer is out.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import pytest

from listener.core.tools import Tools
from listener.http import AddressGuard
from sources.imap import Mailbox, MailboxOptions
from tests import poster_mail
from tests.kit import resolve
from tests.office import Office
from tests.servers.dovecot import MAILBOX, PASSWORD, Dovecot
from tests.servers.smtp import CLOSE, HANG, OddSmtp, Said

pytestmark = pytest.mark.servers

PROCESSES = multiprocessing.get_context("forkserver")
"""Ten processes that import everything anew would take most of the tests' time."""
PROCESSES.set_forkserver_preload([poster_mail.__name__])
COPIES = {"sent_folder": "Sent", "copy_to_self": True}


class Post(Office):
    """An office with a mailbox, and a customer with another."""

    def __init__(self, database: Path, dovecot: Dovecot, smtp: OddSmtp) -> None:
        self.dovecot, self.smtp = dovecot, smtp
        self.ours, self.kim = dovecot.name(), dovecot.name("kim", "customer.example")
        self.options: dict[str, Any] = {
            "host": "127.0.0.1", "port": dovecot.port, "security": "none", "user": self.ours, "smtp_host": "127.0.0.1",
            "smtp_port": smtp.port, "smtp_security": "none", "smtp_deadline": 20.0, **COPIES,
        }  # fmt: skip
        self.delivering()
        super().__init__(database, MAILBOX)

    def made(self) -> Mailbox:
        """The mailbox, with the options of this life."""
        tools = Tools(http=None, clock=self.clock, secret=PASSWORD, guard=AddressGuard(allow_private=True))
        return Mailbox(MailboxOptions(**self.options), tools)

    def complain(self) -> None:
        """Kim writes to us."""
        self.written = self.writes("My acme kettle is broken.")

    def set(self, **options: Any) -> None:
        """Begin a life with other options."""
        self.options |= options
        self.store.close()
        self.start()

    def delivering(self, on: bool = True) -> None:
        """Whether the server delivers what it takes, as far as that is known to it."""

        def deliver(to: list[str], mail: bytes) -> None:
            for one in to if on else ():
                self.dovecot.put(one, mail)

        self.smtp.deliver = deliver

    def writes(self, text: str, answered: EmailMessage | None = None) -> EmailMessage:
        """The customer writes, and their mail arrives; an answer quotes what it answers."""
        mail = EmailMessage()
        mail["From"], mail["To"] = f"Kim Larsen <{self.kim}>", self.ours
        mail["Subject"] = "Parcel" if answered is None else "Re: Parcel"
        mail["Message-ID"] = f"<{len(self.dovecot.mails(self.ours))}-{self.kim}>"
        if answered is not None:
            mail["In-Reply-To"] = answered["Message-ID"]
            mail["References"] = f"{answered['References']} {answered['Message-ID']}"
            quoted = "".join(f"> {line}\n" for line in answered.get_content().splitlines())
            text += f"\n\nOn Mon, 23 Nov 2026 at 09:12, Service <{self.ours}> wrote:\n{quoted}"
        mail.set_content(text)
        self.dovecot.put(self.ours, mail)
        return mail

    def standing(self) -> list[EmailMessage]:
        """What the customer got, read by another mail program."""
        mails = [message_from_bytes(raw, policy=policy.default) for raw in self.dovecot.mails(self.kim)]
        return [cast("EmailMessage", mail) for mail in mails]

    @contextmanager
    def killed(self, point: str) -> Iterator[BaseProcess]:
        """Another process posts and is dead at the end of the block; then a new life begins."""
        self.store.close()
        told = (str(self.database), json.dumps(self.options), self.clock().isoformat(), point)
        process = PROCESSES.Process(target=poster_mail.main, args=told)
        process.start()
        try:
            yield process
            process.join(20)
            assert process.exitcode == -signal.SIGKILL, f"it was not killed {point}"
        finally:
            process.kill()
            process.join()
            self.start()


@pytest.fixture
def office(tmp_path: Path, dovecot: Dovecot) -> Iterator[Post]:
    with OddSmtp() as smtp:
        made = Post(tmp_path / "listener.db", dovecot, smtp)
        yield made
        made.store.close()


def test_a_complaint_is_answered_once_and_the_customers_answer_joins_its_case(office: Post) -> None:
    reply = office.approved()
    assert (reply.state, office.standing()) == ("approved", [])
    assert office.post() == 1
    (answer,) = office.standing()
    posted = office.now()
    assert posted.posted is not None
    assert (posted.state, f"<{posted.posted.external_id}>") == ("posted", answer["Message-ID"])
    assert answer["In-Reply-To"] == office.written["Message-ID"]
    assert answer.get_content().splitlines()[0] == reply.text
    assert answer.get_content().splitlines()[-1] == "> My acme kettle is broken."
    assert (office.case().status, posted.posted.url) == ("waiting", None)
    assert len(office.dovecot.mails(office.ours, "Sent")) == 1

    office.hear()
    assert len(office.mentions()) == 1, "our own copy is no mention"
    office.writes("And when?", answer)
    office.hear()
    assert office.mentions() == ["My acme kettle is broken.", "And when?"]
    assert office.case().status == "acknowledged", "it is Ann's again"
    assert (office.post(), len(office.standing()), len(office.smtp.mails)) == (0, 1, 1)


def test_the_customers_answer_brings_a_resolved_case_back(office: Post) -> None:
    office.approved()
    office.post_once()
    (answer,) = office.standing()
    resolve(office.store, office.case(), office.clock())
    office.writes("It came, and is broken again.", answer)
    office.hear()
    assert (office.case().status, len(office.mentions())) == ("open", 2)


KILLS: dict[str, tuple[dict[str, Any], Said, bool, str, int]] = {
    "before the intent": (COPIES, b"250 taken\r\n", True, "posted", 1),
    "after the intent": (COPIES, b"250 taken\r\n", True, "unknown", 0),
    "before the connection": (COPIES, b"250 taken\r\n", True, "unknown", 0),
    "while the server thinks, and drops it": (COPIES, HANG, False, "unknown", 0),
    "while the server holds its yes": (COPIES, HANG, True, "posted", 1),
    "while the server holds its yes, without copies": (dict.fromkeys(COPIES, ""), HANG, True, "unknown", 1),
    "before the copy is kept": ({"copy_to_self": False}, b"250 taken\r\n", True, "unknown", 1),
    "before the answer is stored": ({"copy_to_self": False}, b"250 taken\r\n", True, "posted", 1),
    "while the answer is stored": ({"sent_folder": ""}, b"250 taken\r\n", True, "posted", 1),
    "after the answer is stored": (COPIES, b"250 taken\r\n", True, "posted", 1),
}
"""Where the process is killed: with which copies, what the server says to the mail, whether it delivers it; then what
becomes of the answer, and how often the customer got it."""


@pytest.mark.parametrize("point", KILLS)
def test_a_kill_at_any_step_sends_at_most_once_and_what_is_unknown_is_shown(office: Post, point: str) -> None:
    options, says, delivers, state, count = KILLS[point]
    reply = office.approved()
    office.set(**options)
    office.smtp.answers["."] = says
    office.delivering(delivers)
    with office.killed(point) as process:
        if says is HANG:
            assert office.smtp.taken.wait(20), "the mail never came"
            process.kill()
    office.smtp.answers["."] = b"250 taken\r\n"
    office.post()
    now = office.now()
    assert (now.state, len(office.standing()), now.key) == (state, count, reply.key)
    assert len(office.smtp.mails) <= 1
    if state == "unknown":
        assert now.due_at is None, "it waits for a colleague"
        assert "handed over" in now.why


def test_an_unknown_answer_goes_out_again_only_when_a_colleague_says_so(office: Post) -> None:
    office.approved()
    office.smtp.answers["."] = CLOSE
    office.delivering(False)
    office.post_once()
    assert (office.now().state, office.post(), office.now().state) == ("unknown", 5, "unknown")
    assert len(office.smtp.mails) == 1
    office.smtp.answers["."] = b"250 taken\r\n"
    office.delivering()
    office.replies.again(office.now().public_id, office.lea)
    office.post()
    (answer,) = office.standing()
    assert (office.now().state, len(office.smtp.mails)) == ("posted", 2)
    ids = {message_from_bytes(raw)["Message-ID"] for raw in office.smtp.mails}
    assert ids == {answer["Message-ID"]}, "so that mail programs show a repeat once"


@pytest.mark.parametrize(("says", "delivers", "state"), [(CLOSE, True, "posted"), (b"hm\r\n", False, "unknown")])
def test_a_server_that_leaves_us_in_doubt_is_looked_at_and_never_told_twice(
    office: Post, says: Said, delivers: bool, state: str
) -> None:
    office.approved()
    office.smtp.answers["."] = says
    office.delivering(delivers)
    office.post_once()
    assert (office.now().state, len(office.smtp.mails)) == ("unknown", 1)
    office.post()
    assert (office.now().state, len(office.standing()), len(office.smtp.mails)) == (state, int(delivers), 1)


def test_a_server_that_answers_too_late_is_looked_at(office: Post) -> None:
    office.approved()
    office.set(smtp_deadline=0.3)
    office.smtp.answers["."] = HANG
    office.post_once()
    assert office.now().state == "unknown"
    office.post()
    assert (office.now().state, len(office.standing()), len(office.smtp.mails)) == ("posted", 1, 1)


def test_a_server_that_refuses_for_now_is_tried_again_and_one_that_refuses_for_good_is_not(office: Post) -> None:
    office.approved()
    office.smtp.answers["RCPT"] = b"451 4.7.1 greylisted, come back\r\n"
    office.post_once()
    assert (office.now().state, office.standing()) == ("approved", [])
    office.smtp.answers["RCPT"] = b"550 5.1.1 no such mailbox\r\n"
    office.post()
    failed = office.now()
    assert (failed.state, failed.approval, office.smtp.mails) == ("failed", None, [])
    assert "no such mailbox" in failed.why
