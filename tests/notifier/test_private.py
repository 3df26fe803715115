"""What Apprise opens is guarded: over HTTP, by mail, and by whatever else a send might use."""

from __future__ import annotations

import contextvars
import http.client
import inspect
import re
import smtplib
import socket
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from listener import Rejected, Tools, Unavailable
from listener.http import AddressGuard
from listener.testing import example_message
from notifier._private import guarding, prepare
from notifier._services import ALLOWED
from notifier.apprise import AppriseChannel
from tests.sinks import HttpSink, SmtpSink
from tests.trap import PUBLIC, TRICKS, Heard, Names, Trap, guard, tricky_names

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1", "localhost"])

SCHEMES = pytest.mark.parametrize(
    "url",
    [
        "json://{host}:{port}/x",
        "mmosts://{host}:{port}/3ccdd113474722377935511fc85d3dd4",
        "matrix://me:word@{host}:{port}/#room",
        "mailto://{host}:{port}?from=a@shop.example&to=b@shop.example&mode=insecure",
        "mailtos://{host}:{port}?from=a@shop.example&to=b@shop.example",
        "mailto://mail.example:{port}?smtp={host}&from=a@shop.example&to=b@shop.example&mode=insecure",
    ],
    ids=["http", "https", "several requests", "smtp", "smtp with TLS", "smtp elsewhere"],
)
REFUSED = (Rejected, Unavailable)


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as made:
        yield made


def channel(url: str, guard: AddressGuard) -> AppriseChannel:
    options = AppriseChannel.Options(timeout=timedelta(seconds=5))
    return AppriseChannel(options, Tools(http=None, clock=lambda: datetime.now(UTC), secret=url, guard=guard))


def send(url: str, guard: AddressGuard) -> None:
    channel(url, guard).send(example_message())


def system_says(monkeypatch: pytest.MonkeyPatch, address: str) -> list[str]:
    """Let the system's resolver give this address for shop.example; gives who asks it."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host != "shop.example":
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        sys.audit("socket.getaddrinfo", host, port, 0, 0, 0)
        asked.append(host)
        return real(address, port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("socket.getaddrinfo", answer)
    return asked


# --- what Apprise does ----------------------------------------------------------------------------------------------


@SCHEMES
@pytest.mark.parametrize("host", TRICKS.values(), ids=TRICKS)
def test_no_trick_leads_a_message_inside(url: str, host: str, trap: Trap) -> None:
    with pytest.raises(REFUSED):
        send(url.format(host=host, port=trap.port), guard(tricky_names()))
    assert trap.count == 0


@SCHEMES
def test_a_name_that_leads_inside_is_refused_when_it_is_dialled(url: str, trap: Trap) -> None:
    """Past the check of the URL, which asks nobody."""
    for name in ("inside.example", "mixed.example"):
        names = tricky_names()
        sender = channel(url.format(host=name, port=trap.port), guard(names))
        assert sender.check() is None
        with pytest.raises(Unavailable, match="not public or nobody answers"):
            sender.send(example_message())
        assert name in names.asked
    assert trap.count == 0


@SCHEMES
def test_a_name_that_changes_its_mind_reaches_nothing_inside(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own resolver lies: our look-up gets a public address, every later one the trap's."""
    asked = system_says(monkeypatch, "127.0.0.1")
    with Trap("127.0.0.1") as trap:
        with pytest.raises(Unavailable):
            send(url.format(host="shop.example", port=trap.port), guard(Names(shop=[PUBLIC])))
        assert trap.count == 0
    assert bool(asked) == ("mail" in url), "only mail looks the name up itself"


def test_the_address_that_was_checked_gets_the_message(http_sink: HttpSink) -> None:
    names = Names(shop=["127.0.0.1", "127.0.0.9"])
    send(f"json://shop.example:{http_sink.port}/x", guard(names, judge=lambda _: None))
    [message] = http_sink.accepted
    assert message.headers["Host"] == f"shop.example:{http_sink.port}"
    assert names.asked == ["shop.example"]


def test_the_switch_lets_messages_inside(http_sink: HttpSink, smtp_sink: SmtpSink) -> None:
    for sink in (http_sink, smtp_sink):
        with pytest.raises(Rejected, match="set allow_private_notifiers = true"):
            send(sink.url, AddressGuard(switch="allow_private_notifiers", ports=None))
        assert sink.accepted == []
        send(sink.url, AddressGuard(switch="allow_private_notifiers", ports=None, allow_private=True))
        assert len(sink.accepted) == 1


def test_what_a_server_says_of_itself_leads_nowhere_inside(trap: Trap) -> None:
    """Matrix asks the host where its server is, and would go wherever the answer says."""
    answer = f'{{"m.homeserver": {{"base_url": "http://127.0.0.1:{trap.port}"}}}}'.encode()
    with HttpSays(answer) as site:
        url = f"matrix://me:word@shop.example:{site.port}/#room?discovery=yes"
        with pytest.raises(Unavailable):
            send(url, guard(Names(shop=[PUBLIC])))
    assert trap.count == 0


def test_proxies_of_the_environment_are_not_used(
    http_sink: HttpSink, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{trap.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    for open_to in (guard(Names(shop=["127.0.0.1"]), judge=lambda _: None), AddressGuard(allow_private=True)):
        send(f"json://{'127.0.0.1' if open_to.allow_private else 'shop.example'}:{http_sink.port}/x", open_to)
    assert len(http_sink.accepted) == 2
    assert trap.count == 0


@SCHEMES
def test_a_private_address_a_closed_port_and_a_missing_name_sound_the_same(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system_says(monkeypatch, PUBLIC)
    with socket.create_server((PUBLIC, 0)) as taken:
        port = taken.getsockname()[1]
    heard, said = Heard(), set()
    for answer in (["10.0.0.1"], [], [f"{PUBLIC} 10.0.0.1"], [PUBLIC]):
        with pytest.raises(Unavailable) as caught:
            send(url.format(host="shop.example", port=port), guard(Names(shop=answer), heard, switch="the_switch"))
        said.add(str(caught.value))
    assert len(said) == 1
    assert "set the_switch = true" in said.pop()
    # The log tells them apart.
    private, missing, closed = dict.fromkeys(heard)
    assert private == ("shop.example", port, "10.0.0.1", "private")
    assert "Name or service not known" in missing[3]
    assert "refused" in closed[3]


# --- whatever else a send might use ---------------------------------------------------------------------------------


def _raw(port: int) -> None:
    with socket.socket() as plain:
        plain.connect(("127.0.0.1", port))


def _by_name(port: int) -> None:
    with socket.socket() as plain:
        plain.connect(("localhost", port))


def _unix(_: int) -> None:
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect("\0nowhere")


def _datagram(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as plain:
        plain.sendto(b"x", ("127.0.0.1", port))


def _datagram_message(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as plain:
        plain.sendmsg([b"x"], [], 0, ("127.0.0.1", port))


def _in_a_thread(port: int) -> None:
    """As Apprise's own threads are started: with the context of who starts them."""
    problems: list[OSError] = []

    def dial() -> None:
        try:
            _raw(port)
        except OSError as problem:
            problems.append(problem)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(dial,))
    thread.start()
    thread.join()
    raise problems[0]


WAYS: dict[str, Callable[[int], object]] = {
    "socket": _raw,
    "socket by name": _by_name,
    "unix socket": _unix,
    "datagram": _datagram,
    "datagram message": _datagram_message,
    "create_connection": lambda port: socket.create_connection(("127.0.0.1", port)),
    "create_connection to this machine": lambda port: socket.create_connection(("", port)),
    "create_connection by name": lambda port: socket.create_connection(("inside.example", port)),
    "urllib": lambda port: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
    "http.client": lambda port: http.client.HTTPConnection("127.0.0.1", port).request("GET", "/"),
    "smtplib": lambda port: smtplib.SMTP("127.0.0.1", port),
    "requests": lambda port: requests.get(f"http://127.0.0.1:{port}/", timeout=5),
    "requests session": lambda port: requests.Session().get(f"http://127.0.0.1:{port}/", timeout=5),
    "thread": _in_a_thread,
}


@pytest.mark.parametrize("way", WAYS)
def test_no_library_gets_past_the_guard_within_a_send(way: str, trap: Trap) -> None:
    prepare()
    with guarding(guard(tricky_names())), pytest.raises(OSError, match="it is not public or nobody answers"):
        WAYS[way](trap.port)
    assert trap.count == 0


def test_a_socket_is_given_addresses_only_since_a_name_would_be_looked_up_again() -> None:
    prepare()
    with guarding(guard(Names(shop=[PUBLIC]))):
        sys.audit("socket.connect", None, (PUBLIC, 80))
        with pytest.raises(OSError, match="it is not public"):
            sys.audit("socket.connect", None, ("shop.example", 80))


def test_outside_of_a_send_everything_is_as_it_was(http_sink: HttpSink) -> None:
    prepare()
    with guarding(guard()):
        pass
    answer = requests.post(f"http://127.0.0.1:{http_sink.port}/", json={}, timeout=5)
    assert answer.ok
    assert type(answer.connection) is requests.adapters.HTTPAdapter
    assert len(http_sink.accepted) == 1


def test_nothing_is_sent_where_the_interpreter_reports_nothing(
    http_sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifier._private._taken", [])
    monkeypatch.setattr("notifier._private._heeded", lambda: False)
    with pytest.raises(Unavailable, match="nothing is sent unguarded"):
        send(http_sink.url, AddressGuard(allow_private=True))
    assert http_sink.arrivals == []


def test_the_allowed_services_use_no_other_way_out() -> None:
    """Their modules, read as text: requests, smtplib and no thread of their own."""
    from apprise.manager_plugins import NotificationManager

    manager = NotificationManager()
    manager.load_modules()
    modules = {cls.__module__ for schema in ALLOWED for cls in manager[schema].__mro__} - {"builtins"}
    assert len(modules) > 60
    ways = set()
    for name in modules - {"apprise.plugins.base", "apprise.url"}:
        text = inspect.getsource(sys.modules[name])
        ways |= set(re.findall(r"^\s*(?:import|from) +([\w.]+)", text, re.MULTILINE))
        assert not re.search(r"\bThread\(|\.submit\(|\bcreate_subprocess|\bPopen\(", text), name
    suspicious = {
        "asyncio",
        "ftplib",
        "http.client",
        "httpx",
        "multiprocessing",
        "paho",
        "slixmpp",
        "socket",
        "subprocess",
    }
    assert not {way for way in ways if way in suspicious or way.startswith(("urllib.request", "paho", "slixmpp"))}


class HttpSays:
    """A web server on the address that stands for the public internet, which gives every request one answer."""

    def __init__(self, body: bytes) -> None:
        self._socket = socket.create_server((PUBLIC, 0))
        self._body = body
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(self._body)}\r\n"
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + self._body)

    def __enter__(self) -> HttpSays:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
