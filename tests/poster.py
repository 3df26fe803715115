"""A process that posts what is due and is killed at a chosen point.

`python tests/poster.py DATABASE URL TOKEN NOW POINT`: what works there, as whom, by which clock, and where it ends.

It ends by SIGKILL, as in a power cut of the process: no handler runs, nothing is rolled back by hand.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from typing import Any

from listener.core.query import Place
from listener.core.tools import Clock, Tools
from listener.http import Client
from listener.pipeline.post import post
from listener.store import Store, open_store
from listener.testing import FakeClock
from sources.mastodon import Mastodon, MastodonOptions
from tests.kit import POSTING, make_rules
from tests.servers.mastodon import TOWN


def die(*_: Any, **__: Any) -> Any:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(database: str, url: str, token: str, now: str, point: str) -> None:
    """Post what is due, and die at the point; fails where that is not met."""
    clock = FakeClock(datetime.fromisoformat(now))
    http = Client(longest=20, allow_private=True)
    source = Mastodon(
        MastodonOptions(instance=url, notifications=True),
        Tools(http=http, clock=clock, secret=token),
    )
    run(open_store(database), source, TOWN, http, clock, point)


def run(store: Store, source: Any, place: Place, http: Client, clock: Clock, point: str) -> None:
    """As `main`, for any source that can answer."""
    reply, change = source.reply, store.replies.change

    def answered(*given: Any) -> Any:
        reply(*given)
        die()

    def storing(state: Any, *given: Any) -> Any:
        return die() if state.state == "posted" else change(state, *given)

    if point == "before the intent":
        source.can_reply = die
    elif point == "after the intent":
        source.reply = die
    elif point == "before the request":
        http.post = die  # type: ignore[method-assign]
    elif point == "before the answer is stored":
        source.reply = answered
    elif point == "while the answer is stored":
        store.replies.change = storing  # type: ignore[method-assign, assignment]
    done = post(store, {place.name: source}, make_rules(places=(place,), posting=POSTING), clock)
    if done and point == "after the answer is stored":
        die()
    sys.exit(f"it was not killed {point}")


if __name__ == "__main__":
    main(*sys.argv[1:])
