"""Hears stories and comments on Hacker News through its public search.

Credentials: none. Limits: about 10,000 requests an hour for an address (unofficial); we send one a term and page.
Cursor: newest moment seen, last sweep, and a walk that a budget stopped half-way.
The index is late at times, by a day or more: each poll overlaps the last by 10 minutes, and once a day 48 hours are
read again. Cannot: reply, see deletions, search for "any of these words" in one request.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.mention import Author, Engagement, Post
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Answer, Tools
from listener.http import shown
from sources._hnwalk import Walk, unpack
from sources._text import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class HackerNewsOptions:
    """How to search Hacker News.

    Args:
        base_url: address of the search interface.
        hits: results a request, at most 1,000.
        pages: requests for one term in one poll before the walk is given up with a gap.
    """

    base_url: str = "https://hn.algolia.com/api/v1"
    hits: int = 100
    pages: int = 20


class HackerNews:
    """The search of Hacker News, newest first, walked back to what is known."""

    name: ClassVar[str] = "hackernews"
    Options: ClassVar[type[Any]] = HackerNewsOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="48 hours at the first poll and once a day, else since the last poll and 10 minutes more",
        latency="minutes; in bad times of the index a day",
        edits=True,
        engagement=True,
    )

    def __init__(self, options: HackerNewsOptions, tools: Tools) -> None:
        """Keep the options; nothing is asked yet."""
        self._options = options
        self._tools = tools

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Search for every term back to the floor, or as far as the budget goes; errors as `Source.poll`."""
        terms = _terms(place, needs)
        if not terms:
            return Page(cursor=cursor)
        end = time.monotonic() + budget.seconds
        now = int(self._tools.clock().timestamp())
        walk = unpack(cursor).begun(terms, now, max(1, min(self._options.hits, budget.posts)))
        posts: dict[str, Post] = {}
        gaps: list[str] = []
        rejected: list[str] = []
        requests = 0
        while walk.term < len(terms):
            if requests and (len(posts) + walk.count > budget.posts or time.monotonic() >= end):
                return _page(posts, walk, gaps, rejected, more=True)
            requests += 1
            hits, pages = self._hits(walk, max(end - time.monotonic(), 1.0))
            for hit in hits:
                post = _post(hit)
                if post is None:
                    rejected.append("a search result without an id")
                elif post.text or post.title:
                    posts[post.external_id] = post
            moments = [moment for hit in hits if isinstance(moment := hit.get("created_at_i"), int)]
            walk, gap = walk.next(moments, len(hits), pages, self._options.pages, now)
            gaps += [gap] if gap else []
        return _page(posts, walk.ended(), gaps, rejected, more=False)

    def _hits(self, walk: Walk, seconds: float) -> tuple[list[Mapping[str, Any]], int]:
        """One page of results, newest first, and how many pages the index says there are."""
        assert self._tools.http is not None
        until = f",created_at_i<={walk.until}" if walk.until else ""
        params = {
            "query": walk.terms[walk.term],
            "tags": "(story,comment)",
            "numericFilters": f"created_at_i>{walk.floor}{until}",
            "hitsPerPage": str(walk.count),
            "page": str(walk.page),
        }
        url = f"{self._options.base_url.rstrip('/')}/search_by_date"
        answer = self._tools.http.get(url, params=params, deadline=min(20.0, seconds))
        try:
            told = json.loads(answer.body)
            hits: list[Mapping[str, Any]] = [hit if isinstance(hit, dict) else {} for hit in told["hits"]]
            return hits, int(told.get("nbPages") or 0)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise _error(answer) from None


def _page(posts: Mapping[str, Post], walk: Walk, gaps: list[str], rejected: list[str], *, more: bool) -> Page:
    gap = "; ".join(gaps) or None
    return Page(posts=tuple(posts.values()), cursor=walk.cursor(), more=more, gap=gap, rejected=tuple(rejected))


def _terms(place: Place, needs: Sequence[Query]) -> tuple[str, ...]:
    """What to search for: each word once, phrases in quotes; everything where the place itself is the brand's."""
    if place.brand is not None:
        return ("",)
    words = {" ".join(term.split()).casefold() for query in needs for term in query.terms} - {""}
    return tuple(f'"{word}"' if " " in word else word for word in sorted(words))


def _post(raw: Mapping[str, Any]) -> Post | None:
    """One hit as a post; None without an id."""
    if not raw.get("objectID"):
        return None
    comment = raw.get("comment_text") is not None or "comment" in (raw.get("_tags") or ())
    moment, author = raw.get("created_at_i"), str(raw.get("author") or "")
    return Post(
        source="hackernews",
        external_id=str(raw["objectID"]),
        kind="comment" if comment else "post",
        url=f"https://news.ycombinator.com/item?id={raw['objectID']}",
        author=Author(
            handle=author, name=author, url=f"https://news.ycombinator.com/user?id={author}" if author else None
        ),
        # A comment's story is not part of what the comment says.
        title="" if comment else html.unescape(str(raw.get("title") or "")),
        text=plain(str(raw.get("comment_text" if comment else "story_text") or "")),
        published_at=datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) and 0 < moment < 1 << 33 else None,
        in_reply_to=str(raw["parent_id"]) if raw.get("parent_id") else None,
        root=str(raw["story_id"]) if comment and raw.get("story_id") else None,
        engagement=Engagement(likes=_count(raw.get("points")), replies=_count(raw.get("num_comments"))),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _error(answer: Answer) -> AdapterError:
    """What an answer means that is no search result."""
    if answer.status == 410:
        return Rejected(f"{shown(answer.url)} is gone for good (410): check base_url")
    return Unavailable(f"{shown(answer.url)} answered with something that is no search result")
