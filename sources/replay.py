"""Plays recorded posts again: NDJSON, one object a line with the fields of the noun Post, in order of time.

Credentials and limits: none. For demos and tests: each post keeps the source, realm and id it was recorded with.
Cursor: when the play began, and the byte offset reached. The same id later in the file with other words is an edit.
Cannot: play a file that changes meanwhile (a replaced one starts anew).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

from listener.core.mention import Author, Engagement, Kind, Post
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Tools
from sources import _lines
from sources._cells import KINDS
from sources._dates import moment

VERSION = 1
_COUNTS = ("likes", "replies", "shares")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What to play, and how fast.

    Args:
        path: the file.
        span: the whole file is played over this long from the first poll on; nothing: all at once.
        shift: move the dates so that the last post's is the end of the play, that is now.
    """

    path: Path
    span: timedelta = timedelta(0)
    shift: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The cursor, unpacked; moments are seconds since 1970.

    Args:
        began: when the play began.
        first, last: dates of the file's earliest and latest post.
        passed: latest date so far, which an undated post is played with.
        offset, number, head: bytes and lines played, and a digest of the file's beginning.
    """

    began: float
    first: float = 0.0
    last: float = 0.0
    passed: float = 0.0
    offset: int = 0
    number: int = 0
    head: str = ""

    def cursor(self) -> Cursor:
        return Cursor(json.dumps({"v": VERSION, **asdict(self)}, sort_keys=True))

    def release(self, dated: float, span: float) -> float:
        """When a post of that date is played."""
        length = self.last - self.first
        return self.began + (span * (dated - self.first) / length if length > 0 else 0.0)


class Replay:
    """A recording that is played as a place."""

    name: ClassVar[str] = "replay"
    Options: ClassVar[type[Any]] = ReplayOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="the whole file", latency="as played", edits=True, engagement=True
    )

    def __init__(self, options: ReplayOptions, tools: Tools) -> None:
        """Keep the options; the file is not opened yet."""
        self._options = options
        self._path = Path(options.path)
        self._tools = tools

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Play what is due; errors as `Source.poll`."""
        now = self._tools.clock().timestamp()
        with _lines.open_file(self._path) as file:
            try:
                state = _unpack(cursor)
                if state is None or not _lines.same(file, state.offset, state.head):
                    state = _scanned(file, now, dates=self._options.shift or bool(self._options.span))
                return self._play(file, state, now, budget)
            except OSError as exc:
                raise _lines.error(exc, self._path) from None

    def _play(self, file: BinaryIO, state: _State, now: float, budget: Budget) -> Page:
        """The posts from the offset on whose moment has come."""
        span = self._options.span.total_seconds()
        posts: dict[tuple[str, str, str], Post] = {}
        rejected: list[str] = []
        more = False
        offset, number, passed = state.offset, state.number, state.passed
        for line in _lines.lines(file, offset, number):
            if len(posts) + len(rejected) >= budget.posts:
                more = True
                break
            post = None
            try:
                post = _post(_lines.json_object(line)) if line.data != b"" else None
            except ValueError as exc:
                rejected.append(f"row {line.number}: {exc}")
            if post is not None:
                dated = max(passed, post.published_at.timestamp()) if post.published_at else passed
                if span and state.release(dated, span) > now:
                    break
                identity = (post.source, post.realm, post.external_id)
                if identity in posts:
                    more = True  # an edit: it must come after the state that it changes
                    break
                posts[identity] = self._shifted(post, state, span)
                passed = dated
            offset, number = line.end, line.number
        state = replace(state, offset=offset, number=number, passed=passed, head=_lines.head(file, offset))
        return Page(posts=tuple(posts.values()), cursor=state.cursor(), more=more, rejected=tuple(rejected))

    def _shifted(self, post: Post, state: _State, span: float) -> Post:
        """The post with its date moved along, but never to later than the moment it is played."""
        if not self._options.shift or post.published_at is None:
            return post
        dated = post.published_at.timestamp()
        moved = min(dated + state.began + span - state.last, state.release(dated, span) if span else state.began)
        return replace(post, published_at=datetime.fromtimestamp(moved, UTC))


def _post(raw: Mapping[str, object]) -> Post:
    """One line as a post; raises ValueError where it is none."""
    author, reacted = _object(raw, "author"), _object(raw, "engagement")
    kind, rating, url = raw.get("kind") or "post", raw.get("rating"), _text(author, "url")
    followers = found if isinstance(found := author.get("followers"), int) else None
    if kind not in KINDS:
        raise ValueError(f"{str(kind)[:40]!r} is no kind of post")
    if not (external_id := _text(raw, "external_id")):
        raise ValueError("it has no external_id")
    if not raw.get("text") and not raw.get("title") and rating is None:
        raise ValueError("it has no text")
    return Post(
        source=_text(raw, "source") or "replay",
        realm=_text(raw, "realm"),
        external_id=external_id,
        kind=cast("Kind", kind),
        url=_text(raw, "url") or None,
        author=Author(handle=_text(author, "handle"), name=_text(author, "name"), url=url or None, followers=followers),
        title=_text(raw, "title"),
        text=_text(raw, "text"),
        published_at=moment(_text(raw, "published_at")),
        rating=float(rating) if isinstance(rating, (int, float)) and 0 <= rating <= 1 else None,
        in_reply_to=_text(raw, "in_reply_to") or None,
        root=_text(raw, "root") or None,
        engagement=Engagement(**{name: n for name in _COUNTS if isinstance(n := reacted.get(name), int)}),
    )


def _text(raw: Mapping[str, object], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""


def _object(raw: Mapping[str, object], key: str) -> dict[str, object]:
    return value if isinstance(value := raw.get(key), dict) else {}


def _scanned(file: BinaryIO, now: float, *, dates: bool) -> _State:
    """The state at the beginning; the dates of the whole file are looked through where the play needs them."""
    if not dates:
        return _State(began=now)
    found: list[float] = []
    for line in _lines.lines(file, 0, 0):
        try:
            dated = moment(str(_lines.json_object(line).get("published_at") or ""))
        except ValueError:
            continue  # the play itself tells of broken lines
        if dated is not None:
            found = [min([*found, dated.timestamp()]), max([*found, dated.timestamp()])]
    first, last = (found[0], found[-1]) if found else (now, now)
    return _State(began=now, first=first, last=last, passed=first)


def _unpack(cursor: Cursor | None) -> _State | None:
    """The state in a cursor; None for none or for one we cannot read."""
    try:
        told: dict[str, Any] = json.loads(cursor or "null")
        if told.pop("v") != VERSION:
            return None
        state = _State(**told)
        _ = state.began + state.first + state.last + state.passed + state.offset + state.number
        return state
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
