"""Memory that was freed goes back to the system.  Called by `models.bundled` before it loads anything.

The C library keeps freed blocks of up to 32 MB for itself once it has seen large ones come and go, which reading
weights and tables makes it see: after both bundles are loaded, some 25 MB that nobody uses.
"""

import ctypes
from typing import Final

_TRIM: Final = -1
_MAP: Final = -3
"""What the library calls M_TRIM_THRESHOLD and M_MMAP_THRESHOLD."""
_LARGE: Final = 1 << 20
"""Bytes from which on a block is the system's own, and goes back when it is freed."""
_SPARE: Final = 4 << 20
"""Freed bytes that may lie at the end of the heap."""


def return_what_is_free() -> None:
    """Fix both borders, which would grow otherwise; where the C library is another one, nothing happens."""
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    adjust(_MAP, _LARGE)
    adjust(_TRIM, _SPARE)
