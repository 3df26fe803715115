"""Authors are found through indexes, however many posts there are; customers keep what was linked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from listener.casework import Customers
from listener.casework.panel import panel_of_case
from listener.core.customer import Profile, Voice
from listener.core.errors import Refused, StoreError
from listener.core.event import Actor
from listener.core.mention import Author
from listener.store import Store, make_store
from listener.store.authors import COMMON
from listener.testing import START, FakeClock
from tests.kit import add_posts, judge_as, make_post, open_case
from tests.store.test_plans import Recorder

QUERIES = 40
"""Most kinds of readings of a panel and the pages around it."""


def voice(handle: str, source: str = "fake", realm: str = "fake.example") -> Voice:
    """An author."""
    return Voice(source=source, realm=realm, handle=handle)


def hear(store: Store, external_id: str, handle: str, source: str = "fake", **author: str) -> Voice:
    """An author says something, which is judged."""
    post = make_post(external_id, author=Author(handle=handle, **author))  # type: ignore[arg-type]
    add_posts(store, replace(post, source=source))
    judge_as(store, store.mentions.claim("judge", 1, START))
    return voice(handle, source)


def test_the_panel_reads_no_whole_table() -> None:
    db = Recorder()
    store = make_store(db)
    colleague = store.colleagues.add("ann", "Ann", "agent", START)
    desk = Customers(store, FakeClock())
    here = hear(store, "1", "ann_b", name="Ann Berg", url="https://ann.example/")
    [mention] = store.mentions.claim("route", 1, START)
    case, _ = open_case(store, mention)
    for n in range(30):
        hear(store, f"n{n}", f"other-{n}", name="Ann Berg" if n < 3 else "")
    desk.link(here, voice("other-0"), Actor(colleague=colleague, via="page"))
    db.statements.clear()
    panel = panel_of_case(store, case)
    desk.authors("ann")
    desk.page("ann")
    store.calls.latest(colleague.id)
    store.calls.topics()
    assert [suggested.profile.voice.handle for suggested in panel.suggestions] == ["other-1", "other-2"]
    assert len(db.statements) < QUERIES
    found = {sql: scans for sql in db.statements if (scans := db.scans(sql))}
    # A list of customers linked by hand is as short as the colleagues' patience; the newest calls stand at the end.
    right = ("FROM customers c", "FROM calls l JOIN posts p ON p.id = l.post_id WHERE l.gone_at IS NULL ORDER BY")
    assert not {sql: scans for sql, scans in found.items() if not any(part in sql for part in right)}


def test_an_authors_profile_is_that_of_their_newest_post(store: Store) -> None:
    hear(store, "1", "ann", name="Ann")
    hear(store, "2", "Ann", name="Ann Berg", url="https://ann.example/")
    profile = store.authors.profile(voice("ANN"))
    assert profile == Profile(voice=voice("Ann"), name="Ann Berg", url="https://ann.example/")
    assert store.authors.profile(voice("ann", "elsewhere")) is None


def test_handles_beyond_ascii_are_one_author_in_either_case(store: Store) -> None:
    hear(store, "1", "ÉLAN")
    hear(store, "2", "élan")
    assert len(store.authors.said([voice("ÉLAN")])) == 2
    assert store.authors.profile(voice("élan")) is not None


def test_authors_who_share_a_mark_are_alike(store: Store) -> None:
    me = hear(store, "1", "ann_b", name="Ann Berg", url="https://ann.example/")
    hear(store, "2", "@Ann_B", "handle")
    hear(store, "3", "x1", "name", name="ANN BERG")
    hear(store, "4", "x2", "page", url="https://ann.example/")
    hear(store, "5", "stranger", "nothing", name="Bea")
    profile = store.authors.profile(me)
    assert profile is not None
    assert {each.voice.source for each in store.authors.alike(profile)} == {"fake", "handle", "name", "page"}


@pytest.mark.parametrize(("sharing", "found"), [(COMMON, COMMON), (COMMON + 1, 0)])
def test_what_many_share_says_nothing(store: Store, sharing: int, found: int) -> None:
    for n in range(sharing):
        hear(store, str(n), f"author-{n}", name="A shopper")
    alike = store.authors.alike(Profile(voice=voice("me"), name="A shopper"))
    assert len(alike) == found


def test_an_author_with_many_posts_is_one_author(store: Store) -> None:
    for n in range(3 * COMMON):
        hear(store, str(n), "ann", name="Ann Berg")
    assert len(store.authors.alike(Profile(voice=voice("me"), name="Ann Berg"))) == 1


def test_search_takes_the_beginning_of_handle_or_name(store: Store) -> None:
    hear(store, "1", "ann_b", name="Berg")
    hear(store, "2", "bea", name="Annika")
    hear(store, "3", "joann", name="Jo")
    assert {each.voice.handle for each in store.authors.beginning("AN")} == {"ann_b", "bea"}


def test_a_voice_has_one_customer_whatever_is_written(store: Store) -> None:
    colleague = store.colleagues.add("ann", "Ann", "agent", START)
    with store.transaction():
        one, two = store.customers.make("one", START), store.customers.make("two", START)
        store.customers.link(one, voice("ann"), colleague.id, START)
        with pytest.raises(Refused, match="belongs to a customer already"):
            store.customers.link(two, voice("ANN"), colleague.id, START)
    with pytest.raises(StoreError, match="UNIQUE"):
        store.db.write(
            "INSERT INTO customer_voices (voice, source, realm, handle, customer_id, linked_at) "
            "SELECT voice, source, realm, handle, customer_id, linked_at FROM customer_voices"
        )


def test_mentions_that_are_not_about_us_darken_no_mood(store: Store) -> None:
    me = hear(store, "1", "ann")
    colleague = store.colleagues.add("ann", "Ann", "agent", START)
    mention = store.mentions.find(1)
    assert mention is not None
    assert len(store.authors.said([me])) == 1
    with store.transaction():
        store.corrections.add(mention, None, colleague.id, START)
    assert store.authors.said([me]) == ()
