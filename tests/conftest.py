"""Fixtures for all tests: a clock that stands, the operator's rules, and a store in memory or on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from listener.core.rules import Rules
from listener.store import Store, open_store
from listener.testing import FakeClock
from tests.kit import make_rules
from tests.servers.bluesky import bluesky
from tests.servers.dovecot import dovecot
from tests.servers.mastodon import mastodon
from tests.servers.wordpress import wordpress
from tests.sinks import http_sink, smtp_sink

__all__ = ["bluesky", "clock", "disk", "dovecot", "http_sink", "mastodon", "rules", "smtp_sink", "store", "wordpress"]

# No deadline: the machines that run this are shared. No example database: a run leaves nothing behind.
settings.register_profile("house", deadline=None, database=None)
settings.load_profile("house")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands until it is moved."""
    return FakeClock()


@pytest.fixture
def rules() -> Rules:
    """Complaints and low stars of two brands go to the desk."""
    return make_rules()


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in memory."""
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same file anew at each call, as a restart would; whatever is still open is closed at the end."""
    stores: list[Store] = []

    def reopen() -> Store:
        stores.append(open_store(str(tmp_path / "listener.db")))
        return stores[-1]

    yield reopen
    for opened in stores:
        opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests against Bluesky last: in CI its network is still being built beside the others."""
    items.sort(key=lambda item: "bluesky" in getattr(item, "fixturenames", ()))
