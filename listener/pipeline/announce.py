"""Tell the teams' channels what marketing runs before it starts. Part of the watch step.

Once for each campaign and channel: the message is put in the outbox in the transaction that records it. Whether it is
still true is decided when it is sent, see `decide_announcement()`.
"""

from __future__ import annotations

from listener.core.event import LISTENER
from listener.core.rules import Rules
from listener.core.store import Store
from listener.core.tools import Clock
from listener.telemetry import get_logger


def announce(store: Store, rules: Rules, clock: Clock) -> int:
    """Put word of the campaigns that start soon, or run already, in the outbox.

    Args:
        store: the campaigns and the outbox.
        rules: say which channels are told, and how long before.
        clock: says the present.

    Returns:
        How many campaigns were announced; 0 when none is due or no channel is to be told.

    Raises:
        StoreError: nothing was written; the same campaigns are due again.
    """
    now = clock()
    near = now + rules.announce_before
    if not rules.announce_channels or not store.campaigns.unannounced(now, near):
        return 0
    with store.transaction():
        due = store.campaigns.unannounced(now, near)
        for campaign in due:
            store.outbox.announce(campaign, rules.announce_channels, now)
            store.campaigns.announced(campaign, now)
            store.events.add(LISTENER, "campaign announced", now, subject=campaign.subject, detail=campaign.brief.name)
            get_logger().info("campaign_announced", campaign=campaign.public_id)
    return len(due)
