"""Finds adapters by entry point and builds them from the options in the configuration.

Ours and a stranger's come in by the same door: the groups `listener.sources`, `listener.scorers` and
`listener.channels`. Only adapters that the configuration names are imported. Called by `app.py` and the commands.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, cast

from listener.core.errors import SettingsError
from listener.core.protocols import Capabilities, Channel, Scorer, Source
from listener.core.query import Place
from listener.core.tools import Tools
from listener.settings import (
    ChannelSettings,
    Problem,
    Problems,
    Settings,
    fill,
    load,
    own_keys,
    refuse,
    suggest,
)

Kind = Literal["source", "scorer", "channel"]
_GROUPS: Mapping[Kind, str] = {
    "source": "listener.sources",
    "scorer": "listener.scorers",
    "channel": "listener.channels",
}
_OFFERS: Mapping[Kind, Mapping[str, type]] = {
    "source": {"name": str, "capabilities": Capabilities, "poll": object},
    "scorer": {"name": object, "read": object},
    "channel": {"name": str, "needs_url": bool, "send": object},
}
"""What a class of each kind must have, beside Options."""
_BROKEN_IMPORT = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError,
)  # fmt: skip
"""What importing a stranger's module raises when it is faulty or does not fit this machine."""


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read a configuration and check it whole, its adapters' options included.

    Raises:
        SettingsError: as `listener.settings.load`.
    """
    return load(path, environ, also=check)


def names(kind: Kind) -> tuple[str, ...]:
    """The installed adapters of a kind, sorted, without importing any."""
    return tuple(sorted({found.name for found in entry_points(group=_GROUPS[kind])}))


def sources() -> Mapping[str, type]:
    """Every installed source that can be imported; see `broken()` for the rest."""
    return _usable("source")


def scorers() -> Mapping[str, type]:
    """Every installed scorer that can be imported."""
    return _usable("scorer")


def channels() -> Mapping[str, type]:
    """Every installed channel adapter that can be imported."""
    return _usable("channel")


def broken(kind: Kind) -> Mapping[str, str]:
    """Why the other installed adapters of a kind cannot be used, by name."""
    reasons = {}
    for name in names(kind):
        try:
            adapter(kind, name)
        except SettingsError as problem:
            reasons[name] = problem.message
    return reasons


def adapter(kind: Kind, name: str) -> Any:
    """The class of an installed adapter.

    Raises:
        SettingsError: it is not installed, installed twice, cannot be imported, or does not offer what its kind must.
    """
    found = [entry for entry in entry_points(group=_GROUPS[kind]) if entry.name == name]
    if not found:
        raise SettingsError(f"no {kind} is called `{name}`; {suggest(name, names(kind))}", resource=name)
    packages = sorted({_package(entry) for entry in found})
    if len(packages) > 1:
        raise SettingsError(f"{kind} `{name}` comes from {' and '.join(packages)}; remove one of them", resource=name)
    cls = _imported(kind, found[0])
    _require(kind, name, cls, packages[0])
    return cls


def ports(source: str) -> tuple[int, ...]:
    """Where places of a kind are asked, unless the operator names ports.

    Raises:
        SettingsError: the adapter cannot be used.
    """
    can: Capabilities = adapter("source", source).capabilities
    return can.ports


def build_source(place: Place, settings: Settings, tools: Tools) -> Source:
    """Build the adapter of a place; does no I/O.

    Raises:
        SettingsError: the adapter or its options are wrong.
    """
    path = settings.written.path_of("place", place.name)
    return cast("Source", _built("source", place.source, place.params, path, settings, tools, place.credential))


def build_scorer(settings: Settings, tools: Tools) -> Scorer:
    """Build the configured scorer; does no I/O.

    Raises:
        SettingsError: the adapter or its options are wrong.
    """
    chosen = settings.scorer
    return cast("Scorer", _built("scorer", chosen.name, chosen.options, ("scorer",), settings, tools, None))


def build_channel(channel: ChannelSettings, settings: Settings, tools: Tools) -> Channel:
    """Build the adapter of a channel; does no I/O.

    Raises:
        SettingsError: the adapter or its options are wrong.
    """
    path = settings.written.path_of("channel", channel.name)
    built = _built("channel", channel.adapter, channel.options, path, settings, tools, channel.credential)
    return cast("Channel", built)


def check(settings: Settings) -> tuple[Problem, ...]:
    """Everything wrong with the adapters that a configuration names and with their options; builds none."""
    problems = Problems(settings.written)
    for place in settings.places:
        path = settings.written.path_of("place", place.name)
        _options("source", place.source, place.params, path, settings, problems)
    _options("scorer", settings.scorer.name, settings.scorer.options, ("scorer",), settings, problems)
    for channel in settings.channels:
        path = settings.written.path_of("channel", channel.name)
        _options("channel", channel.adapter, channel.options, path, settings, problems)
        if not settings.web.public_url and _needs_url(channel.adapter):
            said = (
                f"channel `{channel.name}` sends links: set `public_url` in [web] to the pages' address as staff see it"
            )
            problems.add((*path, "adapter"), said)
    return problems.found()


def _needs_url(name: str) -> bool:
    try:
        return bool(adapter("channel", name).needs_url)
    except SettingsError:
        return False


def _built(
    kind: Kind,
    name: str,
    written: Mapping[str, object],
    path: tuple[str | int, ...],
    settings: Settings,
    tools: Tools,
    credential: str | None,
) -> object:
    problems = Problems(settings.written)
    found = _options(kind, name, written, path, settings, problems)
    refuse(problems.found(), settings.file)
    assert found is not None, "no options without a problem"
    cls, options = found
    return cls(options, dataclasses.replace(tools, secret=settings.secrets.reveal(credential)))


def _options(
    kind: Kind,
    name: str,
    written: Mapping[str, object],
    path: tuple[str | int, ...],
    settings: Settings,
    problems: Problems,
) -> tuple[Any, object] | None:
    """The class and its filled options; None when something is wrong, which is then noted."""
    key = "name" if kind == "scorer" else "source" if kind == "source" else "adapter"
    try:
        cls = adapter(kind, name)
    except SettingsError as problem:
        problems.add((*path, key), problem.message)
        return None
    options = fill(cls.Options, written, path, problems, folder=settings.folder, also=_section_keys(kind))
    return None if options is None else (cls, options)


def _section_keys(kind: Kind) -> tuple[str, ...]:
    """The keys of the section itself, for hints about a misspelt one."""
    if kind == "scorer":
        return ("name",)
    keys = own_keys(Place) if kind == "source" else own_keys(ChannelSettings)
    return tuple(key for key in keys if key not in {"params", "options"})


def _usable(kind: Kind) -> Mapping[str, type]:
    return dict(_importable(kind))


def _importable(kind: Kind) -> Iterator[tuple[str, type]]:
    unusable = broken(kind)
    for name in names(kind):
        if name not in unusable:
            yield name, adapter(kind, name)


def _imported(kind: Kind, entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except _BROKEN_IMPORT as problem:
        said = f"{type(problem).__name__}: {problem}"
        cure = f"re-install or upgrade the package {_package(entry)}"
        raise SettingsError(f"{kind} `{entry.name}` cannot be imported ({said}); {cure}", resource=entry.name) from None


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module


def _require(kind: Kind, name: str, cls: object, package: str) -> None:
    """Check that a class offers what its kind must.

    Raises:
        SettingsError: something is missing; names it and the package.
    """
    lacking = []
    if not isinstance(cls, type):
        lacking.append("to be a class")
    options = getattr(cls, "Options", None)
    if not (isinstance(options, type) and dataclasses.is_dataclass(options)):
        lacking.append("a dataclass `Options`")
    else:
        lacking += _unreadable(options)
    for offer, wanted in _OFFERS[kind].items():
        value = getattr(cls, offer, None)
        if (
            value is None
            or not isinstance(value, wanted)
            or (offer in {"poll", "read", "send"} and not callable(value))
        ):
            lacking.append(f"`{offer}`")
    if lacking:
        said = f"{kind} `{name}` of the package {package} lacks {', '.join(lacking)}"
        raise SettingsError(f"{said}; see listener.core.protocols, {kind.capitalize()}", resource=name)


def _unreadable(options: type) -> list[str]:
    """What keeps a dataclass from being filled from a file; nothing when it can be."""
    try:
        own_keys(options)
    except (NameError, TypeError) as problem:
        return [f"types in `Options` that can be read from a file ({problem})"]
    return []
