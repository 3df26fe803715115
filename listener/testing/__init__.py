"""The public test kit: fakes with state, and the contract every adapter passes.

A stranger's adapter is finished when `check_source`, `check_scorer` or `check_channel` passes on it.
"""

from listener.testing._channels import (
    FAILURES,
    HOSTILE,
    Failure,
    FarEnd,
    Received,
    check_channel,
    example_announcement,
    example_message,
    example_request,
)
from listener.testing._fakes import (
    START,
    FakeChannel,
    FakeClock,
    FakeScorer,
    FakeSource,
    NoOptions,
    cases_told,
    make_post,
    verdict,
)
from listener.testing._scorers import check_scorer
from listener.testing._site import Asked, Fault, Site, Told
from listener.testing._sources import check_source

__all__ = [
    "FAILURES", "HOSTILE", "START", "Asked", "Failure", "FakeChannel", "FakeClock", "FakeScorer", "FakeSource",
    "FarEnd", "Fault", "NoOptions", "Received", "Site", "Told", "cases_told", "check_channel", "check_scorer",
    "check_source", "example_announcement", "example_message", "example_request", "make_post", "verdict",
]  # fmt: skip
