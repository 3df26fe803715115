"""Hears what a feed publishes: RSS, Atom, RDF and JSON Feed.

Credentials: none needed; a secret "user:password" is sent as HTTP Basic, any other as a bearer token.
Limits: one request a poll, conditional (ETag, Last-Modified); the pause the feed or its server asks for is obeyed.
Cursor: validators and digest of the last body, counted permanent redirects (`sources._feedstate`).
Cannot: see entries that left the feed between two polls, notice deletions, tell authors of equal name apart.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.mention import Author, Engagement, Kind, Post
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Answer, Tools
from listener.http import shown
from sources import _feedids, _feedstate, _parse
from sources._feedstate import State
from sources._parse import Entry, Parsed, ParseError

ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """How to read a feed.

    Args:
        url: address of the feed itself, not of the page it belongs to.
        kind: what its entries are: article, post, comment or review.
        max_bytes: a larger feed is refused.
        deadline: seconds for one request, redirects included.
    """

    url: str
    kind: Kind = "article"
    max_bytes: int = 5_000_000
    deadline: float = 20.0


class Feed:
    """One feed."""

    name: ClassVar[str] = "feed"
    Options: ClassVar[type[Any]] = FeedOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="the entries the feed still shows, often the newest 10 to 50",
        latency="one poll, or the pause that the feed asks for",
        edits=True,
    )

    def __init__(self, options: FeedOptions, tools: Tools) -> None:
        """Keep the options; nothing is asked yet."""
        self._options = options
        self._tools = tools
        self._realm = _realm(options.url)
        self._held: tuple[str, Parsed, Answer] | None = None

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read the feed; errors as `Source.poll`."""
        state = _feedstate.unpack(cursor, self._realm, needs)
        if state.taken and self._held and self._held[0] == state.body:
            _, parsed, answer = self._held
            return self._page(parsed, answer, state, budget)
        answer, state = self._ask(state, budget.seconds)
        pause = _feedstate.pause(answer, state.ttl, self._tools.clock())
        if answer.status == 304:
            return Page(cursor=state.merged(answer.headers).cursor(), wait=pause)
        if not answer.body.strip():
            # Silence of this kind is no news about the feed: the old validators stay, so the next poll looks again.
            return Page(cursor=cursor and state.cursor(), wait=pause)
        body = _feedstate.digest(answer.body)
        if body == state.body and not state.taken:
            return Page(cursor=state.read(answer.headers, self._tools.clock()).cursor(), wait=pause)
        parsed = _parsed(answer, self._realm, known=cursor is not None)
        self._held = (body, parsed, answer)
        taken = state.taken if body == state.body else 0
        return self._page(parsed, answer, replace(state, body=body, ttl=parsed.ttl, taken=taken), budget)

    def _ask(self, state: State, seconds: float) -> tuple[Answer, State]:
        """Ask for the feed, at its new address where it moved; the state then counts the redirect, if any."""
        url = self._options.url
        if state.address:
            try:
                answer = self._get(state.address, state, seconds)
            except Rejected:
                answer = None
            if answer is not None and answer.status != 410:
                return answer, state
        answer = self._get(url, state, seconds)
        if answer.status == 410:
            raise Rejected(f"{shown(url)} is gone for good (410): remove the place or give its new address")
        return answer, replace(state, address="").followed(answer.moved_to, self._tools.clock())

    def _get(self, url: str, state: State, seconds: float) -> Answer:
        assert self._tools.http is not None
        options = self._options
        headers = {"Accept": ACCEPT, **state.validators(self._tools.clock())}
        # The credential is for the configured host; where the feed moved to may be another's.
        if url == options.url or urlsplit(url)[:2] == urlsplit(options.url)[:2]:
            headers |= _authorization(self._tools.secret)
        deadline = min(options.deadline, seconds)
        return self._tools.http.get(url, headers=headers, max_bytes=options.max_bytes, deadline=deadline)

    def _page(self, parsed: Parsed, answer: Answer, state: State, budget: Budget) -> Page:
        """The next entries of what was read; a long feed is handed over in several pages."""
        end = state.taken + budget.posts
        kind = self._options.kind
        posts = [_post(raw, id_, self._realm, kind) for id_, raw in _feedids.identified(parsed.entries).items()]
        more = end < len(posts)
        if not more:
            self._held = None
        first = state.taken == 0
        after = state.read(answer.headers, self._tools.clock(), end if more else 0)
        return Page(
            posts=tuple(posts[state.taken : end]),
            cursor=after.cursor(),
            more=more,
            wait=None if more else _feedstate.pause(answer, state.ttl, self._tools.clock()),
            gap=f"{parsed.cut} entries above the limit were not read" if parsed.cut and not more else None,
            rejected=parsed.broken if first else (),
        )


def _realm(url: str) -> str:
    """The name space of the ids: the configured address without credentials and fragment."""
    try:
        parts = urlsplit(url.strip())
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
    except ValueError:
        return shown(url)


def _authorization(secret: str | None) -> dict[str, str]:
    if not secret:
        return {}
    if ":" in secret:
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {"Authorization": f"Bearer {secret}"}


def _parsed(answer: Answer, realm: str, *, known: bool) -> Parsed:
    """Read the body; a page that is no feed is Rejected at first and Unavailable at a feed that worked before."""
    # Relative ids are resolved like links: against the configured address they stay the same when the feed moves.
    headers = {"content-location": realm}
    if content_type := answer.headers.get("content-type"):
        headers["content-type"] = content_type
    try:
        parsed = _parse.parse(answer.body, headers)
    except ParseError as exc:
        raise _error(exc, answer.url) from None
    if parsed.version or parsed.entries:
        return parsed
    reason = _no_feed(answer, parsed.problem)
    raise Unavailable(reason) if known else Rejected(reason)


def _no_feed(answer: Answer, problem: str) -> str:
    """Say what came instead of a feed, and what helps."""
    head = answer.body[:200_000].decode("utf-8", "replace")
    if not re.search(r"<(!doctype\s+)?html\b", head, re.IGNORECASE):
        return f"{shown(answer.url)} answered with something that is no feed ({problem or 'unknown format'})"
    title = re.search(r"<title[^>]*>(.{0,200}?)</title", head, re.IGNORECASE | re.DOTALL)
    called = f' called "{" ".join(title[1].split())[:80]}"' if title else ""
    link = re.search(r"<link\b[^>]*application/(?:rss|atom)\+xml[^>]*>", head, re.IGNORECASE)
    there = re.search(r"href\s*=\s*[\"']?([^\"'\s>\[\]]{1,300})", link[0], re.IGNORECASE) if link else None
    hint = "give the address of the feed itself" + (f", perhaps {urljoin(answer.url, there[1])}" if there else "")
    return f"{shown(answer.url)} answered with an HTML page{called} instead of a feed: {hint}"


def _post(raw: Entry, external_id: str, realm: str, kind: Kind) -> Post:
    """One entry as a post."""
    return Post(
        source="feed",
        realm=realm,
        external_id=external_id,
        kind=kind,
        url=raw.link or (raw.id if raw.id.startswith(("http://", "https://")) else None),
        author=Author(handle=raw.author, name=raw.author, url=raw.author_url or None),
        title=raw.title,
        text=raw.text,
        published_at=datetime.fromisoformat(raw.published) if raw.published else None,
        in_reply_to=raw.in_reply_to or None,
        engagement=Engagement(replies=int(raw.replies) if raw.replies.isdecimal() else 0),
    )


def _error(exc: ParseError, url: str) -> AdapterError:
    """What the parser's failure means: the feed may be better next time."""
    return Unavailable(f"{shown(url)} cannot be read: {exc}")
