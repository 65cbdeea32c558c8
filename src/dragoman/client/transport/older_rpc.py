"""JSON-RPC of the generations before 1.0 (SPEC 7.2 to 7.4)."""

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from dragoman.client.http import Http, HttpReply, HttpRequest
from dragoman.client.transport.base import AnswerLimits, EventSource, HttpTransport
from dragoman.client.transport.exchange import exchange, open_events
from dragoman.client.transport.finals import EventReader, FinalSource
from dragoman.client.transport.jsonrpc import CALL_HEADERS, STREAM_HEADERS
from dragoman.client.transport.older_requests import adapt_request, adapt_result
from dragoman.client.transport.replies import load_failure
from dragoman.model import (
    DragomanError,
    Generation,
    Operation,
    Record,
    SendMessageRequest,
    UnauthenticatedError,
    operations,
)
from dragoman.wire.codec import encode
from dragoman.wire.dialects import dialect_of
from dragoman.wire.dialects.answers import (
    find_rpc_error,
    load_rest_result,
    load_rpc_event,
    load_rpc_result,
)
from dragoman.wire.jsonrpc import build_call
from dragoman.wire.media import JSON_TYPE

_EXTENDED_CARD = "/agent/authenticatedExtendedCard"


class OlderRpcTransport(HttpTransport):
    """Every operation is a POST to the one URL, in the words of its generation.

    UnsupportedOperationError, before anything is sent, for what the generation has no method for.
    """

    def __init__(
        self,
        http: Http,
        url: str,
        limits: AnswerLimits,
        generation: Generation,
        *,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        super().__init__(http, url, limits)
        self._generation = generation
        self._dialect = dialect_of(generation)
        self._new_id = new_id

    async def call(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> Record:
        if operation is operations.GET_EXTENDED_CARD and self._generation is Generation.V0_2:
            return await self._get_extended_card(headers, idle)
        adapted = adapt_request(request, self._generation)
        message = self._build(operation, adapted, {**CALL_HEADERS, **headers}, idle)
        load = partial(load_rpc_result, self._dialect, operation)
        result = await exchange(self._http, message, self._limits, load, self._fail)
        return adapt_result(request, result)

    async def open(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> EventSource:
        adapted = adapt_request(request, self._generation)
        message = self._build(operation, adapted, {**STREAM_HEADERS, **headers}, idle)
        session = adapted.message.context_id if isinstance(adapted, SendMessageRequest) else ""
        reader = EventReader(partial(load_rpc_event, self._dialect), session)
        source = await open_events(self._http, message, self._limits, reader, self._fail)
        return FinalSource(source, reader)

    async def _get_extended_card(self, headers: Mapping[str, str], idle: float | None) -> Record:
        """0.2 has no method for it, but an address beside that of the agent (SPEC 7.2)."""
        url = find_extended_card(self._url)
        message = HttpRequest("GET", url, {"accept": JSON_TYPE, **headers}, None, idle)
        load = partial(load_rest_result, dialect_of(Generation.V0_3), operations.GET_EXTENDED_CARD)
        return await exchange(self._http, message, self._limits, load)

    def _build(
        self, operation: Operation, request: Record, headers: Mapping[str, str], idle: float | None
    ) -> HttpRequest:
        method = self._dialect.method_of(operation)
        params = encode(self._dialect.dump_request(operation, request))
        return HttpRequest("POST", self._url, headers, build_call(self._new_id(), method, params), idle)

    def _fail(self, reply: HttpReply, url: str) -> DragomanError:
        """Agents of 0.1 answer what they cannot read with HTTP 400 and a JSON-RPC error in its own codes."""
        error = find_rpc_error(self._dialect, reply.body)
        if error is None:
            return load_failure(reply, url)
        if isinstance(error, UnauthenticatedError):
            error.challenge = reply.headers.get("www-authenticate", error.challenge)
        return error


def find_extended_card(url: str) -> str:
    """Where 0.2 has its extended card: `{url}/../agent/authenticatedExtendedCard`."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(path=parts.path.rpartition("/")[0] + _EXTENDED_CARD, query="", fragment="")
    )
