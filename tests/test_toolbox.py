"""What adapters are given goes where the settings say: places and channels each by their own switch."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from listener import registry
from listener.app import make_app
from listener.core.errors import Rejected, Unavailable
from listener.core.protocols import Budget
from listener.core.tools import Tools
from listener.registry import load_settings
from listener.settings import Settings
from listener.testing import FakeClock
from listener.toolbox import Toolbox
from tests.trap import Trap


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as made:
        yield made


@pytest.fixture
def site() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def settings(folder: Path, **general: object) -> Settings:
    lines = "\n".join(f"{key} = {str(value).lower()}" for key, value in general.items())
    (folder / "listener.toml").write_text(f"[listener]\n{lines}\n")
    return load_settings(folder / "listener.toml", {})


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Toolbox]:
    made = Toolbox(settings(tmp_path), FakeClock())
    yield made
    made.close()


def hears(tools: Tools, url: str) -> bool:
    """Whether each of the three ways reaches an address; all must agree."""
    assert tools.http is not None
    assert tools.session is not None
    assert tools.guard is not None
    host, port = url.split("/")[2].rsplit(":", 1)
    reached = []
    for way in (
        lambda: tools.http.get(url).body,
        lambda: tools.session().get(url, timeout=5).content,
        lambda: tools.guard.addresses(host, int(port)) and b"hello",
    ):
        try:
            reached.append(way() == b"hello")
        except (Unavailable, OSError):
            reached.append(False)
    assert len(set(reached)) == 1, reached
    return reached[0]


def test_nothing_leads_inside_unless_the_operator_says_so(tools: Toolbox, trap: Trap) -> None:
    for given in (tools.for_places(), tools.for_channels()):
        assert not hears(given, f"http://127.0.0.1:{trap.port}/")
    assert trap.count == 0


@pytest.mark.parametrize(
    ("switch", "places", "channels"),
    [("allow_private_sources", True, False), ("allow_private_notifiers", False, True)],
)
def test_a_reload_opens_and_shuts_each_switch_by_itself(
    tools: Toolbox, site: str, switch: str, places: bool, channels: bool, tmp_path: Path
) -> None:
    given = tools.for_places(), tools.for_channels()
    tools.adopt(settings(tmp_path, **{switch: True}))
    assert [hears(one, site) for one in given] == [places, channels]
    tools.adopt(settings(tmp_path))
    assert not tools.for_places().guard.allow_private  # type: ignore[union-attr]
    for one in given:
        with pytest.raises(OSError, match="not"):
            one.guard.addresses("127.0.0.1", 80)  # type: ignore[union-attr]


def test_the_log_has_what_the_error_keeps_back(tools: Toolbox) -> None:
    given = tools.for_places()
    assert given.http is not None
    with capture_logs() as logged, pytest.raises(Unavailable) as caught:
        given.http.get("http://10.11.12.13/feed")
    assert "set allow_private_sources = true" in str(caught.value)
    [event] = logged
    assert (event["event"], event["log_level"]) == ("not_reached", "warning")
    assert (event["host"], event["port"], event["address"], event["why"]) == ("10.11.12.13", 80, "", "private")


def test_places_are_asked_at_the_written_ports(tools: Toolbox, tmp_path: Path) -> None:
    guard, free = tools.for_places().guard, tools.for_channels().guard
    assert guard is not None
    assert free is not None
    assert guard.refusal("shop.example", 443) is None
    assert "port 8443 is not among `source_ports`" in (guard.refusal("shop.example", 8443) or "")
    tools.adopt(settings(tmp_path, source_ports=[443, 8443]))
    assert guard.refusal("shop.example", 8443) is None
    assert guard.refusal("shop.example", 80) is not None
    assert tools.for_places((993,)).guard.refusal("mail.example", 993) is not None, "who writes ports writes them all"  # type: ignore[union-attr]
    assert free.refusal("shop.example", 587) is None, "a channel's port is the operator's own word"


def test_a_kind_of_place_is_asked_at_its_own_ports_and_at_no_private_address(tools: Toolbox, tmp_path: Path) -> None:
    mail, web = tools.for_places(registry.ports("imap")).guard, tools.for_places(registry.ports("feed")).guard
    assert mail is not None
    assert web is not None
    for port in (993, 143, 465, 587):
        assert mail.refusal("mail.example", port) is None
        assert "is not among `source_ports` (here 80, 443)" in (web.refusal("mail.example", port) or "")
        assert "not public" in (mail.refusal("10.0.0.1", port) or "")
    for port in (25, 22, 80, 443):
        assert mail.refusal("mail.example", port) is not None
    tools.adopt(settings(tmp_path, source_ports=[2525]))
    assert [mail.refusal("mail.example", port) is None for port in (993, 2525)] == [False, True]
    tools.adopt(settings(tmp_path))
    assert mail.refusal("mail.example", 993) is None
    assert web.refusal("mail.example", 2525) is not None


def test_each_kind_of_place_that_is_built_is_given_its_own_ports(tmp_path: Path) -> None:
    for source in registry.sources():
        expected = {993, 143, 465, 587} if source == "imap" else {80, 443}
        assert set(registry.ports(source)) == expected


@pytest.mark.parametrize("written", ["443,8443", "[443, 8443]", "443, 8443"])
def test_ports_can_be_given_by_the_environment(written: str, tmp_path: Path) -> None:
    (tmp_path / "listener.toml").write_text("")
    found = load_settings(tmp_path / "listener.toml", {"LISTENER_SOURCE_PORTS": written})
    assert found.listener.source_ports == (443, 8443)


def test_a_mailbox_works_without_a_word_about_ports(tmp_path: Path) -> None:
    (tmp_path / "listener.toml").write_text(
        f'[listener]\nstate_dir = "{tmp_path}"\n[web]\nenabled = false\n[[brand]]\nname = "Acme"\nterms = ["acme"]\n'
        '[[place]]\nname = "post"\nsource = "imap"\nhost = "10.0.0.1"\nuser = "service@shop.example"\n'
    )
    app = make_app(load_settings(tmp_path / "listener.toml", {}))
    try:
        place = app.rules.places["post"]
        with pytest.raises(Rejected, match="not public"):  # and so not: "port 993 is not among ..."
            app.adapters.sources["post"].poll(place, (), None, Budget(seconds=5))
    finally:
        app.close()
