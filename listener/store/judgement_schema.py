"""What judgement that people can trust added to the schema: the lane of unsure mentions.

Every statement ends where a semicolon ends a line.
"""

UNSURE = """
-- the lane: newest first, of all brands or of one; the pages count it on every look
CREATE INDEX mentions_unsure ON mentions (id DESC, brand, certainty) WHERE certainty = 'unsure';
"""
