"""The nouns of Listener and their rules; standard library only, no I/O, no clock reads.

query         Place, Query, Cursor, Page: where we listen, what for, and what a poll brings
mention       Author, Engagement, Post, Mention: what was published, and what it means for a brand
sentiment     Probabilities, Verdict, Sentiment: what a model read, and the mood towards a brand
route         Matcher, Route: the escalation tree
case          Case: one customer's matter
notification  Notification, Message, Decision: what staff are told, and whether it is still worth telling
protocols     Source, Scorer, Channel: what an adapter must offer; Tools: what it is given
errors        ListenerError and its descendants
"""
