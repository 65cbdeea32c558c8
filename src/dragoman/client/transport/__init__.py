"""The operations over one binding: what a client asks, and how it travels."""

from dragoman.client.transport.base import EventSource, Limits, StreamEvent, Transport
from dragoman.client.transport.jsonrpc import JsonRpcTransport
from dragoman.client.transport.rest import RestTransport
from dragoman.client.transport.sse import SingleSource

__all__ = [
    "EventSource",
    "JsonRpcTransport",
    "Limits",
    "RestTransport",
    "SingleSource",
    "StreamEvent",
    "Transport",
]
