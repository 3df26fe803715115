"""A signed-in session with an AT Protocol data server over the polite client; used by `sources.bluesky`.

Sign-ins are scarce (30 in five minutes, 300 a day), so one is made, kept and renewed. A refused query comes without
its words, and a worn-out session is refused like a wrong question: `query` asks whether the session still stands.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from listener.core.errors import AdapterError, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.tools import Answer, Tools
from listener.http import shown
from listener.http.waits import until_reset

RESERVE = 0.02
"""The share of the requests that polling leaves for answers."""

_SIGN_IN = "com.atproto.server.createSession"
_RENEW = "com.atproto.server.refreshSession"
_STANDS = "com.atproto.server.getSession"
_JSON = {"Content-Type": "application/json"}
Params = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a sign-in gave."""

    did: str
    handle: str
    access: str = field(repr=False)
    renewal: str = field(repr=False)


class Session:
    """One account's session; safe to share between threads.

    Args:
        service: address of the account's data server.
        handle: the account.
        tools: the client, and the app password as its secret.
    """

    def __init__(self, service: str, handle: str, tools: Tools) -> None:
        """Keep where to sign in; nothing is asked yet."""
        self._service, self._handle, self._tools = service.rstrip("/"), handle.strip().lstrip("@"), tools
        self._signed: Signed | None = None
        self._lock = threading.Lock()
        self.pause: float | None = None
        """Seconds to leave the server alone, where the last answer said that nearly all requests are used up."""

    def account(self) -> Signed:
        """Who we are there; signs in where nobody has. Errors as `query`."""
        with self._lock:
            self._signed = self._signed or self._sign_in()
            return self._signed

    def query(self, method: str, params: Params, *, deadline: float = 20.0) -> dict[str, Any]:
        """Read; the session is renewed once where it has worn out.

        Raises:
            RateLimited: asked too often.
            Unavailable: not reached, or no answer that can be read.
            Unauthorized: the app password is missing or refused.
            Rejected: the question is refused although the session stands.
        """
        signed = self.account()
        try:
            return self._get(method, params, signed, deadline)
        except Rejected:
            if self._stands(signed):
                raise
        return self._get(method, params, self._renewed(signed), deadline)

    def procedure(self, method: str, body: Mapping[str, Any], *, deadline: float = 30.0) -> dict[str, Any]:
        """Write, once; errors as `query`, Unavailable where nothing was taken, and Unclear where nobody knows."""
        signed = self.account()
        try:
            answer = self._post(method, signed.access, json.dumps(body).encode(), deadline)
        except Rejected:
            if self._stands(signed):
                raise
            self._renewed(signed)
            raise Unavailable(f"the session at {self._service} had just ended: nothing was sent") from None
        try:
            return _object(answer)
        except AdapterError as exc:
            raise Unclear(exc.message) from None

    def _sign_in(self) -> Signed:
        secret = self._tools.secret
        if not secret:
            raise Unauthorized("Bluesky needs an app password: name it as the `credential` of this place")
        body = json.dumps({"identifier": self._handle, "password": secret}).encode()
        try:
            return _signed(_object(self._post(_SIGN_IN, None, body, 20.0)), self._service)
        except Unclear as exc:
            raise Unavailable(exc.message) from None
        except Unauthorized:
            raise Unauthorized(
                f"{shown(self._service)} refused the sign-in of {self._handle}: check `handle` and `service`, or make "
                "a new app password (in the app: Settings, Privacy and security)"
            ) from None
        except Rejected as exc:
            raise Rejected(exc.message.replace(secret, "…")) from None

    def _renewed(self, worn: Signed) -> Signed:
        """A session in place of a worn-out one, unless another thread was faster; errors as `query`."""
        with self._lock:
            if self._signed is not worn and self._signed is not None:
                return self._signed
            try:
                told = _object(self._post(_RENEW, worn.renewal, b"", 20.0))
                self._signed = _signed(told, self._service)
            except Unclear as exc:
                raise Unavailable(exc.message) from None
            except Rejected:
                self._signed = None  # so that a failing sign-in is tried anew and not the old session again
                self._signed = self._sign_in()
            return self._signed

    def _stands(self, signed: Signed) -> bool:
        """Whether the server still takes our session."""
        try:
            self._get(_STANDS, {}, signed, 20.0)
        except Rejected:
            return False
        return True

    def _get(self, method: str, params: Params, signed: Signed, deadline: float) -> dict[str, Any]:
        assert self._tools.http is not None
        url = f"{self._service}/xrpc/{method}" + (f"?{urlencode(params, doseq=True)}" if params else "")
        headers = {"Authorization": f"Bearer {signed.access}"}
        answer = self._tools.http.get(url, headers=headers, deadline=deadline)
        self.pause = _pause(answer, self._tools)
        return _object(answer)

    def _post(self, method: str, token: str | None, body: bytes, deadline: float) -> Answer:
        assert self._tools.http is not None
        headers = (_JSON if body else {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return self._tools.http.post(f"{self._service}/xrpc/{method}", body=body, headers=headers, deadline=deadline)


def _signed(told: Mapping[str, Any], service: str) -> Signed:
    words = [told.get(name) for name in ("did", "handle", "accessJwt", "refreshJwt")]
    did, handle, access, renewal = (word if isinstance(word, str) and word.isascii() else "" for word in words)
    if not (did.startswith("did:") and access and renewal):
        raise Unavailable(f"{shown(service)} answered a sign-in with something that is no session")
    return Signed(did=did, handle=handle, access=access, renewal=renewal)


def _object(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object; raises Unavailable, or Rejected where the place is gone."""
    if answer.status == 410:
        raise Rejected(f"{shown(answer.url)} is gone for good (410): check `service`")
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Unavailable(f"{shown(answer.url)} answered with something that is not Bluesky's")
    return told


def _pause(answer: Answer, tools: Tools) -> float | None:
    """How long to wait where the server's count says that few requests are left."""
    limit, left = (answer.headers.get(f"ratelimit-{name}", "") for name in ("limit", "remaining"))
    if not (limit.isdecimal() and left.isdecimal()) or int(left) >= RESERVE * int(limit):
        return None
    return until_reset(answer.headers, tools.clock())
