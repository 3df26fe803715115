"""The pages, whole without JavaScript. `make_web(desk)` gives the application, `serve()` puts it on a port.

| path | what |
|---|---|
| `/cases`, `/cases/{id}` | the inbox: the staff's work beside the case that is open |
| `/mentions` | what was judged, newest first |
| `/unsure` | what the model was not sure of, for a colleague to settle in one key |
| `/trends` | volume and sentiment by brand |
| `/places` | where we listen and how that goes |
| `/replies` | answers: what waits for whom, what was posted, and the stop of all posting |
| `/campaigns`, `/campaigns/{id}` | what marketing runs, and its briefs |
| `/remedies` | what customers were given to make it right |
| `/api/v1/cases`, `/api/v1/cases/{id}`, `/api/v1/places` | the same as JSON |
| `/healthz`, `/readyz`, `/metrics` | for machines that watch |
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from listener import __version__
from listener.web.account import add_account
from listener.web.account_api import add_account_api
from listener.web.accuracy import add_accuracy
from listener.web.api import add_api
from listener.web.api_acts import add_api_acts
from listener.web.auth import START, MayRead
from listener.web.calls import add_calls
from listener.web.campaigns import add_campaigns
from listener.web.campaigns_api import add_campaigns_api
from listener.web.case_acts import add_acts
from listener.web.case_apart import add_apart
from listener.web.colleagues import add_colleagues
from listener.web.customers import add_customers
from listener.web.customers_api import add_customers_api
from listener.web.desk import Desk, Health
from listener.web.guard import Guard
from listener.web.inbox import add_inbox
from listener.web.mentions import add_mentions
from listener.web.openapi import ABOUT, ERRORS, add_openapi
from listener.web.pages import STATIC, Pages, add_problems
from listener.web.places import add_places
from listener.web.remedies import add_remedies
from listener.web.remedies_api import add_remedies_api
from listener.web.replies import add_replies
from listener.web.reply_api import add_reply_api
from listener.web.server import Server, serve
from listener.web.signing import add_signing
from listener.web.trends import add_trends
from listener.web.unsure import add_unsure
from listener.web.unsure_api import add_unsure_api
from listener.web.views import add_views
from listener.web.watchers import add_watchers
from listener.web.why import add_why

__all__ = ["Desk", "Health", "Server", "make_web", "serve"]

THREADS = 6
"""Pages rendered side by side. Each thread keeps a reading connection with a cache of its own."""


@asynccontextmanager
async def _few_threads(_web: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


def _nothing_wrong() -> tuple[str, ...]:
    return ()


def make_web(desk: Desk, health: Health = _nothing_wrong) -> FastAPI:
    """Assemble the pages.

    Args:
        desk: the application; `listener.app.App` is one.
        health: says what keeps the work from going on, a sentence each.

    Returns:
        The ASGI application, guarded.
    """
    web = FastAPI(
        title=desk.settings.listener.name,
        description=ABOUT,
        version=__version__,
        responses=ERRORS,
        openapi_url=None,  # Served by a route of our own, to those who may read.
        docs_url=None,  # FastAPI's own manual pages load scripts from elsewhere.
        redoc_url=None,
        lifespan=_few_threads,
    )
    web.state.desk = desk
    pages = Pages(desk, health)

    @web.get("/", include_in_schema=False)
    def start(by: MayRead) -> RedirectResponse:
        return RedirectResponse(START)

    _add_pages(web, pages)
    _add_programs(web, desk)
    add_watchers(web, desk, health)
    add_openapi(web)
    add_problems(web, pages)
    web.mount("/static", StaticFiles(directory=STATIC), name="static")
    web.add_middleware(GZipMiddleware, minimum_size=1000)
    web.add_middleware(Guard, settings=lambda: desk.settings)
    return web


def _add_pages(web: FastAPI, pages: Pages) -> None:
    """What people read and do."""
    add_signing(web, pages)
    add_account(web, pages)
    add_colleagues(web, pages)
    inbox = add_inbox(web, pages)
    add_acts(web, inbox, pages.desk)
    add_replies(web, inbox, pages)
    add_remedies(web, inbox, pages)
    add_apart(web, pages)
    add_views(web, pages.desk)
    add_mentions(web, pages)
    add_why(web, pages)
    add_unsure(web, pages)
    add_trends(web, pages)
    add_places(web, pages)
    add_campaigns(web, pages)
    add_customers(web, pages)
    add_calls(web, pages)


def _add_programs(web: FastAPI, desk: Desk) -> None:
    """The same as JSON."""
    add_api(web, desk)
    add_api_acts(web, desk)
    add_account_api(web, desk)
    add_campaigns_api(web, desk)
    add_customers_api(web, desk)
    add_reply_api(web, desk)
    add_remedies_api(web, desk)
    add_unsure_api(web, desk)
    add_accuracy(web, desk)
