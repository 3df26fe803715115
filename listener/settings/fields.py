"""Fills a frozen dataclass from a table of the configuration, or of an adapter's options, and says what does not fit.

Values are checked by pydantic in strict mode: `port = "8420"` is an error, not a number. Two additions: durations are
text with a unit, and relative paths start at the folder of the configuration file.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import operator
import types
import typing
from collections.abc import Hashable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union

from pydantic import PlainValidator, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from listener.settings._lines import KeyPath
from listener.settings.durations import duration
from listener.settings.problems import Problems, suggest

Table = Mapping[str, object]
Stricter = tuple[tuple[str, Any], ...]
T = TypeVar("T")

_Duration = Annotated[timedelta, PlainValidator(duration)]


def fill(
    cls: type[T],
    table: Table,
    path: KeyPath,
    problems: Problems,
    *,
    folder: Path,
    also: tuple[str, ...] = (),
    stricter: Stricter = (),
) -> T | None:
    """Build a dataclass from a table.

    Args:
        cls: a dataclass whose fields are typed.
        table: the values as written.
        path: where the table is written.
        problems: collects what does not fit.
        folder: where relative paths start.
        also: keys that are legal in this table but belong to somebody else; named in hints.
        stricter: types to check some fields against instead of their own.

    Returns:
        The dataclass, or None when anything did not fit.
    """
    adapters = _adapters(typing.cast("Hashable", cls), stricter)
    unknown = table.keys() - adapters.keys()
    for key in unknown:
        problems.add((*path, key), f"unknown key `{key}`; {suggest(key, (*adapters, *also))}")
    values = _values(cls, table, adapters, path, problems)
    if unknown or values is None:
        return None
    try:
        return cls(**{name: _rooted(value, folder) for name, value in values.items()})
    except ValueError as problem:
        problems.add(path, str(problem))
        return None


def _values(
    cls: type[object],
    table: Table,
    adapters: Mapping[str, TypeAdapter[Any]],
    path: KeyPath,
    problems: Problems,
) -> dict[str, object] | None:
    """The checked values by field; None when one does not fit or is missing."""
    good, values = True, {}
    for field in dataclasses.fields(typing.cast("Any", cls)):
        key = _key(field.name)
        if key in table and key in adapters:
            fit, values[field.name] = _value(adapters[key], table[key], (*path, key), problems)
            good = good and fit
        elif field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            problems.add((*path, key), f"`{key}` is missing")
            good = False
    return values if good else None


def fits(cls: type[object], key: str, value: object) -> bool:
    """Whether a value can stand for this key."""
    try:
        _adapters(typing.cast("Hashable", cls))[key].validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError:
        return False
    return True


def own_keys(cls: type[object]) -> tuple[str, ...]:
    """The keys a table of this dataclass may hold."""
    return tuple(_adapters(typing.cast("Hashable", cls)))


def _value(adapter: TypeAdapter[Any], value: object, path: KeyPath, problems: Problems) -> tuple[bool, object]:
    try:
        return True, adapter.validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False, include_context=False):
            index = tuple(part for part in error["loc"][:1] if isinstance(part, int))
            said = error["msg"].removeprefix("Value error, ")
            problems.add((*path, *index), f"`{path[-1]}`: {said[:1].lower()}{said[1:]}")
            break
        return False, None


@functools.cache
def _adapters(cls: Hashable, stricter: Stricter = ()) -> Mapping[str, TypeAdapter[Any]]:
    owner = typing.cast("Any", cls)
    hints = typing.get_type_hints(owner, include_extras=True) | dict(stricter)
    names = [field.name for field in dataclasses.fields(owner) if field.init]
    return {_key(name): _adapter(owner, name, hints[name]) for name in names}


def _key(name: str) -> str:
    """A field named for a Python keyword ends in an underscore; the key in the file does not."""
    return name.removesuffix("_")


def _adapter(cls: type[object], name: str, hint: object) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(_with_durations(hint))
    except PydanticSchemaGenerationError as problem:
        raise TypeError(f"{cls.__qualname__}.{name} has a type that no TOML value can have") from problem


def _with_durations(hint: Any) -> Any:
    """The same type, with every timedelta in it read from text with a unit."""
    if hint is timedelta:
        return _Duration
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return Annotated[_with_durations(args[0]), *args[1:]]
    if origin in {Union, types.UnionType}:
        return functools.reduce(operator.or_, (_with_durations(arg) for arg in args))
    if origin in {tuple, list, dict, frozenset}:
        return origin[tuple(_with_durations(arg) for arg in args)]
    return hint


def _rooted(value: object, folder: Path) -> object:
    """The same value, with every relative path in it starting at the folder."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple | list):
        return type(value)(_rooted(entry, folder) for entry in value)
    return value
