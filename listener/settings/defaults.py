"""Writes the commented file of all settings, `config/default.toml`, from the very dataclasses that read it.

Comments come from the `Args` of the docstrings, values from the defaults. Called by `listener check --print-default`.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta

from listener.core.query import Place, Query
from listener.core.route import Route
from listener.core.topic import Topic
from listener.settings._routes import DEFAULT_ROUTES
from listener.settings.durations import duration_text
from listener.settings.fields import Table, own_keys
from listener.settings.loading import DEFAULT_CHANNELS
from listener.settings.sections import (
    Brand,
    ChannelSettings,
    ChildTable,
    GeneralSettings,
    InboxSettings,
    ReplySettings,
    RouteTable,
    ScorerSettings,
    StoreSettings,
    WebSettings,
)

_HEAD = """\
Every setting with its default. Copy what you change into a file of your own; what is absent there keeps its default.
A line that begins with #key, without a blank, is an example of a setting that has no default.
Times are text with a unit: "30s", "15m", "48h", "7d", "1h30m". Relative paths start at the folder of the file.
Secrets never stand here: see "Secrets" in config/README.md."""

_BRAND: Table = {"name": "Brackholm", "terms": ["Brackholm", "brack holm"], "exclude": ["job opening"], "rival": False}
_TOPIC: Table = {
    "name": "delivery",
    "description": "Delivery: parcels that are late, lost or damaged on the way, and couriers",
    "phrases": ["my parcel has not arrived", "late delivery", "the courier left it outside", "it came a day early"],
    "brands": ["Brackholm"],
    "threshold": 0.4,
}
_QUERY: Table = {
    "name": "Brackholm's app",
    "brand": "Brackholm",
    "terms": ["fjordapp"],
    "exclude": ["#ad"],
    "places": ["news"],
    "labels": ["app"],
}
_PLACE: Table = {
    "name": "news",
    "source": "feed",
    "credential": "news-key",
    "every": "15m",
    "brand": "Brackholm",
    "history": "backfill",
    "enabled": True,
    "labels": ["press"],
    "url": "https://news.example.org/feed.xml",
}
_ABSENT: Table = {"credential": "database", "announce_channels": ["console"], "source_ports": [80, 443, 8443]}
"""Examples of settings without a default."""

_CREDENTIALS: Table = {"news-key_file": "/etc/listener/news-key"}

MANUAL: Mapping[str, type[object]] = {
    "listener": GeneralSettings,
    "store": StoreSettings,
    "web": WebSettings,
    "inbox": InboxSettings,
    "replies": ReplySettings,
    "scorer": ScorerSettings,
    "brand": Brand,
    "topic": Topic,
    "query": Query,
    "place": Place,
    "channel": ChannelSettings,
    "route": RouteTable,
    "route.routes": ChildTable,
}
"""The dataclass behind each section."""


def default_toml() -> str:
    """The text of the default configuration."""
    parts = [
        _comment(_HEAD),
        *(_section(name) for name in ("listener", "store", "web", "inbox", "replies", "scorer")),
        _examples("brand", _BRAND),
        _examples("topic", _TOPIC),
        _examples("query", _QUERY),
        _examples("place", _PLACE, "Further keys are the source's own options, as in:"),
        _credentials(),
        *_channels(),
        _route(),
        *_routes(),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def manual(section: str) -> Mapping[str, str]:
    """What each key of a section means, from the docstring of its dataclass."""
    cls = MANUAL[section]
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        found |= _args(inspect.getdoc(owner) or "")
    keys = [key for key in own_keys(cls) if key not in {"params", "options"}]
    return {key: found[key] for key in keys}


def _args(docstring: str) -> dict[str, str]:
    _, _, block = docstring.partition("Args:\n")
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", block, re.MULTILINE)
    return {key: _sentence(" ".join(text.split())) for key, text in entries}


def _sentence(text: str) -> str:
    """As a sentence, with Python's words in TOML's spelling."""
    said = text.replace(", or None", "").replace("None:", "absent:").replace("True", "true").replace("False", "false")
    return said[:1].upper() + said[1:]


def _title(section: str) -> str:
    return (inspect.getdoc(MANUAL[section]) or "").partition("\n")[0]


def _section(section: str) -> str:
    lines = [_comment(_title(section)), f"[{section}]"]
    for field in dataclasses.fields(MANUAL[section]):  # type: ignore[arg-type]
        if field.name == "options":
            continue
        lines.append(_comment(manual(section)[field.name]))
        written = f"{field.name} = {_toml(field.default)}"
        lines.append(f"#{field.name} = {_toml(_ABSENT[field.name])}" if field.default is None else written)
    return "\n".join(lines)


def _examples(section: str, values: Table, further: str = "") -> str:
    """A section without defaults: every line is an example."""
    docs = manual(section)
    lines = [_comment(_title(section)), f"#[[{section}]]"]
    lines += _explained({key: value for key, value in values.items() if key in docs}, docs, "#")
    own = {key: value for key, value in values.items() if key not in docs}
    if own:
        lines += [_comment(further), *(f"#{key} = {_toml(value)}" for key, value in own.items())]
    return "\n".join(lines)


def _credentials() -> str:
    said = "Files that hold secrets, one secret a file: the credential's name with _file behind it."
    return "\n".join([_comment(said), "#[credentials]", *(f"#{k} = {_toml(v)}" for k, v in _CREDENTIALS.items())])


def _channels() -> Iterator[str]:
    docs = manual("channel")
    for values in DEFAULT_CHANNELS:
        lines = [_comment(f"{_title('channel')} Further keys are the adapter's own options."), "[[channel]]"]
        lines += _explained(values, docs, "")
        lines += _explained({"credential": "mail"}, docs, "#")
        yield "\n".join(lines)


def _route() -> str:
    docs = manual("route")
    root = Route(name="")
    live = {key: getattr(root, key) for key in docs if key != "channels"}
    lines = [_comment(_title("route")), "[route]"]
    lines += _explained({"channels": ["console"]}, docs, "#")
    return "\n".join([*lines, *_explained(live, docs, "")])


def _routes() -> Iterator[str]:
    docs = manual("route.routes")
    for number, values in enumerate(DEFAULT_ROUTES):
        lines = ["[[route.routes]]"]
        if number == 0:
            further = "Keys of [route] may be set here too, and [[route.routes.routes]] hang below."
            lines.insert(0, _comment(f"{_title('route.routes')} {further}"))
            lines += [*_explained(values, docs, ""), *_explained({"continue": False}, docs, "")]
        else:
            lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
        yield "\n".join(lines)


def _explained(values: Table, docs: Mapping[str, str], mark: str) -> Iterator[str]:
    for key, value in values.items():
        yield _comment(docs[key])
        yield f"{mark}{key} = {_toml(value)}"


def _comment(text: str) -> str:
    wrapped = (textwrap.wrap(line, 118, break_long_words=False, break_on_hyphens=False) for line in text.split("\n"))
    return "\n".join(f"# {line}" for lines in wrapped for line in lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return f'"{duration_text(value)}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
