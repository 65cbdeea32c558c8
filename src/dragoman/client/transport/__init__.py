"""The operations over one binding: what a client asks, and how it travels."""

from dragoman.client.transport.base import AnswerLimits, EventSource, StreamEvent, Transport
from dragoman.client.transport.jsonrpc import JsonRpcTransport
from dragoman.client.transport.rest import RestTransport
from dragoman.client.transport.sse import SingleSource

__all__ = [
    "AnswerLimits",
    "EventSource",
    "JsonRpcTransport",
    "RestTransport",
    "SingleSource",
    "StreamEvent",
    "Transport",
]
