"""The operations over one binding: what a client asks, and how it travels.

The bindings themselves are imported when a client first speaks them (`dragoman.client.dialing`).
"""

from dragoman.client.transport.base import AnswerLimits, EventSource, StreamEvent, Transport

__all__ = ["AnswerLimits", "EventSource", "StreamEvent", "Transport"]
