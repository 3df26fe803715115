"""What became of a mention, as people read it: what was read in it, where it was routed, and what it said before.

Made by `listener.store`, shown by the pages and by `listener explain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from listener.core.mention import Mention
from listener.core.occlusion import Weighing
from listener.core.sentiment import Verdict
from listener.core.topic import Touched


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An earlier state of an edited post.

    Args:
        seen_at: when this state was first seen.
        title: its heading then.
        text: its words then.
        rating: its stars then, 0..1; None without stars.
        verdict: what was read in it then; None when it changed before it was judged.
    """

    seen_at: datetime
    title: str
    text: str
    rating: float | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A mention with everything that was decided about it.

    Args:
        mention: in its present state.
        step: the step it waits in, "dead" when it was given up, None when nothing is left to do.
        last_error: why the step failed last; None when it did not.
        verdict: what the scorer read in the post's present state, before stars; None until judged.
        judged_at: when; None until judged.
        routes: names of the routes that took it; empty when none did or it was not routed.
        routed_why: why it was routed or held back, in words; None until then.
        routed_with: revision of the configuration that routed it; None when it was not routed.
        case: public id of the case it joined; None without one.
        joined_at: when it joined.
        revisions: earlier states of its post, oldest first.
        topics: what it touches of the operator's topics, the nearest first.
        weighing: which words carried the verdict; None until somebody asked.
    """

    mention: Mention
    step: str | None
    last_error: str | None
    verdict: Verdict | None
    judged_at: datetime | None
    routes: tuple[str, ...]
    routed_why: str | None
    routed_with: str | None
    case: str | None
    joined_at: datetime | None
    revisions: tuple[Revision, ...]
    topics: tuple[Touched, ...] = ()
    weighing: Weighing | None = None
