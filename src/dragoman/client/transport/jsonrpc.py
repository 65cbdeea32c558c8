"""JSON-RPC over HTTP (SPEC 3.3)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from dragoman.client.http import Http, HttpRequest
from dragoman.client.transport.base import AnswerLimits, EventSource, HttpTransport
from dragoman.client.transport.exchange import exchange, open_events
from dragoman.model import Empty, Operation, Record
from dragoman.wire.codec import encode
from dragoman.wire.jsonrpc import build_call, parse_reply
from dragoman.wire.media import EVENT_STREAM_TYPE, JSON_TYPE

CALL_HEADERS = {"content-type": JSON_TYPE, "accept": JSON_TYPE}
# A stream must not be compressed: a compressor on the way would hold events back until its block is full.
STREAM_HEADERS = {
    "content-type": JSON_TYPE,
    "accept": f"{EVENT_STREAM_TYPE}, {JSON_TYPE}",
    "accept-encoding": "identity",
}


class JsonRpcTransport(HttpTransport):
    """Every operation is a POST to the one URL."""

    def __init__(
        self, http: Http, url: str, limits: AnswerLimits, *, new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        super().__init__(http, url, limits)
        self._new_id = new_id

    async def call(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> Record:
        message = self._build(operation, request, {**CALL_HEADERS, **headers}, idle)
        return await exchange(self._http, message, self._limits, partial(_load, operation.response))

    async def open(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> EventSource:
        message = self._build(operation, request, {**STREAM_HEADERS, **headers}, idle)
        return await open_events(self._http, message, self._limits, partial(_load, operation.response))

    def _build(
        self, operation: Operation, request: Record, headers: Mapping[str, str], idle: float | None
    ) -> HttpRequest:
        body = build_call(self._new_id(), operation.name, encode(request))
        return HttpRequest("POST", self._url, headers, body, idle)


def _load(kind: type[Record], body: bytes) -> Any:
    if kind is Empty and not body.strip():
        return Empty()
    return parse_reply(body, kind)
