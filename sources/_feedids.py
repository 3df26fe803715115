"""Gives the entries of a feed ids that stay the same from poll to poll; pure, called by `sources.feed`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from sources._parse import Entry


def identified(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Each distinct entry under its id, in the feed's order.

    The id is the feed's own; where it has none, or gives several entries the same, a digest of link, title and
    date; where even those are equal, of the text too. The same entry listed twice counts once, first place wins.
    """
    distinct: dict[Hashable, Entry] = {}
    for entry in entries:
        distinct.setdefault((entry.id, entry.link, entry.title, "" if entry.id else entry.dated + entry.text), entry)
    found = list(distinct.values())
    own = Counter(entry.id for entry in found)
    short = Counter(_short(entry) for entry in found)
    named: dict[str, Entry] = {}
    for entry in found:
        if entry.id and own[entry.id] == 1:
            named[entry.id] = entry
        else:
            parts = _short(entry)
            named.setdefault(_digest(parts if short[parts] == 1 else (*parts, entry.text)), entry)
    return named


def _short(entry: Entry) -> tuple[str, ...]:
    """What tells entries without an id apart; the text alone where there is nothing else."""
    parts = (entry.link, entry.title, entry.dated)
    return parts if any(parts) else (entry.text,)


def _digest(parts: Iterable[str]) -> str:
    content = "\x1f".join(parts).encode("utf-8", "replace")
    return f"digest:{hashlib.blake2b(content, digest_size=12).hexdigest()}"
