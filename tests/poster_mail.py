"""As `poster.py`, by mail: `main` runs in a process that is forked from one which has imported this already."""

from __future__ import annotations

import json
from datetime import datetime

import sources.imap
from listener.core.tools import Tools
from listener.http import AddressGuard, Client
from listener.store import open_store
from listener.testing import FakeClock
from sources.imap import Mailbox, MailboxOptions
from tests.poster import die, run
from tests.servers.dovecot import MAILBOX, PASSWORD


def main(database: str, options: str, now: str, point: str) -> None:
    """Post what is due, and die at the point; fails where that is not met.

    Args:
        database: its path.
        options: of the mailbox, as JSON.
        now: what the clock says.
        point: where it ends.
    """
    clock, guard = FakeClock(datetime.fromisoformat(now)), AddressGuard(allow_private=True)
    tools = Tools(http=None, clock=clock, secret=PASSWORD, guard=guard)
    source = Mailbox(MailboxOptions(**json.loads(options)), tools)
    if point == "before the connection":
        sources.imap.deliver = die
    elif point == "before the copy is kept":
        source._keep = die  # type: ignore[method-assign]
    run(open_store(database), source, MAILBOX, Client(guard=guard), clock, point)
