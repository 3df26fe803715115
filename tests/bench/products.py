"""The encoder's matrix products and nothing else: what no scorer of this shape can be faster than on a processor.

Called by `bench_scorer.py`. The graph has the same products as `models._graph`, in the same precision and on the same
packed rows: four weights a layer and the two of attention, without norms, softmax, GELU, heads, words or tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from safetensors.numpy import load_file

from models._bundle import _ROWS, Bundle
from models._graph import Node, Precision, Shape, _Builder, compiled, openvino, ops
from models._pack import fill_rows, pack
from models.training.export import BUNDLE


class _OnlyProducts(_Builder):
    """The same graph with everything left out that is no matrix product."""

    def model(self) -> Node:
        width = self._shape.width
        states = ops.parameter([-1, -1, width], np.float32)
        blocked = ops.parameter([-1, 1, -1, -1], np.float32)
        pool = ops.parameter([-1, -1, -1], np.float32)
        hidden = states
        for layer in range(self._shape.layers):
            hidden = self._layer(hidden, blocked, f"layers.{layer}")
        mean = ops.matmul(pool, hidden, False, False)
        # The other inputs stay inputs, so that the same batches serve.
        rest = ops.reduce_max(blocked, ops.constant(np.array([0, 1, 2, 3], np.int64)), False)
        return openvino.Model([mean, rest], [states, blocked, pool], "products")

    def _layer(self, hidden: Node, blocked: Node, at: str) -> Node:
        three = ops.split(self._linear(hidden, f"{at}.attend"), ops.constant(np.int64(2)), 3)
        query, key, value = (
            ops.transpose(ops.reshape(three.output(part), self._apart, True), self._swap) for part in range(3)
        )
        mixed = ops.matmul(ops.matmul(query, key, False, True), value, False, False)
        mixed = ops.reshape(ops.transpose(mixed, self._swap), self._together, True)
        return self._linear(self._linear(self._linear(mixed, f"{at}.attended"), f"{at}.widen"), f"{at}.narrow")


class Products:
    """Multiplies what a batch of texts would have multiplied."""

    def __init__(self, precision: Precision) -> None:
        """Compile the graph from the bundle's own weights."""
        self._ours = Bundle(BUNDLE, precision=precision, threads=1)
        config = self._ours.config
        shape = Shape(
            width=config.width, heads=config.heads, layers=config.layers, epsilon=config.epsilon, meant=config.meant
        )
        graph = _OnlyProducts(load_file(BUNDLE / "weights.safetensors"), shape, squeezed=precision == "int8").model()
        self._request = compiled(graph, precision, threads=1)
        self._batches: dict[int, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}

    def multiply(self, texts: Sequence[str]) -> Sequence[str]:
        """Run the products for these texts; gives as many empty labels."""
        for states, blocked, pool in self._prepared(texts):
            self._request.infer([states, blocked, pool], share_inputs=True)
        return [""] * len(texts)

    def _prepared(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Lay the rows out once for each list of texts: laying out is no product."""
        found = self._batches.get(len(texts))
        if found is None:
            loaded, config = self._ours._ready(), self._ours.config
            prepared = self._ours._prepare(loaded, texts, ["en"] * len(texts))
            parts = [part for text in prepared for part in text.parts]
            rows = fill_rows([len(part) for part in parts], config.longest)
            found = []
            for start in range(0, len(rows), _ROWS):
                packed = pack([[parts[part] for part in row] for row in rows[start : start + _ROWS]])
                states = np.zeros((*packed.tokens.shape, config.width), np.float32) + np.float32(0.01)
                found.append((states, packed.blocked, packed.pool))
            self._batches[len(texts)] = found
        return found
