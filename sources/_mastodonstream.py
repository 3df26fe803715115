"""What comes on Mastodon's streams, and where they are. Pure; called by `sources._mastodonask`.

The format is that of server-sent events: lines `event: name` and `data: json`, an empty line after each event, and
lines that begin with a colon to keep the connection alive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

_NEWS = (b"update", b"status.update")
"""Posts, and edits of posts; `delete` and the rest cannot become mentions."""
_MENTION = re.compile(rb'"type"\s*:\s*"mention"')


def rings(lines: Iterable[bytes]) -> Iterator[None]:
    """Ring at the first line, which says that the stream stands, and at each event that may be a post for us.

    What an event holds is not read: the poll asks for it. Notifications of likes, boosts and followers do not ring.
    """
    event, begun = b"", False
    for line in lines:
        name, _, value = line.partition(b":")
        if name == b"event":
            event = value.strip()
        if not begun or (name == b"data" and _is_news(event, value)):
            begun = True
            yield


def address(told: object, base: str) -> str:
    """Where the streams of an instance are: it may name another host for them; never a less safe one than its own."""
    urls: Any = told
    try:
        said = urlsplit(str(urls["configuration"]["urls"]["streaming"]))
        safe = said.scheme in ("wss", "https")
        if said.hostname and (safe or (said.scheme in ("ws", "http") and base.startswith("http://"))):
            return f"{'https' if safe else 'http'}://{said.netloc}{said.path.rstrip('/')}"
    except (ValueError, LookupError, TypeError):
        pass
    return base


def _is_news(event: bytes, data: bytes) -> bool:
    return event in _NEWS or (event == b"notification" and _MENTION.search(data) is not None)
