"""What remedies added to the schema: what customers were given, of which kinds, and how much each role gives alone.

The defaults are those of a small retailer: admins change them on the page /remedies/terms.
"""

REMEDIES = """
CREATE TABLE remedy_kinds (                 -- what may be given; never deleted, since remedies name them
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    usual INTEGER,                          -- cents one usually costs; NULL: that differs too much
    active INTEGER NOT NULL DEFAULT 1
);
INSERT INTO remedy_kinds (name, usual) VALUES
    ('refund', NULL), ('replacement', NULL), ('voucher', 1000), ('apology gift', 1500), ('other', NULL);
CREATE TABLE allowances (                   -- how much a role gives on one case without asking; admins have no limit
    role TEXT NOT NULL,
    severity TEXT NOT NULL,
    cents INTEGER NOT NULL,
    PRIMARY KEY (role, severity)
) WITHOUT ROWID;
INSERT INTO allowances (role, severity, cents) VALUES
    ('agent', 'low', 2000), ('agent', 'normal', 5000), ('agent', 'high', 10000), ('agent', 'crisis', 10000),
    ('lead', 'low', 20000), ('lead', 'normal', 50000), ('lead', 'high', 100000), ('lead', 'crisis', 100000);
CREATE TABLE remedy_currency (              -- one row: what the cents are hundredths of
    id INTEGER PRIMARY KEY CHECK (id = 1),
    code TEXT NOT NULL
);
INSERT INTO remedy_currency (id, code) VALUES (1, 'EUR');
CREATE TABLE remedies (                     -- what a customer was given, or is to be given
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,                      -- of the form, so that sending it twice gives once
    case_id INTEGER NOT NULL REFERENCES cases(id),
    kind_id INTEGER NOT NULL REFERENCES remedy_kinds(id),
    cents INTEGER NOT NULL,
    what TEXT NOT NULL,
    state TEXT NOT NULL,                    -- proposed, promised, done, declined, withdrawn
    given_by INTEGER NOT NULL REFERENCES colleagues(id),
    role TEXT NOT NULL,                     -- theirs, at that time
    severity TEXT NOT NULL,                 -- of the case, at that time
    at INTEGER NOT NULL,
    counted_at INTEGER NOT NULL,            -- when it was promised; until then as `at`
    decided_by INTEGER REFERENCES colleagues(id), -- who approved or declined it
    decided_at INTEGER,
    why TEXT NOT NULL,
    outcome TEXT NOT NULL,
    done_at INTEGER,
    UNIQUE (given_by, key)
);
CREATE INDEX remedies_case ON remedies (case_id);
CREATE INDEX remedies_counted ON remedies (counted_at);
CREATE INDEX remedies_waiting ON remedies (at) WHERE state = 'proposed';
-- by it the remedies of cases that were merged into another are found
CREATE INDEX cases_merged ON cases (merged_into) WHERE merged_into IS NOT NULL;
"""
