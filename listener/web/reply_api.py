"""Answers as JSON: the acts of the pages, for programs, and for the composer's own script, which keeps drafts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Query
from starlette.exceptions import HTTPException

from listener.core.event import Actor
from listener.core.reply import Reply, ReplyState
from listener.web.api import handles
from listener.web.auth import MayAdvise, MayApprove, MayRead, MayReply
from listener.web.case_acts import colleague_of
from listener.web.desk import Desk
from listener.web.reply_json import (
    ApproveJson,
    BeginJson,
    ByHandJson,
    DraftJson,
    PostingJson,
    QuestionJson,
    ReasonJson,
    RepliesJson,
    ReplyJson,
    ReplyWholeJson,
    StopJson,
    SubmitJson,
    WordingJson,
    reply_json,
)
from listener.web.snooze import in_utc

BASE = "/api/v1/replies"
ONE = BASE + "/{public_id}"
WAITING: tuple[ReplyState, ...] = ("draft", "asked", "in review", "approved", "cleared", "posting", "unknown", "failed")


def add_reply_api(web: FastAPI, desk: Desk) -> None:
    """Serve `/api/v1/replies`, `/api/v1/posting` and what is below them, and the answers of a case."""
    _add_reading(web, desk)
    _add_writing(web, desk)
    _add_review(web, desk)
    _add_outcome(web, desk)
    _add_posting(web, desk)


def _add_reading(web: FastAPI, desk: Desk) -> None:
    @web.get(BASE)
    def list_replies(
        by: MayRead, state: ReplyState | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 50
    ) -> RepliesJson:
        named = handles(desk)
        found = desk.store.replies.in_states((state,) if state else WAITING, limit)
        return RepliesJson(replies=[reply_json(desk, each, named) for each in found])

    @web.get(ONE)
    def show_reply(by: MayRead, public_id: str) -> ReplyWholeJson:
        reply = _found(desk, public_id)
        words = desk.store.replies.wordings(reply.id)
        return ReplyWholeJson(
            reply=reply_json(desk, reply, handles(desk)),
            wordings=[WordingJson(who=each.who, at=each.at, state=each.state, text=each.text) for each in words],
        )

    @web.get("/api/v1/cases/{public_id}/replies")
    def list_case_replies(by: MayRead, public_id: str) -> RepliesJson:
        case, named = desk.store.cases.find(public_id), handles(desk)
        if case is None:
            raise HTTPException(404)
        return RepliesJson(replies=[reply_json(desk, each, named) for each in desk.store.replies.of_case(case.id)])


def _add_writing(web: FastAPI, desk: Desk) -> None:
    replies = desk.replies

    @web.post("/api/v1/cases/{public_id}/replies", status_code=201)
    def begin_reply(by: MayReply, public_id: str, body: BeginJson) -> ReplyJson:
        if desk.store.cases.find(public_id) is None:
            raise HTTPException(404)
        mention = None if body.mention is None else min(max(body.mention, 0), 2**53)
        return reply_json(desk, replies.begin(public_id, by, mention), handles(desk))

    @web.put(ONE)
    def save_reply(by: MayRead, public_id: str, body: DraftJson) -> ReplyJson:
        heard = in_utc(body.heard) if body.heard else None
        return _did(desk, public_id, lambda: replies.save(public_id, by, body.text, version=body.version, heard=heard))

    @web.post(ONE + "/ask")
    def ask_marketing(by: MayReply, public_id: str, body: QuestionJson) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.ask(public_id, by, colleague_of(desk, body.of), body.question))

    @web.post(ONE + "/hand-back")
    def hand_back(by: MayAdvise, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.hand_back(public_id, by))

    @web.post(ONE + "/fetch")
    def fetch(by: MayReply, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.hand_back(public_id, by))

    @web.post(ONE + "/discard")
    def discard(by: MayReply, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.discard(public_id, by))

    @web.post(ONE + "/restore")
    def restore(by: MayReply, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.restore(public_id, by))


def _add_review(web: FastAPI, desk: Desk) -> None:
    replies = desk.replies

    def approve_as(by: Actor, public_id: str, body: ApproveJson) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.approve(public_id, by, body.digest, heard=in_utc(body.heard)))

    @web.post(ONE + "/submit")
    def submit(by: MayReply, public_id: str, body: SubmitJson) -> ReplyJson:
        heard = in_utc(body.heard)
        return _did(desk, public_id, lambda: replies.submit(public_id, by, version=body.version, heard=heard))

    @web.post(ONE + "/recall")
    def recall(by: MayReply, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.recall(public_id, by))

    @web.post(ONE + "/send")
    def send(by: MayReply, public_id: str, body: ApproveJson) -> ReplyJson:
        return approve_as(by, public_id, body)

    @web.post(ONE + "/approve")
    def approve(by: MayApprove, public_id: str, body: ApproveJson) -> ReplyJson:
        return approve_as(by, public_id, body)

    @web.post(ONE + "/clear")
    def clear(by: MayApprove, public_id: str, body: ApproveJson) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.clear(public_id, by, body.digest, heard=in_utc(body.heard)))

    @web.post(ONE + "/send-back")
    def send_back(by: MayApprove, public_id: str, body: ReasonJson) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.send_back(public_id, by, body.why))


def _add_outcome(web: FastAPI, desk: Desk) -> None:
    replies = desk.replies

    @web.post(ONE + "/withdraw")
    def withdraw(by: MayReply, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.withdraw(public_id, by))

    @web.post(ONE + "/again")
    def again(by: MayApprove, public_id: str) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.again(public_id, by))

    @web.post(ONE + "/by-hand")
    def by_hand(by: MayReply, public_id: str, body: ByHandJson) -> ReplyJson:
        return _did(desk, public_id, lambda: replies.by_hand(public_id, by, body.url))


def _add_posting(web: FastAPI, desk: Desk) -> None:
    def shown() -> PostingJson:
        stop, posting = desk.stops.stopped(), desk.replies.posting
        return PostingJson(
            on=posting.on,
            hold_seconds=posting.hold.total_seconds(),
            stopped=StopJson(who=stop.who, at=stop.at, why=stop.why) if stop else None,
        )

    @web.get("/api/v1/posting")
    def show_posting(by: MayRead) -> PostingJson:
        return shown()

    @web.post("/api/v1/posting/stop")
    def stop_posting(by: MayRead, body: ReasonJson) -> PostingJson:
        desk.stops.stop(by, body.why)
        return shown()

    @web.post("/api/v1/posting/go-on")
    def let_posting_go_on(by: MayApprove) -> PostingJson:
        desk.stops.go_on(by)
        return shown()


def _found(desk: Desk, public_id: str) -> Reply:
    reply = desk.store.replies.find(public_id)
    if reply is None:
        raise HTTPException(404)
    return reply


def _did(desk: Desk, public_id: str, act: Callable[[], Reply]) -> ReplyJson:
    _found(desk, public_id)
    return reply_json(desk, act(), handles(desk))
