"""Turns a raw mail into a post, or says why it is none; called by `imap.py`.

Parsed with the old, forgiving policy of `email`: the new one raises on hostile headers. Identity is the Message-ID,
which outlives a folder made anew; a mail without one is known by a digest of what it says.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from listener.core.mention import Author, Post, line
from sources._mailtext import from_html, written

HEADER = 4_000
"""Characters of one header that are looked at."""
_DEPTH = 12
_ID = re.compile(r"<\s*([^<>\s]{1,900})\s*>")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\\@]{1,64}@[^\s<>\"'(),;:\\@]{1,255}\Z")
_MACHINE = re.compile(
    r"(no|do.?not|don.?t|never).?(reply|respond|answer)|(keine|nicht).?antwort|ne.?pas.?repondre|mailer.?daemon\Z"
    r"|postmaster\Z|bounces?\Z",
    re.IGNORECASE,
)
_ANSWERS = re.compile(r"\s*(re|aw|sv|antw|ref|odp|r)(\[\d+\])?\s*:", re.IGNORECASE)
_AWAY = re.compile(
    r"\s*(auto(matic)?.?(reply|response|answer)|out.of.(the.)?office|automatische antwort|abwesen|réponse automatique"
    r"|absence|respuesta automática|risposta automatica|automatisch antwoord|autosvar|autoodpowiedź)",
    re.IGNORECASE,
)
_EVIL_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
_ASIAN = {"gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift-jis": "cp932"}
"""Names under which more is sent than they stand for."""
_CLOCKS_DIFFER = timedelta(minutes=10)
_UNDER_WAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as fetched.

    Args:
        head: a message with all its headers.
        texts: the same message; or of a huge mail only its texts.
        arrived: when the server took it in.
    """

    head: Message
    texts: tuple[Message, ...]
    arrived: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What mails are read by.

    Args:
        realm: the mailbox.
        ours: our addresses in lower case.
        own_ids: matches the Message-IDs of our answers.
    """

    realm: str
    ours: frozenset[str]
    own_ids: re.Pattern[str] = field(default=re.compile(r"(?!)"))


def parsed(raw: bytes) -> Message:
    """The message in these bytes; may raise `_maildial.BROKEN` or `email.errors.MessageError`."""
    return message_from_bytes(raw)


def machine(address: str) -> bool:
    """Whether nobody reads what is sent to this address."""
    return _MACHINE.search(address.partition("@")[0]) is not None


def post_of(letter: Letter, reading: Reading) -> Post | str | None:
    """The mail as a post; why it is none, in words; or None for one of our own.

    May raise `_maildial.BROKEN` or `email.errors.MessageError`, which cost this mail alone.
    """
    head = _headers(letter.head)
    author = _author(head, reading)
    title = line(words(head.get("subject", "")))
    ids = _ID.findall(head.get("message-id", "")) or head.get("message-id", "").split()[:1]
    if author is None or any(reading.own_ids.fullmatch(one) for one in ids):
        return None
    why = _nobodys(head, letter.head, reading)
    if why is not None:
        return f"{why}: {title[:100] or 'without a subject'}"
    references = [*_ID.findall(head.get("references", "")), *_ID.findall(head.get("in-reply-to", ""))]
    answered = (_ID.findall(head.get("in-reply-to", "")) or references[-1:] or [None])[0]
    whole = "\n\n".join(filter(None, (_text(part, 0).strip() for part in letter.texts)))
    known = ids[0] if ids else _digest(head, whole)
    return Post(
        source="imap",
        realm=reading.realm,
        external_id=known,
        kind="mail",
        author=author,
        title=title,
        text=written(whole, title=title, answer=bool(references or _ANSWERS.match(title))),
        published_at=_published(head, letter),
        in_reply_to=answered,
        # A thread is one matter, so its first mail belongs to it as well.
        root=references[0] if references else known,
    )


# --- headers --------------------------------------------------------------------------------------------------------


def _headers(message: Message) -> Mapping[str, str]:
    """The first header of each name, in lower case, unfolded and cut; `received` and most others come once."""
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        text = str(value)[:HEADER].encode("utf-8", "surrogateescape")
        found.setdefault(name.lower(), _decoded(text, "utf-8").replace("\r", "").replace("\n", " "))
    return found


def words(value: str) -> str:
    """A header's words, encoded ones decoded as far as they can be."""
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
    except (MessageError, ValueError, LookupError):
        return value
    said = []
    for text, charset in parts:
        if isinstance(text, str):
            said.append(text)
        elif charset is None:  # how `decode_header` hands on what was not encoded
            said.append(text.decode("raw-unicode-escape", "replace"))
        else:
            said.append(_decoded(text, charset))
    return "".join(said)


def _author(head: Mapping[str, str], reading: Reading) -> Author | None:
    """Who wrote it, by the address that an answer would go to; None for ourselves.

    A machine's mails (a review site's notices) are not one customer's, so they have a name and no handle.
    """
    senders = list(_addresses(head.get("from", ""))) or list(_addresses(head.get("sender", "")))
    name, sender = senders[0] if senders else (words(head.get("from", "")), "")
    wanted = next((pair for pair in _addresses(head.get("reply-to", "")) if pair[1] not in reading.ours), None)
    if sender in reading.ours and wanted is None:
        return None
    if wanted is not None and not machine(wanted[1]):
        # A contact form writes in our own name and lets answers go to the customer.
        return Author(handle=wanted[1], name=wanted[0] or (name if sender not in reading.ours else ""))
    if not sender or machine(sender) or _automatic(head):
        return Author(name=line(f"{name} ({sender})" if name and sender else name or sender, 200))
    return Author(handle=sender, name=name)


def _addresses(value: str) -> Iterator[tuple[str, str]]:
    """Names and addresses in a header, addresses in lower case."""
    for name, address in getaddresses([value[:HEADER]]):
        found = address.strip().lower()
        if _ADDRESS.match(found):
            yield line(words(name), 200), found


def _automatic(head: Mapping[str, str]) -> bool:
    """Whether a machine wrote it that reads no answers. Lists on which people write (`List-Post`) are none."""
    if _said(head, "auto-submitted") not in {"", "no"} or _said(head, "precedence") in {"bulk", "junk"}:
        return True
    return "list-unsubscribe" in head and "list-post" not in head and "list-id" not in head


def _nobodys(head: Mapping[str, str], message: Message, reading: Reading) -> str | None:
    """Why a mail is nobody's word: a bounce, or an answer that a machine gave to a mail of ours."""
    kind = message.get_content_type()
    if kind == "multipart/report" or head.get("return-path", "").replace(" ", "") == "<>":
        return "a notice of the mail system"
    if _said(head, "auto-submitted") == "auto-replied" or _said(head, "precedence") == "auto_reply":
        return "an automatic answer"
    if {"x-autoreply", "x-autorespond"} & set(head):
        return "an automatic answer"
    # Exchange calls its absence notes generated, as review sites call their notices.
    ours = any(reading.own_ids.fullmatch(one) for one in _ID.findall(head.get("in-reply-to", "")))
    away = ours or _AWAY.match(words(head.get("subject", "")))
    return "an automatic answer" if away and _said(head, "auto-submitted") not in {"", "no"} else None


def _said(head: Mapping[str, str], name: str) -> str:
    return head.get(name, "").partition(";")[0].strip().lower()


def _published(head: Mapping[str, str], letter: Letter) -> datetime:
    """When it was sent as far as that can be believed, else when it arrived.

    A wrong clock, or a lie, must not make a complaint of today history, which alerts nobody.
    """
    arrived = letter.arrived.astimezone(UTC)
    received = _moment(head.get("received", "").rpartition(";")[2])
    # A mailbox that was copied keeps the stamp of its first server, if not always the time of arrival.
    arrived = min(arrived, received) if received else arrived
    sent = _moment(head.get("date", ""))
    return sent if sent and arrived - _UNDER_WAY <= sent <= arrived + _CLOCKS_DIFFER else arrived


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _digest(head: Mapping[str, str], whole: str) -> str:
    content = "\x1f".join([*(head.get(name, "") for name in ("from", "date", "subject")), whole[:10_000]])
    return f"no-id:{hashlib.blake2b(content.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


# --- text -----------------------------------------------------------------------------------------------------------


def _text(part: Message, depth: int) -> str:
    """The words in a part: of alternatives the first that says something, else all texts one after another."""
    if depth > _DEPTH or (depth and part.get_filename()) or part.get_content_disposition() == "attachment":
        return ""
    kind = part.get_content_type()
    if part.is_multipart():
        if not kind.startswith("multipart/"):
            return ""  # a mail in the mail
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        texts = [_text(child, depth + 1).strip() for child in children]
        if kind == "multipart/alternative":
            return next((text for text in texts if text and not _placeholder(text)), next(filter(None, texts), ""))
        return "\n\n".join(filter(None, texts))
    if kind not in {"text/plain", "text/html"}:
        return ""
    said = part.get_payload(decode=True)
    text = _decoded(said if isinstance(said, bytes) else b"", part.get_content_charset("us-ascii"))
    return from_html(text) if kind == "text/html" else text


def _placeholder(text: str) -> bool:
    """Whether a plain text only says that there is another."""
    return len(text) < 300 and "html" in text.casefold()


def _decoded(said: bytes, charset: str) -> str:
    """Text in a charset that may be a lie: UTF-8 where it fits, then what was said, then Windows' Latin."""
    name = charset.strip().lower().replace("_", "-") if charset else ""
    for tried in ("utf-8" if name in {"", "us-ascii", "ascii", "utf8", "unknown-8bit"} else "", name):
        found = _codec(tried)
        if found:
            try:
                return said.decode(found)
            except (UnicodeError, ValueError, LookupError):
                continue
    try:
        return said.decode("utf-8")
    except UnicodeDecodeError:
        return said.decode("cp1252", "replace")


def _codec(name: str) -> str | None:
    """The codec to use for a charset; None where there is none that makes text."""
    try:
        found = codecs.lookup(_ASIAN.get(name, {"iso-8859-1": "cp1252", "latin1": "cp1252"}.get(name, name)))
    except (LookupError, ValueError, UnicodeError):
        return None
    usable = getattr(found, "_is_text_encoding", False) and found.name.replace("-", "_") not in _EVIL_CHARSETS
    return found.name if usable else None
