"""Listener's nouns, protocols and errors, for adapters of ours and of strangers.

Third parties import only from here. Importing it loads the standard library and `listener.core`, nothing else.
"""

from listener.core.campaign import Brief, Campaign
from listener.core.case import Case, Status
from listener.core.echo import Echo
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
    Unclear,
    Unforeseen,
)
from listener.core.meaning import Means, Space
from listener.core.mention import Author, Engagement, Mention, Post
from listener.core.notification import Announcement, CaseLine, Message, Notification, Request, RequestKind
from listener.core.protocols import Budget, Capabilities, Channel, Listens, Replier, Scorer, Source, Stop
from listener.core.query import Cursor, Page, Place, Query
from listener.core.reply import Approval, Posted, ReplyLimits
from listener.core.route import Matcher, Route, Severity
from listener.core.sentiment import Certainty, Label, Probabilities, Sentiment, Verdict, unreadable
from listener.core.tools import Answer, Clock, Guard, Http, Tools

__all__ = [
    "AdapterError", "Announcement", "Answer", "Approval", "Author", "Brief", "Budget", "Campaign", "Capabilities",
    "Case", "CaseLine", "Certainty", "Channel", "Clock", "Cursor", "Echo", "Engagement", "Guard", "Http", "Label",
    "ListenerError", "Listens", "Matcher", "Means", "Mention", "Message", "Notification", "Page", "Place", "Post",
    "Posted", "Probabilities", "Query", "RateLimited", "Rejected", "Replier", "ReplyLimits", "Request", "RequestKind",
    "Route", "Scorer", "Sentiment", "SettingsError", "Severity", "Source", "Space", "Status", "Stop", "StoreError",
    "StoreFull", "Tools", "Unauthorized", "Unavailable", "Unclear", "Unforeseen", "Verdict", "unreadable",
]  # fmt: skip

__version__ = "0.1.0"
