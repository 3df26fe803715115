"""Foreign host names, writing methods and scripts from elsewhere are refused, on every answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from listener.store.places import Places as StoredPlaces
from listener.web import Server, make_web, serve
from listener.web.guard import POLICY, host_name
from listener.web.pages import HERE
from tests.web.stage import CONFIG, Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One stage for all: nothing here writes."""
    with Stage(tmp_path_factory.mktemp("guard")) as made:
        yield made


@pytest.fixture(scope="module")
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def web(server: Server, stage: Stage) -> Iterator[httpx2.Client]:
    with stage.signed_in(server.url) as client:
        yield client


def asked_as(web: httpx2.Client, host: str, path: str = "/cases") -> httpx2.Response:
    return web.get(path, headers={"host": host})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8420", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8420", "localhost."]
)
def test_the_loopback_is_answered_under_each_of_its_names(web: httpx2.Client, host: str) -> None:
    assert asked_as(web, host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8420",
        "localhost@evil.example",
        "evil.example/localhost", "[::2]", "[::1", "169.254.169.254", "0.0.0.0", "127.0.0.1:80:80", "localhost\\evil",
    ],
)  # fmt: skip
def test_another_host_name_is_refused_with_a_sentence(web: httpx2.Client, host: str) -> None:
    for path in ("/cases", "/api/v1/cases", "/metrics", "/static/listener.css", "/nothing"):
        answer = asked_as(web, host, path)
        assert answer.status_code == 400, path
        assert "hosts in the [web] section" in answer.text


def test_configured_names_are_answered(tmp_path: Path) -> None:
    more = '\n[web]\npublic_url = "https://listen.acme.example/inbox"\nhosts = ["desk.lan"]\n'
    with Stage(tmp_path, CONFIG + more) as stage:
        server = serve(make_web(stage), "127.0.0.1", 0)
        server.start()
        try:
            with httpx2.Client(base_url=server.url, trust_env=False) as web:
                said = {
                    host: asked_as(web, host, "/healthz").status_code
                    for host in ("listen.acme.example", "desk.lan:443", "acme.example")
                }
        finally:
            server.stop()
    assert said == {"listen.acme.example": 200, "desk.lan:443": 200, "acme.example": 400}


@pytest.mark.parametrize("hosts", [b"Host: localhost\r\nHost: evil.example\r\n", b""])
def test_none_or_two_host_headers_are_refused(server: Server, hosts: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /cases HTTP/1.1\r\n" + hosts + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_a_page_does_not_know_is_refused(web: httpx2.Client, method: str) -> None:
    answer = web.request(method, "/mentions")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/cases", "/places", "/trends", "/healthz", "/metrics", "/api/v1/places", "/nothing"])
def test_head_is_get_without_a_body(web: httpx2.Client, path: str) -> None:
    whole, head = web.get(path), web.head(path)
    assert (head.status_code, head.headers["content-type"]) == (whole.status_code, whole.headers["content-type"])
    assert head.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/cases",
        "/nothing",
        "/cases?page=x",
        "/api/v1/nothing",
        "/static/listener.css",
        "/static/nothing",
        "/metrics",
    ],
)
def test_every_answer_carries_the_strict_headers(web: httpx2.Client, path: str) -> None:
    answer = web.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers


def test_a_refusal_and_a_defect_carry_them_too(
    web: httpx2.Client, server: Server, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> tuple[int, int]:
        raise RuntimeError("a defect")

    monkeypatch.setattr(StoredPlaces, "standing", lambda _self: broken())
    with stage.signed_in(server.url) as once:
        defect = once.get("/cases")
    assert defect.status_code == 500
    assert "a defect" not in defect.text
    for answer in (asked_as(web, "evil.example"), web.post("/cases"), defect):
        assert answer.headers["content-security-policy"] == POLICY


def test_pages_are_never_kept_and_files_are(web: httpx2.Client) -> None:
    page = web.get("/cases")
    assert page.headers["cache-control"] == "no-store"
    found = re.search(r'href="(/static/listener\.css\?v=\w+)"', page.text)
    assert found
    assert "immutable" in web.get(found.group(1)).headers["cache-control"]
    assert web.get("/static/listener.css").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/../guard.py", "/static/..%2fguard.py", "/static/%2e%2e/pages.py", "/static//etc/passwd"]
)
def test_files_outside_the_folder_are_not_served(web: httpx2.Client, path: str) -> None:
    assert web.get(path).status_code == 404


def test_host_names_are_read_strictly() -> None:
    assert host_name("Desk.LAN.:8420") == "desk.lan"
    assert host_name("[::1]:8420") == "::1"
    assert host_name("::1") == "::1"
    assert host_name("a b") == host_name("a/b") == host_name("[::1") == host_name("") == ""


def test_no_template_switches_escaping_off() -> None:
    for file in (HERE / "templates").iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape|Markup|style\s*=|<style|javascript:|\bon\w+\s*=\s*[\"']", text), (
            file.name
        )
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, file.name
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), file.name


def test_no_code_switches_escaping_off() -> None:
    for file in HERE.glob("*.py"):
        assert not re.search(r"Markup\b|autoescape=False", file.read_text(encoding="utf-8")), file.name
