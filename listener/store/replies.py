"""Answers from draft to posted, how their words changed hands, and the stop of all posting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.mention import Mention
from listener.core.reply import ENDED, Approval, Posted, Reply, ReplyState, Stop, Wording
from listener.store.engine import Connections, Row, from_ms, marks, moment, opaque_id, to_ms

Identity = tuple[str, str, str]
"""Source, realm and external id of a post."""

_LIVE = "state NOT IN ('posted', 'by hand', 'discarded')"
_SELECT = "SELECT r.*, c.severity FROM replies r JOIN cases c ON c.id = r.case_id "


class Replies:
    """Adds, changes and reads replies.

    Args:
        db: the connections.
    """

    def __init__(self, db: Connections) -> None:
        """Keep the connections."""
        self._db = db

    def add(self, case: Case, mention: Mention, text: str, author: int, who: str, now: datetime) -> Reply:
        """Begin a draft, in a transaction.

        Args:
            case: to which it belongs.
            mention: which it answers.
            text: the first words.
            author: row id of the colleague.
            who: their name.
            now: the present.

        Raises:
            Refused: the case has an answer under way.
        """
        if self.live(case.id) is not None:
            raise Refused("an answer to this case is under way already", resource=case.public_id)
        post, at = mention.post, to_ms(now)
        heard = self.newest(case.id) or mention.seen_at
        rows = self._db.write(
            "INSERT INTO replies (public_id, case_id, mention_id, place, source, realm, text, state, heard, author_id, "
            "writer_id, created_at, changed_at) VALUES (?,?,?,?,?,?,?,'draft',?,?,?,?,?) RETURNING id",
            (
                opaque_id(), case.id, mention.id, mention.place, post.source, post.realm, text, to_ms(heard), author,
                author, at, at,
            ),
        )  # fmt: skip
        reply = self.get(rows[0]["id"])
        self._word(reply, who)
        return reply

    def change(self, reply: Reply, who: str = "") -> Reply:
        """Store a new state, in a transaction; gives it with its new version.

        Args:
            reply: the new state.
            who: name of the colleague who changed the words; empty when they are the same.

        Raises:
            Refused: it changed since this state was read.
        """
        approval, posted = reply.approval, reply.posted
        rows = self._db.write(
            "UPDATE replies SET text = ?, state = ?, heard = ?, writer_id = ?, sent_by = ?, asked_of = ?, "
            "asked_until = ?, question = ?, approved_text = ?, approved_digest = ?, approved_who = ?, approved_by = ?, "
            "approved_at = ?, key = ?, due_at = ?, tries = ?, why = ?, external_id = ?, url = ?, changed_at = ?, "
            "posted_at = ?, version = version + 1 WHERE id = ? AND version = ? RETURNING id",
            (
                reply.text, reply.state, to_ms(reply.heard), reply.writer, reply.sent_by, reply.asked_of,
                _ms(reply.asked_until), reply.question,
                *((approval.text, approval.digest, approval.who, approval.colleague, to_ms(approval.at))
                  if approval else (None,) * 5),
                reply.key, _ms(reply.due_at), reply.tries, reply.why[:1000],
                posted.external_id if posted else "", posted.url if posted else None, to_ms(reply.changed_at),
                _ms(reply.posted_at), reply.id, reply.version,
            ),
        )  # fmt: skip
        if not rows:
            raise Refused("it changed meanwhile; look at it again", resource=reply.public_id)
        stored = self.get(reply.id)
        if who:
            self._word(stored, who)
        return stored

    def _word(self, reply: Reply, who: str) -> None:
        """Keep the words: one wording as long as the same colleague writes in the same state."""
        last = self._db.one("SELECT * FROM reply_wordings WHERE reply_id = ? ORDER BY id DESC LIMIT 1", (reply.id,))
        at = to_ms(reply.changed_at)
        if last is not None and (last["colleague_id"], last["state"]) == (reply.writer, reply.state):
            self._db.write("UPDATE reply_wordings SET text = ?, at = ? WHERE id = ?", (reply.text, at, last["id"]))
            return
        self._db.write(
            "INSERT INTO reply_wordings (reply_id, colleague_id, who, at, state, text) VALUES (?,?,?,?,?,?)",
            (reply.id, reply.writer, who, at, reply.state, reply.text),
        )

    def get(self, reply_id: int) -> Reply:
        """The reply of a row id that is known to be there."""
        return reply_of(self._db.read(f"{_SELECT} WHERE r.id = ?", (reply_id,))[0])

    def find(self, public_id: str) -> Reply | None:
        """The reply behind a link, or None."""
        row = self._db.one(f"{_SELECT} WHERE r.public_id = ?", (public_id,))
        return reply_of(row) if row else None

    def live(self, case_id: int) -> Reply | None:
        """The answer to a case that is under way, or None."""
        row = self._db.one(f"{_SELECT} WHERE r.case_id = ? AND {_LIVE}", (case_id,))
        return reply_of(row) if row else None

    def known_as(self, identity: Identity) -> Reply | None:
        """The answer that the other side knows by this name, or None."""
        row = self._db.one(
            f"{_SELECT} WHERE r.source = ? AND r.realm = ? AND r.external_id = ? AND r.external_id <> ''", identity
        )
        return reply_of(row) if row else None

    def of_case(self, case_id: int) -> tuple[Reply, ...]:
        """Every reply of a case, oldest first."""
        return tuple(reply_of(row) for row in self._db.read(f"{_SELECT} WHERE r.case_id = ? ORDER BY r.id", (case_id,)))

    def latest_of(self, case_ids: Sequence[int]) -> Mapping[int, tuple[ReplyState, int]]:
        """How the last reply of each case stands, and row id of its writer; what was thrown away does not count."""
        if not case_ids:
            return {}
        rows = self._db.read(
            "SELECT case_id, state, writer_id FROM replies WHERE id IN (SELECT max(id) FROM replies "
            f"WHERE case_id IN ({marks(len(case_ids))}) AND state <> 'discarded' GROUP BY case_id)",
            case_ids,
        )
        return {row["case_id"]: (row["state"], row["writer_id"]) for row in rows}

    def wordings(self, reply_id: int) -> tuple[Wording, ...]:
        """The words as each colleague left them, oldest first."""
        rows = self._db.read("SELECT * FROM reply_wordings WHERE reply_id = ? ORDER BY id", (reply_id,))
        return tuple(
            Wording(who=row["who"], at=moment(row["at"]), state=row["state"], text=row["text"]) for row in rows
        )

    def in_states(self, states: Sequence[ReplyState], limit: int = 100) -> tuple[Reply, ...]:
        """Replies in some states, the longest unchanged first; of those that ended, the newest first."""
        order = "DESC" if set(states) <= ENDED else "ASC"
        rows = self._db.read(
            f"{_SELECT} WHERE r.state IN ({marks(len(states))}) ORDER BY r.changed_at {order}, r.id {order} LIMIT ?",
            (*states, limit),
        )
        return tuple(reply_of(row) for row in rows)

    def waiting(self, colleague: int) -> dict[ReplyState, int]:
        """How many wait for anybody (in review, unknown, refused), and for this colleague: those they are asked about,
        and those they sent to review that are to be given by hand."""
        rows = self._db.read(
            "SELECT state, count(*) AS n FROM replies WHERE state IN ('in review', 'unknown', 'failed') "
            "OR (state = 'asked' AND asked_of = ?) OR (state = 'cleared' AND sent_by = ?) GROUP BY state",
            (colleague, colleague),
        )
        return {row["state"]: row["n"] for row in rows}

    def newest(self, case_id: int) -> datetime | None:
        """When the newest words of a case's customer were first seen; None for a case without mentions."""
        row = self._db.one(
            "SELECT max(m.seen_at) AS at FROM case_mentions j JOIN mentions m ON m.id = j.mention_id "
            "WHERE j.case_id = ?",
            (case_id,),
        )
        return from_ms(row["at"]) if row else None

    def due(self, now: datetime, *, posting: bool) -> Reply | None:
        """The next one to post or to look for: whatever waits longest.

        Args:
            now: the present.
            posting: False leaves those that wait to be posted where they are.
        """
        states = "('approved', 'unknown')" if posting else "('unknown')"
        row = self._db.one(
            f"{_SELECT} WHERE r.due_at <= ? AND r.state IN {states} ORDER BY r.due_at, r.id LIMIT 1", (to_ms(now),)
        )
        return reply_of(row) if row else None

    def stranded(self) -> tuple[Reply, ...]:
        """Those that were handed over by a process that is gone, or whose outcome could not be kept."""
        return tuple(reply_of(row) for row in self._db.read(f"{_SELECT} WHERE r.state = 'posting'"))

    def forgotten(self, now: datetime) -> tuple[Reply, ...]:
        """Drafts that marketing has had for too long."""
        rows = self._db.read(f"{_SELECT} WHERE r.asked_until <= ? ORDER BY r.asked_until LIMIT 50", (to_ms(now),))
        return tuple(reply_of(row) for row in rows)

    def standing(self, identities: Sequence[Identity]) -> Mapping[Identity, tuple[int, str]]:
        """Which of these posts are answers of ours: row id and brand of the case, by identity."""
        if not identities:
            return {}
        rows = self._db.read(
            f"WITH asked (source, realm, external_id) AS (VALUES {marks(len(identities), 3)}) "
            "SELECT r.source, r.realm, r.external_id, c.id, c.brand FROM asked a JOIN replies r "
            "ON r.source = a.source AND r.realm = a.realm AND r.external_id = a.external_id AND r.external_id <> '' "
            "JOIN cases c ON c.id = r.case_id",
            [value for identity in identities for value in identity],
        )
        return {(row["source"], row["realm"], row["external_id"]): (row["id"], row["brand"]) for row in rows}

    def stop(self, who: str, why: str, now: datetime) -> bool:
        """Stop all posting; False when it is stopped already."""
        return bool(
            self._db.write(
                "INSERT INTO posting_stops (at, who, why) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                (to_ms(now), who, why),
            )
        )

    def go_on(self, now: datetime) -> bool:
        """Let posting go on; False when it is not stopped."""
        return bool(
            self._db.write("UPDATE posting_stops SET ended_at = ? WHERE ended_at IS NULL RETURNING id", (to_ms(now),))
        )

    def stopped(self) -> Stop | None:
        """The stop that stands, or None."""
        row = self._db.one("SELECT * FROM posting_stops WHERE ended_at IS NULL")
        return Stop(at=moment(row["at"]), who=row["who"], why=row["why"]) if row else None


def reply_of(row: Row) -> Reply:
    """The reply in a row of the table joined with its case's severity."""
    return Reply(
        id=row["id"],
        public_id=row["public_id"],
        case=row["case_id"],
        mention=row["mention_id"],
        place=row["place"],
        severity=row["severity"],
        text=row["text"],
        version=row["version"],
        state=row["state"],
        heard=moment(row["heard"]),
        author=row["author_id"],
        writer=row["writer_id"],
        sent_by=row["sent_by"],
        asked_of=row["asked_of"],
        asked_until=from_ms(row["asked_until"]),
        question=row["question"],
        approval=_approval_of(row),
        key=row["key"],
        due_at=from_ms(row["due_at"]),
        tries=row["tries"],
        why=row["why"],
        posted=_posted_of(row),
        created_at=moment(row["created_at"]),
        changed_at=moment(row["changed_at"]),
        posted_at=from_ms(row["posted_at"]),
    )


def _posted_of(row: Row) -> Posted | None:
    """What the other side calls it; also of one that stood and came back."""
    known = row["posted_at"] is not None or row["external_id"]
    return Posted(external_id=row["external_id"], url=row["url"]) if known else None


def _approval_of(row: Row) -> Approval | None:
    if row["approved_digest"] is None:
        return None
    return Approval(
        text=row["approved_text"],
        digest=row["approved_digest"],
        who=row["approved_who"],
        colleague=row["approved_by"],
        at=moment(row["approved_at"]),
    )


def _ms(value: datetime | None) -> int | None:
    return None if value is None else to_ms(value)
