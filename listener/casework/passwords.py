"""Hashes passwords with argon2id, one at a time: a rush of sign-ins waits in line instead of taking the memory."""

from __future__ import annotations

import base64
import secrets
import threading

import argon2
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from listener.core.password import LONGEST, plain

PARAMETERS = argon2.profiles.RFC_9106_LOW_MEMORY
"""RFC 9106, section 4, second recommendation: three passes over 64 MiB in four lanes."""


class Passwords:
    """Writes and compares hashes.

    Args:
        hasher: with the parameters that are to be used; others are for tests.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Keep the hasher, and make up a hash that no password fits."""
        self._hasher = hasher or PasswordHasher.from_parameters(PARAMETERS)
        self._turn = threading.Lock()
        self._nobodys = _made_up(self._hasher)

    def write(self, password: str) -> str:
        """The hash of a password, in the form that is kept; it names its own parameters and salt."""
        with self._turn:
            return self._hasher.hash(plain(password)[:LONGEST])

    def fits(self, password: str, written: str | None) -> bool:
        """Whether a password is the one whose hash was kept; takes as long where none was."""
        with self._turn:
            try:
                return self._hasher.verify(written or self._nobodys, plain(password)[:LONGEST]) and written is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, written: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(written)


def _made_up(hasher: PasswordHasher) -> str:
    """A hash that nobody computed: comparing with it costs as much as with a true one."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
