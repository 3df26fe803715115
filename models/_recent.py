"""The newest verdicts by their texts: what is copied a thousand times is judged once. Called by `models.bundled`."""

import hashlib
import threading
from collections import OrderedDict

from listener.core.sentiment import Verdict

KEPT = 4_096
"""Verdicts: about eight megabytes."""


class Recent:
    """The newest verdicts; texts are kept as digests only. Threads may share it."""

    def __init__(self, kept: int = KEPT) -> None:
        """Begin empty.

        Args:
            kept: most verdicts to keep; what was not asked for the longest goes first.
        """
        self._kept = kept
        self._verdicts: OrderedDict[bytes, Verdict] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, text: str) -> Verdict | None:
        """Return the verdict on this very text, or None."""
        key = _key(text)
        with self._lock:
            if key not in self._verdicts:
                return None
            self._verdicts.move_to_end(key)
            return self._verdicts[key]

    def keep(self, text: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        key = _key(text)
        with self._lock:
            self._verdicts[key] = verdict
            self._verdicts.move_to_end(key)
            while len(self._verdicts) > self._kept:
                self._verdicts.popitem(last=False)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
