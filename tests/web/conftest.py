"""A stage, and the pages on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from listener.web import Server, make_web, serve
from tests.browser import chromium
from tests.web.stage import Stage

__all__ = ["chromium"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        yield made


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def web(server: Server, stage: Stage) -> Iterator[httpx2.Client]:
    """A lead, who may see and do all of the service's work."""
    with stage.signed_in(server.url, "lead") as client:
        yield client


@pytest.fixture
def outside(server: Server) -> Iterator[httpx2.Client]:
    """Somebody who is not signed in."""
    with httpx2.Client(base_url=server.url, headers={"origin": server.url}, trust_env=False, timeout=10) as client:
        yield client
