"""The REST binding of 0.3 (SPEC 7.2, 7.5)."""

from collections.abc import Mapping
from functools import partial

from dragoman.client.http import Http, HttpReply, HttpRequest
from dragoman.client.transport.base import AnswerLimits, EventSource, HttpTransport
from dragoman.client.transport.exchange import LoadFailure, address, exchange, open_events
from dragoman.client.transport.finals import EventReader, FinalSource
from dragoman.client.transport.older_requests import adapt_request, adapt_result
from dragoman.client.transport.replies import load_failure
from dragoman.model import DragomanError, Generation, Operation, Record, Rejected, operations
from dragoman.wire.dialects import PROTO, dialect_named
from dragoman.wire.dialects.answers import find_rest_error, load_rest_event, load_rest_result
from dragoman.wire.dialects.rest import build_request
from dragoman.wire.media import EVENT_STREAM_TYPE, JSON_TYPE

_CALL = {"accept": JSON_TYPE}
_STREAM = {"accept": f"{EVENT_STREAM_TYPE}, {JSON_TYPE}", "accept-encoding": "identity"}


class OlderRestTransport(HttpTransport):
    """Every operation has its verb and path below `/v1`. What is sent has the style of `a2a.v1`; answers may have either.

    UnsupportedOperationError, before anything is sent, for what 0.3 has no path for.
    """

    def __init__(self, http: Http, url: str, limits: AnswerLimits) -> None:
        super().__init__(http, url.rstrip("/"), limits)
        self._dialect = dialect_named(PROTO)
        self._verb = ""
        """The verb of SubscribeToTask, where it is not the first that is tried."""

    async def call(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> Record:
        adapted = adapt_request(request, Generation.V0_3)
        message = self._build(operation, adapted, {**_CALL, **headers}, idle)
        load = partial(load_rest_result, self._dialect, operation)
        return adapt_result(
            request, await exchange(self._http, message, self._limits, load, _failing(operation))
        )

    async def open(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> EventSource:
        """The proto and the prose disagree on the verb of SubscribeToTask: the second one is tried where the first is refused (D-01)."""
        adapted = adapt_request(request, Generation.V0_3)
        try:
            return await self._open(operation, adapted, headers, idle, self._verb)
        except Rejected as error:
            if (
                operation is not operations.SUBSCRIBE_TO_TASK
                or self._verb
                or error.status not in {404, 405, 501}
            ):
                raise
        source = await self._open(operation, adapted, headers, idle, "POST")
        self._verb = "POST"
        return source

    async def _open(
        self, operation: Operation, request: Record, headers: Mapping[str, str], idle: float | None, verb: str
    ) -> EventSource:
        message = self._build(operation, request, {**_STREAM, **headers}, idle, verb=verb)
        reader = EventReader(partial(load_rest_event, self._dialect))
        source = await open_events(self._http, message, self._limits, reader, _failing(operation))
        return FinalSource(source, reader)

    def _build(
        self,
        operation: Operation,
        request: Record,
        headers: Mapping[str, str],
        idle: float | None,
        *,
        verb: str = "",
    ) -> HttpRequest:
        rest = build_request(operation, request, verb=verb)
        return address(rest, self._url, headers, idle, media_type=JSON_TYPE)


def _failing(operation: Operation) -> LoadFailure:
    def fail(reply: HttpReply, url: str) -> DragomanError:
        failure = load_failure(reply, url)
        if not isinstance(failure, Rejected):
            return failure
        return find_rest_error(operation, reply.status, reply.body) or failure

    return fail
