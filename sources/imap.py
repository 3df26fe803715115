"""Hears what customers write to a mailbox (IMAP), and answers in the thread (SMTP).

Credentials: the mailbox's password, for both servers. Limits: one connection a poll. Cursor: UIDVALIDITY and the last
UID; a folder made anew is read again from a day before the last poll, with a gap. Nothing is marked as read. Bounces of
our answers, and automatic answers to them, are echoes; they must come into the same folder.
Cannot: see deletions, read attachments, sign in by OAuth.
"""

from __future__ import annotations

import imaplib
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC
from email.errors import MessageError
from enum import Enum
from typing import Any, ClassVar

from listener.core.echo import Echo
from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.mention import Post
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, Posted, ReplyLimits
from listener.core.tools import Guard, Tools
from sources._mailcursor import Reached, after, anew, newest, unpack
from sources._maildial import BROKEN, Security, Server, opened, reading, shown
from sources._mailecho import echo_of
from sources._mailfetch import Listed, letter, listed, raw_letter
from sources._mailread import Reading, machine, post_of
from sources._mailsend import Sender, addressable, compose, deliver, message_id, own_ids

_TRIES = 3
"""Polls in which a mail may fail to come before it is passed over."""
_LOG = logging.getLogger(__name__)


class _Later(Enum):
    """Says of a mail that the server would not hand it out this time."""

    LATER = 1


_LATER = _Later.LATER


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxOptions:
    """Which mailbox, and how it answers.

    Args:
        host: the IMAP server.
        user: what to sign in with, at both servers.
        port: of the IMAP server.
        security: "tls", "starttls" or, within your own network, "none".
        folder: which folder is read.
        newest: how many mails the first poll reads.
        max_bytes: of a larger mail only headers and texts are fetched.
        smtp_host: the SMTP server; empty: nothing can be answered from here.
        smtp_port: of the SMTP server.
        smtp_security: as `security`.
        smtp_deadline: seconds in which a mail must be handed over.
        address: ours, the sender of answers; empty: `user`.
        from_name: the name beside it.
        aliases: more addresses of ours; what they send is no customer's word.
        sent_folder: where a copy of each answer is put; empty: nowhere.
        copy_to_self: whether each answer goes to `address` too, so that a doubtful one can be looked up.
        ca_file: certificates of your own authority, in PEM.
    """

    host: str
    user: str
    port: int = 993
    security: Security = "tls"
    folder: str = "INBOX"
    newest: int = 200
    max_bytes: int = 300_000
    smtp_host: str = ""
    smtp_port: int = 465
    smtp_security: Security = "tls"
    smtp_deadline: float = 90.0
    address: str = ""
    from_name: str = ""
    aliases: tuple[str, ...] = ()
    sent_folder: str = ""
    copy_to_self: bool = False
    ca_file: str = ""


class Mailbox:
    """One folder of one mailbox, oldest new mail first."""

    name: ClassVar[str] = "imap"
    Options: ClassVar[type[Any]] = MailboxOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="the folder's newest mails at the first poll, then everything",
        latency="one poll",
        reply=True,
        ports=(993, 143, 465, 587),
    )

    def __init__(self, options: MailboxOptions, tools: Tools) -> None:
        """Keep the options; nothing is opened yet."""
        self._options = options
        self._tools = tools
        self._secret = tools.secret or ""
        self._address = addressable(options.address or options.user) or ""
        self._realm = f"{options.user}@{options.host}/{options.folder}"
        ours = {one.strip().lower() for one in (self._address, options.user, *options.aliases)}
        self._reading = Reading(realm=self._realm, ours=frozenset(ours - {""}), own_ids=own_ids(self._address))

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read the mails after the last one, as far as the budget goes; errors as `Source.poll`."""
        end = time.monotonic() + budget.seconds
        with self._reader(budget.seconds + 5) as client:
            reached, gap, (uids, whole) = self._todo(client, opened(client, self._options.folder), unpack(cursor))
            taken = uids[: max(1, budget.posts)]
            told = listed(client, taken) if taken else {}
            posts: dict[str, Post] = {}
            echoes: list[Echo] = []
            rejected: list[str] = []
            for uid in taken:
                if uid != taken[0] and time.monotonic() >= end:
                    break
                if uid in told:
                    found = self._one(client, uid, told[uid], reached.tries)
                    if found is _LATER:
                        reached = replace(reached, tries=reached.tries + 1)
                        return self._page((posts, echoes), reached, gap, rejected, more=False)
                    if isinstance(found, Post):
                        posts.setdefault(found.external_id, found)
                    elif isinstance(found, Echo):
                        echoes.append(found)
                    elif found:
                        rejected.append(f"mail {uid}: {found}")
                reached = replace(reached, uid=uid, tries=0)
        more = not whole or (bool(uids) and reached.uid < uids[-1])
        reached = reached if more else replace(reached, since=None)
        return self._page((posts, echoes), reached, gap, rejected, more=more)

    def _todo(
        self, client: Any, told: Mapping[bytes, Any], reached: Reached
    ) -> tuple[Reached, str | None, tuple[list[int], bool]]:
        """The place reached, why there may be a gap, the UIDs that come next and whether these are all."""
        validity = int(told.get(b"UIDVALIDITY") or 0)
        upto = int(told[b"UIDNEXT"]) - 1 if told.get(b"UIDNEXT") else None
        if not reached.validity:
            uids = newest(client, int(told.get(b"EXISTS") or 0), max(1, self._options.newest))
            return Reached(validity=validity, uid=uids[0] - 1 if uids else upto or 0), None, (uids, True)
        if reached.validity == validity:
            return reached, None, after(client, reached, upto)
        reached = anew(reached, validity, self._tools.clock())
        gap = f"the folder was made anew (its UIDVALIDITY changed): read again from {reached.since} on, not before"
        return reached, gap, after(client, reached, upto)

    def _one(self, client: Any, uid: int, told: Listed, tries: int) -> Post | Echo | str | _Later | None:
        """One mail as a post or an echo; why it is neither; None when that needs no telling; or that it comes later."""
        try:
            raw, texts = raw_letter(client, uid, told, self._options.max_bytes)
        except imaplib.IMAP4.abort as why:
            raise Unavailable(f"the server hung up at mail {uid} of {self._realm}: {shown(why)}") from None
        except (imaplib.IMAP4.error, *BROKEN) as why:
            # It may be the storage's bad hour, so it is asked for again before it is given up.
            return f"cannot be fetched: {shown(why)}" if tries + 1 >= _TRIES else _LATER
        try:
            read = letter(raw, texts, told)
            return echo_of(read, self._reading) or post_of(read, self._reading)
        except (MessageError, *BROKEN) as why:
            return f"cannot be read ({type(why).__name__})"

    def _page(
        self, read: tuple[Mapping[str, Post], Sequence[Echo]], reached: Reached, gap: str | None,
        rejected: Sequence[str], *, more: bool,
    ) -> Page:  # fmt: skip
        posts, echoes = read
        cursor = replace(reached, at=self._tools.clock().astimezone(UTC)).cursor()
        return Page(
            posts=tuple(posts.values()), cursor=cursor, more=more, gap=gap, rejected=tuple(rejected),
            echoes=tuple(echoes),
        )  # fmt: skip

    def can_reply(self, post: Post) -> str | None:
        """See `listener.core.protocols.Replier`."""
        handle = post.author.handle
        if not self._options.smtp_host:
            return "no `smtp_host` is set for this place: answer from your own mail program"
        if not self._address:
            return "`address` is no mail address: set it for this place"
        if not handle:
            return "a machine wrote this mail, or it names no address to answer"
        if addressable(handle) is None:
            return f"{handle} is no address that a mail can be sent to"
        if machine(handle):
            return f"nobody reads what is sent to {handle}"
        return f"{handle} is our own address" if handle.lower() in self._reading.ours else None

    def limits(self, post: Post) -> ReplyLimits:
        """Mails have no limit and may hold links."""
        return ReplyLimits()

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """Send the answer, once, then try to keep a copy; errors as `Replier.reply`."""
        refused, to = self.can_reply(post), addressable(post.author.handle)
        if refused is not None or to is None:
            raise Rejected(refused or "it names no address to answer")
        guard, options = self._guard(), self._options
        known = message_id(key, self._address)
        sender = Sender(
            address=self._address,
            name=options.from_name,
            user=options.user,
            secret=self._secret,
            copy=options.copy_to_self,
        )
        raw = compose(post, approved.text, sender, known, self._tools.clock())
        server = Server(
            host=options.smtp_host,
            port=options.smtp_port,
            security=options.smtp_security,
            ca_file=options.ca_file,
        )
        deliver(server, guard, sender, to, raw, options.smtp_deadline)
        self._keep(known, raw)
        return Posted(external_id=known)

    def known_as(self, key: str) -> str:
        """See `listener.core.protocols.Names`."""
        return message_id(key, self._address)

    def find(self, post: Post, approved: Approval, key: str) -> Posted | None:
        """Look for the answer's copy in our own mailbox; errors as `Replier.find`."""
        options, known = self._options, message_id(key, self._address)
        folders = [options.sent_folder] if options.sent_folder else []
        folders += [options.folder] if options.copy_to_self else []
        if not folders:
            raise Rejected("it cannot be looked up: set `sent_folder` or `copy_to_self` for this place")
        with self._reader(30) as client:
            there = any(self._holds(client, folder, known) for folder in folders)
        return Posted(external_id=known) if there else None

    def _keep(self, known: str, raw: bytes) -> None:
        """Put a copy where sent mails are, unless the mail server did; the answer is out, so nothing here may fail."""
        folder = self._options.sent_folder
        if not folder:
            return
        try:
            with self._reader(15) as client:
                if not self._holds(client, folder, known):
                    client.append(folder, raw, (b"\\Seen",))
        except AdapterError as why:
            _LOG.warning("an answer was sent, and no copy could be put into %s: %s", folder, why)

    def _holds(self, client: Any, folder: str, known: str) -> bool:
        opened(client, folder)
        return bool(client.search(["HEADER", "Message-ID", f"<{known}>"]))

    def _reader(self, seconds: float) -> AbstractContextManager[Any]:
        options = self._options
        server = Server(host=options.host, port=options.port, security=options.security, ca_file=options.ca_file)
        return reading(server, self._guard(), options.user, self._secret, seconds)

    def _guard(self) -> Guard:
        assert self._tools.guard is not None
        return self._tools.guard
