"""Cases and the mentions that joined them: opened and grown by the pipeline, changed by colleagues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

from listener.core.case import Case, Joining, Status, Wanted, case_key, headline, joins
from listener.core.casework import heard_again, promised, tightened
from listener.core.errors import Refused
from listener.core.event import LISTENER, CaseAct
from listener.core.mention import Mention
from listener.core.route import NO_SLA, SEVERITIES, SLA, Severity, worst
from listener.store.engine import Connections, Row, from_ms, marks, moment, opaque_id, to_ms
from listener.store.events import Events

NEVER = 2**53 - 1
"""`due_at` of a case that nothing breaks on."""

TRIGRAM = 3
"""The index of words finds parts of at least so many letters; shorter ones are looked for row by row."""

NEXT = "ORDER BY priority > 0, due_at, id"
"""What breaks next: crises first, then by the nearest deadline."""


def case_of(row: Row) -> Case:
    """The case in a row of the table."""
    return Case(
        id=row["id"],
        public_id=row["public_id"],
        key=row["key"],
        brand=row["brand"],
        route=row["route"],
        reason=row["reason"],
        severity=row["severity"],
        status=row["status"],
        headline=row["headline"],
        author=row["author"],
        opened_at=moment(row["opened_at"]),
        changed_at=moment(row["changed_at"]),
        resolved_at=from_ms(row["resolved_at"]),
        mentions=row["mentions"],
        version=row["version"],
        assignee=row["assignee_id"],
        claimed_until=from_ms(row["claimed_until"]),
        snoozed_until=from_ms(row["snoozed_until"]),
        outcome=row["outcome"],
        merged_into=row["merged_into"],
        clocks_from=from_ms(row["clocks_from"]),
        acknowledge_by=from_ms(row["acknowledge_by"]),
        reply_by=from_ms(row["reply_by"]),
        resolve_by=from_ms(row["resolve_by"]),
        acknowledged_at=from_ms(row["acknowledged_at"]),
        replied_at=from_ms(row["replied_at"]),
    )


def voice_of(source: str, realm: str, handle: str) -> str:
    """Name an author for finding their other cases; empty without a handle."""
    return "\x1f".join((source, realm, handle.casefold())) if handle else ""


class Cases:
    """Opens, grows, changes and reads cases.

    Args:
        db: the connections.
        events: keeps what happened.
    """

    def __init__(self, db: Connections, events: Events) -> None:
        """Keep the parts."""
        self._db = db
        self._events = events

    def open_or_grow(
        self, mention: Mention, *, route: str, reason: str, severity: Severity, joining: Joining, now: datetime,
        sla: SLA = NO_SLA,
    ) -> tuple[Case, bool]:  # fmt: skip
        """Give a mention its case: the one it is in, an unresolved or lately resolved one of its key, or a new one.

        Args:
            mention: a routed mention.
            route: name of the first route that took it.
            reason: why, in words.
            severity: of the routes that took it; a case is only ever raised.
            joining: when it joins a case that is there, and which.
            now: the present.
            sla: what the routes promise; the strictest counts.

        Returns:
            The case, and True when it was opened or reopened rather than grown. Call it in a transaction.
        """
        known = self._of_mention(mention.id)
        into = joining.into
        case = known or (self.current(into) if into else self._of_key(case_key(mention)))
        if case is None or (known is None and into is None and not joins(case, now, joining.window)):
            return self._open(mention, route=route, reason=reason, severity=severity, sla=sla, now=now), True
        if known is None:
            self._join(mention.id, case.id, now)
        back = case.status == "resolved"
        grown = self._raised(case, route, reason, severity)
        grown = replace(grown, headline=headline(mention), mentions=case.mentions + int(known is None), changed_at=now)
        if back or case.status == "snoozed":
            grown = _back(grown)
        elif case.status == "waiting":
            grown = heard_again(grown, now, joining.lease)
        grown = self.change(promised(grown, sla, now) if back else tightened(grown, sla))
        self._tell("returned" if back else "grown", grown, now)
        return grown, back

    def current(self, case: Case) -> Case:
        """Where what concerns an answer of ours goes: its case, unless it was merged or its customer has a newer."""
        while case.merged_into is not None:
            case = self.get(case.merged_into)
        return case if case.status != "resolved" else self._of_key(case.key) or case

    def _raised(self, case: Case, route: str, reason: str, severity: Severity) -> Case:
        """A worse severity raises a case; what raises it is also what it is shown under."""
        if SEVERITIES.index(severity) >= SEVERITIES.index(case.severity):
            return case
        return replace(case, severity=worst((case.severity, severity)), route=route, reason=reason)

    def _tell(self, act: CaseAct, case: Case, now: datetime) -> None:
        self._events.add(LISTENER, act, now, case=case)

    def change(self, case: Case) -> Case:
        """Store a new state of a case, in a transaction; gives it with its new version.

        Raises:
            Refused: it changed since this state was read, or another unresolved case has its key by now.
        """
        if case.status != "resolved" and self._rival(case):
            raise Refused("its customer wrote again and has a newer case by now", resource=case.public_id)
        rows = self._db.write(
            "UPDATE cases SET route = ?, reason = ?, severity = ?, priority = ?, status = ?, headline = ?, "
            "changed_at = ?, resolved_at = ?, mentions = ?, assignee_id = ?, claimed_until = ?, snoozed_until = ?, "
            "outcome = ?, merged_into = ?, clocks_from = ?, acknowledge_by = ?, reply_by = ?, resolve_by = ?, "
            "acknowledged_at = ?, replied_at = ?, due_at = ?, version = version + 1 "
            "WHERE id = ? AND version = ? RETURNING *",
            (
                case.route, case.reason, *_severity(case.severity), case.status, case.headline, to_ms(case.changed_at),
                _ms(case.resolved_at), case.mentions, case.assignee, _ms(case.claimed_until), _ms(case.snoozed_until),
                case.outcome, case.merged_into, _ms(case.clocks_from), _ms(case.acknowledge_by), _ms(case.reply_by),
                _ms(case.resolve_by), _ms(case.acknowledged_at), _ms(case.replied_at),
                _due(case), case.id, case.version,
            ),
        )  # fmt: skip
        if not rows:
            raise Refused("it changed meanwhile; look at it again", resource=case.public_id)
        return case_of(rows[0])

    def _rival(self, case: Case) -> bool:
        found = self._db.one(
            "SELECT 1 FROM cases WHERE key = ? AND status <> 'resolved' AND id <> ?", (case.key, case.id)
        )
        return found is not None

    def _open(self, mention: Mention, *, route: str, reason: str, severity: Severity, sla: SLA, now: datetime) -> Case:
        post = mention.post
        new = Case(
            id=0, public_id=opaque_id(), key=case_key(mention), brand=mention.brand, route=route, reason=reason,
            severity=severity, status="open", headline=headline(mention), author=post.author.handle,
            opened_at=now, changed_at=now, resolved_at=None, mentions=1,
        )  # fmt: skip
        new = promised(new, sla, now)
        rows = self._db.write(
            "INSERT INTO cases (public_id, key, brand, route, reason, severity, priority, status, headline, author, "
            "voice, opened_at, changed_at, clocks_from, acknowledge_by, reply_by, resolve_by, due_at, mentions, "
            "version) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1,1) RETURNING *",
            (
                new.public_id, new.key, new.brand, route, reason, *_severity(severity), new.status, new.headline,
                new.author, voice_of(post.source, post.realm, new.author), to_ms(now), to_ms(now),
                _ms(new.clocks_from), _ms(new.acknowledge_by), _ms(new.reply_by), _ms(new.resolve_by), _due(new),
            ),
        )  # fmt: skip
        case = case_of(rows[0])
        self._join(mention.id, case.id, now)
        self._tell("opened", case, now)
        return case

    def _join(self, mention_id: int, case_id: int, now: datetime) -> None:
        self._db.write(
            "INSERT INTO case_mentions (mention_id, case_id, joined_at) VALUES (?, ?, ?)",
            (mention_id, case_id, to_ms(now)),
        )

    def _of_mention(self, mention_id: int) -> Case | None:
        row = self._db.one(
            "SELECT c.* FROM cases c JOIN case_mentions j ON j.case_id = c.id WHERE j.mention_id = ?", (mention_id,)
        )
        return case_of(row) if row else None

    def _of_key(self, key: str) -> Case | None:
        """The unresolved case of a key, else the one resolved last; what was merged leads to the case it went into."""
        row = self._db.one(
            "SELECT * FROM cases WHERE key = ? ORDER BY resolved_at IS NOT NULL, resolved_at DESC LIMIT 1", (key,)
        )
        while row is not None and row["merged_into"] is not None:
            row = self._db.one("SELECT * FROM cases WHERE id = ?", (row["merged_into"],))
        return case_of(row) if row else None

    def of_mention(self, mention_id: int) -> Case | None:
        """The case a mention belongs to, or None."""
        return self._of_mention(mention_id)

    def find(self, public_id: str) -> Case | None:
        """The case behind a link, or None."""
        row = self._db.one("SELECT * FROM cases WHERE public_id = ?", (public_id,))
        return case_of(row) if row else None

    def get(self, case_id: int) -> Case:
        """The case of a row id that is known to be there."""
        return case_of(self._db.read("SELECT * FROM cases WHERE id = ?", (case_id,))[0])

    def page(self, wanted: Wanted, *, limit: int = 50, offset: int = 0) -> tuple[Case, ...]:
        """Cases in the order in which something breaks next; with resolved ones among them, the latest change first."""
        tests, order = _of_statuses(wanted.statuses)
        values: list[object] = []
        for column, value in (("brand", wanted.brand), ("severity", wanted.severity)):
            if value is not None:
                tests.append(f"{column} = ?")
                values.append(value)
        if wanted.assignee is not None:
            tests.append("assignee_id IS ?")
            values.append(wanted.assignee or None)
        for word in (each.replace("\0", "") for each in wanted.words):  # The index reads a word to its first NUL.
            if len(word) < TRIGRAM:
                tests.append("(headline LIKE ? ESCAPE '!' OR author LIKE ? ESCAPE '!')")
                values += [_like(word)] * 2
            else:
                tests.append("id IN (SELECT rowid FROM case_words WHERE case_words MATCH ?)")
                values.append('"' + word.replace('"', '""') + '"')
        rows = self._db.read(
            f"SELECT * FROM cases WHERE {' AND '.join(tests)} {order} LIMIT ? OFFSET ?", (*values, limit, offset)
        )
        return tuple(case_of(row) for row in rows)

    def unresolved(self, limit: int = 100, offset: int = 0) -> tuple[Case, ...]:
        """Cases that wait for somebody or are worked on, in the order in which something breaks next."""
        return self.page(Wanted(statuses=("open", "acknowledged")), limit=limit, offset=offset)

    def of_voices(self, voices: Sequence[str], limit: int = 50) -> tuple[Case, ...]:
        """Cases of some authors, newest first; see `voice_of()`."""
        rows = self._db.read(
            f"SELECT * FROM cases WHERE voice <> '' AND voice IN ({marks(len(voices))}) "
            "ORDER BY opened_at DESC, id DESC LIMIT ?",
            (*voices, limit),
        )
        return tuple(case_of(row) for row in rows)

    def count_of_voices(self, voices: Sequence[str]) -> dict[str, int]:
        """How many cases each of some authors has; see `voice_of()`."""
        rows = self._db.read(
            "SELECT voice, count(*) AS n FROM cases WHERE voice <> '' "
            f"AND voice IN ({marks(len(voices))}) GROUP BY voice",
            voices,
        )
        return {row["voice"]: row["n"] for row in rows}

    def voice(self, case_id: int) -> str:
        """Names the author of a case as `voice_of()` does; empty without one."""
        return str(self._db.read("SELECT voice FROM cases WHERE id = ?", (case_id,))[0]["voice"])

    def lapsing(self, now: datetime, limit: int = 50) -> tuple[Case, ...]:
        """Cases whose claim ran out, whose snooze ended, or whose customer had nothing more to say."""
        rows = self._db.read(
            "SELECT * FROM cases WHERE claimed_until <= ? UNION ALL "
            "SELECT * FROM cases WHERE snoozed_until <= ? LIMIT ?",
            (to_ms(now), to_ms(now), limit),
        )
        return tuple(case_of(row) for row in rows)

    def overdue(self, now: datetime, limit: int = 50) -> tuple[Case, ...]:
        """Cases with a broken promise that staff were not told of yet."""
        rows = self._db.read(
            "SELECT * FROM cases WHERE resolved_at IS NULL AND status NOT IN ('snoozed', 'waiting') "
            "AND due_at <= ? AND overdue <> due_at ORDER BY due_at LIMIT ?",
            (to_ms(now), limit),
        )
        return tuple(case_of(row) for row in rows)

    def told_overdue(self, case_id: int) -> None:
        """Remember that staff were told of the promise that is broken now."""
        self._db.write("UPDATE cases SET overdue = due_at WHERE id = ?", (case_id,))

    def move(self, mention_ids: Sequence[int] | None, source: int, target: int) -> tuple[int, ...]:
        """Move mentions (None: all) from one case to another, in a transaction; gives their row ids."""
        chosen = "" if mention_ids is None else f" AND mention_id IN ({marks(len(mention_ids))})"
        rows = self._db.write(
            f"UPDATE case_mentions SET case_id = ? WHERE case_id = ?{chosen} RETURNING mention_id",
            (target, source, *(mention_ids or ())),
        )
        return tuple(row["mention_id"] for row in rows)

    def tallies(self) -> dict[tuple[str, str, str], int]:
        """How many cases there are by brand, status and severity."""
        rows = self._db.read(
            "SELECT brand, status, severity, count(*) AS n FROM cases WHERE mentions >= 0 GROUP BY 1, 2, 3"
        )
        return {(row["brand"], row["status"], row["severity"]): row["n"] for row in rows}

    def counts(self) -> dict[str, int]:
        """How many cases are in each status."""
        return {
            row["status"]: row["n"]
            for row in self._db.read("SELECT status, count(*) AS n FROM cases WHERE mentions >= 0 GROUP BY status")
        }


def _severity(severity: Severity) -> tuple[Severity, int]:
    return severity, SEVERITIES.index(severity)


def _due(case: Case) -> int:
    """When something breaks next."""
    return to_ms(case.deadline.until) if case.deadline else NEVER


def _of_statuses(statuses: Sequence[Status]) -> tuple[list[str], str]:
    """The tests and the order of a list; statuses stand in the text, or the partial indexes would not serve."""
    chosen = ", ".join(f"'{status}'" for status in get_args(Status) if status in statuses)
    tests = [f"status IN ({chosen})"]
    if "resolved" not in statuses:
        return ["resolved_at IS NULL", *tests], NEXT
    if tuple(statuses) == ("resolved",):
        return ["resolved_at IS NOT NULL"], "ORDER BY resolved_at DESC, id DESC"
    narrower = [] if len(set(statuses)) == len(get_args(Status)) else tests
    return narrower or ["TRUE"], "ORDER BY changed_at DESC, id DESC"


def _back(case: Case) -> Case:
    """A case whose customer wrote again: it waits for everybody."""
    return replace(
        case, status="open", resolved_at=None, outcome=None, snoozed_until=None, claimed_until=None, assignee=None
    )


def _ms(value: datetime | None) -> int | None:
    return None if value is None else to_ms(value)


def _like(word: str) -> str:
    """A pattern that finds the word anywhere."""
    escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
