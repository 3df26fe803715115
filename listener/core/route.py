"""The escalation tree: Matcher, Route, inheritance, and which routes take a mention.

Keys and their meaning follow Prometheus Alertmanager's `dispatch/route.go`. One difference on purpose: the root
only carries defaults. A mention that no route takes opens no case, while an alert that no route takes still pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from listener.core.mention import FACTS, NUMERIC_FACTS, Arrival, Fact, Kind
from listener.core.sentiment import Certainty, Label

Severity = Literal["crisis", "high", "normal", "low"]
SEVERITIES: tuple[Severity, ...] = ("crisis", "high", "normal", "low")
Op = Literal["=", "!=", "=~", "!~", "<", ">"]

WORDED: Mapping[str, tuple[str, ...]] = {
    "sentiment": get_args(Label),
    "certainty": get_args(Certainty),
    "kind": get_args(Kind),
    "arrival": get_args(Arrival),
}
"""Facts that are one of a few words, and these."""

_MATCHER = re.compile(r"\s*([a-z_]+)\s*(=~|!~|!=|=|<|>)\s*(.*?)\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One test of one fact, written `fact op value`, as in `sentiment = negative` or `rating < 0.3`."""

    fact: str
    op: Op
    value: str

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Read a matcher from its written form.

        Raises:
            ValueError: the form, the fact, the number or the pattern is wrong; says which and lists what is known.
        """
        found = _MATCHER.match(text)
        if not found:
            raise ValueError(f"{text!r} is not a matcher: write fact, one of = != =~ !~ < >, and a value")
        fact, op, value = found.group(1), found.group(2), found.group(3).strip("\"'")
        if fact not in FACTS:
            raise ValueError(f"unknown fact {fact!r}; known: {', '.join(FACTS)}")
        if op in {"=", "<", ">"} and value.startswith("="):
            raise ValueError(f"{text!r}: write {op}, not {op}=")
        if op in {"<", ">"}:
            if fact not in NUMERIC_FACTS:
                raise ValueError(f"{fact} is not a number; use = != =~ !~")
            try:
                float(value)
            except ValueError:
                raise ValueError(f"{text!r} compares with {value!r}, which is not a number") from None
        if op in {"=~", "!~"}:
            try:
                re.compile(value)
            except re.error as problem:
                raise ValueError(f"{value!r} is not a regular expression: {problem}") from problem
        return cls(fact=fact, op=op, value=value)  # type: ignore[arg-type]

    @property
    def asked(self) -> str | None:
        """The very name that it asks for; None for a pattern or a number."""
        return self.value if self.op in {"=", "!="} else None

    def matches(self, facts: Mapping[str, Fact]) -> bool:
        """Test the facts; an absent fact only satisfies `!=` and `!~`. A list satisfies `=` if any entry does."""
        fact = facts.get(self.fact)
        if self.op in {"<", ">"}:
            if not isinstance(fact, float):
                return False
            return fact < float(self.value) if self.op == "<" else fact > float(self.value)
        negated = self.op in {"!=", "!~"}
        if isinstance(fact, str):
            return self._equal(fact) != negated
        entries = fact if isinstance(fact, tuple) else () if fact is None else (fact,)
        return any(self._equal(entry) for entry in entries) != negated

    def _equal(self, entry: str | float) -> bool:
        if self.op in {"=~", "!~"}:
            return re.search(self.value, str(entry), re.IGNORECASE) is not None
        if isinstance(entry, float):
            try:
                return entry == float(self.value)
            except ValueError:
                return False
        return entry.casefold() == self.value.casefold()

    def said(self, facts: Mapping[str, Fact]) -> str:
        """What in these facts satisfied it, in words for staff: a pattern shows the words it found, not itself."""
        fact = facts.get(self.fact)
        known = ", ".join(fact) if isinstance(fact, tuple) else f"{fact:g}" if isinstance(fact, float) else fact
        if self.op == "=~":
            found = re.search(self.value, str(known), re.IGNORECASE)
            return f"{self.fact} has “{found.group() if found else known}”"
        if self.op == "!~":
            return f"{self.fact} has no “{self.value}”"
        if self.op == "=":
            return f"{self.fact} is {self.value}"
        if self.op == "!=":
            return f"{self.fact} is {known or 'unknown'}, not {self.value}"
        return f"{self.fact} {known} is {'under' if self.op == '<' else 'over'} {self.value}"

    def __str__(self) -> str:
        """Write it as the operator did."""
        return f"{self.fact} {self.op} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SLA:
    """What is promised for cases of a route, each from opening on; None promises nothing.

    Args:
        acknowledge: until somebody claims it.
        reply: until the first public reply.
        resolve: until it is resolved.
    """

    acknowledge: timedelta | None = None
    reply: timedelta | None = None
    resolve: timedelta | None = None


NO_SLA = SLA()


def strictest(promises: Sequence[SLA]) -> SLA:
    """The shortest of each promise."""
    return SLA(
        acknowledge=_shortest(one.acknowledge for one in promises),
        reply=_shortest(one.reply for one in promises),
        resolve=_shortest(one.resolve for one in promises),
    )


def _shortest(spans: Iterable[timedelta | None]) -> timedelta | None:
    return min((span for span in spans if span is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the escalation tree with everything inherited filled in.

    Args:
        name: unique; shown to staff as the reason of a case.
        match: all of these must hold.
        channels: names of the channels that are told.
        severity: of the cases it opens.
        group_by: facts whose equal values share one message.
        group_wait: pause before a bundle's first message, so that a storm makes one.
        group_interval: least pause between two messages about one bundle that grew.
        repeat_interval: pause before an unanswered bundle is told again; doubles each time, up to a day.
        acknowledge_within: promise until a case is claimed; None promises nothing.
        reply_within: promise until the first public reply.
        resolve_within: promise until it is resolved.
        continue_: also try the routes after this one.
        routes: children; a child that matches takes the mention instead of its parent.
    """

    name: str
    match: tuple[Matcher, ...] = ()
    channels: tuple[str, ...] = ()
    severity: Severity = "normal"
    group_by: tuple[str, ...] = ("brand",)
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)
    acknowledge_within: timedelta | None = timedelta(minutes=30)
    reply_within: timedelta | None = timedelta(hours=4)
    resolve_within: timedelta | None = timedelta(days=3)
    continue_: bool = False
    routes: tuple[Route, ...] = field(default=())

    @property
    def sla(self) -> SLA:
        """What is promised for its cases."""
        return SLA(acknowledge=self.acknowledge_within, reply=self.reply_within, resolve=self.resolve_within)

    def taken_by(self, facts: Mapping[str, Fact]) -> tuple[Route, ...]:
        """The routes that take a mention, in order; empty when none does. Call it on the root."""
        return tuple(self._children_taking(facts))

    def _children_taking(self, facts: Mapping[str, Fact]) -> Iterator[Route]:
        for child in self.routes:
            if not all(matcher.matches(facts) for matcher in child.match):
                continue
            deeper = tuple(child._children_taking(facts))
            yield from deeper or (child,)
            if not child.continue_:
                return

    def walk(self) -> Iterator[Route]:
        """This route and all below it, parents first."""
        yield self
        for child in self.routes:
            yield from child.walk()

    def written(self) -> str:
        """What has to hold for this route, as the operator wrote it."""
        return " and ".join(str(matcher) for matcher in self.match) or "everything"

    def why(self, facts: Mapping[str, Fact]) -> str:
        """What in these facts made this route take a mention, in words for staff."""
        return ", ".join(matcher.said(facts) for matcher in self.match) or "it takes everything"


def bundle_key(route: Route, facts: Mapping[str, Fact]) -> str:
    """Name the notification group: the route and the values of its `group_by` facts."""
    values = (facts.get(name, "") for name in route.group_by)
    shown = (", ".join(value) if isinstance(value, tuple) else str(value) for value in values)
    return f"{route.name}|" + "|".join(f"{n}={v}" for n, v in zip(route.group_by, shown, strict=True))


def worst(severities: tuple[Severity, ...]) -> Severity:
    """The most severe of several; "low" for none."""
    return min(severities, key=SEVERITIES.index, default="low")
