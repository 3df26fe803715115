"""A message in plain words: who, where, how bad, what was said, why staff hear of it, and where to answer.

Pure; called by the channels. Text only, no HTML: a mail program shows plain text, and there is nothing to break out of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from listener import Announcement, Case, CaseLine, Mention, Message, Request, RequestKind
from notifier._markup import Markup, address, neutral, one_line, shorten

EXCERPT = 200
"""Characters of a post that a message quotes."""
BRIEFED = 12
"""Lines of each part of a brief that a message tells; the rest is behind the link."""
TITLE = 200

_ONE = {
    "opened": "New case",
    "grown": "The matter grew",
    "repeat": "Still unclaimed",
    "overdue": "Overdue",
    "returned": "An answer did not arrive",
    "resolved": "Resolved",
}
_REQUESTS: Mapping[RequestKind, tuple[str, str]] = {
    "advice": ("Marketing is asked", "Advice on an answer is asked of {asked} by {asker}."),
    "review": (
        "An answer waits for review",
        "An answer was sent to review by {asker}.",
    ),
    "remedy": ("A remedy waits for a decision", "A remedy above an allowance was proposed by {asker}."),
}
"""What waits for a colleague: in a title, and in a sentence."""
_MANY = {
    "opened": "{} new cases",
    "grown": "The matter grew to {} cases",
    "repeat": "{} cases, still unclaimed",
    "overdue": "{} cases overdue",
    "returned": "An answer did not arrive, in {} cases",
    "resolved": "{} cases resolved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a service can carry.

    Args:
        body: most units of text, the title included where the service has no title of its own.
        title: most units of the title; 0 where titles do not exist.
        measure: how the service counts; characters by default.
    """

    body: int = 30_000
    title: int = TITLE
    measure: Callable[[str], int] = len


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message ready to send: a title of one line, and text whose last line is `ref: KEY`."""

    title: str
    text: str


def render(message: Message, markup: Markup = "plain", limits: Limits | None = None) -> Rendered:
    """Put a message into words.

    Args:
        message: what to say; its texts may be hostile.
        markup: how the reading side treats text.
        limits: what the service can carry.

    Returns:
        A title (empty where the service has none; it is then the text's first line) and a text within the limits.
        What does not fit goes in this order: the older cases, the end of the description; never the link, and
        the `ref:` line only where the link alone would not fit beside it.
    """
    limits = limits or Limits()
    words = _Words(markup)
    title = _cut(words.title(message), limits.title or TITLE, limits.measure)
    head = f"{title}\n" if limits.title <= 0 else ""
    text = ""
    for shown in range(len(message.cases), -1, -1):
        text = f"{head}{words.body(message, shown)}\n{words.tail(message)}"
        if limits.measure(text) <= limits.body:
            break
        if shown == 1 or not message.cases:
            text = _squeeze(f"{head}{words.body(message, shown)}", words, message, limits)
            break
    return Rendered(title="" if head else title, text=text)


@dataclass(frozen=True, slots=True)
class _Words:
    """The wording, for one kind of reading side."""

    markup: Markup

    def safe(self, text: str) -> str:
        return neutral(text, self.markup)

    def title(self, message: Message) -> str:
        if message.notice:
            return f"Listener itself: {self.safe(shorten(one_line(message.notice), 120))}"
        if message.request:
            return self.asked(message, message.request)[0]
        if message.announcement:
            brief = message.announcement.campaign.brief
            what = self.safe(shorten(one_line(f"{brief.name}, {brief.brand}"), 120))
            return f"{'[sample data] ' if message.sample else ''}Campaign: {what}, from {_day(brief.starts_at)}"
        brands = ", ".join(dict.fromkeys(line.case.brand for line in message.cases)) or message.bundle
        what = _ONE[message.reason] if message.total == 1 else _MANY[message.reason].format(message.total)
        first = message.cases[0] if message.cases else None
        who = f", from {_handle(first)}" if first and message.total == 1 else ""
        sample = "[sample data] " if message.sample else ""
        return f"{sample}{message.severity.upper()}: {what}, {self.safe(shorten(one_line(brands + who), 120))}"

    def body(self, message: Message, shown: int) -> str:
        """Everything above the links; with no or several cases a list of the `shown` newest."""
        if message.notice:
            return self.safe(message.notice)
        lines = ["SAMPLE DATA: nothing in this message is about real customers."] if message.sample else []
        if message.announcement:
            lines += self.brief(message.announcement)
        elif message.request:
            lines += self.asked(message, message.request)[1:]
        elif message.total == 1 and len(message.cases) == 1:
            lines += self.single(message, message.cases[0])
        else:
            lines += self.several(message, shown)
        return "\n".join(lines)

    def asked(self, message: Message, request: Request) -> list[str]:
        """Who waits for whom: the title, and the lines below it; what it is about is behind the link."""
        title, sentence = _REQUESTS[request.kind]
        brand = self.safe(shorten(one_line(request.brand), 120))
        asker, asked = (self.safe(shorten(one_line(name), 80)) for name in (request.asker, request.asked))
        return [
            f"{'[sample data] ' if message.sample else ''}{message.severity.upper()}: {title}, {brand}",
            sentence.format(asker=asker or "a colleague", asked=asked or "marketing"),
            f"Brand: {brand}",
            *([f"Until: {_day(request.until)}; then it goes back by itself"] if request.until else []),
        ]

    def brief(self, announcement: Announcement) -> list[str]:
        """What staff must know before customers ask."""
        brief = announcement.campaign.brief
        lines = [
            f"What marketing runs: {self.safe(shorten(one_line(brief.name), 120))}.",
            f"Brand: {self.safe(shorten(one_line(brief.brand), 120))}",
            f"From {_day(brief.starts_at)} to {_day(brief.ends_at)}",
        ]
        for title, text in (("Promises", brief.promises), ("Known issues", brief.known_issues)):
            # A mark first, so that no line of theirs starts one of ours.
            said = [f"· {self.safe(shorten(one_line(row), 300))}" for row in text.splitlines() if row.strip()]
            lines += [f"{title}:", *said[:BRIEFED], *(["· …"] if len(said) > BRIEFED else [])] if said else []
        return [*lines, "Customers will ask: read the brief with the approved wording, and mark it read."]

    def single(self, message: Message, line: CaseLine) -> list[str]:
        case, mention = line.case, line.mention
        post = mention.post
        return [
            f"{_ONE[message.reason]} about {self.safe(case.brand)}.",
            f"Who: {self.who(mention)}",
            f"Where: {self.where(mention)}",
            f"How bad: {_how_bad(case, mention)}",
            f"Said: {self.quote(mention)}",
            f"Why you: {self.why(message, case)}",
            *([f"Original: {address(post.url)}"] if address(post.url) else []),
        ]

    def several(self, message: Message, shown: int) -> list[str]:
        kind = "storm" if message.total > 12 else "matter"
        below = "the newest below" if shown == 1 else f"the {shown} newest below"
        some = f", {below}" if 0 < shown < message.total else ""
        lines = [
            f"{_ONE[message.reason]}. 1 {kind}: {message.total} cases{some}.",
            f"In common: {self.safe(shorten(one_line(message.bundle), 200))}",
        ]
        if message.cases:
            lines.append(f"Why you: {self.why(message, message.cases[0].case)}")
        for number, line in enumerate(message.cases[:shown], start=1):
            where = f"{self.who(line.mention)}, {self.where(line.mention)}"
            lines += ["", f"{number}. {where}; {_how_bad(line.case, line.mention)}", self.quote(line.mention)]
            lines += filter(None, (address(line.url),))
        return [*lines, ""]

    def who(self, mention: Mention) -> str:
        author = mention.post.author
        name = f" ({author.name})" if author.name and author.name != author.handle else ""
        followers = f", {author.followers:,} followers" if author.followers is not None else ""
        return self.safe(shorten(one_line((author.handle or "unknown author") + name), 80)) + followers

    def where(self, mention: Mention) -> str:
        if mention.post.private:
            return f"{self.safe(mention.post.source)}, in private: never quote it in public"
        return f"{self.safe(mention.post.source)}, place {self.safe(shorten(one_line(mention.place), 80))}"

    def quote(self, mention: Mention) -> str:
        # Quoted on a line of its own with our mark first, so that no post can start a line: "#", ">" and
        # "[name]: address" mean something only there.
        post = mention.post
        words = f"{post.title}: {post.text}" if post.title and post.text else post.text or post.title
        said = self.safe(shorten(one_line(words), EXCERPT))
        return f"“{said}”" if said else "(no words)"

    def why(self, message: Message, case: Case) -> str:
        return f"route {self.safe(message.route)}: {self.safe(shorten(one_line(case.reason), 300)) or 'no reason kept'}"

    def tail(self, message: Message) -> str:
        """The link and the key."""
        return "\n".join(filter(None, (self.link(message), self.ref(message))))

    def link(self, message: Message) -> str:
        if message.announcement:
            page = address(message.announcement.url)
            return f"Brief: {page}" if page else ""
        if message.request:
            page = address(message.request.url)
            return f"Case: {page}" if page else ""
        only = address(message.cases[0].url) if message.total == 1 and message.cases else ""
        if only:
            return f"Answer: {only}"
        inbox = address(message.inbox_url)
        return f"All cases: {inbox}" if inbox else ""

    def ref(self, message: Message) -> str:
        return f"ref: {self.safe(message.key)}"


def _squeeze(body: str, words: _Words, message: Message, limits: Limits) -> str:
    """Cut the description so that the link, and if possible the key, still fit."""
    for tail in (words.tail(message), words.link(message)):
        room = limits.body - limits.measure(f"\n{tail}")
        if room >= 0:
            return f"{_cut(body, room, limits.measure)}\n{tail}".strip("\n")
    return _cut(body, limits.body, limits.measure)


def _cut(text: str, limit: int, measure: Callable[[str], int]) -> str:
    """Shorten text to a limit in the service's own unit."""
    room = limit
    while measure(shorten(text, room)) > limit:
        room = min(room - 1, room * 9 // 10)
    return shorten(text, max(0, room))


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def _handle(line: CaseLine) -> str:
    author = line.mention.post.author
    return author.handle or author.name or "an unknown author"


def _how_bad(case: Case, mention: Mention) -> str:
    mood, post = mention.sentiment, mention.post
    words: list[str] = [case.severity]
    if mood:
        words.append(f"{mood.label}, {'sure' if mood.certainty == 'confident' else 'unsure'} ({mood.confidence:.0%})")
    if post.rating is not None:
        words.append(f"{1 + post.rating * 4:.0f} of 5 stars")
    return ", ".join(words)
