"""What mentions touch of the operator's topics, with the mood of the sentences about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pytest

from listener.core.meaning import Space
from listener.core.rules import Rules
from listener.core.sentiment import Verdict
from listener.core.topic import THRESHOLD, Topic, Touched
from listener.pipeline.backdrop import ENGLISH, SEVERAL, backdrop_for
from listener.pipeline.judge import judge
from listener.pipeline.topics import WORD, Book, Topics, _owner, nearness
from listener.pipeline.turns import Turns
from listener.store import Store
from listener.testing import START, FakeClock, FakeScorer, make_post
from tests.kit import add_posts, edit_post, make_rules, route

DELIVERY = Topic(name="delivery", description="Parcels and couriers", phrases=("late parcel", "the courier lost it"))
QUALITY = Topic(name="quality", description="How well it is made", phrases=("sturdy shoes", "it fell apart"))
TOPICS = (DELIVERY, QUALITY)
SUBJECTS = ("courier", "parcel", "delivery", "shoes", "made", "apart")
SPAN = (START - timedelta(days=2), START + timedelta(days=2))


class Meaning(FakeScorer):
    """A scorer whose vectors point where the words of a text do, and a little towards its mood."""

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Add a vector to each verdict."""
        return [
            replace(each, embedding=self._vector(text)) for each, text in zip(super().read(texts), texts, strict=True)
        ]

    def _vector(self, text: str) -> bytes:
        vector = np.zeros(384, np.int8)
        for number, word in enumerate(SUBJECTS):
            vector[number // 3] += 40 * (word in text.lower())
        vector[9] = 60 if any(word in text for word in self.table) else 20
        return vector.tobytes()


class Polyglot(Meaning):
    """A scorer of two spaces: German words mean the same as English ones, the other way round."""

    spaces = (
        Space(name="en@1", languages=("en",), near=THRESHOLD),
        Space(name="multi@1", languages=("en", "de"), near=THRESHOLD * 2),
    )
    asked: ClassVar[list[str]] = []

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Say what German texts mean in the second space."""
        return [
            replace(each, language="de", embedding=self.meanings([text], "multi@1")[0], space="multi@1")
            if " das " in f" {text.lower()} "
            else replace(each, language="en", space="en@1")
            for each, text in zip(super().read(texts), texts, strict=True)
        ]

    def meanings(self, texts: Sequence[str], space: str) -> list[bytes | None]:
        """Turn round what is said in the second space."""
        self.asked.append(space)
        vectors = [np.frombuffer(self._vector(text.lower().replace("paket", "parcel")), np.int8) for text in texts]
        return [(-each if space == "multi@1" else each).tobytes() for each in vectors]


@pytest.fixture
def scorer() -> FakeScorer:
    """A scorer that gives meanings."""
    return Meaning()


@pytest.fixture
def rules() -> Rules:
    """Two topics."""
    return make_rules(topics=TOPICS)


def topics(store: Store, mention_id: int = 1) -> tuple[Touched, ...]:
    """What a mention touches."""
    trail = store.trails.of_mention(mention_id)
    assert trail is not None
    return trail.topics


def moods(store: Store, mention_id: int = 1) -> dict[str, str]:
    """The mood of each topic that a mention touches."""
    return {each.topic: each.label for each in topics(store, mention_id)}


def counted(store: Store) -> dict[tuple[str, str, str], int]:
    """The rollup of topics, which equals a recount."""
    found = store.trends.topics(*SPAN)
    assert found == store.trends.recount_topics(*SPAN)
    return dict(found)


def test_each_topic_gets_the_mood_of_its_own_sentences(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "love the shoes, the delivery was broken"), make_post("2", "acme, what a day"))
    judge(store, scorer, rules, clock)
    assert moods(store) == {"quality": "positive", "delivery": "negative"}
    assert all(each.own for each in topics(store))
    assert moods(store, 2) == {}
    assert counted(store) == {("Acme", "quality", "positive"): 1, ("Acme", "delivery", "negative"): 1}
    mention = store.mentions.find(1)
    assert mention is not None
    assert set(mention.topics) == {"delivery", "quality"}


def test_a_post_of_one_piece_gives_its_topics_its_own_mood_and_says_why(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "Late parcel, I hate it", rating=0.0))
    judge(store, scorer, rules, clock)
    [found] = topics(store)
    assert (found.topic, found.label, found.own, found.nearness, found.phrase) == (
        "delivery", "negative", False, 1.0, "late parcel",
    )  # fmt: skip


def test_a_scorer_without_meanings_finds_words_only(store: Store, rules: Rules, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "the parcel, the courier: broken"), make_post("2", "it fell apart"))
    judge(store, FakeScorer(), rules, clock)
    assert (moods(store), moods(store, 2)) == ({"delivery": "negative"}, {"quality": "neutral"})
    assert topics(store)[0].phrase in DELIVERY.sentences


def test_a_topic_holds_for_its_brands_and_from_its_threshold_on(
    store: Store, scorer: FakeScorer, clock: FakeClock
) -> None:
    strict = replace(DELIVERY, threshold=1.0)
    others = replace(QUALITY, brands=("Bolt",))
    add_posts(store, make_post("1", "the parcel broken"), make_post("2", "the shoes broken"))
    judge(store, scorer, make_rules(topics=(strict, others)), clock)
    assert (moods(store), moods(store, 2)) == ({}, {})


def test_of_two_brands_each_touches_what_is_said_of_it(store: Store, scorer: FakeScorer, clock: FakeClock) -> None:
    add_posts(
        store,
        make_post("1", "Acme shoes are what I love, but bored lost my parcel, broken"),
        brands=("Acme", "Boredom"),
    )
    store.db.write("UPDATE mentions SET words = 'bored' WHERE brand = 'Boredom'")
    judge(store, scorer, make_rules(topics=TOPICS), clock)
    assert moods(store, 1) == {"quality": "positive"}
    assert moods(store, 2) == {"delivery": "negative"}


def test_routes_ask_for_topics_before_and_after_the_mention_is_stored(
    store: Store, scorer: FakeScorer, clock: FakeClock
) -> None:
    rules = make_rules(route("parcels", "topic = delivery", channels=("desk",)), topics=TOPICS)
    add_posts(store, make_post("1", "the parcel is a parcel"), make_post("2", "the shoes are shoes"))
    judge(store, scorer, rules, clock)
    [mention] = store.mentions.claim("route", 9, clock())
    assert mention.post.external_id == "1"
    assert mention.topics == ("delivery",)


def test_an_edit_brings_other_topics(store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock) -> None:
    post = make_post("1", "the parcel is broken")
    add_posts(store, post)
    judge(store, scorer, rules, clock)
    edit_post(store, post, text="the shoes: I love them")
    judge(store, scorer, rules, clock)
    assert moods(store) == {"quality": "positive"}
    assert counted(store) == {("Acme", "quality", "positive"): 1}


def test_topics_follow_a_correction_there_and_back(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "the parcel is broken"), make_post("2", "love the shoes, the delivery was broken"))
    judge(store, scorer, rules, clock)
    before = counted(store)
    for mention_id, label in ((1, "positive"), (2, "neutral"), (1, None)):
        mention = store.mentions.find(mention_id)
        assert mention is not None
        with store.transaction():
            store.corrections.add(mention, label, None, START)  # type: ignore[arg-type]
        after = counted(store)
        if label == "positive":
            assert after["Acme", "delivery", "positive"] == 1
        elif label == "neutral":
            assert moods(store, 2) == {"quality": "positive", "delivery": "negative"}, "they have their own"
        else:
            assert ("Acme", "delivery", "positive") not in after, "what is not about us is counted nowhere"
    for (correction,) in store.db.read("SELECT id FROM corrections WHERE gone_at IS NULL"):
        with store.transaction():
            store.corrections.take_back(correction, START)
    for (correction,) in store.db.read("SELECT id FROM corrections WHERE gone_at IS NULL"):
        with store.transaction():
            store.corrections.take_back(correction, START)
    assert counted(store) == before


def test_a_settled_label_stays_with_the_topics_when_it_is_judged_again(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "the parcel is broken"))
    judge(store, scorer, rules, clock)
    mention = store.mentions.find(1)
    assert mention is not None
    with store.transaction():
        store.corrections.add(mention, "positive", None, START)
    store.db.write("UPDATE mentions SET step = 'judge'")
    judge(store, scorer, rules, clock)
    assert moods(store) == {"delivery": "positive"}
    assert counted(store) == {("Acme", "delivery", "positive"): 1}


def test_phrases_are_read_once_until_they_change(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    finder = Topics(scorer)
    add_posts(store, make_post("1", "the parcel"), make_post("2", "the shoes"))
    judge(store, scorer, rules, clock, limit=1, topics=finder)
    judge(store, scorer, rules, clock, limit=1, topics=finder)
    phrases, *posts = scorer.batches
    assert (phrases > 100, posts) == (True, [1, 1])
    assert finder.book(rules.topics) is finder.book(rules.topics)
    assert finder.book((DELIVERY,)) is not finder.book(TOPICS)


def test_parts_are_read_only_where_a_topic_may_be_near(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    finder = Topics(scorer)
    finder.book(rules.topics)
    scorer.batches.clear()
    add_posts(store, make_post("1", "A quiet day. Nothing to tell. Acme as ever."))
    judge(store, scorer, rules, clock, topics=finder)
    assert scorer.batches == [1]


def test_without_topics_nothing_more_is_read(store: Store, scorer: FakeScorer, clock: FakeClock) -> None:
    add_posts(store, make_post("1", "the parcel is late. The shoes are broken."))
    judge(store, scorer, make_rules(), clock)
    assert scorer.batches == [1]
    assert counted(store) == {}


def test_what_is_erased_takes_its_topics_along(
    store: Store, scorer: FakeScorer, rules: Rules, clock: FakeClock
) -> None:
    add_posts(store, make_post("1", "the parcel is broken"))
    judge(store, scorer, rules, clock)
    store.db.write("DELETE FROM mentions WHERE id = 1")
    assert store.db.read("SELECT count(*) FROM mention_topics")[0][0] == 0


def test_phrases_are_compared_in_the_space_of_the_post(store: Store, rules: Rules, clock: FakeClock) -> None:
    scorer = Polyglot()
    add_posts(store, make_post("1", "parcel courier delivery"), make_post("2", "das parcel courier delivery"))
    judge(store, scorer, rules, clock)
    assert (set(moods(store)), set(moods(store, 2))) == ({"delivery"}, {"delivery"})


def test_a_space_is_asked_when_a_post_turns_up_in_it(store: Store, rules: Rules, clock: FakeClock) -> None:
    scorer = Polyglot()
    finder = Topics(scorer)
    scorer.asked.clear()
    add_posts(store, make_post("1", "the parcel"))
    judge(store, scorer, rules, clock, topics=finder)
    assert set(scorer.asked) == {"en@1"}


def test_nearness_is_stretched_to_one_threshold_for_all_spaces() -> None:
    scorer = Polyglot()
    book = Book(TOPICS, scorer)
    [english] = nearness(book, "Acme", ["courier"], scorer.read(["courier"]))
    [german] = nearness(book, "Acme", ["das courier"], scorer.read(["das courier"]))
    assert english[0] - WORD == pytest.approx(2 * (german[0] - WORD), rel=0.01), "each holds a word of the topic"


def test_a_topic_in_another_language_leaves_a_space_alone() -> None:
    scorer = Polyglot()
    german = Topic(name="lieferung", description="das Paket", phrases=("das Paket kam nicht", "wo ist das Paket"))
    book = Book((german, QUALITY), scorer)
    english, several = book.compass("en@1"), book.compass("multi@1")
    assert english is not None
    assert several is not None
    assert [len(each) for each in english.meanings] == [0, 3]
    assert [len(each) for each in several.meanings] == [3, 3]
    assert book.compass("strange@1") is None


def test_turns_pass_on_what_texts_mean() -> None:
    turns = Turns(Polyglot())
    assert [space.name for space in turns.spaces] == ["en@1", "multi@1"]
    assert turns.meanings(["parcel"] * 300, "en@1") == Polyglot().meanings(["parcel"] * 300, "en@1")
    assert Turns(FakeScorer()).spaces == ()
    assert Book(TOPICS, Turns(Meaning())).compass("table@1") is not None


class OfSubjects(FakeScorer):
    """A scorer that knows which usual subject a sentence belongs to, and that phrases of delivery and staff do."""

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Point the way of the subject."""
        return [
            replace(each, embedding=self._vector(text)) for each, text in zip(super().read(texts), texts, strict=True)
        ]

    def _vector(self, text: str) -> bytes:
        vector = np.zeros(384, np.int8)
        vector[300 + len(text) % 7] = 9
        for number, (name, sentences) in enumerate(ENGLISH.subjects.items()):
            vector[number] = 100 * (text in sentences or name in text)
        return vector.tobytes()


def test_a_topic_that_is_a_usual_subject_finds_what_its_phrases_do_not_say() -> None:
    scorer = OfSubjects()
    parcels = Topic(name="parcels", description="delivery", phrases=("delivery late", "delivery lost"))
    logos = Topic(name="logos", description="The new look", phrases=("ugly logo", "I like the bird"))
    book = Book((parcels, logos), scorer)
    [near] = nearness(book, "Acme", ["The van drove past our house."], scorer.read(["The van drove past our house."]))
    assert near[0] > THRESHOLD
    assert near[1] < 0.1
    assert book.phrases == (parcels.sentences, logos.sentences), "what explains a topic is the operator's own"


def test_a_subject_that_two_topics_share_is_held_against_neither() -> None:
    scorer = OfSubjects()
    late = Topic(name="late", description="delivery late", phrases=("delivery a week late",))
    rude = Topic(name="rude", description="delivery driver rude", phrases=("delivery man rude",))
    text = "The van drove past our house."
    [both] = nearness(Book((late, rude), scorer), "Acme", [text], scorer.read([text]))
    [alone] = nearness(Book((late,), scorer), "Acme", [text], scorer.read([text]))
    assert 0.05 < both[0] < alone[0]


@pytest.mark.parametrize(
    ("near", "owner"),
    [
        ([], -1), ([0.1, 0.0], -1), ([0.1, 0.5], 1), ([0.5, 0.1], 0), ([0.3, 0.0], -2), ([0.5, 0.3], -2),
        ([0.5, 0.5], -2),
    ],
)  # fmt: skip
def test_a_usual_subject_belongs_to_one_topic_or_to_none(near: list[float], owner: int) -> None:
    assert _owner(near) == owner


def test_the_backdrop_in_other_languages_has_the_same_subjects() -> None:
    assert SEVERAL.subjects.keys() == ENGLISH.subjects.keys()
    assert backdrop_for(()) is backdrop_for(("en",)) is ENGLISH
    assert backdrop_for(("en", "de")) is SEVERAL
    assert "Was für ein Tag." in SEVERAL.general
    assert len(SEVERAL.subjects["delivery"]) == len(ENGLISH.subjects["delivery"]) + 21
    every = [*SEVERAL.general, *(each for of in SEVERAL.subjects.values() for each in of)]
    assert len(every) == len(set(every))
    assert all(each == each.strip() != "" and not each.startswith("#") for each in every)


def test_meanings_in_a_narrow_cone_are_told_apart_as_well() -> None:
    class Narrow(Meaning):
        def _vector(self, text: str) -> bytes:
            vector = np.frombuffer(super()._vector(text), np.int8) // 8
            vector[200] = 120
            return bytes(vector.tobytes())

    wide, narrow = (
        nearness(Book(TOPICS, scorer), "Acme", ["a courier"], scorer.read(["a courier"]))[0][0]
        for scorer in (Meaning(), Narrow())
    )
    assert narrow > 0.75 * wide
