"""How a mention can be answered: through which interface, or why by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from listener.core.mention import Mention
from listener.core.protocols import Replier
from listener.core.reply import ReplyLimits
from listener.core.replying import Posting

OFF = "posting is switched off here ([replies] post = true switches it on)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a mention can be answered.

    Args:
        refusal: why Listener cannot post there, in words; None when it can.
        limits: what an answer must keep to; without an interface only the longest draft there is.
    """

    refusal: str | None
    limits: ReplyLimits


class Ways:
    """Says how mentions can be answered.

    Args:
        posting: gives what the operator allows.
        repliers: gives who can answer, by place.
    """

    def __init__(self, posting: Callable[[], Posting], repliers: Callable[[], Mapping[str, Replier]]) -> None:
        """Keep them."""
        self._posting = posting
        self._repliers = repliers

    def of(self, mention: Mention) -> Way:
        """Through which interface a mention is answered, or why by hand."""
        replier = self._repliers().get(mention.place)
        if replier is None:
            return Way(refusal="there is no interface for answers there: answer by hand", limits=ReplyLimits())
        why = replier.can_reply(mention.post)
        limits = replier.limits(mention.post) if why is None else ReplyLimits()
        return Way(refusal=why or (None if self._posting().on else OFF), limits=limits)
