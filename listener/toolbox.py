"""What adapters are given: clients and guards as the settings have them, one set for places and one for channels.

Made by `app.py` and by `listener check`, which close it. A reload changes where the next connections may go.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from listener.core.tools import Clock, Tools
from listener.http import AddressGuard, Client
from listener.settings import Settings
from listener.telemetry import get_logger


class Toolbox:
    """Makes `Tools`; places and channels have each their own switch, so each their own guard and client."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Open nothing yet.

        Args:
            settings: say where connections may go.
            clock: given to the adapters.
        """
        self._clock = clock
        self._places = AddressGuard(switch="allow_private_sources", witness=_not_reached)
        # Whoever writes a channel writes its port, and its redirects are not followed: no list of ports is needed.
        self._channels = AddressGuard(switch="allow_private_notifiers", ports=None, witness=_not_reached)
        self._clients = {guard: Client(guard=guard) for guard in (self._places, self._channels)}
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Let the next connections go by these settings."""
        general = settings.listener
        self._places.allow_private, self._places.ports = general.allow_private_sources, general.source_ports
        self._channels.allow_private = general.allow_private_notifiers

    def for_places(self) -> Tools:
        """What a source or a scorer is given, but for the secret, which the registry puts in."""
        return self._tools(self._places)

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
