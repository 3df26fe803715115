"""From what the operator wrote to the rules that the pipeline works by; called by the App at each start and reload."""

from __future__ import annotations

from listener.core.notification import Told
from listener.core.query import Matchbook
from listener.core.replying import Posting
from listener.core.rules import Rules
from listener.settings.sections import Settings


def rules_of(settings: Settings) -> Rules:
    """The operator's rules in the form the pipeline works with."""
    return Rules(
        places={place.name: place for place in settings.places},
        matchbook=Matchbook(settings.queries),
        route=settings.route,
        horizon=settings.listener.alert_horizon,
        case_window=settings.listener.case_window,
        claim_lease=settings.inbox.claim_lease,
        announce_channels=_announce_channels(settings),
        announce_before=settings.inbox.announce_before,
        told=Told(
            advice=settings.inbox.advice_channels,
            review=settings.inbox.review_channels,
            remedy=settings.inbox.remedy_channels,
        ),
        posting=_posting(settings),
        public_url=settings.web.public_url or local_url(settings),
        topics=settings.topics,
        sample=settings.listener.sample_data,
        revision=settings.revision,
    )


def _posting(settings: Settings) -> Posting:
    """What the operator allows of public answers."""
    chosen = settings.replies
    return Posting(
        on=chosen.post, hold=chosen.hold, ask_within=chosen.ask_within, wait=chosen.wait,
        alone={"agent": chosen.agent_alone, "lead": chosen.lead_alone, "admin": chosen.admin_alone},
    )  # fmt: skip


def _announce_channels(settings: Settings) -> tuple[str, ...]:
    """Names of the channels that are told of campaigns; all of them unless the configuration chooses."""
    chosen = settings.inbox.announce_channels
    return tuple(channel.name for channel in settings.channels) if chosen is None else chosen


def local_url(settings: Settings) -> str:
    """Address of the pages on this machine; empty when they are off."""
    if not settings.web.enabled or not settings.web.port:
        return ""
    host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
    return f"http://{host}:{settings.web.port}"
