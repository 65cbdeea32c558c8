"""The HTTP+JSON binding (SPEC 3.5)."""

from starlette.types import Receive, Scope

from dragoman.engine.entries import StreamItem
from dragoman.model import A2AError
from dragoman.server.asked import make_echo
from dragoman.server.exchange import Deliverable
from dragoman.server.failures import error_headers, rest_body, rest_status
from dragoman.server.headers import read_headers, relative_raw_path
from dragoman.server.replies import A2A_JSON, NO_STORE, Reply, answer_about, refusal
from dragoman.server.streaming import StreamReply
from dragoman.server.surroundings import Surroundings
from dragoman.wire import rest, sse

_ENCODING = "1.0 rest"


class RestExchange:
    """One request to a REST path."""

    __slots__ = ("_around",)

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def answer(self, scope: Scope, receive: Receive) -> Deliverable:
        around, gate = self._around, self._around.gate
        path = _get_path(scope)
        route = rest.match(scope["method"], path)
        if route is None:
            return answer_about(scope["method"], rest.verbs_for(path))
        headers = read_headers(scope)
        principal = await gate.admit(scope, headers)
        body = await gate.read_body(headers, receive) if route.verb == "POST" else b""
        asked = gate.negotiate(scope, headers)
        request = rest.load_request(route, scope["query_string"], body)
        bound = around.operations[route.operation.name]
        call = gate.make_call(principal, headers, asked, request)
        result = await bound.run(call, request)
        echo = make_echo(call.extensions)
        if bound.operation.streaming:
            return StreamReply(
                result, frame=_frame, error_frame=_frame_error, streams=around.streams, headers=echo
            )
        caching = (NO_STORE,) if route.verb == "GET" else ()
        return Reply(A2A_JSON, around.encode(result, scope), headers=(*caching, *echo))

    def refuse(self, error: A2AError) -> Deliverable:
        return refuse(error)


def refuse(error: A2AError) -> Reply:
    """An error in the shape of this binding."""
    return refusal(A2A_JSON, rest_body(error), rest_status(error), error_headers(error))


def _get_path(scope: Scope) -> str:
    path = relative_raw_path(scope)
    # Where a client put "/message:send" behind a base URL that ends in a slash.
    return path[1:] if path.startswith("//") else path


def _frame(item: StreamItem) -> bytes:
    """The bytes of an event, made once for all readers."""
    frame = item.encodings.get(_ENCODING)
    if frame is None:
        frame = item.encodings[_ENCODING] = sse.encode_event(
            sse.make_line(item.json), id=item.mark if item.seq else ""
        )
    return frame


def _frame_error(error: A2AError) -> bytes:
    return sse.encode_event(sse.make_line(rest_body(error)), event="error")
