"""Writes an answer as a mail and hands it over to an SMTP server, once; called by `imap.py`.

Until the line that ends the mail has left, every failure is certain: a server must drop what was not ended (RFC 5321,
4.1.1.4 and 3.8). After it only the server's own word counts, and without one the outcome is unclear.
"""

from __future__ import annotations

import base64
import hashlib
import re
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.mention import Post, line
from listener.core.tools import Guard
from sources._maildial import BROKEN, Server, sending, shown

QUOTED = 5_000
"""Characters of the customer's mail that are quoted below an answer."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z")
_ID = re.compile(r"[!-;=?-~]{1,900}\Z")
_ANSWERS = re.compile(r"(re|aw|sv|antw|odp)(\[\d+\])?\s*:", re.IGNORECASE)
_OFTEN = re.compile(r"\b4\.7\.|too many|too fast|\brate\b|limit", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who answers.

    Args:
        address: ours.
        name: ours, may be empty.
        user: what we sign in with.
        secret: the password; empty: we do not sign in.
        copy: whether the mail goes to ourselves as well.
    """

    address: str
    name: str
    user: str
    secret: str
    copy: bool

    def __repr__(self) -> str:
        """Say who, without the password."""
        return f"Sender({self.address})"


def addressable(address: str) -> str | None:
    """The address as plain SMTP takes it, its domain in ASCII; None where that cannot be."""
    local, _, domain = address.rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None
    return plain if _ADDRESS.match(plain) and len(plain) <= 254 else None


def message_id(key: str, address: str) -> str:
    """The Message-ID of the answer with this key, without its brackets; always the same."""
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"listener.{digest}@{address.rpartition('@')[2] or 'localhost'}"


def own_ids(address: str) -> re.Pattern[str]:
    """Matches the Message-IDs of our answers."""
    return re.compile(rf"listener\.[0-9a-f]{{32}}@{re.escape(address.rpartition('@')[2] or 'localhost')}")


def compose(post: Post, text: str, sender: Sender, known: str, now: datetime) -> bytes:
    """The mail that answers a post: the words, and the customer's own below them.

    Args:
        post: what is answered; its author's handle is addressable.
        text: the approved words.
        sender: who answers.
        known: the mail's Message-ID, without its brackets.
        now: goes into its date.
    """
    mail = EmailMessage(policy=policy.SMTP)
    body = re.sub(r"\r\n?", "\n", f"{text.rstrip()}\n\n{_quoted(post)}")
    mail.set_content(body.encode("utf-8", "replace").decode(), cte="quoted-printable")
    title = line(post.title)
    subject = title if _ANSWERS.match(title) else f"Re: {title or 'your message'}"
    thread = [one for one in dict.fromkeys([post.root, post.in_reply_to, post.external_id]) if _is_id(one)]
    head = [
        ("From", formataddr((line(sender.name, 100), sender.address), "utf-8")),
        ("To", addressable(post.author.handle) or ""),
        ("Subject", _encoded(subject)),
        ("Date", format_datetime(now)),
        ("Message-ID", f"<{known}>"),
    ]
    if _is_id(post.external_id):
        head.append(("In-Reply-To", f"<{post.external_id}>"))
    if thread:
        # The library would break and encode a long id; a line of its own for each is what the standard asks.
        head.append(("References", "\r\n ".join(f"<{one}>" for one in thread)))
    return "".join(f"{name}: {value}\r\n" for name, value in head).encode("ascii") + mail.as_bytes()


def _is_id(known: str | None) -> bool:
    """Whether this is a Message-ID that a header can carry, and not a name that we gave a mail without one."""
    return bool(known and _ID.match(known) and not known.startswith("no-id:"))


def _encoded(subject: str) -> str:
    """A subject as it travels: folded, and encoded where it is not ASCII."""
    plain = subject.isascii() and "=?" not in subject
    return Header(subject, "us-ascii" if plain else "utf-8", header_name="Subject").encode(linesep="\r\n")


def _quoted(post: Post) -> str:
    when = f"On {post.published_at:%Y-%m-%d at %H:%M} UTC, " if post.published_at else ""
    who = line(post.author.name, 100) or post.author.handle
    said = post.text if len(post.text) <= QUOTED else f"{post.text[:QUOTED]} […]"
    return "\n".join([f"{when}{who} wrote:", *(f"> {one}".rstrip() for one in said.split("\n"))]) + "\n"


# --- handing over ---------------------------------------------------------------------------------------------------


def deliver(server: Server, guard: Guard, sender: Sender, to: str, raw: bytes, seconds: float) -> None:
    """Hand a mail over, once; returning means the server took it.

    Raises:
        RateLimited, Unavailable, Unauthorized, Rejected: it was not taken, for sure.
        Unclear: it was sent to its end, and no answer came.
    """
    ended = False
    try:
        with sending(server, guard, seconds) as client:
            if sender.secret:
                _sign_in(client, server, sender)
            _ask(client, server, "MAIL", f"FROM:<{sender.address}>")
            _ask(client, server, "RCPT", f"TO:<{to}>")
            if sender.copy and to != sender.address:
                client.docmd("RCPT", f"TO:<{sender.address}>")  # without it there is no copy, and no harm
            _ask(client, server, "DATA", "")
            client.send(_stuffed(raw))
            ended = True
            client.send(b".\r\n")
            _judge(server, "the mail", *client.getreply())
    except AdapterError:
        raise
    except (smtplib.SMTPException, OSError, *BROKEN) as why:
        if ended:
            raise Unclear(f"{server.shown} took the mail and gave no answer: {shown(why)}") from None
        raise _error(server, why) from None


def _stuffed(raw: bytes) -> bytes:
    """The mail as DATA wants it, but for the line that ends it."""
    ended = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    return re.sub(rb"^\.", b"..", ended, flags=re.MULTILINE)


def _sign_in(client: smtplib.SMTP, server: Server, sender: Sender) -> None:
    """Sign in, where the server knows signing in at all.

    Raises:
        Unauthorized: refused; the server's words are kept back, they might repeat ours.
        Unavailable: not now.
    """
    ways = str(client.esmtp_features.get("auth", "")).upper().replace("=", " ").split()
    if not ways:
        return
    user, secret = sender.user.encode(), sender.secret.encode()
    if "PLAIN" in ways:
        said = base64.b64encode(b"\0".join((b"", user, secret))).decode()
        code, _ = client.docmd("AUTH", f"PLAIN {said}")
    elif "LOGIN" in ways:
        code, _ = client.docmd("AUTH", "LOGIN")
        for part in (user, secret):
            code, _ = client.docmd(base64.b64encode(part).decode()) if code == 334 else (code, b"")
    else:
        raise Unauthorized(f"{server.shown} offers no way of signing in that we know: {' '.join(ways)[:100]}")
    if 400 <= code < 500:
        raise Unavailable(f"{server.shown} takes no sign-in now ({code})")
    if code != 235:
        raise Unauthorized(f"{server.shown} refused the password of {sender.user} ({code})")


def _ask(client: smtplib.SMTP, server: Server, command: str, about: str) -> None:
    """Say a command and hear yes.

    Raises:
        RateLimited, Unavailable, Unauthorized, Rejected: the server said no.
    """
    code, said = client.docmd(command, about)
    if command == "DATA" and code == 354:
        return
    if command == "DATA" and code < 400:
        raise Unavailable(f"{server.shown} answered DATA with {code}: {shown(said)}")
    _judge(server, {"MAIL": "our address", "RCPT": "the customer's address"}.get(command, "the mail"), code, said)


def _judge(server: Server, what: str, code: int, said: bytes) -> None:
    """Go on where a reply means yes.

    Raises:
        RateLimited, Unavailable, Unauthorized, Rejected: it means no.
        Unclear: it means nothing.
    """
    if 200 <= code < 300:
        return
    why = f"{server.shown} refused {what} ({code}): {shown(said)}"
    if 400 <= code < 500:
        raise RateLimited(why) if _OFTEN.search(shown(said)) else Unavailable(why)
    if code in {530, 535}:
        raise Unauthorized(why)
    if 500 <= code < 600:
        raise Rejected(why)
    if what == "the mail":
        raise Unclear(f"{server.shown} answered the mail with what is no answer: {shown(said)}")
    raise Unavailable(f"{server.shown} answered with what is no answer: {shown(said)}")


def _error(server: Server, why: Exception) -> AdapterError:
    """What a failure before the mail's end means."""
    if isinstance(why, smtplib.SMTPResponseException):
        said = shown(why.smtp_error)
        if 500 <= why.smtp_code < 600:
            return Rejected(f"{server.shown} refused us ({why.smtp_code}): {said}")
        kind = RateLimited if _OFTEN.search(said) else Unavailable
        return kind(f"{server.shown} refused us ({why.smtp_code}): {said}")
    return Unavailable(f"{server.shown}: {shown(why)}")
