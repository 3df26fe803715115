"""A place that can be answered, with a memory: it takes, refuses, limits, times out before or after taking, or dies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from listener.core.errors import AdapterError, RateLimited, Rejected, Unavailable, Unclear
from listener.core.mention import Post
from listener.core.reply import Approval, Posted, ReplyLimits, digest
from listener.testing import FakeSource

How = Literal["takes", "takes in silence", "silence", "refuses", "limits", "away", "breaks", "dies", "dies after"]


class Died(BaseException):
    """The process ended here: nothing after it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """An answer as the place shows it."""

    external_id: str
    under: str
    text: str
    key: str


@dataclass(slots=True)
class FakeReplier(FakeSource):
    """Answers are kept under what they answer.

    Attributes:
        how: what it does with the next answer.
        stood: what stands there.
        handed: every answer that was handed over, by key.
        hidden: whether nothing is found, as on a place without a search.
        refusal: why nothing can be answered there; None where it can.
        limit: what an answer must keep to.
    """

    how: How = "takes"
    stood: list[Stood] = field(default_factory=list)
    handed: list[str] = field(default_factory=list)
    hidden: bool = False
    refusal: str | None = None
    limit: ReplyLimits = field(default_factory=lambda: ReplyLimits(limit=500, link_length=23))

    def can_reply(self, post: Post) -> str | None:
        """What the test says."""
        return self.refusal

    def limits(self, post: Post) -> ReplyLimits:
        """What the test says."""
        return self.limit

    def reply(self, post: Post, approved: Approval, key: str) -> Posted:
        """Do what the test says; what is taken stands, under its key, each time it is taken."""
        assert digest(approved.text) == approved.digest
        self.handed.append(key)
        problems: dict[str, Exception | BaseException] = {
            "takes in silence": Unclear("no answer within 20 s"),
            "silence": Unclear("the connection ended"),
            "refuses": Rejected("422: too long"),
            "limits": RateLimited("429", retry_after=60),
            "away": Unavailable("the name could not be resolved"),
            "breaks": ValueError("a defect of the adapter"),
            "dies": Died(),
            "dies after": Died(),
        }
        if self.how in {"takes", "takes in silence", "dies after"}:
            self.stood.append(
                Stood(external_id=f"a{len(self.stood) + 1}", under=post.external_id, text=approved.text, key=key)
            )
        if self.how == "takes":
            return self._posted(self.stood[-1])
        raise problems[self.how]

    def find(self, post: Post, approved: Approval, key: str) -> Posted | None:
        """What stands under that key, unless it is hidden."""
        if self.how == "away":
            raise Unavailable("the name could not be resolved")
        found = [each for each in self.stood if each.key == key]
        return self._posted(found[0]) if found and not self.hidden else None

    @staticmethod
    def _posted(stood: Stood) -> Posted:
        return Posted(external_id=stood.external_id, url=f"https://forum.example/{stood.external_id}")


__all__ = ["AdapterError", "Died", "FakeReplier", "How", "Stood"]
