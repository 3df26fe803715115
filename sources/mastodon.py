"""Hears hashtags and mentions of an account on one Mastodon instance, and answers in that account's name.

Credentials: an access token (read:accounts, read:statuses, read:notifications, write:statuses); hashtags alone need
none where the instance shows them to everybody. Limits: 300 requests in 5 minutes; one a timeline and 40 posts. Its
streams ring for polls.
Cursor: the newest id of each timeline, and how far a walk under way has got (`sources._mastodonwalk`).
Cannot: see private posts (it leaves them out), boosts, deletions, or edits of posts older than the overlap.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from listener.core.errors import Rejected, Unauthorized
from listener.core.mention import Post
from listener.core.protocols import Budget, Capabilities, Stop
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, Posted, ReplyLimits, digest
from listener.core.tools import Tools
from sources._mastodonask import COUNT, USUAL, Asker, posted
from sources._mastodonposts import by, id_of, is_public, moment, opening, post_of
from sources._mastodonwalk import unpack

REQUESTS = 25
"""Most pages of one poll: a twelfth of what an instance allows in five minutes."""
STREAMS = 5
"""Most streams of one place; further tags are heard by polling."""
BEARABLE = timedelta(seconds=3)
"""Between two polls that rings cause, for each timeline: a third of what an instance allows in five minutes."""
BEFORE = timedelta(minutes=1)
"""An answer that was written earlier than this before its approval is another one."""
_HALF = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class MastodonOptions:
    """Where to listen on an instance.

    Args:
        instance: its address.
        tags: hashtags, with or without `#`.
        notifications: whether mentions of our own account are read.
        overlap: how far before its newest post a timeline is read again, for what comes late.
        reply_limit: longest reply in characters; None: what the instance says.
        stream: whether the instance shall tell at once of what comes, so that it is polled at once.
    """

    instance: str
    tags: tuple[str, ...] = ()
    notifications: bool = False
    overlap: timedelta = timedelta(hours=1)
    reply_limit: int | None = None
    stream: bool = True

    def __post_init__(self) -> None:
        """Refuse what can never work: ValueError."""
        if not self.instance.startswith(("https://", "http://")) or not urlsplit(self.instance).hostname:
            raise ValueError("`instance`: write the address as https://host")
        if not self.names():
            raise ValueError("nothing to listen to: give `tags`, or `notifications = true`")

    def names(self) -> tuple[str, ...]:
        """The timelines, named as in the cursor."""
        tags = tuple(dict.fromkeys(f"#{tag.strip().lstrip('#').casefold()}" for tag in self.tags if tag.strip("# ")))
        return (*tags, "@") if self.notifications else tags


class Mastodon:
    """Some hashtags and one account of one instance; a `Replier` where there is a token, and `Listens`."""

    name: ClassVar[str] = "mastodon"
    Options: ClassVar[type[Any]] = MastodonOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="the newest 40 posts of each timeline at the first poll, then everything, the last hour again",
        latency="seconds where the instance has streams, else one poll; and what posts take between instances",
        reply=True,
        reply_limit=500,
        edits=True,
        engagement=True,
    )

    def __init__(self, options: MastodonOptions, tools: Tools) -> None:
        """Keep the options; nothing is asked yet."""
        self._options = options
        self._secret = bool(tools.secret)
        self._ask = Asker(options.instance, tools)

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read each timeline on from where it stands; errors as `Source.poll`."""
        end = time.monotonic() + budget.seconds
        self._introduce(budget.seconds)
        names, walk = self._options.names(), unpack(cursor, self._ask.host)
        posts: dict[str, Post] = {}
        rejected: list[str] = []
        for request in range(REQUESTS):
            name, room = walk.next(names), budget.posts - len(posts)
            if name is None:
                return Page(posts=tuple(posts.values()), cursor=walk.rested(names).cursor(), rejected=tuple(rejected))
            if room <= 0 or (request and time.monotonic() >= end):
                break
            since = walk.since(name, self._options.overlap)
            entries, full = self._ask.timeline(name, since, min(COUNT, room), end - time.monotonic())
            known = [(id_, entry) for entry in entries if (id_ := id_of(entry.get("id")))]
            rejected += ["an entry without an id"] * (len(entries) - len(known))
            # Oldest first: what does not fit any more is the newest, where the next call goes on.
            taken = known[::-1][:room]
            for _, entry in taken:
                post = self._post(entry.get("status") if name == "@" else entry)
                posts |= {post.external_id: post} if post else {}
            walk = walk.went(name, since, [id_ for id_, _ in taken], more=full or len(taken) < len(known))
        return Page(posts=tuple(posts.values()), cursor=walk.cursor(), more=True, rejected=tuple(rejected))

    @property
    def pause(self) -> timedelta:
        """See `listener.Listens.pause`."""
        return BEARABLE * len(self._options.names())

    def streams(self) -> Sequence[str]:
        """See `listener.Listens.streams`: mentions first, for they cannot be left to chance."""
        return self._options.names()[::-1][:STREAMS] if self._options.stream else ()

    def listen(self, stream: str, stop: Stop) -> Iterator[None]:
        """See `listener.Listens.listen`; instances give streams to accounts alone."""
        if not self._secret:
            raise Unauthorized("streams need a credential: give the place an access token")
        yield from self._ask.listen(stream, stop)

    def can_reply(self, post: Post) -> str | None:
        """See `listener.Replier.can_reply`."""
        if (post.source, post.realm) != (self.name, self._ask.host):
            return f"it was not read from {self._ask.host}, where this place answers"
        if not self._secret:
            return "its place has no credential: give it an access token that may write statuses"
        own = self._ask.known
        if own is not None and post.author.handle.casefold() == own.handle.casefold():
            return "it is our own account's"
        return None

    def limits(self, post: Post) -> ReplyLimits:
        """See `listener.Replier.limits`."""
        told = self._ask.told or USUAL
        limit = self._options.reply_limit or told.limit
        return ReplyLimits(limit=limit, link_length=told.link_length, opening=opening(post))

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """See `listener.Replier.reply`; the post is read first, for an answer to one that is gone stands nowhere."""
        if (why := self.can_reply(post)) is not None:
            raise Rejected(why)
        if digest(approved.text) != approved.digest:
            raise Rejected("these are not the words that were approved")
        if _HALF.search(approved.text):
            raise Rejected("the text holds half a character, which no instance takes: write it anew")
        visibility = self._ask.visibility(post.external_id)
        said = {"status": approved.text, "in_reply_to_id": post.external_id, "visibility": visibility}
        return self._ask.publish(said, key)

    def find(self, post: Post, approved: Approval, key: str) -> Posted | None:
        """See `listener.Replier.find`: looks for our account's own words among the answers to the post."""
        own = self._ask.account()
        answers, ahead = self._ask.answers(post.external_id)
        # Their clock may differ from ours, by which the approval was dated.
        earliest = approved.at + ahead - BEFORE
        for status in answers:
            to, written = id_of(status.get("in_reply_to_id")), moment(status.get("created_at"))
            if by(status) != own.id or to != post.external_id or written is None or written < earliest:
                continue
            if id_of(status.get("id")) and self._ask.says(status, approved.text):
                return posted(status)
        return None

    def _post(self, status: object) -> Post | None:
        """A status that is taken in; None for private ones, boosts, our own, and what is gone."""
        if not isinstance(status, dict) or not id_of(status.get("id")) or not is_public(status):
            return None
        if self._ask.known is not None and by(status) == self._ask.known.id:
            return None
        return post_of(status, self._ask.host)

    def _introduce(self, seconds: float) -> None:
        """Learn who we are; mentions need a token."""
        if self._secret:
            self._ask.introduce(seconds)
        elif self._options.notifications:
            raise Unauthorized(f"{self._ask.host} tells mentions to their account alone: give the place a credential")
