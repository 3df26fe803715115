"""Puts templates and what every page shows together: name, banner, navigation, how things stand. Errors are pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from listener.core.colleague import Colleague
from listener.core.errors import Refused, StoreError, StoreFull, TooOften
from listener.core.event import Actor
from listener.web.auth import START, for_programs, for_streams, page_before, sign_in_address
from listener.web.desk import Desk, Health
from listener.web.guard import HEADERS
from listener.web.words import FILTERS

HERE = Path(__file__).parent
STATIC = HERE / "static"


def address(path: str, **query: object) -> str:
    """A path with the query parameters that say something; empty ones and the first page are left out."""
    said = {key: value for key, value in query.items() if value and (key, value) != ("page", 1)}
    return f"{path}?{urlencode(said)}" if said else path


def _versioned(name: str) -> str:
    """Address of a static file; changes with its content, so that browsers may keep it for ever."""
    digest = hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={digest}"


class Pages:
    """Renders templates.

    Args:
        desk: the application.
        health: says what keeps the work from going on.
    """

    def __init__(self, desk: Desk, health: Health) -> None:
        """Load the templates."""
        self.desk = desk
        self.health = health
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(FILTERS)
        self._templates.globals["address"] = address
        self._templates.globals["static"] = {file.name: _versioned(file.name) for file in STATIC.iterdir()}

    def show(self, template: str, *, by: Actor, **context: object) -> HTMLResponse:
        """A page for somebody; its header says who is signed in.

        Raises:
            StoreError: the database cannot be read.
        """
        polled, down = self.desk.store.places.standing()
        return self._render(
            template, 200, by=by, polled=polled, down=down, troubles=tuple(self.health()),
            to_decide=self.desk.remedies.to_decide(by), stopped=self.desk.stops.stopped(),
            answers_wait=self._answers(by.colleague),
            unread_briefs=self.desk.campaigns.unread_briefs(by), unsure=self._unsure(by), **context,
        )  # fmt: skip

    def _answers(self, me: Colleague | None) -> int:
        """How many answers wait for this colleague: to be advised on, reviewed, given by hand, or looked for."""
        if me is None or not (me.may("advise") or me.may("reply")):
            return 0
        waits = self.desk.store.replies.waiting(me.id)
        return sum(n for state, n in waits.items() if me.may("approve") or state in {"asked", "cleared"})

    def _unsure(self, by: Actor) -> int:
        """How many mentions want a person's eye, up to 1,000; 0 for who may settle none."""
        may = by.colleague is not None and by.colleague.may("correct")
        return self.desk.store.lane.count() if may else 0

    def outside(self, template: str, code: int = 200, **context: object) -> HTMLResponse:
        """A page for nobody in particular; it tells nothing of what is inside and reads nothing from the database."""
        return self._render(template, code, by=None, polled=None, down=0, troubles=(), **context)

    def again(self, template: str, problem: Refused, *, by: Actor | None = None, **context: object) -> HTMLResponse:
        """A page with its form once more, and why what it asked for was refused."""
        said = {"error": sentence(problem.message), **context}
        page = self.show(template, by=by, **said) if by else self.outside(template, 200, **said)
        page.status_code = 429 if isinstance(problem, TooOften) else 409
        if isinstance(problem, TooOften):
            page.headers["retry-after"] = str(ceil(problem.wait))
        return page

    def problem(self, status: int, heading: str, text: str, by: Actor | None = None, back: str = START) -> HTMLResponse:
        """A page that says what went wrong; it reads nothing from the database, since that may be the reason."""
        return self._render(
            "problem.html", status, by=by, polled=None, down=0, troubles=(),
            status=status, heading=heading, text=text, back=back,
        )  # fmt: skip

    def _render(self, template: str, code: int, **context: object) -> HTMLResponse:
        general = self.desk.settings.listener
        html = self._templates.get_template(template).render(
            name=general.name,
            sample=general.sample_data,
            horizon=general.alert_horizon,
            now=self.desk.clock(),
            **context,
        )
        return HTMLResponse(html.encode("utf-8", "replace"), status_code=code)


def sentence(words: str) -> str:
    """Words as a sentence of their own."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}"


SAID: Mapping[int, tuple[str, str]] = {
    400: ("This address makes no sense here", "Something after the ? in the address is not a value we know."),
    401: ("Nobody is signed in", "Send a token as Authorization: Bearer, or sign in with a browser."),
    404: ("Nothing is here", "The address may be mistyped, or what it led to is gone."),
}


def _words_of(request: Request) -> str:
    """What somebody wrote into a form of an answer that came without a session; empty for everything else."""
    form: FormData | None = getattr(request, "_form", None)
    words = form.get("text") if form is not None and request.url.path.startswith("/replies/") else ""
    return words if isinstance(words, str) else ""


def _not_signed_in(pages: Pages, request: Request) -> Response:
    """Lead a browser to the page to sign in; at a stream it takes no page for events, and 204 has it cease to ask.

    Words that were written meanwhile are handed back first.
    """
    if words := _words_of(request):
        return pages.outside("signed-out.html", 401, words=words, back=sign_in_address(request))
    return Response(status_code=204) if for_streams(request) else RedirectResponse(sign_in_address(request), 303)


def add_problems(web: FastAPI, pages: Pages) -> None:
    """Answer errors with a page, or with JSON where a program asked."""

    def answer(request: Request, status: int, heading: str, text: str, back: str = START) -> Response:
        if for_programs(request.url.path):
            return JSONResponse({"error": f"{heading}. {text}"}, status)
        return pages.problem(status, heading, text, getattr(request.state, "actor", None), back)

    @web.exception_handler(HTTPException)
    def refused(request: Request, problem: HTTPException) -> Response:
        if problem.status_code == 401 and not for_programs(request.url.path):
            return _not_signed_in(pages, request)
        heading, text = SAID.get(problem.status_code, ("That did not work", sentence(str(problem.detail))))
        response = answer(request, problem.status_code, heading, text)
        response.headers.update(problem.headers or {})
        return response

    @web.exception_handler(Refused)
    def not_now(request: Request, problem: Refused) -> Response:
        if isinstance(problem, TooOften):
            response = answer(request, 429, "Too often", sentence(problem.message), page_before(request))
            response.headers["retry-after"] = str(ceil(problem.wait))
            return response
        return answer(request, 409, "That cannot be done now", sentence(problem.message), page_before(request))

    @web.exception_handler(RequestValidationError)
    def unknown_value(request: Request, problem: RequestValidationError) -> Response:
        return answer(request, 400, *SAID[400])

    @web.exception_handler(StoreError)
    def unreadable(request: Request, problem: StoreError) -> Response:
        return answer(request, 503, *_trouble(problem))

    @web.exception_handler(Exception)
    def unforeseen(request: Request, problem: Exception) -> Response:
        response = answer(
            request, 500, "Something broke on our side", "The log has the details. Nothing that was heard is lost."
        )
        # This one answer is made outside the guard.
        response.headers.update({**HEADERS, "cache-control": "no-store"})
        return response


def _trouble(problem: StoreError) -> tuple[str, str]:
    """What to say of the database: a full one is read as ever, it only takes nothing in."""
    if isinstance(problem, StoreFull):
        return "The disk is full: nothing was changed", sentence(problem.message)
    return "The database cannot be read", f"{problem}."
