"""The public test kit: fakes with state, and the contract every adapter passes.

A stranger's adapter is finished when `check_source`, `check_scorer` or `check_channel` passes on it.
"""

from listener.testing._channels import FAILURES, HOSTILE, Failure, FarEnd, Received, check_channel, example_message
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

__all__ = [
    "FAILURES", "HOSTILE", "START", "Failure", "FakeChannel", "FakeClock", "FakeScorer", "FakeSource", "FarEnd",
    "NoOptions", "Received", "cases_told", "check_channel", "example_message", "make_post", "verdict",
]  # fmt: skip
