"""The child process that reads feeds: run as `python -m sources._reader`, started and killed by `sources._parse`.

It answers request after request on its standard streams (a length, then JSON) and gives itself limits, since
feedparser is handed whatever strangers publish. It imports nothing of Listener but `sources._text`.
"""

from __future__ import annotations

import calendar
import io
import json
import os
import re
import resource
import signal
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO

MAX_ENTRIES = 5_000
MAX_ENTRY = 20_000  # characters of text

# Atomic groups: a long row of comments must not be tried in every combination.
_PROLOGUE = re.compile(rb"((?>\xef\xbb\xbf|\s|<\?.*?\?>|<!--.*?-->)*+)<!DOCTYPE[^>\[]*\[", re.DOTALL | re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+")
_SUBSET_END = re.compile(rb"\]\s*>")
_ODD = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)


def without_subset(body: bytes) -> bytes:
    """The document without a DOCTYPE that declares its own entities: no honest feed needs one, bombs do."""
    start = _PROLOGUE.match(body)
    if start is None:
        return body
    end = _SUBSET_END.search(body, start.end())
    return start[1] + (body[end.end() :] if end else b"")


def read(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Read any feed."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _read_json(body)
    import feedparser

    parsed = feedparser.parse(
        io.BytesIO(without_subset(body)),
        response_headers=dict(headers),
        sanitize_html=False,  # we keep text alone, and pages escape it
        resolve_relative_uris=False,  # within texts; the links of entries are always resolved
    )
    entries, broken = _each(parsed.entries, _entry)
    return {
        "version": parsed.get("version", ""),
        "problem": str(parsed.get("bozo_exception", ""))[:200],
        "ttl": str(parsed.feed.get("ttl", "")) if isinstance(parsed.feed, Mapping) else "",
        "entries": entries,
        "broken": broken,
        "cut": max(0, len(parsed.entries) - MAX_ENTRIES),
    }


def _each(raw: list[Any], convert: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Convert entries one by one, so that a broken one costs itself only."""
    entries, broken = [], []
    for number, one in enumerate(raw[:MAX_ENTRIES], 1):
        try:
            entries.append(convert(one))
        except _ODD as exc:
            broken.append(f"entry {number} cannot be read ({type(exc).__name__})")
    return entries, broken


def _entry(raw: Any) -> dict[str, Any]:
    """One entry of feedparser's."""
    author = raw.get("author_detail") or {}
    reply = raw.get("thr_in-reply-to") or raw.get("in-reply-to") or {}
    return {
        "id": _str(raw.get("id")),
        "link": _str(raw.get("link")),
        "title": _html(raw.get("title"), raw.get("title_detail")),
        "text": max(_texts(raw), key=len, default=""),
        "author": _name(_str(raw.get("author")) or _str(author.get("name"))),
        "author_url": _str(author.get("href")),
        "published": _moment(raw.get("published_parsed") or raw.get("updated_parsed") or raw.get("created_parsed")),
        "dated": _str(raw.get("published") or raw.get("updated")),
        "in_reply_to": _str(reply.get("ref") if isinstance(reply, Mapping) else ""),
        "replies": _str(raw.get("slash_comments")),
    }


def _name(author: str) -> str:
    """The name in "jane@example.org (Jane)", which feedparser cuts in the middle of long domains; never the address."""
    address = None if author.startswith("@") else _ADDRESS.search(author)
    if address is None:
        return author
    return author.replace(address[0], "").strip(" ()<>\"'") or address[0].partition("@")[0]


def _texts(raw: Any) -> Iterator[str]:
    """Every text of an entry; feeds put the whole one now here, now there."""
    yield _html(raw.get("summary"), raw.get("summary_detail"))
    yield from (_html(content.get("value"), content) for content in raw.get("content") or ())


def _html(value: object, detail: Any) -> str:
    """A text as plain text, whatever type it declares."""
    from sources._text import plain

    text = _str(value, MAX_ENTRY * 20)
    declared = detail.get("type", "") if isinstance(detail, Mapping) else ""
    return (text if declared == "text/plain" else plain(text))[:MAX_ENTRY]


def _str(value: object, limit: int = 2_000) -> str:
    """A string; empty for what is no text or number."""
    return str(value)[:limit].strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _moment(parsed: Any) -> str:
    """A feedparser date (UTC) as ISO 8601; empty where there is none or none that exists."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat() if parsed else ""
    except (*_ODD, OSError):
        return ""


def _read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON Feed (jsonfeed.org, versions 1 and 1.1), which feedparser does not know."""
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        feed = None
    if not isinstance(feed, dict) or "jsonfeed.org/version/" not in str(feed.get("version")):
        return {"version": "", "problem": "no JSON Feed", "entries": []}
    items = feed["items"] if isinstance(feed.get("items"), list) else []
    entries, broken = _each(items, _item)
    return {"version": "json", "entries": entries, "broken": broken, "cut": max(0, len(items) - MAX_ENTRIES)}


def _item(raw: Any) -> dict[str, Any]:
    """One item of a JSON Feed in the form of `_entry`."""
    author = (raw.get("authors") or [raw.get("author") or {}])[0]
    text = _str(raw.get("content_text"), MAX_ENTRY) or _html(raw.get("content_html") or raw.get("summary"), None)
    dated = _str(raw.get("date_published") or raw.get("date_modified"))
    return {
        "id": _str(raw.get("id")),
        "link": _str(raw.get("url") or raw.get("external_url")),
        "title": _str(raw.get("title")),
        "text": text,
        "author": _str(author.get("name")),
        "author_url": _str(author.get("url")),
        "published": _moment(_utc(dated)),
        "dated": dated,
    }


def _utc(dated: str) -> Any:
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(dated).utctimetuple()
    return None


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the other side is gone; a hang ends this process even if nobody is left to kill it."""
    while len(head := requests.read(12)) == 12:
        seconds, meta_length, body_length = struct.unpack(">III", head)
        headers = json.loads(requests.read(meta_length))
        body = requests.read(body_length)
        signal.setitimer(signal.ITIMER_PROF, seconds)  # ends the process, whatever the parser is doing
        try:
            answer = read(body, headers)
        except (*_ODD, MemoryError, OSError) as exc:
            answer = {"version": "", "crash": type(exc).__name__, "entries": []}
        said = json.dumps(answer).encode()
        answers.write(struct.pack(">I", len(said)) + said)
        answers.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


def main() -> None:
    """Take limits, keep the answer stream to ourselves, load the parser, say that we are ready, serve."""
    limit = int(sys.argv[1])
    with suppress(OSError, ValueError):  # where a sandbox forbids it, its own limits hold
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import feedparser  # noqa: F401

    import sources._text  # noqa: F401

    answers.write(b"ready\n")
    answers.flush()
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
