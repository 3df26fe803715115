"""Authors as their posts show them: who they are, what they said, and others who may be the same. Read only.

Each reading walks an index of `posts`; a handle or name that thousands share is left after a few of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from listener.core.customer import Profile, Said, Voice, bare
from listener.store.engine import Connections, Row, marks, moment

COMMON = 8
"""A handle, name or link that more authors share than this says nothing about any of them."""

_PROFILE = "p.source, p.realm, p.handle, p.author_name, p.author_url, p.followers"
_SAME_HANDLE = "handle = ? COLLATE NOCASE AND handle <> ''"
_SAME_NAME = "author_name = ? COLLATE NOCASE AND author_name <> '' AND handle <> ''"
_SAME_PAGE = "author_url = ? AND author_url IS NOT NULL AND handle <> ''"
_SCANNED = 1000


class Authors:
    """Reads authors.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def profile(self, voice: Voice) -> Profile | None:
        """What an author's newest post says of them; None when they never wrote."""
        found = [
            row
            for handle in _spellings(voice)
            for row in self._db.read(
                f"SELECT p.id, {_PROFILE} FROM posts p WHERE {_SAME_HANDLE} AND source = ? AND realm = ? "
                "ORDER BY id DESC LIMIT 1",
                (handle, voice.source, voice.realm),
            )
        ]
        return _profile(max(found, key=lambda row: int(row["id"]))) if found else None

    def alike(self, profile: Profile) -> tuple[Profile, ...]:
        """Authors who share a handle, a display name or a link with one, who is among them."""
        found: dict[str, Profile] = {}
        for column, value in _marks_of(profile):
            some = self._sharing(column, value)
            if len(some) <= COMMON:
                found.update({each.voice.key: each for each in some})
        return tuple(found.values())

    def _sharing(self, same: str, value: str) -> tuple[Profile, ...]:
        """The distinct authors with a handle, name or link, at most one more than are told apart."""
        rest = ("source", "realm") if same == _SAME_HANDLE else ("source", "realm", "handle")
        order = ", ".join(rest)
        beyond = f"AND ({order}) > ({marks(len(rest))})"
        reached: tuple[object, ...] = ()
        found: list[Profile] = []
        # From author to author through the index, however many posts each of them wrote.
        while len(found) <= COMMON:
            row = self._db.one(
                f"SELECT {_PROFILE} FROM posts p WHERE {same} {beyond if reached else ''} ORDER BY {order} LIMIT 1",
                (value, *reached),
            )
            if row is None:
                break
            found.append(_profile(row))
            reached = tuple(row[column] for column in rest)
        return tuple(found)

    def beginning(self, words: str, limit: int = 20) -> tuple[Profile, ...]:
        """Authors whose handle or display name begins with some words."""
        found: dict[str, Profile] = {}
        for column in ("handle", "author_name"):
            rows = self._db.read(
                f"SELECT {_PROFILE} FROM posts p WHERE {column} >= ? COLLATE NOCASE "
                f"AND {column} < ? COLLATE NOCASE AND {column} <> '' AND handle <> '' "
                f"ORDER BY {column} COLLATE NOCASE LIMIT ?",
                (words, f"{words}\U0010ffff", _SCANNED),
            )
            found.update({each.voice.key: each for each in map(_profile, rows)})
        return tuple(found.values())[:limit]

    def said(self, voices: Sequence[Voice], limit: int = 200) -> tuple[Said, ...]:
        """The newest judged mentions of some authors, oldest first."""
        rows = [row for voice in voices for row in self._said(voice, limit)]
        rows.sort(key=lambda row: (row["hour"], row["id"]))
        return tuple(
            Said(at=moment(row["hour"] * 3_600_000), label=row["label"], score=row["score"]) for row in rows[-limit:]
        )

    def _said(self, voice: Voice, limit: int) -> Iterator[Row]:
        for handle in _spellings(voice):
            yield from self._db.read(
                "SELECT m.id, m.hour, m.label, m.score FROM posts p JOIN mentions m ON m.post_id = p.id "
                f"WHERE p.{_SAME_HANDLE} AND p.source = ? AND p.realm = ? AND m.label IS NOT NULL "
                "ORDER BY p.id DESC LIMIT ?",
                (handle, voice.source, voice.realm, limit),
            )


def _spellings(voice: Voice) -> tuple[str, ...]:
    """The handle as written and in folded case, where the index does not fold it itself."""
    folded = voice.handle.casefold()
    return (voice.handle,) if voice.handle.isascii() or voice.handle == folded else (voice.handle, folded)


def _marks_of(profile: Profile) -> Iterator[tuple[str, str]]:
    """What to look for in other authors: columns and values."""
    handle, name = profile.voice.handle, profile.name
    short = bare(handle)
    values = dict.fromkeys((handle, short, f"@{short}", name, name.casefold()))
    yield from ((_SAME_HANDLE, value) for value in values if value.strip("@"))
    yield from ((_SAME_NAME, value) for value in dict.fromkeys((name, short)) if value)
    if profile.url:
        yield _SAME_PAGE, profile.url


def _profile(row: Row) -> Profile:
    return Profile(
        voice=Voice(source=row["source"], realm=row["realm"], handle=row["handle"]),
        name=row["author_name"],
        url=row["author_url"],
        followers=row["followers"],
    )
