"""What may become of a reply: every act in every state, by tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest

from listener.core import replying
from listener.core.colleague import Colleague, Role
from listener.core.errors import Refused
from listener.core.reply import LONGEST_REPLY, Approval, Posted, Reply, ReplyState, digest
from listener.core.replying import LOOKS, NEWS, STALE, Alone, Posting
from listener.core.route import SEVERITIES, Severity
from listener.testing import START

POSTING = Posting(on=True)
LATER = START + timedelta(minutes=5)
STATES: tuple[ReplyState, ...] = get_args(ReplyState)


def who(role: Role, row: int = 0) -> Colleague:
    """A colleague of a role."""
    number = row or {"viewer": 1, "marketer": 2, "agent": 3, "lead": 4, "admin": 5}[role]
    return Colleague(
        id=number, handle=f"h{number}", name=f"N{number}", role=role, on_duty=True, shortcuts=True, created_at=START
    )


AGENT, MARKETER, LEAD, VIEWER = who("agent"), who("marketer"), who("lead"), who("viewer")


def reply(state: ReplyState = "draft", **fields: object) -> Reply:
    """An answer in a state, as it gets there."""
    text = "Sorry, Kim."
    plain = Reply(
        id=1, public_id="r", case=1, mention=1, place="forum", severity="normal", text=text, version=7, state=state,
        heard=START, author=3, writer=3, created_at=START, changed_at=START,
    )  # fmt: skip
    if state == "asked":
        plain = replace(plain, asked_of=MARKETER.id, asked_until=LATER)
    if state == "in review":
        plain = replace(plain, sent_by=AGENT.id)
    if state in {"approved", "cleared", "posting", "posted", "unknown"}:
        approval = Approval(text=text, digest=digest(text), who="N4", colleague=4, at=START)
        plain = replace(plain, approval=approval)
        plain = plain if state == "cleared" else replace(plain, key="k", due_at=START)
    return replace(plain, **fields)  # type: ignore[arg-type]


def approve(one: Reply, by: Colleague, **other: object) -> Reply:
    """Approve the words that are there."""
    said = {"read": digest(one.text), "key": "new", "newest": START, "posting": POSTING, **other}
    read, key, posting, newest = said["read"], said["key"], said["posting"], said["newest"]
    return replying.approved(one, read, key, by, LATER, posting, newest=newest)  # type: ignore[arg-type]


def clear(one: Reply, by: Colleague, read: str = "", newest: datetime = START) -> Reply:
    """Approve the words that are there, to be given by hand."""
    return replying.cleared(one, read or digest(one.text), by, LATER, POSTING, newest=newest)


ACTS: dict[str, tuple[Callable[[Reply], Reply], set[ReplyState]]] = {
    "write": (lambda one: replying.rewritten(one, "x", LEAD, LATER, version=7), {"draft", "in review", "failed"}),
    "ask": (lambda one: replying.asked(one, MARKETER, "?", AGENT, LATER, POSTING), {"draft"}),
    "hand back": (lambda one: replying.handed_back(one, MARKETER, LATER), {"asked"}),
    "time is up": (lambda one: replying.handed_back(one, None, LATER), {"asked"}),
    "submit": (lambda one: replying.submitted(one, AGENT, LATER, version=7, newest=START), {"draft"}),
    "send back": (lambda one: replying.sent_back(one, "no", LEAD, LATER), {"in review"}),
    "recall": (lambda one: replying.recalled(one, AGENT, LATER), {"in review"}),
    "approve": (lambda one: approve(one, LEAD), {"draft", "in review"}),
    "clear": (lambda one: clear(one, LEAD), {"in review"}),
    "withdraw": (lambda one: replying.withdrawn(one, AGENT, LATER), {"approved", "cleared"}),
    "hand over": (lambda one: replying.posting(one, LATER), {"approved"}),
    "stands": (lambda one: replying.stands(one, Posted(external_id="9"), LATER), {"posting", "unknown"}),
    "unclear": (lambda one: replying.unclear(one, "hm", LATER), {"posting", "unknown"}),
    "put off": (lambda one: replying.put_off(one, LATER, "busy", LATER), {"posting"}),
    "refused": (lambda one: replying.refused(one, "no", LATER), {"posting"}),
    "again": (lambda one: replying.again(one, LEAD, LATER, POSTING), {"unknown"}),
    "by hand": (
        lambda one: replying.by_hand(one, "", LEAD, LATER, POSTING),
        {"draft", "in review", "cleared", "failed", "unknown"},
    ),
    "discard": (lambda one: replying.discarded(one, AGENT, LATER), {"draft", "asked", "in review", "failed"}),
    "restore": (lambda one: replying.restored(one, AGENT, LATER), {"discarded"}),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", ACTS)
def test_each_act_is_done_in_its_states_and_refused_in_words_in_all_others(act: str, state: ReplyState) -> None:
    attempt, allowed = ACTS[act]
    one = reply(state)
    if state in allowed:
        assert attempt(one) != one
        return
    with pytest.raises(Refused) as refusal:
        attempt(one)
    assert len(refusal.value.message) > 10


def test_only_an_approval_leads_to_posting() -> None:
    leads = {
        act for act, (attempt, allowed) in ACTS.items() for state in allowed if attempt(reply(state)).state == "posting"
    }
    assert leads == {"hand over"}
    waits = {
        act
        for act, (attempt, allowed) in ACTS.items()
        for state in allowed
        if attempt(reply(state)).state == "approved"
    }
    assert waits == {"approve", "again", "put off"}


@pytest.mark.parametrize("most", get_args(Alone))
@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("role", get_args(Role))
def test_who_sends_alone_depends_on_role_and_severity(role: Role, severity: Severity, most: Alone) -> None:
    posting = replace(POSTING, alone={role: most})
    order = ("none", "low", "normal", "high", "crisis")
    may = role in {"agent", "lead", "admin"} and order.index(severity) <= order.index(most)
    assert replying.alone(who(role), severity, posting) == may
    draft = reply(severity=severity)
    if may:
        assert approve(draft, who(role), posting=posting).state == "approved"
    else:
        with pytest.raises(Refused, match=r"review|may not"):
            approve(draft, who(role), posting=posting)


def test_an_answer_in_review_takes_another_pair_of_eyes_with_the_right() -> None:
    one = reply("in review", severity="crisis", sent_by=LEAD.id)
    with pytest.raises(Refused, match="another pair of eyes"):
        approve(one, LEAD)
    assert approve(one, who("lead", 9)).state == "approved"
    assert approve(one, who("admin")).state == "approved"
    for role in ("agent", "marketer", "viewer"):
        with pytest.raises(Refused, match="may not do that"):
            approve(one, who(role))  # type: ignore[arg-type]


def test_an_approval_is_for_the_very_words_that_were_read() -> None:
    with pytest.raises(Refused, match="somebody changed the draft"):
        approve(reply(), AGENT, read=digest("other words"))
    done = approve(reply(), AGENT)
    assert done.approval is not None
    assert (done.approval.digest, done.approval.text, done.key) == (digest("Sorry, Kim."), "Sorry, Kim.", "new")
    assert done.due_at == LATER + POSTING.hold
    with pytest.raises(Refused, match="other words"):
        replying.posting(replace(done, text="smuggled"), LATER)
    with pytest.raises(Refused, match="other words"):
        replying.posting(replace(done, approval=None), LATER)


@pytest.mark.parametrize("state", ["draft", "in review"])
def test_nothing_is_approved_while_posting_is_switched_off(state: ReplyState) -> None:
    with pytest.raises(Refused, match=r"\[replies\] post = true"):
        approve(reply(state), who("admin"), posting=replace(POSTING, on=False))


def test_words_that_nobody_has_read_hold_an_answer_up() -> None:
    with pytest.raises(Refused, match=NEWS):
        approve(reply(), AGENT, newest=LATER)
    with pytest.raises(Refused, match=NEWS):
        replying.submitted(reply(), AGENT, LATER, version=7, newest=LATER)
    assert approve(reply(heard=LATER), AGENT, newest=LATER).state == "approved"


@pytest.mark.parametrize("act", ["write", "submit"])
def test_an_older_page_changes_nothing(act: str) -> None:
    one = reply(version=8)
    with pytest.raises(Refused, match=STALE):
        ACTS[act][0](one)


@pytest.mark.parametrize(
    ("state", "may"),
    [("draft", {"agent", "lead", "admin"}), ("asked", {"marketer"}), ("in review", {"lead", "admin"}),
     ("failed", {"agent", "lead", "admin"})],
)  # fmt: skip
def test_who_may_write_depends_on_with_whom_it_is(state: ReplyState, may: set[str]) -> None:
    for role in get_args(Role):
        if role in may:
            assert replying.rewritten(reply(state), "new", who(role), LATER, version=7).text == "new"
        else:
            with pytest.raises(Refused):
                replying.rewritten(reply(state), "new", who(role), LATER, version=7)
    with pytest.raises(Refused, match="another colleague in marketing"):
        replying.rewritten(reply("asked"), "new", who("marketer", 99), LATER, version=7)


def test_other_words_take_the_approval_away_and_make_a_refused_answer_a_draft_again() -> None:
    changed = replying.rewritten(reply("failed", why="422", key="k"), "shorter", AGENT, LATER, version=7)
    assert (changed.state, changed.why, changed.key, changed.approval) == ("draft", "", "", None)
    with pytest.raises(Refused, match="at most 20,000"):
        replying.rewritten(reply(), "x" * (LONGEST_REPLY + 1), AGENT, LATER, version=7)


def test_marketing_has_a_clock_and_only_who_can_advise_is_asked() -> None:
    one = replying.asked(reply(), MARKETER, "too long?", AGENT, LATER, POSTING)
    assert (one.state, one.asked_of, one.asked_until) == ("asked", MARKETER.id, LATER + POSTING.ask_within)
    with pytest.raises(Refused, match="cannot advise"):
        replying.asked(reply(), who("agent", 9), "", AGENT, LATER, POSTING)
    assert replying.handed_back(one, AGENT, LATER).asked_of is None
    with pytest.raises(Refused):
        replying.handed_back(one, who("marketer", 9), LATER)


def test_an_unknown_answer_is_looked_for_a_few_times_and_then_waits_for_somebody() -> None:
    one, pauses = replying.unclear(reply("posting"), "timed out", START), []
    while one.due_at is not None:
        pauses.append(one.due_at - START)
        one = replying.unclear(one, one.why, START)
    assert tuple(pauses) == LOOKS
    assert (one.state, one.why) == ("unknown", "timed out")
    assert replying.again(one, LEAD, LATER, POSTING).key == "k"
    for by, posting in ((AGENT, POSTING), (LEAD, replace(POSTING, on=False))):
        with pytest.raises(Refused):
            replying.again(one, by, LATER, posting)


def test_who_answers_by_hand_may_send_it_alone_unless_it_stands_already() -> None:
    severe = reply(severity="crisis")
    with pytest.raises(Refused, match="takes a review first"):
        replying.by_hand(severe, "", AGENT, LATER, POSTING)
    found = replying.by_hand(reply("unknown", severity="crisis"), "https://a.example/1", AGENT, LATER, POSTING)
    assert found.posted == Posted(external_id="", url="https://a.example/1")
    assert (found.state, found.posted_at, found.due_at) == ("by hand", LATER, None)
    with pytest.raises(Refused, match="may not do that"):
        replying.by_hand(reply("unknown"), "", MARKETER, LATER, POSTING)


def test_what_is_approved_to_be_given_by_hand_is_given_with_these_words_by_who_may_reply() -> None:
    done = clear(reply("in review", severity="crisis"), LEAD)
    assert done.approval is not None
    assert (done.state, done.approval.digest, done.key, done.due_at) == ("cleared", digest("Sorry, Kim."), "", None)
    given = replying.by_hand(done, "https://a.example/1", AGENT, LATER, POSTING)
    assert (given.state, given.approval) == ("by hand", done.approval)
    with pytest.raises(Refused, match="other words"):
        replying.by_hand(replace(done, text="smuggled"), "", LEAD, LATER, POSTING)
    with pytest.raises(Refused, match="may not do that"):
        replying.by_hand(done, "", MARKETER, LATER, POSTING)
    back = replying.withdrawn(done, AGENT, LATER)
    assert (back.state, back.approval) == ("draft", None)


def test_what_is_given_by_hand_takes_the_same_approval_as_what_is_posted() -> None:
    one = reply("in review", severity="crisis", sent_by=LEAD.id)
    with pytest.raises(Refused, match="another pair of eyes"):
        clear(one, LEAD)
    with pytest.raises(Refused, match="may not do that"):
        clear(one, AGENT)
    with pytest.raises(Refused, match="somebody changed the draft"):
        clear(one, who("lead", 9), read=digest("other words"))
    with pytest.raises(Refused, match=NEWS):
        clear(one, who("lead", 9), newest=LATER)
    assert clear(one, who("lead", 9)).state == "cleared"


@pytest.mark.parametrize("act", ["ask", "submit", "recall", "withdraw", "discard", "restore"])
def test_who_may_not_reply_does_nothing_of_it(act: str) -> None:
    tried = {
        "ask": lambda one: replying.asked(one, MARKETER, "", VIEWER, LATER, POSTING),
        "submit": lambda one: replying.submitted(one, VIEWER, LATER, version=7, newest=START),
        "recall": lambda one: replying.recalled(one, VIEWER, LATER),
        "withdraw": lambda one: replying.withdrawn(one, VIEWER, LATER),
        "discard": lambda one: replying.discarded(one, VIEWER, LATER),
        "restore": lambda one: replying.restored(one, VIEWER, LATER),
    }[act]
    [state] = ACTS[act][1] & {"draft", "in review", "approved", "discarded"} - (
        {"in review"} if act == "discard" else set()
    )
    with pytest.raises(Refused, match="a viewer may not do that"):
        tried(reply(state))


def test_only_who_sent_it_takes_it_back_from_review() -> None:
    with pytest.raises(Refused, match="another colleague sent it"):
        replying.recalled(reply("in review"), who("agent", 9), LATER)
    with pytest.raises(Refused, match="may not do that"):
        replying.sent_back(reply("in review"), "no", who("agent", 9), LATER)
