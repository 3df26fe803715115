"""The Apprise channel: what it refuses to start with, what each failure becomes, and what it never says."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener import RateLimited, Rejected, Tools, Unavailable
from listener.http import AddressGuard
from listener.testing import example_message
from notifier._secrets import Secrets
from notifier._services import ALLOWED, WHY_NOT
from notifier.apprise import STUCK, AppriseChannel
from tests.sinks import HttpSink, SmtpSink, eventually

CANARY = "canary7f3a9c"
ON_LOOPBACK = AddressGuard(switch="allow_private_notifiers", allow_private=True)


def channel(
    url: str, *, timeout: float = 5.0, pause: float | None = None, guard: AddressGuard | None = ON_LOOPBACK
) -> AppriseChannel:
    options = AppriseChannel.Options(
        timeout=timedelta(seconds=timeout),
        pause=None if pause is None else timedelta(seconds=pause),
    )
    return AppriseChannel(options, Tools(http=None, clock=lambda: datetime.now(UTC), secret=url, guard=guard))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "no URL"),
        (CANARY, "no service that Listener sends to"),
        (f"https://hooks.example/{CANARY}", "https:// is no service"),
        (f"kde://{CANARY}", "reaches nobody"),
        ("x://a/b/c/d", "publishes"),
        (f"json://one.example/{CANARY}, json://two.example", "several URLs"),
        ("mailto://mail.example?from=a@b.example&to=c@d.example,e@f.example", "names 2 recipients"),
        (f"slack://T1JJ3T3L2/{CANARY}!/x", "cannot use this slack URL"),
        ("json://receiver.example/?retry=3", "take `retry` out"),
        ("json://receiver.example/?Redirect=yes", "take `redirect` out"),
        ("json://receiver.example/?optional=", "take `optional` out"),
        ("mailto://mail.example?from=a@b.example&cc=c@d.example", "take `cc` out"),
        ("json://127.0.0.1/", "not public"),
        ("json://[::1]/", "not public"),
        ("json://localhost/", "not public"),
        ("mailto://127.0.0.1?from=a@b.example&to=c@d.example", "set allow_private_notifiers = true"),
        ("mailto://mail.example?smtp=localhost&from=a@b.example&to=c@d.example", "not public"),
        ("mmost://chat.internal/3ccdd113474722377935511fc85d3dd4", "not public"),
    ],
)
def test_check_says_what_is_wrong_and_send_refuses_for_good(url: str, why: str) -> None:
    broken = channel(url, guard=None)
    said = broken.check()
    assert said is not None
    assert why in said
    with pytest.raises(Rejected) as refused:
        broken.send(example_message())
    assert why in str(refused.value)
    assert CANARY not in f"{said}{refused.value}{refused.value!r}{broken!r}{broken.pause}"


def test_a_url_given_twice_is_refused() -> None:
    options = AppriseChannel.Options(url="json://a.example")
    twice = AppriseChannel(options, Tools(http=None, clock=lambda: datetime.now(UTC), secret="json://b.example"))
    assert "given twice" in (twice.check() or "")
    assert "a.example" not in repr(options)


@pytest.mark.parametrize(
    "url",
    ["json://receiver.example/x", "mailto://mail.example?from=a@b.example&to=c@d.example", "ntfys://ntfy.example/team"],
)
def test_check_finds_nothing_wrong_with_good_urls_and_asks_nobody(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: pytest.fail("a check must not look up names"))
    assert channel(url, guard=None).check() is None


def test_apprise_is_loaded_only_when_a_channel_is_used() -> None:
    asked = "import notifier.apprise, sys; print(sorted({'apprise', 'requests'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_allowed_service_exists_and_none_is_also_refused() -> None:
    from apprise.manager_plugins import NotificationManager

    known = NotificationManager()
    assert [schema for schema in ALLOWED if schema not in known] == []
    assert not set(ALLOWED) & set(WHY_NOT)


@pytest.mark.parametrize(
    ("mode", "kind", "why"),
    [
        ("503", Unavailable, "error=503"),
        ("401", Unavailable, "the credentials were refused"),
        ("429", RateLimited, "asked too often"),
        ("refuse", Unavailable, "Connection refused"),
        ("hang", Unavailable, "timed out"),
        ("drip", Unavailable, "no answer within 1 s"),
        ("redirect", Unavailable, "error=307"),
    ],
)
def test_failures_over_http_say_why_and_can_be_tried_again(
    http_sink: HttpSink, mode: str, kind: type[Unavailable], why: str
) -> None:
    http_sink.mode = mode  # type: ignore[assignment]
    with pytest.raises(Unavailable) as failed:
        channel(f"json://user:{CANARY}@{http_sink.host}/{CANARY}?-t={CANARY}", timeout=1).send(example_message())
    assert type(failed.value) is kind
    assert why in str(failed.value)
    assert CANARY not in f"{failed.value}{failed.value!r}{failed.value.__context__!r}"
    assert not http_sink.accepted, "a redirect is not followed"
    assert len(http_sink.arrivals) <= 1, "one send is one call: retries are the dispatcher's work"


@pytest.mark.parametrize(
    ("mode", "why"), [("451", "try again later"), ("550", "no such mailbox"), ("refuse", "Connection refused")]
)
def test_failures_of_mail_say_why_and_can_be_tried_again(smtp_sink: SmtpSink, mode: str, why: str) -> None:
    smtp_sink.mode = mode  # type: ignore[assignment]
    with pytest.raises(Unavailable, match=why):
        channel(smtp_sink.url).send(example_message())


def test_a_mail_carries_plain_text_and_the_key_as_a_header(smtp_sink: SmtpSink) -> None:
    sender = channel(smtp_sink.url)
    sender.send(example_message("<img src=https://evil.example/p>", key="b7:opened:1"))
    sender.send(example_message(key="b7:opened:1"))
    assert smtp_sink.keys == ["b7:opened:1"] * 2
    first = smtp_sink.arrivals[0]
    assert first.headers["Content-Type"].startswith("text/plain")
    assert first.text.splitlines()[-1] == "ref: b7:opened:1"
    assert first.title == "HIGH: New case, Brackholm, from kari"


def test_a_json_receiver_gets_the_key_in_header_and_body(http_sink: HttpSink) -> None:
    channel(http_sink.url).send(example_message(key="b7:opened:1"))
    (got,) = http_sink.accepted
    assert got.headers["X-Listener-Key"] == "b7:opened:1"
    assert '"key": "b7:opened:1"' in got.raw
    assert '"severity": "high"' in got.raw


@pytest.mark.parametrize("scheme", ["form", "xml"])
def test_other_web_receivers_get_the_key_too(http_sink: HttpSink, scheme: str) -> None:
    channel(f"{scheme}://{http_sink.host}/").send(example_message(key="b7-opened"))
    (got,) = http_sink.accepted
    assert got.headers["X-Listener-Key"] == "b7-opened"
    assert "b7-opened" in got.raw.partition("severity")[0].partition("key")[2]


def test_a_key_that_no_header_may_hold_still_arrives(http_sink: HttpSink) -> None:
    channel(http_sink.url).send(example_message(key="k\r\nEvil: 1 ж"))
    (got,) = http_sink.accepted
    assert got.headers["X-Listener-Key"] == "k Evil: 1 ?"
    assert "Evil" not in got.headers


def test_hanging_sends_are_bounded_and_the_channel_comes_back(http_sink: HttpSink) -> None:
    http_sink.mode = "drip"
    slow = channel(http_sink.url, timeout=0.3)
    for _ in range(STUCK):
        with pytest.raises(Unavailable, match="no answer within"):
            slow.send(example_message())
    with pytest.raises(Unavailable, match="still hang"):
        slow.send(example_message())
    assert len(http_sink.arrivals) == STUCK
    http_sink.mode = "ok"
    patient = replace_timeout(slow, 5.0)
    eventually(lambda: not any(t.name == "listener-send" for t in threading.enumerate()), "the hanging sends ended")
    patient.send(example_message())
    assert len(http_sink.accepted) == 1


def replace_timeout(sender: AppriseChannel, seconds: float) -> AppriseChannel:
    sender._options = replace(sender._options, timeout=timedelta(seconds=seconds))
    return sender


def test_sending_threads_never_hold_up_the_end_of_the_process(http_sink: HttpSink) -> None:
    http_sink.mode = "drip"
    with pytest.raises(Unavailable):
        channel(http_sink.url, timeout=0.2).send(example_message())
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "listener-send")


def test_the_pause_is_the_services_own_unless_set() -> None:
    assert channel("mailto://mail.example?from=a@b.example").pause == timedelta(seconds=5.5)
    assert channel("json://receiver.example").pause == timedelta(0)
    assert channel("mailto://mail.example?from=a@b.example", pause=0.5).pause == timedelta(seconds=0.5)
    assert channel("nonsense").pause == timedelta(0)


def test_two_sends_in_a_row_do_not_sleep(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apprise.url.time.sleep", lambda _: pytest.fail("the channel slept"))
    sender = channel(smtp_sink.url)
    sender.send(example_message())
    sender.send(example_message())
    assert len(smtp_sink.accepted) == 2


def test_no_log_record_holds_a_credential(http_sink: HttpSink) -> None:
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    listened = [logging.getLogger(), logging.getLogger("apprise"), logging.getLogger("urllib3")]
    levels = [logger.level for logger in listened]
    try:
        for logger in listened:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
        for mode in ("ok", "503", "refuse"):
            http_sink.mode = mode  # type: ignore[assignment]
            for url in (
                f"json://u:{CANARY}@{http_sink.host}/{CANARY}?-t={CANARY}",
                f"mmost://{http_sink.host}/{CANARY}",
            ):
                try:
                    channel(url).send(example_message())
                except Unavailable as failed:
                    records.append(str(failed))
    finally:
        for logger, level in zip(listened, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
    assert len(records) > 10
    assert [text for text in records if CANARY in text] == []


@given(token=st.text(st.characters(categories=["L", "N"]), min_size=6, max_size=30), own_host=st.booleans())
def test_no_part_of_a_url_survives_redaction(token: str, own_host: bool) -> None:
    from urllib.parse import quote

    for url in (
        f"json://u:{quote(token)}@h.example/p",
        f"mmost://h.example/{quote(token)}",
        f"json://h.example/?-k={quote(token)}",
        f"tgram://{'' if own_host else quote(token)}:x/{quote(token)}",
    ):
        secrets = Secrets(url, own_host=own_host)
        assert token not in secrets.remove(f"could not send to {url}: token {token} ({quote(token)}) is wrong")
        assert token not in repr(secrets)


def test_redaction_leaves_the_rest_readable() -> None:
    secrets = Secrets("json://u:pw@chat.example:8080/a1/hook?method=post", own_host=True)
    assert (
        secrets.remove("chat.example:8080 said no to upwards pw, hookah")
        == "chat.example:8080 said no to upwards ***, hookah"
    )
