"""The sinks as fixtures."""

from tests.sinks import http_sink, smtp_sink

__all__ = ["http_sink", "smtp_sink"]
