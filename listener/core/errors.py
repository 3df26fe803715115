"""Every error Listener raises on purpose, as one small tree.

The class docstring is the default message. Each error carries the resource it is about, so that whoever
catches it can log and show it without parsing text. Messages never hold a secret.
"""

from __future__ import annotations


class ListenerError(Exception):
    """Something in Listener went wrong."""

    def __init__(self, message: str = "", *, resource: str = "") -> None:
        """Keep the message and the resource.

        Args:
            message: what happened and what to do about it; the class docstring when empty.
            resource: the place, channel, case or file it is about; empty when there is none.
        """
        self.message = _storable(message or (type(self).__doc__ or "").strip())
        self.resource = _storable(resource)
        super().__init__(self.message)

    def __str__(self) -> str:
        """Say the message, headed by the resource if there is one."""
        return f"{self.resource}: {self.message}" if self.resource else self.message


def _storable(text: str) -> str:
    """Text from elsewhere may hold halves of characters, which neither the database nor a terminal takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


class SettingsError(ListenerError):
    """The configuration cannot be used as it is."""


class StoreError(ListenerError):
    """The database could not be read or written."""


class StoreFull(StoreError):
    """The disk that holds the database is full: intake rests and goes on by itself once there is room."""


class Refused(ListenerError):
    """That cannot be done now: the case, the role or another colleague stands in the way."""


class TooOften(Refused):
    """Tried too often; wait before the next try."""

    def __init__(self, message: str = "", *, resource: str = "", wait: float) -> None:
        """Keep how long to wait.

        Args:
            message: as in ListenerError.
            resource: as in ListenerError.
            wait: seconds until the next try may succeed.
        """
        super().__init__(message, resource=resource)
        self.wait = wait


class AdapterError(ListenerError):
    """A source, scorer or channel could not do its work."""


class Unavailable(AdapterError):
    """Not reachable or not ready now; worth another try later."""

    def __init__(self, message: str = "", *, resource: str = "", retry_after: float | None = None) -> None:
        """Keep the wait the other side asked for.

        Args:
            message: as in ListenerError.
            resource: as in ListenerError.
            retry_after: seconds the other side asked us to wait; None when it said nothing.
        """
        super().__init__(message, resource=resource)
        self.retry_after = retry_after


class RateLimited(Unavailable):
    """Asked too often; wait before the next try."""


class Unforeseen(Unavailable):
    """The adapter failed in a way that its protocol does not promise; tell its author."""


class Rejected(AdapterError):
    """Refused for good: the same request would be refused again."""


class Unclear(AdapterError):
    """It was handed over and no answer came: whether it was posted is not known."""


class Unauthorized(Rejected):
    """The credentials were refused: check them, then reload."""
