"""Opens connections to mail servers, guarded, with TLS and a deadline: `reading()` for IMAP, `sending()` for SMTP.

Called by `imap.py` and `_mailsend.py`. The addresses dialled are those the guard gave; TLS checks the host's name.
"""

from __future__ import annotations

import imaplib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from listener.core.errors import AdapterError, Rejected, Unauthorized, Unavailable
from listener.core.mention import line
from listener.core.tools import Guard
from listener.http.addresses import why_private

Security = Literal["tls", "starttls", "none"]
MAX_LITERAL = 16_000_000
"""Bytes a server may announce at once; we never ask for as many."""
BROKEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError)
"""What the libraries raise when a server or a mail says something they do not understand."""

_GOODBYE = 2.0
"""Seconds for the last word, on which nothing hangs."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PASSING = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN|OVERQUOTA)", re.IGNORECASE)
"""Response codes of RFC 5530 that say nothing against the credentials or the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a mail server is and how it is spoken to.

    Args:
        host: its name.
        port: its port.
        security: TLS from the start, after STARTTLS, or none.
        ca_file: certificates to believe instead of the machine's; empty for those.
    """

    host: str
    port: int
    security: Security
    ca_file: str = ""

    @property
    def shown(self) -> str:
        """How messages name it."""
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """What certificates are checked with.

        Raises:
            Rejected: `ca_file` cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as why:  # ssl.SSLError is one
            raise Rejected(f"ca_file {self.ca_file}: {why.strerror or 'holds no certificate'}") from None


@contextmanager
def connected(server: Server, guard: Guard, seconds: float) -> Iterator[socket.socket]:
    """A connection that is cut after so many seconds whatever it does, and closed at the end.

    Raises:
        Rejected: it may never be dialled as configured.
        Unavailable: nobody answers, or the certificate is not right.
    """
    plain = _dialled(server, guard, seconds)
    # A second handle on the same connection: it still cuts when TLS has taken the first one over.
    spare = plain.dup()
    leash = threading.Timer(seconds, _cut, (spare,))
    leash.daemon = True
    leash.start()
    connection = plain
    try:
        if server.security == "tls":
            connection = _secured(server, plain)
        yield connection
    finally:
        leash.cancel()
        connection.close()
        spare.close()


def _dialled(server: Server, guard: Guard, seconds: float) -> socket.socket:
    refused = guard.refusal(server.host, server.port)
    if refused is not None:
        raise Rejected(f"{server.shown}: {refused}")
    try:
        found = guard.addresses(server.host, server.port)
    except OSError as why:
        raise Unavailable(f"{server.shown}: {why}") from None
    if server.security == "none" and any(why_private(address) is None for address in found):
        raise Rejected(f'{server.shown} is on the public internet: security = "none" would show the password there')
    problem = "it has no address"
    for address in found:
        try:
            return socket.create_connection((address, server.port), min(10.0, max(0.1, seconds)))
        except OSError as why:
            problem = why.strerror or str(why)
    raise Unavailable(f"{server.shown}: {guard.failed(server.host, server.port, problem)}")


def _secured(server: Server, plain: socket.socket) -> socket.socket:
    try:
        return server.context().wrap_socket(plain, server_hostname=server.host)
    except (OSError, ValueError) as why:
        plain.close()
        raise Unavailable(f"{server.shown}: no TLS: {shown(why)}") from None


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def shown(why: object) -> str:
    """A server's words, fit to show."""
    text = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
    return line(text, 200) or "it hung up"


# --- IMAP -----------------------------------------------------------------------------------------------------------


class _Imap4(imaplib.IMAP4):
    """imaplib on a connection that stands already."""

    def __init__(self, host: str, connection: socket.socket) -> None:
        self._connection = connection
        super().__init__(host)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._connection

    def read(self, size: int) -> bytes:
        """Refuse what would fill the memory."""
        if size > MAX_LITERAL:
            raise self.abort(f"it announced {size} bytes at once")
        return super().read(size)


class _Reader(IMAPClient):  # type: ignore[misc]
    """IMAPClient on a connection that stands already."""

    def __init__(self, host: str, connection: socket.socket, patience: float) -> None:
        self._connection = connection
        super().__init__(host, ssl=False, timeout=patience)
        self.normalise_times = False  # aware times, please

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - its own name for it
        return _Imap4(self.host, self._connection)


@contextmanager
def reading(server: Server, guard: Guard, user: str, secret: str, seconds: float) -> Iterator[Any]:
    """A signed-in IMAP client; whatever it raises inside becomes one of our errors.

    Raises:
        Rejected: it may never be dialled as configured.
        Unauthorized: the server refused user and password.
        Unavailable: everything else.
    """
    try:
        with connected(server, guard, seconds) as connection:
            client = _Reader(server.host, connection, max(0.1, min(20.0, seconds)))
            if server.security == "starttls":
                client.starttls(server.context())
            _sign_in(client, server, user, secret)
            yield client
            with suppress(imaplib.IMAP4.error, OSError, AttributeError):
                client.socket().settimeout(_GOODBYE)
                client.logout()
    except AdapterError:
        raise
    except (imaplib.IMAP4.error, OSError) as why:
        raise Unavailable(f"{server.shown}: {shown(why)}") from None
    except BROKEN as why:
        raise Unavailable(f"{server.shown} answered with what is no IMAP ({type(why).__name__})") from None


def _sign_in(client: Any, server: Server, user: str, secret: str) -> None:
    """Sign in.

    Raises:
        Unauthorized: refused.
        Unavailable: not now.
    """
    if _CONTROL.search(user + secret):
        raise Unauthorized(f"{server.shown}: user and password must be one line each, without control characters")
    try:
        # LOGIN takes ASCII only; the other way takes any.
        (client.login if (user + secret).isascii() else client.plain_login)(user, secret)
    except LoginError as why:
        if isinstance(why.__context__, imaplib.IMAP4.abort):  # it hung up, which is no answer
            raise why.__context__ from None
        if _PASSING.search(str(why)):
            raise Unavailable(f"{server.shown} takes no sign-in now") from None
        raise Unauthorized(f"{server.shown} refused the password of {user}") from None


def opened(client: Any, folder: str) -> dict[bytes, Any]:
    """Open a folder to read; what the server says of it.

    Raises:
        Rejected: there is none of that name.
        Unavailable: not now.
    """
    try:
        told: dict[bytes, Any] = client.select_folder(folder, readonly=True)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as why:
        if _PASSING.search(str(why)):
            raise Unavailable(f"folder {folder} cannot be opened now: {shown(why)}") from None
        raise Rejected(f"folder {folder} cannot be opened: {shown(why)}") from None
    return told


# --- SMTP -----------------------------------------------------------------------------------------------------------


class _Smtp(smtplib.SMTP):
    """smtplib on a connection that stands already."""

    def __init__(self, server: Server, connection: socket.socket, patience: float) -> None:
        self._connection = connection
        connection.settimeout(patience)
        name = str(connection.getsockname()[0]).partition("%")[0]
        # Its own way to find a name for us may ask the network, and wait for it.
        own = f"[IPv6:{name}]" if ":" in name else f"[{name}]"
        super().__init__(server.host, server.port, local_hostname=own, timeout=patience)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connection


@contextmanager
def sending(server: Server, guard: Guard, seconds: float) -> Iterator[smtplib.SMTP]:
    """An SMTP client after its greeting, secured, not signed in.

    Raises:
        Rejected: it may never be dialled as configured, or offers no STARTTLS.
        smtplib.SMTPException, OSError: as smtplib.
    """
    with connected(server, guard, seconds) as connection:
        client = _Smtp(server, connection, seconds)
        client.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            if not client.has_extn("starttls"):
                raise Rejected(f"{server.shown} offers no STARTTLS: use another port, or `tls`")
            client.starttls(context=server.context())
            client.ehlo()
        yield client
        with suppress(smtplib.SMTPException, OSError):
            if client.sock is not None:
                client.sock.settimeout(_GOODBYE)
            client.quit()
