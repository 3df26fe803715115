"""What `sources.mastodon` asks of an instance, and what the answers mean; remembers who we are there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from listener.core.errors import AdapterError, Rejected, Unauthorized, Unavailable, Unclear
from listener.core.protocols import Stop
from listener.core.reply import Posted, ReplyLimits
from listener.core.tools import Answer, Tools
from listener.http import http_date, shown
from sources._mastodonposts import PUBLIC, handle, id_of, same_words, words
from sources._mastodonstream import address, rings

COUNT = 40
"""Posts a request; instances give no more."""
USUAL = ReplyLimits(limit=500, link_length=23)
"""What an answer must keep to where the instance does not say."""
_SECONDS = 20.0
_BROKEN = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Our account on the instance: its id and its full handle."""

    id: str
    handle: str


class Asker:
    """Asks one instance, as its account where there is a token.

    Args:
        instance: its address.
        tools: the client, the clock and the token.
    """

    def __init__(self, instance: str, tools: Tools) -> None:
        """Ask nothing yet."""
        self._base = instance.rstrip("/")
        self._tools = tools
        self.host = urlsplit(instance).netloc.rpartition("@")[2].lower()
        self.known: Account | None = None
        self.told: ReplyLimits | None = None
        self._streams = self._base

    def introduce(self, seconds: float) -> None:
        """Learn who we are and how long an answer may be, once; raises as `Source.poll`."""
        self.account(seconds)
        if self.told is None:
            try:
                told = self._get("/api/v2/instance", seconds=seconds)
                self._streams, self.told = address(_json(told), self._base), _limits(told)
            except Rejected:
                self.told = USUAL
            except AdapterError:
                return  # the next poll asks again; until then the usual numbers hold

    def account(self, seconds: float = _SECONDS) -> Account:
        """Who we are; raises as `Source.poll`."""
        if self.known is None:
            answer = self._get("/api/v1/accounts/verify_credentials", seconds=seconds)
            try:
                told = json.loads(answer.body)
                found = Account(id=id_of(told["id"]), handle=handle(str(told["acct"]), self.host))
            except _BROKEN:
                raise _error(answer, "an account") from None
            if not found.id:
                raise _error(answer, "an account")
            self.known = found
        return self.known

    def timeline(self, name: str, since: str, count: int, seconds: float) -> tuple[list[Mapping[str, Any]], bool]:
        """One page, newest first, and whether it goes on; raises as `Source.poll`.

        Args:
            name: "#tag", or "@" for mentions of our account.
            since: the page right above this id; empty: the newest page.
            count: most entries.
            seconds: within which.
        """
        params = {"limit": str(count), "min_id": since} if since else {"limit": str(COUNT)}
        path = f"/api/v1/timelines/tag/{quote(name[1:], safe='')}"
        if name == "@":
            path, params = "/api/v1/notifications", {**params, "types[]": "mention", "include_filtered": "true"}
        answer = self._get(path, params, seconds)
        told = _json(answer)
        if not isinstance(told, list):
            raise _error(answer, "a timeline")
        # The instance names an older page only below a full one; one that names none is asked by the count.
        link = answer.headers.get("link")
        full = 'rel="next"' in link if link else len(told) >= count
        return [entry if isinstance(entry, dict) else {} for entry in told], full

    def listen(self, name: str, stop: Stop) -> Iterator[None]:
        """Ring for what comes to a timeline; raises as `Listens.listen`."""
        assert self._tools.http is not None
        self.introduce(_SECONDS)
        path, params = ("user/notification", {}) if name == "@" else ("hashtag", {"tag": name[1:]})
        url = f"{self._streams}/api/v1/streaming/{path}"
        yield from rings(self._tools.http.lines(url, stop=stop, params=params, headers=self._headers()))

    def visibility(self, id_: str) -> str:
        """How visible a post is now; raises Rejected where it is gone or no longer public, else as `Replier.reply`."""
        try:
            answer = self._get(_path(id_))
        except Unauthorized:
            raise
        except Rejected as problem:
            raise Rejected(f"the post is not there any more, so nothing can answer it: {problem.message}") from None
        try:
            told = json.loads(answer.body)["visibility"]
        except _BROKEN:
            raise _error(answer, "a post") from None
        if told not in PUBLIC:
            raise Rejected("the post is no longer public, so it is not answered in public")
        return str(told)

    def publish(self, said: Mapping[str, str], key: str) -> Posted:
        """Publish a status, once; raises as `Replier.reply`."""
        assert self._tools.http is not None
        headers = {**self._headers(), "Content-Type": "application/json", "Idempotency-Key": key}
        answer = self._tools.http.post(f"{self._base}/api/v1/statuses", body=json.dumps(said).encode(), headers=headers)
        try:
            return posted(json.loads(answer.body))
        except _BROKEN:
            raise Unclear(f"{self.host} took the answer and did not say what it is called") from None

    def answers(self, id_: str) -> tuple[Sequence[Mapping[str, Any]], timedelta]:
        """What stands under a post, and how far the instance's clock is ahead of ours; raises as `Replier.find`."""
        answer = self._get(f"{_path(id_)}/context")
        now: datetime = self._tools.clock()
        ahead = (http_date(answer.headers.get("date", "")) or now) - now
        try:
            return [status for status in json.loads(answer.body)["descendants"] if isinstance(status, dict)], ahead
        except _BROKEN:
            raise _error(answer, "a thread") from None

    def says(self, status: Mapping[str, Any], text: str) -> bool:
        """Whether a status of ours holds these words, on its page or as they were written; raises Unavailable."""
        if same_words(words(status), text):
            return True
        try:
            answer = self._get(f"{_path(id_of(status.get('id')))}/source")
            return same_words(str(json.loads(answer.body)["text"]), text)
        except (Rejected, *_BROKEN):
            return False

    def _get(self, path: str, params: Mapping[str, str] | None = None, seconds: float = _SECONDS) -> Answer:
        assert self._tools.http is not None
        deadline = min(_SECONDS, max(seconds, 1.0))
        return self._tools.http.get(f"{self._base}{path}", params=params, headers=self._headers(), deadline=deadline)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tools.secret}"} if self._tools.secret else {}


def posted(status: Mapping[str, Any]) -> Posted:
    """What a status of ours is called; raises ValueError or LookupError for one without an id."""
    if not (found := id_of(status["id"])):
        raise ValueError("no id")
    url = status.get("url")
    return Posted(external_id=found, url=url if isinstance(url, str) else None)


def _path(id_: str) -> str:
    return f"/api/v1/statuses/{quote(id_, safe='')}"


def _limits(answer: Answer) -> ReplyLimits:
    """What the instance says of itself; its usual numbers where it says nothing."""
    try:
        told = json.loads(answer.body)["configuration"]["statuses"]
        limit, link = told["max_characters"], told.get("characters_reserved_per_url")
    except _BROKEN:
        return USUAL
    return ReplyLimits(
        limit=limit if isinstance(limit, int) and limit > 0 else USUAL.limit,
        link_length=link if isinstance(link, int) and link > 0 else USUAL.link_length,
    )


def _json(answer: Answer) -> Any:
    """What an answer holds; None for what cannot be read."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _error(answer: Answer, what: str) -> AdapterError:
    """What an answer means that is not what was asked for."""
    if answer.status == 410:
        return Rejected(f"{shown(answer.url)} is gone for good (410): check `instance`")
    return Unavailable(f"{shown(answer.url)} answered with something that is not {what}")
