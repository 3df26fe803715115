"""What people speak of: the topics that mentions touch, and their rollup.

Every statement ends where a semicolon ends a line.
"""

TOPICS = """
CREATE TABLE mention_topics (               -- a topic that a mention touches
    mention_id INTEGER NOT NULL REFERENCES mentions(id) ON DELETE CASCADE,
    topic TEXT NOT NULL,                    -- its name in the configuration that judged
    label TEXT NOT NULL,                    -- the mood of the parts that touch it
    certainty TEXT NOT NULL,
    nearness REAL NOT NULL,                 -- 0..1
    phrase TEXT NOT NULL,                   -- the operator's words that are nearest
    own INTEGER NOT NULL,                   -- 0: the mood is the mention's own, and follows it
    PRIMARY KEY (mention_id, topic)
) WITHOUT ROWID;
CREATE INDEX mention_topics_topic ON mention_topics (topic, mention_id DESC);
CREATE TABLE topic_moods (                  -- rollup: changed in the transaction that changes a mention
    hour INTEGER NOT NULL,
    brand TEXT NOT NULL,
    topic TEXT NOT NULL,
    label TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (hour, brand, topic, label)
) WITHOUT ROWID;
"""
