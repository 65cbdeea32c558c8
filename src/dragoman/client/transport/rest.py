"""HTTP+JSON (SPEC 3.5)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from dragoman.client.http import Http, HttpRequest
from dragoman.client.transport.base import AnswerLimits, EventSource, HttpTransport
from dragoman.client.transport.exchange import address, exchange, open_events
from dragoman.model import (
    A2AError,
    BadResponse,
    DragomanError,
    Empty,
    MethodNotFoundError,
    Operation,
    Record,
    Rejected,
    TaskNotFoundError,
)
from dragoman.wire.errors import load_rest_error
from dragoman.wire.jsonrpc import load_result
from dragoman.wire.media import A2A_JSON_TYPE, EVENT_STREAM_TYPE, JSON_TYPE
from dragoman.wire.rest import build_request

_CALL = {"accept": f"{A2A_JSON_TYPE}, {JSON_TYPE}"}
_STREAM = {"accept": f"{EVENT_STREAM_TYPE}, {A2A_JSON_TYPE}, {JSON_TYPE}", "accept-encoding": "identity"}


class RestTransport(HttpTransport):
    """Every operation has its verb and path under the URL."""

    def __init__(self, http: Http, url: str, limits: AnswerLimits) -> None:
        super().__init__(http, url.rstrip("/"), limits)
        self._verbs: dict[str, str] = {}

    async def call(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> Record:
        message = self._build(operation, request, {**_CALL, **headers}, idle)
        return await exchange(self._http, message, self._limits, partial(_load, operation.response))

    async def open(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> EventSource:
        """Sources disagree on the verb of SubscribeToTask: the second one is tried where the first is refused (D-01)."""
        headers = {**_STREAM, **headers}
        try:
            return await self._open(operation, self._build(operation, request, headers, idle))
        except (A2AError, Rejected) as error:
            verb = self._other_verb(operation, error)
            if not verb:
                raise
        source = await self._open(operation, self._build(operation, request, headers, idle, verb=verb))
        self._verbs[operation.name] = verb
        return source

    async def _open(self, operation: Operation, message: HttpRequest) -> EventSource:
        return await open_events(self._http, message, self._limits, partial(_load, operation.response))

    def _other_verb(self, operation: Operation, error: DragomanError) -> str:
        is_first_try = operation.name not in self._verbs
        return (
            operation.verbs[1] if is_first_try and len(operation.verbs) > 1 and _is_wrong_verb(error) else ""
        )

    def _build(
        self,
        operation: Operation,
        request: Record,
        headers: Mapping[str, str],
        idle: float | None,
        *,
        verb: str = "",
    ) -> HttpRequest:
        rest = build_request(operation, request, verb=verb or self._verbs.get(operation.name, ""))
        return address(rest, self._url, headers, idle, media_type=A2A_JSON_TYPE)


def _is_wrong_verb(error: DragomanError) -> bool:
    match error:
        case Rejected(status=404 | 405 | 501) | MethodNotFoundError():
            return True
        case TaskNotFoundError():
            # A route for `/tasks/{id}` has swallowed the suffix and looks for a task of that name.
            return any(":subscribe" in text for text in (error.message, *error.metadata.values()))
        case _:
            return False


def _load(kind: type[Record], body: bytes) -> Any:
    if kind is Empty:
        return Empty()
    try:
        return load_result(body, kind)
    except BadResponse:
        if error := load_rest_error(500, body):
            raise error from None
        raise
