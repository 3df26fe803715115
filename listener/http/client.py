"""The polite HTTP client that adapters are given as `Tools.http`.

One class, `Client`: it names itself, ends in time, stops at a size, follows at most five redirects that it checks one
by one, dials only what its guard lets through, and asks a host one thing at a time. Built by `listener/toolbox.py`;
adapters know only the protocol `listener.core.protocols.Http`. No message holds a query, a credential or a token.
"""

from __future__ import annotations

import json
import re
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self
from weakref import WeakValueDictionary

import httpx2

import listener
from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.protocols import Stop
from listener.core.tools import Answer
from listener.http.guard import AddressGuard
from listener.http.network import Transport, deadline_at
from listener.http.stream import CONNECT, check, pieces, split, until
from listener.http.waits import retry_after, until_reset

USER_AGENT = f"Listener/{listener.__version__} (+https://listener.example/bot)"
MAX_REDIRECTS = 5
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-language", "if-modified-since", "if-none-match"})
_TOKEN = re.compile(r"(?=[^/]*\d)[A-Za-z0-9_\-=%.~]{20,}")


class _Lock:
    """A lock that a WeakValueDictionary can hold, so that hosts met once are forgotten."""

    __slots__ = ("__weakref__", "held")

    def __init__(self) -> None:
        self.held = threading.Lock()


class Client:
    """Reads pages as `listener.core.protocols.Http` promises; safe to share between threads."""

    def __init__(
        self,
        *,
        user_agent: str = USER_AGENT,
        longest: float = 120.0,
        transport: httpx2.BaseTransport | None = None,
        guard: AddressGuard | None = None,
        allow_private: bool = False,
    ) -> None:
        """Open nothing yet.

        Args:
            user_agent: how we name ourselves to servers.
            longest: seconds; caps every deadline that a caller asks for.
            transport: replaces the network, for tests.
            guard: is asked before each connection; None makes one.
            allow_private: what the guard made here allows; for tests and demonstrations on loopback.
        """
        self._longest = longest
        guard = guard or AddressGuard(allow_private=allow_private)
        self._client = _opened(transport or Transport(guard), user_agent)
        # Apart, so that streams which stand for hours never fill the pool that requests wait for.
        self._streams = _opened(transport or Transport(guard, connections=None), user_agent)
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()
        self._locks_lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._streams.close()

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 15_000_000,
        deadline: float = 20.0,
    ) -> Answer:
        """Read a page; arguments and errors are those of `Http.get`."""
        address = _checked(url)
        if params:
            address = address.copy_merge_params(dict(params))
        seconds = min(deadline, self._longest)
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        permanent = True
        for hop in range(MAX_REDIRECTS + 1):
            outcome = self._ask(address, sent, max_bytes, seconds)
            if isinstance(outcome, Answer):
                return replace(outcome, moved_to=outcome.url if hop and permanent else None)
            status, target, seconds = outcome
            permanent = permanent and status in _PERMANENT
            if _origin(target) != _origin(address):
                sent = {name: value for name, value in sent.items() if name in _KEPT_ACROSS_ORIGINS}
            address = target
        raise Rejected(f"{shown(url)} redirects more than {MAX_REDIRECTS} times: check the address")

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 1_000_000,
        deadline: float = 30.0,
    ) -> Answer:
        """Send something once; arguments and errors are those of `Http.post`."""
        address, seconds = _checked(url), min(deadline, self._longest)
        name, origin = shown(str(address)), _origin(address)
        with self._turn(origin, name, seconds):
            end = time.monotonic() + seconds
            with deadline_at(end), _said_of_a_write(name, seconds):
                request = self._client.build_request(
                    "POST", address, content=body, headers=dict(headers or {}), timeout=seconds
                )
                response = self._client.send(request, stream=True)
                try:
                    return _taken(response, address, max_bytes)
                finally:
                    response.close()

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
        """Read an event stream; arguments and errors are those of `Http.lines`."""
        address = _checked(url).copy_merge_params(dict(params or {}))
        name, end = shown(str(address)), time.monotonic() + longest
        sent = {**(headers or {}), "Accept": "text/event-stream", "Accept-Encoding": "identity"}
        with _said_plainly(address, CONNECT), until(end, stop, name, silence):
            timeout = httpx2.Timeout(silence, connect=CONNECT)
            request = self._streams.build_request("GET", address, headers=sent, timeout=timeout)
            with deadline_at(end, stop):
                response = self._streams.send(request, stream=True)
            try:
                if response.status_code != 200:
                    raise _refusal(response.status_code, response.headers, name)
                check(response, name)
                yield b""
                yield from split(pieces(response, end, stop, max_bytes), name, max_line)
            finally:
                response.close()

    def _ask(
        self, address: httpx2.URL, headers: Mapping[str, str], max_bytes: int, seconds: float
    ) -> Answer | tuple[int, httpx2.URL, float]:
        """Ask once: the answer, or a redirect's status, its checked target and the seconds that are left."""
        with self._turn(_origin(address), shown(str(address)), seconds):
            end = time.monotonic() + seconds
            with deadline_at(end), _said_plainly(address, seconds):
                request = self._client.build_request("GET", address, headers=dict(headers), timeout=seconds)
                response = self._client.send(request, stream=True)
                try:
                    return _read(response, address, max_bytes, end)
                finally:
                    response.close()

    @contextmanager
    def _turn(self, origin: str, name: str, seconds: float) -> Iterator[None]:
        """Wait until nobody else asks this host; waiting does not use up the deadline of the request."""
        with self._locks_lock:
            lock = self._locks.setdefault(origin, _Lock())
        if not lock.held.acquire(timeout=seconds):
            raise Unavailable(f"{name} was not asked: another request to this host took over {seconds:g} s")
        try:
            yield
        finally:
            lock.held.release()


def _opened(transport: httpx2.BaseTransport, user_agent: str) -> httpx2.Client:
    return httpx2.Client(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"},
        # What one place sets must not travel with the requests of another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def shown(url: str) -> str:
    """An address fit for messages: no user, password, query or fragment, and no path part that looks like a token."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        return "the address"
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.scheme}://{parsed.host}{port}{_TOKEN.sub('…', parsed.path)}"


def _checked(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """The address, if it is one we may ask; raises Rejected otherwise."""
    try:
        address = base.join(url) if base else httpx2.URL(url.strip())
    except (httpx2.InvalidURL, ValueError):
        raise Rejected("the address cannot be read: write it as https://host/path") from None
    if address.scheme not in ("http", "https") or not re.fullmatch(rb"[\w.:-]+", address.raw_host):
        raise Rejected(f"{shown(str(address))} is no http or https address")
    return address


def _origin(address: httpx2.URL) -> str:
    return f"{address.scheme}://{address.host}:{address.port}"


def _read(
    response: httpx2.Response, address: httpx2.URL, max_bytes: int, end: float
) -> Answer | tuple[int, httpx2.URL, float]:
    """Judge the status, then read the body; errors as `Http.get` says."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    status = response.status_code
    if status in _REDIRECTS and "location" in headers:
        return status, _checked(headers["location"], address), max(end - time.monotonic(), 0.001)
    if not (200 <= status < 300 or status in (304, 410)):
        raise _refusal(status, headers, shown(str(address)))
    body = b"" if status in (204, 304) else _body(response, headers, address, max_bytes)
    return Answer(status=status, headers=headers, body=body, url=str(address.copy_with(username=None, password=None)))


def _taken(response: httpx2.Response, address: httpx2.URL, max_bytes: int) -> Answer:
    """The answer to a write; errors as `Http.post` says."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    status, name = response.status_code, shown(str(address))
    if 200 <= status < 300:
        body = b"" if status == 204 else _body(response, headers, address, max_bytes)
        return Answer(status=status, headers=headers, body=body, url=name)
    refusal = _refusal(status, headers, name)
    if isinstance(refusal, RateLimited | Unauthorized):
        raise refusal
    if isinstance(refusal, Unavailable):
        raise Unclear(f"{name} answered {status} after everything was sent")
    raise Rejected(f"{name} answered {status}{_why(response, headers, address)}")


def _why(response: httpx2.Response, headers: Mapping[str, str], address: httpx2.URL) -> str:
    """What a refusal says of itself, as ": words"; empty where it says nothing that people can read."""
    with suppress(httpx2.TransportError, Rejected, zlib.error, ValueError):
        said = json.loads(_body(response, headers, address, 65_536))
        words = next((said[key] for key in ("message", "error_description", "error") if said.get(key)), "")
        return f": {' '.join(str(words).split())[:200]}" if words else ""
    return ""


def _refusal(status: int, headers: Mapping[str, str], name: str) -> AdapterError:
    """The error that a status means."""
    wait = retry_after(headers, datetime.now(UTC))
    if status == 429 and wait is None:
        wait = until_reset(headers, datetime.now(UTC))
    if status == 429 or (status == 503 and wait is not None):
        return RateLimited(f"{name} asks us to slow down ({status})", retry_after=wait)
    if status == 403 and headers.get("cf-mitigated") == "challenge":
        return Unauthorized(f"{name} shows a browser check (403) that no program passes: ask its owner for access")
    if status in (401, 403):
        return Unauthorized(f"{name} refused us ({status}): check the credential and the permission")
    if status >= 500 or status == 408:
        return Unavailable(f"{name} answered {status}", retry_after=wait)
    return Rejected(f"{name} answered {status}: check the address")


def _body(response: httpx2.Response, headers: Mapping[str, str], address: httpx2.URL, max_bytes: int) -> bytes:
    """Decode while reading, so that neither a small bomb nor an endless stream outgrows the limit."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        # Two codings at once are how a few kilobytes become terabytes; nobody sends them in earnest.
        raise Rejected(f"{shown(str(address))} is packed in a way we did not ask for ({encoding[:40]!r})")
    read = bytearray()
    chunks = response.iter_raw()
    for piece in chunks if encoding in ("", "identity") else _unpacked(chunks, encoding == "deflate", max_bytes):
        read += piece
        if len(read) > max_bytes:
            raise Rejected(f"{shown(str(address))} is larger than {max_bytes:,} bytes")
    return bytes(read)


def _unpacked(chunks: Iterable[bytes], deflate: bool, max_bytes: int) -> Iterator[bytes]:
    """Unpack gzip or deflate, never more than one byte above the limit at once; raises zlib.error."""
    packed = zlib.decompressobj(-zlib.MAX_WBITS if deflate else zlib.MAX_WBITS | 16)
    first = True
    for chunk in chunks:
        if first and deflate and chunk[:1] in (b"\x78", b"\x58", b"\x38"):
            packed = zlib.decompressobj()  # "deflate" with a zlib header, as the standard has it and few servers do
        first = False
        yield packed.decompress(chunk, max_bytes + 1)
        if packed.eof:
            return
    if not first and not packed.eof:
        raise zlib.error("it ends too early")


@contextmanager
def _said_of_a_write(name: str, seconds: float) -> Iterator[None]:
    """As `_said_plainly`, but whatever goes wrong once there is a connection leaves open what came of the write."""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as exc:
        raise Unavailable(f"{name} cannot be reached: {exc}") from None
    except httpx2.TimeoutException:
        raise Unclear(f"{name} did not answer within {seconds:g} s after it was asked") from None
    except (httpx2.TransportError, zlib.error, UnicodeError) as exc:
        raise Unclear(f"{name} broke off before it had answered ({type(exc).__name__})") from None
    except (httpx2.InvalidURL, ValueError):
        raise Rejected(f"{name} cannot be asked: the address or a header holds a forbidden character") from None


@contextmanager
def _said_plainly(address: httpx2.URL, seconds: float) -> Iterator[None]:
    """Turn the library's errors into ours; the cause is dropped, since its text may hold the address."""
    name = shown(str(address))
    try:
        yield
    except httpx2.TimeoutException:
        raise Unavailable(f"{name} took longer than {seconds:g} s") from None
    except httpx2.ConnectError as exc:
        raise Unavailable(f"{name} cannot be reached: {exc}") from None
    except (httpx2.TransportError, zlib.error, UnicodeError) as exc:
        raise Unavailable(f"{name} broke off or sent a broken answer ({type(exc).__name__})") from None
    except (httpx2.InvalidURL, ValueError):
        raise Rejected(f"{name} cannot be asked: the address or a header holds a forbidden character") from None
