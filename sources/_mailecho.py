"""Reads what mail systems and absent people's mailboxes send back to answers of ours; called by `imap.py`.

Reports in the form of RFC 3464 and RFC 6533, what Exim and qmail write in a form of their own, and automatic answers
(RFC 3834). Our mail is known by the Message-ID in the returned headers, else by what the notice says it answers; the
words of a notice are never searched for one. Whatever is unclear is no echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email import message_from_string
from email.message import Message
from itertools import islice

from listener.core.echo import Echo
from listener.core.mention import line
from sources._mailread import IDS, Letter, Reading, body, children, headers, nobodys, own_text, said, sent_by_system

_PARTS = 40
"""Parts of a notice that are looked at."""
_WORDS = 20_000
"""Characters of a notice, or of the copy within it, that are looked at."""
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_OTHER_REPORTS = frozenset({"message/disposition-notification", "message/feedback-report"})
_COPIES = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REFUSED = re.compile(r"(?<![\d.])(5\d\d)[ -](?=\S)|(?<![\d.])(5\.\d{1,3}\.\d{1,3})(?![\d.])")
_LATER = re.compile(
    r"\b(delayed|will (be )?(retr|keep|try|attempt)|no action is required|not yet been delivered|still being tried)",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"^-{2,6} ?(this is a copy of (the|your) message.*|below this line is a copy of the message\.?|original message.*"
    r"|the body of the message is.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_RULES = re.compile(r"\A(\s*-{2,}[^\n]*\n)*\s*")
_ADDRESS = re.compile(r"<?[^\s<>\"'(),;:]{1,64}@[^\s<>\"'(),;:]{1,255}>?")
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"5\.1\.[0136]\b|5\.1\.10\b", "there is no such mailbox"),
    (r"5\.1\.2\b|5\.4\.4\b", "there is no such mail server"),
    (r"5\.2\.1\b", "the mailbox takes no mails"),
    (r"[45]\.2\.2\b", "the mailbox is full"),
    (r"5\.2\.3\b|5\.3\.4\b", "the mail is too large for it"),
    (r"5\.7\.", "its mail server refuses mails from us"),
    (r"4\.4\.|5\.4\.[17]\b|4\.7\.|4\.3\.", "its mail server did not take it for days"),
)
"""What the codes of RFC 3463 and its registry mean for whoever reads the case."""


def echo_of(letter: Letter, reading: Reading) -> Echo | None:
    """What a mail says of an answer of ours, if it is a machine's; None for every other mail.

    May raise `_maildial.BROKEN` or `email.errors.MessageError`, which cost this mail alone.
    """
    head = headers(letter.head)
    if nobodys(head, letter.head, reading) is None:
        return None
    parts = list(islice(_parts(letter.head, 0), _PARTS))
    if letter.head.get_content_type() == "multipart/report" or sent_by_system(head):
        return _returned(letter, head, parts, reading)
    known = _known(_answered(head), reading)
    return Echo(realm=reading.realm, external_id=known, kind="away") if known else None


def _returned(letter: Letter, head: Mapping[str, str], parts: list[Message], reading: Reading) -> Echo | None:
    """The echo of a mail that did not arrive; None where it did, may yet, or is none of ours."""
    words = "\n".join(body(part) for part in letter.texts)[:_WORDS].replace("\r", "")
    reports = [part for part in parts if part.get_content_type() in _STATUS_PARTS]
    if any(part.get_content_type() in _OTHER_REPORTS for part in parts):
        return None  # It was read, or called unwanted: so it arrived.
    failure = _reported(reports, reading) if reports else _told(head, words)
    if failure is None:
        return None
    copies = [_copy(part) for part in parts if part.get_content_type() in _COPIES][:1] or _copies(words)
    ids = [one for copy in copies for one in IDS.findall(headers(copy).get("message-id", ""))[:1]]
    known = _known(ids or _answered(head), reading)
    code, told = failure
    if known is None:
        return None
    return Echo(realm=reading.realm, external_id=known, kind="returned", why=_meaning(code), said=told)


def _known(ids: list[str], reading: Reading) -> str | None:
    return next((one for one in ids if reading.own_ids.fullmatch(one)), None)


def _answered(head: Mapping[str, str]) -> list[str]:
    """The ids of the mails that a notice says it answers, the likeliest first."""
    return [*IDS.findall(head.get("in-reply-to", "")), *reversed(IDS.findall(head.get("references", "")))]


def _parts(part: Message, depth: int) -> Iterator[Message]:
    """The parts of a notice, those of the returned mail left out."""
    if part.get_content_maintype() != "multipart" or not part.is_multipart():
        yield part
    elif depth < 4:
        for child in children(part):
            yield from _parts(child, depth + 1)


# --- what failed, and why -------------------------------------------------------------------------------------------


def _reported(reports: list[Message], reading: Reading) -> tuple[str, str] | None:
    """Code and reason of the first address that failed, in a report; None when none did, or only one of ours."""
    for block in (block for report in reports[:1] for block in _blocks(report)):
        fields = headers(block)
        action, status = said(fields, "action"), fields.get("status", "").strip()
        failed = action == "failed" or (not action and status.startswith("5"))
        to = _address(fields.get("original-recipient", "")), _address(fields.get("final-recipient", ""))
        if failed and not set(to) & reading.ours:
            told = _unlabelled(fields.get("diagnostic-code", ""))
            code = _CODE.search(f"{told} {status}" if status.endswith(".0.0") else f"{status} {told}")
            return (code[1] if code else ""), _shown(told)
    return None


def _blocks(report: Message) -> Iterator[Message]:
    """The groups of fields in a report: one about the mail, then one for each address."""
    for part in children(report)[:_PARTS]:
        yield part
        # The library knows the groups of the older form only: of the newer one the first is a mail with a text.
        rest = part.get_payload()
        for group in rest[:_WORDS].replace("\r", "").split("\n\n") if isinstance(rest, str) else ():
            yield message_from_string(group.lstrip("\n"))


def _told(head: Mapping[str, str], words: str) -> tuple[str, str] | None:
    """Code and reason in the words of a notice without a report; None where it is not surely a failure for good."""
    above = _COPY.split(words, maxsplit=1)[0]
    found = _REFUSED.search(above)
    if _LATER.search(above) or not (found or "x-failed-recipients" in head):
        return None
    reason = above[found.start() :].partition("\n\n")[0] if found else ""
    code = _CODE.search(reason)
    return (code[1] if code else ""), _shown(reason)


def _meaning(code: str) -> str:
    found = next((words for pattern, words in _MEANINGS if re.match(pattern, code)), "")
    return f"{found} ({code})" if found else f"code {code}" if code else ""


def _unlabelled(told: str) -> str:
    """A reason without the name of its kind ("smtp; 550 ...")."""
    return re.sub(r"\A\s*[a-z0-9-]{1,30}\s*;\s*", "", told, flags=re.IGNORECASE)


def _address(field: str) -> str:
    return field.partition(";")[2].strip().strip("<>").lower()


def _shown(told: str) -> str:
    """A mail system's words as they are kept: they stay longer than the customer's, so without addresses."""
    return line(_ADDRESS.sub("the address", told), 300)


# --- which mail -----------------------------------------------------------------------------------------------------


def _copy(part: Message) -> Message:
    """The headers of the mail that came back, in a part that holds it, or them."""
    inner = children(part)
    return inner[0] if inner else message_from_string(own_text(part)[:_WORDS])


def _copies(words: str) -> list[Message]:
    """The headers of the mail that came back, below the line that Exim and qmail put above it."""
    below = _COPY.split(words, maxsplit=1)
    return [message_from_string(_RULES.sub("", below[-1]))] if len(below) > 1 else []
