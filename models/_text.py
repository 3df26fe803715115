"""What a text looks like before it is read: masked names and links, spoken emoji, no escapes, no end.

Called by `models._bundle`, `models.bundled` and `models.training.data`, so that the model reads posts in the form it
was trained on.
"""

import html
import re

HEAD, TAIL = 5000, 3000
"""Characters read of a longer text: its beginning and its end, where reviews say what they came to say."""

_NAME = re.compile(r"(?<![\w@])@\w{1,64}")
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s\"'<>]+", re.IGNORECASE)
_UNSPEAKABLE = re.compile(r"[\0\ud800-\udfff]")
_UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\U0001f3fb-\U0001f3ff]")

# The rows that the weights were trained on have no emoji, and the tokenizer knows none. Those of one plain mood are
# read as a word of that mood; those that people use both ways (crying of laughter, fire, praying hands) stay unread.
_MOODS = {
    "angry": "😠😡🤬👿🖕",
    "annoyed": "😒🙄😤😑",
    "sad": "☹🙁😞😔😢🥺😿",
    "worried": "😟😰😨😧",
    "shocked": "😱",
    "ugh": "😩😫🤦",
    "disgusting": "🤢🤮",
    "broken heart": "💔",
    "bad": "👎",
    "happy": "☺🙂😀😃😄😁😊😇🤗",
    "love": "❤♥😍🥰😘💕💖💗💘💙💚💛💜🧡🤍😻",
    "lol": "😂🤣😆",
    "cool": "😎👌",
    "thumbs up": "👍",
    "applause": "👏🙌",
    "celebrate": "🎉🎊🥳",
}
_WORD_OF = {emoji: word for word, group in _MOODS.items() for emoji in group}
_EMOJI = re.compile(f"([{''.join(_WORD_OF)}])(?:\\s*\\1)*")


def cut(text: str) -> str:
    """Return the text, or the first 5,000 and the last 3,000 characters of one longer than 8,000."""
    if len(text) <= HEAD + TAIL:
        return text
    return f"{text[:HEAD]}\n{text[-TAIL:]}"


def clean(text: str) -> str:
    """Decode HTML escapes; make lone surrogates and NULs spaces; drop invisible marks."""
    if "&" in text:
        text = html.unescape(text)
    return _UNSEEN.sub("", _UNSPEAKABLE.sub(" ", text))


def hide(text: str) -> str:
    """Replace user names by `@user` and links by `http`, as in most models of tweets."""
    return _NAME.sub("@user", _LINK.sub("http", text))


def plain(text: str) -> str:
    """Return the text, clean, with names and links hidden; for a model that knows emoji."""
    return hide(clean(text))


def mask(text: str) -> str:
    """Give a text the form of the SemEval rows that the bundled model was trained on.

    Args:
        text: any text.

    Returns:
        The text, clean, with names and links hidden and emoji of a plain mood as a word; the same emoji several
        times in a row is one word.
    """
    return hide(_EMOJI.sub(lambda found: f" {_WORD_OF[found[1]]} ", clean(text)))
