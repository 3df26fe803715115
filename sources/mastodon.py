"""Hears hashtags and mentions of an account on one Mastodon instance, and answers in that account's name.

Credentials: an access token (read:accounts, read:statuses, read:notifications, write:statuses); hashtags alone need
none where the instance shows them to everybody. Limits: 300 requests in 5 minutes; one a timeline and 40 posts.
Cursor: the newest id of each timeline, and how far a walk under way has got (`sources._mastodonwalk`).
Cannot: see private posts (it leaves them out), boosts, deletions, or edits of posts older than the overlap.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from listener.core.errors import AdapterError, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.mention import Post
from listener.core.protocols import Budget, Capabilities
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, Posted, ReplyLimits, digest
from listener.core.tools import Answer, Tools
from listener.http import http_date, shown
from sources import _mastodonposts as posts_
from sources._mastodonwalk import unpack

COUNT = 40
"""Posts a request; instances give no more."""
REQUESTS = 25
"""Most requests of one poll: a twelfth of what an instance allows in five minutes."""
BEFORE = timedelta(minutes=1)
"""An answer that was written earlier than this before its approval is another one."""
_HALF = re.compile(r"[\ud800-\udfff]")
_BROKEN = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class MastodonOptions:
    """Where to listen on an instance.

    Args:
        instance: its address.
        tags: hashtags, with or without `#`.
        notifications: whether mentions of our own account are read.
        overlap: how far before its newest post a timeline is read again, for what comes late.
        reply_limit: longest reply in characters; None: what the instance says.
    """

    instance: str
    tags: tuple[str, ...] = ()
    notifications: bool = False
    overlap: timedelta = timedelta(hours=1)
    reply_limit: int | None = None

    def __post_init__(self) -> None:
        """Refuse what can never work: ValueError."""
        if not self.instance.startswith(("https://", "http://")) or not urlsplit(self.instance).hostname:
            raise ValueError("`instance`: write the address as https://host")
        if not self.notifications and not self.names():
            raise ValueError("nothing to listen to: give `tags`, or `notifications = true`")

    def names(self) -> tuple[str, ...]:
        """The timelines, named as in the cursor."""
        tags = tuple(dict.fromkeys(f"#{tag.strip().lstrip('#').casefold()}" for tag in self.tags if tag.strip("# ")))
        return (*tags, "@") if self.notifications else tags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """Our account on the instance: its id and its full handle."""

    id: str
    handle: str


class Mastodon:
    """Some hashtags and one account of one instance; a `Replier` where there is a token."""

    name: ClassVar[str] = "mastodon"
    Options: ClassVar[type[Any]] = MastodonOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        window="the newest 40 posts of each timeline at the first poll, then everything, the last hour again",
        latency="one poll, and the minutes that posts take between instances",
        reply=True,
        reply_limit=500,
        edits=True,
        engagement=True,
    )

    def __init__(self, options: MastodonOptions, tools: Tools) -> None:
        """Keep the options; nothing is asked yet."""
        self._options = options
        self._tools = tools
        self._base = options.instance.rstrip("/")
        self._host = urlsplit(options.instance).netloc.rpartition("@")[2].lower()
        self._own: _Account | None = None
        self._told: ReplyLimits | None = None

    def poll(self, place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget) -> Page:
        """Read each timeline on from where it stands; errors as `Source.poll`."""
        end = time.monotonic() + budget.seconds
        self._introduce(budget.seconds)
        names, walk = self._options.names(), unpack(cursor, self._host)
        posts: dict[str, Post] = {}
        rejected: list[str] = []
        for request in range(REQUESTS):
            name, room = walk.next(names), budget.posts - len(posts)
            if name is None:
                return Page(posts=tuple(posts.values()), cursor=walk.rested(names).cursor(), rejected=tuple(rejected))
            if room <= 0 or (request and time.monotonic() >= end):
                break
            since = walk.since(name, self._options.overlap)
            entries, full = self._timeline(name, since, min(COUNT, room), end - time.monotonic())
            known = [(id_, entry) for entry in entries if (id_ := posts_.id_of(entry.get("id")))]
            rejected += ["an entry without an id"] * (len(entries) - len(known))
            # Oldest first: what does not fit any more is the newest, where the next call goes on.
            taken = known[::-1][:room]
            for _, entry in taken:
                post = self._post(entry.get("status") if name == "@" else entry)
                posts |= {post.external_id: post} if post else {}
            walk = walk.went(name, since, [id_ for id_, _ in taken], more=full or len(taken) < len(known))
        return Page(posts=tuple(posts.values()), cursor=walk.cursor(), more=True, rejected=tuple(rejected))

    def can_reply(self, post: Post) -> str | None:
        """See `listener.Replier.can_reply`."""
        if (post.source, post.realm) != (self.name, self._host):
            return f"it was not read from {self._host}, where this place answers"
        if not self._tools.secret:
            return "its place has no credential: give it an access token that may write statuses"
        if self._own is not None and post.author.handle.casefold() == self._own.handle.casefold():
            return "it is our own account's"
        return None

    def limits(self, post: Post) -> ReplyLimits:
        """See `listener.Replier.limits`."""
        told = self._told or ReplyLimits(limit=self.capabilities.reply_limit, link_length=23)
        limit = self._options.reply_limit or told.limit
        return ReplyLimits(limit=limit, link_length=told.link_length, opening=posts_.opening(post))

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """See `listener.Replier.reply`; the post is read first, for an answer to one that is gone stands nowhere."""
        if (why := self.can_reply(post)) is not None:
            raise Rejected(why)
        if digest(approved.text) != approved.digest:
            raise Rejected("these are not the words that were approved")
        if _HALF.search(approved.text):
            raise Rejected("the text holds half a character, which no instance takes: write it anew")
        said = {"status": approved.text, "in_reply_to_id": post.external_id, "visibility": self._visibility(post)}
        headers = {**self._headers(), "Content-Type": "application/json", "Idempotency-Key": key}
        assert self._tools.http is not None
        answer = self._tools.http.post(f"{self._base}/api/v1/statuses", body=json.dumps(said).encode(), headers=headers)
        try:
            return _posted(json.loads(answer.body))
        except _BROKEN:
            raise Unclear(f"{self._host} took the answer and did not say what it is called") from None

    def find(self, post: Post, approved: Approval, key: str) -> Posted | None:
        """See `listener.Replier.find`: looks for our account's own words among the answers to the post."""
        own = self._account(20)
        answer = self._get(f"/api/v1/statuses/{quote(post.external_id, safe='')}/context", {}, 20)
        # Their clock may differ from ours, by which the approval was dated.
        ahead = (http_date(answer.headers.get("date", "")) or self._tools.clock()) - self._tools.clock()
        try:
            found = [status for status in json.loads(answer.body)["descendants"] if isinstance(status, dict)]
        except _BROKEN:
            raise _error(answer, "a thread") from None
        for status in found:
            written = posts_.moment(status.get("created_at"))
            ours = posts_.by(status) == own.id and posts_.id_of(status.get("in_reply_to_id")) == post.external_id
            if ours and written and written >= approved.at + ahead - BEFORE and self._says(status, approved.text):
                return _posted(status)
        return None

    def _says(self, status: Mapping[str, Any], text: str) -> bool:
        """Whether a status of ours holds these words, on its page or as they were written."""
        if posts_.same_words(posts_.words(status), text):
            return True
        try:
            answer = self._get(f"/api/v1/statuses/{quote(posts_.id_of(status.get('id')), safe='')}/source", {}, 20)
            return posts_.same_words(str(json.loads(answer.body)["text"]), text)
        except (Rejected, *_BROKEN):
            return False

    def _visibility(self, post: Post) -> str:
        """How visible an answer is: as the post is now."""
        try:
            answer = self._get(f"/api/v1/statuses/{quote(post.external_id, safe='')}", {}, 20)
        except Unauthorized:
            raise
        except Rejected as problem:
            raise Rejected(f"the post is not there any more, so nothing can answer it: {problem.message}") from None
        try:
            told = json.loads(answer.body)["visibility"]
        except _BROKEN:
            raise _error(answer, "a post") from None
        if told not in posts_.PUBLIC:
            raise Rejected("the post is no longer public, so it is not answered in public")
        return str(told)

    def _timeline(self, name: str, since: str, count: int, seconds: float) -> tuple[list[Mapping[str, Any]], bool]:
        """One page of a timeline, newest first, and whether it goes on; the first one is the newest there is."""
        params = {"limit": str(count), "min_id": since} if since else {"limit": str(COUNT)}
        path = f"/api/v1/timelines/tag/{quote(name[1:], safe='')}"
        if name == "@":
            path, params = "/api/v1/notifications", {**params, "types[]": "mention", "include_filtered": "true"}
        answer = self._get(path, params, seconds)
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, list):
            raise _error(answer, "a timeline")
        # The instance names an older page only below a full one; one that names none is asked by the count.
        link = answer.headers.get("link")
        full = 'rel="next"' in link if link else len(told) >= count
        return [entry if isinstance(entry, dict) else {} for entry in told], full

    def _post(self, status: object) -> Post | None:
        """A status that is taken in; None for private ones, boosts, our own, and what is gone."""
        if not isinstance(status, dict) or not posts_.id_of(status.get("id")) or not posts_.is_public(status):
            return None
        if self._own is not None and posts_.by(status) == self._own.id:
            return None
        return posts_.post_of(status, self._host)

    def _introduce(self, seconds: float) -> None:
        """Learn who we are and how long an answer may be, once; mentions need a token."""
        if not self._tools.secret:
            if self._options.notifications:
                raise Unauthorized(f"{self._host} tells mentions to their account alone: give the place a credential")
            return
        self._account(seconds)
        if self._told is None:
            try:
                self._told = _limits(self._get("/api/v2/instance", {}, seconds))
            except Rejected:
                self._told = ReplyLimits(limit=self.capabilities.reply_limit, link_length=23)
            except AdapterError:
                return  # the next poll asks again; until then the usual numbers hold

    def _account(self, seconds: float) -> _Account:
        if self._own is None:
            answer = self._get("/api/v1/accounts/verify_credentials", {}, seconds)
            try:
                told = json.loads(answer.body)
                found = _Account(id=posts_.id_of(told["id"]), handle=posts_.handle(str(told["acct"]), self._host))
            except _BROKEN:
                raise _error(answer, "an account") from None
            if not found.id:
                raise _error(answer, "an account")
            self._own = found
        return self._own

    def _get(self, path: str, params: Mapping[str, str], seconds: float) -> Answer:
        assert self._tools.http is not None
        deadline = min(20.0, max(seconds, 1.0))
        return self._tools.http.get(f"{self._base}{path}", params=params, headers=self._headers(), deadline=deadline)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tools.secret}"} if self._tools.secret else {}


def _posted(status: Mapping[str, Any]) -> Posted:
    """Raises ValueError for a status without an id."""
    if not (found := posts_.id_of(status["id"])):
        raise ValueError("no id")
    url = status.get("url")
    return Posted(external_id=found, url=url if isinstance(url, str) else None)


def _limits(answer: Answer) -> ReplyLimits:
    """What the instance says of itself; its usual numbers where it says nothing."""
    try:
        told = json.loads(answer.body)["configuration"]["statuses"]
        limit, link = told["max_characters"], told.get("characters_reserved_per_url")
    except _BROKEN:
        return ReplyLimits(limit=500, link_length=23)
    return ReplyLimits(
        limit=limit if isinstance(limit, int) and limit > 0 else 500,
        link_length=link if isinstance(link, int) and link > 0 else 23,
    )


def _error(answer: Answer, what: str) -> AdapterError:
    """What an answer means that is not what was asked for."""
    if answer.status == 410:
        return Rejected(f"{shown(answer.url)} is gone for good (410): check `instance`")
    return Unavailable(f"{shown(answer.url)} answered with something that is not {what}")
