"""Several short texts in one row of the encoder, so that little of a batch is padding.

Called by `models.bundled`.  Tweets of 25 tokens in batches sorted by length waste a quarter of the work on padding up
to a multiple of 16; rows of 80 tokens filled with whole texts waste a twentieth, and need few shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEP = 16
_UNSEEN = -1e4
"""Added to an attention score across a border: far enough from any real score, small enough for bfloat16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A batch as the encoder wants it.

    Attributes:
        tokens: (rows, length) token numbers; 0 where there is none.
        positions: (rows, length) position of each token in its own text.
        blocked: (rows, 1, length, length), zero where a token sees another and -10,000 elsewhere.
        pool: (rows, texts, length), the weight of each token in the mean of its text.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    blocked: NDArray[np.float32]
    pool: NDArray[np.float32]


def fill_rows(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Deal texts to rows, longest first, each into the fullest row that still has room.

    Args:
        lengths: tokens in each text, at most `room`.
        room: tokens in a row.

    Returns:
        Rows of indices into `lengths`; every index stands in exactly one.
    """
    rows: list[list[int]] = []
    by_room: list[list[int]] = [[] for _ in range(room + 1)]
    for text in sorted(range(len(lengths)), key=lambda text: -lengths[text]):
        needed = lengths[text]
        left = next((left for left in range(needed, room + 1) if by_room[left]), None)
        if left is None:
            rows.append([])
            left, row = room, len(rows) - 1
        else:
            row = by_room[left].pop()
        rows[row].append(text)
        by_room[left - needed].append(row)
    return rows


def pack(rows: Sequence[Sequence[Sequence[int]]]) -> Packed:
    """Lay out rows of texts.

    Args:
        rows: for each row its texts, for each text its token numbers; none empty.

    Returns:
        The batch; its length is the fullest row's, rounded up to a multiple of 16.
    """
    length = max(sum(map(len, row)) for row in rows)
    length = -(-length // _STEP) * _STEP
    tokens = np.zeros((len(rows), length), np.int64)
    positions = np.zeros((len(rows), length), np.int64)
    owner = np.full((len(rows), length), -1, np.int64)
    pool = np.zeros((len(rows), max(map(len, rows)), length), np.float32)
    for number, row in enumerate(rows):
        start = 0
        for text, found in enumerate(row):
            span = slice(start, start + len(found))
            tokens[number, span] = found
            positions[number, span] = np.arange(len(found))
            owner[number, span] = text
            pool[number, text, span] = 1.0 / len(found)
            start = span.stop
    # Padding sees padding, so that no row of the softmax is empty.
    apart = owner[:, None, :, None] != owner[:, None, None, :]
    return Packed(
        tokens=tokens, positions=positions, blocked=np.where(apart, np.float32(_UNSEEN), np.float32(0)), pool=pool
    )
