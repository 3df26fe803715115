"""What colleagues do with campaigns, who is to read a brief, who is told that it was not read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from listener.casework import Campaigns
from listener.core.campaign import AFTER_EFFECTS, Draft, Outdated, Unfit
from listener.core.colleague import Role
from listener.core.errors import Refused
from listener.core.event import OPERATOR, Actor
from listener.store import Store
from listener.testing import START, FakeClock
from tests.kit import add_posts, make_mention, make_post

DAY = timedelta(days=1)
DRAFT = Draft(
    name="Free returns", brand="Acme", starts_at=START.isoformat(), ends_at=(START + 3 * DAY).isoformat(),
    terms="free returns", promises="Nothing to pay.",
)  # fmt: skip

Hire = Callable[..., Actor]


@pytest.fixture
def campaigns(store: Store, clock: FakeClock) -> Campaigns:
    return Campaigns(store, clock, lambda: ["Acme", "Globex"])


@pytest.fixture
def hire(store: Store, clock: FakeClock) -> Hire:
    def hire(name: str, role: Role = "agent", *, on_duty: bool = True) -> Actor:
        made = store.colleagues.add(name.lower(), name, role, clock())
        store.db.write("UPDATE colleagues SET on_duty = ? WHERE id = ?", (on_duty, made.id))
        return Actor(colleague=store.colleagues.get(made.id), via="page")

    return hire


@pytest.fixture
def mia(hire: Hire) -> Actor:
    return hire("Mia", "marketer")


@pytest.fixture
def ann(hire: Hire) -> Actor:
    return hire("Ann")


def unread(campaigns: Campaigns, by: Actor) -> dict[str, list[str]]:
    return {each.campaign.brief.name: [who.name for who in each.colleagues] for each in campaigns.unread(by)}


def test_each_act_is_an_event_of_the_campaign(campaigns: Campaigns, mia: Actor, ann: Actor) -> None:
    made = campaigns.register(DRAFT, mia)
    made = campaigns.change(made.public_id, replace(DRAFT, wording="Sorry.", name="Free"), mia, 1)
    campaigns.read(made.public_id, ann, 2)
    campaigns.withdraw(made.public_id, mia)
    campaigns.restore(made.public_id, mia)
    said = [(event.act, event.who, event.detail) for event in reversed(campaigns.history(made))]
    assert said == [
        ("campaign registered", "Mia", "Free returns"),
        ("campaign changed", "Mia", "version 2: name, approved wording"),
        ("brief read", "Ann", "version 2"),
        ("campaign withdrawn", "Mia", "Free"),
        ("campaign restored", "Mia", "Free"),
    ]


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("agent", False), ("marketer", True), ("lead", True)])
def test_writing_takes_the_right(campaigns: Campaigns, hire: Hire, mia: Actor, role: Role, may: bool) -> None:
    made, who = campaigns.register(DRAFT, mia), hire("Who", role)
    acts: tuple[Callable[[], object], ...] = (
        lambda: campaigns.register(DRAFT, who),
        lambda: campaigns.change(made.public_id, replace(DRAFT, name="Other"), who, 1),
        lambda: campaigns.withdraw(made.public_id, who),
        lambda: campaigns.restore(made.public_id, who),
    )
    for act in acts:
        if may:
            act()
            continue
        with pytest.raises(Refused, match=f"a {role} may not do that"):
            act()


def test_a_viewer_reads_pages_and_marks_no_brief(campaigns: Campaigns, hire: Hire, mia: Actor) -> None:
    made = campaigns.register(DRAFT, mia)
    with pytest.raises(Refused, match="a viewer may not"):
        campaigns.read(made.public_id, hire("Vic", "viewer"), 1)
    with pytest.raises(Refused, match="that takes a colleague"):
        campaigns.read(made.public_id, OPERATOR, 1)


def test_a_brief_that_does_not_fit_is_kept_nowhere(campaigns: Campaigns, store: Store, mia: Actor) -> None:
    with pytest.raises(Unfit):
        campaigns.register(replace(DRAFT, name=""), mia)
    made = campaigns.register(DRAFT, mia)
    with pytest.raises(Unfit):
        campaigns.change(made.public_id, replace(DRAFT, brand="Nobody"), mia, 1)
    assert store.campaigns.page() == (made,)
    assert len(campaigns.history(made)) == 1


def test_a_brand_that_left_the_configuration_can_stay(store: Store, clock: FakeClock, mia: Actor) -> None:
    brands = ["Acme"]
    campaigns = Campaigns(store, clock, lambda: brands)
    made = campaigns.register(DRAFT, mia)
    brands[:] = ["Globex"]
    assert campaigns.change(made.public_id, replace(DRAFT, name="Other"), mia, 1).brief.brand == "Acme"


def test_the_same_words_are_no_new_version(campaigns: Campaigns, mia: Actor) -> None:
    made = campaigns.register(DRAFT, mia)
    assert campaigns.change(made.public_id, replace(DRAFT, name=" Free  returns"), mia, 1) == made
    assert len(campaigns.history(made)) == 1


def test_of_two_who_change_it_at_once_the_second_is_shown_the_first_ones(campaigns: Campaigns, mia: Actor) -> None:
    made = campaigns.register(DRAFT, mia)
    campaigns.change(made.public_id, replace(DRAFT, wording="First"), mia, 1)
    with pytest.raises(Outdated) as refused:
        campaigns.change(made.public_id, replace(DRAFT, wording="Second"), mia, 1)
    assert refused.value.present.brief.wording == "First"
    assert campaigns.change(made.public_id, replace(DRAFT, wording="Second"), mia, 2).version == 3


def test_what_stands_in_the_way_is_said(campaigns: Campaigns, clock: FakeClock, mia: Actor) -> None:
    made = campaigns.register(DRAFT, mia)
    with pytest.raises(Refused, match="not withdrawn"):
        campaigns.restore(made.public_id, mia)
    campaigns.withdraw(made.public_id, mia)
    with pytest.raises(Refused, match="withdrawn already"):
        campaigns.withdraw(made.public_id, mia)
    with pytest.raises(Refused, match="take that back first"):
        campaigns.change(made.public_id, replace(DRAFT, name="Other"), mia, 1)
    campaigns.restore(made.public_id, mia)
    clock.forward(4 * DAY)
    with pytest.raises(Refused, match="over already"):
        campaigns.withdraw(made.public_id, mia)
    with pytest.raises(Refused, match="no such campaign"):
        campaigns.withdraw("nobody", mia)


def test_who_is_on_duty_is_asked_to_read_it_until_they_did(campaigns: Campaigns, mia: Actor, ann: Actor) -> None:
    assert campaigns.unread_briefs(ann) == 0
    made = campaigns.register(DRAFT, mia)
    assert campaigns.unread_briefs(ann) == 1
    campaigns.read(made.public_id, ann, 1)
    campaigns.read(made.public_id, ann, 1)
    assert campaigns.unread_briefs(ann) == 0
    assert [name for name, _ in campaigns.readers(made)] == ["Ann"]
    assert len(campaigns.history(made)) == 2


def test_a_changed_brief_is_to_be_read_again_and_the_old_one_cannot_be(
    campaigns: Campaigns, mia: Actor, ann: Actor
) -> None:
    made = campaigns.register(DRAFT, mia)
    campaigns.read(made.public_id, ann, 1)
    changed = campaigns.change(made.public_id, replace(DRAFT, wording="Sorry."), mia, 1)
    assert campaigns.unread_briefs(ann) == 1
    assert campaigns.readers(changed) == ()
    with pytest.raises(Refused, match="read it as it is now"):
        campaigns.read(made.public_id, ann, 1)


def test_who_is_off_duty_or_answers_nobody_is_not_asked(campaigns: Campaigns, hire: Hire, mia: Actor) -> None:
    campaigns.register(DRAFT, mia)
    off, viewer = hire("Off", on_duty=False), hire("Vic", "viewer")
    assert [campaigns.unread_briefs(who) for who in (off, viewer, mia, OPERATOR, None)] == [0] * 5
    assert unread(campaigns, mia) == {}


def test_leads_and_the_owner_are_told_who_has_not_read_it_and_nobody_else(
    campaigns: Campaigns, hire: Hire, mia: Actor, ann: Actor
) -> None:
    made = campaigns.register(DRAFT, mia)
    lea, other, bob = hire("Lea", "lead"), hire("Max", "marketer"), hire("Bob")
    assert unread(campaigns, mia) == unread(campaigns, lea) == {"Free returns": ["Ann", "Bob", "Lea"]}
    assert unread(campaigns, other) == unread(campaigns, ann) == unread(campaigns, OPERATOR) == {}
    for who in (ann, bob, lea):
        campaigns.read(made.public_id, who, 1)
    assert unread(campaigns, lea) == unread(campaigns, mia) == {}


def test_a_past_or_withdrawn_brief_asks_nobody(
    campaigns: Campaigns, clock: FakeClock, mia: Actor, ann: Actor
) -> None:  # fmt: skip
    made = campaigns.register(DRAFT, mia)
    campaigns.withdraw(made.public_id, mia)
    assert (campaigns.unread_briefs(ann), unread(campaigns, mia)) == (0, {})
    campaigns.restore(made.public_id, mia)
    clock.forward(3 * DAY + AFTER_EFFECTS)
    assert campaigns.unread_briefs(ann) == 1
    clock.forward(DAY)
    assert (campaigns.unread_briefs(ann), unread(campaigns, mia)) == (0, {})


def test_a_case_carries_the_briefs_of_any_of_its_mentions_the_newest_first(
    campaigns: Campaigns, mia: Actor, ann: Actor
) -> None:
    first = campaigns.register(DRAFT, mia)
    second = campaigns.register(replace(DRAFT, name="Sale", terms="", starts_at=(START + DAY).isoformat()), mia)
    campaigns.register(replace(DRAFT, brand="Globex"), mia)
    campaigns.read(first.public_id, ann, 1)
    early = make_mention(make_post("1", "free returns?", published_at=START))
    late = make_mention(make_post("2", "and the sale?", published_at=START + 2 * DAY))
    assert campaigns.carried([], ann) == ()
    assert [each.campaign for each in campaigns.carried([early], ann)] == [first]
    assert [each.campaign for each in campaigns.carried([late], ann)] == [second]
    newest, oldest = campaigns.carried([late, early], ann)
    assert (newest.campaign, newest.read_at, newest.asked, newest.owner) == (second, None, True, "Mia")
    assert (oldest.campaign, oldest.read_at, oldest.state) == (first, START, "running")


def test_a_preview_says_what_the_terms_fit(campaigns: Campaigns, store: Store, clock: FakeClock) -> None:
    add_posts(store, *(make_post(str(n), f"free returns {n}") for n in range(5)), make_post("x", "another thing"))
    found = campaigns.preview(DRAFT)
    assert (found.looked_at, found.carried, found.full) == (6, 5, False)
    assert [mention.post.text for mention in found.examples] == [f"free returns {n}" for n in (4, 3, 2)]
    assert campaigns.preview(Draft(brand="Acme")).carried == 6
    assert campaigns.preview(Draft(brand="Globex")).looked_at == 0
    clock.forward(31 * DAY)
    assert campaigns.preview(DRAFT).looked_at == 0
    with pytest.raises(Unfit):
        campaigns.preview(Draft(brand="Nobody"))
