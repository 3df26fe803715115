"""As `poster.py`, on Bluesky: `python tests/poster_bluesky.py DATABASE SERVICE HANDLE PASSWORD NOW POINT`."""

from __future__ import annotations

import sys
from datetime import datetime

from listener.core.tools import Tools
from listener.http import Client
from listener.store import open_store
from listener.testing import FakeClock
from sources.bluesky import Bluesky
from tests.poster import die, run
from tests.servers.bluesky import SKY, sky_options


def main(database: str, service: str, handle: str, password: str, now: str, point: str) -> None:
    """Post what is due, and die at the point; fails where that is not met."""
    clock, http = FakeClock(datetime.fromisoformat(now)), Client(longest=20, allow_private=True)
    source = Bluesky(sky_options(service, handle), Tools(http=http, clock=clock, secret=password))
    if point == "before the request":
        # Signing in is a POST as well; this is the one that carries the answer.
        source._session.procedure = die  # type: ignore[method-assign]
        point = ""
    run(open_store(database), source, SKY, http, clock, point)


if __name__ == "__main__":
    main(*sys.argv[1:])
