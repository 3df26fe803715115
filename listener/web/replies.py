"""Answers on pages: the forms of the composer on a case, and `/replies` with what waits for whom and the stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from listener.core.case import Case
from listener.core.errors import Refused
from listener.core.event import Actor
from listener.core.reply import Reply, digest, reply_text
from listener.web.auth import MayAdvise, MayApprove, MayRead, MayReply
from listener.web.case_acts import Back, after, colleague_of
from listener.web.composer import Typed, composer
from listener.web.filters import read
from listener.web.inbox import Inbox
from listener.web.pages import Pages
from listener.web.reply_board import board
from listener.web.snooze import in_utc

Text = Annotated[str, Form()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a form of the composer brings along.

    Args:
        text: the words in its field.
        version: of the reply that it showed; None for a button that stands alone, without the words.
        read_to: how far the conversation was read, said by a button of its own; None without.
        back: the list's filters.
    """

    text: str
    version: int | None
    read_to: datetime | None
    back: str


def sent(
    text: Text = "", version: Annotated[int | None, Form(ge=0, le=2**53)] = None,
    read_to: Annotated[datetime | None, Form()] = None, back: Back = "",
) -> Sent:  # fmt: skip
    """The form as it was sent."""
    return Sent(text=text, version=version, read_to=in_utc(read_to) if read_to else None, back=back)


Form_ = Annotated[Sent, Depends(sent)]

Do = Callable[[Reply], object]


class _Composing:
    """Does what a form asks: keeps its words first, then acts; what is refused is said beside the words."""

    def __init__(self, inbox: Inbox, pages: Pages) -> None:
        self._inbox = inbox
        self._desk = pages.desk

    def did(self, by: Actor, public_id: str, form: Sent, act: Do | None = None) -> Response:
        """Keep the words, act, and lead back to the case.

        Raises:
            HTTPException: 404, there is no such answer.
        """
        reply = self._desk.store.replies.find(public_id)
        if reply is None:
            raise HTTPException(404)
        case, replies = self._desk.store.cases.get(reply.case), self._desk.replies
        typed = None if form.version is None else Typed(text=form.text, version=form.version)
        try:
            if typed is not None:
                reply = replies.save(public_id, by, typed.text, version=typed.version, heard=form.read_to)
                typed = None
            if act is not None:
                act(reply)
        except Refused as refusal:
            return self.refused(by, form.back, case, refusal, typed)
        return self.back(form.back, case)

    def begun(self, by: Actor, public_id: str, mention: int | None, back: str) -> Response:
        """Begin an answer to a case, and lead back to it."""
        case = self._desk.store.cases.find(public_id)
        if case is None:
            raise HTTPException(404)
        try:
            self._desk.replies.begin(public_id, by, mention)
        except Refused as refusal:
            return self.refused(by, back, case, refusal, None)
        return self.back(back, case)

    def refused(self, by: Actor, back: str, case: Case, refusal: Refused, typed: Typed | None) -> Response:
        """The case's page, with why not and whatever was typed."""
        case = self._desk.store.cases.get(case.id)
        shown = composer(self._desk, case, by, typed, refusal.message)
        said = "" if shown.reply else refusal.message
        return self._inbox.show(by, read(back), case, refusal=said, status=409, instead={"composer": shown})

    def back(self, back: str, case: Case) -> Response:
        """Back to the case."""
        return RedirectResponse(f"{after(read(back), case.public_id)}#reply", 303)


def add_replies(web: FastAPI, inbox: Inbox, pages: Pages) -> None:
    """Serve `/replies`, what is below it, and `/cases/{id}/reply`."""
    forms = _Composing(inbox, pages)
    _add_board(web, pages)
    _add_writing(web, forms, pages)
    _add_advice(web, forms, pages)
    _add_review(web, forms, pages)
    _add_outcome(web, forms, pages)


def _add_board(web: FastAPI, pages: Pages) -> None:
    stops = pages.desk.stops

    def show(by: Actor, problem: Refused | None = None) -> HTMLResponse:
        shown = {"board": board(pages.desk, by)}
        if problem is not None:
            return pages.again("replies.html", problem, by=by, **shown)
        return pages.show("replies.html", by=by, error="", **shown)

    @web.get("/replies", include_in_schema=False)
    def replies(by: MayRead) -> HTMLResponse:
        return show(by)

    @web.post("/replies/stop", include_in_schema=False, response_model=None)
    def stop(by: MayRead, why: Text = "") -> Response:
        try:
            stops.stop(by, why)
        except Refused as refusal:
            return show(by, refusal)
        return RedirectResponse("/replies", 303)

    @web.post("/replies/go-on", include_in_schema=False, response_model=None)
    def go_on(by: MayApprove) -> Response:
        try:
            stops.go_on(by)
        except Refused as refusal:
            return show(by, refusal)
        return RedirectResponse("/replies", 303)


def _add_writing(web: FastAPI, forms: _Composing, pages: Pages) -> None:
    replies = pages.desk.replies

    @web.post("/cases/{public_id}/reply", include_in_schema=False, response_model=None)
    def begin(
        by: MayReply, public_id: str, mention: Annotated[int | None, Form(ge=0, le=2**53)] = None, back: Back = ""
    ) -> Response:
        return forms.begun(by, public_id, mention, back)

    @web.post("/replies/{public_id}/save", include_in_schema=False, response_model=None)
    def save(by: MayRead, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form)

    @web.post("/replies/{public_id}/discard", include_in_schema=False, response_model=None)
    def discard(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.discard(reply.public_id, by))

    @web.post("/replies/{public_id}/restore", include_in_schema=False, response_model=None)
    def restore(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.restore(reply.public_id, by))


def _add_advice(web: FastAPI, forms: _Composing, pages: Pages) -> None:
    desk, replies = pages.desk, pages.desk.replies

    @web.post("/replies/{public_id}/ask", include_in_schema=False, response_model=None)
    def ask(by: MayReply, public_id: str, form: Form_, of: Text = "", question: Text = "") -> Response:
        return forms.did(
            by, public_id, form, lambda reply: replies.ask(reply.public_id, by, colleague_of(desk, of), question)
        )

    @web.post("/replies/{public_id}/hand-back", include_in_schema=False, response_model=None)
    def hand_back(by: MayAdvise, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.hand_back(reply.public_id, by))

    @web.post("/replies/{public_id}/fetch", include_in_schema=False, response_model=None)
    def fetch(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.hand_back(reply.public_id, by))


def _add_review(web: FastAPI, forms: _Composing, pages: Pages) -> None:
    replies = pages.desk.replies

    def approval(by: Actor, form: Sent) -> Do:
        """Approve the words that the form showed, or those that were typed into it: the same the reply now has."""
        return lambda reply: replies.approve(reply.public_id, by, digest(reply_text(form.text)), heard=reply.heard)

    @web.post("/replies/{public_id}/submit", include_in_schema=False, response_model=None)
    def submit(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(
            by, public_id, form,
            lambda reply: replies.submit(reply.public_id, by, version=reply.version, heard=reply.heard),
        )  # fmt: skip

    @web.post("/replies/{public_id}/send", include_in_schema=False, response_model=None)
    def send(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, approval(by, form))

    @web.post("/replies/{public_id}/approve", include_in_schema=False, response_model=None)
    def approve(by: MayApprove, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, approval(by, form))

    @web.post("/replies/{public_id}/clear", include_in_schema=False, response_model=None)
    def clear(by: MayApprove, public_id: str, form: Form_) -> Response:
        words = digest(reply_text(form.text))
        return forms.did(
            by, public_id, form, lambda reply: replies.clear(reply.public_id, by, words, heard=reply.heard)
        )

    @web.post("/replies/{public_id}/send-back", include_in_schema=False, response_model=None)
    def send_back(by: MayApprove, public_id: str, form: Form_, why: Text = "") -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.send_back(reply.public_id, by, why))

    @web.post("/replies/{public_id}/recall", include_in_schema=False, response_model=None)
    def recall(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.recall(reply.public_id, by))


def _add_outcome(web: FastAPI, forms: _Composing, pages: Pages) -> None:
    replies = pages.desk.replies

    @web.post("/replies/{public_id}/withdraw", include_in_schema=False, response_model=None)
    def withdraw(by: MayReply, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.withdraw(reply.public_id, by))

    @web.post("/replies/{public_id}/again", include_in_schema=False, response_model=None)
    def again(by: MayApprove, public_id: str, form: Form_) -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.again(reply.public_id, by))

    @web.post("/replies/{public_id}/by-hand", include_in_schema=False, response_model=None)
    def by_hand(by: MayReply, public_id: str, form: Form_, url: Text = "") -> Response:
        return forms.did(by, public_id, form, lambda reply: replies.by_hand(reply.public_id, by, url))
