"""The adapter border: the one place in the pipeline where any exception at all is caught.

Adapters are strangers' code. Whatever they raise beyond their protocol becomes an `Unforeseen` of the resource.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from listener.core.errors import AdapterError, Unforeseen


@contextmanager
def border(resource: str) -> Iterator[None]:
    """Let an adapter's own errors through and turn all others into Unforeseen: a stranger's defect ends no daemon.

    Args:
        resource: the place, scorer or channel whose adapter is called.

    Raises:
        Unforeseen: the adapter raised something that its protocol does not promise.
    """
    try:
        yield
    except AdapterError:
        raise
    except Exception as problem:
        raise Unforeseen(f"{type(problem).__name__}: {str(problem)[:300]}", resource=resource) from problem
