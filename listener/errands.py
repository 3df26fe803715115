"""What commands may have done to the database: import rows, send dead work again, judge again, teach, keep accounts.

The daemon does it when asked through its socket, a command does it itself while it holds the lock; so both ways run
the very same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from listener.app import App
from listener.casework.accounts import LINK_FOR
from listener.control import Errand, Words
from listener.core.colleague import Colleague
from listener.core.errors import ListenerError, SettingsError
from listener.core.event import OPERATOR
from listener.core.mention import Post
from listener.core.query import Place
from listener.core.rescore import Scope
from listener.core.work import DeadRow
from listener.pipeline.border import border
from listener.settings import Settings, local_url, suggest

T = TypeVar("T")
_MANY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A portion of an imported file.

    Args:
        place: a configured place, or any name when a brand is given.
        brand: the brand that every row is about; None: the place and the words decide.
        alert: whether the rows may open cases.
        digest: of the file and of how it is read.
        offset: bytes of the file read so far, this portion included.
        rows: number of the last row read.
        posts: the rows as posts.
    """

    place: str
    brand: str | None
    alert: bool
    digest: str
    offset: int
    rows: int
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Asks how far a file was imported before."""

    place: str
    brand: str | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """Sends dead work again: the given ids ("m12" a mention, "n7" a notification), or all of it."""

    ids: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Judges again what was judged before, a portion a time; see `listener.core.rescore.Scope`."""

    brand: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrain:
    """Teaches a brand's head from its corrections; without `keep` only measures it."""

    brand: str
    keep: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Lets an earlier head of a brand stand: a version, 0 for none, or the one before."""

    brand: str
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Makes an account."""

    handle: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Names an account by the handle its owner signs in under."""

    handle: str


class Errands:
    """Does errands on an App.

    Args:
        app: the application, whose lock this process holds.
        wake: called with the names of the steps that have new work.
        pages: gives the address under which this process serves the pages; empty where it serves none.
        alone: whether nobody judges here meanwhile; otherwise what is judged again waits for what is new.
    """

    def __init__(
        self, app: App, wake: Callable[[str], None] = lambda _: None, pages: Callable[[], str] = str, *,
        alone: bool = True,
    ) -> None:  # fmt: skip
        """Keep them."""
        self._app = app
        self._wake = wake
        self._pages = pages
        self._alone = alone
        self._rescoring = Lock()

    def all(self) -> Mapping[str, Errand]:
        """Every errand by name."""
        return {
            "begun": self._begun,
            "import": self._import,
            "requeue": self._requeue,
            "rescore": self._rescore,
            "retrain": self._retrain,
            "roll back": self._roll_back,
            "invite": self._invite,
            "reset": self._reset,
            "close": self._close,
        }

    def ask(self, errand: str, **words: object) -> Words:
        """Do an errand; see `listener.control.Hand`."""
        return self.all()[errand](words)

    def _begun(self, words: Words) -> Words:
        asked = _understood(Begun, words)
        place = self._place(asked.place, asked.brand)
        offset, rows = self._app.store.places.import_offset(asked.digest, place.name)
        return {"offset": offset, "rows": rows}

    def _import(self, words: Words) -> Words:
        portion = _understood(Portion, words)
        outcomes = self._app.take_in(
            self._place(portion.place, portion.brand),
            portion.posts,
            alert=portion.alert,
            digest=portion.digest,
            offset=portion.offset,
            rows=portion.rows,
        )
        self._wake("judge")
        return {"outcomes": dict(outcomes)}

    def _place(self, name: str, brand: str | None) -> Place:
        """Where imported rows belong.

        Raises:
            SettingsError: neither a configured place nor a configured brand is named.
        """
        settings = self._app.settings
        brands = [known.name for known in settings.brands]
        if brand is not None and brand not in brands:
            raise SettingsError(f"no brand is called `{brand}`; {suggest(brand, brands)}", resource=settings.file)
        place = self._app.rules.places.get(name)
        if place is not None:
            return replace(place, brand=brand or place.brand)
        if brand is None:
            hint = suggest(name, self._app.rules.places)
            raise SettingsError(
                f"no place is called `{name}`; {hint}. For a place of another name say with --brand which brand the "
                f"rows are about",
                resource=settings.file,
            )
        return Place(name=name, source="file", brand=brand)

    def _requeue(self, words: Words) -> Words:
        asked = _understood(Requeue, words)
        done: list[str] = []
        unknown: list[str] = []
        ids = self._dead_ids() if asked.everything else asked.ids
        while ids:
            for name in ids:
                (done if self._send_again(name) else unknown).append(name)
            # The lists hold the newest only, so all of them is many rounds.
            ids = tuple(name for name in self._dead_ids() if name not in unknown) if asked.everything else ()
        self._wake("judge")
        self._wake("dispatch")
        return {"requeued": done, "unknown": unknown}

    def _send_again(self, name: str) -> bool:
        kind, number = name[:1], name[1:]
        if kind not in {"m", "n"} or not number.isascii() or not number.isdigit() or len(number) > 18:
            raise ListenerError(f"`{name}` is no id of dead work; `listener dead` lists them, as in m12 or n7")
        store = self._app.store
        if kind == "m":
            return store.mentions.requeue(int(number))
        return store.outbox.requeue(int(number), self._app.clock())

    def _dead_ids(self) -> tuple[str, ...]:
        store = self._app.store
        return tuple(dead_id(row) for row in (*store.mentions.dead(_MANY), *store.outbox.dead(_MANY)))

    def _rescore(self, words: Words) -> Words:
        """Begin a rescore or go on with it: one portion, unless something new waits to be judged."""
        asked = _understood(Again, words)
        scope = Scope(**asdict(asked))
        self._known(scope.brand)
        store = self._app.store
        with self._rescoring, border("scorer"):
            running = store.rescores.begin(self._app.scorer.name, scope, self._app.clock())
            waits = not self._alone and store.trails.oldest_waiting("judge") is not None
            now = running if waits else self._app.rescore() or running
        return {
            "id": now.id, "scorer": now.scorer, "whole": now.whole, "done": now.done, "changed": now.changed,
            "finished": now.finished_at is not None, "waits": waits, "resumed": running.done,
            "shifts": [asdict(shift) for shift in store.rescores.shifts(now.id)] if now.finished_at else [],
        }  # fmt: skip

    def _known(self, brand: str | None) -> None:
        """Refuse a brand of which nothing is known."""
        brands = {brand for brand, _ in self._app.store.trends.totals()} | {b.name for b in self._app.settings.brands}
        if brand is not None and brand not in brands:
            raise ListenerError(f"nothing is known of a brand `{brand}`; {suggest(brand, sorted(brands))}")

    def _retrain(self, words: Words) -> Words:
        asked = _understood(Retrain, words)
        self._known(asked.brand)
        taught = self._app.teaching.retrain(asked.brand, OPERATOR, keep=asked.keep)
        return {
            "brand": asked.brand, "refused": taught.refused, "unread": taught.unread, "kept": taught.head.version > 0,
            "version": taught.head.version or None, "scorer": taught.head.scorer, **asdict(taught.head.measured),
        }  # fmt: skip

    def _roll_back(self, words: Words) -> Words:
        asked = _understood(RollBack, words)
        self._known(asked.brand)
        head = self._app.teaching.roll_back(asked.brand, asked.version, OPERATOR)
        return {"brand": asked.brand, "version": head.version if head else 0}

    def _invite(self, words: Words) -> Words:
        asked = _understood(Invite, words)
        return self._link(*self._app.accounts.invite(OPERATOR, asked.handle, asked.name, asked.role))

    def _reset(self, words: Words) -> Words:
        return self._link(*self._app.accounts.reset(OPERATOR, _understood(Named, words).handle))

    def _close(self, words: Words) -> Words:
        closed = self._app.accounts.close(OPERATOR, _understood(Named, words).handle)
        return {"handle": closed.handle}

    def _link(self, colleague: Colleague, secret: str) -> Words:
        url = welcome_url(self._app.settings, secret, self._pages())
        return {"handle": colleague.handle, "role": colleague.role, "url": url, "hours": LINK_FOR // timedelta(hours=1)}


def welcome_url(settings: Settings, secret: str, pages: str = "") -> str:
    """Where a one-time link leads: by the public address, else by where the pages are served."""
    return f"{(settings.web.public_url or pages or local_url(settings)).rstrip('/')}/welcome/{secret}"


def dead_id(row: DeadRow) -> str:
    """The name of dead work in commands: "m12" is mention 12, "n7" notification 7."""
    return f"{row.kind[0]}{row.id}"


def as_words(posts: Sequence[Post]) -> list[dict[str, object]]:
    """Posts in the form that a request carries."""
    return [_plain(post) for post in posts]


def _plain(post: Post) -> dict[str, object]:
    words = asdict(post)
    if post.published_at is not None:
        words["published_at"] = post.published_at.isoformat()
    return words


def _understood(kind: type[T], words: Words) -> T:
    try:
        return _adapter(kind).validate_python(dict(words))
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ListenerError(f"the request is not understood: {where}: {first['msg']}") from None


@cache
def _adapters() -> Mapping[type, TypeAdapter[Any]]:
    return {kind: TypeAdapter(kind) for kind in (Portion, Begun, Requeue, Again, Retrain, RollBack, Invite, Named)}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return _adapters()[kind]
