"""The Apprise channel: one recipient at one of a hundred services, named by one URL.

Apprise is used for its plugins only. Retries, pauses, time limits, cutting and the choice of services are ours, and
none of its types passes this file. Credentials: the URL itself, best kept as the channel's secret.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from listener import Message, RateLimited, Rejected, Tools, Unavailable
from listener.http import AddressGuard
from notifier._markup import one_line, shorten
from notifier._private import guarding, prepare
from notifier._secrets import Secrets, keeping
from notifier._services import ALLOWED, FIXED, WHY_NOT, Service
from notifier.render import Limits, Rendered, render

STUCK = 3
"""Sends that may hang at a time; each holds a thread that cannot be stopped from outside."""
REASON = 300

_SENDING = "listener-send"
_CAUSE = re.compile(r"\[Errno -?\d+\] ([^'\")\]]+)|(timed out|it is not public [^'\")]+)", re.IGNORECASE)
_ADVICE = {
    401: "the credentials were refused: check the channel's URL",
    403: "the credentials were refused: check the channel's URL",
    404: "nothing answers there: check the channel's URL",
    429: "asked too often",
}


class AppriseChannel:
    """Send messages to the one recipient that an Apprise URL names."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        """What can be set.

        Args:
            url: the Apprise URL, unless it comes as the channel's secret, which is better.
            timeout: how long a send may take before it counts as failed.
            pause: the least time between two sends; None asks Apprise what the service wants.
        """

        url: str = field(default="", repr=False)
        timeout: timedelta = timedelta(seconds=20)
        pause: timedelta | None = None

    name: ClassVar[str] = "apprise"
    needs_url: ClassVar[bool] = True

    def __init__(self, options: Options, tools: Tools) -> None:
        """Keep the URL; nothing is read, resolved or opened."""
        self._options = options
        self._guard = tools.guard or AddressGuard(switch="allow_private_notifiers", ports=None)
        self._url = (tools.secret or options.url).strip()
        self._twice = bool(tools.secret and options.url)
        self._schema = self._url.partition("://")[0].casefold()
        self._service = ALLOWED.get(self._schema, Service())
        self._secrets = Secrets(self._url, own_host=self._service.own_host)
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Say which service, never where or with what credentials."""
        return f"AppriseChannel({self._schema if self._schema in ALLOWED else '?'})"

    @property
    def pause(self) -> timedelta:
        """The least time between two sends: the dispatcher spaces them, nothing here sleeps."""
        if self._options.pause is not None:
            return self._options.pause
        plugin = None if self.check() else self._plugin()
        return timedelta(seconds=float(type(plugin).request_rate_per_sec)) if plugin else timedelta()

    def check(self) -> str | None:
        """Say what is wrong with the URL, or None; touches no network."""
        return self._unsaid() or self._unreadable() or self._unreachable()

    def send(self, message: Message) -> None:
        """Hand a message to the service and wait for its yes, for at most `timeout`.

        Raises:
            Rejected: the URL can never work.
            RateLimited: the service said 429; Apprise does not tell for how long.
            Unavailable: everything else, wrong credentials included, since a reload can cure them.
        """
        fault = self.check()
        if fault:
            raise Rejected(fault, resource=self._resource)
        prepare()
        plugin = self._plugin()
        self._settle(plugin, message)
        limits = _limits(plugin, self._service)
        self._judge(self._bounded(plugin, render(message, self._service.markup, limits)), plugin)

    @property
    def _resource(self) -> str:
        return f"apprise {self._schema}" if self._schema in ALLOWED else "apprise"

    def _unsaid(self) -> str | None:
        if self._twice:
            return "the URL is given twice, as an option and as a secret: keep the secret"
        if not self._url:
            return "no URL: give `url`, or better a secret that holds it"
        if self._schema not in ALLOWED:
            known = re.fullmatch(r"[a-z0-9]{1,20}", self._schema)
            shown = f"{self._schema}://" if known and "://" in self._url else "this kind of URL"
            why = WHY_NOT.get(self._schema, "is no service that Listener sends to; notifier/README.md lists them")
            return f"{shown} {why}"
        return None

    def _unreadable(self) -> str | None:
        from apprise.utils.parse import parse_urls

        if len(parse_urls(self._url)) > 1:
            return "several URLs: a channel is one recipient; make a channel of each"
        for name, _ in parse_qsl(self._url.partition("?")[2], keep_blank_values=True):
            if name.casefold() in FIXED:
                return f"take `{name.casefold()}` out of the URL: {FIXED[name.casefold()]}"
        return None

    def _unreachable(self) -> str | None:
        plugin, why = self._made()
        if plugin is None:
            said = shorten(one_line(why), REASON)
            return f"Apprise cannot use this {self._schema} URL" + (f": {said}" if said else "; check its parts")
        if len(plugin) > 1:
            return f"the URL names {len(plugin)} recipients: a channel is one; make a channel of each"
        host, port = _dialled(plugin)
        refused = self._guard.refusal(host, port) if self._service.own_host else None
        return f"the receiver cannot be reached: {refused}" if refused else None

    def _plugin(self) -> Any:
        plugin, _ = self._made()
        return plugin

    def _made(self) -> tuple[Any, str]:
        with keeping(self._secrets):
            return _make(self._url)

    def _settle(self, plugin: Any, message: Message) -> None:
        """Switch off what is our work, and let the key travel along where the service has a place for it."""
        plugin.retry, plugin.optional, plugin.redirects, plugin.request_rate_per_sec = 0, False, False, 0
        seconds = max(0.1, self._options.timeout.total_seconds() * 0.9)
        plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, seconds)
        plugin.socket_read_timeout = seconds
        if self._service.keyed:
            plugin.headers["X-Listener-Key"] = one_line(message.key).encode("ascii", "replace").decode()
        if isinstance(getattr(plugin, "payload_extras", None), dict):
            extras = {"key": one_line(message.key), "reason": message.reason, "severity": message.severity}
            plugin.payload_extras = extras | plugin.payload_extras

    def _bounded(self, plugin: Any, rendered: Rendered) -> Any:
        """Run one send in a thread of its own and wait for the end or the limit.

        Not Apprise's own limit: its worker threads are shared by all channels and hold up the end of the process.
        """
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def work() -> None:
            with keeping(self._secrets), guarding(self._guard):
                done.put(_notify(plugin, rendered))

        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if len(self._threads) >= STUCK:
                why = f"{STUCK} earlier sends still hang; nothing more is sent until one of them ends"
                raise Unavailable(why, resource=self._resource)
            thread = threading.Thread(target=work, name=_SENDING, daemon=True)
            self._threads.append(thread)
        thread.start()
        seconds = self._options.timeout.total_seconds()
        try:
            return done.get(timeout=seconds)
        except queue.Empty:
            why = (
                f"no answer within {self._options.timeout.total_seconds():g} s; the message may or may not have arrived"
            )
            raise Unavailable(why, resource=self._resource) from None

    def _cause(self, text: str, plugin: Any) -> str:
        """The part of a nested connection error that says something to people, and no more than may be said."""
        found: list[tuple[str, str]] = _CAUSE.findall(text)
        if not found:
            return text
        raw, said = found[-1]
        # Elsewhere the host is a part of the credentials.
        host, port = _dialled(plugin) if self._service.own_host else ("", 0)
        return str(self._guard.failed(host, port, raw)) if raw else said

    def _judge(self, result: Any, plugin: Any) -> None:
        if result:
            return
        if result.status.name == "NOMATCH":
            raise Rejected("Apprise found no service for this URL", resource=self._resource)
        status, said = _reason(result, lambda text: self._cause(text, plugin))
        # Secrets out first, cut after: half a token is still a part of one.
        parts = [shorten(one_line(self._secrets.remove(part)), REASON // 2) for part in said]
        advice = [_ADVICE[status]] if status in _ADVICE else []
        reason = shorten("; ".join([*advice, *parts]) or "it failed without a word", REASON)
        raise (RateLimited if status == 429 else Unavailable)(reason, resource=self._resource)


def _make(url: str) -> tuple[Any, str]:
    """The plugin for a URL, or None and what Apprise said against it."""
    import apprise

    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
        plugin = apprise.Apprise.instantiate(url, asset=_asset())
        # Its last line repeats the URL, half masked.
        return plugin, "".join(line for line in said.getvalue().splitlines(True) if not line.startswith("Could not"))


def _asset() -> Any:
    import apprise

    return apprise.AppriseAsset(
        app_id="Listener",
        app_desc="Listener",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        plugin_paths=[],
        storage_mode="memory",
        allow_templates=False,
        http_redirects=False,
        async_mode=False,  # one URL, in our own thread
        service_timeout=0,  # the limit is ours
        default_service_retry=0,
        interpret_emojis=False,
    )


def _notify(plugin: Any, rendered: Rendered) -> Any:
    import apprise

    sender = apprise.Apprise(asset=plugin.asset)
    sender.add(plugin)
    return sender.notify(
        body=rendered.text, title=rendered.title, body_format=_written_as(plugin), log_level=logging.DEBUG
    )


def _written_as(plugin: Any) -> str:
    """What to tell Apprise our text is: for services that know Markdown only, it would put a backslash before each
    dot and dash of plain text, those in the link included. Our text has no marks left that mean anything there."""
    given = plugin.notify_format if isinstance(plugin.notify_format, tuple) else (plugin.notify_format,)
    formats = {getattr(one, "value", one) for one in given}
    return "markdown" if formats == {"markdown"} else "text"


def _limits(plugin: Any, service: Service) -> Limits:
    body = min(int(plugin.body_maxlen), service.most)
    return Limits(body=body, title=min(int(plugin.title_maxlen), 200), measure=service.measure)


def _reason(result: Any, cause: Callable[[str], str]) -> tuple[int, list[str]]:
    """HTTP status (0 where none shows) and reasons, both from what Apprise logged; secrets may be in them."""
    entries = [(str(entry.level), str(entry.message)) for entry in result.logs()]
    warned = [text for level, text in entries if level in {"WARNING", "ERROR", "CRITICAL"}]
    causes = [cause(text) for text in _after("Socket Exception:", entries)]
    answers = [text.removeprefix("b").strip("'\"") for text in _after("Response Details:", entries)]
    status = re.search(r"error=(\d{3})\b", " ".join(warned))
    return int(status.group(1)) if status else 0, [*warned, *causes, *answers]


def _after(head: str, entries: list[tuple[str, str]]) -> list[str]:
    return [text.removeprefix(head).strip() for _, text in entries if text.startswith(head)]


def _dialled(plugin: Any) -> tuple[str, int]:
    """Host and port that the plugin will dial where they are the operator's own; a mail relay may be another host."""
    return str(getattr(plugin, "smtp_host", None) or plugin.host or ""), int(plugin.port or 0)
