"""The present schema, commented, and the migrations that lead to it.

Times are whole milliseconds since 1970 in UTC. `step` is NULL once a row needs no more work: the queue is the set
of rows with a step, and the partial indexes hold only those. Migrations are named by letter and subject.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

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

INBOX = """
CREATE TABLE colleagues (                   -- who signs in
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT,                          -- argon2id in its own written form; NULL until one was chosen
    on_duty INTEGER NOT NULL DEFAULT 1,
    shortcuts INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    left_at INTEGER
);
CREATE TABLE sessions (                     -- browsers that are signed in
    digest TEXT PRIMARY KEY,                -- of the cookie, which is kept nowhere
    colleague_id INTEGER NOT NULL REFERENCES colleagues(id),
    browser TEXT NOT NULL,                  -- what it calls itself
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_colleague ON sessions (colleague_id);
CREATE TABLE invitations (                  -- one-time links by which somebody chooses a password
    digest TEXT PRIMARY KEY,
    colleague_id INTEGER REFERENCES colleagues(id), -- NULL: the first account is still to be made
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) WITHOUT ROWID;
CREATE INDEX invitations_colleague ON invitations (colleague_id);
CREATE TABLE tokens (                       -- programs that may use the API
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,                   -- its first letters, by which people tell tokens apart
    colleague_id INTEGER NOT NULL REFERENCES colleagues(id),
    name TEXT NOT NULL,
    rights TEXT NOT NULL,                   -- one a line; never more than the colleague's own
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
);
CREATE INDEX tokens_colleague ON tokens (colleague_id);
CREATE TABLE limits (                       -- leaky buckets against guessing
    bucket TEXT PRIMARY KEY,
    level REAL NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX limits_at ON limits (at);
CREATE TABLE events (                       -- what was done, for ever: case histories and the audit log
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    colleague_id INTEGER REFERENCES colleagues(id),
    via TEXT NOT NULL,                      -- page, api, command, listener
    act TEXT NOT NULL,
    case_id INTEGER REFERENCES cases(id),
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    undoes INTEGER REFERENCES events(id),
    undo TEXT,                              -- JSON by which it can be taken back; NULL: it cannot
    version INTEGER                         -- of the case after it
);
CREATE INDEX events_case ON events (case_id, id) WHERE case_id IS NOT NULL;
CREATE INDEX events_audit ON events (id) WHERE via <> 'listener';
CREATE INDEX events_subject ON events (subject, id) WHERE subject <> '';
CREATE UNIQUE INDEX events_undoes ON events (undoes) WHERE undoes IS NOT NULL;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
ALTER TABLE cases ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE cases ADD COLUMN assignee_id INTEGER REFERENCES colleagues(id);
ALTER TABLE cases ADD COLUMN claimed_until INTEGER;
ALTER TABLE cases ADD COLUMN snoozed_until INTEGER;
ALTER TABLE cases ADD COLUMN outcome TEXT;
ALTER TABLE cases ADD COLUMN merged_into INTEGER REFERENCES cases(id);
ALTER TABLE cases ADD COLUMN clocks_from INTEGER;
ALTER TABLE cases ADD COLUMN acknowledge_by INTEGER;
ALTER TABLE cases ADD COLUMN reply_by INTEGER;
ALTER TABLE cases ADD COLUMN resolve_by INTEGER;
ALTER TABLE cases ADD COLUMN acknowledged_at INTEGER;
ALTER TABLE cases ADD COLUMN replied_at INTEGER;
-- when something breaks next
ALTER TABLE cases ADD COLUMN due_at INTEGER NOT NULL DEFAULT 9007199254740991;
-- the due_at that staff were told was missed
ALTER TABLE cases ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;
-- source, realm and handle of its author
ALTER TABLE cases ADD COLUMN voice TEXT NOT NULL DEFAULT '';
UPDATE cases SET voice = coalesce((
    SELECT p.source || char(31) || p.realm || char(31) || lower(p.handle) FROM case_mentions j
    JOIN mentions m ON m.id = j.mention_id JOIN posts p ON p.id = m.post_id
    WHERE j.case_id = cases.id AND p.handle <> '' ORDER BY m.id LIMIT 1), '');
DROP INDEX cases_list;
-- the order of the lists, and all that they are narrowed and counted by
CREATE INDEX cases_next ON cases (priority > 0, due_at, id, status, brand, severity, assignee_id)
    WHERE resolved_at IS NULL;
CREATE INDEX cases_late ON cases (due_at)
    WHERE resolved_at IS NULL AND status <> 'snoozed' AND overdue <> due_at;
CREATE INDEX cases_resolved ON cases (resolved_at DESC, id DESC) WHERE resolved_at IS NOT NULL;
CREATE INDEX cases_changed ON cases (changed_at DESC, id DESC);
CREATE VIRTUAL TABLE case_words USING fts5(headline, author, content='cases', content_rowid='id', tokenize='trigram');
CREATE TRIGGER case_words_add AFTER INSERT ON cases BEGIN
    INSERT INTO case_words (rowid, headline, author) VALUES (new.id, new.headline, new.author); END;
CREATE TRIGGER case_words_change AFTER UPDATE OF headline, author ON cases
    WHEN old.headline <> new.headline OR old.author <> new.author BEGIN
    INSERT INTO case_words (case_words, rowid, headline, author)
        VALUES ('delete', old.id, old.headline, old.author); INSERT INTO case_words (rowid, headline, author)
        VALUES (new.id, new.headline, new.author); END;
INSERT INTO case_words (case_words) VALUES ('rebuild');
CREATE INDEX cases_claimed ON cases (claimed_until) WHERE claimed_until IS NOT NULL;
CREATE INDEX cases_snoozed ON cases (snoozed_until) WHERE snoozed_until IS NOT NULL;
-- for counting only: its condition, which always holds, keeps lists from choosing it and sorting what they find
CREATE INDEX cases_tally ON cases (status, brand, severity, assignee_id) WHERE mentions >= 0;
CREATE INDEX cases_voice ON cases (voice) WHERE voice <> '';
CREATE TABLE notes (                        -- what colleagues tell each other; never public
    id INTEGER PRIMARY KEY,
    case_id INTEGER REFERENCES cases(id),
    customer_id INTEGER REFERENCES customers(id),
    colleague_id INTEGER REFERENCES colleagues(id),
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    gone_at INTEGER                         -- taken back
);
CREATE INDEX notes_case ON notes (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX notes_customer ON notes (customer_id) WHERE customer_id IS NOT NULL;
CREATE TABLE corrections (                  -- what a person said a mention's label is, or that it is not about us
    id INTEGER PRIMARY KEY,
    mention_id INTEGER NOT NULL REFERENCES mentions(id),
    fingerprint TEXT NOT NULL,              -- of the state that was looked at
    label TEXT,                             -- negative, neutral, positive; NULL: not about us
    colleague_id INTEGER REFERENCES colleagues(id),
    at INTEGER NOT NULL,
    was_label TEXT,
    was_score REAL,
    was_confidence REAL,
    was_certainty TEXT,
    was_scorer TEXT,
    gone_at INTEGER                         -- taken back
);
CREATE UNIQUE INDEX corrections_standing ON corrections (mention_id) WHERE gone_at IS NULL;
CREATE INDEX corrections_mention ON corrections (mention_id);
CREATE TABLE customers (                    -- authors that a colleague said are one customer
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    previous_name TEXT,                     -- before the latest renaming, which can be taken back
    version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,                       -- merged into another, or taken apart
    merged_into INTEGER REFERENCES customers(id)
);
CREATE INDEX customers_changed ON customers (changed_at) WHERE ended_at IS NULL;
CREATE TABLE customer_voices (              -- a handle of a customer; linked and unlinked by hand only
    id INTEGER PRIMARY KEY,
    voice TEXT NOT NULL,                    -- source, realm and handle as `cases.voice` has them
    source TEXT NOT NULL,
    realm TEXT NOT NULL,
    handle TEXT NOT NULL,                   -- as its network shows it
    customer_id INTEGER NOT NULL REFERENCES customers(id),
    linked_at INTEGER NOT NULL,
    linked_by INTEGER REFERENCES colleagues(id),
    unlinked_at INTEGER                     -- kept, so that unlinking can be taken back
);
CREATE UNIQUE INDEX customer_voices_standing ON customer_voices (voice) WHERE unlinked_at IS NULL;
CREATE INDEX customer_voices_customer ON customer_voices (customer_id);
-- by these an author's posts are found, and other authors who may be the same customer
CREATE INDEX posts_handle ON posts (handle COLLATE NOCASE, source, realm) WHERE handle <> '';
CREATE INDEX posts_author ON posts (author_name COLLATE NOCASE, source, realm, handle) WHERE author_name <> '';
CREATE INDEX posts_profile ON posts (author_url, source, realm, handle) WHERE author_url IS NOT NULL;
CREATE TABLE calls (                        -- what is known of a post of the kind call beside its words
    post_id INTEGER PRIMARY KEY REFERENCES posts(id),
    brand TEXT NOT NULL,
    way TEXT NOT NULL,                      -- phone, counter, other
    call_back INTEGER NOT NULL,             -- the customer wants to be called back
    colleague_id INTEGER NOT NULL REFERENCES colleagues(id),
    at INTEGER NOT NULL,
    event_id INTEGER NOT NULL UNIQUE REFERENCES events(id), -- by which it can be taken back
    gone_at INTEGER                         -- taken back
);
CREATE INDEX calls_colleague ON calls (colleague_id, post_id);
CREATE TABLE campaigns (                    -- what marketing runs, and what staff must know of it
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    brand TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    terms TEXT NOT NULL,                    -- one a line; none: every case of the brand carries the brief
    promises TEXT NOT NULL,
    known_issues TEXT NOT NULL,
    wording TEXT NOT NULL,                  -- approved
    owner_id INTEGER REFERENCES colleagues(id),
    version INTEGER NOT NULL DEFAULT 1,     -- of the brief; a changed one is to be read again
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    announced_at INTEGER,                   -- when the teams' channels were told
    withdrawn_at INTEGER
);
CREATE INDEX campaigns_ends ON campaigns (ends_at);
CREATE TABLE brief_readings (               -- who read which version of a brief
    campaign_id INTEGER NOT NULL REFERENCES campaigns(id),
    colleague_id INTEGER NOT NULL REFERENCES colleagues(id),
    version INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, colleague_id, version)
) WITHOUT ROWID;
CREATE TABLE views (                        -- a colleague's saved filters of the inbox
    id INTEGER PRIMARY KEY,
    colleague_id INTEGER NOT NULL REFERENCES colleagues(id),
    name TEXT NOT NULL,
    query TEXT NOT NULL,                    -- as it stands in the address
    UNIQUE (colleague_id, name)
);
-- what is told instead of cases
ALTER TABLE notifications ADD COLUMN campaign_id INTEGER REFERENCES campaigns(id);
"""

migrations = Migrations("listener")


@migrations()  # type: ignore[untyped-decorator]
def a_first_schema(db: Database) -> None:
    """Lay the first schema."""
    _run(db, SCHEMA)


@migrations()  # type: ignore[untyped-decorator]
def b_service_inbox(db: Database) -> None:
    """Colleagues, what they do with cases, customers, campaigns."""
    _run(db, INBOX)


def _run(db: Database, script: str) -> None:
    """Run statements, each of which ends where a semicolon ends a line."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
