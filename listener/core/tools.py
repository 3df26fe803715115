"""What an adapter is given beside its options: the polite HTTP client, guarded connections, a clock, its secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from listener.core.protocols import Stop

Clock = Callable[[], datetime]
"""Says the present moment as aware UTC; injected everywhere, so that tests can turn it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer, read whole and within limits.

    Args:
        status: HTTP status; redirects are already followed.
        headers: names in lower case.
        body: decoded content, at most the asked number of bytes.
        url: the final address.
        moved_to: the address after an unbroken chain of permanent redirects (301, 308), else None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str | None = None


class Http(Protocol):
    """The polite HTTP client that adapters are given: user agent, limits, deadlines, redirects re-checked."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 15_000_000,
        deadline: float = 20.0,
    ) -> Answer:
        """Read a page. Called by sources and channels.

        Args:
            url: http or https address.
            params: query parameters to add.
            headers: request headers to add.
            max_bytes: most decoded bytes to read.
            deadline: seconds for everything, redirects and body included.

        Returns:
            The answer with a status of 200..299, 304 or 410; everything else is an error.

        Raises:
            RateLimited: 429, or 503 with Retry-After; carries the wait.
            Unauthorized: 401 or 403.
            Rejected: another 4xx, a forbidden address, too many redirects, or a body over the limit.
            Unavailable: 5xx, no connection, a broken or too slow answer.
        """
        ...

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 1_000_000,
        deadline: float = 30.0,
    ) -> Answer:
        """Send something, once: it is never repeated and no redirect is followed. Called by sources that reply.

        Args:
            url: http or https address.
            body: what is sent; its type goes into the headers.
            headers: request headers to add.
            max_bytes: most decoded bytes of the answer to read.
            deadline: seconds for everything.

        Returns:
            The answer with a status of 200..299; everything else is an error.

        Raises:
            RateLimited: 429, or 503 with Retry-After: it was not taken; carries the wait.
            Unauthorized: 401 or 403.
            Rejected: another 4xx, a redirect or a forbidden address; says what the other side said.
            Unavailable: no connection: nothing was sent.
            Unclear: another 5xx, or no whole answer: it may have been taken.
        """
        ...

    def lines(
        self,
        url: str,
        *,
        stop: Stop,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float = 90.0,
        longest: float = 3600.0,
        max_line: int = 1_000_000,
        max_bytes: int = 10_000_000,
    ) -> Iterator[bytes]:
        """Read an event stream (`text/event-stream`) line by line. Called by sources that listen.

        It takes no turn: the host can be asked other things meanwhile. No redirect is followed.

        Args:
            url: http or https address.
            stop: once set, the iteration ends within a second.
            params: query parameters to add.
            headers: request headers to add.
            silence: seconds without a byte after which the connection counts as lost.
            longest: seconds after which the iteration ends.
            max_line: most bytes of a line.
            max_bytes: bytes after which the iteration ends.

        Yields:
            An empty line as soon as the answer begins, then each line without its end.

        Raises:
            RateLimited: 429, or 503 with Retry-After; carries the wait.
            Unauthorized: 401 or 403.
            Rejected: another 4xx, a redirect, a forbidden address, or an answer that is no event stream.
            Unavailable: 5xx, no connection, a broken one, silence, or a line over the limit.
        """
        ...


class Guard(Protocol):
    """Says where connections may go, for adapters whose libraries open connections themselves (IMAP, SMTP)."""

    def refusal(self, host: str, port: int) -> str | None:
        """Why a host may not be dialled, as far as its writing says; None when its addresses decide. Asks nobody.

        Args:
            host: a name or an address.
            port: where to knock.
        """
        ...

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses to dial, in order of preference. Dial these, not the name: it may mean another one next time.

        Args:
            host: a name or an address; stays the name for TLS.
            port: where to knock.

        Raises:
            OSError: there is none that may be dialled; the message may be shown.
        """
        ...

    def failed(self, host: str, port: int, why: str) -> OSError:
        """The error to show when dialling failed: it tells no more than may be told, and the log hears the rest.

        Args:
            host: as given to `addresses`.
            port: as given to `addresses`.
            why: what went wrong.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What an adapter is given beside its options.

    Args:
        http: the polite HTTP client; None for adapters that never reach out.
        clock: says the present moment.
        secret: the credential the configuration names for it; never in repr; None without one.
        session: makes a `requests.Session` that goes where `http` may go, for libraries that want one; None for
            adapters that never reach out.
        guard: for libraries that open connections in other ways; None for adapters that never reach out.
    """

    http: Http | None
    clock: Clock
    secret: str | None = field(default=None, repr=False)
    session: Callable[[], Any] | None = None
    guard: Guard | None = None
