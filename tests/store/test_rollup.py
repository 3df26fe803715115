"""The rollup equals a recount over the mentions after any sequence of posts, edits and verdicts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from listener.core.mention import Post
from listener.core.sentiment import LABELS, Label
from listener.core.topic import Touched
from listener.store import Store, open_store
from listener.testing import START
from tests.kit import add_posts, edit_post, judge_as, make_post

DAY = timedelta(days=1)
CHANCES = st.sampled_from([(0.9, 0.05, 0.05), (0.5, 0.3, 0.2), (0.1, 0.8, 0.1), (0.0, 0.1, 0.9), (0.3, 0.3, 0.4)])
LANGUAGES = st.sampled_from([None, "en", "de"])
BRANDS = st.sampled_from([("Acme",), ("Bolt",), ("Acme", "Bolt")])

TOUCHING = st.lists(
    st.builds(
        Touched, topic=st.sampled_from(["delivery", "price"]), label=st.sampled_from(LABELS), own=st.booleans(),
        certainty=st.just("confident"), nearness=st.just(0.5), phrase=st.just("late"),
    ),
    max_size=2, unique_by=lambda each: each.topic,
).map(tuple)  # fmt: skip


def test_a_mention_that_is_judged_again_is_counted_once(store: Store) -> None:
    post = make_post("1")
    add_posts(store, post)
    for number, (chances, language) in enumerate([((0.9, 0.1, 0), None), ((0, 0.1, 0.9), "en"), ((0.9, 0.1, 0), "de")]):
        post = edit_post(store, post, text=f"Acme {number}")
        judge_as(store, store.mentions.claim("judge", 9, START), *chances, language=language)
        assert sum(store.trends.totals().values()) == 1
        assert store.trends.totals() == store.trends.recount()


class Rollup(RuleBasedStateMachine):
    """Posts come, change, are judged and judged again; batches die in between."""

    def __init__(self) -> None:
        """Open a store."""
        super().__init__()
        self.store: Store = open_store(":memory:")
        self.posts: list[Post] = []

    @rule(brands=BRANDS, source=st.sampled_from(["a", "b"]), hours=st.integers(0, 3), rating=st.sampled_from([None, 0]))
    def add(self, brands: tuple[str, ...], source: str, hours: int, rating: float | None) -> None:
        """A new post."""
        at = START - timedelta(hours=hours)
        post = make_post(str(len(self.posts)), source=source, published_at=at, rating=rating)
        self.posts.append(post)
        add_posts(self.store, post, brands=brands)

    @rule(data=st.data(), brand=st.sampled_from(["Acme", "Bolt"]))
    def edit(self, data: st.DataObject, brand: str) -> None:
        """An edit, which may also bring a second brand in."""
        if self.posts:
            number = data.draw(st.integers(0, len(self.posts) - 1))
            post = self.posts[number]
            self.posts[number] = edit_post(self.store, post, text=f"{post.text}!", brand=brand)

    @rule(limit=st.integers(1, 4), chances=CHANCES, language=LANGUAGES)
    def judge(self, limit: int, chances: tuple[float, ...], language: str | None) -> None:
        """A batch is judged."""
        judge_as(self.store, self.store.mentions.claim("judge", limit, START), *chances, language=language)

    @rule(chances=CHANCES, language=LANGUAGES)
    def change(self, chances: tuple[float, ...], language: str | None) -> None:
        """The newest post of a brand is edited, and everything that waits is judged anew."""
        if self.posts:
            self.posts[-1] = edit_post(self.store, self.posts[-1], text=f"{self.posts[-1].text}!")
            self.judge(100, chances, language)

    @rule(limit=st.integers(1, 4))
    def fail(self, limit: int) -> None:
        """A batch fails."""
        self.store.mentions.unclaim(self.store.mentions.claim("judge", limit, START), START, "boom")

    @rule()
    def crash(self) -> None:
        """A process dies and another one takes over; what is dead is sent back."""
        self.store.mentions.claim("judge", 2, START)
        self.store.release()
        for row in self.store.mentions.dead():
            self.store.mentions.requeue(row.id)

    @rule(chances=CHANCES, touching=TOUCHING)
    def judge_topics(self, chances: tuple[float, ...], touching: tuple[Touched, ...]) -> None:
        """A batch is judged, each mention of which touches some topics."""
        judge_as(self.store, self.store.mentions.claim("judge", 2, START), *chances, topics=touching)

    @rule(data=st.data(), label=st.sampled_from(["negative", "positive", None]))
    def correct(self, data: st.DataObject, label: Label | None) -> None:
        """A colleague settles a label, or says that a mention is not about us."""
        judged = self.store.trails.judged()
        if judged:
            mention = data.draw(st.sampled_from(judged)).mention
            with self.store.transaction():
                self.store.corrections.add(mention, label, None, START)

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """A correction is taken back."""
        standing = self.store.db.read("SELECT id FROM corrections WHERE gone_at IS NULL")
        if standing:
            with self.store.transaction():
                self.store.corrections.take_back(data.draw(st.sampled_from([row[0] for row in standing])), START)

    @invariant()
    def topics_equal_recount(self) -> None:
        """By brand, topic and label."""
        span = (START - DAY, START + DAY)
        assert self.store.trends.topics(*span) == self.store.trends.recount_topics(*span)

    @invariant()
    def rollup_equals_recount(self) -> None:
        """Cell by cell."""
        kept = self.store.db.read("SELECT hour, brand, source, language, label, certainty, n FROM moods WHERE n <> 0")
        counted = self.store.db.read(
            "SELECT m.hour, m.brand, p.source, coalesce(m.language, ''), m.label, m.certainty, count(*) "
            "FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.label IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6"
        )
        assert {tuple(row) for row in kept} == {tuple(row) for row in counted}
        assert self.store.trends.totals() == self.store.trends.recount()
        assert sum(bucket.n for bucket in self.store.trends.buckets(START - DAY, START + DAY)) == sum(
            row[6] for row in counted
        )

    def teardown(self) -> None:
        """Close the store."""
        self.store.close()


TestRollup = Rollup.TestCase
TestRollup.settings = settings(max_examples=40, stateful_step_count=30, deadline=None, database=None)
