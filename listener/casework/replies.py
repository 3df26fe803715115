"""What colleagues do with answers: begin, write, ask marketing, review, approve, answer by hand."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from listener.casework.permission import allowed
from listener.casework.requests import Requests
from listener.casework.ways import Way, Ways
from listener.core import casework, replying
from listener.core.case import Case
from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.event import Actor, CaseAct
from listener.core.mention import Mention
from listener.core.note import note_text
from listener.core.protocols import Replier
from listener.core.reply import Reply, misfits, reason_text, reply_link, reply_text
from listener.core.replying import Posting
from listener.core.tools import Clock
from listener.store import Store


class Replies:
    """Does what colleagues ask for.

    Args:
        store: the database.
        clock: says the present.
        lease: gives how long a claim holds.
        posting: gives what the operator allows.
        repliers: gives who can answer, by place.
        requests: lets channels know of what is asked; None: nobody hears of it.
    """

    def __init__(
        self, store: Store, clock: Clock, lease: Callable[[], timedelta], posting: Callable[[], Posting],
        repliers: Callable[[], Mapping[str, Replier]], requests: Requests | None = None,
    ) -> None:  # fmt: skip
        """Keep them."""
        self._store = store
        self._clock = clock
        self._lease = lease
        self._posting = posting
        self._ways = Ways(posting, repliers)
        self._requests = requests or Requests(store)

    @property
    def posting(self) -> Posting:
        """What the operator allows."""
        return self._posting()

    def way(self, mention: Mention) -> Way:
        """How a mention can be answered: through which interface, or why by hand."""
        return self._ways.of(mention)

    def may_send(self, reply: Reply, by: Colleague) -> bool:
        """Whether a colleague may send a draft without review."""
        return replying.alone(by, reply.severity, self._posting())

    def begin(self, case_id: str, by: Actor, mention_id: int | None = None) -> Reply:
        """Begin a draft, and take the case where nobody has it.

        Args:
            case_id: public id of the case.
            by: who.
            mention_id: which words are answered; None: the newest.

        Raises:
            Refused: there is no such case or mention, an answer is under way, or another colleague has the case.
        """
        me, now = allowed(by, "reply"), self._clock()
        with self._store.transaction():
            case = self._case(case_id)
            mention = self._mention(case, mention_id)
            case = self._taken(case, by, me, now)
            opening = self.way(mention).limits.opening
            reply = self._store.replies.add(case, mention, opening, me.id, me.name, now)
            self._tell(by, "drafted", reply, now)
            return reply

    def save(self, reply_id: str, by: Actor, text: str, *, version: int, heard: datetime | None = None) -> Reply:
        """Keep the words of a draft.

        Args:
            reply_id: public id of the reply.
            by: who writes.
            text: the words.
            version: of the reply that they saw.
            heard: how far they read the conversation; None leaves that as it was.

        Raises:
            Refused: see `listener.core.replying.rewritten()`.
        """
        me, now = allowed(by, "read"), self._clock()
        with self._store.transaction():
            reply = self._reply(reply_id)
            written = replying.rewritten(reply, reply_text(text), me, now, version=version)
            self._renew(reply, me, now)
            if written.text == reply.text and written.state == reply.state:
                read = self._read(reply, heard)
                return reply if read == reply else self._store.replies.change(read)
            return self._store.replies.change(self._read(written, heard), who=me.name)

    def ask(self, reply_id: str, by: Actor, of: Colleague, question: str = "") -> Reply:
        """Hand a draft to a marketer, with a clock.

        Raises:
            Refused: see `listener.core.replying.asked()`.
        """
        return self._act(
            reply_id, by, "asked marketing",
            lambda reply, me, now: replying.asked(
                reply, of, note_text(question) if question.strip() else "", me, now, self._posting()
            ),
            detail=of.name,
        )  # fmt: skip

    def hand_back(self, reply_id: str, by: Actor) -> Reply:
        """Give a draft back from marketing, or fetch it.

        Raises:
            Refused: see `listener.core.replying.handed_back()`.
        """
        return self._act(reply_id, by, "advised", replying.handed_back, detail=by.name)

    def submit(self, reply_id: str, by: Actor, *, version: int, heard: datetime) -> Reply:
        """Send a draft to review.

        Raises:
            Refused: it breaks what an answer there must keep to; see also `listener.core.replying.submitted()`.
        """

        def change(reply: Reply, me: Colleague, now: datetime) -> Reply:
            self._fits(reply)
            newest = self._newest(reply)
            return replying.submitted(self._read(reply, heard), me, now, version=version, newest=newest)

        return self._act(reply_id, by, "sent to review", change)

    def send_back(self, reply_id: str, by: Actor, why: str) -> Reply:
        """Return a reply from review, with a word why.

        Raises:
            Refused: nothing was said why; see also `listener.core.replying.sent_back()`.
        """
        said = reason_text(why)
        return self._act(reply_id, by, "sent back", lambda reply, me, now: replying.sent_back(reply, said, me, now))

    def recall(self, reply_id: str, by: Actor) -> Reply:
        """Take one's own reply back from review.

        Raises:
            Refused: it is not in review, or another colleague sent it.
        """
        return self._act(reply_id, by, "sent back", replying.recalled, detail="taken back by who sent it")

    def approve(self, reply_id: str, by: Actor, read: str, *, heard: datetime) -> Reply:
        """Approve the very words that were read: Listener posts them once, after the time to take it back.

        Args:
            reply_id: public id of the reply.
            by: who approves.
            read: digest of the words that they read.
            heard: how far they read the conversation.

        Raises:
            Refused: it cannot be posted there, breaks what an answer must keep to, or see
                `listener.core.replying.approved()`.
        """

        def change(reply: Reply, me: Colleague, now: datetime) -> Reply:
            refusal = self._fits(reply).refusal
            if refusal is not None:
                raise Refused(refusal, resource=reply.public_id)
            key, newest = f"listener-{secrets.token_hex(12)}", self._newest(reply)
            return replying.approved(self._read(reply, heard), read, key, me, now, self._posting(), newest=newest)

        return self._act(reply_id, by, "approved", change)

    def clear(self, reply_id: str, by: Actor, read: str, *, heard: datetime) -> Reply:
        """Approve the very words that were read where Listener cannot post them: a colleague gives them by hand.

        Args:
            reply_id: public id of the reply.
            by: who approves.
            read: digest of the words that they read.
            heard: how far they read the conversation.

        Raises:
            Refused: Listener can post there, or see `listener.core.replying.cleared()`.
        """

        def change(reply: Reply, me: Colleague, now: datetime) -> Reply:
            if self._fits(reply).refusal is None:
                raise Refused("Listener can post it there: approve it to be posted", resource=reply.public_id)
            newest = self._newest(reply)
            return replying.cleared(self._read(reply, heard), read, me, now, self._posting(), newest=newest)

        return self._act(reply_id, by, "approved", change, detail="to be given by hand")

    def withdraw(self, reply_id: str, by: Actor) -> Reply:
        """Take an approval back before anything is posted, or given by hand.

        Raises:
            Refused: it was handed over already.
        """
        return self._act(reply_id, by, "approval withdrawn", replying.withdrawn)

    def again(self, reply_id: str, by: Actor) -> Reply:
        """Hand an unknown answer over once more under the same key, after somebody looked and did not find it.

        Raises:
            Refused: see `listener.core.replying.again()`.
        """
        return self._act(
            reply_id, by, "approved", lambda reply, me, now: replying.again(reply, me, now, self._posting()),
            detail="once more, not found there",
        )  # fmt: skip

    def by_hand(self, reply_id: str, by: Actor, url: str) -> Reply:
        """Say that a colleague answered elsewhere, or found an unknown answer standing; the case waits from now on.

        Args:
            reply_id: public id of the reply.
            by: who.
            url: where it stands; may be empty where there is no page.

        Raises:
            Refused: the link is none; see also `listener.core.replying.by_hand()`.
        """
        link = reply_link(url)

        def change(reply: Reply, me: Colleague, now: datetime) -> Reply:
            ended = replying.by_hand(reply, link, me, now, self._posting())
            case = self._store.cases.get(reply.case)
            self._store.cases.change(casework.answered(case, now, now + self._posting().wait))
            return ended

        return self._act(reply_id, by, "answered by hand", change, detail=link)

    def discard(self, reply_id: str, by: Actor) -> Reply:
        """Throw a draft away.

        Raises:
            Refused: it was handed over, or is over.
        """
        return self._act(reply_id, by, "draft discarded", replying.discarded)

    def restore(self, reply_id: str, by: Actor) -> Reply:
        """Take up a draft again that was thrown away, and its case where nobody has it.

        Raises:
            Refused: it was not, another answer to the case is under way, another colleague has the case, or it is
                resolved.
        """

        def change(reply: Reply, me: Colleague, now: datetime) -> Reply:
            if self._store.replies.live(reply.case) is not None:
                raise Refused("another answer to this case is under way", resource=reply.public_id)
            draft = replying.restored(reply, me, now)
            # A case that waits for its customer would end by itself under the draft.
            self._taken(self._store.cases.get(reply.case), by, me, now)
            return draft

        return self._act(reply_id, by, "draft restored", change)

    def _act(
        self, reply_id: str, by: Actor, act: CaseAct, change: Callable[[Reply, Colleague, datetime], Reply],
        detail: str = "",
    ) -> Reply:  # fmt: skip
        me, now = allowed(by, "read"), self._clock()
        with self._store.transaction():
            reply = self._reply(reply_id)
            changed = self._store.replies.change(change(reply, me, now))
            self._renew(reply, me, now)
            self._tell(by, act, changed, now, detail)
            return changed

    def _tell(self, by: Actor, act: CaseAct, reply: Reply, now: datetime, detail: str = "") -> None:
        case = self._store.cases.get(reply.case)
        self._store.events.add(by, act, now, case=case, subject=f"reply {reply.public_id}", detail=detail)
        self._requests.heed(act, reply.public_id, case, now)

    def _renew(self, reply: Reply, me: Colleague, now: datetime) -> None:
        """Work on an answer is work on the case: a claim of one's own that is half over is renewed."""
        case = self._store.cases.get(reply.case)
        until = case.claimed_until if case.held(now) and case.assignee == me.id else None
        if until is not None and until - now < self._lease() / 2:
            self._store.cases.change(replace(case, claimed_until=now + self._lease()))

    def _taken(self, case: Case, by: Actor, me: Colleague, now: datetime) -> Case:
        """The case as one's own: claimed, unless one has it."""
        if case.held(now) and case.assignee == me.id:
            return case
        holder = None if case.assignee is None else self._store.colleagues.get(case.assignee)
        case = self._store.cases.change(casework.claim(case, me, now, self._lease(), holder))
        self._store.events.add(by, "claimed", now, case=case)
        return case

    def _fits(self, reply: Reply) -> Way:
        """The way of a reply whose words keep to what it takes."""
        way = self.way(self._mention_of(reply))
        found = misfits(reply.text, way.limits)
        if found:
            raise Refused("; ".join(found), resource=reply.public_id)
        return way

    def _read(self, reply: Reply, heard: datetime | None) -> Reply:
        """Take down how far somebody read the conversation: never beyond what was said."""
        if heard is None:
            return reply
        return replace(reply, heard=max(reply.heard, min(heard, self._newest(reply))))

    def _newest(self, reply: Reply) -> datetime:
        return self._store.replies.newest(reply.case) or reply.heard

    def _case(self, public_id: str) -> Case:
        case = self._store.cases.find(public_id)
        if case is None:
            raise Refused("there is no such case", resource=public_id)
        return case

    def _reply(self, public_id: str) -> Reply:
        reply = self._store.replies.find(public_id)
        if reply is None:
            raise Refused("there is no such answer", resource=public_id)
        return reply

    def _mention(self, case: Case, mention_id: int | None) -> Mention:
        """The mention to answer: the one named, if it is in the case, else the newest."""
        if mention_id is None:
            newest = self._store.mentions.of_case(case.id, 1)
            if not newest:
                raise Refused("no mention is left in this case to be answered", resource=case.public_id)
            return newest[0]
        mention = self._store.mentions.find(mention_id)
        if mention is None or self._store.cases.of_mention(mention_id) != case:
            raise Refused("that mention is not in this case", resource=case.public_id)
        return mention

    def _mention_of(self, reply: Reply) -> Mention:
        mention = self._store.mentions.find(reply.mention)
        if mention is None:
            raise Refused("what it answers is gone", resource=reply.public_id)
        return mention
