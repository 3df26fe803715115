"""Reads the configuration: TOML file, then environment, then secrets, into one checked Settings.

Called by the registry, which adds the checks that need the adapters. Everything wrong is told at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from listener.core.call import PLACE
from listener.core.errors import SettingsError
from listener.core.query import Place, Query
from listener.core.topic import Topic
from listener.settings._environ import from_environ
from listener.settings._lines import KeyPath, lines_of
from listener.settings._references import check_brands, check_places, check_queries, check_topics, known, unique
from listener.settings._routes import RouteReader
from listener.settings._secrets import read_secrets, without_secrets
from listener.settings.fields import Table, fill, own_keys
from listener.settings.problems import Places, Problem, Problems, suggest
from listener.settings.sections import (
    STRICTER,
    Brand,
    ChannelSettings,
    GeneralSettings,
    InboxSettings,
    ReplySettings,
    ScorerSettings,
    Secrets,
    Settings,
    StoreSettings,
    WebSettings,
)

SECTIONS = (
    "listener",
    "store",
    "web",
    "inbox",
    "replies",
    "scorer",
    "credentials",
    "brand",
    "topic",
    "query",
    "place",
    "channel",
    "route",
)
DEFAULT_CHANNELS: tuple[Table, ...] = ({"name": "console", "adapter": "console"},)
"""The channels when the file has none."""

T = TypeVar("T")
Numbered = list[tuple[KeyPath, T]]
"""Nouns, each with where it is written."""


def load(
    path: Path | None, environ: Mapping[str, str], *, also: Callable[[Settings], Iterable[Problem]] | None = None
) -> Settings:
    """Read and check a configuration.

    Args:
        path: the TOML file; None: defaults and the environment only.
        environ: the environment, as in `os.environ`.
        also: more checks, told together with ours; the registry's, since only it knows the adapters.

    Raises:
        SettingsError: names file, line, fault and cure of everything that is wrong.
    """
    text = "" if path is None else _text(path)
    document = _document(text, path)
    values, variables, wrong = from_environ(environ)
    file = "" if path is None else str(path)
    variables = {**variables, **{("environment", number): said.split(":")[0] for number, said in enumerate(wrong)}}
    places = Places(file=file, lines=lines_of(text), variables=variables, named=_named(document))
    problems = Problems(places)
    cleaned = without_secrets(document, (), problems)
    assert isinstance(cleaned, dict)
    _overlay(cleaned, values)
    for number, said in enumerate(wrong):
        problems.add(("environment", number), said.partition(": ")[2])
    settings = _Reader(cleaned, environ, problems, Path.cwd() if path is None else path.absolute().parent).settings()
    if also is not None:
        for problem in also(settings):
            problems.take(problem)
    problems.raise_any()
    return settings


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        cure = f"`listener check --print-default > {path}` writes one to start from"
        raise SettingsError(f"there is no such file; {cure}", resource=str(path)) from None
    except UnicodeDecodeError as problem:
        raise SettingsError(f"not UTF-8 text (byte {problem.start}); save it as UTF-8", resource=str(path)) from None
    except OSError as problem:
        raise SettingsError(f"cannot be read: {problem.strerror}", resource=str(path)) from problem


def _document(text: str, path: Path | None) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        found = re.search(r"\(at line (\d+), column \d+\)", str(problem))
        line = found.group(1) if found else text.count("\n") + 1
        said = re.sub(r"\s*\(at [^)]*\)", "", str(problem))
        raise SettingsError(f"not valid TOML: {said}", resource=f"{path}:{line}") from None


def _named(document: Mapping[str, object]) -> Mapping[tuple[str, str], KeyPath]:
    """Where each place and channel is written; the first of two with one name."""
    found: dict[tuple[str, str], KeyPath] = {}
    for section in ("place", "channel"):
        tables = document.get(section)
        for index, table in enumerate(tables if isinstance(tables, list) else ()):
            if isinstance(table, Mapping):
                found.setdefault((section, str(table.get("name"))), (section, index))
    return found


def _overlay(document: dict[str, object], values: Mapping[KeyPath, object]) -> None:
    """Put the environment's values over the file's."""
    for (section, key), value in values.items():
        table = document.setdefault(str(section), {})
        if isinstance(table, dict):
            table[str(key)] = value


class _Reader:
    """Turns one document into Settings, noting problems on the way."""

    def __init__(
        self, document: Mapping[str, object], environ: Mapping[str, str], problems: Problems, folder: Path
    ) -> None:
        self.document = document
        self.environ = environ
        self.problems = problems
        self.folder = folder

    def settings(self) -> Settings:
        for key in self.document.keys() - set(SECTIONS):
            self.problems.add((key,), f"unknown section `{key}`; {suggest(key, SECTIONS)}")
        listener = self._section(GeneralSettings, "listener")
        brands = self._brands()
        places = self._places()
        queries = self._queries(brands)
        channels = self._channels()
        self._references(brands, queries, places)
        store, secrets = self._store(places, channels)
        rivals = [brand.name for _, brand in brands if brand.rival]
        names = self._names("channel", DEFAULT_CHANNELS)
        route = RouteReader(names, rivals, self._facts(queries), self.problems, self.folder)
        settings = Settings(
            file=self.problems.places.file,
            folder=self.folder,
            state_dir=self._state_dir(listener.state_dir),
            listener=listener,
            store=store,
            web=self._section(WebSettings, "web"),
            inbox=self._inbox(names),
            replies=self._section(ReplySettings, "replies"),
            scorer=self._scorer(),
            brands=tuple(brand for _, brand in brands),
            topics=tuple(topic for _, topic in self._topics()),
            queries=tuple(query for _, query in queries),
            places=tuple(place for _, place in places),
            channels=tuple(channel for _, channel in channels),
            route=route.tree(self._table("route")),
            secrets=secrets,
            revision="",
            written=self.problems.places,
        )
        return dataclasses.replace(settings, revision=_revision(settings))

    def _state_dir(self, written: str) -> Path:
        if ("listener", "state_dir") in self.problems.places.variables and written:
            return Path(written).absolute()
        if written:
            return (self.folder / written).resolve()
        # systemd separates several by colons; the first is ours.
        granted = self.environ.get("STATE_DIRECTORY", "").split(":")[0]
        return Path(granted or "var/listener").absolute()

    def _table(self, name: str) -> dict[str, object]:
        table = self.document.get(name, {})
        if isinstance(table, dict):
            return table
        self.problems.add((name,), f"`{name}` is a table: write [{name}] on a line of its own")
        return {}

    def _tables(self, name: str, default: Iterable[Table] = ()) -> Numbered[Table]:
        tables = self.document.get(name, list(default))
        if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
            self.problems.add((name,), f"`{name}` is a list of tables: write [[{name}]] on a line of its own")
            return []
        return [((name, index), table) for index, table in enumerate(tables)]

    def _names(self, name: str, default: Iterable[Table] = ()) -> list[str]:
        """Every name written, whether its table is otherwise right or not, so that one fault makes one problem."""
        return [str(table["name"]) for _, table in self._tables(name, default) if "name" in table]

    def _facts(self, queries: Numbered[Query]) -> Mapping[str, Sequence[str]]:
        """The names that a route may ask for, by fact; calls have a place of their own."""
        asked = {*self._names("query"), *(query.name for _, query in queries)}
        places = [*self._names("place"), PLACE]
        return {"topic": self._names("topic"), "brand": self._names("brand"), "place": places, "query": sorted(asked)}

    def _section(self, cls: type[T], name: str) -> T:
        return fill(cls, self._table(name), (name,), self.problems, folder=self.folder) or cls()

    def _filled(self, cls: type[T], name: str, default: Iterable[Table] = ()) -> Numbered[T]:
        found = []
        for path, table in self._tables(name, default):
            noun = fill(cls, table, path, self.problems, folder=self.folder, stricter=STRICTER.get(cls, ()))
            if noun is not None:
                found.append((path, noun))
        return found

    def _opened(self, cls: type[T], table: Table, path: KeyPath, rest: str) -> T | None:
        """Fill a noun whose table also holds an adapter's options, which go to the field `rest`."""
        own = {key: value for key, value in table.items() if key in own_keys(cls) and key != rest}
        options = {key: value for key, value in table.items() if key not in own}
        noun = fill(cls, own, path, self.problems, folder=self.folder, stricter=STRICTER.get(cls, ()))
        return None if noun is None else dataclasses.replace(noun, **{rest: options})  # type: ignore[type-var]

    def _inbox(self, channels: Sequence[str]) -> InboxSettings:
        inbox = self._section(InboxSettings, "inbox")
        for key in ("announce_channels", "advice_channels", "review_channels", "remedy_channels"):
            for index, name in enumerate(getattr(inbox, key) or ()):
                known(("inbox", key, index), "channel", name, channels, self.problems)
        return inbox

    def _scorer(self) -> ScorerSettings:
        return self._opened(ScorerSettings, self._table("scorer"), ("scorer",), "options") or ScorerSettings()

    def _channels(self) -> Numbered[ChannelSettings]:
        found: Numbered[ChannelSettings] = []
        for path, table in self._tables("channel", DEFAULT_CHANNELS):
            channel = self._opened(ChannelSettings, table, path, "options")
            if channel is not None:
                found.append((path, channel))
        unique("channel", ((path, channel.name) for path, channel in found), self.problems)
        return found

    def _brands(self) -> Numbered[Brand]:
        found = self._filled(Brand, "brand")
        unique("brand", ((path, brand.name) for path, brand in found), self.problems)
        return found

    def _topics(self) -> Numbered[Topic]:
        found = self._filled(Topic, "topic")
        unique("topic", ((path, topic.name) for path, topic in found), self.problems)
        check_topics(found, self._names("brand"), self.problems)
        return found

    def _places(self) -> Numbered[Place]:
        found: Numbered[Place] = []
        for path, table in self._tables("place"):
            place = self._opened(Place, table, path, "params")
            if place is not None:
                found.append((path, place))
        unique("place", ((path, place.name) for path, place in found), self.problems)
        return found

    def _queries(self, brands: Numbered[Brand]) -> Numbered[Query]:
        short = [
            (path, Query(name=brand.name, brand=brand.name, terms=brand.terms, exclude=brand.exclude))
            for path, brand in brands
            if brand.terms
        ]
        found = short + self._filled(Query, "query")
        unique("query", ((path, query.name) for path, query in found), self.problems)
        return found

    def _references(self, brands: Numbered[Brand], queries: Numbered[Query], places: Numbered[Place]) -> None:
        names = self._names("brand")
        check_places(places, names, self.problems)
        written = [(path, query) for path, query in queries if path[0] == "query"]
        check_queries(written, names, self._names("place"), self.problems)
        check_brands(brands, (query for _, query in queries), (place for _, place in places), self.problems)

    def _store(self, places: Numbered[Place], channels: Numbered[ChannelSettings]) -> tuple[StoreSettings, Secrets]:
        """Read the secrets, the store's address among them."""
        store = self._section(StoreSettings, "store")
        wanted: list[tuple[KeyPath, str | None]] = [(("store", "credential"), store.credential)]
        wanted += [((*path, "credential"), place.credential) for path, place in places if place.enabled]
        wanted += [((*path, "credential"), channel.credential) for path, channel in channels]
        asked = [(name, path) for path, name in wanted if name is not None]
        secrets = read_secrets(asked, self._table("credentials"), self.environ, self.folder, self.problems)
        return dataclasses.replace(store, url=secrets.reveal(store.credential) or store.url), secrets


def _revision(settings: Settings) -> str:
    """Ten hex digits over everything that decides: not where it is kept, served or logged, and no secret."""
    parts = (
        settings.listener.alert_horizon,
        settings.listener.case_window,
        settings.scorer,
        settings.brands,
        settings.topics,
        settings.queries,
        settings.places,
        settings.channels,
        settings.route,
    )
    plain = [dataclasses.asdict(part) if dataclasses.is_dataclass(part) else part for part in parts]
    text = json.dumps(plain, default=_plain, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _plain(value: object) -> object:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else str(value)
