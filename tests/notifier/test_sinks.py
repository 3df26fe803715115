"""The receivers of the other tests: that they fail as they say, and survive a process that is killed."""

from __future__ import annotations

import http.client
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sinks
from tests.sinks import HttpSink, SmtpSink, eventually, read_ledger


def post(sink_port: int, key: str = "k", timeout: float = 5.0) -> int:
    call = http.client.HTTPConnection("127.0.0.1", sink_port, timeout=timeout)
    try:
        call.request("POST", "/hook", body='{"title": "t", "message": "m"}', headers={"X-Listener-Key": key})
        answer = call.getresponse()
        answer.read()
        return answer.status
    finally:
        call.close()


def test_bodies_are_kept_in_order_with_their_keys(http_sink: HttpSink) -> None:
    assert [post(http_sink.port, key) for key in ("a", "b", "a")] == [200, 200, 200]
    assert http_sink.keys == ["a", "b", "a"]
    assert (http_sink.accepted[0].title, http_sink.accepted[0].text) == ("t", "m")


def test_half_a_call_of_a_caller_that_died_is_no_message(http_sink: HttpSink) -> None:
    with socket.create_connection(("127.0.0.1", http_sink.port), timeout=5) as call:
        call.sendall(b'POST /hook HTTP/1.1\r\nX-Listener-Key: a\r\nContent-Length: 33\r\n\r\n{"title": ')
        call.shutdown(socket.SHUT_WR)
        assert call.recv(100) == b"", "it answered half a call"
    assert post(http_sink.port, "b") == 200
    assert [arrival.key for arrival in http_sink.arrivals] == ["b"]


def test_every_third_call_fails(http_sink: HttpSink) -> None:
    http_sink.mode = "third"
    assert [post(http_sink.port) for _ in range(6)] == [200, 200, 503, 200, 200, 503]
    assert len(http_sink.accepted) == 4


def test_one_in_five_fails_and_the_seed_says_which() -> None:
    def run(seed: int) -> list[int]:
        with HttpSink(mode="fifth", seed=seed) as sink:
            return [post(sink.port) for _ in range(60)]

    first = run(7)
    assert first == run(7)
    assert 3 <= first.count(503) <= 25


def test_a_refusing_sink_comes_back_on_the_same_port(http_sink: HttpSink) -> None:
    port = http_sink.port
    http_sink.mode = "refuse"
    with pytest.raises(ConnectionRefusedError):
        post(port)
    http_sink.mode = "ok"
    assert post(port) == 200


def test_a_hanging_sink_takes_the_message_and_lets_go_when_told(http_sink: HttpSink) -> None:
    http_sink.mode = "hang"
    with pytest.raises(TimeoutError):
        post(http_sink.port, timeout=0.2)
    assert len(http_sink.arrivals) == 1
    assert not http_sink.accepted


def test_a_mail_server_refuses_as_told(smtp_sink: SmtpSink) -> None:
    smtp_sink.mode = "451"
    with smtplib.SMTP("127.0.0.1", smtp_sink.port) as client, pytest.raises(smtplib.SMTPDataError):
        client.sendmail("a@b.example", ["c@d.example"], "Subject: s\n\nref: k")
    smtp_sink.mode = "ok"
    with smtplib.SMTP("127.0.0.1", smtp_sink.port) as client:
        client.sendmail("a@b.example", ["c@d.example"], "Subject: s\n\nref: k")
    assert smtp_sink.keys == ["k"]
    assert [arrival.status for arrival in smtp_sink.arrivals] == [451, 250]


@pytest.mark.parametrize("kind", ["http", "smtp"])
def test_a_sink_in_a_child_process_keeps_a_file(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "got.ndjson"
    script = str(Path(sinks.__file__))
    with subprocess.Popen(
        [sys.executable, script, kind, "--file", str(file)], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout
            word, port = child.stdout.readline().split()
            assert word == "ready"
            if kind == "http":
                assert post(int(port), "k1") == 200
            else:
                with smtplib.SMTP("127.0.0.1", int(port)) as client:
                    client.sendmail("a@b.example", ["c@d.example"], "X-Listener-Key: k1\nSubject: s\n\nm")
            eventually(lambda: len(read_ledger(file)) == 1, "the arrival is in the file")
        finally:
            child.terminate()
    assert [arrival.key for arrival in read_ledger(file)] == ["k1"]
    assert child.returncode == 0
