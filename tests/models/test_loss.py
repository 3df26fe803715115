"""What teaches a head, and what does not; needs the training environment's torch."""

import pytest

torch = pytest.importorskip("torch")

from models._heads import INTENT, SENTIMENT, places, width  # noqa: E402
from models.training.examples import ALL, Example, marks  # noqa: E402
from models.training.loss import COUNTS, loss_of, targets_of  # noqa: E402

PLACES = {head.name: place for head, place in places(ALL)}


def example(weight: float = 1.0) -> Example:
    targets = {SENTIMENT.name: marks(SENTIMENT, ["negative"])}
    return Example(text="x", targets=targets, weight={SENTIMENT.name: weight}, source="x")


def gradient(*examples: Example) -> "torch.Tensor":
    logits = torch.zeros(len(examples), width(ALL), requires_grad=True)
    loss_of(logits, torch.zeros(len(examples), 4), targets_of(examples, {}, 0.0), range(len(examples))).backward()
    return logits.grad


def test_every_head_has_its_count() -> None:
    assert set(COUNTS) == {head.name for head in ALL}


def test_a_head_learns_nothing_from_a_text_that_does_not_speak_of_it() -> None:
    found = gradient(example())
    assert (found[:, PLACES[SENTIMENT.name]] != 0).all()
    found[:, PLACES[SENTIMENT.name]] = 0
    assert not found.any()


def test_a_text_of_twice_the_weight_pulls_twice_as_hard() -> None:
    assert torch.allclose(gradient(example(2.0)), 2 * gradient(example(1.0)))


def test_many_answers_are_pulled_each_on_its_own() -> None:
    asked = Example(text="x", targets={INTENT.name: marks(INTENT, ["question", "buy"])}, weight={}, source="x")
    found = gradient(asked)[0, PLACES[INTENT.name]]
    assert [bool(each < 0) for each in found] == [label in ("question", "buy") for label in INTENT.labels]


def test_meaning_is_taught_where_a_vector_is_wanted() -> None:
    wanted = torch.tensor([1.0, 0, 0, 0])
    meaning = torch.tensor([[0.0, 2, 0, 0], [0.0, 2, 0, 0]], requires_grad=True)
    targets = targets_of([example(0.0), example(0.0)], {1: wanted}, 0.5)
    loss = loss_of(torch.zeros(2, width(ALL)), meaning, targets, [0, 1])
    loss.backward()
    assert loss.item() == pytest.approx(0.25)
    assert not meaning.grad[0].any()
    assert meaning.grad[1].any()
