"""Log a call: what a customer said by phone or at the counter walks the path of any other mention, but stays private.

The mood is the colleague's to say, so it is kept as a correction before the model reads the words; see
`listener/core/call.py`. Taking a call back counts its mentions nowhere and takes them out of their cases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from listener.casework.permission import allowed
from listener.casework.undo import UNDO_FOR, taken_back
from listener.core import casework as rules
from listener.core.call import PLACE, SOURCE, Call, Told, post_of_call
from listener.core.case import Joining, headline
from listener.core.colleague import Colleague
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.mention import Mention, Post, Sighting, facts, normalise
from listener.core.query import Place
from listener.core.route import bundle_key
from listener.core.rules import Rules
from listener.core.tools import Clock
from listener.pipeline.ingest import ingest
from listener.settings import Settings
from listener.store import Store

CALL_BACK = "the customer wants to be called back"
TAKEN_BACK = "taken back by the colleague who logged it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A call, and whether it was logged just now or known from an earlier try."""

    call: Call
    fresh: bool


class Calls:
    """Logs calls and takes them back.

    Args:
        store: the database.
        clock: says the present.
        rules: gives the operator's rules now in force.
        brands: gives the names of the configured brands.
    """

    def __init__(
        self, store: Store, clock: Clock, rules: Callable[[], Rules], brands: Callable[[], tuple[str, ...]]
    ) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._rules = rules
        self._brands = brands

    @property
    def brands(self) -> tuple[str, ...]:
        """What a call can be about."""
        return self._brands()

    def usual_brand(self, by: Actor) -> str:
        """The brand of the call that a colleague logged last, else the first one; empty when none is configured."""
        brands = self._brands()
        last = [call.brand for call in self.latest(by, 1) if call.brand in brands]
        return next(iter((*last, *brands)), "")

    def topics(self) -> tuple[str, ...]:
        """What the latest calls were about, newest first."""
        return self._store.calls.topics()

    def latest(self, by: Actor, limit: int = 5) -> tuple[Call, ...]:
        """What a colleague logged, newest first."""
        return self._store.calls.latest(by.colleague.id, limit) if by.colleague else ()

    def undoable(self, call: Call, by: Actor) -> bool:
        """Whether somebody may still take a call back."""
        mine = by.colleague is not None and call.colleague == by.colleague.id
        return mine and call.gone_at is None and self._clock() - call.at <= UNDO_FOR

    def log(self, told: Told, by: Actor) -> Logged:
        """Take a call in; sent twice with the same key it is logged once.

        Raises:
            Refused: it has no words, an unknown brand, or the key of another call; or the role does not allow it.
        """
        me, now = allowed(by, "call"), self._clock()
        post = normalise(post_of_call(told, me.id, now))
        if told.brand not in self._brands():
            raise Refused(f"no brand is called {told.brand}; there are {', '.join(self._brands()) or 'none'}")
        with self._store.transaction():
            known = self._store.calls.find(post.external_id)
            if known is not None:
                return Logged(call=_same(known, told, post), fresh=False)
            return Logged(call=self._add(told, post, me, by, now), fresh=True)

    def _add(self, told: Told, post: Post, me: Colleague, by: Actor, now: datetime) -> Call:
        place = Place(name=PLACE, source=SOURCE, brand=told.brand)
        sighting = Sighting(at=now, first_poll=False, horizon=self._rules().horizon)
        ingest(self._store, self._rules(), place, [post], sighting, lambda: None)
        post_id = self._store.posts.seen([(SOURCE, "", post.external_id)])[(SOURCE, "", post.external_id)].post_id
        mention = next(each for each in self._store.calls.mentions(post_id) if each.brand == told.brand)
        self._store.corrections.add(mention, told.mood, me.id, now)
        event = self._store.events.add(
            by, "call logged", now, subject=f"mention {mention.id}", detail=f"{told.brand}, {told.mood}, {told.way}",
            undo={"call": post_id},
        )  # fmt: skip
        self._store.calls.add(
            post_id, brand=told.brand, way=told.way, call_back=told.call_back, colleague=me.id, event=event, now=now
        )
        if told.call_back:
            self._promise(mention.id, now)
        return self._call(post_id)

    def _promise(self, mention_id: int, now: datetime) -> None:
        """Open a case for who wants to be called back, where no route does: a promise is not to be forgotten."""
        found = self._store.mentions.find(mention_id)
        route = self._rules().route
        if found is None or route.taken_by(facts(found)):
            return
        case, opened = self._store.cases.open_or_grow(
            found, route=route.name, reason=CALL_BACK, severity=route.severity,
            joining=Joining(window=self._rules().case_window), now=now, sla=route.sla,
        )  # fmt: skip
        self._store.outbox.put(route, bundle_key(route, facts(found)), case.id, case.severity, opened, now)

    def take_back(self, event_id: int, by: Actor) -> Call:
        """Take back a call that one logged by mistake.

        Raises:
            Refused: it was another's, too long ago, taken back before, or a colleague works on its case.
        """
        me, now = allowed(by, "call"), self._clock()
        with self._store.transaction():
            found = taken_back(
                self._store.events.undoable(event_id), by, now, part="call",
                instead='say "not us" on its case instead',
            )  # fmt: skip
            post_id = cast("int", found.undo["call"])
            for mention in self._store.calls.mentions(post_id):
                self._store.corrections.add(mention, None, me.id, now)
                self._store.calls.withdraw(mention.id, TAKEN_BACK)
                self._leave(mention, me, by, now)
            self._store.calls.take_back(post_id, now)
            self._store.events.add(
                by, "undone", now, subject=found.event.subject, detail=found.event.act, undoes=event_id
            )
            return self._call(post_id)

    def _leave(self, mention: Mention, me: Colleague, by: Actor, now: datetime) -> None:
        """Take a mention out of its case; a case that held nothing else ends as not about us."""
        case = self._store.cases.of_mention(mention.id)
        if case is None or case.status == "resolved":
            return
        if case.mentions > 1:
            self._store.calls.part(mention.id)
            rest = self._store.mentions.of_case(case.id, 1)
            shown = headline(rest[0]) if rest else case.headline
            left = self._store.cases.change(replace(case, mentions=case.mentions - 1, headline=shown, changed_at=now))
            self._store.events.add(by, "call taken back", now, case=left)
            return
        holder = None if case.assignee is None else self._store.colleagues.get(case.assignee)
        ended = self._store.cases.change(rules.resolve(case, "not us", me, now, holder))
        self._store.events.add(by, "not us", now, case=ended, detail="the call was taken back")

    def _call(self, post_id: int) -> Call:
        call = self._store.calls.get(post_id)
        assert call is not None
        return call


def own_brands(settings: Settings) -> tuple[str, ...]:
    """Names of the brands that customers call us about: a rival's customers call the rival."""
    return tuple(brand.name for brand in settings.brands if not brand.rival)


def _same(known: Call, told: Told, post: Post) -> Call:
    """The call that was logged under this key before.

    Raises:
        Refused: that one says something else, or was taken back.
    """
    if known.gone_at is not None:
        raise Refused("that call was taken back; log it anew")
    before = (known.brand, known.words, known.topic, known.way, known.customer, known.call_back)
    if before != (told.brand, post.text, post.title, told.way, post.author.handle, told.call_back):
        raise Refused("another call was logged under this key; give each call a key of its own")
    return known
