"""The contract every source passes: `check_source` runs it on what the source reads in earnest.

Called by sources' tests, ours and strangers'; each broken rule is an AssertionError that says which.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from listener.core.errors import AdapterError, RateLimited, Rejected, Unauthorized, Unavailable
from listener.core.mention import Post, clean, normalise
from listener.core.protocols import Budget, Capabilities, Listens, Source
from listener.core.query import Cursor, Page, Place, Query
from listener.core.tools import Tools
from listener.http import AddressGuard, Client
from listener.http.session import guarded_session
from listener.testing._fakes import START, FakeClock
from listener.testing._site import Fault, Site

Identity = tuple[str, str, str]
_MARKER = "s3cret-k9f2"
MakeSource = Callable[[Tools], Source]

EXPECTED: Mapping[Fault, type[AdapterError]] = {
    "busy": RateLimited,
    "broken": Unavailable,
    "unauthorized": Unauthorized,
    "missing": Rejected,
    "gone": AdapterError,
    "page": AdapterError,
    "garbage": AdapterError,
    "slow": Unavailable,
    "loop": Rejected,
    "huge": AdapterError,
}
"""The error a source raises for each misbehaviour of what it reads."""


def check_source(
    make: MakeSource,
    *,
    place: Place | None = None,
    needs: Sequence[Query] = (),
    site: Site | None = None,
    grow: Callable[[], object] | None = None,
    elsewhere: MakeSource | None = None,
    says: Sequence[str] = (),
    now: datetime = START,
) -> tuple[Post, ...]:
    """Check a source against the contract; raises AssertionError with the rule that is broken.

    Args:
        make: builds the source from its tools; called many times, as after a restart.
        place: where it listens.
        needs: the queries that listen there.
        site: what it reads, if that is a web server; its faults must become the right errors.
        grow: publishes one more post where it reads.
        elsewhere: builds it for a second place with the same ids in another name space; None where ids are global.
        says: texts that must come through whole.
        now: what its clock says.

    Returns:
        What it brought, each post once, in its last state.
    """
    place = place or Place(name="checked", source="checked")
    guard = AddressGuard(allow_private=True)  # what is checked is on loopback
    with Client(longest=1.5, guard=guard) as http:
        session = partial(guarded_session, guard)
        tools = Tools(http=http, clock=FakeClock(now), secret=_MARKER, session=session, guard=guard)
        with _no_network():
            source = make(tools)
            _check_streams(source)
        _check_shape(source)
        found, cursor = _drained(lambda: make(tools), place, needs, None, Budget())
        assert found, "the check needs at least one post to read"
        _check_texts(found.values(), says)
        _check_restarts(lambda: make(tools), place, needs, found)
        again, cursor = _drained(lambda: make(tools), place, needs, cursor, Budget())
        assert set(again) <= set(found), "a second poll of the same brings nothing that the first did not"
        if grow is not None:
            grow()
            grown, cursor = _drained(lambda: make(tools), place, needs, cursor, Budget())
            assert set(grown) - set(found), "a post published after the last poll must come with the next"
        if elsewhere is not None:
            _check_realms(lambda: elsewhere(tools), place, needs, found)
        said = [repr(source), str(source), cursor or ""]
        said += [_check_fault(make(tools), site, fault, place, needs) for fault in EXPECTED if site is not None]
        if site is not None:
            site.fault = None
            _drained(lambda: make(tools), place, needs, None, Budget())  # it recovers
    for text in said:
        assert _MARKER not in text, f"the secret shows: {text[:80]!r}"
    return tuple(found.values())


def _check_shape(source: Source) -> None:
    kind = type(source)
    assert isinstance(source, Source), "a source has name, Options, capabilities and poll"
    assert isinstance(kind.name, str), "name: a word for configuration files"
    assert kind.name, "name: not empty"
    assert dataclasses.is_dataclass(kind.Options), "Options: a frozen dataclass"
    assert vars(kind.Options)["__dataclass_params__"].frozen, "Options: a frozen dataclass"
    assert isinstance(kind.capabilities, Capabilities), "capabilities: what it can and cannot do"


def _check_streams(source: Source) -> None:
    if isinstance(source, Listens):
        streams = tuple(source.streams())
        assert len(set(streams)) == len(streams), "streams: each is held once"
        assert source.pause > timedelta(), "pause: what the other side bears between two polls"


def _check_page(page: Page, budget: Budget) -> None:
    identities = [_identity(post) for post in page.posts]
    assert len(set(identities)) == len(identities), "a page holds each post once"
    assert len(identities) <= budget.posts, f"a page holds at most the {budget.posts} posts of its budget"
    for post in page.posts:
        assert post.published_at is None or post.published_at.utcoffset() == timedelta(), "times are aware UTC"
        assert post.rating is None or 0 <= post.rating <= 1, "a rating is 0 (worst) .. 1 (best)"
        normalise(post)  # raises where a post has no id
    if page.cursor is not None:
        assert isinstance(page.cursor, str), "a cursor is text"
        page.cursor.encode("utf-8")
    assert page.wait is None or page.wait >= timedelta(), "a wait is not negative"


def _drained(
    make: Callable[[], Source], place: Place, needs: Sequence[Query], cursor: Cursor | None, budget: Budget
) -> tuple[dict[Identity, Post], Cursor | None]:
    """Poll until there is no more, with a new source each time, as if restarted in between."""
    found: dict[Identity, Post] = {}
    for _ in range(10_000):
        # The store keeps the cursor as text; nothing else of the source survives.
        kept = None if cursor is None else Cursor(cursor.encode().decode())
        page = make().poll(place, needs, kept, budget)
        _check_page(page, budget)
        found |= {_identity(post): normalise(post) for post in page.posts}
        cursor = page.cursor if page.cursor is not None else cursor
        if not page.more:
            return found, cursor
    raise AssertionError("the pages never end: `more` must become False")


def _check_restarts(
    make: Callable[[], Source], place: Place, needs: Sequence[Query], found: Mapping[Identity, Post]
) -> None:
    """Small pages, each asked for by a new source, bring all that one large page brings."""
    small, _ = _drained(make, place, needs, None, Budget(posts=2))
    missing = set(found) - set(small)
    assert not missing, f"in pages of two, {len(missing)} posts are lost: {sorted(missing)[:3]}"


def _check_texts(posts: Iterable[Post], says: Sequence[str]) -> None:
    texts = [" ".join(f"{post.title} {post.text}".split()) for post in posts]
    for wanted in says:
        whole = " ".join(clean(wanted).split())
        assert any(whole in text for text in texts), f"a text does not come through whole: {whole[:80]!r}"


def _check_realms(
    make: Callable[[], Source], place: Place, needs: Sequence[Query], found: Mapping[Identity, Post]
) -> None:
    there, _ = _drained(make, place, needs, None, Budget())
    assert {key[2] for key in there} & {key[2] for key in found}, "the second place must use the same ids"
    assert not set(there) & set(found), "the same id in another name space is another post: set its realm"


def _check_fault(source: Source, site: Site, fault: Fault, place: Place, needs: Sequence[Query]) -> str:
    """What the source says when its site misbehaves."""
    site.fault = fault
    try:
        source.poll(place, needs, None, Budget())
    except AdapterError as exc:
        problem = exc
    else:
        raise AssertionError(f"{fault}: no error was raised")
    wanted = EXPECTED[fault]
    assert isinstance(problem, wanted), f"{fault}: {type(problem).__name__} was raised, not {wanted.__name__}"
    if fault == "broken":
        assert not isinstance(problem, RateLimited), "broken: a failure is no rate limit"
    if isinstance(problem, RateLimited):
        assert problem.retry_after == 7, "busy: the wait that was asked for must be passed on"
    return f"{problem} {problem!r} {problem.__cause__!r} {problem.__context__!r}"


def _identity(post: Post) -> Identity:
    return post.source, post.realm, post.external_id


_watched = threading.local()
_NETWORK = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen")


def _audit(event: str, _: object) -> None:
    if event in _NETWORK and getattr(_watched, "on", False):
        raise AssertionError(f"building a source must not reach out ({event}): do it in poll")


@contextmanager
def _no_network() -> Iterator[None]:
    """Forbid this thread to connect, to resolve names and to start processes."""
    if not getattr(_no_network, "installed", False):
        sys.addaudithook(_audit)  # a hook cannot be taken out again, so it stays, and sleeps
        _no_network.installed = True  # type: ignore[attr-defined]
    _watched.on = True
    try:
        yield
    finally:
        _watched.on = False
