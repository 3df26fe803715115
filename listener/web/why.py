"""Which words carried a verdict: a page of its own, and its JSON. Worked out when first asked for."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from listener.core.sentiment import Label
from listener.core.trail import Trail
from listener.pipeline.parts import words_of
from listener.web.auth import MayRead
from listener.web.desk import Desk
from listener.web.pages import Pages
from listener.web.unsure import RowId


@dataclass(frozen=True, slots=True, kw_only=True)
class WordJson:
    """Words of the text with what they weigh; `start` and `end` count characters of `text`."""

    words: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyJson:
    """What carried a verdict: how far the label's probability falls without each word, heaviest first.

    Where several words each say it, a weight is how far the probability rises by that one alone. `text` is what the
    scorer reads: the title, where there is one, and the text. Of a post that names several brands, `about` says what
    decided for this one, and `part` whether only the words that speak about it were read.
    """

    mention: int
    text: str
    label: Label
    probability: float
    scorer: str
    about: str
    part: bool
    words: list[WordJson]


def add_why(web: FastAPI, pages: Pages) -> None:
    """Serve `/mentions/{mention}/words` and `/api/v1/mentions/{mention}/words`."""
    desk = pages.desk

    @web.get("/mentions/{mention}/words", include_in_schema=False)
    def words(by: MayRead, mention: RowId) -> HTMLResponse:
        return pages.show("words.html", by=by, trail=_found(desk, mention))

    @web.get("/api/v1/mentions/{mention}/words")
    def why(by: MayRead, mention: RowId) -> WhyJson:
        trail = _found(desk, mention)
        weighing = trail.weighing
        if weighing is None:
            raise HTTPException(409, "it was not judged yet")
        text = words_of(trail.mention.post)
        return WhyJson(
            mention=trail.mention.id,
            text=text,
            label=weighing.label,
            probability=weighing.probability,
            scorer=weighing.scorer,
            about=weighing.why,
            part=weighing.part,
            words=[
                WordJson(words=text[word.start : word.end], start=word.start, end=word.end, weight=word.weight)
                for word in sorted(weighing.words, key=lambda word: -word.weight)
            ],
        )


def _found(desk: Desk, mention: int) -> Trail:
    trail = desk.why.of_mention(mention)
    if trail is None:
        raise HTTPException(404)
    return trail
