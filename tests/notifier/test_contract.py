"""Both channels against the public contract, at real receivers on loopback."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from listener import Tools
from listener.http import AddressGuard
from listener.testing import Failure, Received, check_channel
from notifier.apprise import AppriseChannel
from notifier.console import Console
from tests.sinks import HttpSink, SmtpSink

CANARY = "canary7f3a9c"


def tools(secret: str | None = None) -> Tools:
    guard = AddressGuard(allow_private=True)  # the receivers are on loopback
    return Tools(http=None, clock=lambda: datetime.now(UTC), secret=secret, guard=guard)


class Http:
    """An HTTP sink as a far end."""

    def __init__(self, sink: HttpSink) -> None:
        self._sink = sink

    def behave(self, how: str) -> None:
        self._sink.mode = {"error": "503"}.get(how, how)  # type: ignore[assignment]

    def received(self) -> Sequence[Received]:
        return [Received(title=one.title, text=one.text) for one in self._sink.accepted]


class Mail:
    """A mail server as a far end."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    def behave(self, how: str) -> None:
        self._sink.mode = {"error": "451"}.get(how, how)  # type: ignore[assignment]

    def received(self) -> Sequence[Received]:
        return [Received(title=one.title, text=one.text) for one in self._sink.accepted]


class Terminal:
    """Standard error as a far end; nothing goes wrong there."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def behave(self, how: str) -> None:
        assert how == "ok"

    def received(self) -> Sequence[Received]:
        blocks = self._stream.getvalue().split("\n== ")[1:]
        return [Received(title=block.partition("\n")[0], text=_unbarred(block)) for block in blocks]


def _unbarred(block: str) -> str:
    return "\n".join(line.removeprefix("| ") for line in block.splitlines()[1:])


@pytest.mark.parametrize(
    ("path", "marks", "limit"),
    [
        pytest.param("json://user:{c}@{host}/hook/{c}?-token={c}", ("<!channel>", "](", "```"), 100_000, id="json"),
        pytest.param("form://{host}/{c}", ("<!channel>",), 100_000, id="form"),
        pytest.param("gotify://{host}/AbCdEfGhIjKlMnO", ("<!channel>", "]("), 100_000, id="gotify"),
        pytest.param("mmost://{host}/{c}", ("<@U123>", "](", "```", "@everyone"), 4_000, id="mattermost"),
        pytest.param("rocket://{c}%2Faaaaaaaa@{host}/@team?mode=webhook", ("<@U123>", "]("), 1_000, id="rocketchat"),
    ],
)
def test_apprise_keeps_the_contract_of_channels_over_http(
    http_sink: HttpSink, path: str, marks: tuple[str, ...], limit: int
) -> None:
    url = path.format(host=http_sink.host, c=CANARY)
    options = AppriseChannel.Options(timeout=timedelta(seconds=1.5))
    check_channel(lambda: AppriseChannel(options, tools(url)), Http(http_sink), secret=CANARY, limit=limit, marks=marks)


def test_apprise_keeps_the_contract_of_channels_over_smtp(smtp_sink: SmtpSink) -> None:
    failures: tuple[Failure, ...] = ("error", "refuse")
    make = lambda: AppriseChannel(AppriseChannel.Options(timeout=timedelta(seconds=3)), tools(smtp_sink.url))  # noqa: E731
    check_channel(make, Mail(smtp_sink), secret="service@example.org", failures=failures)


def test_console_keeps_the_contract_of_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    check_channel(lambda: Console(Console.Options(), tools()), Terminal(stream), failures=())
