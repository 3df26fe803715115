"""Logging: one event name a fact, the same keys everywhere, JSON for machines and plain lines for people.

Text of posts is never logged above DEBUG. Every event is listed in `EVENTS`, and the manual documents each.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog

LogFormat = Literal["auto", "json", "text"]

EVENTS: Mapping[str, str] = {
    "started": "the daemon is ready",
    "stopping": "the daemon was asked to end",
    "stopped": "the daemon has ended; all leases are returned",
    "reloaded": "a new configuration is in force",
    "reload_refused": "the new configuration has problems; the old one stays in force",
    "place_down": "a place stopped answering; said once, not at every try",
    "place_up": "a place answers again",
    "place_gap": "posts may be missing at a place",
    "stream_up": "all streams of a place stand: what comes is asked for at once",
    "stream_down": "a stream of a place does not stand; polls go on; said once, not at every try",
    "page_stored": "an answer of a place was stored",
    "judged": "a batch of mentions was judged",
    "rescored": "what was judged before was judged again, to the end",
    "rescore_skipped": "a text at which judging again failed three times keeps its verdict",
    "batch_failed": "a batch could not be judged and is tried again one by one",
    "case_opened": "a case was opened or reopened",
    "case_grown": "a mention joined a case",
    "case_lapsed": "a claim ran out: the case waits for everybody again",
    "case_woke": "a snooze ended",
    "case_silent": "the customer of an answered case had nothing more to say: it ended",
    "draft_forgotten": "marketing had a draft for too long: it is back with who asked",
    "reply_posted": "an approved answer stands under the post",
    "reply_put_off": "the other side took nothing for now: tried again later",
    "reply_refused": "the other side refused an answer for good",
    "reply_unknown": "an answer was handed over and nobody knows whether it stands; it is looked for",
    "reply_not_found": "looking for such an answer failed",
    "reply_withdrawn": (
        "an approved answer was not posted: the customer wrote meanwhile, or it cannot be posted there"
    ),
    "reply_returned": "an answer that stood did not arrive: its case waits for staff again",
    "reply_away": "the customer's mailbox answered an answer by itself",
    "echo_unknown": "a notice about a mail of ours that is no answer we know; passed over",
    "case_overdue": "a promise on a case is broken; staff are told once",
    "campaign_announced": "word of a campaign is in the outbox for the teams' channels",
    "message_held": "a message was put off: the campaign it tells of was moved",
    "message_sent": "a channel accepted a message",
    "message_failed": "a channel did not take a message; it is tried again",
    "message_dropped": "a message was no longer worth sending",
    "message_dead": "a message was given up",
    "disk_full": "the disk is full: intake rests",
    "disk_writable": "the disk takes writes again",
    "step_failed": "a step met an error nobody foresaw; it is tried again",
    "scorer_ready": "the model is loaded",
    "not_reached": "a host was not dialled or did not answer; says which address and why, which pages do not",
    "orphans_buried": "messages for channels that are gone were given up",
}


def get_logger() -> structlog.stdlib.BoundLogger:
    """The logger; bind nothing secret to it."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


def set_up_logging(level: str = "info", fmt: LogFormat = "auto") -> None:
    """Send events to standard error: journald's JSON or plain lines.

    Args:
        level: lowest level that is shown.
        fmt: "auto" writes JSON under systemd's journal and plain lines elsewhere.
    """
    as_json = fmt == "json" or (fmt == "auto" and "JOURNAL_STREAM" in os.environ)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _one_line,
        structlog.processors.JSONRenderer(ensure_ascii=True) if as_json else _plain,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


def _one_line(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Keep attacker text from faking log lines or terminal commands: no line ends, no escapes."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = "".join(ch if ch.isprintable() else " " for ch in value)[:2000]
    return event


def _plain(_logger: object, _method: str, event: dict[str, Any]) -> str:
    """A line for people: time, event, and the rest as key=value."""
    clock = str(event.pop("timestamp", ""))[11:19]
    level = event.pop("level", "info")
    name = event.pop("event", "")
    trace = event.pop("exception", None)
    rest = " ".join(f"{key}={value}" for key, value in event.items())
    mark = "" if level == "info" else f"{level.upper()} "
    return f"{clock} {mark}{name} {rest}".rstrip() + (f"\n{trace}" if trace else "")
