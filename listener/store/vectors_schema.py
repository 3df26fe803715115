"""Where vectors of meaning are kept: one for each post in its present state, gone with the post.

Every statement ends where a semicolon ends a line.
"""

VECTORS = """
CREATE TABLE vectors (                      -- what a text means, as a direction that texts of like meaning share
    post_id INTEGER PRIMARY KEY REFERENCES posts(id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,              -- of the state that was read
    scorer TEXT NOT NULL,                   -- who read it
    vector BLOB NOT NULL                    -- 384 signed bytes
);
"""

SPACES = """
ALTER TABLE vectors ADD COLUMN space TEXT NOT NULL DEFAULT '';
UPDATE vectors SET space = scorer WHERE scorer NOT LIKE 'bundled-%';
UPDATE vectors SET space = coalesce((
    SELECT CASE
        WHEN instr(v.scorer, '+') = 0 THEN substr(v.scorer, 9)
        WHEN v.language = 'en' THEN substr(v.scorer, 9, instr(v.scorer, '+') - 9)
        WHEN v.language <> 'unknown' THEN substr(v.scorer, instr(v.scorer, '+') + 1)
    END FROM verdicts v
    WHERE v.post_id = vectors.post_id AND v.fingerprint = vectors.fingerprint AND v.scorer = vectors.scorer
), '') WHERE scorer LIKE 'bundled-%';
ALTER TABLE brand_heads ADD COLUMN spaces TEXT NOT NULL DEFAULT '[]';
UPDATE brand_heads SET spaces = json_array(scorer);
"""
"""Vectors can be compared within a space only. Before they were told, the bundled scorer's lay in that of its English
weights or of the others, by the text's language; where that was not told, the space stays empty and the text is read
anew when it is next judged. Heads that the bundled scorer's mixed vectors made fit none of its spaces any more."""
