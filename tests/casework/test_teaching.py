"""Corrections teach: a brand's slang is learnt, the rest stays, chance is refused, versions are rolled back."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from listener.casework.teaching import FOLDS, folds
from listener.core.errors import Refused
from listener.core.event import OPERATOR, Actor
from listener.core.head import Lesson, missing
from listener.core.rescore import Scope
from listener.core.sentiment import LABELS, Label, Verdict
from listener.pipeline.rescore import rescore
from listener.testing import FakeScorer, make_post
from tests.web.stage import Stage

TABLE = {"sick": (0.5, 0.3, 0.2), "broken": (0.95, 0.04, 0.01), "love": (0.01, 0.04, 0.95), "hm": (0.3, 0.4, 0.3)}
THINGS = ("board", "deck", "tune", "jacket", "show", "kettle", "shirt", "bike", "trick", "cake", "hat", "game")
WHENS = ("today", "again", "lol", "at six", "in Leeds", "by post", "for mum", "and so")


class Meaningful(FakeScorer):
    """The table's verdicts, each with a meaning: the sum of its words' directions."""

    def read(self, texts: Sequence[str]) -> Sequence[Verdict]:
        """Judge by the table."""
        verdicts = FakeScorer.read(self, texts)
        return [
            replace(each, embedding=meaning(text), space="other@1" if "das" in text.split() else None)
            for each, text in zip(verdicts, texts, strict=True)
        ]


@cache
def direction(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(384)


@cache
def meaning(text: str) -> bytes:
    total = sum(map(direction, text.casefold().split() or ["nothing"]))
    scaled: bytes = np.clip(total / np.linalg.norm(total) * 400, -127, 127).astype(np.int8).tobytes()
    return scaled


def slang(word: str, n: int) -> list[str]:
    return [f"acme {thing} is {word} {when}" for when in WHENS for thing in THINGS][:n]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path, scorer=Meaningful(table=TABLE)) as made:
        yield made


@pytest.fixture
def dana(stage: Stage) -> Actor:
    return Actor(colleague=stage.colleague("agent", "dana"), via="page")


def hear(stage: Stage, texts: Sequence[str], name: str = "p") -> None:
    stage.hear(*(make_post(f"{name}{n}", text) for n, text in enumerate(texts)))
    stage.work()


def shown(stage: Stage) -> dict[str, tuple[str, str, str, int]]:
    rows = stage.store.db.read(
        "SELECT p.text, m.label, m.certainty, m.scorer, m.id FROM mentions m JOIN posts p ON p.id = m.post_id"
    )
    return {row["text"]: (row["label"], row["certainty"], row["scorer"], row["id"]) for row in rows}


def correct(stage: Stage, texts: dict[str, Label]) -> None:
    known = shown(stage)
    with stage.store.transaction():
        for text, label in texts.items():
            mention = stage.store.mentions.find(known[text][3])
            assert mention is not None
            stage.store.corrections.add(mention, label, None, stage.clock())


def lesson_texts() -> dict[str, Label]:
    """In this brand's mouth "sick" praises; what is broken and what is hm are as the scorer takes them."""
    return {
        **dict.fromkeys(slang("sick", 40), "positive"),
        **dict.fromkeys(slang("broken", 20), "negative"),
        **dict.fromkeys(slang("hm", 20), "neutral"),
    }


def teach(stage: Stage, texts: dict[str, Label] | None = None) -> None:
    texts = texts or lesson_texts()
    hear(stage, list(texts))
    correct(stage, texts)


def test_slang_is_learnt_from_corrections_and_the_standard_rows_stay(stage: Stage) -> None:
    teach(stage)
    taught = stage.teaching.retrain("Acme", OPERATOR)
    measured = taught.head.measured
    assert taught.refused is None
    assert measured.held_before.macro_recall < 0.7
    assert measured.held_after.macro_recall > 0.95
    assert measured.standard_after.macro_recall >= measured.standard_before.macro_recall - 0.01
    assert (measured.mended, measured.spoilt) == (40, 0)
    hear(stage, ["acme scarf is sick tonight", "acme scarf is broken tonight"], "new")
    label, _, scorer, _ = shown(stage)["acme scarf is sick tonight"]
    assert (label, scorer) == ("positive", "table@1+acme.1")
    assert shown(stage)["acme scarf is broken tonight"][:2] == ("negative", "confident")
    [event] = stage.store.events.of_subject("brand Acme")
    assert (event.act, event.who) == ("head kept", "the operator")


def test_the_verdict_stays_what_the_scorer_read(stage: Stage) -> None:
    teach(stage)
    stage.teaching.retrain("Acme", OPERATOR)
    hear(stage, ["acme scarf is sick tonight"], "new")
    trail = stage.store.trails.of_mention(shown(stage)["acme scarf is sick tonight"][3])
    assert trail is not None
    assert trail.verdict is not None
    assert (trail.verdict.label, trail.verdict.scorer) == ("negative", "table@1")


def test_another_brand_in_the_same_post_keeps_the_scorers_reading(stage: Stage) -> None:
    teach(stage)
    stage.teaching.retrain("Acme", OPERATOR)
    hear(stage, ["acme and globex are sick", "globex scarf is sick tonight"], "new")
    rows = stage.store.db.read("SELECT brand, scorer FROM mentions ORDER BY id DESC LIMIT 3")
    named = {(row["brand"], row["scorer"]) for row in rows}
    assert named == {("Acme", "table@1+acme.1"), ("Globex", "table@1")}


def test_where_the_head_disagrees_and_is_not_sure_the_mention_is_unsure(stage: Stage) -> None:
    teach(stage)
    head = stage.teaching.retrain("Acme", OPERATOR).head
    hear(stage, [f"acme {word} sick" for word in ("quite", "never", "oddly", "my", "your", "their")], "new")
    from listener.fitting import through

    for text, (label, certainty, _, _) in shown(stage).items():
        [verdict] = stage.scorer.read([text])
        now = through(head, verdict)
        if now.label != verdict.label and now.confidence < 0.6:
            assert now.certainty == "unsure"
        if "quite" in text:
            assert (label, certainty) == (now.label, now.certainty)


def test_what_is_learnt_in_one_space_of_meaning_moves_nothing_in_another(stage: Stage) -> None:
    teach(stage)
    head = stage.teaching.retrain("Acme", OPERATOR).head
    assert head.spaces == ("table@1",)
    hear(stage, ["acme scarf is sick tonight", "acme das scarf is sick tonight"], "new")
    found = shown(stage)
    assert found["acme scarf is sick tonight"][:3:2] == ("positive", head.name)
    assert found["acme das scarf is sick tonight"][:3:2] == ("negative", "table@1")


def test_each_space_of_meaning_is_learnt_by_itself(stage: Stage) -> None:
    texts = lesson_texts()
    there: dict[str, Label] = {
        f"{text} das": "neutral" if label == "positive" else label for text, label in texts.items()
    }
    teach(stage, texts | there)
    head = stage.teaching.retrain("Acme", OPERATOR).head
    assert head.spaces == ("other@1", "table@1")
    hear(stage, ["acme scarf is sick tonight", "acme das scarf is sick tonight"], "new")
    assert [shown(stage)[text][0] for text in ("acme scarf is sick tonight", "acme das scarf is sick tonight")] == [
        "positive",
        "neutral",
    ]
    assert stage.store.heads.standing()["Acme"].spaces == head.spaces


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_labels_are_refused_and_nothing_is_kept(stage: Stage, seed: int) -> None:
    texts = lesson_texts()
    labels = list(texts.values())
    random.Random(seed).shuffle(labels)
    teach(stage, dict(zip(texts, labels, strict=True)))
    taught = stage.teaching.retrain("Acme", OPERATOR)
    assert taught.refused is not None
    assert stage.store.heads.all() == ()
    assert stage.store.events.of_subject("brand Acme") == ()


def test_a_dry_run_keeps_nothing(stage: Stage) -> None:
    teach(stage)
    taught = stage.teaching.retrain("Acme", OPERATOR, keep=False)
    assert (taught.refused, taught.head.version) == (None, 0)
    assert stage.store.heads.all() == ()


def test_too_few_corrections_say_what_is_missing(stage: Stage) -> None:
    teach(stage, dict.fromkeys(slang("sick", 39), "positive"))
    with pytest.raises(Refused, match=r"1 more corrections are needed: there are 39 of 40"):
        stage.teaching.retrain("Acme", OPERATOR)
    hear(stage, ["acme is hm here"], "new")
    correct(stage, {"acme is hm here": "neutral"})
    with pytest.raises(Refused, match="two labels need 8 corrections each: there are 0 negative, 1 neutral, 39 posit"):
        stage.teaching.retrain("Acme", OPERATOR)


def test_rolling_back_gives_new_mentions_the_very_sentiments_of_before(stage: Stage) -> None:
    teach(stage)
    hear(stage, ["acme scarf is sick tonight"], "a")
    before = shown(stage)["acme scarf is sick tonight"][:3]
    first = stage.teaching.retrain("Acme", OPERATOR).head
    hear(stage, ["acme glove is sick tonight"], "b")
    of_first = shown(stage)["acme glove is sick tonight"]
    second = stage.teaching.retrain("Acme", OPERATOR).head
    assert (first.version, second.version) == (1, 2)
    stage.teaching.roll_back("Acme", None, OPERATOR)
    hear(stage, ["acme glove is sick tonight "], "c")
    again = shown(stage)["acme glove is sick tonight"]
    assert again[:3] == of_first[:3] == ("positive", of_first[1], "table@1+acme.1")
    assert stage.teaching.roll_back("Acme", None, OPERATOR) is None
    hear(stage, ["acme scarf is sick tonight!"], "d")
    assert shown(stage)["acme scarf is sick tonight!"][:3] == before
    with pytest.raises(Refused, match="no head stands"):
        stage.teaching.roll_back("Acme", None, OPERATOR)
    with pytest.raises(Refused, match="no version 9"):
        stage.teaching.roll_back("Acme", 9, OPERATOR)
    stands = stage.teaching.roll_back("Acme", 2, OPERATOR)
    assert stands is not None
    assert stands.name == "table@1+acme.2"
    acts = [event.act for event in stage.store.events.of_subject("brand Acme")]
    assert sorted(acts) == ["head kept"] * 2 + ["head rolled back"] * 3


def test_a_correction_survives_the_head_and_judging_again(stage: Stage) -> None:
    teach(stage)
    odd = "acme fever made me sick tonight"
    hear(stage, [odd], "odd")
    correct(stage, {odd: "negative"})
    stage.teaching.retrain("Acme", OPERATOR)
    stage.store.rescores.begin("table@1", Scope(), stage.clock())
    for _ in range(9):
        rescore(stage.store, stage.scorer, stage.rules, stage.clock)
    assert shown(stage)[odd][:3] == ("negative", "confident", "a colleague")
    assert stage.store.trends.totals() == stage.store.trends.recount()


def test_a_restart_keeps_the_head(stage: Stage, tmp_path: Path) -> None:
    teach(stage)
    kept = stage.teaching.retrain("Acme", OPERATOR).head
    stage.store.close()
    with Stage(tmp_path, scorer=Meaningful(table=TABLE)) as again:
        assert again.store.heads.standing() == {"Acme": kept}
        hear(again, ["acme scarf is sick tonight"], "new")
        assert shown(again)["acme scarf is sick tonight"][2] == kept.name


def test_another_revision_of_the_scorer_does_not_use_the_head_and_says_so(stage: Stage) -> None:
    teach(stage)
    stage.teaching.retrain("Acme", OPERATOR)
    assert stage.teaching.standing()["Acme"].used
    stage.scorer = Meaningful(table=TABLE, revision="2")
    hear(stage, ["acme scarf is sick tonight"], "new")
    assert shown(stage)["acme scarf is sick tonight"][:3] == ("negative", "unsure", "table@2")
    assert not stage.teaching.standing()["Acme"].used
    with pytest.raises(Refused, match="80 more were not read by this scorer"):
        stage.teaching.retrain("Acme", OPERATOR)


def test_numbers_do_not_depend_on_the_order_of_corrections(tmp_path: Path) -> None:
    found = []
    for turn in ("a", "b"):
        folder = tmp_path / turn
        folder.mkdir()
        texts = list(lesson_texts().items())
        random.Random(turn).shuffle(texts)
        with Stage(folder, scorer=Meaningful(table=TABLE)) as stage:
            teach(stage, dict(texts))
            head = stage.teaching.retrain("Acme", OPERATOR).head
        found.append((head.weights, head.measured))
    assert found[0] == found[1]


def test_the_newest_correction_counts_and_what_is_not_about_us_teaches_nothing(stage: Stage) -> None:
    texts = slang("sick", 3)
    hear(stage, texts)
    correct(stage, dict.fromkeys(texts, "negative"))
    correct(stage, {texts[0]: "positive"})
    with stage.store.transaction():
        mention = stage.store.mentions.find(shown(stage)[texts[1]][3])
        assert mention is not None
        stage.store.corrections.add(mention, None, None, stage.clock())
    known = stage.store.heads.lessons("Acme", "table@1")
    assert sorted(lesson.label for lesson in known.lessons) == ["negative", "positive"]


def test_the_same_words_twice_teach_once_and_posts_about_two_brands_never(stage: Stage) -> None:
    hear(stage, ["acme is sick", "acme is sick", "acme and globex are hm"])
    rows = stage.store.db.read("SELECT id FROM mentions WHERE brand = 'Acme'")
    with stage.store.transaction():
        for row in rows:
            mention = stage.store.mentions.find(row["id"])
            assert mention is not None
            stage.store.corrections.add(mention, "positive", None, stage.clock())
    assert [lesson.label for lesson in stage.store.heads.lessons("Acme", "table@1").lessons] == ["positive"]


def test_accuracy_counts_what_people_looked_at_and_leaves_out_what_taught_the_head(stage: Stage) -> None:
    teach(stage)
    standing = stage.teaching.standing()["Acme"].accuracy
    assert standing is not None
    assert (standing.looked, standing.right, standing.taught) == (80, 40, 0)
    assert (standing.confident, standing.confident_right) == (20, 20)
    stage.teaching.retrain("Acme", OPERATOR)
    stage.store.rescores.begin("table@1", Scope(), stage.clock())
    for _ in range(9):
        rescore(stage.store, stage.scorer, stage.rules, stage.clock)
    after = stage.teaching.standing()["Acme"].accuracy
    assert after is not None
    assert (after.looked, after.taught) == (0, 80)


def test_a_label_settled_twice_is_compared_with_what_the_scorer_said(stage: Stage) -> None:
    hear(stage, ["acme is sick"])
    correct(stage, {"acme is sick": "negative"})
    correct(stage, {"acme is sick": "positive"})
    found = stage.store.heads.accuracy()["Acme"]
    assert (found.looked, found.right) == (1, 0)


def test_folds_hold_every_lesson_back_once_and_deal_labels_evenly() -> None:
    verdict = Meaningful(table=TABLE).read(["acme is sick"])[0]
    lessons = [Lesson(key=str(n), label=LABELS[n % 3], verdict=verdict) for n in range(47)]
    dealt = folds(lessons)
    assert len(dealt) == FOLDS
    assert sorted(lesson.key for held, _ in dealt for lesson in held) == sorted(lesson.key for lesson in lessons)
    for held, rest in dealt:
        assert len(held) + len(rest) == 47
        assert {sum(lesson.label == label for lesson in held) for label in LABELS} <= {3, 4}
    assert missing(lessons) is None
