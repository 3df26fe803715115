"""The vectors of a bundle's vocabulary, kept as small as they are stored and widened only for the tokens of a batch.

Called by `models._bundle`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK = 32
"""So many numbers of a vector share a scale when they are kept in four bits."""


class Words:
    """One vector a token, in eight bits with a scale a token, or in four bits with a scale for every 32 numbers."""

    def __init__(self, weight: NDArray[Any], scale: NDArray[Any]) -> None:
        """Keep the tables.

        Args:
            weight: (tokens, width) int8; or (tokens, width / 2) uint8, in blocks of sixteen bytes whose low halves
                are sixteen numbers and whose high halves the next sixteen, each 0..15 for -8..7.
            scale: (tokens,) float32; or (tokens, width / 32) float16.
        """
        self._weight = weight
        self._scale = scale

    def states(self, tokens: NDArray[np.int64]) -> Floats:
        """Return the vectors of tokens (rows, length), in float32 (rows, length, width)."""
        weight, scale = self._weight[tokens], self._scale[tokens].astype(np.float32)
        if self._weight.dtype == np.int8:
            return np.asarray(weight * scale[:, :, None], np.float32)
        return widened(weight, scale)


def widened(weight: NDArray[np.uint8], scale: Floats) -> Floats:
    """Return the numbers that four bits each stand for.

    Args:
        weight: (..., width / 2), as in `Words`.
        scale: (..., width / 32).

    Returns:
        (..., width)
    """
    blocks = weight.reshape(*scale.shape, BLOCK // 2)
    numbers = np.concatenate([blocks & 15, blocks >> 4], axis=-1).astype(np.float32) - 8
    result: Floats = (numbers * scale[..., None]).reshape(*scale.shape[:-1], -1)
    return result
