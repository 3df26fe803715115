"""A bundle's weights, read where they lie on the disk instead of being copied into memory.

Called by `models._bundle`.  The runtime keeps an arranged copy of its own; with the pages of the file behind the
original, that one can be let go of, and the vocabulary takes room only for the words that posts hold.
"""

import hashlib
import json
import mmap
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_KINDS: Final = {"I8": np.int8, "U8": np.uint8, "F16": np.float16, "F32": np.float32}
_SIZE: Final = 8
"""Bytes before the header, which say how long it is."""


class Weights:
    """The arrays of a safetensors file, each a view of the file."""

    def __init__(self, path: Path) -> None:
        """Map the file; nothing is read before it is used.

        Args:
            path: of a safetensors file.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ValueError: it is empty.
        """
        with path.open("rb") as file:
            # Private to this process: the runtime asks for arrays that it may write to, and never does.
            self._pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def digest(self) -> str:
        """Return the file's SHA-256."""
        found = hashlib.sha256(self._pages).hexdigest()
        self.forget()
        return found

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name; a file with another digest than its own may raise anything."""
        start = _SIZE + int.from_bytes(self._pages[:_SIZE], "little")
        header = json.loads(self._pages[_SIZE:start])
        return {name: self._array(found, start) for name, found in header.items() if name != "__metadata__"}

    def _array(self, found: dict[str, Any], start: int) -> NDArray[Any]:
        kind = np.dtype(_KINDS[found["dtype"]])
        first, last = found["data_offsets"]
        return np.frombuffer(self._pages, kind, (last - first) // kind.itemsize, start + first).reshape(found["shape"])

    def forget(self) -> None:
        """Give the memory of all pages back; what is used again is read again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._pages.madvise(mmap.MADV_DONTNEED)
