"""Fetches mails, bounded: a small one whole, of a huge one its headers and texts; called by `imap.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import Any

from sources._mailread import Letter, parsed

HEADERS = 64_000
"""Bytes of a huge mail's headers that are fetched."""
TEXTS = 6
"""Parts of a huge mail that are fetched: people write above and below their pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the server says of a mail: how many bytes it has, and when it came."""

    size: int
    arrived: datetime


def listed(client: Any, uids: Sequence[int]) -> dict[int, Listed]:
    """Sizes and times of mails; those that are gone meanwhile are left out."""
    found: dict[int, Listed] = {}
    for uid, told in client.fetch(list(uids), ["RFC822.SIZE", "INTERNALDATE"]).items():
        arrived = told.get(b"INTERNALDATE")
        if isinstance(arrived, datetime):
            arrived = arrived.replace(tzinfo=UTC) if arrived.tzinfo is None else arrived.astimezone(UTC)
            found[int(uid)] = Listed(size=int(told.get(b"RFC822.SIZE") or 0), arrived=arrived)
    return found


def raw_letter(client: Any, uid: int, told: Listed, most: int) -> tuple[bytes, list[Message]]:
    """A mail's bytes; or of one larger than `most` the bytes of its headers, and its texts.

    Raises:
        imaplib.IMAP4.error: the server will not, or has hung up.
        LookupError, ValueError, TypeError: what it says is no mail.
    """
    if told.size <= most:
        return _part(client, uid, "", most), []
    structure = client.fetch([uid], ["BODYSTRUCTURE"])[uid][b"BODYSTRUCTURE"]
    sections = list(_texts(structure, "", 0))[:TEXTS]
    texts = [
        _text(kind, charset, encoding, _part(client, uid, section, most))
        for section, kind, charset, encoding in sections
    ]
    return _part(client, uid, "HEADER", HEADERS), texts


def letter(raw: bytes, texts: Sequence[Message], told: Listed) -> Letter:
    """What was fetched, parsed; may raise `_maildial.BROKEN` or `email.errors.MessageError`."""
    head = parsed(raw)
    return Letter(head=head, texts=tuple(texts) or (head,), arrived=told.arrived)


def _part(client: Any, uid: int, section: str, most: int) -> bytes:
    """The beginning of a part, without marking the mail as read."""
    told = client.fetch([uid], [f"BODY.PEEK[{section}]<0.{most}>"])[uid]
    return told.get(f"BODY[{section}]<0>".encode()) or b""


def _texts(part: Any, section: str, depth: int) -> Iterator[tuple[str, str, str, str]]:
    """Section, subtype, charset and transfer encoding of each text that is no attachment; of alternatives one."""
    if depth > 12:
        return
    if not part.is_multipart:
        if _lower(part[0]) == "text" and _lower(part[1]) in {"plain", "html"}:
            named = _named(part[2])
            # RFC 3501, 7.4.2: behind the lines and the MD5 of a text, what shall be done with it.
            wanted = part[9] if len(part) > 9 and isinstance(part[9], tuple) else (b"inline", None)
            if "name" not in named and _lower(wanted[0]) != "attachment" and "filename" not in _named(wanted[1]):
                yield section or "1", _lower(part[1]), named.get("charset", "us-ascii"), _lower(part[5])
        return
    for number, child in enumerate(part[0], 1):
        found = list(_texts(child, f"{section}.{number}" if section else str(number), depth + 1))
        yield from found
        if found and _lower(part[1]) == "alternative":
            return


def _named(params: object) -> dict[str, str]:
    pairs = params if isinstance(params, tuple) else ()
    return {_lower(name): _lower(value) for name, value in zip(pairs[::2], pairs[1::2], strict=False)}


def _lower(value: object) -> str:
    return value.decode("ascii", "replace").lower() if isinstance(value, bytes) else str(value or "").lower()


def _text(kind: str, charset: str, encoding: str, said: bytes) -> Message:
    part = Message()
    part["Content-Type"] = f'text/{kind}; charset="{charset}"'.replace("\r", "").replace("\n", "")
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(said.decode("ascii", "surrogateescape"))
    return part
