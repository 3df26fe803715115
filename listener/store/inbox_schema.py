"""What the service inbox added to the schema: colleagues, their work with cases, customers, campaigns, calls.

Every statement ends where a semicolon ends a line; the triggers keep theirs within.
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
    SELECT p.source || char(31) || p.realm || char(31) || casefold(p.handle) FROM case_mentions j
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
