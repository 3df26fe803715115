"""The language detector's table of moves in an eighth of the room, and the walk over a text with it.

Called by `models._languages`.  The library's table has 256 moves for each of 38,000 rows: 40 MB. Most of them lead
where the last two bytes alone would lead; only the others are kept here, so that the walk tells exactly the same.
"""

from array import array
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTES = 256
_ROWS = 2048
"""Rows looked at together while the table is made, so that making it takes little room."""


class Walk:
    """The detector's moves: from a state and a byte to the next state, and the feature that a state stands for."""

    def __init__(self, moves: NDArray[Any], rows: NDArray[Any], features: NDArray[Any]) -> None:
        """Keep the moves that two bytes do not tell.

        Args:
            moves: (rows x 256,) the next state by row and byte.
            rows: (states,) the row of each state.
            features: (states,) the feature of each, or -1.
        """
        table = moves.reshape(-1, _BYTES)
        lasts = _last_bytes(table, rows)
        pairs = table[rows[table[rows[0]]]]
        counts, letters, states = [np.zeros(1, np.int64)], bytearray(), array("I")
        for start in range(0, len(table), _ROWS):
            part = table[start : start + _ROWS]
            row, letter = np.nonzero(part != pairs[lasts[start : start + _ROWS]])
            counts.append(np.bincount(row, minlength=len(part)))
            letters += letter.astype(np.uint8).tobytes()
            states.frombytes(part[row, letter].astype(np.uint32).tobytes())
        self._starts = array("I", np.concatenate(counts).cumsum().astype(np.uint32).tobytes())
        self._letters, self._states = bytes(letters), states
        self._pairs = array("I", pairs.astype(np.uint32).tobytes())
        self._likely = array("I", (lasts * _BYTES).astype(np.uint32).tobytes())
        self._rows = array("H", rows.astype(np.uint16).tobytes())
        self._features = array("i", features.astype(np.int32).tobytes())

    def features(self, text: bytes) -> Counter[int]:
        """Return how often each feature stands in a text, in the order in which they come first."""
        find, rows, starts = self._letters.find, self._rows, self._starts
        state, found = 0, []
        for letter in text:
            row = rows[state]
            at = find(letter, starts[row], starts[row + 1])
            state = self._states[at] if at >= 0 else self._pairs[self._likely[row] + letter]
            if (feature := self._features[state]) >= 0:
                found.append(feature)
        return Counter(found)


def _last_bytes(table: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return for each row a byte that leads to it."""
    found = np.zeros(len(table), np.int64)
    for letter in range(_BYTES):
        found[rows[table[:, letter]]] = letter
    return found
