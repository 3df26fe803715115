"""Finds in a mail's text what its author wrote: without quoted mails below or between, and without a signature.

Called by `_mailread.py`. What is cut by mistake is lost to staff, and what stays by mistake only reads worse: whenever
nothing would be left, or it is not clear, the text stays.
"""

from __future__ import annotations

import re

from mailparser_reply.parser import EmailMessage, EmailReply

from listener.core.mention import clean
from sources._text import plain

MAX_WRITTEN = 30_000
"""Characters that are looked at; answers may stand below long quotes."""

_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "da", "sv")
_LONGEST = 200
"""A line that is longer is no heading of a quote, and the parser's expressions would take seconds over it."""
_HELD = re.compile("\ue000([0-9]+)\ue001")
_OPEN, _CLOSE = "\ue002", "\ue003"
_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^<>]{0,2000}>", re.IGNORECASE)
_PRIVATE = re.compile("[\ue000-\ue003]")
_FORWARDED = re.compile(r"\s*(fwd?|wg|tr|rv|doorst|vb)\s*:", re.IGNORECASE)
_FORWARD_MARK = re.compile(r"^-{3,} ?(Forwarded message|Weitergeleitete Nachricht|Message transféré)", re.MULTILINE)
_THANKS = re.compile(r"(thank|danke|merci|gracias|grazie|tak\b|tack|dzi|bedankt|obrigad)", re.IGNORECASE)
_TAIL = 12
"""Lines that a signature has at most."""
_SIGNED = 500
"""Characters that it has at most."""


def from_html(markup: str) -> str:
    """The text of an HTML mail, with quoted mails marked by `>` as in plain ones."""
    marked = _BLOCKQUOTE.sub(lambda tag: f"<p>{_CLOSE if tag[1] else _OPEN}</p>", _PRIVATE.sub("", markup))
    text = plain(marked)
    lines, depth = [], 0
    for one in text.split("\n"):
        depth += one.count(_OPEN)
        said = _PRIVATE.sub("", one).strip()
        lines.append(f"> {said}" if depth > 0 else said)
        depth = max(0, depth - one.count(_CLOSE))
    return "\n".join(lines).strip()


def written(text: str, *, title: str = "", answer: bool = False) -> str:
    """What the author of a mail wrote.

    Args:
        text: the mail's text.
        title: its subject: what is forwarded is the point of a mail that says so.
        answer: whether it answers another mail; only then is there anything quoted, whatever it looks like.
    """
    whole = clean(_PRIVATE.sub("", text), MAX_WRITTEN)
    if _FORWARDED.match(title) or _FORWARD_MARK.search(whole):
        return whole
    return _signed_off(_unquoted(whole) if answer else whole) or whole


def _unquoted(whole: str) -> str:
    lines = [one.strip() for one in whole.split("\n")]
    held: list[str] = []
    for at, one in enumerate(lines):
        if len(one) > _LONGEST:
            quoted = one.startswith(">")
            lines[at] = f"{'>' if quoted else ''}\ue000{len(held)}\ue001"
            held.append(one[quoted:])
    # Blank lines in a row, which take the parser long as well, are folded already.
    parts = _parsed("\n".join(lines))
    said = [_own(part.content, part.headers or "", first=number == 0) for number, part in enumerate(parts)]
    return _HELD.sub(lambda found: held[int(found[1])], "\n\n".join(filter(None, said))).strip()


def _parsed(text: str) -> list[EmailReply]:
    # A line that begins with a hyphen is a list of complaints more often than a signature.
    mail = EmailMessage(text=text, languages=list(_LANGUAGES), keep_hyphen_lists=True)
    return list(mail.read().replies)


def _own(content: str, heading: str, *, first: bool) -> str:
    """The unquoted lines of one part; none of a later part that is quoted without marks."""
    lines = content.removeprefix(heading).split("\n")
    if not first:
        # Below a heading ("On Monday, X wrote:") the author may go on only after what is marked as quoted.
        lines = lines[next((at for at, one in enumerate(lines) if one.startswith(">")), len(lines)) :]
    return "\n".join(one for one in lines if not one.startswith(">")).strip()


def _signed_off(text: str) -> str:
    """The text without its signature, where that is surely one."""
    lines = text.split("\n")
    for at in range(max(1, len(lines) - _TAIL), len(lines)):
        if lines[at].strip() == "--" or (_closes(lines[at].strip()) and len("".join(lines[at:])) <= _SIGNED):
            return "\n".join(lines[:at]).strip()
    return text


def _closes(said: str) -> bool:
    """Whether a line surely begins a signature: "Best regards", and not "Thanks, but I want my money back"."""
    if not said or len(said) > 60 or len(said.split()) > 5 or said.endswith((".", "!", "?")):
        return False
    known = bool(_parsed(f"x\n\n{said}")[-1].signatures)
    # "Thanks for nothing" may be the point of the mail.
    return known and (said.endswith(",") or not _THANKS.match(said))
