"""Turns HTML into the plain text that people would read; used by every source that is given HTML.

inscriptis keeps lists and line breaks, which Markdown-like converters turn into signs that mislead a scorer.
"""

from __future__ import annotations

import html
import re

from inscriptis import get_text

MAX_HTML = 400_000
"""Characters of one text that are looked at; a post is cut to far less afterwards."""

_MARKUP = re.compile(r"<[a-zA-Z/!?]|&[#a-zA-Z0-9]{2,32};")
_INVISIBLE = re.compile(r"<(script|style|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def plain(text: str) -> str:
    """The text of an HTML fragment; a text without markup comes back as it is."""
    text = _SURROGATES.sub("", text[:MAX_HTML])
    if not _MARKUP.search(text):
        return text.strip()
    try:
        read = get_text(text).strip()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError):
        read = ""
    # lxml drops what is nested deeper than 256 elements; better without layout than without words.
    return read or _stripped(text)


def _stripped(text: str) -> str:
    """The text with tags simply cut out."""
    return " ".join(html.unescape(_TAG.sub(" ", _INVISIBLE.sub(" ", text))).split())
