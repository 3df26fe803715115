"""Listener's nouns, protocols and errors, for adapters of ours and of strangers.

Third parties import only from here. Importing it loads the standard library and `listener.core`, nothing else.
"""

from listener.core.campaign import Brief, Campaign
from listener.core.case import Case, Status
from listener.core.errors import (
    AdapterError,
    ListenerError,
    RateLimited,
    Rejected,
    SettingsError,
    StoreError,
    StoreFull,
    Unauthorized,
    Unavailable,
    Unforeseen,
)
from listener.core.mention import Author, Engagement, Mention, Post
from listener.core.notification import Announcement, CaseLine, Message, Notification
from listener.core.protocols import (
    Answer,
    Budget,
    Capabilities,
    Channel,
    Clock,
    Guard,
    Http,
    Scorer,
    Source,
    Tools,
)
from listener.core.query import Cursor, Page, Place, Query
from listener.core.route import Matcher, Route, Severity
from listener.core.sentiment import Certainty, Label, Probabilities, Sentiment, Verdict, unreadable

__all__ = [
    "AdapterError", "Announcement", "Answer", "Author", "Brief", "Budget", "Campaign", "Capabilities", "Case",
    "CaseLine", "Certainty", "Channel", "Clock", "Cursor", "Engagement", "Guard", "Http", "Label", "ListenerError",
    "Matcher", "Mention", "Message", "Notification", "Page", "Place", "Post", "Probabilities", "Query", "RateLimited",
    "Rejected", "Route", "Scorer", "Sentiment", "SettingsError", "Severity", "Source", "Status", "StoreError",
    "StoreFull", "Tools", "Unauthorized", "Unavailable", "Unforeseen", "Verdict", "unreadable",
]  # fmt: skip

__version__ = "0.1.0"
