"""What the public reply added to the schema: answers, how their words changed hands, and the stop of all posting."""

PUBLIC_REPLY = """
CREATE TABLE replies (                      -- answers to customers, from the draft on
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    case_id INTEGER NOT NULL REFERENCES cases(id),
    mention_id INTEGER NOT NULL REFERENCES mentions(id), -- the words it answers
    place TEXT NOT NULL,                    -- through which it is posted
    source TEXT NOT NULL,                   -- with realm and external_id: what the answer is known by once it stands
    realm TEXT NOT NULL,
    text TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL,
    heard INTEGER NOT NULL,                 -- the newest words of the customer that its writer knew
    author_id INTEGER NOT NULL REFERENCES colleagues(id),
    writer_id INTEGER NOT NULL REFERENCES colleagues(id),
    sent_by INTEGER REFERENCES colleagues(id), -- who sent it to review
    asked_of INTEGER REFERENCES colleagues(id), -- the marketer it is with
    asked_until INTEGER,
    question TEXT NOT NULL DEFAULT '',
    approved_text TEXT,                     -- the very words that were approved
    approved_digest TEXT,
    approved_who TEXT,
    approved_by INTEGER REFERENCES colleagues(id),
    approved_at INTEGER,
    key TEXT NOT NULL DEFAULT '',           -- names it to the other side in every try
    due_at INTEGER,                         -- when it is posted, or looked for
    tries INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '',
    external_id TEXT NOT NULL DEFAULT '',
    url TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    posted_at INTEGER
);
CREATE UNIQUE INDEX replies_live ON replies (case_id) WHERE state NOT IN ('posted', 'by hand', 'discarded');
CREATE UNIQUE INDEX replies_key ON replies (key) WHERE key <> '';
CREATE INDEX replies_case ON replies (case_id, id);
CREATE INDEX replies_mention ON replies (mention_id);
CREATE INDEX replies_state ON replies (state, changed_at);
CREATE INDEX replies_due ON replies (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX replies_asked ON replies (asked_until) WHERE asked_until IS NOT NULL;
CREATE INDEX replies_stands ON replies (source, realm, external_id) WHERE external_id <> '';
CREATE TABLE reply_wordings (               -- the words as each colleague left them
    id INTEGER PRIMARY KEY,
    reply_id INTEGER NOT NULL REFERENCES replies(id),
    colleague_id INTEGER NOT NULL REFERENCES colleagues(id),
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,                    -- of the reply while they wrote
    text TEXT NOT NULL
);
CREATE INDEX reply_wordings_reply ON reply_wordings (reply_id, id);
CREATE TABLE posting_stops (                -- while one stands, nothing is posted
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    ended_at INTEGER
);
CREATE UNIQUE INDEX posting_stops_standing ON posting_stops (ended_at IS NULL) WHERE ended_at IS NULL;
DROP INDEX cases_late;
CREATE INDEX cases_late ON cases (due_at)
    WHERE resolved_at IS NULL AND status NOT IN ('snoozed', 'waiting') AND overdue <> due_at;
"""
