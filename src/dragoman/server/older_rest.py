"""The REST binding of 0.3, and the one path of 0.2 (SPEC 7.2, 7.5, 7.7)."""

from starlette.types import Receive, Scope

from dragoman.model import A2AError, Generation, operations
from dragoman.server.asked import make_echo
from dragoman.server.exchange import Deliverable
from dragoman.server.failures import error_headers, rest_status
from dragoman.server.headers import read_headers, relative_raw_path
from dragoman.server.older import Caller, Older, OlderCall
from dragoman.server.older_streams import make_frame
from dragoman.server.replies import JSON, NO_STORE, Reply, answer_about, refusal
from dragoman.server.streaming import StreamReply
from dragoman.wire import codec, sse
from dragoman.wire.dialects import PROTO, dialect_named, dialect_of
from dragoman.wire.errors import dump_rest_error
from dragoman.wire.parameters import OLD_EXTENSIONS_HEADER, negotiate

PREFIX = "/v1/"
EXTENDED_CARD_PATH = "/agent/authenticatedExtendedCard"

_THIRD = frozenset({Generation.V0_3})


def is_older(older: Older, scope: Scope) -> bool:
    """Whether a path below `/v1` is meant as 0.3 has it, rather than as that of a tenant called "v1" (D-30)."""
    if Generation.V0_3 not in older.served:
        return False
    version = older.gate.find_version(scope, read_headers(scope))
    return not version or version.startswith("0.")


class OlderRestExchange:
    """One request to a path of 0.3."""

    __slots__ = ("_older",)

    def __init__(self, older: Older) -> None:
        self._older = older

    async def answer(self, scope: Scope, receive: Receive) -> Deliverable:
        from dragoman.wire.dialects import rest as routes

        older, gate = self._older, self._older.gate
        path, verb = relative_raw_path(scope), scope["method"]
        route = routes.match(verb, path)
        if route is None:
            return answer_about(verb, routes.verbs_for(path))
        headers = read_headers(scope)
        caller = Caller(scope, headers, await gate.admit(scope, headers))
        body = await gate.read_body(headers, receive) if verb == "POST" else b""
        if version := gate.find_version(scope, headers):
            negotiate(version, supported=_THIRD)
        request, dialect = routes.load_request(route, scope["query_string"], body)
        done = await older.run(caller, OlderCall(route.operation, dialect), request)
        echo = make_echo(done.call.extensions, OLD_EXTENSIONS_HEADER)
        if route.operation.streaming:
            frame = make_frame(dialect, sse.encode_event)
            return StreamReply(
                done.result, frame=frame, error_frame=_frame_error, streams=older.streams, headers=echo
            )
        answer = codec.encode(older.dump(route.operation, done, scope))
        return Reply(JSON, answer, headers=(NO_STORE, *echo))

    def refuse(self, error: A2AError) -> Deliverable:
        return refusal(JSON, _build_error(error), rest_status(error), error_headers(error))


async def serve_extended_card(older: Older, scope: Scope) -> Deliverable:
    """The extended card as 0.2 asks for it."""
    headers = read_headers(scope)
    caller = Caller(scope, headers, await older.gate.admit(scope, headers))
    generation = Generation.V0_2 if Generation.V0_2 in older.served else older.served[0]
    wanted = OlderCall(operations.GET_EXTENDED_CARD, dialect_of(generation))
    done = await older.run(caller, wanted, operations.GET_EXTENDED_CARD.request())
    card = codec.encode(done.dialect.dump_card(older.complete(done.result, scope)))
    return Reply(JSON, card, headers=(NO_STORE,))


def _frame_error(error: A2AError) -> bytes:
    return sse.encode_event(sse.make_line(_build_error(error)), event="error")


def _build_error(error: A2AError) -> bytes:
    """The body of 1.0, and beside it what 0.3 has in JSON-RPC: the JavaScript SDK looks for that `code` (SPEC 7.6)."""
    return codec.encode(dialect_named(PROTO).dump_error(error) | dump_rest_error(error, rest_status(error)))
