"""A stranger's package: a paging source, a scorer that looks words up, and a channel that swallows everything.

Tests put this folder on the path of a real daemon; its adapters come in by entry point, as any stranger's do. The
scorer dies in native code on one word, as a broken model would.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from listener import (
    Author,
    Budget,
    Capabilities,
    Cursor,
    Message,
    Page,
    Place,
    Post,
    Probabilities,
    Query,
    Tools,
    Verdict,
    unreadable,
)

DEADLY = "segfault"
WORDS = {"broken": (0.95, 0.04, 0.01), "love": (0.02, 0.03, 0.95)}


class Pages:
    """Pages that overlap: each answer also holds what came shortly before the cursor."""

    name: ClassVar[str] = "pages"
    capabilities: ClassVar[Capabilities] = Capabilities(window="everything", latency="none")

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        """Where the server is."""

        url: str

    def __init__(self, options: Options, tools: Tools) -> None:
        self._url, self._http = options.url, tools.http

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Ask for what comes after the cursor."""
        del place, needs, budget
        assert self._http is not None
        answer = json.loads(self._http.get(self._url, params={"after": cursor or "0"}).body)
        posts = tuple(_post(item) for item in answer["items"])
        return Page(posts=posts, cursor=Cursor(str(answer["next"])), more=answer["more"])


def _post(item: dict[str, Any]) -> Post:
    published = datetime.fromisoformat(item["published"]) if item.get("published") else None
    return Post(
        source="pages", realm="test", external_id=item["id"], text=item["text"], published_at=published,
        author=Author(handle=item["author"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    """Nothing to choose."""


class Table:
    """Verdicts from a table of words."""

    Options: ClassVar[type[Any]] = NoOptions

    def __init__(self, options: NoOptions, tools: Tools) -> None:
        del options, tools

    @property
    def name(self) -> str:
        """Name and revision."""
        return "table@1"

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Look each text up."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Verdict:
        if DEADLY in text:
            ctypes.string_at(0)
        if not text.strip():
            return unreadable(self.name)
        found = next((chances for word, chances in WORDS.items() if word in text), (0.05, 0.9, 0.05))
        probabilities = Probabilities(negative=found[0], neutral=found[1], positive=found[2])
        return Verdict(
            probabilities=probabilities, label=probabilities.label, confidence=probabilities.confidence,
            certainty="confident", scorer=self.name,
        )  # fmt: skip


class Null:
    """Accepts every message and forgets it."""

    name: ClassVar[str] = "null"
    Options: ClassVar[type[Any]] = NoOptions
    needs_url: ClassVar[bool] = False

    def __init__(self, options: NoOptions, tools: Tools) -> None:
        del options, tools

    @property
    def pause(self) -> timedelta:
        """It bears anything."""
        return timedelta()

    def send(self, message: Message) -> None:
        """Accept it."""
