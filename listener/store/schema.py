"""The present schema, commented, and the migrations that lead to it.

Times are whole milliseconds since 1970 in UTC. `step` is NULL once a row needs no more work: the queue is the set
of rows with a step, and the partial indexes hold only those. Migrations are named by letter and subject.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from listener.store.head_schema import BRAND_HEADS
from listener.store.inbox_schema import INBOX
from listener.store.judgement_schema import RESCORES, UNSURE, WORD_WEIGHTS
from listener.store.remedy_schema import REMEDIES
from listener.store.reply_schema import PUBLIC_REPLY
from listener.store.topics_schema import TOPICS
from listener.store.vectors_schema import SPACES, VECTORS

WORK = """
    step TEXT,                              -- the step it waits for; NULL: nothing left to do; 'dead': gave up
    due_at INTEGER NOT NULL DEFAULT 0,      -- not before
    priority INTEGER NOT NULL DEFAULT 1,    -- lower first
    lease_until INTEGER NOT NULL DEFAULT 0, -- somebody works on it until then
    attempts INTEGER NOT NULL DEFAULT 0,    -- counted when claimed, so that a crash counts too
    last_error TEXT
"""

SCHEMA = f"""
CREATE TABLE places (                       -- what we remember of each configured place
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    cursor TEXT,                            -- opaque; only its source understands it
    enabled INTEGER NOT NULL DEFAULT 1,     -- 0: no longer in the configuration, or switched off there
    first_polled_at INTEGER,                -- when its first poll was stored to the end
    polled_at INTEGER,                      -- last answer
    nonempty_at INTEGER,                    -- last answer that held posts
    failures INTEGER NOT NULL DEFAULT 0,    -- failed polls in a row
    down_since INTEGER,
    gap TEXT,                               -- why posts may be missing, if they may
    gap_at INTEGER,
    {WORK}
);
CREATE TABLE tallies (                      -- the ledger: fetched = the sum over outcomes
    place TEXT NOT NULL,
    outcome TEXT NOT NULL,                  -- stored, edited, duplicate, unmatched, rejected, overflowed
    n INTEGER NOT NULL,
    PRIMARY KEY (place, outcome)
) WITHOUT ROWID;
CREATE TABLE posts (                        -- one public item in its present state
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    realm TEXT NOT NULL,                    -- name space of the id
    external_id TEXT NOT NULL,
    place TEXT NOT NULL,                    -- where it was first met
    kind TEXT NOT NULL,
    url TEXT,
    handle TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author_url TEXT,
    followers INTEGER,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    published_at INTEGER,
    rating REAL,                            -- 0..1
    in_reply_to TEXT,
    root TEXT,
    likes INTEGER NOT NULL,
    replies INTEGER NOT NULL,
    shares INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,              -- of title, text and rating
    seen_at INTEGER NOT NULL,               -- when this state was first seen
    changes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, realm, external_id)
);
CREATE TABLE revisions (                    -- earlier states of edited posts
    post_id INTEGER NOT NULL REFERENCES posts(id),
    fingerprint TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    rating REAL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (post_id, seen_at, fingerprint)
) WITHOUT ROWID;
CREATE TABLE mentions (                     -- one post about one brand
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts(id),
    brand TEXT NOT NULL,
    place TEXT NOT NULL,
    queries TEXT NOT NULL,                  -- names, one a line
    words TEXT NOT NULL,                    -- the words that matched, one a line
    fingerprint TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    hour INTEGER NOT NULL,                  -- hours since 1970 under which it is counted
    arrival TEXT NOT NULL,
    arrival_reason TEXT NOT NULL,
    label TEXT,                             -- the sentiment; NULL until judged
    score REAL,
    confidence REAL,
    certainty TEXT,
    scorer TEXT,
    language TEXT,
    previous TEXT,                          -- label before the latest edit
    fell INTEGER NOT NULL DEFAULT 0,        -- the stars fell with the latest edit
    routes TEXT,                            -- names of the routes that took it, one a line; NULL until routed
    routed_why TEXT,
    routed_with TEXT,                       -- revision of the configuration that routed it
    {WORK},
    UNIQUE (post_id, brand)
);
CREATE INDEX mentions_work ON mentions (step, priority, id DESC) WHERE step IS NOT NULL;
CREATE INDEX mentions_retry ON mentions (step, due_at) WHERE step IS NOT NULL AND attempts > 0;
CREATE INDEX mentions_held_back ON mentions (place, label) WHERE arrival = 'backfill';
CREATE TABLE verdicts (                     -- what a model read in one state of a post
    post_id INTEGER NOT NULL REFERENCES posts(id),
    fingerprint TEXT NOT NULL,
    negative REAL NOT NULL,
    neutral REAL NOT NULL,
    positive REAL NOT NULL,
    label TEXT NOT NULL,
    confidence REAL NOT NULL,
    certainty TEXT NOT NULL,
    language TEXT,
    parts INTEGER NOT NULL,
    scorer TEXT NOT NULL,
    judged_at INTEGER NOT NULL,
    PRIMARY KEY (post_id, fingerprint, scorer)
) WITHOUT ROWID;
CREATE TABLE moods (                        -- rollup: changed in the transaction that changes a mention
    hour INTEGER NOT NULL,
    brand TEXT NOT NULL,
    source TEXT NOT NULL,
    language TEXT NOT NULL,
    label TEXT NOT NULL,
    certainty TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (hour, brand, source, language, label, certainty)
) WITHOUT ROWID;
CREATE TABLE cases (                        -- one customer's matter about one brand
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    brand TEXT NOT NULL,
    route TEXT NOT NULL,
    reason TEXT NOT NULL,
    severity TEXT NOT NULL,
    priority INTEGER NOT NULL,              -- 0 crisis .. 3 low, for ordering
    status TEXT NOT NULL,
    headline TEXT NOT NULL,
    author TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    resolved_at INTEGER,
    mentions INTEGER NOT NULL
);
CREATE UNIQUE INDEX cases_unresolved ON cases (key) WHERE status <> 'resolved';
CREATE INDEX cases_key ON cases (key, resolved_at);
CREATE INDEX cases_list ON cases (priority, changed_at DESC, id DESC) WHERE status <> 'resolved';
CREATE TABLE case_mentions (
    mention_id INTEGER PRIMARY KEY REFERENCES mentions(id),
    case_id INTEGER NOT NULL REFERENCES cases(id),
    joined_at INTEGER NOT NULL
);
CREATE INDEX case_mentions_case ON case_mentions (case_id, mention_id);
CREATE TABLE bundles (                      -- notification groups
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,               -- route and the values of its group_by facts
    route TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    last_sent_at INTEGER
);
CREATE TABLE bundle_cases (
    bundle_id INTEGER NOT NULL REFERENCES bundles(id),
    case_id INTEGER NOT NULL REFERENCES cases(id),
    PRIMARY KEY (bundle_id, case_id)
) WITHOUT ROWID;
CREATE TABLE notifications (                -- the outbox
    id INTEGER PRIMARY KEY,
    bundle_id INTEGER NOT NULL REFERENCES bundles(id),
    channel TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,                   -- pending, sent, held, dropped, dead
    why TEXT,                               -- why it was sent or dropped
    key TEXT NOT NULL UNIQUE,               -- the same in every try
    frozen_at INTEGER,                      -- from the first try on its content no longer grows
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    repeat_ms INTEGER NOT NULL,             -- the route's repeat_interval when it was put
    {WORK}
);
CREATE UNIQUE INDEX notifications_growing ON notifications (bundle_id, channel)
    WHERE step IS NOT NULL AND frozen_at IS NULL;
CREATE INDEX notifications_work ON notifications (channel, step, priority, due_at) WHERE step IS NOT NULL;
CREATE INDEX notifications_status ON notifications (status);
CREATE TABLE notification_cases (
    notification_id INTEGER NOT NULL REFERENCES notifications(id),
    case_id INTEGER NOT NULL REFERENCES cases(id),
    PRIMARY KEY (notification_id, case_id)
) WITHOUT ROWID;
CREATE INDEX notification_cases_case ON notification_cases (case_id);
CREATE TABLE attempts (                     -- the ledger of tries, a row each
    id INTEGER PRIMARY KEY,
    notification_id INTEGER NOT NULL REFERENCES notifications(id),
    tried_at INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,                  -- accepted, unavailable, rejected, dropped
    error TEXT
);
CREATE INDEX attempts_notification ON attempts (notification_id);
CREATE TABLE imports (                      -- how far a file was imported, so that it can be resumed
    digest TEXT NOT NULL,
    place TEXT NOT NULL,
    offset INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY (digest, place)
) WITHOUT ROWID;
"""

STREAMS = """
-- since when all its streams stand
ALTER TABLE places ADD COLUMN listening_since INTEGER;
-- why one of them does not
ALTER TABLE places ADD COLUMN not_listening TEXT;
"""

migrations = Migrations("listener")


@migrations()  # type: ignore[untyped-decorator]
def a_first_schema(db: Database) -> None:
    """Lay the first schema."""
    _run(db, SCHEMA)


@migrations()  # type: ignore[untyped-decorator]
def b_service_inbox(db: Database) -> None:
    """Colleagues, what they do with cases, customers, campaigns."""
    db.register_function(str.casefold, deterministic=True, name="casefold")
    _run(db, INBOX)


@migrations()  # type: ignore[untyped-decorator]
def c_unsure(db: Database) -> None:
    """The lane of unsure mentions."""
    _run(db, UNSURE)


@migrations()  # type: ignore[untyped-decorator]
def b_public_reply(db: Database) -> None:
    """Answers from draft to posted."""
    _run(db, PUBLIC_REPLY)


@migrations()  # type: ignore[untyped-decorator]
def b_remedies(db: Database) -> None:
    """What customers are given to make it right."""
    _run(db, REMEDIES)


@migrations()  # type: ignore[untyped-decorator]
def c_vectors(db: Database) -> None:
    """What texts mean."""
    _run(db, VECTORS)


@migrations()  # type: ignore[untyped-decorator]
def c_words(db: Database) -> None:
    """Which words carried verdicts."""
    _run(db, WORD_WEIGHTS)


@migrations()  # type: ignore[untyped-decorator]
def c_topics(db: Database) -> None:
    """What people speak of."""
    _run(db, TOPICS)


@migrations()  # type: ignore[untyped-decorator]
def c_rescore(db: Database) -> None:
    """Judging again what was judged before."""
    _run(db, RESCORES)


@migrations()  # type: ignore[untyped-decorator]
def c_brand_heads(db: Database) -> None:
    """What corrections taught about brands."""
    _run(db, BRAND_HEADS)


@migrations()  # type: ignore[untyped-decorator]
def c_spaces(db: Database) -> None:
    """Which vectors can be compared."""
    _run(db, SPACES)


@migrations()  # type: ignore[untyped-decorator]
def b_streams(db: Database) -> None:
    """How the streams of places fare."""
    _run(db, STREAMS)


def _run(db: Database, script: str) -> None:
    """Run statements, each of which ends where a semicolon ends a line."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
