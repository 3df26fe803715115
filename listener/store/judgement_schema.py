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
    weights TEXT NOT NULL                   -- JSON: where words begin and end, and what they weigh; no word itself
);
"""
