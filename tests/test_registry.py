"""Adapters come in by entry point, ours and a stranger's alike; what is wrong with one is told with its cure."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener import registry
from listener.core.errors import SettingsError
from listener.core.tools import Tools
from listener.settings import Settings

_numbers = itertools.count()
Install = Callable[..., str]

ADAPTERS = """
from __future__ import annotations
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal
from listener.core.protocols import Capabilities

class Lobsters:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        url: str
        pause: timedelta | None = None
        file: Path | None = None
        more: tuple[Path, ...] = ()
        mode: Literal["new", "hot"] = "new"
        limit: int = 3
        headers: dict[str, str] = field(default_factory=dict)

        def __post_init__(self) -> None:
            if self.limit < 1:
                raise ValueError("`limit` must be 1 or more")

    name: ClassVar[str] = "lobsters"
    capabilities: ClassVar[Capabilities] = Capabilities(window="all", latency="none")

    def __init__(self, options, tools):
        self.options, self.tools = options, tools

    def poll(self, place, needs, cursor, budget): ...

class Coin:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        sides: int = 2

    def __init__(self, options, tools):
        self.options, self.tools = options, tools

    @property
    def name(self): return "coin@1"

    def read(self, texts): ...

class Pigeon:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        loft: str = ""

    name: ClassVar[str] = "pigeon"
    needs_url: ClassVar[bool] = True

    def __init__(self, options, tools):
        self.options, self.tools = options, tools

    def send(self, message): ...

class Owl(Pigeon):
    needs_url: ClassVar[bool] = False

class Odd(Lobsters):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        when: Capabilities | Unknown = None

class Opaque(Lobsters):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        where: type(open("/dev/null")) = None

class NoPoll:
    name: ClassVar[str] = "nopoll"
    Options = Lobsters.Options
    capabilities: ClassVar[str] = "many"

def not_a_class(options, tools): ...
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a stranger's package: its module's text and its entry points; returns the module's name."""

    def _install(entries: str, text: str = ADAPTERS, package: str = "listener-lobsters") -> str:
        module = f"stranger_{next(_numbers)}"
        site = tmp_path / module
        info = site / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(textwrap.dedent(entries).replace("MODULE", module))
        monkeypatch.syspath_prepend(site)
        return module

    return _install


ENTRIES = """
    [listener.sources]
    lobsters = MODULE:Lobsters
    nopoll = MODULE:NoPoll
    odd = MODULE:Odd
    opaque = MODULE:Opaque
    function = MODULE:not_a_class
    absent = MODULE:Absent
    [listener.scorers]
    coin = MODULE:Coin
    [listener.channels]
    pigeon = MODULE:Pigeon
    owl = MODULE:Owl
    """
CALM = '[scorer]\nname = "coin"\n[[channel]]\nname = "desk"\nadapter = "owl"\n'
PLACE = '[[place]]\nname = "red"\nsource = "lobsters"\nurl = "https://l.example"\n'


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Settings]:
    """Read and check a configuration with a scorer and a channel that exist."""

    def _read(text: str, *, calm: str = CALM, **environ: str) -> Settings:
        file = tmp_path / "l.toml"
        file.write_text(text + calm)
        return registry.load_settings(file, environ)

    return _read


def faults(tmp_path: Path, read: Callable[..., Settings], text: str, **options: str) -> list[str]:
    """The problems without the heading and the folder."""
    with pytest.raises(SettingsError) as caught:
        read(text, **options)
    return str(caught.value).replace(f"{tmp_path}/", "").split("\n")[1:]


def tools() -> Tools:
    return Tools(http=None, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))


# --- building


def test_a_source_is_built_with_its_options_and_secret(
    install: Install, read: Callable[..., Settings], tmp_path: Path
) -> None:
    install(ENTRIES)
    settings = read(
        PLACE + 'credential = "key"\nevery = "1m"\npause = "90s"\nfile = "a/b"\nmore = ["/c"]\nheaders = {x = "y"}\n',
        LISTENER_CREDENTIAL_KEY="hunter2",
    )
    built = registry.build_source(settings.places[0], settings, tools())
    options = built.options  # type: ignore[attr-defined]
    assert (options.url, options.pause, options.mode) == ("https://l.example", timedelta(seconds=90), "new")
    assert (options.file, options.more) == (tmp_path / "a/b", (Path("/c"),))
    assert options.headers == {"x": "y"}
    assert built.tools.secret == "hunter2"  # type: ignore[attr-defined]


def test_a_scorer_and_a_channel_are_built(install: Install, read: Callable[..., Settings]) -> None:
    install(ENTRIES)
    settings = read("", calm=CALM.replace('"coin"', '"coin"\nsides = 3'))
    assert registry.build_scorer(settings, tools()).options.sides == 3  # type: ignore[attr-defined]
    channel = registry.build_channel(settings.channels[0], settings, tools())
    assert channel.needs_url is False
    assert channel.tools.secret is None  # type: ignore[attr-defined]


def test_building_with_wrong_options_is_refused(install: Install, read: Callable[..., Settings]) -> None:
    install(ENTRIES)
    settings = read("", LISTENER_SCORER_SIDES="2")
    wrong = registry.load(None, {"LISTENER_SCORER_NAME": "coin", "LISTENER_SCORER_SIDES": "many"})
    assert registry.build_scorer(settings, tools())
    with pytest.raises(SettingsError, match="LISTENER_SCORER_SIDES: `sides`: input should be a valid integer"):
        registry.build_scorer(wrong, tools())


# --- what is refused, with file and line

FAULTS = {
    PLACE.replace("lobsters", "lobstrs"): "3: no source is called `lobstrs`; did you mean `lobsters`? known: ",
    PLACE + "lmit = 3": "5: unknown key `lmit`; did you mean `limit`? known: ",
    PLACE + "evry = '3m'": "5: unknown key `evry`; did you mean `every`? known: ",
    PLACE + "limit = '3'": "5: `limit`: input should be a valid integer",
    PLACE + "limit = 0": "1: `limit` must be 1 or more",
    PLACE + "pause = 5": '5: `pause`: a duration is text with a unit, such as "30s"',
    PLACE + "mode = 'old'": "5: `mode`: input should be 'new' or 'hot'",
    PLACE.replace("url", "#url"): "1: `url` is missing",
    PLACE.replace(
        "lobsters", "nopoll"
    ): "3: source `nopoll` of the package listener-lobsters lacks `capabilities`, `poll`",
    PLACE.replace("lobsters", "function"): "3: source `function` of the package listener-lobsters lacks to be a class",
    PLACE.replace("lobsters", "odd"): "3: source `odd` of the package listener-lobsters lacks types in `Options`",
    PLACE.replace("lobsters", "opaque"): "3: source `opaque` of the package listener-lobsters lacks types in `Options`",
    PLACE.replace("lobsters", "absent"): "3: source `absent` cannot be imported (AttributeError: ",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_with_its_line_and_cure(
    install: Install, read: Callable[..., Settings], tmp_path: Path, text: str
) -> None:
    install(ENTRIES)
    found = faults(tmp_path, read, f"{text}\n")
    assert len(found) == 1, found
    assert found[0].startswith(f"l.toml:{FAULTS[text]}"), found


def test_unknown_scorers_and_channels_are_told(install: Install, read: Callable[..., Settings], tmp_path: Path) -> None:
    install(ENTRIES)
    found = faults(tmp_path, read, "", calm=CALM.replace("coin", "coyn").replace("owl", "pigeons"))
    assert found[0].startswith("l.toml:2: no scorer is called `coyn`; did you mean `coin`?")
    assert found[1].startswith("l.toml:5: no channel is called `pigeons`; did you mean `pigeon`?")


def test_faults_of_file_and_adapters_are_told_together(
    install: Install, read: Callable[..., Settings], tmp_path: Path
) -> None:
    install(ENTRIES)
    bad = '[[place]]\nname = "a"\nsource = "lobsters"\nevery = 3\n' + PLACE + "lmit = 3\n[web]\nport = ''\n"
    assert [fault.split(":")[1] for fault in faults(tmp_path, read, bad)] == ["4", "9", "11"]


def test_a_secret_taken_out_is_told_once(install: Install, read: Callable[..., Settings], tmp_path: Path) -> None:
    install(ENTRIES)
    found = faults(tmp_path, read, PLACE.replace("https://l", "https://me:hunter2@l"))
    assert len(found) == 1
    assert "hunter2" not in found[0]


def test_public_url_is_required_once_links_leave_the_machine(
    install: Install, read: Callable[..., Settings], tmp_path: Path
) -> None:
    install(ENTRIES)
    away = CALM.replace("owl", "pigeon")
    found = faults(tmp_path, read, "", calm=away)
    assert found == [
        "l.toml:5: channel `desk` sends links: set `public_url` in [web] to the pages' address as staff see it"
    ]
    assert read('[web]\npublic_url = "https://l.example"\n', calm=away)


@pytest.mark.parametrize("text", ["import nowhere_at_all", "def (", "raise RuntimeError('no such library')", "1 / 0"])
def test_a_package_that_cannot_be_imported_is_named(install: Install, text: str) -> None:
    install(ENTRIES, text)
    with pytest.raises(SettingsError, match="re-install or upgrade the package listener-lobsters"):
        registry.adapter("source", "lobsters")


def test_a_broken_package_does_not_hide_the_others(install: Install) -> None:
    install("[listener.sources]\ncrab = MODULE:Crab\n", "import nowhere_at_all", package="listener-crab")
    install(ENTRIES)
    assert "lobsters" in registry.sources()
    assert "crab" not in registry.sources()
    assert "nowhere_at_all" in registry.broken("source")["crab"]
    assert "coin" in registry.scorers()
    assert {"owl", "pigeon"} <= registry.channels().keys()
    assert {"crab", "lobsters", "feed"} <= set(registry.names("source"))


def test_a_name_that_two_packages_claim_is_refused(install: Install) -> None:
    install(ENTRIES)
    install(ENTRIES, package="listener-lobsters-two")
    with pytest.raises(SettingsError, match="comes from listener-lobsters and listener-lobsters-two; remove one"):
        registry.adapter("source", "lobsters")


def test_only_what_is_named_is_imported(install: Install, read: Callable[..., Settings]) -> None:
    install("[listener.sources]\ncrab = MODULE:Crab\n", "raise SystemExit('imported')", package="listener-crab")
    install(ENTRIES)
    assert read(PLACE).places


def test_checking_builds_nothing(install: Install, read: Callable[..., Settings]) -> None:
    install(ENTRIES, ADAPTERS.replace("self.options, self.tools = options, tools", "raise SystemExit('built')"))
    assert registry.check(read(PLACE)) == ()
