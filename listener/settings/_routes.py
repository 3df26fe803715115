"""Reads `[route]` into the core's Route tree: names, matchers, and what children inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from listener.core.mention import FACTS
from listener.core.route import WORDED, Matcher, Route
from listener.settings._lines import KeyPath
from listener.settings.fields import Table, fill
from listener.settings.problems import Problems, suggest
from listener.settings.sections import ChildTable, RouteTable

ROOT = "everything"
DEFAULT_ROUTES: Sequence[Table] = (
    {"name": "complaints", "match": ["sentiment = negative", "certainty = confident"]},
    {"name": "low stars", "match": ["rating < 0.3"]},
)
"""The routes when the file has none: a confident negative opens a case, and so do one or two stars of five."""


class RouteReader:
    """Builds the tree; one instance a load."""

    def __init__(
        self, channels: Sequence[str], rivals: Sequence[str], named: Mapping[str, Sequence[str]],
        problems: Problems, folder: Path,
    ) -> None:  # fmt: skip
        """Keep what every route is checked against: the configured channels' names, and by fact what it may be.

        `rivals` are brands that the default routes leave alone: nobody answers another's customers.
        """
        self._channels = tuple(channels)
        self._known = {**WORDED, **named}
        self._rivals = tuple(rivals)
        self._problems = problems
        self._folder = folder
        self._named: dict[str, KeyPath] = {}

    def tree(self, table: Table) -> Route:
        """The root with everything below it; unusable routes are left out and noted as problems."""
        own = {key: value for key, value in table.items() if key != "routes"}
        path: KeyPath = ("route",)
        filled = fill(RouteTable, own, path, self._problems, folder=self._folder, also=("routes",)) or RouteTable()
        if filled.channels is None:
            filled = replace(filled, channels=self._channels)
        root = self._inherit(Route(name=ROOT), filled, path)
        tables = table["routes"] if "routes" in table else self._default_routes()
        return replace(root, routes=self._children(root, tables, path, top=True))

    def _default_routes(self) -> list[Table]:
        ours = [f"brand != {rival}" for rival in self._rivals]
        return [
            {"name": route["name"], "match": [*cast("list[str]", route["match"]), *ours]} for route in DEFAULT_ROUTES
        ]

    def _children(self, parent: Route, tables: object, path: KeyPath, *, top: bool = False) -> tuple[Route, ...]:
        if not isinstance(tables, list):
            self._problems.add((*path, "routes"), "`routes` is a list of tables: head each with two brackets on a side")
            return ()
        found = (self._child(parent, table, (*path, "routes", index), top=top) for index, table in enumerate(tables))
        return tuple(route for route in found if route is not None)

    def _child(self, parent: Route, table: object, path: KeyPath, *, top: bool) -> Route | None:
        if not isinstance(table, Mapping):
            self._problems.add(path, "a route is a table")
            return None
        own = {key: value for key, value in table.items() if key != "routes"}
        filled = fill(ChildTable, own, path, self._problems, folder=self._folder, also=("routes",))
        if filled is None:
            # Its children are read all the same, so that every problem is told at once.
            self._children(parent, table.get("routes", []), path)
            return None
        match = tuple(self._matchers(filled.match, path))
        route = Route(name="", match=match, continue_=filled.continue_)
        name = filled.name or (route.written() if top else f"{parent.name}: {route.written()}")
        self._claim(name, path)
        route = self._inherit(
            replace(parent, name=name, match=match, continue_=filled.continue_, routes=()),
            filled,
            path,
        )
        return replace(route, routes=self._children(route, table.get("routes", []), path))

    def _inherit(self, heir: Route, table: RouteTable, path: KeyPath) -> Route:
        """The heir with what its own table says."""
        for index, channel in enumerate(table.channels or ()):
            if channel not in self._channels:
                at = (*path, "channels", index)
                self._problems.add(at, f"no channel is called `{channel}`; {suggest(channel, self._channels)}")
        for index, fact in enumerate(table.group_by or ()):
            if fact not in FACTS:
                self._problems.add((*path, "group_by", index), f"unknown fact `{fact}`; {suggest(fact, FACTS)}")
        said = {key: getattr(table, key) for key in RouteTable.__dataclass_fields__ if getattr(table, key) is not None}
        return replace(heir, **said)

    def _matchers(self, texts: Sequence[str], path: KeyPath) -> list[Matcher]:
        found = []
        for index, text in enumerate(texts):
            try:
                matcher = Matcher.parse(text)
            except ValueError as problem:
                self._problems.add((*path, "match", index), f"matcher `{text}`: {problem}")
                continue
            known = self._known.get(matcher.fact)
            if known is not None and matcher.asked is not None and not _among(matcher.asked, known):
                said = f"matcher `{text}`: no {matcher.fact} is called `{matcher.asked}`; "
                self._problems.add((*path, "match", index), said + suggest(matcher.asked, known))
            found.append(matcher)
        return found

    def _claim(self, name: str, path: KeyPath) -> None:
        """Note the name; a second route of that name is a problem."""
        first = self._named.setdefault(name.casefold(), path)
        if first != path:
            where = self._problems.places.where(first)
            self._problems.add((*path, "name"), f"a second route is called `{name}`, after {where}; give it a `name`")


def _among(name: str, known: Sequence[str]) -> bool:
    """Whether a matcher could find the name: letter case makes no difference to it."""
    return name.casefold() in {each.casefold() for each in known}
