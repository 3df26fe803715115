"""Make a stranger's words harmless where staff read them; pure, called by `notifier/render.py` for every field.

Whatever a post says, it must not ping a channel, hide behind a link, open a code block over our own link, start a
second header line or turn the reading direction of what follows.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal
from urllib.parse import quote, urlsplit

Markup = Literal["plain", "chat"]
"""What the reading side does with text: shows it as it is (mail, console, SMS), or reads marks in it (chats)."""

BREAK = "\u2060"
"""Word joiner: invisible, and enough to keep `@here` from being a ping."""
_FSI, _PDI = "\u2068", "\u2069"

# Format characters a reader cannot see: they reorder, hide or carry text. Joiners that scripts and emoji need stay.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_URL_SAFE = "/:?#=&%+,;~$*-._"
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]+\](:\d+)?")

_CHAT = str.maketrans({"<": "‹", ">": "›", "`": "ˋ", "@": f"@{BREAK}", "＠": f"＠{BREAK}"})
_PING = re.compile(r"@(?=(?:here|everyone|channel|all|room|group|online)\b)", re.IGNORECASE)


def one_line(text: str) -> str:
    """Fold text to a single line without controls, invisible format characters or broken characters."""
    return " ".join(_INVISIBLE.sub("", _CONTROLS.sub(" ", text)).split())


def neutral(text: str, markup: Markup) -> str:
    """Text from outside, as one line that can be put into a message.

    Args:
        text: any string whatever.
        markup: how the reading side treats text.

    Returns:
        For chats: no `<...>` (pings, named links), no code fence, no `[name](address)`, no image, no spoiler, and
        an invisible break after each `@`. Everywhere: one line, no ping of everybody, no controls; where it holds
        right-to-left letters it is isolated, so that it cannot reorder our words around it.
    """
    text = one_line(text)
    if markup == "chat":
        text = text.translate(_CHAT).replace("](", "] (").replace("![", "! [").replace("||", "¦¦")
    else:
        text = _PING.sub(f"@{BREAK}", text)
    return f"{_FSI}{text}{_PDI}" if _right_to_left(text) else text


def _right_to_left(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} for letter in text)


def address(url: str | None) -> str:
    """A web address that no markup can hide in; empty for anything that is not http or https."""
    url = one_line(url or "")
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or " " in url:
        return ""
    host = parts.netloc if _IPV6.fullmatch(parts.netloc) else quote(parts.netloc, safe=_URL_SAFE)
    return f"{parts.scheme}://{host}{quote(url.partition('://')[2][len(parts.netloc) :], safe=_URL_SAFE)}"


def shorten(text: str, limit: int) -> str:
    """Cut text to at most `limit` characters, the last of them an ellipsis; never inside one visible character."""
    if len(text) <= limit:
        return text
    end = max(0, limit - 1)
    while end > 0 and _continues(text, end):
        end -= 1
    return text[:end].rstrip() + "…" if limit > 0 else ""


def _continues(text: str, at: int) -> bool:
    """Whether the character at this position belongs to the one before it."""
    here, before = text[at], text[at - 1]
    return unicodedata.combining(here) != 0 or here in "\u200d\ufe0e\ufe0f" or before == "\u200d"
