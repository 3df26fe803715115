"""Checks that the parts of a configuration fit together: unique names, and names that exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from listener.core.query import Place, Query
from listener.core.topic import Topic
from listener.settings._lines import KeyPath
from listener.settings.problems import Problems, suggest
from listener.settings.sections import Brand


def unique(kind: str, named: Iterable[tuple[KeyPath, str]], problems: Problems) -> None:
    """Note every name that was taken before; letter case makes no difference."""
    first: dict[str, KeyPath] = {}
    for path, name in named:
        taken = first.setdefault(name.casefold(), path)
        if taken != path:
            where = problems.places.where(taken)
            problems.add((*path, "name"), f"a second {kind} is called `{name}`, after {where}; names are unique")


def known(path: KeyPath, kind: str, name: str, names: Iterable[str], problems: Problems) -> None:
    """Note a reference to something that does not exist."""
    listed = tuple(names)
    if name not in listed:
        problems.add(path, f"no {kind} is called `{name}`; {suggest(name, listed)}")


def check_words(path: KeyPath, terms: Sequence[str], problems: Problems, key: str = "terms") -> None:
    """Note words that could never match."""
    for index, term in enumerate(terms):
        if not term.strip():
            problems.add((*path, key, index), "an empty word would match nothing; remove it")


def check_places(places: Iterable[tuple[KeyPath, Place]], brands: Sequence[str], problems: Problems) -> None:
    """Note brands that do not exist."""
    for path, place in places:
        if place.brand is not None:
            known((*path, "brand"), "brand", place.brand, brands, problems)


def check_queries(
    queries: Iterable[tuple[KeyPath, Query]], brands: Sequence[str], places: Sequence[str], problems: Problems
) -> None:
    """Note brands and places that do not exist, and queries without words."""
    for path, query in queries:
        known((*path, "brand"), "brand", query.brand, brands, problems)
        for index, place in enumerate(query.places):
            known((*path, "places", index), "place", place, places, problems)
        if not query.terms:
            problems.add((*path, "terms"), "`terms` is empty: the query would match nothing")
        check_words(path, query.terms, problems)
        check_words(path, query.exclude, problems, "exclude")


def check_topics(topics: Iterable[tuple[KeyPath, Topic]], brands: Sequence[str], problems: Problems) -> None:
    """Note brands that do not exist, and topics without phrases."""
    for path, topic in topics:
        for index, brand in enumerate(topic.brands):
            known((*path, "brands", index), "brand", brand, brands, problems)
        if not topic.phrases:
            problems.add((*path, "phrases"), "`phrases` is empty: write five or so as customers say it")
        check_words(path, topic.phrases, problems, "phrases")


def check_brands(
    brands: Iterable[tuple[KeyPath, Brand]], queries: Iterable[Query], places: Iterable[Place], problems: Problems
) -> None:
    """Note brands that nothing listens for."""
    heard = {query.brand for query in queries} | {place.brand for place in places}
    for path, brand in brands:
        check_words(path, brand.terms, problems)
        check_words(path, brand.exclude, problems, "exclude")
        if not brand.terms and brand.name not in heard:
            problems.add(path, f"nothing listens for brand `{brand.name}`: give it `terms`, a [[query]] or a [[place]]")
