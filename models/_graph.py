"""The bundled encoder as an OpenVINO graph, built from the bundle's int8 weights; no other framework is needed.

Called by `models.bundled`.  Importing this module imports OpenVINO, which takes half a second.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

# OpenVINO reports its use to Google Analytics when it is imported; without this module it cannot.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
Precision = Literal["int8", "bf16", "f32"]
Node = Any  # OpenVINO ships no types

_GROUP: Final = 384
"""So many activations of a token share one scale; the encoder's width, with which the int8 product is fastest."""

_FIRST: Final = 16
"""Tokens of the first run, which says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The encoder's dimensions, as in the bundle's `config.json`; `meant` is described in `models._bundle.Config`."""

    width: int
    heads: int
    layers: int
    epsilon: float
    meant: tuple[int, ...] = ()


def best_precision(flags: frozenset[str]) -> Precision:
    """Choose how to multiply on a processor.

    Args:
        flags: the processor's features, in the words of /proc/cpuinfo.

    Returns:
        bf16 with AMX, which multiplies it in tiles; int8 with AVX-512 VNNI, where it was measured to be half as fast
        again as bf16; f32 on all others.
    """
    if "amx_bf16" in flags:
        return "bf16"
    if "avx512_vnni" in flags:
        return "int8"
    return "f32"


def processor_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Read the processor's features; none where the file does not exist."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def expand(tensors: Tensors, name: str) -> Floats:
    """Return a squeezed matrix as float32 (rows, columns)."""
    product: Floats = tensors[f"{name}.weight"] * tensors[f"{name}.scale"][:, None]
    return product


def compiled(model: Node, precision: Precision, threads: int) -> Any:
    """Compile a graph for this processor.

    Args:
        model: the graph.
        precision: how to multiply; see `best_precision`.
        threads: processor threads to use.

    Returns:
        OpenVINO's request, which one thread at a time may use.
    """
    core = openvino.Core()
    has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    settings: dict[str, str | int | bool] = {
        "INFERENCE_PRECISION_HINT": "bf16" if has_bf16 and precision != "f32" else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        # The cache holds a compiled kernel a shape: with texts of mixed length it only grows.
        "CPU_RUNTIME_CACHE_CAPACITY": 0,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": _GROUP if precision == "int8" else 0,
    }
    return core.compile_model(model, "CPU", settings).create_infer_request()


class Encoder:
    """A compiled encoder: embedded tokens in, logits and meaning out.

    Several texts lie side by side in one row; they do not see each other, since attention is blocked across borders.
    """

    def __init__(self, tensors: Tensors, shape: Shape, *, precision: Precision, threads: int) -> None:
        """Build and compile the graph.

        Args:
            tensors: the bundle's weights, as `models.training.export` names them; read until this returns.
            shape: the encoder's dimensions.
            precision: how to multiply; see `best_precision`.
            threads: processor threads to use.
        """
        self.precision = precision
        self._request = compiled(_Builder(tensors, shape, squeezed=precision == "int8").model(), precision, threads)
        # The runtime reads the weights at its first run, not before; after it nobody needs them.
        one = np.ones((1, 1, _FIRST), np.float32)
        self.run(np.zeros((1, _FIRST, shape.width), np.float32), np.zeros((1, 1, _FIRST, _FIRST), np.float32), one)

    def run(self, states: Floats, blocked: Floats, pool: Floats) -> tuple[Floats, Floats]:
        """Run the encoder once.

        Args:
            states: (rows, length, width), words and positions summed, before the first layer norm.
            blocked: (rows, 1, length, length), zero where a token sees another and very negative elsewhere.
            pool: (rows, texts, length), the weight of each token in a text's mean.

        Returns:
            Logits (rows, texts, outputs) and vectors of meaning (rows, texts, width).
        """
        self._request.infer([states, blocked, pool], share_inputs=True)
        return self._request.get_output_tensor(0).data.copy(), self._request.get_output_tensor(1).data.copy()

    def rest(self) -> None:
        """Give back the room for what lies between the layers, some 15 MB; the next run takes it again."""
        self._request.get_compiled_model().release_memory()


class _Builder:
    """Puts the graph together, layer by layer."""

    def __init__(self, tensors: Tensors, shape: Shape, *, squeezed: bool) -> None:
        self._tensors = tensors
        self._shape = shape
        self._squeezed = squeezed
        size = shape.width // shape.heads
        self._apart = ops.constant(np.array([0, 0, shape.heads, size], np.int64))
        self._together = ops.constant(np.array([0, 0, shape.width], np.int64))
        self._swap = ops.constant(np.array([0, 2, 1, 3], np.int64))

    def model(self) -> Node:
        width = self._shape.width
        states = ops.parameter([-1, -1, width], np.float32)
        blocked = ops.parameter([-1, 1, -1, -1], np.float32)
        pool = ops.parameter([-1, -1, -1], np.float32)
        hidden = [self._norm(states, "norm")]
        for layer in range(self._shape.layers):
            hidden.append(self._layer(hidden[-1], blocked, f"layers.{layer}"))
        mean = ops.matmul(pool, hidden[-1], False, False)
        weight = ops.constant(self._tensors["head.weight"])
        logits = ops.add(ops.matmul(mean, weight, False, True), self._vector("head.bias"))
        below = [ops.matmul(pool, hidden[layer], False, False) for layer in self._shape.meant]
        whole = ops.concat([*below, mean], -1) if below else mean
        meaning = ops.matmul(whole, ops.constant(expand(self._tensors, "meaning")), False, True)
        return openvino.Model([logits, meaning], [states, blocked, pool], "bundled")

    def _layer(self, hidden: Node, blocked: Node, at: str) -> Node:
        three = ops.split(self._linear(hidden, f"{at}.attend"), ops.constant(np.int64(2)), 3)
        query, key, value = (
            ops.transpose(ops.reshape(three.output(part), self._apart, True), self._swap) for part in range(3)
        )
        seen = ops.softmax(ops.add(ops.matmul(query, key, False, True), blocked), -1)
        mixed = ops.transpose(ops.matmul(seen, value, False, False), self._swap)
        mixed = self._linear(ops.reshape(mixed, self._together, True), f"{at}.attended")
        hidden = self._norm(ops.add(hidden, mixed), f"{at}.norm1")
        wide = ops.gelu(self._linear(hidden, f"{at}.widen"), "erf")
        return self._norm(ops.add(hidden, self._linear(wide, f"{at}.narrow")), f"{at}.norm2")

    def _linear(self, states: Node, name: str) -> Node:
        if self._squeezed:
            # A view of the file, not a copy: the runtime arranges its own at the first run, and this one is let go.
            values = ops.convert(ops.constant(self._tensors[f"{name}.weight"], shared_memory=True), "f32")
            weight = ops.multiply(values, ops.constant(self._tensors[f"{name}.scale"][:, None]))
        else:
            weight = ops.constant(expand(self._tensors, name), shared_memory=True)
        return ops.add(ops.matmul(states, weight, False, True), self._vector(f"{name}.bias"))

    def _norm(self, states: Node, name: str) -> Node:
        axis = ops.constant(np.array([-1], np.int64))
        flat = ops.mvn(states, axis, True, self._shape.epsilon, "inside_sqrt")
        return ops.add(ops.multiply(flat, self._vector(f"{name}.weight")), self._vector(f"{name}.bias"))

    def _vector(self, name: str) -> Node:
        return ops.constant(self._tensors[name][None, None])
