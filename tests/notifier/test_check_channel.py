"""The contract itself: each rule catches the channel that breaks it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import pytest

from listener import Message, Rejected, Unavailable
from listener.testing import Received, check_channel
from notifier.render import Rendered, render

CANARY = "canary7f3a9c"


class Desk:
    """A far end in memory, with the channel to it."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.how = "ok"

    def behave(self, how: str) -> None:
        self.how = how

    def received(self) -> Sequence[Received]:
        return self.got


class Good:
    """A channel that keeps the contract; the others break it at one point each."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        """None."""

    name: ClassVar[str] = "good"
    needs_url: ClassVar[bool] = False
    pause = timedelta()

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def send(self, message: Message) -> None:
        if self.desk.how != "ok":
            self.fail()
        self.hand_over(self.said(message))

    def said(self, message: Message) -> Rendered:
        return render(message, "chat")

    def hand_over(self, said: Rendered) -> None:
        self.desk.got.append(Received(title=said.title, text=said.text))

    def fail(self) -> None:
        raise Unavailable("no answer")


class SendsWhenBuilt(Good):
    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.hand_over(Rendered(title="", text="hello"))


class SaysTwice(Good):
    def send(self, message: Message) -> None:
        super().send(message)
        super().send(message)


class SwallowsFailures(Good):
    def fail(self) -> None:
        pass

    def hand_over(self, said: Rendered) -> None:
        if self.desk.how == "ok":
            super().hand_over(said)


class GivesUp(Good):
    def fail(self) -> None:
        raise Rejected("never again")


class TellsTheSecret(Good):
    def fail(self) -> None:
        raise Unavailable("could not reach the desk") from OSError(f"https://desk.example/{CANARY}")


class LogsTheSecret(Good):
    def fail(self) -> None:
        logging.getLogger("desk").debug("dialling %s", CANARY)
        super().fail()


class ShowsTheSecret(Good):
    def __repr__(self) -> str:
        return f"ShowsTheSecret({CANARY})"


class Raw(Good):
    def said(self, message: Message) -> Rendered:
        good = super().said(message)
        raw = "".join(f"{line.mention.post.author.handle} {line.mention.post.text}\n" for line in message.cases)
        return Rendered(title=good.title, text=f"{raw}{good.text}")


class TwoLineTitle(Good):
    def said(self, message: Message) -> Rendered:
        good = super().said(message)
        return Rendered(title=f"{good.title}\nand more", text=good.text)


class CutsTheLink(Good):
    def said(self, message: Message) -> Rendered:
        good = super().said(message)
        return Rendered(
            title=good.title, text=good.text if len(good.text) < 400 else good.text[:300] + "\nref: check-1"
        )


class ForgetsTheKey(Good):
    def said(self, message: Message) -> Rendered:
        good = super().said(message)
        return Rendered(title=good.title, text=good.text.rpartition("\n")[0])


class KnowsCasesOnly(Good):
    def said(self, message: Message) -> Rendered:
        return super().said(replace(message, announcement=None, reason="opened"))


class HasNoPause(Good):
    pause = timedelta(seconds=-1)


def test_a_good_channel_passes() -> None:
    desk = Desk()
    check_channel(lambda: Good(desk), desk, secret=CANARY)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (SendsWhenBuilt, "building a channel must not send"),
        (SaysTwice, "one send is one message"),
        (SwallowsFailures, "says that the message was accepted"),
        (GivesUp, "must be Unavailable"),
        (TellsTheSecret, "a secret shows"),
        (LogsTheSecret, "a secret shows"),
        (ShowsTheSecret, "a secret shows"),
        (Raw, "must not reach people"),
        (TwoLineTitle, "a title is one line"),
        (CutsTheLink, "link"),
        (ForgetsTheKey, "same key"),
        (KnowsCasesOnly, "must name it"),
        (HasNoPause, "pause"),
    ],
)
def test_each_rule_catches_the_channel_that_breaks_it(kind: Callable[[Desk], Good], rule: str) -> None:
    desk = Desk()
    with pytest.raises(AssertionError, match=rule):
        check_channel(lambda: kind(desk), desk, secret=CANARY)
