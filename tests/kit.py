"""Nouns with believable defaults for tests: what a test does not care about, it does not have to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from listener.core.case import Case, Joining, Status
from listener.core.mention import Arrival, Author, Mention, NewPost, Post, Sighting, fingerprint
from listener.core.query import Match, Matchbook, Place, Query
from listener.core.replying import Posting
from listener.core.route import Matcher, Route, Severity
from listener.core.rules import Rules
from listener.core.sentiment import Label, Sentiment, towards
from listener.core.topic import Touched, as_settled
from listener.core.work import Judged, held_back
from listener.store import Store
from listener.store.engine import from_ms, to_ms
from listener.testing import START, make_post, verdict

HORIZON = timedelta(hours=48)
POSTING = Posting(on=True, hold=timedelta(0))
"""What the operator allows of public answers: everything, at once."""
SHOP = Place(name="shop", source="fake", every=timedelta(minutes=15))
ACME = Query(name="acme", brand="Acme", terms=("acme",))
BORED = Query(name="bored", brand="Boredom", terms=("bored",))


def route(name: str, *match: str, **fields: Any) -> Route:
    """A route with its matchers in their written form."""
    return Route(name=name, match=tuple(Matcher.parse(text) for text in match), **fields)


COMPLAINTS = route("complaints", "sentiment = negative", "certainty = confident", channels=("desk",), severity="high")
STARS = route("stars", "rating < 0.3", channels=("desk",))


def make_rules(
    *routes: Route, queries: Sequence[Query] = (ACME, BORED), places: Sequence[Place] = (SHOP,), **fields: Any
) -> Rules:
    """The operator's rules: complaints and low stars go to the desk."""
    return Rules(
        places={place.name: place for place in places},
        matchbook=Matchbook(queries),
        route=Route(name="root", routes=routes or (COMPLAINTS, STARS)),
        **{"public_url": "https://desk.example", "revision": "r1", **fields},
    )


def sighting(now: datetime = START, **fields: Any) -> Sighting:
    """A sighting at a place that was polled before."""
    return Sighting(**{"at": now, "first_poll": False, "horizon": HORIZON, **fields})


def make_mention(post: Post | None = None, *, label: Label | None = None, **fields: Any) -> Mention:
    """A live mention of Acme at the shop."""
    post = post or make_post("1")
    plain = Mention(
        id=1, post_id=1, post=post, brand="Acme", place="shop", queries=("acme",), words=("Acme",),
        fingerprint=fingerprint(post), seen_at=START, arrival="live", arrival_reason="new",
        sentiment=mood(label) if label else None,
    )  # fmt: skip
    return replace(plain, **fields)


def mood(label: Label, *, sure: bool = True) -> Sentiment:
    """A sentiment with that label."""
    score = {"negative": -0.9, "neutral": 0.0, "positive": 0.9}[label]
    return Sentiment(
        label=label, score=score, confidence=0.9, certainty="confident" if sure else "unsure", scorer="table@1"
    )


def make_case(*, status: Status = "open", severity: Severity = "normal", **fields: Any) -> Case:
    """A case that was opened at START."""
    plain = Case(
        id=1, public_id="c-1", key="k", brand="Acme", route="complaints", reason="why", severity=severity,
        status=status, headline="broken", author="ann", opened_at=START, changed_at=START,
        resolved_at=START if status == "resolved" else None, mentions=1,
    )  # fmt: skip
    return replace(plain, **fields)


def add_posts(
    store: Store, *posts: Post, brands: Sequence[str] = ("Acme",), arrival: Arrival = "live", now: datetime = START
) -> None:
    """Store posts with a mention of each brand."""
    matches = tuple(Match(brand=brand, queries=(brand.lower(),), words=(brand,)) for brand in brands)
    with store.transaction():
        store.posts.add(
            [
                NewPost(post=post, matches=matches, fingerprint=fingerprint(post), arrival=(arrival, "new"))
                for post in posts
            ],
            "shop",
            now,
        )


def edit_post(
    store: Store, old: Post, *, now: datetime = START, brand: str = "Acme", fell: bool = False, **fields: Any
) -> Post:
    """Give a stored post a new state and take its mention back to judging."""
    new = replace(old, **fields)
    identity = (old.source, old.realm, old.external_id)
    match = Match(brand=brand, queries=(brand.lower(),), words=(brand,))
    with store.transaction():
        seen = store.posts.seen([identity])[identity]
        store.posts.edit(seen, new, fingerprint(new), now)
        store.posts.mention(seen.post_id, new, match, "shop", fingerprint(new), ("revision", "edited"), now, fell)
    return new


def judge_as(
    store: Store, mentions: Sequence[Mention], *probabilities: float, now: datetime = START,
    language: str | None = None, topics: tuple[Touched, ...] = (),
) -> None:  # fmt: skip
    """Store one verdict on all these mentions and let those that are not held back wait for a route."""
    read = replace(verdict(*(probabilities or (0.95, 0.04, 0.01))), language=language)
    with store.transaction():
        waiting = store.mentions.waiting("judge", mentions)
        judged = []
        for mention in waiting:
            sentiment = towards(read, mention.post.rating)
            why = held_back(mention, sentiment)
            judged.append(
                Judged(
                    mention=mention, verdict=read, fresh=True, sentiment=sentiment,
                    next_step=None if why else "route", why=why, topics=as_settled(topics, sentiment),
                )
            )  # fmt: skip
        store.mentions.judged(judged, "r1", now)


def open_case(
    store: Store, mention: Mention, *, severity: Severity = "normal", now: datetime = START,
    route: str = "complaints", reason: str = "why",
) -> tuple[Case, bool]:  # fmt: skip
    """Give a mention its case."""
    with store.transaction():
        return store.cases.open_or_grow(
            mention, route=route, reason=reason, severity=severity, joining=Joining(window=timedelta(days=7)), now=now
        )


def next_due(store: Store, channel: str = "desk") -> datetime | None:
    """When the next message to a channel is due, or None without any."""
    (row,) = store.db.read(
        "SELECT min(max(due_at, lease_until)) AS due FROM notifications WHERE channel = ? AND step = 'send'", (channel,)
    )
    return from_ms(row["due"])


def resolve(store: Store, case: Case, now: datetime = START) -> None:
    """End a case as the desk will: nothing in the pipeline does it."""
    store.db.write("UPDATE cases SET status = 'resolved', resolved_at = ? WHERE id = ?", (to_ms(now), case.id))


__all__ = [
    "ACME", "BORED", "COMPLAINTS", "HORIZON", "SHOP", "STARS", "START", "Author", "add_posts", "edit_post",
    "judge_as", "make_case", "make_mention", "make_post", "make_rules", "mood", "next_due", "open_case",
    "resolve", "route", "sighting", "verdict",
]  # fmt: skip
