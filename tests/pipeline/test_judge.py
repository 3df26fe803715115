"""Mentions are judged in batches: each text once, and a text that breaks the scorer takes nobody along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from listener.core.errors import Rejected, StoreFull, Unavailable
from listener.core.mention import Post
from listener.core.rules import Rules
from listener.core.sentiment import Verdict
from listener.pipeline.judge import RETRY, judge
from listener.pipeline.parts import words_of
from listener.store import Store
from listener.testing import FakeClock, FakeScorer, make_post
from tests.kit import SHOP, add_posts, edit_post, make_rules


def steps(store: Store) -> dict[str, str | None]:
    """Step of each mention, by its post's id."""
    rows = store.db.read("SELECT p.external_id, m.step FROM mentions m JOIN posts p ON p.id = m.post_id")
    return {row[0]: row[1] for row in rows}


def label(store: Store, mention_id: int) -> str | None:
    """Its sentiment's label."""
    mention = store.mentions.find(mention_id)
    assert mention is not None
    return mention.sentiment.label if mention.sentiment else None


def test_a_complaint_waits_for_its_route_and_praise_ends_here(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("bad", "acme is broken"), make_post("good", "I love acme"))
    assert judge(store, scorer, rules, clock) == 2
    assert steps(store) == {"bad": "route", "good": None}
    trail = store.trails.of_mention(2)
    assert trail is not None
    assert trail.routed_why == "no route takes it"
    assert judge(store, scorer, rules, clock) == 0


def test_history_ends_here_however_bad(store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("old", "acme is broken"), arrival="backfill")
    judge(store, scorer, rules, clock)
    assert steps(store) == {"old": None}
    assert store.trends.totals() == {("Acme", "negative"): 1}


def test_identical_texts_are_read_once(store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, *(make_post(str(n), "acme is broken") for n in range(50)), make_post("other", "acme, broken"))
    assert judge(store, scorer, rules, clock) == 51
    assert scorer.batches == [2]
    assert store.trends.totals() == {("Acme", "negative"): 51}


def test_two_brands_of_one_post_share_a_verdict(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "acme, bored: all broken"), brands=("Acme", "Boredom"))
    judge(store, scorer, rules, clock)
    assert scorer.batches == [1]
    assert store.db.read("SELECT count(*) FROM verdicts")[0][0] == 1
    assert [label(store, 1), label(store, 2)] == ["negative", "negative"]


@pytest.mark.parametrize("limit", [9, 1])
def test_each_of_two_brands_gets_the_mood_of_its_own_clause(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock, limit: int
) -> None:
    words = {"Acme": ("Acme",), "Boredom": ("bored",)}
    post = make_post("1", "Acme is broken, but I love bored")
    add_posts(store, post, brands=tuple(words))
    store.db.write("UPDATE mentions SET words = 'bored' WHERE brand = 'Boredom'")
    while judge(store, scorer, rules, clock, limit):
        pass
    assert [label(store, 1), label(store, 2)] == ["negative", "positive"], "whichever is judged first"


def test_stars_are_the_brands_that_the_place_is_about(store: Store, scorer: FakeScorer, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "Acme is broken, but I love bored", rating=0.0), brands=("Acme", "Boredom"))
    store.db.write("UPDATE mentions SET words = 'bored' WHERE brand = 'Boredom'")
    judge(store, scorer, make_rules(places=(replace(SHOP, brand="Acme"),)), clock)
    mentions = [store.mentions.find(1), store.mentions.find(2)]
    scores = [round(mention.sentiment.score, 2) for mention in mentions if mention and mention.sentiment]
    assert scores == [-0.91, 0.94], "one star tempers the one and not the other"


def test_a_kept_verdict_is_used_again(store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "acme is broken"), brands=("Acme", "Boredom"))
    judge(store, scorer, rules, clock, limit=1)
    judge(store, scorer, rules, clock, limit=1)
    assert scorer.batches == [1]
    scorer.revision = "2"
    store.db.write("UPDATE mentions SET step = 'judge'")
    judge(store, scorer, rules, clock)
    assert scorer.batches == [1, 1], "another revision reads again"


def test_at_a_place_about_nobody_stars_are_the_brands_that_is_named_first(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "Acme is broken, but I love bored", rating=0.0), brands=("Acme", "Boredom"))
    store.db.write("UPDATE mentions SET words = 'bored' WHERE brand = 'Boredom'")
    judge(store, scorer, rules, clock)
    assert [label(store, 1), label(store, 2)] == ["negative", "positive"]


@pytest.mark.parametrize("problem", [Unavailable("loading"), Rejected("no such checkpoint")])
def test_without_a_scorer_all_mentions_stay_untried(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock, problem: Exception
) -> None:
    add_posts(store, make_post("1", "acme is broken"), make_post("2", "acme"))

    def fail(_: Sequence[str]) -> None:
        raise problem

    scorer.on_read = fail
    for _ in range(10):
        with pytest.raises(type(problem)):
            judge(store, scorer, rules, clock)
    scorer.on_read = lambda _: None
    assert judge(store, scorer, rules, clock) == 2, "in one batch, at once"


class Nameless(FakeScorer):
    """A scorer that cannot even say its name."""

    @property
    def name(self) -> str:
        """Fail."""
        raise Rejected("the bundle is damaged")


def test_a_scorer_that_cannot_say_its_name_costs_no_try(store: Store, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "acme is broken"))
    for _ in range(5):
        with pytest.raises(Rejected):
            judge(store, Nameless(), rules, clock)
    assert judge(store, FakeScorer(), rules, clock) == 1


def test_a_guilty_text_ends_in_dead_and_the_others_are_judged(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(
        store, *(make_post(str(n), f"acme broken {n}") for n in range(5)), make_post("guilty", "acme crashes you")
    )

    def crash(texts: Sequence[str]) -> None:
        if any("crashes" in text for text in texts):
            raise RuntimeError("segfault, nearly")

    scorer.on_read = crash
    for _ in range(12):
        judge(store, scorer, rules, clock)
        clock.forward(RETRY)
    assert steps(store) == {"guilty": "dead", **{str(n): "route" for n in range(5)}}
    [dead] = store.mentions.dead()
    assert "segfault, nearly" in dead.error


class Short(FakeScorer):
    """A scorer that forgets a text."""

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Leave the last one out."""
        return list(super().read(texts))[:-1]


def test_a_scorer_that_forgets_a_text_mixes_nothing_up(store: Store, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "acme is broken"), make_post("2", "I love acme"))
    judge(store, Short(), rules, clock)
    assert steps(store) == {"1": "judge", "2": "judge"}


def test_what_was_edited_while_it_was_read_is_read_again(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    post = make_post("1", "I love acme")
    add_posts(store, post)

    def edit(_: Sequence[str]) -> None:
        scorer.on_read = lambda _: None
        edit_post(store, post, text="acme is broken")

    scorer.on_read = edit
    judge(store, scorer, rules, clock)
    assert (steps(store), label(store, 1)) == ({"1": "judge"}, None)
    judge(store, scorer, rules, clock)
    assert (steps(store), label(store, 1)) == ({"1": "route"}, "negative")


def test_an_edit_that_made_nothing_worse_is_held_back(store: Store, scorer: FakeScorer, clock: FakeClock) -> None:
    rules = make_rules()
    post = make_post("1", "acme is broken")
    add_posts(store, post)
    judge(store, scorer, rules, clock)
    store.db.write("UPDATE mentions SET step = NULL")
    edit_post(store, post, text="acme is broken!")
    judge(store, scorer, rules, clock)
    trail = store.trails.of_mention(1)
    assert trail is not None
    assert trail.routed_why == "the edit made nothing worse: negative before, negative now"
    assert [revision.text for revision in trail.revisions] == ["acme is broken"]


def test_a_full_disk_costs_no_try(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_posts(store, make_post("1", "acme is broken"))

    def full(*_: object) -> None:
        raise StoreFull

    with monkeypatch.context() as patch:
        patch.setattr(type(store.mentions), "judged", full)
        for _ in range(5):
            with pytest.raises(StoreFull):
                judge(store, scorer, rules, clock)
    assert judge(store, scorer, rules, clock) == 1
    assert steps(store) == {"1": "route"}


def test_stars_temper_the_text(store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "acme, nothing to say", rating=0.0))
    judge(store, scorer, rules, clock)
    assert steps(store) == {"1": "route"}, "one star goes to the desk whatever the text says"


@pytest.mark.parametrize(
    ("title", "text", "read"),
    [
        ("", "text", "text"),
        ("title", "text", "title\ntext"),
        ("The parcel", "The parcel is late", "The parcel is late"),
        ("The par…", "The parcel is late", "The parcel is late"),
    ],
)
def test_a_title_is_read_unless_the_text_repeats_it(title: str, text: str, read: str) -> None:
    assert words_of(Post(source="s", external_id="1", title=title, text=text)) == read


def test_leases_outlive_a_slow_batch(store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "acme is broken"))
    others: list[int] = []

    def slow(_: Sequence[str]) -> None:
        clock.forward(timedelta(minutes=4))
        others.append(len(store.mentions.claim("judge", 10, clock())))

    scorer.on_read = slow
    judge(store, scorer, rules, clock)
    assert others == [0]


def test_long_texts_make_smaller_batches_and_cost_the_others_no_try(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, *(make_post(str(n), f"acme {n} " + "word " * 3_900) for n in range(30)))
    batches = []
    while handled := judge(store, scorer, rules, clock):
        batches.append(handled)
    assert batches == [10, 10, 10]
    assert set(steps(store).values()) == {None}
