"""What the pages show of a customer, or of an author who stands alone: gathered in a few indexed readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from listener.core.call import Call
from listener.core.case import Case
from listener.core.customer import Customer, Link, Profile, Said, Suggestion, Voice, evidence, mood_in_words
from listener.core.event import Event
from listener.core.note import Note
from listener.store import Store

CASES = 8
SUGGESTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A customer as colleagues see them.

    Args:
        name: as colleagues call them; the author's own name where nobody linked anything.
        customer: None while the author stands alone.
        voice: the author of the case at hand; None on a customer's own page, and for a case without an author.
        profiles: what is known of each voice, that of the case at hand first.
        links: who linked which voice, and when; by `Voice.key`.
        cases: their other cases, newest first.
        more: whether there are more cases than these.
        said: their newest judged mentions, oldest first.
        notes: what colleagues tell each other about the customer, oldest first.
        suggestions: other authors who may be the same person, each with its evidence.
        calls: the calls in the case at hand, newest first.
        history: what was done with the customer, newest first.
    """

    name: str
    customer: Customer | None = None
    voice: Voice | None = None
    profiles: tuple[Profile, ...] = ()
    links: dict[str, Link]
    cases: tuple[Case, ...] = ()
    more: bool = False
    said: tuple[Said, ...] = ()
    notes: tuple[Note, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    calls: tuple[Call, ...] = ()
    history: tuple[Event, ...] = ()

    @property
    def mood(self) -> str:
        """What they said so far, in words."""
        return mood_in_words(self.said)


def panel_of_case(store: Store, case: Case) -> Panel:
    """The customer of a case; without one its author alone."""
    voice = _author(store, case)
    calls = store.calls.of_case(case.id)
    if voice is None:
        return Panel(name="", links={}, calls=calls)
    customer = store.customers.of_voice(voice.key)
    return _panel(store, customer, voice, calls, case)


def panel_of_customer(store: Store, customer: Customer) -> Panel:
    """A customer for a page of its own."""
    return _panel(store, customer, None, (), None)


def _author(store: Store, case: Case) -> Voice | None:
    """Who wrote a case, as their network shows them."""
    key = store.cases.voice(case.id)
    if not key:
        return None
    source, realm, _ = key.split("\x1f", 2)
    return Voice(source=source, realm=realm, handle=case.author)


def _panel(
    store: Store, customer: Customer | None, voice: Voice | None, calls: tuple[Call, ...], case: Case | None
) -> Panel:
    voices = _voices(customer, voice)
    profiles = tuple(store.authors.profile(each) or Profile(voice=each) for each in voices)
    cases = store.cases.of_voices([each.key for each in voices], CASES + 2) if voices else ()
    others = tuple(each for each in cases if case is None or each.id != case.id)
    return Panel(
        name=customer.name if customer else profiles[0].name or profiles[0].voice.handle,
        customer=customer,
        voice=voice,
        profiles=profiles,
        links={link.voice.key: link for link in customer.links} if customer else {},
        cases=others[:CASES],
        more=len(others) > CASES,
        said=store.authors.said(voices),
        notes=store.notes.of_customer(customer.id) if customer else (),
        suggestions=suggestions(store, profiles, customer),
        calls=calls,
        history=store.events.of_subject(f"customer {customer.public_id}", 30) if customer else (),
    )


def _voices(customer: Customer | None, voice: Voice | None) -> tuple[Voice, ...]:
    """Every voice, that of the case at hand first."""
    linked = customer.voices if customer else ()
    if voice is None:
        return linked
    return (voice, *(each for each in linked if each.key != voice.key))


def suggestions(store: Store, profiles: Sequence[Profile], customer: Customer | None) -> tuple[Suggestion, ...]:
    """Authors who may be the same person as these, those with most evidence first."""
    known = {profile.voice.key for profile in profiles}
    found: dict[str, tuple[Profile, tuple[str, ...]]] = {}
    for profile in profiles:
        for other in store.authors.alike(profile):
            words = evidence(profile, other)
            if words and other.voice.key not in known:
                before = found.get(other.voice.key, (other, ()))[1]
                found[other.voice.key] = (other, tuple(dict.fromkeys((*before, *words))))
    best = sorted(found.items(), key=lambda each: (-len(each[1][1]), each[0]))
    told = as_suggestions(store, [(profile, words) for _, (profile, words) in best])
    # Of a customer's several handles one is enough: linking or merging brings the others along.
    once = {each.customer or each.profile.voice.key: each for each in reversed(told)}
    return tuple(each for each in told if each in once.values())[:SUGGESTED]


def as_suggestions(store: Store, found: Sequence[tuple[Profile, tuple[str, ...]]]) -> tuple[Suggestion, ...]:
    """Authors with how many cases they have and which customer they belong to."""
    keys = [profile.voice.key for profile, _ in found]
    cases, owners = store.cases.count_of_voices(keys), store.customers.of_voices(keys)
    return tuple(
        Suggestion(
            profile=profile, evidence=words, cases=cases.get(profile.voice.key, 0),
            customer=owners.get(profile.voice.key),
        )
        for profile, words in found
    )  # fmt: skip
