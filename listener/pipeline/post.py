"""Post what a colleague approved, at most once: the one caller of `Replier.reply()`.

The intent is stored first. Whoever finds it afterwards without an outcome (a crash, a time-out, a database that was
full) may not know whether the answer stands: it is looked for, and otherwise shown to a colleague as unknown. Nothing
here ever hands an answer over a second time, unless the other side said for certain that it took nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from listener.core.casework import answered
from listener.core.errors import AdapterError, Unavailable, Unclear, Unforeseen
from listener.core.event import LISTENER
from listener.core.mention import Post
from listener.core.notification import retry_pause
from listener.core.protocols import Replier
from listener.core.reply import Approval, Posted, Reply
from listener.core.replying import NEWS, posting, put_off, refused, stands, unclear, withdrawn
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.pipeline.border import border
from listener.telemetry import get_logger

PATIENCE = timedelta(hours=24)
"""After so long without being taken, an approved answer goes back to its writer."""

STRANDED = "Listener ended, or could not write, while it was handed over"


def post(store: Store, repliers: Mapping[str, Replier], rules: Rules, clock: Clock) -> int:
    """Post the answer that is due, or look for one whose outcome is unknown.

    Args:
        store: the replies.
        repliers: by the place through which an answer goes.
        rules: say whether anything is posted at all.
        clock: says the present.

    Returns:
        1 when a reply was handled, whatever came of it; 0 when none is due.

    Raises:
        StoreError: the outcome could not be kept; the reply is unknown from here on, and looked for.
    """
    poster = _Poster(store, rules, clock)
    for each in store.replies.stranded():
        poster.keep(unclear(each, STRANDED, clock()), "answer unknown", STRANDED)
    allowed = rules.posting.on and store.replies.stopped() is None
    reply = store.replies.due(clock(), posting=allowed)
    if reply is None:
        return 0
    mention = store.mentions.find(reply.mention)
    approval = reply.approval
    if mention is None or approval is None:
        raise AssertionError(f"reply {reply.public_id} is due without a mention or an approval")
    turn = _Turn(reply, approval, mention.post, repliers.get(reply.place))
    if reply.state == "unknown":
        poster.look(turn)
    else:
        poster.hand_over(turn)
    return 1


@dataclass(frozen=True, slots=True)
class _Turn:
    """A reply with what is needed to post it or to look for it; `replier` is None where the place is gone."""

    reply: Reply
    approval: Approval
    post: Post
    replier: Replier | None


@dataclass(frozen=True, slots=True)
class _Poster:
    """Hands over, looks, and keeps what came of it."""

    store: Store
    rules: Rules
    clock: Clock

    def hand_over(self, turn: _Turn) -> None:
        """Store the intent, hand it over once, store what came of it."""
        why = _impossible(turn)
        reply = self._take(turn.reply, why)
        if reply is None or turn.replier is None:
            return
        try:
            with border(reply.place):
                found = turn.replier.reply(turn.post, turn.approval, reply.key)
        except AdapterError as problem:
            self._failed(reply, turn.approval, problem)
            return
        self._stands(reply, found)

    def _take(self, seen: Reply, why: str) -> Reply | None:
        """The reply on its way, its intent stored; None where it is not to go: stopped, taken back, or too late."""
        with self.store.transaction():
            taken_back = self.store.replies.get(seen.id).version != seen.version
            if taken_back or self.store.replies.stopped() is not None:
                return None
            why = why or self._stale(seen)
            if not why:
                return self.keep(posting(seen, self.clock()), "handed over", "")
            self.keep(withdrawn(seen, None, self.clock(), why), "approval withdrawn", why)
        get_logger().warning("reply_withdrawn", reply=seen.public_id, place=seen.place, why=why)
        return None

    def look(self, turn: _Turn) -> None:
        """Look for an answer whose outcome is unknown; after a few times it waits for a colleague."""
        reply, found = turn.reply, None
        if turn.replier is not None:
            try:
                with border(reply.place):
                    found = turn.replier.find(turn.post, turn.approval, reply.key)
            except AdapterError as problem:
                get_logger().warning("reply_not_found", reply=reply.public_id, place=reply.place, error=str(problem))
        with self.store.transaction():
            now = self.store.replies.get(reply.id)
            if found is not None and now.key == reply.key and now.state in {"unknown", "approved"}:
                # Somebody may have asked to hand it over once more while it was looked for: there is no need to.
                self._stands(replace(now, state="unknown"), found)
            elif found is None and now.version == reply.version:
                self.store.replies.change(unclear(reply, reply.why, self.clock()))

    def keep(self, reply: Reply, act: str, why: str) -> Reply:
        """Store a new state with its event, in one transaction."""
        with self.store.transaction():
            stored = self.store.replies.change(reply)
            case = self.store.cases.get(stored.case)
            subject = f"reply {stored.public_id}"
            self.store.events.add(LISTENER, act, self.clock(), case=case, subject=subject, detail=why)
        return stored

    def _stands(self, reply: Reply, found: Posted) -> None:
        """It stands: the reply, the case and the history say so in one transaction."""
        now = self.clock()
        with self.store.transaction():
            case = self.store.cases.get(reply.case)
            self.store.cases.change(answered(case, now, now + self.rules.posting.wait))
            self.keep(stands(reply, found, now), "answered", found.url or "")
        get_logger().info("reply_posted", reply=reply.public_id, place=reply.place, case=case.public_id)

    def _failed(self, reply: Reply, approval: Approval, problem: AdapterError) -> None:
        """Keep what went wrong: refused for good, not taken for now, or nobody knows."""
        now, why = self.clock(), problem.message
        log = get_logger().bind(reply=reply.public_id, place=reply.place, error=str(problem))
        if isinstance(problem, Unclear | Unforeseen):
            self.keep(unclear(reply, why, now), "answer unknown", why)
            log.warning("reply_unknown")
        elif isinstance(problem, Unavailable) and now - approval.at < PATIENCE:
            due = now + retry_pause(reply.tries, random.random(), problem.retry_after)  # noqa: S311
            with self.store.transaction():
                self.store.replies.change(put_off(reply, due, why, now))
            log.warning("reply_put_off", next_try=due.isoformat())
        else:
            over = f" (tried for {PATIENCE})" if isinstance(problem, Unavailable) else ""
            self.keep(refused(reply, why + over, now), "answer refused", why + over)
            log.error("reply_refused")

    def _stale(self, reply: Reply) -> str:
        """Why it is not posted as it is: the customer wrote, or changed their words, after it was approved."""
        newest = self.store.replies.newest(reply.case)
        return NEWS if newest is not None and newest > reply.heard else ""


def _impossible(turn: _Turn) -> str:
    """Why it cannot be posted there; empty when it can."""
    if turn.replier is None:
        return f"the place {turn.reply.place} is not configured any more, or cannot answer"
    try:
        with border(turn.reply.place):
            return turn.replier.can_reply(turn.post) or ""
    except AdapterError as problem:
        return problem.message
