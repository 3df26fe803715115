"""What colleagues do, from pages, programs and commands alike: ask the core, write the result with its event at once.

Each act is one transaction. Nothing here knows HTTP; `listener/web/` and `listener/cli/` call it.
"""

from listener.casework.accounts import Accounts
from listener.casework.calls import Calls, Logged
from listener.casework.campaigns import Campaigns
from listener.casework.cases import CLAIM_LEASE, Casework, Done
from listener.casework.customers import Customers, Settled
from listener.casework.exclusions import Exclusions, Proposal
from listener.casework.panel import Panel
from listener.casework.passwords import Passwords
from listener.casework.remedies import Given, Remedies, Waiting, Wished
from listener.casework.replies import Replies
from listener.casework.requests import Requests
from listener.casework.sessions import Sessions
from listener.casework.settling import Decided, Settling
from listener.casework.stops import Stops
from listener.casework.teaching import Standing, Taught, Teaching
from listener.casework.tokens import Tokens
from listener.casework.views import Views
from listener.casework.ways import Way
from listener.casework.why import Why, weighed

__all__ = [
    "CLAIM_LEASE",
    "Accounts",
    "Calls",
    "Campaigns",
    "Casework",
    "Customers",
    "Decided",
    "Done",
    "Exclusions",
    "Given",
    "Logged",
    "Panel",
    "Passwords",
    "Proposal",
    "Remedies",
    "Replies",
    "Requests",
    "Sessions",
    "Settled",
    "Settling",
    "Standing",
    "Stops",
    "Taught",
    "Teaching",
    "Tokens",
    "Views",
    "Waiting",
    "Way",
    "Why",
    "Wished",
    "weighed",
]
