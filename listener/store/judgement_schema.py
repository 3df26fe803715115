"""What judgement that people can trust added to the schema: the lane of unsure mentions, the weights of words.

Every statement ends where a semicolon ends a line.
"""

UNSURE = """
-- the lane: newest first, of all brands or of one; the pages count it on every look
CREATE INDEX mentions_unsure ON mentions (id DESC, brand, certainty) WHERE certainty = 'unsure';
"""

WORD_WEIGHTS = """
CREATE TABLE word_weights (                 -- which words of a post carried its verdict; gone with the post
    post_id INTEGER PRIMARY KEY REFERENCES posts(id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,              -- of the state that was read
    scorer TEXT NOT NULL,                   -- who was asked
    label TEXT NOT NULL,
    probability REAL NOT NULL,
    weights TEXT NOT NULL                   -- JSON: the mention, where words begin and end, what they weigh
);
"""

RESCORES = """
CREATE TABLE rescores (                     -- judging again what was judged before; one at a time is not finished
    id INTEGER PRIMARY KEY,
    scorer TEXT NOT NULL,                   -- who judges
    brand TEXT,
    since INTEGER,
    until INTEGER,
    changed_only INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    finished_at INTEGER,
    whole INTEGER NOT NULL,                 -- mentions when it began
    done INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,       -- of the next portion, counted before it begins
    reached INTEGER NOT NULL DEFAULT 0,     -- changed in the transaction that changes the mentions
    last INTEGER NOT NULL
);
CREATE UNIQUE INDEX rescores_unfinished ON rescores (finished_at IS NULL) WHERE finished_at IS NULL;
CREATE TABLE rescore_shifts (               -- what a rescore changed: how many went from one state to another
    rescore_id INTEGER NOT NULL REFERENCES rescores(id),
    brand TEXT NOT NULL,
    was TEXT NOT NULL,                      -- a label, or unsure
    became TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (rescore_id, brand, was, became)
) WITHOUT ROWID;
"""
