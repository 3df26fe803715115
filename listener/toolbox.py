"""What adapters are given: clients and guards as the settings have them, one set for places and one for channels.

Made by `app.py` and by `listener check`, which close it. A reload changes where the next connections may go.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from listener.core.tools import Clock, Tools
from listener.http import WEB_PORTS, AddressGuard, Client
from listener.settings import Settings
from listener.telemetry import get_logger


class Toolbox:
    """Makes `Tools`; places and channels have each their own switch, and kinds of places their own ports."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Open nothing yet.

        Args:
            settings: say where connections may go.
            clock: given to the adapters.
        """
        self._clock = clock
        self._places: dict[frozenset[int], AddressGuard] = {}
        # Whoever writes a channel writes its port, and its redirects are not followed: no list of ports is needed.
        self._channels = AddressGuard(switch="allow_private_notifiers", ports=None, witness=_not_reached)
        self._clients = {self._channels: Client(guard=self._channels)}
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Let the next connections go by these settings."""
        self._general = settings.listener
        for own, guard in self._places.items():
            self._govern(guard, own)
        self._channels.allow_private = self._general.allow_private_notifiers

    def for_places(self, ports: Collection[int] = WEB_PORTS) -> Tools:
        """What a source or a scorer is given, but for the secret, which the registry puts in.

        Args:
            ports: where its kind of place is asked, unless the operator named ports.
        """
        own = frozenset(ports)
        if own not in self._places:
            guard = self._places[own] = AddressGuard(switch="allow_private_sources", witness=_not_reached)
            self._clients[guard] = Client(guard=guard)
            self._govern(guard, own)
        return self._tools(self._places[own])

    def _govern(self, guard: AddressGuard, own: frozenset[int]) -> None:
        written = self._general.source_ports
        guard.allow_private, guard.ports = self._general.allow_private_sources, own if written is None else written

    def for_channels(self) -> Tools:
        """What a channel is given, but for the secret."""
        return self._tools(self._channels)

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _tools(self, guard: AddressGuard) -> Tools:
        session = partial(_session, guard)
        return Tools(http=self._clients[guard], clock=self._clock, session=session, guard=guard)


def _session(guard: AddressGuard) -> Any:
    from listener.http.session import guarded_session  # `requests` is loaded only where an adapter wants it

    return guarded_session(guard)


def _not_reached(host: str, port: int, address: str, why: str) -> None:
    get_logger().warning("not_reached", host=host, port=port, address=address, why=why)
