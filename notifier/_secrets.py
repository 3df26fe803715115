"""Take the secrets of an Apprise URL out of reasons and log records; used by `notifier/apprise.py`.

In such a URL nearly everything is a credential: user, password, path and parameters; in many also the host.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


_kept: ContextVar[Secrets | None] = ContextVar("kept", default=None)


@contextmanager
def keeping(secrets: Secrets) -> Iterator[None]:
    """While this lasts, in this thread, Apprise and urllib3 log nothing that holds these secrets."""
    _install()
    token = _kept.set(secrets)
    try:
        yield
    finally:
        _kept.reset(token)


class _Redacting(logging.Filter):
    """Cleans a record before any handler sees it: both libraries log addresses, and so credentials, at DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        secrets = _kept.get()
        if secrets is not None:
            record.msg, record.args = secrets.remove(record.getMessage()), ()
            record.exc_info, record.exc_text = None, None
        return True


def _install() -> None:
    logger = logging.getLogger("apprise")
    if any(isinstance(one, _Redacting) for one in logger.filters):
        return
    # Apprise tells the cause of a failure only in its log, some of it at DEBUG; what matters of that becomes the
    # error's reason, so the records themselves need go nowhere.
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(logging.NullHandler())
    for name in ("apprise", "urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_Redacting())
