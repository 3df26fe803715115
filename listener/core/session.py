"""A browser that is signed in, as its owner sees it in the list of their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in.

    Args:
        digest: of the cookie's secret; the secret itself is kept nowhere.
        colleague: row id of who signed in.
        browser: what the browser called itself, cut to a line; anything may stand there.
        created_at: when they signed in.
        seen_at: when the browser last asked for something, to the minute.
    """

    digest: str
    colleague: int
    browser: str
    created_at: datetime
    seen_at: datetime
