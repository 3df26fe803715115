"""Where brands' heads are kept, each version for good.

Every statement ends where a semicolon ends a line.
"""

BRAND_HEADS = """
CREATE TABLE brand_heads (                  -- what colleagues' corrections taught about one brand
    brand TEXT NOT NULL,
    version INTEGER NOT NULL,               -- 1, 2, 3 ... within the brand
    name TEXT NOT NULL,                     -- as sentiments name who judged
    scorer TEXT NOT NULL,                   -- whose probabilities it moves; with another scorer it is not used
    weights BLOB NOT NULL,                  -- little-endian float32, see listener/fitting.py
    thresholds TEXT NOT NULL,               -- JSON: by language and label
    figures TEXT NOT NULL,                  -- JSON: how good it was when it was made
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    standing INTEGER NOT NULL,              -- 1: it moves what is judged now
    PRIMARY KEY (brand, version)
) WITHOUT ROWID;
CREATE UNIQUE INDEX brand_heads_standing ON brand_heads (brand) WHERE standing = 1;
"""
