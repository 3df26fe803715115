"""What a step is given: a store that knows the shop, a source, a scorer, a channel, and what was logged."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from listener.store import Store
from listener.testing import START, FakeChannel, FakeScorer, FakeSource
from tests.kit import SHOP


@pytest.fixture
def shop(store: Store) -> Store:
    """A store that knows the shop, due at once."""
    store.places.sync([SHOP], START)
    return store


@pytest.fixture
def source() -> FakeSource:
    """A source that answers what it is told to."""
    return FakeSource()


@pytest.fixture
def scorer() -> FakeScorer:
    """A scorer that looks words up."""
    return FakeScorer()


@pytest.fixture
def channel() -> FakeChannel:
    """A channel that keeps what it is given."""
    return FakeChannel()


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """Every event that was logged."""
    with capture_logs() as events:
        yield events
