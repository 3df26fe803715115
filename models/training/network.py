"""The network that is trained: a MiniLM encoder, mean pooling, one linear map for all heads.  Plain PyTorch.

Called by `models.training.fit`; `models.training.export` turns its state into the bundle.  Parameter names are those
of the base weights, so that the state loads into `transformers` as well.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, INNER, HEADS, LAYERS, VOCABULARY, POSITIONS = 384, 1536, 12, 6, 30522, 512
EPSILON = 1e-12
DROPOUT = 0.1


def attend(query: Tensor, key: Tensor, value: Tensor, blocked: Tensor) -> Tensor:
    """Attend in float32.

    PyTorch's own fused attention for CPUs costs a quarter of a training step at these lengths; two plain
    products are a third faster over the whole step.

    Args:
        query, key, value: (batch, heads, length, 32).
        blocked: (batch, 1, 1, length), zero where a token may be attended to and very negative elsewhere.

    Returns:
        (batch, heads, length, 32)
    """
    with torch.autocast("cpu", enabled=False):
        scores = (query.float() * query.shape[-1] ** -0.5) @ key.float().transpose(-1, -2)
        return (scores + blocked).softmax(-1) @ value.float()


class Layer(nn.Module):
    """One encoder layer: self-attention and a feed-forward block, each followed by a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.attended = nn.Linear(WIDTH, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.widen = nn.Linear(WIDTH, INNER)
        self.narrow = nn.Linear(INNER, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=EPSILON)

    def forward(self, states: Tensor, blocked: Tensor) -> Tensor:
        """Map states (batch, length, 384) to states of the same shape; `blocked` is as in `attend`."""
        batch, length, _ = states.shape
        shape = (batch, length, HEADS, WIDTH // HEADS)
        query, key, value = (
            linear(states).view(shape).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        mixed = attend(query, key, value, blocked)
        mixed = self.attended(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        states = self.norm1(states + functional.dropout(mixed, DROPOUT, self.training))
        wide = self.narrow(functional.gelu(self.widen(states)))
        return self.norm2(states + functional.dropout(wide, DROPOUT, self.training))


class Network(nn.Module):
    """The encoder with its heads; called with token numbers, it returns a row of outputs for each text."""

    def __init__(self, outputs: int, *, layers: int = LAYERS, vocabulary: int = VOCABULARY) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.kinds = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.head = nn.Linear(WIDTH, outputs)
        self.meaning = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        nn.init.eye_(self.meaning.weight)

    def pooled(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Return the mean state of each text (batch, 384); arguments as in `forward`."""
        return self.means(tokens, present, (len(self.layers),))[0]

    def means(self, tokens: Tensor, present: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return the mean states of each text after each of some layers, 0 being before the first; rising numbers."""
        states = self.words(tokens) + self.positions.weight[: tokens.shape[1]] + self.kinds.weight[0]
        states = functional.dropout(self.norm(states), DROPOUT, self.training)
        blocked = (1.0 - present.float())[:, None, None, :] * -1e4
        found = [states]
        for layer in self.layers:
            found.append(layer(found[-1], blocked))
        weight = present[:, :, None].to(found[-1].dtype)
        return [(found[layer] * weight).sum(1) / weight.sum(1) for layer in layers]

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Judge texts.

        Args:
            tokens: (batch, length), numbers in the vocabulary.
            present: (batch, length), 1 for a token and 0 for padding.

        Returns:
            Logits (batch, outputs) and vectors of meaning (batch, 384), both float32.
        """
        mean = self.pooled(tokens, present)
        logits = self.head(functional.dropout(mean, DROPOUT, self.training))
        return logits.float(), self.meaning(mean).float()


_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "norm2": "output.LayerNorm",
}
_TOP = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "kinds": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}


def published_name(name: str) -> str:
    """Return the base weights' name for one of our parameters (`layers.0.query.bias` and so on)."""
    parts = name.split(".")
    if parts[0] == "layers":
        return ".".join(("encoder.layer", parts[1], _LAYER[parts[2]], parts[3]))
    return ".".join((_TOP.get(parts[0], "classifier"), parts[1]))


def from_base(directory: Path, outputs: int) -> Network:
    """Build a network as large as the base weights in `directory`, with these and new heads (seed torch before)."""
    base = load_file(directory / "model.safetensors")
    layers = sum(name.endswith(f"{_LAYER['query']}.bias") for name in base)
    network = Network(outputs, layers=layers, vocabulary=len(base[published_name("words.weight")]))
    state = network.state_dict()
    for name in state:
        if not name.startswith(("head.", "meaning.")):
            state[name] = base[published_name(name)]
    network.load_state_dict(state)
    return network
