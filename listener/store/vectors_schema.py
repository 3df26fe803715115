"""Where vectors of meaning are kept: one for each post in its present state, gone with the post.

Every statement ends where a semicolon ends a line.
"""

VECTORS = """
CREATE TABLE vectors (                      -- what a text means, as a direction that texts of like meaning share
    post_id INTEGER PRIMARY KEY REFERENCES posts(id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,              -- of the state that was read
    scorer TEXT NOT NULL,                   -- vectors of two scorers cannot be compared
    vector BLOB NOT NULL                    -- 384 signed bytes
);
"""
