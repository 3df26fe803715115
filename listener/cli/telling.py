"""`listener explain`: everything that was decided about a mention or a case, with the reasons and versions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.cli.options import Config, Json, answer, examples, find, reading, say
from listener.core.errors import ListenerError

if TYPE_CHECKING:
    from listener.core.case import Case
    from listener.core.delivery import Delivery
    from listener.core.mention import Mention
    from listener.core.occlusion import Weighing
    from listener.core.sentiment import Verdict
    from listener.core.trail import Trail
    from listener.store import Store

_LONGEST_ID = 18
_WINDOW = timedelta(days=180)
_WEIGHED = 5
_TOLD = 6


def add_to(cli: typer.Typer) -> None:
    """Add the command of this module."""
    cli.command(
        epilog=examples(
            "listener explain 4711",
            "listener explain 4711 --words",
            "listener explain Xy3kQ9zT_a1b --json",
            "listener explain 4711 --similar",
        )
    )(explain)


def explain(
    subject: Annotated[str, typer.Argument(metavar="ID", help="A mention's number, or a case's id as in its link.")],
    words: Annotated[
        bool,
        typer.Option("--words", help="Also ask which words carried the verdicts (five at most)."),
    ] = False,
    similar: Annotated[
        bool, typer.Option("--similar", help="Also find mentions of its brand that say the like.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell every step of a mention or of a case: where it was met, what matched, how it was judged and by which model,
    which routes took it and why, its case, and each try to tell staff.
    """
    with reading(config) as store:
        trails, case = _found(store, subject)
        deliveries = store.outbox.of_case(case.id) if case else ()
        trails = _weighed(config, trails) if words else trails
        alike = _alike(store, trails[0].mention) if similar and trails else ()
    if as_json:
        answer(
            {
                "similar": [{"nearness": round(near, 3), "mention": asdict(m)} for near, m in alike],
                "mentions": [asdict(trail) for trail in trails],
                "case": asdict(case) if case else None,
                "deliveries": [asdict(delivery) for delivery in deliveries],
            }
        )
        return
    for trail in trails:
        for line in _mention(trail):
            say(line)
        say()
    for line in _case(case, deliveries) if case else ("Case: none",):
        say(line)
    for line in _similar(alike) if similar else ():
        say(line)


def _found(store: Store, subject: str) -> tuple[tuple[Trail, ...], Case | None]:
    """What an id names.

    Raises:
        ListenerError: nothing.
    """
    case = store.cases.find(subject)
    if case is not None:
        return store.trails.of_case(case.id), case
    if subject.isascii() and subject.isdigit() and len(subject) <= _LONGEST_ID:
        trail = store.trails.of_mention(int(subject))
        if trail is not None:
            return (trail,), store.cases.of_mention(trail.mention.id)
    raise ListenerError(f"neither a mention nor a case has the id `{subject[:40]}`")


def _weighed(config: Path | None, trails: tuple[Trail, ...]) -> tuple[Trail, ...]:
    """The same mentions with the words that carried their verdicts; the first few that nobody asked about before.

    Raises:
        AdapterError: the scorer cannot be asked.
    """
    from listener.casework.why import weighed
    from listener.cli.judging import scorer_of
    from listener.settings import load, rules_of

    unknown = [trail.mention.id for trail in trails if trail.verdict and trail.weighing is None][:_WEIGHED]
    if not unknown:
        return trails
    file = find(config)
    scorer, rules = scorer_of(file), rules_of(load(file, os.environ if file else {}))
    return tuple(
        replace(trail, weighing=weighed(scorer, trail.mention, rules)) if trail.mention.id in unknown else trail
        for trail in trails
    )


def _alike(store: Store, mention: Mention) -> tuple[tuple[float, Mention], ...]:
    """The mentions of the same brand that come nearest in meaning, of the half year before."""
    near = store.vectors.near(mention, mention.seen_at - _WINDOW)
    found = ((nearness, store.mentions.find(mention_id)) for mention_id, nearness in near.items())
    return tuple((nearness, other) for nearness, other in found if other is not None)


def _similar(alike: tuple[tuple[float, Mention], ...]) -> Iterator[str]:
    yield "Similar:" if alike else "Similar: none"
    for nearness, mention in alike:
        yield f"  {nearness:.2f} mention {mention.id}: {_short(mention.post.text)}"


def _mention(trail: Trail) -> Iterator[str]:
    mention, post = trail.mention, trail.mention.post
    yield f"Mention {mention.id}: {mention.brand} at {mention.place}"
    yield f"  post: {post.kind} {post.external_id} of {post.source}" + (f" in {post.realm}" if post.realm else "")
    yield f"  by {post.author.handle or 'nobody named'}, published {_time(post.published_at)}, {post.url or 'no link'}"
    if post.private:
        yield "  private: never quote it in public"
    if post.rating is not None:
        yield f"  rating: {post.rating:.2f} of 1"
    if post.title:
        yield f"  title: {post.title}"
    yield f"  text: {_short(post.text)}"
    for revision in trail.revisions:
        judged = f", {_verdict(revision.verdict)}" if revision.verdict else ", not judged"
        yield f"  before {_time(revision.seen_at)}: {_short(revision.text)}{judged}"
    yield f"  arrival: {mention.arrival}, {mention.arrival_reason}; seen {_time(mention.seen_at)}"
    words = f" on {', '.join(mention.words)}" if mention.words else ""
    yield f"  matched: {', '.join(mention.queries) or 'the place is about the brand'}{words}"
    yield from _read(trail)
    if trail.routes or trail.routed_why:
        config = f", configuration {trail.routed_with}" if trail.routed_with else ""
        yield f"  routes: {', '.join(trail.routes) or 'none'}; {trail.routed_why}{config}"
    waits = {None: "nothing left to do", "dead": "given up"}.get(trail.step, f"waits for {trail.step}")
    yield f"  state: {waits}" + (f"; last error: {trail.last_error}" if trail.last_error else "")
    if trail.case is not None:
        yield f"  case: {trail.case}, joined {_time(trail.joined_at)}"


def _read(trail: Trail) -> Iterator[str]:
    if trail.verdict is not None:
        yield f"  verdict: {_verdict(trail.verdict)}, {_time(trail.judged_at)}"
    if trail.weighing is not None:
        yield f"  words: {_words(trail, trail.weighing)}, asked {trail.weighing.scorer}"
    found = trail.mention.sentiment
    if found is not None:
        yield f"  sentiment: {found.label} ({found.certainty} {found.confidence:.2f}), score {found.score:+.2f}"
    for each in trail.topics:
        whose = "of the sentences about it" if each.own else "of the whole"
        sure = f"{each.certainty}, {whose}"
        yield f"  topic: {each.topic}, {each.label} ({sure}); {each.nearness:.2f} near: {each.phrase}"


def _case(case: Case, deliveries: tuple[Delivery, ...]) -> Iterator[str]:
    yield f"Case {case.public_id}: {case.severity}, {case.status}, {case.mentions} mentions"
    yield f"  opened {_time(case.opened_at)}; it stands under route {case.route}: {case.reason}"
    for delivery in deliveries:
        why = f" ({delivery.why})" if delivery.why else ""
        yield f"  notification n{delivery.id} to {delivery.channel}: {delivery.reason}, {delivery.status}{why}"
        yield f"    route {delivery.route}, key {delivery.key}, due {_time(delivery.due_at)}"
        for number, tried in enumerate(delivery.tries, start=1):
            said = f": {tried.error}" if tried.error else ""
            yield f"    try {number} {_time(tried.tried_at)}: {tried.outcome} in {tried.took_ms} ms{said}"


def _verdict(verdict: Verdict) -> str:
    chances = verdict.probabilities
    parts = f", {verdict.parts} parts" if verdict.parts > 1 else ""
    return (
        f"{verdict.label}, {verdict.certainty} (negative {chances.negative:.2f}, neutral {chances.neutral:.2f}, "
        f"positive {chances.positive:.2f}{parts}) by {verdict.scorer}"
    )


def _words(trail: Trail, weighing: Weighing) -> str:
    """The heaviest words for and against, with the points of the label's probability that they carry."""
    from listener.pipeline.parts import words_of

    text = words_of(trail.mention.post)
    heaviest = sorted(weighing.words, key=lambda word: -abs(word.weight))[:_TOLD]
    said = [
        f"{_short(text[word.start : word.end])[:60]} {100 * word.weight:+.0f}"
        for word in heaviest
        if abs(word.weight) >= 0.01
    ]
    where = f" ({'only ' if weighing.part else ''}{weighing.why})" if weighing.why else ""
    return f"{weighing.label} {weighing.probability:.2f} by {', '.join(said) or 'nothing in particular'}{where}"


def _time(moment: datetime | None) -> str:
    return "at an unknown time" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 500 else f"{line[:499]}…"
