"""The adapter border: the one place in the pipeline where any exception at all is caught.

Adapters are strangers' code. Whatever they raise beyond their protocol becomes an `Unforeseen` of the resource.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from listener.core.errors import ListenerError, Unforeseen


@contextmanager
def border(resource: str) -> Iterator[None]:
    """Let errors of ours through and turn any other into an Unforeseen; a stranger's defect must not end the daemon.

    Args:
        resource: the place, scorer or channel whose adapter is called.

    Raises:
        Unforeseen: the adapter raised something that its protocol does not promise.
    """
    try:
        yield
    except ListenerError:
        raise
    except Exception as problem:
        raise Unforeseen(f"{type(problem).__name__}: {str(problem)[:300]}", resource=resource) from problem
