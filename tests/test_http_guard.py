"""Connections go to the public internet only: the client and `requests`, against ports that count who dials them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import trustme

from listener.core.errors import AdapterError, Unavailable
from listener.http import AddressGuard, Client, NotReached
from listener.http.session import guarded_session
from tests.trap import PUBLIC, TRICKS, Heard, Names, Trap, guard, tricky_names

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])

Ask = Callable[[AddressGuard, str], str]
"""Asks for an address under a guard: gives the body, or raises what its caller would see."""


def by_client(guard: AddressGuard, url: str) -> str:
    with Client(guard=guard, longest=5) as client:
        return client.get(url).body.decode()


def by_requests(guard: AddressGuard, url: str) -> str:
    with guarded_session(guard) as session:
        return session.get(url, timeout=5).text


STACKS = pytest.mark.parametrize("ask", [by_client, by_requests])
REFUSED = (AdapterError, requests.exceptions.RequestException)


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as made:
        yield made


class Site(ThreadingHTTPServer):
    """A web server on the address that stands for the public internet; answers with the Host header it was sent."""

    def __init__(self, location: str = "", host: str = PUBLIC) -> None:
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = str(self.headers["Host"]).encode()
                self.send_response(302 if location else 200)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        super().__init__((host, 0), Handler)
        self.port = int(self.server_address[1])

    def __enter__(self) -> Site:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


# --- tricks ---------------------------------------------------------------------------------------------------------


@STACKS
@pytest.mark.parametrize("host", TRICKS.values(), ids=TRICKS)
def test_no_trick_of_writing_or_naming_leads_inside(ask: Ask, host: str, trap: Trap) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(REFUSED):
            ask(guard(tricky_names()), f"{scheme}://{host}:{trap.port}/")
    assert trap.count == 0


@STACKS
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}\\@shop.example/",
        "http://shop.example#@127.0.0.1:{port}/",
        "http://shop.example?@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}#.shop.example/",
        "http://127.0.0.1:{port};.shop.example/",
        "http://127.0.0.1\t:{port}/",
        "http://127.0.0.1 :{port}/",
        "http:/\\127.0.0.1:{port}/",
        "http:///127.0.0.1:{port}/",
        "http:127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://shop.example:80:@127.0.0.1:{port}/",
        "http://[::1]shop.example:{port}/",
        "http://[::1%lo]:{port}/",
        "gopher://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "http+unix://%2Frun%2Fdocker.sock/",
    ],
)
def test_no_address_that_libraries_read_in_two_ways_leads_inside(ask: Ask, url: str, trap: Trap) -> None:
    with pytest.raises(REFUSED):
        ask(guard(tricky_names()), url.format(port=trap.port))
    assert trap.count == 0


def test_there_are_tricks_enough() -> None:
    assert len(TRICKS) >= 26


@STACKS
def test_a_public_address_is_dialled_and_told_the_host_s_name(ask: Ask) -> None:
    with Site() as site:
        assert ask(guard(Names(shop=[PUBLIC])), f"http://shop.example:{site.port}/") == f"shop.example:{site.port}"


@STACKS
def test_the_next_address_is_tried_when_the_first_does_not_answer(ask: Ask) -> None:
    with Site() as site:
        # Nobody listens at this port of ::1, which passes for public here.
        names, judge = Names(shop=[f"::1 {PUBLIC}"]), lambda _: None
        assert ask(guard(names, judge=judge), f"http://shop.example:{site.port}/")


# --- redirects and rebinding ----------------------------------------------------------------------------------------


@STACKS
@pytest.mark.parametrize(
    "location",
    [
        *("http://127.0.0.1:{port}/", "http://[::1]:{port}/", "//localhost:{port}/", "http://inside.example:{port}/"),
        *("http://0x7f.1:{port}/", "https://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/"),
    ],
)
def test_a_redirect_leads_nowhere_inside(ask: Ask, location: str, trap: Trap) -> None:
    with Site(location.format(port=trap.port)) as site:
        with pytest.raises(REFUSED, match="not public or nobody answers"):
            ask(guard(Names(shop=[PUBLIC], inside=["127.0.0.1"])), f"http://shop.example:{site.port}/")
        assert site.asked == ["/"]
    assert trap.count == 0


@contextmanager
def twins() -> Iterator[tuple[Site, socket.socket]]:
    """A public site and a socket inside that listens at the same port; ports that another server has are passed by."""
    for _ in range(20):
        with Site() as site:
            try:
                inside = socket.create_server(("127.0.0.1", site.port))
            except OSError:
                continue
            with inside:
                yield site, inside
                return
    raise OSError("no port was free on both addresses")


@STACKS
def test_a_name_that_changes_its_mind_is_dialled_where_it_was_checked(ask: Ask) -> None:
    names = Names(shop=[PUBLIC, "127.0.0.1"])
    with twins() as (site, inside):
        assert ask(guard(names), f"http://shop.example:{site.port}/")
        inside.settimeout(0)
        with pytest.raises(BlockingIOError):
            inside.accept()
        assert len(site.asked) == 1
        assert names.asked == ["shop.example"]


@STACKS
def test_a_name_that_has_changed_its_mind_is_checked_anew(ask: Ask, trap: Trap) -> None:
    names = Names(shop=[PUBLIC, "127.0.0.1"])
    strict = guard(names)
    with Site(f"http://shop.example:{trap.port}/") as site, pytest.raises(REFUSED):
        ask(strict, f"http://shop.example:{site.port}/")
    assert names.asked == ["shop.example"] * 2
    assert trap.count == 0


def test_the_system_s_resolver_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = socket.getaddrinfo

    def answer(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host == "shop.example":
            asked.append(host)
            host = PUBLIC if len(asked) == 1 else "127.0.0.1"
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("socket.getaddrinfo", answer)
    with Site() as site:
        for ask in (by_client, by_requests):
            asked.clear()
            assert ask(AddressGuard(ports=None, judge=lambda _: None), f"http://shop.example:{site.port}/")
            assert asked == ["shop.example"]


# --- ports and switches ---------------------------------------------------------------------------------------------


@STACKS
def test_places_are_asked_at_the_allowed_ports_only(ask: Ask) -> None:
    with Site() as site:
        url, names = f"http://shop.example:{site.port}/", Names(shop=[PUBLIC])
        with pytest.raises(REFUSED, match=f"port {site.port} is not among `source_ports`"):
            ask(guard(names, ports=(80, 443)), url)
        assert names.asked == [], "a refused port says nothing about the name"
        assert site.asked == []
        assert ask(guard(names, ports=(80, 443, site.port)), url)


@STACKS
def test_the_switch_opens_one_s_own_network_at_any_port(ask: Ask) -> None:
    with Site(host="127.0.0.1") as site:
        for host in ("127.0.0.1", "localhost", "desk.internal"):
            names = Names(localhost=["127.0.0.1"], desk=["127.0.0.1"], **{"127": ["127.0.0.1"]})
            assert ask(guard(names, allow_private=True, ports=(80, 443)), f"http://{host}:{site.port}/")


def test_a_client_made_without_a_guard_is_strict(trap: Trap) -> None:
    with Client() as client, pytest.raises(Unavailable, match="set allow_private_sources = true"):
        client.get(f"http://127.0.0.1:{trap.port}/")
    assert trap.count == 0


# --- what is said ---------------------------------------------------------------------------------------------------


@STACKS
def test_a_private_address_a_closed_port_and_a_missing_name_sound_the_same(ask: Ask) -> None:
    with socket.create_server((PUBLIC, 0)) as taken:
        port = taken.getsockname()[1]
    heard = Heard()
    answers = {"private": ["10.0.0.1"], "closed": [PUBLIC], "missing": [], "mixed": [f"{PUBLIC} 10.0.0.1"]}
    said = set()
    for answer in answers.values():
        with pytest.raises(REFUSED) as caught:
            ask(guard(Names(shop=answer), heard), f"http://shop.example:{port}/feed")
        said.add((type(caught.value), str(caught.value)))
    [(_, text)] = said
    assert (
        "it is not public or nobody answers; if it lies in your own network, set allow_private_sources = true" in text
    )
    # The log tells them apart.
    private, closed, missing, mixed = heard
    assert private == ("shop.example", port, "10.0.0.1", "private")
    assert "refused" in closed[3]
    assert missing[3].endswith("Name or service not known")
    assert mixed[2:] == ("10.0.0.1", "private")


def test_where_all_is_allowed_the_cause_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for ask in (by_client, by_requests):
        with pytest.raises(REFUSED, match="Connection refused"):
            ask(AddressGuard(allow_private=True), f"http://127.0.0.1:{port}/")


def test_a_guard_names_its_own_switch() -> None:
    with pytest.raises(NotReached, match="set allow_private_notifiers = true"):
        guard(switch="allow_private_notifiers").addresses("10.0.0.1", 25)


@pytest.mark.parametrize("host", ["shop.example", "8.8.8.8", "[2606:4700::1111]"])
def test_what_the_writing_does_not_give_away_is_asked_of_the_resolver(host: str) -> None:
    names = Names(shop=["8.8.8.8"])
    assert guard(names).refusal(host, 443) is None
    assert names.asked == []
    assert guard(names).addresses(host, 443) == (("8.8.8.8",) if host != "[2606:4700::1111]" else ("2606:4700::1111",))


# --- the environment ------------------------------------------------------------------------------------------------


@STACKS
def test_proxies_of_the_environment_are_not_used(ask: Ask, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{trap.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    with Site() as site:
        assert ask(guard(Names(shop=[PUBLIC])), f"http://shop.example:{site.port}/")
        assert site.asked == ["/"], "a proxy would be asked for the whole address"
    assert trap.count == 0


def test_a_proxy_given_by_hand_is_refused(trap: Trap) -> None:
    with guarded_session(guard(allow_private=True)) as session, pytest.raises(requests.exceptions.ProxyError):
        session.get("http://shop.example/", proxies={"http": f"http://127.0.0.1:{trap.port}"})
    assert trap.count == 0


def test_no_password_is_taken_from_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine shop.example login me password pa55word")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Site() as site, guarded_session(guard(Names(shop=[PUBLIC]))) as session:
        answer = session.get(f"http://shop.example:{site.port}/")
        assert "Authorization" not in answer.request.headers


def test_a_session_waits_for_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.http.session._PATIENCE", (0.2, 0.2))
    with (
        socket.create_server((PUBLIC, 0)) as silent,
        guarded_session(guard(Names(shop=[PUBLIC]))) as session,
        pytest.raises(requests.exceptions.ReadTimeout),
    ):
        session.get(f"http://shop.example:{silent.getsockname()[1]}/")


# --- TLS ------------------------------------------------------------------------------------------------------------


@contextmanager
def secure_site(ca: trustme.CA, *names: str) -> Iterator[tuple[Site, list[str | None]]]:
    """An https server whose certificate has these names, and the names it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    site = Site()
    site.socket = context.wrap_socket(site.socket, server_side=True)
    site.handle_error = lambda *_: None  # type: ignore[method-assign]
    with site:
        yield site, asked


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def securely(ask: Ask, ca: trustme.CA, url: str, folder: Path) -> str:
    """Ask under a guard, trusting this authority alone."""
    strict = guard(Names(shop=[PUBLIC]))
    if ask is by_client:
        with Client(guard=strict, longest=5) as client:
            ca.configure_trust(client._client._transport._pool._ssl_context)  # type: ignore[attr-defined]
            return client.get(url).body.decode()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    with guarded_session(strict) as session:
        return session.get(url, timeout=5, verify=str(folder / "ca.pem")).text


@STACKS
def test_the_certificate_is_checked_for_the_name_and_the_checked_address_is_dialled(
    ask: Ask, ca: trustme.CA, tmp_path: Path
) -> None:
    with secure_site(ca, "shop.example") as (site, asked):
        assert securely(ask, ca, f"https://shop.example:{site.port}/", tmp_path) == f"shop.example:{site.port}"
        assert asked == ["shop.example"]


@STACKS
@pytest.mark.parametrize("name", ["other.example", PUBLIC])
def test_a_certificate_for_another_name_or_for_the_address_is_refused(
    ask: Ask, name: str, ca: trustme.CA, tmp_path: Path
) -> None:
    with secure_site(ca, name) as (site, _), pytest.raises(REFUSED, match=r"(?i)certificate"):
        securely(ask, ca, f"https://shop.example:{site.port}/", tmp_path)
    assert site.asked == []


@STACKS
def test_a_certificate_of_an_unknown_authority_is_refused(ask: Ask, ca: trustme.CA) -> None:
    with secure_site(ca, "shop.example") as (site, _), pytest.raises(REFUSED, match=r"(?i)certificate"):
        ask(guard(Names(shop=[PUBLIC])), f"https://shop.example:{site.port}/")
    assert site.asked == []
