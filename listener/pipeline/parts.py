"""Which words of a post are read apart for one of its brands, and whose the stars are. Called by `judge.py`."""

from __future__ import annotations

from collections.abc import Sequence

from listener.core.clauses import Reading, readings
from listener.core.mention import Mention, Post
from listener.core.query import Place
from listener.core.rules import Rules


def words_of(post: Post) -> str:
    """What a scorer reads of a post: its title, unless the text begins with it, and its text."""
    if not post.title or post.text.startswith(post.title.rstrip("…")):
        return post.text
    return f"{post.title}\n{post.text}"


def own_words(mentions: Sequence[Mention], rules: Rules) -> dict[int, Reading]:
    """What to read for each mention of a post that names several brands, by mention id.

    Which brands those are is asked of the queries now in force, not of the batch, so that it makes no difference in
    which order mentions are judged.
    """
    found = {}
    known = rules.matchbook.brands | {place.brand for place in rules.places.values() if place.brand}
    for mention in mentions:
        if known <= {mention.brand}:
            continue  # No other brand is listened for, so none need be looked for again.
        brands = _brands(mention, rules)
        if len(brands) > 1:
            reading = readings(words_of(mention.post), brands).get(mention.brand)
            if reading is not None:
                found[mention.id] = reading
    return found


def stars_for(mention: Mention, reading: Reading | None, rules: Rules) -> float | None:
    """The post's stars, if they are meant for the mention's brand.

    Of several brands they are the one's that the place is about, else the one's that is named first.
    """
    if reading is None or mention.post.rating is None:
        return mention.post.rating
    place = rules.places.get(mention.place)
    if place is not None and place.brand is not None:
        return mention.post.rating if place.brand == mention.brand else None
    text = words_of(mention.post).casefold()
    first = {
        brand: min((at for word in words if (at := text.find(word.casefold())) >= 0), default=len(text))
        for brand, words in _brands(mention, rules).items()
    }
    return mention.post.rating if first[mention.brand] == min(first.values()) else None


def _brands(mention: Mention, rules: Rules) -> dict[str, Sequence[str]]:
    """The brands that the post is about, each with the words that mean it there."""
    place = rules.places.get(mention.place) or Place(name=mention.place, source=mention.post.source)
    matches = rules.matchbook.mentions(mention.post, place)
    return {**{match.brand: match.words for match in matches}, mention.brand: mention.words}
