"""Hears who speaks to one Bluesky account and who speaks of its brand, and answers in that account's name.

Credentials: the account's handle and an app password. Limits: 3,000 requests in 5 minutes; one a track and 100 posts.
Cursor: newest moment seen, last sweep, and a walk that a budget stopped half-way (`sources._blueskywalk`).
An answer gets a record key of our own, the same for every try, so it cannot stand there twice and can be looked for.
Cannot: read the whole network (its search leaves gaps), notice deletions, answer where the author admits no answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from listener.core.errors import RateLimited, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.mention import Post
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, Posted, ReplyLimits
from listener.core.tools import Tools
from sources import _blueskypost as posts_
from sources._atproto import Session
from sources._blueskywalk import MENTIONS, Walk, named_tracks, unpack

LONGEST = 300
"""Characters of a post. Bluesky counts graphemes, of which a text never has more than code points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueskyOptions:
    """Which account, and what it listens to.

    Args:
        handle: the account, as in "shop.example".
        service: address of the account's data server.
        search: words and phrases to search for; none: the terms of the queries that listen here, or nothing where
            the place itself is a brand's.
        notifications: whether mentions, answers and quotes of the account are read.
    """

    handle: str
    service: str = "https://bsky.social"
    search: tuple[str, ...] = ()
    notifications: bool = True

    def __post_init__(self) -> None:
        """Refuse what can never work: ValueError."""
        if not re.fullmatch(r"@?[\w-]+(\.[\w-]+)+|did:[\w.:%-]+", self.handle.strip()):
            raise ValueError("`handle`: write the account as in shop.example, without spaces")
        if not self.service.startswith(("https://", "http://")) or not urlsplit(self.service).hostname:
            raise ValueError("`service`: write the address as https://host")


class Bluesky:
    """What concerns one account: who speaks to it, and what a search finds; a `Replier` in its name."""

    name: ClassVar[str] = "bluesky"
    Options: ClassVar[type[Any]] = BlueskyOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="48 hours at the first poll and once a day, else since the last poll and 10 minutes more",
        latency="seconds",
        reply=True,
        reply_limit=LONGEST,
        engagement=True,
    )

    def __init__(self, options: BlueskyOptions, tools: Tools) -> None:
        """Keep the options; nothing is asked yet."""
        self._options = options
        self._tools = tools
        self._session = Session(options.service, options.handle, tools)

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Walk through every track back to the floor, or as far as the budget goes; errors as `Source.poll`."""
        words = () if place.brand is not None else tuple(term for query in needs for term in query.terms)
        tracks = named_tracks(self._options.notifications, self._options.search or words)
        if not tracks:
            return Page(cursor=cursor)
        end = time.monotonic() + budget.seconds
        now = int(self._tools.clock().timestamp() * 1000)
        walk = unpack(cursor).begun(tracks, now)
        count = max(1, min(100, budget.posts * 2 // 3))
        posts: dict[str, Post] = {}
        gaps: list[str] = []
        rejected: list[str] = []
        requests = 0
        while walk.track < len(tracks):
            # Asked for a kind of notification, a server may send half as many again.
            spent = len(posts) + count * 3 // 2 > budget.posts or time.monotonic() >= end
            if requests and (spent or self._session.pause):
                return self._page(posts, walk, gaps, rejected, more=not self._session.pause)
            requests += 1
            walk, entries, token = self._entries(walk, count, max(end - time.monotonic(), 1.0))
            rejected += self._kept(entries, tracks[walk.track], posts)
            moments = [moment for entry in entries if (moment := posts_.moment(entry)) is not None]
            walk, gap = walk.next(moments, token, now)
            gaps += [gap] if gap else []
        return self._page(posts, walk.ended(), gaps, rejected, more=False)

    def can_reply(self, post: Post) -> str | None:
        """See `listener.Replier.can_reply`."""
        if not self._tools.secret:
            return "no app password is configured: name it as the `credential` of this place"
        return None if posts_.parts(post.external_id) else "it is no post on Bluesky"

    def limits(self, post: Post) -> ReplyLimits:
        """See `listener.Replier.limits`: an answer notifies by itself, so it needs no opening."""
        return ReplyLimits(limit=LONGEST)

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """Answer under the post; errors as `listener.Replier.reply`."""
        if (stands := self.find(post, approved, key)) is not None:
            return stands
        record = posts_.answer(approved, self._above(post))
        where = self._where(approved, key)
        told = self._session.procedure("com.atproto.repo.createRecord", {**where, "record": record})
        posted = self._posted(where["rkey"])
        if told.get("uri") != posted.external_id:
            raise Unclear(f"{self._options.service} took the answer and does not call it {posted.external_id}")
        return posted

    def find(self, post: Post, approved: Approval, key: str) -> Posted | None:
        """Look for the answer in our own records, which tell for sure; errors as `listener.Replier.find`."""
        where = self._where(approved, key)
        try:
            self._session.query("com.atproto.repo.getRecord", where)
        except Rejected as exc:
            if isinstance(exc, Unauthorized):
                raise
            return None  # the session stands, so what was refused is the key
        return self._posted(where["rkey"])

    def _where(self, approved: Approval, key: str) -> dict[str, str]:
        """The answer's place in our own repository."""
        rkey = posts_.record_key(approved, key)
        return {"repo": self._session.account().did, "collection": posts_.COLLECTION, "rkey": rkey}

    def _posted(self, rkey: str) -> Posted:
        us = self._session.account()
        return posts_.posted(us.did, us.handle, rkey)

    def _above(self, post: Post) -> Mapping[str, Any]:
        """The post to answer as it stands now: an answer names its very state, and its author may admit none."""
        told = self._session.query("app.bsky.feed.getPosts", {"uris": (post.external_id,)})
        found = told.get("posts")
        above = found[0] if isinstance(found, list) and found else None
        if above is None:
            raise Rejected("the post is gone: its author deleted it, or we may not see it")
        if not (isinstance(above, dict) and isinstance(above.get("cid"), str) and above.get("uri") == post.external_id):
            raise Unavailable(f"{self._options.service} showed another post than was asked for")
        if (why := posts_.closed(above)) is not None:
            raise Rejected(why)
        return above

    def _entries(self, walk: Walk, count: int, seconds: float) -> tuple[Walk, list[Mapping[str, Any]], str]:
        """One page of a track, newest first, and the token of the next; from the top where the old token fails."""
        try:
            return walk, *self._asked(walk, count, seconds)
        except (Rejected, Unavailable) as exc:  # a server in two parts answers 502 to a token that it cannot read
            if not walk.token or isinstance(exc, RateLimited | Unauthorized):
                raise
        walk = walk.afresh()
        return walk, *self._asked(walk, count, seconds)

    def _asked(self, walk: Walk, count: int, seconds: float) -> tuple[list[Mapping[str, Any]], str]:
        method, params, entries = walk.question(count)
        told = self._session.query(method, params, deadline=min(20.0, seconds))
        listed, token = told.get(entries), told.get("cursor")
        if not isinstance(listed, list):
            raise Unavailable(f"{self._options.service} answered {method} with something that is no list")
        return [entry if isinstance(entry, dict) else {} for entry in listed], token if isinstance(token, str) else ""

    def _kept(self, entries: Sequence[Mapping[str, Any]], track: str, posts: dict[str, Post]) -> list[str]:
        """Take in what others wrote; gives the reasons of entries that are no posts."""
        broken = []
        own = self._session.account().did
        for entry in entries:
            post = posts_.read(entry)
            if post is None:
                broken.append(f"an entry of {track} that is no post")
            elif post.external_id.split("/")[2] == own or (track != MENTIONS and posts_.members_only(entry)):
                continue
            elif track != MENTIONS or post.external_id not in posts:
                posts[post.external_id] = post  # a search also knows how many people reacted
        return broken

    def _page(self, posts: Mapping[str, Post], walk: Walk, gaps: list[str], rejected: list[str], *, more: bool) -> Page:
        pause = self._session.pause
        return Page(
            posts=tuple(posts.values()),
            cursor=walk.cursor(),
            more=more,
            wait=timedelta(seconds=pause) if pause and not more else None,
            gap="; ".join(gaps) or None,
            rejected=tuple(rejected),
        )
