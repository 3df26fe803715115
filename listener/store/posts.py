"""Posts in their present state, their earlier revisions, and the mentions a new state makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from listener.core.mention import Arrival, Author, Engagement, NewPost, Post, Seen
from listener.core.query import Match
from listener.store.engine import Connections, Row, from_ms, marks, moment, to_ms

Identity = tuple[str, str, str]
"""source, realm and external id of a post."""

PRIORITY: Mapping[Arrival, int] = {"live": 1, "revision": 2, "backfill": 3}
"""Order of judging; 0 is for one or two stars."""

BLIND = 0.3
"""A rating below this is one or two stars and is judged first."""


POST_COLUMNS = (
    "p.source, p.realm, p.external_id, p.kind, p.url, p.handle, p.author_name, p.author_url, p.followers, p.title, "
    "p.text, p.published_at, p.rating, p.in_reply_to, p.root, p.likes, p.replies, p.shares"
)
"""In the order in which `post_of()` takes them: reading rows by position is several times faster than by name."""


_UNSEEN = Engagement()


def post_of(row: Row, start: int = 0) -> Post:
    """The post in a row that holds POST_COLUMNS from position `start` on."""
    (
        source, realm, external_id, kind, url, handle, author_name, author_url, followers, title, text, published_at,
        rating, in_reply_to, root, likes, replies, shares,
    ) = row[start : start + 18]  # fmt: skip
    return Post(
        source=source,
        realm=realm,
        external_id=external_id,
        kind=kind,
        url=url,
        author=Author(handle=handle, name=author_name, url=author_url, followers=followers),
        title=title,
        text=text,
        published_at=from_ms(published_at),
        rating=rating,
        in_reply_to=in_reply_to,
        root=root,
        engagement=Engagement(likes=likes, replies=replies, shares=shares) if likes or replies or shares else _UNSEEN,
    )


class Posts:
    """Reads and writes posts.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def seen(self, identities: Sequence[Identity]) -> dict[Identity, Seen]:
        """What is known of these posts already."""
        if not identities:
            return {}
        rows = self._db.read(
            # A join, since SQLite answers `(a, b, c) IN (VALUES ...)` by reading the whole table.
            f"WITH asked (source, realm, external_id) AS (VALUES {marks(len(identities), 3)}) "
            "SELECT p.id, p.source, p.realm, p.external_id, p.fingerprint, p.rating, p.changes, p.handle "
            "FROM asked a "
            "JOIN posts p ON p.source = a.source AND p.realm = a.realm AND p.external_id = a.external_id",
            [value for identity in identities for value in identity],
        )
        return {
            (row["source"], row["realm"], row["external_id"]): Seen(
                post_id=row["id"],
                fingerprint=row["fingerprint"],
                rating=row["rating"],
                changes=row["changes"],
                handle=row["handle"],
            )
            for row in rows
        }

    def add(self, new: Sequence[NewPost], place: str, now: datetime) -> None:
        """Store new posts and their mentions, all of which wait to be judged."""
        # One writer, within its transaction: nobody else can take these ids.
        first = 1 + self._db.read("SELECT coalesce(max(id), 0) FROM posts")[0][0]
        at = to_ms(now)
        self._db.write_many(
            "INSERT INTO posts (id, source, realm, external_id, place, kind, url, handle, author_name, author_url, "
            "followers, title, text, published_at, rating, in_reply_to, root, likes, replies, shares, "
            "fingerprint, seen_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [_values(post_id, n.post, place, n.fingerprint, at) for post_id, n in enumerate(new, first)],
        )
        self._db.write_many(
            f"INSERT INTO mentions {_MENTION}",
            [
                _mention_values(post_id, n.post, match, place, n.fingerprint, n.arrival, at)
                for post_id, n in enumerate(new, first)
                for match in n.matches
            ],
        )

    def edit(self, seen: Seen, post: Post, fingerprint: str, now: datetime) -> None:
        """Keep the known state as a revision and put the new one in its place."""
        self._db.write(
            "INSERT INTO revisions (post_id, fingerprint, title, text, rating, seen_at) "
            "SELECT id, fingerprint, title, text, rating, seen_at FROM posts WHERE id = ? ON CONFLICT DO NOTHING",
            (seen.post_id,),
        )
        self._db.write(
            "UPDATE posts SET title = ?, text = ?, rating = ?, url = ?, likes = ?, replies = ?, shares = ?, "
            "fingerprint = ?, seen_at = ?, changes = changes + 1 WHERE id = ?",
            (
                post.title, post.text, post.rating, post.url, post.engagement.likes, post.engagement.replies,
                post.engagement.shares, fingerprint, to_ms(now), seen.post_id,
            ),
        )  # fmt: skip

    def react(self, reactions: Sequence[tuple[int, Engagement]]) -> None:
        """Bring likes, replies and shares of known posts up to date."""
        self._db.write_many(
            "UPDATE posts SET likes = ?, replies = ?, shares = ? "
            "WHERE id = ? AND (likes, replies, shares) <> (?, ?, ?)",
            [(e.likes, e.replies, e.shares, post_id, e.likes, e.replies, e.shares) for post_id, e in reactions],
        )

    def mention(
        self, post_id: int, post: Post, match: Match, place: str, fingerprint: str,
        arrival: tuple[Arrival, str], now: datetime, fell: bool = False,
    ) -> bool:  # fmt: skip
        """Store a post's mention of a brand, or take the known one back to judging if this state is new to it.

        What a mention is compared with is the state that went the whole way: of several edits in a row, or of one that
        overtakes the routing, none is taken for the old state. History that nobody judged yet stays history.

        Returns:
            True when the mention now waits to be judged, False when it knew this state already.
        """
        return bool(
            self._db.write(
                f"INSERT INTO mentions {_MENTION} "
                "ON CONFLICT (post_id, brand) DO UPDATE SET queries = excluded.queries, words = excluded.words, "
                "fingerprint = excluded.fingerprint, seen_at = excluded.seen_at, "
                f"arrival = CASE WHEN {_HISTORY} THEN arrival ELSE excluded.arrival END, "
                f"arrival_reason = CASE WHEN {_HISTORY} THEN arrival_reason ELSE excluded.arrival_reason END, "
                "previous = CASE WHEN step IS NULL THEN label ELSE previous END, "
                "fell = CASE WHEN step IS NULL THEN ? ELSE max(fell, ?) END, "
                "step = 'judge', priority = excluded.priority, due_at = 0, lease_until = 0, attempts = 0, "
                "last_error = NULL WHERE fingerprint <> excluded.fingerprint RETURNING id",
                (
                    *_mention_values(post_id, post, match, place, fingerprint, arrival, to_ms(now)),
                    fell,
                    fell,
                    fell,
                    fell,
                ),
            )
        )

    def revisions(self, post_id: int) -> tuple[tuple[datetime, str, str, float | None], ...]:
        """Earlier states of a post, oldest first: when seen, title, text, rating."""
        return tuple(
            (moment(row["seen_at"]), row["title"], row["text"], row["rating"])
            for row in self._db.read("SELECT * FROM revisions WHERE post_id = ? ORDER BY seen_at", (post_id,))
        )


_HISTORY = "arrival = 'backfill' AND label IS NULL AND NOT ?"
_MENTION = (
    "(post_id, brand, place, queries, words, fingerprint, seen_at, hour, arrival, arrival_reason, step, priority) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,'judge',?)"
)


def _values(post_id: int, post: Post, place: str, fingerprint: str, at: int) -> tuple[object, ...]:
    author, engagement = post.author, post.engagement
    published = None if post.published_at is None else to_ms(post.published_at)
    return (
        post_id, post.source, post.realm, post.external_id, place, post.kind, post.url, author.handle, author.name,
        author.url, author.followers, post.title, post.text, published, post.rating, post.in_reply_to, post.root,
        engagement.likes, engagement.replies, engagement.shares, fingerprint, at,
    )  # fmt: skip


def _mention_values(
    post_id: int, post: Post, match: Match, place: str, fingerprint: str, arrival: tuple[Arrival, str], at: int
) -> tuple[object, ...]:
    priority = 0 if post.rating is not None and post.rating < BLIND else PRIORITY[arrival[0]]
    counted = (at if post.published_at is None else to_ms(post.published_at)) // 3_600_000
    return (
        post_id, match.brand, place, "\n".join(match.queries), "\n".join(match.words), fingerprint, at,
        counted, arrival[0], arrival[1], priority,
    )  # fmt: skip
