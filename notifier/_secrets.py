"""Take the secrets of an Apprise URL out of texts; pure, used by `notifier/apprise.py` on every reason.

In such a URL nearly everything is a credential: user, password, path and parameters; in many also the host.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote

HIDDEN = "***"

_HARMLESS = frozenset({"yes", "no", "on", "off", "true", "false", "insecure", "starttls", "ssl", "post", "put", "get"})
_SEPARATORS = re.compile(r"[/@:,;&?=#\s]+")


class Secrets:
    """Knows what must not be said; its own repr says nothing."""

    def __init__(self, url: str, *, own_host: bool) -> None:
        """Find the secret pieces of a URL; `own_host` says that its host and port are no secret."""
        pieces = {form for piece in _pieces(url, own_host) for form in _forms(piece)}
        # Longest first, so that a piece inside a longer one leaves no remains. A short one counts as a whole word
        # only, or "ab" would blacken half of every sentence.
        ordered = sorted(pieces, key=len, reverse=True)
        patterns = (re.escape(p) if len(p) > 5 else rf"(?<![^\W_]){re.escape(p)}(?![^\W_])" for p in ordered)
        self._pattern = re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)

    def remove(self, text: str) -> str:
        """The text with every secret replaced."""
        return self._pattern.sub(HIDDEN, text)

    def __repr__(self) -> str:
        """Say nothing."""
        return "Secrets(...)"


def _pieces(url: str, own_host: bool) -> Iterator[str]:
    rest = url.partition("://")[2] or url
    front, _, query = rest.partition("?")
    netloc, _, path = front.partition("/")
    user, at, host = netloc.rpartition("@")
    if at:
        yield user
        yield base64.b64encode(unquote(user).encode()).decode()
    values = [value for _, value in parse_qsl(query)] + [part.partition("=")[2] for part in query.split("&")]
    for whole in (user, path, *values, *(() if own_host else (host,))):
        yield whole
        yield from _SEPARATORS.split(whole)
        yield from _SEPARATORS.split(unquote(whole))


def _forms(piece: str) -> Iterator[str]:
    """A piece in the forms it may be echoed in."""
    for form in (piece, unquote(piece), quote(unquote(piece), safe=""), repr(unquote(piece).encode())[2:-1]):
        word = form.strip("/")
        if len(word) > 1 and word.casefold() not in _HARMLESS:
            yield word
