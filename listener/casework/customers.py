"""What colleagues do with customers: link two authors, unlink, merge, rename, note, and take it back.

Two authors are one customer only because a colleague said so. Events name customers by their links and sources, never
by a name or a handle, so that forgetting a person never touches the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from listener.casework.panel import Panel, as_suggestions, panel_of_case, panel_of_customer
from listener.casework.permission import allowed
from listener.casework.undo import UNDO_FOR, own, taken_back
from listener.core.case import Case
from listener.core.customer import LONGEST_NAME, Customer, Profile, Suggestion, Voice, customer_name
from listener.core.errors import Refused
from listener.core.event import Actor, Event
from listener.core.mention import line
from listener.core.note import note_text
from listener.core.tools import Clock
from listener.store import Store
from listener.store.events import Undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an act came to: the customer as it is now, and the event by which it can be taken back."""

    customer: Customer
    event: int


class Customers:
    """Does what colleagues ask for.

    Args:
        store: the database.
        clock: says the present.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock

    def of_case(self, case: Case) -> Panel:
        """The customer of a case as colleagues see them; without one its author alone."""
        return panel_of_case(self._store, case)

    def find(self, public_id: str) -> Panel | None:
        """A customer as colleagues see them, also one that ended; None when there never was one."""
        customer = self._store.customers.find(public_id)
        return panel_of_customer(self._store, customer) if customer else None

    def owner(self, voice: Voice) -> str:
        """Public id of the customer whom an author belongs to; empty without one."""
        customer = self._store.customers.of_voice(voice.key)
        return customer.public_id if customer else ""

    def page(self, words: str = "", limit: int = 50, offset: int = 0) -> tuple[Customer, ...]:
        """Customers, changed last first; with words those in whose name or handles they stand."""
        return self._store.customers.page(line(words, LONGEST_NAME), limit, offset)

    def authors(self, words: str) -> tuple[Suggestion, ...]:
        """Authors whose handle or name begins with some words, linked or not; without evidence."""
        asked = line(words, LONGEST_NAME).removeprefix("@")
        found = self._store.authors.beginning(asked) if asked else ()
        return as_suggestions(self._store, [(profile, ()) for profile in found])

    def undoable(self, event: Event | None, by: Actor) -> bool:
        """Whether somebody may still take an act back."""
        if event is None or not own(event, by) or self._clock() - event.at > UNDO_FOR:
            return False
        found = self._store.events.undoable(event.id)
        if found is None or "customer" not in found.undo:
            return False
        return self._store.customers.get(cast("int", found.undo["customer"])).version == found.undo["version"]

    def link(self, one: Voice, other: Voice, by: Actor) -> Settled:
        """Say that two authors are the same person.

        Where neither belongs to a customer they make one; where one does, the other joins it.

        Raises:
            Refused: they are the same author, one of them never wrote, they are linked already, or both belong to
                customers, which are to be merged instead.
        """
        me, now = allowed(by, "link"), self._clock()
        with self._store.transaction():
            profiles = self._known(one), self._known(other)
            if one.key == other.key:
                raise Refused("that is one author, not two")
            owners = tuple(self._store.customers.of_voice(voice.key) for voice in (one, other))
            owner = _joined(*owners)
            made = owner is None
            customer_id = owner.id if owner else self._store.customers.make(_name_of(*profiles), now)
            fresh = [voice for voice, its in zip((one, other), owners, strict=True) if its is None]
            links = [self._store.customers.link(customer_id, voice, me.id, now) for voice in fresh]
            detail = " and ".join(sorted(voice.source for voice in (one, other)))
            return self._told(customer_id, by, "authors linked", detail, {"linked": links, "made": made})

    def unlink(self, public_id: str, voice: Voice, by: Actor) -> Settled:
        """Take an author out of a customer; where only one is left, the customer is taken apart.

        Raises:
            Refused: there is no such customer, or the author does not belong to it.
        """
        now = self._clock()
        allowed(by, "link")
        with self._store.transaction():
            customer = self._standing(public_id)
            gone = [link.id for link in customer.links if link.voice.key == voice.key]
            if not gone:
                raise Refused("that author does not belong to this customer", resource=public_id)
            if len(customer.links) == 2:
                gone = [link.id for link in customer.links]
                self._store.customers.end(customer.id, now)
            self._store.customers.unlink(gone, now)
            detail = f"{voice.source}; the customer is taken apart" if len(gone) == 2 else voice.source
            return self._told(customer.id, by, "author unlinked", detail, {"unlinked": gone, "ended": len(gone) == 2})

    def merge(self, public_id: str, into: str, by: Actor) -> Settled:
        """Say that two customers are the same person: the second takes in the first with its notes.

        Raises:
            Refused: one of them is not there, or they are one already.
        """
        now = self._clock()
        allowed(by, "link")
        with self._store.transaction():
            customer, target = self._standing(public_id), self._standing(into)
            if customer.id == target.id:
                raise Refused("a customer cannot be merged into itself", resource=public_id)
            links = [link.id for link in customer.links]
            notes = [note.id for note in self._store.notes.of_customer(customer.id)]
            self._store.customers.move(links, notes, target.id)
            self._store.customers.end(customer.id, now, into=target.id)
            ended = self._store.customers.touch(customer.id, now)
            undo = {"moved": links, "notes": notes, "from": ended.id, "from_version": ended.version}
            return self._told(target.id, by, "customers merged", f"took in customer {public_id}", undo)

    def rename(self, public_id: str, name: str, by: Actor) -> Settled:
        """Give a customer another name.

        Raises:
            Refused: there is no such customer, or the name is empty.
        """
        allowed(by, "link")
        kept = customer_name(name)
        with self._store.transaction():
            customer = self._standing(public_id)
            self._store.customers.rename(customer.id, kept)
            return self._told(customer.id, by, "customer renamed", "", {"renamed": True})

    def note(self, public_id: str, text: str, by: Actor) -> Settled:
        """Tell the colleagues something about a customer.

        Raises:
            Refused: there is no such customer, or the note is empty or too long.
        """
        me, now = allowed(by, "note"), self._clock()
        kept = note_text(text)
        with self._store.transaction():
            customer = self._standing(public_id)
            note = self._store.notes.add(kept, colleague=me.id, who=me.name, now=now, customer=customer.id)
            return self._told(customer.id, by, "customer noted", "", {"noted": note})

    def undo(self, event_id: int, by: Actor) -> Settled:
        """Take back what one did, while nothing happened to the customer since.

        Raises:
            Refused: it was another's act, too long ago, taken back before, or the customer changed since.
        """
        now = self._clock()
        with self._store.transaction():
            found = taken_back(
                self._store.events.undoable(event_id), by, now, part="customer",
                instead="the links can still be changed by hand",
            )  # fmt: skip
            allowed(by, "note" if "noted" in found.undo else "link")
            customer = self._store.customers.get(cast("int", found.undo["customer"]))
            if customer.version != found.undo["version"]:
                raise Refused("the customer changed since; look again", resource=customer.public_id)
            self._restore(customer.id, found.undo)
            changed = self._store.customers.touch(customer.id, now)
            event = self._store.events.add(
                by, "undone", now, subject=_subject(changed), detail=found.event.act, undoes=event_id
            )
            return Settled(customer=changed, event=event)

    def _restore(self, customer_id: int, undo: Undo) -> None:
        """Take back what an act did."""
        now, customers = self._clock(), self._store.customers
        if "linked" in undo:
            customers.unlink(cast("list[int]", undo["linked"]), now)
            if undo["made"]:
                customers.end(customer_id, now)
        if "unlinked" in undo:
            customers.relink(cast("list[int]", undo["unlinked"]))
            customers.revive(customer_id)
        if "moved" in undo:
            source = customers.get(cast("int", undo["from"]))
            customers.move(cast("list[int]", undo["moved"]), cast("list[int]", undo["notes"]), source.id)
            customers.revive(source.id)
            customers.touch(source.id, now)
        if "renamed" in undo:
            customers.rename_back(customer_id)
        if "noted" in undo:
            self._store.notes.take_back(cast("int", undo["noted"]), now)

    def _told(self, customer_id: int, by: Actor, act: str, detail: str, undo: Mapping[str, object]) -> Settled:
        """Count the change and keep its event, in the transaction that made it."""
        now = self._clock()
        customer = self._store.customers.touch(customer_id, now)
        kept = {"customer": customer.id, "version": customer.version, **undo}
        event = self._store.events.add(by, act, now, subject=_subject(customer), detail=detail, undo=kept)
        return Settled(customer=customer, event=event)

    def _standing(self, public_id: str) -> Customer:
        customer = self._store.customers.find(public_id)
        if customer is None:
            raise Refused("there is no such customer", resource=public_id)
        if customer.ended_at is not None:
            raise Refused("that customer was merged or taken apart meanwhile", resource=public_id)
        return customer

    def _known(self, voice: Voice) -> Profile:
        profile = self._store.authors.profile(voice)
        if profile is None:
            raise Refused(f"nobody was heard under that name on {voice.source}")
        return profile


def _joined(one: Customer | None, other: Customer | None) -> Customer | None:
    """The customer that two authors make or join; None for a new one."""
    if one is not None and other is not None:
        same = one.id == other.id
        raise Refused("they are linked already" if same else "both belong to customers: merge those instead")
    return one or other


def _name_of(one: Profile, other: Profile) -> str:
    """What a new customer is called: a display name if there is one."""
    return customer_name(one.name or other.name or one.voice.handle)


def _subject(customer: Customer) -> str:
    return f"customer {customer.public_id}"
