"""Resolves a host, judges every address it has, and hands out only those that may be dialled.

Whoever opens a connection asks `AddressGuard.addresses` and dials the very addresses it gives, so that nothing can
change between the check and the connection. Called by `client.py`, `session.py` and adapters (`Tools.guard`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence

from listener.http.addresses import Judge, is_address, plain_host, why_private, why_refused

Resolver = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host, in the order of preference; raises OSError when there are none."""
Witness = Callable[[str, int, str, str], None]
"""Hears of a host and port that were not reached, the address where there is one, and why."""

WEB_PORTS = frozenset({80, 443})
_MOST = 8
"""Addresses that are tried; all of them are judged."""


class NotReached(OSError):
    """A host was not reached; the message does not tell a refused address from a missing name or a closed port."""


def _resolved(host: str, port: int) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _unheard(_host: str, _port: int, _address: str, _why: str) -> None:
    return


class AddressGuard:
    """Lets connections go to the public internet only, unless the operator allowed more.

    Both attributes may be assigned at any time, as a reload does; the next connection goes by them.

    Attributes:
        allow_private: whether everything may be dialled, at any port.
        ports: where we may knock; None allows any.
    """

    def __init__(
        self,
        *,
        switch: str = "allow_private_sources",
        allow_private: bool = False,
        ports: Collection[int] | None = WEB_PORTS,
        resolver: Resolver = _resolved,
        judge: Judge = why_private,
        witness: Witness = _unheard,
    ) -> None:
        """Ask nobody yet.

        Args:
            switch: the setting that allows private addresses, named in messages.
            allow_private: what that setting says; True also allows any port and any spelling.
            ports: where we may knock; None allows any.
            resolver: gives the addresses of a name.
            judge: says of each address why it is not public.
            witness: hears what messages keep back; for the log.
        """
        self.allow_private = allow_private
        self.ports = ports
        self._switch = switch
        self._resolver = resolver
        self._judge = judge
        self._witness = witness

    def refusal(self, host: str, port: int) -> str | None:
        """Why a host may not be dialled, as far as its writing says; None when its addresses decide.

        Args:
            host: a name or an address.
            port: where to knock.
        """
        if self.allow_private:
            return None
        if self.ports is not None and port not in self.ports:
            inside = f"set {self._switch} = true if it lies in your own network"
            asked = ", ".join(map(str, sorted(self.ports)))
            return f"port {port} is not among `source_ports` (here {asked}): write all of them there, or {inside}"
        return None if why_refused(host, self._judge) is None else self._vague()

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses to dial, in order of preference; dial these and nothing else.

        Args:
            host: a name or an address.
            port: where to knock.

        Raises:
            NotReached: the host has no address, or one that may not be dialled.
        """
        refused = self.refusal(host, port)
        if refused is not None:
            self._witness(host, port, "", why_refused(host, self._judge) or refused)
            raise NotReached(refused)
        name = host if self.allow_private else plain_host(host)
        if not self.allow_private and is_address(name):
            return (name,)
        try:
            found = tuple(self._resolver(name, port))
        except (OSError, UnicodeError) as problem:
            raise self.failed(host, port, str(problem)) from None
        if not found:
            raise self.failed(host, port, "it has no address")
        for address in () if self.allow_private else found:
            # One bad answer spoils all: a public host has no reason to have a private address as well.
            why = self._judge(address)
            if why is not None:
                raise self.failed(host, port, why, address)
        return found[:_MOST]

    def failed(self, host: str, port: int, why: str, address: str = "") -> NotReached:
        """The error that says of a connection no more than may be said; the rest goes to the witness.

        Args:
            host: as given.
            port: as given.
            why: what went wrong.
            address: the one that was refused or dialled, if any.
        """
        if self.allow_private:
            return NotReached(why)
        self._witness(host, port, address, why)
        return NotReached(self._vague())

    def _vague(self) -> str:
        """One sentence for all: else whoever may name an address could search our network by it."""
        return f"it is not public or nobody answers; if it lies in your own network, set {self._switch} = true"
